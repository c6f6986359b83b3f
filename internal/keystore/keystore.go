// Package keystore keeps the private keys of surveys in files of its own: outside of the database, of the environment and of every
// backup, readable only together with the app secret, on two nodes at once, and gone for good when a survey ends. It lends a key for
// the duration of a call and never gives one away. It does not know what is sealed with a key, nor when a survey ends.
//
// A key that is lost is lost: there is no backup, by design, and the survey is void. See docs/adr/0022-sealed-ballots.md.
package keystore

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// secretSize is the least size of the app secret.
const secretSize = 32

// Config says where keys live.
type Config struct {
	Dir    string // absolute, a directory of its own; made with mode 0700 when it is not there
	Copy   string // the same on another node, mounted here; empty: none
	Secret []byte // the app secret, 32 bytes or more: without it the files are useless
	// Forbidden are the directories of the database and of backups: a key that is in one of them outlives its destruction.
	Forbidden []string
	// Trustees are three public keys (of hpke.MLKEM768X25519) of people any two of whom are needed to open a key; empty: none.
	Trustees [][]byte
}

// Store keeps keys. It is safe for concurrent use by one process; several processes may share the directories as long as only one
// creates or destroys the same key.
type Store struct {
	mu       sync.Mutex
	places   []place
	secret   []byte
	trustees []hpke.PublicKey
}

// LostError says that a key exists nowhere any more: whatever was sealed to it can never be read.
type LostError struct {
	Ref       string
	Destroyed bool // on purpose
	cause     error
}

func (e *LostError) Error() string {
	if e.Destroyed {
		return "the key " + e.Ref + " was destroyed"
	}
	return fmt.Sprintf("the key %s is lost: %v", e.Ref, e.cause)
}

// Unwrap gives what was found in the places of the key.
func (e *LostError) Unwrap() error { return e.cause }

// KeyLost reports that it is no use to try again.
func (e *LostError) KeyLost() bool { return true }

// ErrTrustees says that this key opens only with the shares of two trustees.
var ErrTrustees = errors.New("two trustees are needed to open this key")

// kem is how survey keys are made; feedback/survey seals with the same.
func kem() hpke.KEM { return hpke.MLKEM768X25519() }

// Open checks the directories and the secret. It refuses a directory that lies in a database's or a backup's, that others than its owner
// may read, or whose keys were made under another secret; and two directories of which one has the mark of the store and the other is
// empty, since a node that was not mounted must not look like one whose keys are gone.
func Open(c Config) (*Store, error) {
	if len(c.Secret) < secretSize {
		return nil, fmt.Errorf("the app secret has fewer than %d bytes", secretSize)
	}
	s := &Store{secret: bytes.Clone(c.Secret)}
	for _, public := range c.Trustees {
		key, err := kem().NewPublicKey(public)
		if err != nil {
			return nil, fmt.Errorf("reading a trustee's key: %w", err)
		}
		s.trustees = append(s.trustees, key)
	}
	if n := len(s.trustees); n != 0 && n != trusteeCount {
		return nil, fmt.Errorf("there are %d trustees, not %d", n, trusteeCount)
	}
	for _, dir := range []string{c.Dir, c.Copy} {
		if dir == "" && len(s.places) > 0 {
			continue
		}
		avoid := c.Forbidden
		for _, p := range s.places { // one disk is no second node
			avoid = append(slices.Clone(avoid), p.dir)
		}
		p, err := openPlace(dir, avoid)
		if err != nil {
			return nil, errors.Join(err, s.Shut())
		}
		s.places = append(s.places, p)
	}
	if err := s.mark(); err != nil {
		return nil, errors.Join(err, s.Shut())
	}
	return s, nil
}

// Shut lets go of the directories.
func (s *Store) Shut() error {
	var problems []error
	for _, p := range s.places {
		problems = append(problems, p.root.Close())
	}
	return errors.Join(problems...)
}

const markFile = "keystore"

// mark puts a sealed word into every directory, or checks the one that is there.
func (s *Store) mark() error {
	found := make([][]byte, len(s.places))
	some := false
	for i, p := range s.places {
		raw, err := p.read(markFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		found[i] = raw
		some = some || raw != nil
	}
	if !some {
		word := rand.Text()
		sealed, err := s.seal(markFile, []byte(word))
		if err != nil {
			return err
		}
		for _, p := range s.places {
			if err := p.write(markFile, sealed); err != nil {
				return err
			}
		}
		return nil
	}
	var word []byte
	for i, raw := range found {
		if raw == nil {
			return fmt.Errorf("%s holds no keystore although the other directory does: mount it, or copy the other one there", s.places[i].dir)
		}
		opened, err := s.unseal(markFile, raw)
		if err != nil {
			return fmt.Errorf("%s was made under another app secret, or is damaged: %w", s.places[i].dir, err)
		}
		if word != nil && !bytes.Equal(word, opened) {
			return fmt.Errorf("%s and %s belong to two keystores", s.places[0].dir, s.places[i].dir)
		}
		word = opened
	}
	return nil
}

// keyFile and goneFile are the names of a key and of the note that it was destroyed.
func keyFile(ref string) string  { return ref + ".key" }
func goneFile(ref string) string { return ref + ".gone" }

// checkRef keeps names of files to what ids are made of.
func checkRef(ref string) error {
	if len(ref) < 8 || len(ref) > 64 || strings.Trim(ref, "0123456789abcdefghijklmnopqrstuvwxyz-") != "" {
		return fmt.Errorf("%d characters that are no name of a key", len(ref))
	}
	return nil
}

// Create makes a key pair and gives its public half (1216 bytes) once the private one is on the disk of every node. A name is used once.
func (s *Store) Create(ctx context.Context, ref string) ([]byte, error) {
	if err := checkRef(ref); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.places {
		for _, name := range []string{keyFile(ref), goneFile(ref)} {
			if _, err := p.read(name); !errors.Is(err, fs.ErrNotExist) {
				return nil, errors.Join(fmt.Errorf("the key %s exists already", ref), err)
			}
		}
	}
	private, err := kem().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	seed, err := private.Bytes()
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	defer clear(seed)
	public := private.PublicKey().Bytes()
	content, err := s.content(ref, public, seed)
	if err != nil {
		return nil, err
	}
	for i, p := range s.places {
		if err := errors.Join(ctx.Err(), p.write(keyFile(ref), content)); err != nil {
			for _, written := range s.places[:i+1] {
				_, gone := written.destroy(keyFile(ref))
				err = errors.Join(err, gone)
			}
			return nil, fmt.Errorf("writing the key %s: %w", ref, err)
		}
	}
	return public, nil
}

// Tally lends the private key while fn runs. The error is a *LostError when the key is in no directory and can come back from none;
// ErrTrustees when it takes With; else fn's.
func (s *Store) Tally(ctx context.Context, ref string, fn func(private hpke.PrivateKey) error) error {
	return s.lend(ctx, ref, nil, fn)
}

func (s *Store) lend(ctx context.Context, ref string, shares []Share, fn func(private hpke.PrivateKey) error) error {
	if err := errors.Join(checkRef(ref), ctx.Err()); err != nil {
		return err
	}
	k, err := s.load(ref)
	if err != nil {
		return err
	}
	seed := k.seed
	if len(k.wraps) > 0 {
		if seed, err = join(ref, shares); err != nil {
			return err
		}
	}
	defer clear(seed)
	private, err := kem().NewPrivateKey(seed)
	if err != nil {
		return fmt.Errorf("reading the key %s: %w", ref, err)
	}
	if !bytes.Equal(private.PublicKey().Bytes(), k.public) {
		return fmt.Errorf("the shares given do not make the key %s", ref)
	}
	return fn(private)
}

// load reads a key from the first directory where it is whole.
func (s *Store) load(ref string) (key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.places {
		if _, err := p.read(goneFile(ref)); err == nil {
			return key{}, &LostError{Ref: ref, Destroyed: true, cause: fs.ErrNotExist}
		}
	}
	var problems []error
	lost := true
	for _, p := range s.places {
		raw, err := p.read(keyFile(ref))
		if err == nil {
			var k key
			if k, err = s.parse(ref, raw); err == nil {
				return k, nil
			}
		}
		problems = append(problems, fmt.Errorf("%s: %w", p.dir, err))
		if _, away := p.read(markFile); away != nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged) {
			lost = false // the directory is away, or cannot be read just now: that is not the same as a lost key
		}
	}
	if !lost {
		return key{}, fmt.Errorf("reading the key %s: %w", ref, errors.Join(problems...))
	}
	return key{}, &LostError{Ref: ref, cause: errors.Join(problems...)}
}

// key is what a file holds: the seed itself, or what three trustees got of it.
type key struct {
	public []byte
	seed   []byte
	wraps  []wrap
}

// Refs lists the keys that exist in any directory, throw-away ones aside, so that those of no survey can be destroyed.
func (s *Store) Refs() ([]string, error) {
	seen := map[string]bool{}
	var out []string
	for _, p := range s.places {
		refs, err := p.refs()
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			if !seen[ref] && !strings.HasPrefix(ref, probePrefix) {
				seen[ref] = true
				out = append(out, ref)
			}
		}
	}
	return out, nil
}

// MAC is HMAC-SHA256 over parts, each with its length, under a key that is derived from the app secret for each purpose.
func (s *Store) MAC(purpose string, parts ...[]byte) []byte {
	derived := hmac.New(sha256.New, s.secret)
	derived.Write([]byte("huiyin keystore mac 1 " + purpose))
	h := hmac.New(sha256.New, derived.Sum(nil))
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return h.Sum(nil)
}

func fingerprint(public []byte) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:])
}
