package keystore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// place is one directory of keys. All access goes through the open directory, so that it cannot be exchanged for another meanwhile.
type place struct {
	dir  string
	root *os.Root
}

// openPlace checks a directory, making it if it is not there.
func openPlace(dir string, forbidden []string) (place, error) {
	if !filepath.IsAbs(dir) {
		return place{}, fmt.Errorf("the keystore directory %q is not absolute", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return place{}, fmt.Errorf("making the keystore directory: %w", err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return place{}, fmt.Errorf("finding the keystore directory: %w", err)
	}
	if err := refuse(real, forbidden); err != nil {
		return place{}, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return place{}, fmt.Errorf("reading the keystore directory: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return place{}, fmt.Errorf("the keystore directory %s has mode %04o: others than its owner may read it; use 0700", real, mode)
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return place{}, fmt.Errorf("reading the keystore directory: %w", err)
	}
	for _, e := range entries {
		if !ours(e.Name()) {
			return place{}, fmt.Errorf("the keystore directory %s has something else in it, %s: keys need a directory of their own", real, e.Name())
		}
	}
	root, err := os.OpenRoot(real)
	if err != nil {
		return place{}, fmt.Errorf("opening the keystore directory: %w", err)
	}
	return place{dir: real, root: root}, nil
}

// ours tells which files a keystore has. A file system's own lost+found is no harm.
func ours(name string) bool {
	return name == markFile || name == "lost+found" || strings.HasSuffix(name, ".key") || strings.HasSuffix(name, ".gone") || strings.HasSuffix(name, ".new")
}

// refuse says why keys may not live there: the directory is one of the forbidden or lies in one, wherever links lead, or it lies in a
// Postgres cluster or a base backup, whatever the configuration says.
func refuse(dir string, forbidden []string) error {
	for _, f := range forbidden {
		if f == "" {
			continue
		}
		real, err := filepath.EvalSymlinks(f)
		if errors.Is(err, fs.ErrNotExist) {
			real, err = filepath.Abs(f)
		}
		if err != nil {
			return fmt.Errorf("finding %s: %w", f, err)
		}
		rel, err := filepath.Rel(real, dir)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return fmt.Errorf("the keystore directory %s lies in %s: keys belong neither where backups are made of them nor twice in one place", dir, real)
		}
	}
	for up := dir; ; up = filepath.Dir(up) {
		for _, sign := range []string{"PG_VERSION", "backup_label", "backup_manifest"} {
			if _, err := os.Lstat(filepath.Join(up, sign)); err == nil {
				return fmt.Errorf("the keystore directory %s lies in a Postgres cluster or backup, %s has %s in it", dir, up, sign)
			}
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}

func (p place) read(name string) ([]byte, error) { return p.root.ReadFile(name) }

// write puts a file there so that it is whole or not there at all, and on the disk when write returns.
func (p place) write(name string, content []byte) error {
	temporary := name + ".new"
	f, err := p.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("making %s: %w", name, err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := p.root.Rename(temporary, name); err != nil {
		return fmt.Errorf("naming %s: %w", name, err)
	}
	return p.flush()
}

// flush makes the names in the directory durable.
func (p place) flush() error {
	d, err := p.root.Open(".")
	if err != nil {
		return fmt.Errorf("opening %s: %w", p.dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("flushing %s: %w", p.dir, err)
	}
	return nil
}

// destroy overwrites a file in place with random bytes, flushes them, and removes it. It gives how many bytes there were; none when
// there is no file. A half-written one goes too.
func (p place) destroy(name string) (int, error) {
	overwritten := 0
	for _, name := range []string{name + ".new", name} {
		f, err := p.root.OpenFile(name, os.O_WRONLY, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("opening %s: %w", name, err)
		}
		info, err := f.Stat()
		if err == nil {
			var n int64
			n, err = io.CopyN(f, rand.Reader, info.Size())
			overwritten += int(n)
		}
		if err := errors.Join(err, f.Sync(), f.Close(), p.root.Remove(name)); err != nil {
			return 0, fmt.Errorf("overwriting %s: %w", name, err)
		}
	}
	return overwritten, p.flush()
}

// remove takes away a file without a secret in it.
func (p place) remove(name string) error {
	if err := p.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	return p.flush()
}

// refs lists the keys in the directory.
func (p place) refs() ([]string, error) {
	entries, err := fs.ReadDir(p.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", p.dir, err)
	}
	var out []string
	for _, e := range entries {
		if ref, ok := strings.CutSuffix(e.Name(), ".key"); ok {
			out = append(out, ref)
		}
	}
	return out, nil
}
