//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// pidFile is the part of postmaster.pid that matters here (PostgreSQL source, src/include/utils/pidfile.h).
type pidFile struct {
	pid    int
	data   string
	socket string
	ready  bool
}

// servers are those that run on a cluster below parent: at most one, unless somebody tampered.
func servers(parent string) []pidFile {
	var running []pidFile
	for _, major := range majors(parent) {
		data := filepath.Join(parent, "pg"+strconv.Itoa(major))
		if file, err := readPidFile(data); err == nil && isPostmaster(file.pid, data) {
			running = append(running, file)
		}
	}
	return running
}

func readPidFile(data string) (pidFile, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return pidFile{}, fmt.Errorf("reading the server's pid file: %w", err)
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return pidFile{}, fmt.Errorf("reading the server's pid file: %w", err)
	}
	file := pidFile{pid: pid, data: data}
	if len(lines) > 4 {
		file.socket = lines[4]
	}
	if len(lines) > 7 {
		file.ready = strings.TrimSpace(lines[7]) == "ready"
	}
	return file, nil
}

// stopOrphan ends a server that outlived the process which supervised it. The caller holds the lock, so no supervisor lives.
//
// When the pid file names something that is no server (the number was given away again after a reboot, or nobody asked for the status of
// the ended one), Postgres would refuse to start. It passes over its parent's number, so ours goes there; the rest of the file stays,
// because with it Postgres makes sure that no session of a killed server is left.
func (c *cluster) stopOrphan(ctx context.Context) error {
	file, err := readPidFile(c.data)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil { // cut short by a crash of the machine
		if err := os.Remove(filepath.Join(c.data, "postmaster.pid")); err != nil {
			return fmt.Errorf("removing a broken pid file: %w", err)
		}
		return nil
	}
	if !isPostmaster(file.pid, c.data) {
		return c.replacePid(os.Getpid())
	}
	for _, step := range shutdownSteps {
		if err := syscall.Kill(file.pid, step.signal); errors.Is(err, syscall.ESRCH) {
			return nil
		}
		if err := waitUntil(ctx, step.patience, func() bool { return !isPostmaster(file.pid, c.data) }); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the server that a former process left behind (pid %d) does not stop", file.pid)
}

func (c *cluster) replacePid(pid int) error {
	name := filepath.Join(c.data, "postmaster.pid")
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("reading a stale pid file: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	if err := os.WriteFile(name, []byte(strconv.Itoa(pid)+"\n"+rest), 0o600); err != nil {
		return fmt.Errorf("correcting a stale pid file: %w", err)
	}
	return nil
}
