package keystore

import (
	"bytes"
	"context"
	"crypto/hpke"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ref = "0198a5b0-0000-7000-8000-000000000001"

var (
	noon   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	secret = bytes.Repeat([]byte{7}, 32)
)

// dirs gives two directories that no test of a machine's own folders disturbs.
func dirs(t *testing.T) (first, second string) {
	t.Helper()
	base := t.TempDir()
	return filepath.Join(base, "node-a"), filepath.Join(base, "node-b")
}

func mustOpen(t *testing.T, c Config) *Store {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatalf("opening the keystore: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Shut(); err != nil {
			t.Errorf("shutting the keystore: %v", err)
		}
	})
	return s
}

func mustCreate(t *testing.T, s *Store, ref string) []byte {
	t.Helper()
	public, err := s.Create(t.Context(), ref)
	if err != nil {
		t.Fatalf("creating a key: %v", err)
	}
	return public
}

// opens tells whether what is sealed to public opens with the key that the store lends.
func opens(t *testing.T, s *Store, public []byte) error {
	t.Helper()
	key, err := kem().NewPublicKey(public)
	if err != nil {
		t.Fatalf("reading the public key: %v", err)
	}
	sealed, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), nil, []byte("word"))
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	return s.Tally(t.Context(), ref, func(private hpke.PrivateKey) error {
		_, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.AES256GCM(), nil, sealed)
		return err
	})
}

func TestAKeyIsInBothDirectoriesBeforeItIsUsed(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret})
	public := mustCreate(t, s, ref)
	for _, dir := range []string{first, second} {
		info, err := os.Stat(filepath.Join(dir, ref+".key"))
		if err != nil {
			t.Fatalf("%s has no copy of the key: %v", dir, err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the key in %s has mode %v, want 0600", dir, info.Mode())
		}
	}
	if err := opens(t, s, public); err != nil {
		t.Errorf("the key does not open what was sealed to it: %v", err)
	}
	if err := os.Remove(filepath.Join(first, ref+".key")); err != nil {
		t.Fatal(err)
	}
	if err := opens(t, s, public); err != nil {
		t.Errorf("with one node gone the other's copy does not do: %v", err)
	}
	if err := s.SelfTest(t.Context(), noon); err == nil {
		t.Error("the self-test does not notice that a copy is missing")
	}
	if _, err := s.Create(t.Context(), ref); err == nil {
		t.Error("a second key was made under the same name")
	}
}

func TestTheSeedIsOnNoDiskInTheOpen(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret})
	mustCreate(t, s, ref)
	var seed []byte
	if err := s.Tally(t.Context(), ref, func(private hpke.PrivateKey) error {
		raw, err := private.Bytes()
		seed = bytes.Clone(raw)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{first, second} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if bytes.Contains(content, seed) || bytes.Contains(content, fmt.Appendf(nil, "%x", seed)) {
				t.Errorf("%s holds the seed", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWithAnotherSecretTheKeystoreRefusesToOpen(t *testing.T) {
	first, _ := dirs(t)
	s := mustOpen(t, Config{Dir: first, Secret: secret})
	mustCreate(t, s, ref)
	if _, err := Open(Config{Dir: first, Secret: bytes.Repeat([]byte{8}, 32)}); err == nil {
		t.Error("it opened under a secret that is not the one of its keys: every key would look lost")
	}
	if _, err := Open(Config{Dir: first, Secret: secret[:31]}); err == nil {
		t.Error("it opened under a secret of 31 bytes")
	}
}

func TestADestroyedKeyIsGoneAndTheEvidenceSaysHow(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret})
	public := mustCreate(t, s, ref)
	path := filepath.Join(first, ref+".key")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(t.TempDir(), "inode") // keeps the blocks of the removed file in sight
	if err := os.Link(path, linked); err != nil {
		t.Fatal(err)
	}
	evidence, err := s.Destroy(t.Context(), ref, noon)
	if err != nil {
		t.Fatalf("destroying: %v", err)
	}
	after, err := os.ReadFile(linked)
	if err != nil {
		t.Fatal(err)
	}
	if len(after) != len(before) || bytes.Contains(after, before[len(before)/2:]) {
		t.Error("the file was removed without being overwritten")
	}
	did := fmt.Sprintf("overwritten %d bytes, removed", len(before))
	want := map[string]string{
		"key": ref, "fingerprint": fingerprint(public), "at": "2026-11-22T12:00:00Z", "copy_1": did, "copy_2": did, "mac": evidence["mac"],
	}
	if diff := cmp.Diff(want, evidence); diff != "" || len(evidence["mac"]) != 64 {
		t.Errorf("the evidence (-want +got):\n%s", diff)
	}
	var lost *LostError
	if err := opens(t, s, public); !errors.As(err, &lost) || !lost.Destroyed || !lost.KeyLost() {
		t.Errorf("lending a destroyed key gives %v, want a LostError that says destroyed", err)
	}
	again, err := s.Destroy(t.Context(), ref, noon.Add(time.Hour))
	if err != nil || !cmp.Equal(again, evidence) {
		t.Errorf("destroying again gives %v, %v; want the first evidence", again, err)
	}
	if _, err := s.Create(t.Context(), ref); err == nil {
		t.Error("the name of a destroyed key was used again")
	}
	// A copy that somebody puts back is not lent.
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opens(t, s, public); !errors.As(err, &lost) {
		t.Errorf("a copy that was put back after the destruction gives %v, want a LostError", err)
	}
}

// A kill between any two steps of a destruction leaves a key that is not lent any more, and a destruction that can be finished.
func TestADestructionThatWasInterruptedGoesOn(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret})
	public := mustCreate(t, s, ref)
	if err := s.putNote(Evidence{Ref: ref, Fingerprint: fingerprint(public), At: noon, Copies: make([]CopyEvidence, 2)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.places[0].destroy(keyFile(ref)); err != nil {
		t.Fatal(err)
	}
	var lost *LostError
	if err := opens(t, s, public); !errors.As(err, &lost) {
		t.Errorf("the second copy is still lent: %v", err)
	}
	evidence, err := s.Destroy(t.Context(), ref, noon)
	if err != nil || !strings.HasPrefix(evidence["copy_2"], "overwritten") || evidence["fingerprint"] != fingerprint(public) {
		t.Errorf("finishing gives %v, %v", evidence, err)
	}
	if refs, err := s.Refs(); err != nil || len(refs) != 0 {
		t.Errorf("keys left: %v, %v", refs, err)
	}
}

func TestAKeyThatIsNowhereIsLost(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret})
	public := mustCreate(t, s, ref)
	for _, damage := range []struct {
		what string
		do   func(path string) error
	}{
		{"cut", func(path string) error { return os.Truncate(path, 40) }},
		{"removed", os.Remove},
	} {
		for _, dir := range []string{first, second} {
			if err := damage.do(filepath.Join(dir, ref+".key")); err != nil {
				t.Fatal(err)
			}
		}
		var lost *LostError
		if err := opens(t, s, public); !errors.As(err, &lost) || lost.Destroyed {
			t.Errorf("both copies %s: lending gives %v, want a LostError that does not say destroyed", damage.what, err)
		}
	}
}

// A node that is away must not end a survey.
func TestADirectoryThatIsAwayIsNoLostKey(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret})
	public := mustCreate(t, s, ref)
	for _, name := range []string{ref + ".key", markFile} {
		if err := os.Rename(filepath.Join(first, name), filepath.Join(t.TempDir(), name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := opens(t, s, public); err != nil {
		t.Errorf("the other node's copy was not used: %v", err)
	}
	if err := os.Remove(filepath.Join(second, ref+".key")); err != nil {
		t.Fatal(err)
	}
	var lost *LostError
	if err := opens(t, s, public); err == nil || errors.As(err, &lost) {
		t.Errorf("with one directory away lending gives %v, want an error that is not a LostError", err)
	}
	if _, err := Open(Config{Dir: first, Copy: second, Secret: secret}); err == nil {
		t.Error("a directory that was not mounted passed for one without keys")
	}
}

func TestKeysDoNotLiveWhereBackupsAreMade(t *testing.T) {
	base := t.TempDir()
	make := func(mode os.FileMode, parts ...string) string {
		dir := filepath.Join(append([]string{base}, parts...)...)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	data, backups := make(0o700, "data"), make(0o700, "backups")
	cluster := make(0o700, "cluster")
	if err := os.WriteFile(filepath.Join(cluster, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(base, "innocent")
	if err := os.Symlink(make(0o700, "data", "linked"), link); err != nil {
		t.Fatal(err)
	}
	shared := make(0o700, "shared")
	if err := os.WriteFile(filepath.Join(shared, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	forbidden := []string{data, backups, filepath.Join(base, "later")}
	for _, tt := range []struct {
		what string
		dir  string
		ok   bool
	}{
		{"the database's directory itself", data, false},
		{"a directory inside of it", filepath.Join(data, "keys"), false},
		{"a directory inside of the backups'", filepath.Join(backups, "a", "b"), false},
		{"a directory that will be one of them", filepath.Join(base, "later", "keys"), false},
		{"a link into the database's directory", link, false},
		{"a cluster that the configuration does not know", filepath.Join(cluster, "keys"), false},
		{"a directory that the group may read", make(0o750, "group"), false},
		{"a directory that everybody may read", make(0o755, "world"), false},
		{"a directory with other things in it", shared, false},
		{"a relative directory", "keys", false},
		{"a directory whose name only begins alike", filepath.Join(base, "data-keys"), true},
		{"a directory of its own", filepath.Join(base, "keys"), true},
	} {
		s, err := Open(Config{Dir: tt.dir, Secret: secret, Forbidden: forbidden})
		if (err == nil) != tt.ok {
			t.Errorf("%s: opening gives %v", tt.what, err)
		}
		if err == nil {
			if err := s.Shut(); err != nil {
				t.Error(err)
			}
		}
	}
	own := filepath.Join(base, "keys")
	if _, err := Open(Config{Dir: own, Copy: own, Secret: secret}); err == nil {
		t.Error("a directory passed for its own copy")
	}
}

func TestTheSelfTestLeavesNothingBehind(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret})
	mustCreate(t, s, ref)
	if err := s.SelfTest(t.Context(), noon); err != nil {
		t.Fatalf("self-test: %v", err)
	}
	for _, dir := range []string{first, second} {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 2 {
			t.Errorf("%s has %v after a self-test, want the mark and the key (%v)", dir, entries, err)
		}
	}
	if err := os.Truncate(filepath.Join(second, ref+".key"), 10); err != nil {
		t.Fatal(err)
	}
	if err := s.SelfTest(t.Context(), noon); err == nil || !strings.Contains(err.Error(), second) {
		t.Errorf("a cut copy gives %v, want an error that names %s", err, second)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.SelfTest(ctx, noon); err == nil {
		t.Error("a self-test that was called off says that all is well")
	}
}

func TestAThrowAwayKeyThatWasLeftIsSweptAfterAnHour(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret})
	mustCreate(t, s, probePrefix+"left-by-a-kill")
	path := filepath.Join(second, probePrefix+"left-by-a-kill.key")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if refs, err := s.Refs(); err != nil || len(refs) != 0 {
		t.Errorf("a throw-away key is listed: %v, %v", refs, err)
	}
	for _, tt := range []struct {
		after time.Duration
		there bool
	}{{time.Minute, true}, {2 * time.Hour, false}} {
		if err := s.SelfTest(t.Context(), info.ModTime().Add(tt.after)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != tt.there {
			t.Errorf("after %s the key is there: %v, want %v", tt.after, err == nil, tt.there)
		}
	}
}

func TestNamesOfKeysNeverLeaveTheDirectory(t *testing.T) {
	first, _ := dirs(t)
	s := mustOpen(t, Config{Dir: first, Secret: secret})
	for _, ref := range []string{"", "../../../etc/passwd", "a/b-c-d-e-f", "UPPERCASE", "keystore\x00", strings.Repeat("a", 65)} {
		if _, err := s.Create(t.Context(), ref); err == nil {
			t.Errorf("a key was made under the name %q", ref)
		}
	}
}

func TestAnyTwoOfThreeTrusteesOpenAKeyAndNoOneAlone(t *testing.T) {
	first, second := dirs(t)
	var private []hpke.PrivateKey
	var public [][]byte
	for range 3 {
		k, err := kem().GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		private, public = append(private, k), append(public, k.PublicKey().Bytes())
	}
	s := mustOpen(t, Config{Dir: first, Copy: second, Secret: secret, Trustees: public})
	sealedTo := mustCreate(t, s, ref)
	if err := opens(t, s, sealedTo); !errors.Is(err, ErrTrustees) {
		t.Errorf("the server alone gets %v, want ErrTrustees", err)
	}
	wraps, err := s.Wraps(t.Context(), ref)
	if err != nil || len(wraps) != 6 {
		t.Fatalf("there are %d wraps, %v; want 6", len(wraps), err)
	}
	shares := map[int][]Share{}
	for _, w := range wraps {
		share, err := OpenWrap(private[w.Trustee], w)
		if err != nil {
			t.Fatalf("trustee %d cannot open a share: %v", w.Trustee, err)
		}
		shares[w.Trustee] = append(shares[w.Trustee], share)
		if _, err := OpenWrap(private[(w.Trustee+1)%3], w); err == nil {
			t.Errorf("another opened a share of trustee %d", w.Trustee)
		}
		moved := w
		moved.Ref = "0198a5b0-0000-7000-8000-000000000002"
		if _, err := OpenWrap(private[w.Trustee], moved); err == nil {
			t.Error("a share of one key passed for one of another")
		}
	}
	lend := func(shares []Share) error {
		return s.With(shares).Tally(t.Context(), ref, func(k hpke.PrivateKey) error {
			if !bytes.Equal(k.PublicKey().Bytes(), sealedTo) {
				t.Error("another key was lent")
			}
			return nil
		})
	}
	for a := range 3 {
		if err := lend(shares[a]); !errors.Is(err, ErrTrustees) {
			t.Errorf("trustee %d alone gets %v, want ErrTrustees", a, err)
		}
		if err := lend(append(append([]Share{}, shares[a]...), shares[(a+1)%3]...)); err != nil {
			t.Errorf("trustees %d and %d together get %v", a, (a+1)%3, err)
		}
	}
	forged := append(append([]Share{}, shares[0]...), shares[1]...)
	for i := range forged {
		forged[i].Half = bytes.Clone(forged[i].Half)
		forged[i].Half[0] ^= 1
		break
	}
	if err := lend(forged); err == nil {
		t.Error("a changed share made a key")
	}
	if got := fmt.Sprintf("%v %+v %#v %s", shares[0][0], shares[0][0], shares[0][0], shares[0]); strings.Count(got, "[share]") < 4 {
		t.Errorf("a share prints as %s", got)
	}
	if err := s.SelfTest(t.Context(), noon); err != nil {
		t.Errorf("self-test with trustees: %v", err)
	}
	if _, err := Open(Config{Dir: first, Copy: second, Secret: secret, Trustees: public[:2]}); err == nil {
		t.Error("two trustees passed for three")
	}
}

func TestAMACDependsOnPurposeSecretAndTheEdgesOfItsParts(t *testing.T) {
	first, second := dirs(t)
	s := mustOpen(t, Config{Dir: first, Secret: secret})
	other := mustOpen(t, Config{Dir: second, Secret: bytes.Repeat([]byte{9}, 32)})
	one := s.MAC("purpose", []byte("ab"), []byte("c"))
	if !bytes.Equal(one, s.MAC("purpose", []byte("ab"), []byte("c"))) {
		t.Error("the same has two MACs")
	}
	for what, mac := range map[string][]byte{
		"other edges": s.MAC("purpose", []byte("a"), []byte("bc")), "another purpose": s.MAC("other", []byte("ab"), []byte("c")),
		"another secret": other.MAC("purpose", []byte("ab"), []byte("c")),
	} {
		if bytes.Equal(one, mac) {
			t.Errorf("%s give the same MAC", what)
		}
	}
}
