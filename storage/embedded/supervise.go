//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// firstTries is how often a server that exits during Start is started again: what a killed one left behind (sessions that are still
	// ending, their shared memory) is gone within moments.
	firstTries = 4

	// longestPause bounds the wait before a server that keeps dying is started again.
	longestPause = 5 * time.Second
)

// Postgres is a running cluster, served by this process or by another one that has it.
type Postgres struct {
	options Options
	parent  string
	stop    context.CancelFunc
	done    chan struct{}
	log     *serverLog
	scratch *scratch // nil for a cluster with an owner

	cluster *cluster // nil while attached; only the supervisor touches it

	mu       sync.Mutex
	socket   string
	attached bool
	pid      int
}

// Start returns when connections are accepted. ctx bounds the start alone; the cluster is served until Stop.
//
// If another process serves the same Dir, this one uses that server and does not stop it; when that process ends, this one takes over
// within about a second, on the same URL. A server that dies is started again, also on the same URL.
//
// Errors are a *NoPostgresError when there are no programs, else what initdb, the server or the file system said.
func Start(ctx context.Context, o Options) (*Postgres, error) {
	parent, err := openParent(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Linger > 0 {
		return startScratch(ctx, o, parent)
	}
	serverLog, err := newServerLog(o.Log)
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &Postgres{options: o, parent: parent, stop: stop, done: make(chan struct{}), log: serverLog}
	first := make(chan error, 1)
	go p.supervise(life, first)
	select {
	case err = <-first:
	case <-ctx.Done():
		err = fmt.Errorf("starting the embedded Postgres: %w", context.Cause(ctx))
	}
	if err != nil {
		stop()
		<-p.done
		return nil, err
	}
	o.progress(StageReady)
	return p, nil
}

// URL is a postgres:// URL of a Unix socket, for pgx and libpq. It stays the same over crashes and take-overs.
func (p *Postgres) URL() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return socketURL(p.socket, role, database)
}

// Attached tells whether another process started the server that this one uses.
func (p *Postgres) Attached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.attached
}

// Stop shuts the server down cleanly if this process serves it, and returns when it has gone. When ctx ends first, the shutdown is an
// immediate one, which the next start recovers from.
func (p *Postgres) Stop(ctx context.Context) error {
	if p.scratch != nil {
		p.scratch.leave()
		return nil
	}
	p.stop()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	pid := p.pid
	p.mu.Unlock()
	if pid != 0 {
		if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stopping the embedded Postgres at once: %w", err)
		}
	}
	<-p.done
	return nil
}

// Crash kills the server with SIGKILL, for tests of what a crash does to the product. Whoever serves it starts it again.
func (p *Postgres) Crash() error {
	p.mu.Lock()
	pid := p.pid
	p.mu.Unlock()
	if pid == 0 { // somebody else serves
		running := servers(p.parent)
		if len(running) == 0 {
			return errors.New("crashing the embedded Postgres: it is not running")
		}
		pid = running[0].pid
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("crashing the embedded Postgres: %w", err)
	}
	return nil
}

// supervise serves the cluster until life ends. The first outcome goes to first.
//
// It never unlocks its thread: the kernel stops the server when the thread that started it ends, which must be when the process does.
func (p *Postgres) supervise(life context.Context, first chan<- error) {
	runtime.LockOSThread()
	defer close(p.done)
	defer p.log.close()

	waiting := false
	held, err := lock(life, p.parent, func() bool {
		if !waiting {
			waiting = true
			p.options.progress(StageWait)
		}
		return p.attach(life) == nil
	})
	if err != nil {
		first <- err
		return
	}
	started := false // whether somebody already relies on the URL
	if held == nil {
		started = true
		first <- nil
		held, err = lock(life, p.parent, func() bool { return false })
		if err != nil {
			p.log.note("no longer waiting to take over: %v", err)
			return
		}
		p.log.note("the process that served Postgres has ended; taking over")
	}
	defer held.Close()

	defer func() {
		if p.cluster != nil {
			p.cluster.closeSocket()
		}
	}()
	for failures := 0; ; {
		err := p.serve(life, func() {
			if !started {
				started = true
				first <- nil
			}
			failures = 0
		})
		if life.Err() != nil {
			if !started {
				first <- context.Cause(life)
			}
			return
		}
		failures++
		_, exited := errors.AsType[*exitError](err)
		if !started && (!exited || failures == firstTries) {
			first <- err
			return
		}
		if exited {
			p.log.note("the server ended; starting it again") // the lines above say how
		} else {
			p.log.note("%v; trying again", err)
		}
		pause(life, min(time.Duration(failures-1)*200*time.Millisecond, longestPause))
	}
}

// attach finds the server of another process through the socket that its data folder names.
func (p *Postgres) attach(ctx context.Context) error {
	for _, server := range servers(p.parent) {
		if !server.ready || ping(ctx, socketURL(server.socket, role, database)) != nil {
			continue
		}
		p.mu.Lock()
		p.socket, p.attached = server.socket, true
		p.mu.Unlock()
		return nil
	}
	return errors.New("no server answers yet")
}

func ping(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	return conn.Close(ctx)
}

// exitError is a server that ended without being asked to.
type exitError struct {
	err  error
	tail string // the end of its log
}

func (e *exitError) Error() string {
	return fmt.Sprintf("the embedded Postgres exited: %v: %s", e.err, e.tail)
}

func (e *exitError) Unwrap() error { return e.err }

// serve runs the server once, and returns when it has ended. ready is called when connections are accepted.
func (p *Postgres) serve(life context.Context, ready func()) error {
	if p.cluster == nil {
		prepared, err := prepare(life, p.options, p.parent)
		if err != nil {
			return err
		}
		p.cluster = prepared
	}
	c := p.cluster
	if err := c.stopOrphan(life); err != nil {
		return err
	}
	if err := c.openSocket(p.socket); err != nil {
		return err
	}
	p.setSocket(c.socket)
	p.options.progress(StageStart)
	p.log.forget()
	// Not tied to life: SIGINT, not SIGKILL, ends the server, and after that it has time.
	cmd := c.command(context.WithoutCancel(life), c.identity, "postgres", c.settings(p.options)...)
	cmd.Stdout, cmd.Stderr = p.log.write, p.log.write
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	end := &ending{done: make(chan struct{})}
	go func() {
		end.err = cmd.Wait()
		close(end.done)
	}()
	p.setServer(cmd.Process.Pid)
	defer p.setServer(0)

	if err := p.bringUp(life, cmd.Process.Pid, end); err != nil {
		end.hasten(cmd.Process)
		return err
	}
	ready()
	select {
	case <-end.done:
		return &exitError{err: end.err, tail: p.log.tail()}
	case <-life.Done():
		end.hasten(cmd.Process)
		return nil
	}
}

// ending is the end of a server's process; err may be read once done is closed.
type ending struct {
	done chan struct{}
	err  error
}

// hasten asks the server to end, ever more firmly, and returns when it has.
func (e *ending) hasten(server *os.Process) {
	for _, step := range shutdownSteps {
		if err := server.Signal(step.signal); err != nil {
			break // it has ended
		}
		patience := time.NewTimer(step.patience)
		select {
		case <-e.done:
			patience.Stop()
			return
		case <-patience.C:
		}
	}
	<-e.done
}

func (p *Postgres) setSocket(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.socket = dir
}

func (p *Postgres) setServer(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pid = pid
	p.attached = false
}

// bringUp waits until the server accepts connections and the database is there. However long recovery takes, it is waited for: the
// caller of Start decides when that is too long.
func (p *Postgres) bringUp(life context.Context, pid int, end *ending) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-end.done:
			return &exitError{err: end.err, tail: p.log.tail()}
		case <-life.Done():
			return context.Cause(life)
		case <-tick.C:
		}
		if file, err := readPidFile(p.cluster.data); err == nil && file.pid == pid && file.ready {
			return p.cluster.ensureDatabase(life)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
