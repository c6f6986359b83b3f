//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// watchedServer runs the server and, beside it, a watch that outlives the process which started both. Every period the watch takes the
// file "used" away, and every user of the cluster puts it back more often than that; when nobody did, the server is told to stop.
//
// "stopping" settles the race with a process that arrives at that moment: each side puts up its own sign before it looks at the other's,
// so at least one of them sees the other. The watch is no child of the server, which looks after its children.
//
// Arguments: socket folder, period in seconds, data folder, then the server's command.
const watchedServer = `
socket=$1 period=$2 data=$3; shift 3
serves() { read -r pid < "$data/postmaster.pid" && [ "$pid" = $$ ]; } 2>/dev/null
( (
  trap '' INT HUP TERM
  while rm -f "$socket/used"; sleep "$period"; serves; do
    [ -e "$socket/used" ] && continue
    : > "$socket/stopping"
    if [ -e "$socket/used" ]; then rm -f "$socket/stopping"; continue; fi
    kill -INT $$
  done
) > /dev/null 2>&1 & )
exec "$@"
`

// scratch is one process's use of a cluster that nobody owns.
type scratch struct {
	used   string
	every  time.Duration
	mu     sync.Mutex
	left   bool
	signal *time.Timer
}

// startScratch starts the shared server or joins it, under the lock, which it holds only that long.
func startScratch(ctx context.Context, o Options, parent string) (*Postgres, error) {
	waiting := false
	held, err := lock(ctx, parent, func() bool {
		if !waiting {
			waiting = true
			o.progress(StageWait)
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	defer held.Close()

	// initdb ends with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	p := &Postgres{options: o, parent: parent}
	if p.join(ctx) {
		o.progress(StageReady)
		return p, nil
	}
	err = p.startWatched(ctx)
	if _, exited := errors.AsType[*exitError](err); exited {
		// Without fsync a power cut may have left anything. Nobody misses the contents.
		if err := os.RemoveAll(p.cluster.data); err != nil {
			return nil, fmt.Errorf("clearing a scratch cluster that does not start: %w", err)
		}
		err = p.startWatched(ctx)
	}
	if err != nil {
		return nil, err
	}
	o.progress(StageReady)
	return p, nil
}

// join uses the server that is running, unless it is on its way out.
func (p *Postgres) join(ctx context.Context) bool {
	for _, server := range servers(p.parent) {
		if !server.ready { // on its way out, or its starter was killed: nobody is starting it while the lock is held
			continue
		}
		p.scratch = newScratch(server.socket, p.options.Linger)
		staying := func() bool {
			_, err := os.Stat(filepath.Join(server.socket, "stopping"))
			return err != nil || !isPostmaster(server.pid, server.data)
		}
		// A server that has announced its end is gone, or has thought better of it, in a moment.
		if err := waitUntil(ctx, 10*time.Second, staying); err == nil && p.attach(ctx) == nil {
			return true
		}
		p.scratch.leave()
		p.scratch = nil
	}
	return false
}

func (p *Postgres) startWatched(ctx context.Context) error {
	c, err := prepare(ctx, p.options, p.parent)
	if err != nil {
		return err
	}
	if err := c.stopOrphan(ctx); err != nil {
		return err
	}
	if err := c.openSocket(""); err != nil {
		return err
	}
	p.cluster, p.socket = c, c.socket
	p.options.progress(StageStart)

	// A file, not a pipe: the server goes on when this process has ended.
	logName := c.data + ".log"
	log, err := os.Create(logName)
	if err != nil {
		return fmt.Errorf("making the server's log: %w", err)
	}
	defer log.Close()
	period := watchPeriod(p.options.Linger)
	cmd := c.command(context.WithoutCancel(ctx), c.identity, "postgres")
	cmd.Args = append([]string{
		"sh", "-c", watchedServer, "sh", c.socket, strconv.FormatFloat(period.Seconds(), 'f', -1, 64), c.data, c.programs.path("postgres"),
	}, c.settings(p.options)...)
	cmd.Path = "/bin/sh"
	cmd.SysProcAttr = c.identity.attr(false)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	p.scratch = newScratch(c.socket, p.options.Linger)
	if err := p.awaitWatched(ctx, cmd.Process.Pid, logName); err != nil {
		p.scratch.leave()
		p.scratch = nil
		return err
	}
	return nil
}

// awaitWatched polls for the end of the child rather than waiting for it: nothing may be left running here that a test's leak check finds.
func (p *Postgres) awaitWatched(ctx context.Context, pid int, logName string) error {
	var status syscall.WaitStatus
	ended, ready := false, false
	err := waitUntil(ctx, 5*time.Minute, func() bool {
		done, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
		ended = err == nil && done == pid
		file, err := readPidFile(p.cluster.data)
		ready = err == nil && file.pid == pid && file.ready
		return ended || ready
	})
	switch {
	case err != nil:
		return fmt.Errorf("waiting for the server: %w", err)
	case ended:
		text, err := os.ReadFile(logName)
		return &exitError{err: errors.Join(fmt.Errorf("exit status %d", status.ExitStatus()), err), tail: lastLines(string(text))}
	}
	return p.cluster.ensureDatabase(ctx)
}

// watchPeriod makes the end come within linger: a use right after the watch looked counts for two periods.
func watchPeriod(linger time.Duration) time.Duration { return linger / 2 }

// newScratch begins to say that the cluster is used. It is a timer and no goroutine.
func newScratch(socket string, linger time.Duration) *scratch {
	s := &scratch{used: filepath.Join(socket, "used"), every: watchPeriod(linger) / 5}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signal = time.AfterFunc(s.every, s.use)
	s.touch()
	return s
}

func (s *scratch) use() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return
	}
	s.touch()
	s.signal.Reset(s.every)
}

// touch has nobody to tell when it fails: then the socket's folder has gone, and with it the server.
func (s *scratch) touch() {
	if file, err := os.Create(s.used); err == nil {
		_ = file.Close()
	}
}

func (s *scratch) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
	s.signal.Stop()
}
