package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithoutProgramsTheErrorNamesTheWaysOut(t *testing.T) {
	_, err := Start(t.Context(), Options{Dir: t.TempDir(), Sources: []Source{System{Dirs: []string{t.TempDir()}}}})
	if !errors.Is(err, ErrNoPostgres) {
		t.Fatalf("Start without programs returned %v; want ErrNoPostgres", err)
	}
	for _, way := range []string{"apt-get install postgresql", "brew install postgresql@17", "HUIYIN_DATABASE_URL"} {
		if !strings.Contains(err.Error(), way) {
			t.Errorf("the error does not name %q: %v", way, err)
		}
	}
}

func TestUnreachableRegistryIsNamedBesideTheWaysOut(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no npm, no apt-get
	sources := []Source{System{Dirs: []string{t.TempDir()}}, Apt{}, NPM{CacheDir: t.TempDir()}}
	_, err := Start(t.Context(), Options{Dir: t.TempDir(), Sources: sources})
	missing, ok := errors.AsType[*NoPostgresError](err)
	if !ok {
		t.Fatalf("Start without any source returned %v; want a *NoPostgresError", err)
	}
	if len(missing.Tried) != len(sources) {
		t.Errorf("the error tells of %d attempts, want one for each of the %d sources: %v", len(missing.Tried), len(sources), err)
	}
}

// only is a source that has one version, whatever is asked for.
type only struct{ has int }

func (o only) Find(_ context.Context, major int, _ func(Stage)) (Programs, error) {
	if major != 0 && major != o.has {
		return Programs{}, errors.New("another version")
	}
	return Programs{Dir: "/nowhere", Major: o.has}, nil
}

func TestDataOfAnotherVersionIsNotReplacedByAnEmptyCluster(t *testing.T) {
	dir := t.TempDir()
	control := filepath.Join(dir, "pg16", "global", "pg_control")
	if err := os.MkdirAll(filepath.Dir(control), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(control, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir, Sources: []Source{only{has: 17}}})
	missing, ok := errors.AsType[*NoPostgresError](err)
	if !ok || missing.Major != 16 {
		t.Fatalf("with data of 16 and programs of 17 Start returned %v; want a *NoPostgresError for 16", err)
	}
	if !strings.Contains(err.Error(), "apt-get install postgresql-16") {
		t.Errorf("the error does not name the version to install: %v", err)
	}
}

// fakePrograms makes a folder with a postgres that only knows its version.
func fakePrograms(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"postgres", "initdb"} {
		script := "#!/bin/sh\necho '" + version + "'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProgramsAreChosenByVersion(t *testing.T) {
	old := fakePrograms(t, "postgres (PostgreSQL) 14.9")
	debian := fakePrograms(t, "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)")
	beta := fakePrograms(t, "postgres (PostgreSQL) 18beta2")
	broken := fakePrograms(t, "cannot open shared object file")
	for _, c := range []struct {
		about string
		dirs  []string
		major int
		want  string // empty: an error
	}{
		{"any version: the newest", []string{debian, broken, beta, old}, 0, beta},
		{"an existing cluster of 15: 15, though a newer one is there", []string{beta, debian}, 15, debian},
		{"an existing cluster of 17: neither", []string{beta, debian}, 17, ""},
		{"too old for the product's SQL", []string{old}, 0, ""},
		{"a program that does not run", []string{broken}, 0, ""},
	} {
		got, err := System{Dirs: c.dirs}.Find(t.Context(), c.major, func(Stage) {})
		if got.Dir != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %q, %v; want %q", c.about, got.Dir, err, c.want)
		}
	}
}

func TestAptCandidateIsReadFromItsPolicy(t *testing.T) {
	for _, c := range []struct {
		about, policy string
		want          int
	}{
		{"Debian 12", "postgresql:\n  Installed: (none)\n  Candidate: 15+248+deb12u1\n  Version table:\n", 15},
		{"a versioned package", "postgresql-17:\n  Installed: (none)\n  Candidate: 17.2-1.pgdg120+1\n", 17},
		{"no package lists yet", "", 0},
		{"known but not to be had", "postgresql:\n  Installed: (none)\n  Candidate: (none)\n", 0},
	} {
		if got := parseCandidate(c.policy); got != c.want {
			t.Errorf("%s: got version %d, want %d", c.about, got, c.want)
		}
	}
}

// archive makes an npm package of the files named, with their names as content unless given.
func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	plain := tar.NewWriter(compressed)
	for name, content := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}
		if err := plain.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := plain.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(plain.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestPackageIsUnpackedWithItsLinksAndModes(t *testing.T) {
	packed := archive(t, map[string]string{
		"package/package.json":            "{}",
		"package/native/bin/postgres":     "program",
		"package/native/lib/libpq.so.5.1": "library",
		"package/native/pg-symlinks.json": `[{"source":"native/lib/libpq.so.5.1","target":"native/lib/libpq.so.5"}]`,
	})
	dir := t.TempDir()
	if err := unpackNative(bytes.NewReader(packed), dir); err != nil {
		t.Fatalf("unpacking: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "lib", "libpq.so.5")); err != nil || string(got) != "library" {
		t.Errorf("the link to the library reads %q, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(dir, "bin", "postgres"))
	if err != nil || info.Mode().Perm()&0o111 != 0o111 {
		t.Errorf("the program is not executable for everybody: %v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
		t.Error("a file outside native/ was unpacked")
	}
}

func TestPackageThatReachesOutsideItsFolderIsRefused(t *testing.T) {
	const noLinks = "[]"
	for about, files := range map[string]map[string]string{
		"a file":           {"package/native/../../evil": "x", "package/native/pg-symlinks.json": noLinks},
		"a link's place":   {"package/native/pg-symlinks.json": `[{"source":"native/lib/a","target":"../b"}]`},
		"what a link says": {"package/native/pg-symlinks.json": `[{"source":"/etc/passwd","target":"native/b"}]`},
	} {
		if err := unpackNative(bytes.NewReader(archive(t, files)), t.TempDir()); err == nil {
			t.Errorf("%s outside the folder was accepted", about)
		}
	}
}

func TestPackageWithAnotherChecksumIsRefused(t *testing.T) {
	const ofAbc = "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
	if err := checkIntegrity([]byte("abc"), ofAbc); err != nil {
		t.Errorf("the package that was asked for: %v", err)
	}
	if err := checkIntegrity([]byte("abd"), ofAbc); err == nil {
		t.Error("another package was accepted")
	}
}
