//go:build linux || darwin

package app

import (
	"os"
	"path/filepath"
	"syscall"

	"huiyin/internal/config"
)

// fullDisk is the share of a disk in use, in percent, from which on it is time to act (R10).
const fullDisk = 85

// disk looks at the disk of the data directory, or of what is there of its path.
func (e *examination) disk(cfg config.Config) {
	dir := cfg.DataDir
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || s.Blocks == 0 {
		return // a file system that does not tell
	}
	free := int64(s.Bavail) * int64(s.Bsize) //nolint:unconvert // it is a uint32 on darwin
	used := 100 - int(100*s.Bavail/s.Blocks)
	if used >= fullDisk {
		e.bad("cli.doctor.disk.bad", "cli.doctor.disk.do", "Used", used, "Dir", dir)
		return
	}
	e.ok("cli.doctor.disk.ok", "Free", size(free), "Dir", dir)
}
