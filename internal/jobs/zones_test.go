package jobs

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zone is a time zone with the instants at which its clocks change from 2000 to 2040, without those at which an earlier zone changed them
// in the same way.
type zone struct {
	loc     *time.Location
	changes []time.Time
}

// zones lists every zone that differs from the others, from the database that Go brings along.
func zones(t *testing.T) []zone {
	t.Helper()
	all, err := allZones()
	if err != nil {
		t.Fatalf("list the time zones: %v", err)
	}
	if len(all) < 250 {
		t.Fatalf("found %d time zones, there should be hundreds", len(all))
	}
	return all
}

var allZones = sync.OnceValues(func() ([]zone, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	var all []zone
	type change struct {
		at            time.Time
		before, after int
	}
	known := map[change]bool{}
	seen := map[uint32]bool{}
	for _, f := range archive.File {
		if f.FileInfo().IsDir() || seen[f.CRC32] {
			continue
		}
		seen[f.CRC32] = true
		loc, err := time.LoadLocation(f.Name)
		if err != nil {
			return nil, err
		}
		z := zone{loc: loc}
		end := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
		for at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); ; {
			_, next := at.In(loc).ZoneBounds()
			if next.IsZero() || next.After(end) {
				break
			}
			c := change{at: next.UTC()}
			_, c.before = next.Add(-time.Second).In(loc).Zone()
			_, c.after = next.In(loc).Zone()
			if c.before != c.after && !known[c] {
				known[c], z.changes = true, append(z.changes, next)
			}
			at = next
		}
		all = append(all, z)
	}
	return all, nil
})

func location(t rapid.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatalf("load a time zone: %v", err)
	}
	return loc
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatalf("read an instant: %v", err)
	}
	return at
}
