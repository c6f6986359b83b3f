//go:build linux || darwin

package embedded

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// poll is how often files are looked at that Postgres writes: its pid file has the only portable news about a start.
const poll = 10 * time.Millisecond

// cluster is a data folder together with the programs and the user that serve it.
type cluster struct {
	programs Programs
	identity identity
	parent   string // Options.Dir, absolute
	data     string // parent/pg15
	socket   string // the folder that the socket is in
}

// openParent makes Options.Dir and returns its real path: Postgres compares paths as text. Root's is open for passing through, because
// the server runs as somebody else.
func openParent(dir string) (string, error) {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the data folder: %w", err)
	}
	if err := os.MkdirAll(abs, mode); err != nil {
		return "", fmt.Errorf("making the data folder: %w", err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", fmt.Errorf("finding the data folder: %w", err)
	}
	return resolved, nil
}

// majors are the versions that have a cluster below parent, the one used last first.
func majors(parent string) []int {
	type found struct {
		major int
		used  time.Time
	}
	var clusters []found
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		digits, ok := strings.CutPrefix(entry.Name(), "pg")
		major, err := strconv.Atoi(digits)
		if !ok || err != nil {
			continue
		}
		control, err := os.Stat(filepath.Join(parent, entry.Name(), "global", "pg_control"))
		if err != nil {
			continue
		}
		clusters = append(clusters, found{major, control.ModTime()})
	}
	slices.SortFunc(clusters, func(a, b found) int { return cmp.Or(b.used.Compare(a.used), cmp.Compare(b.major, a.major)) })
	var list []int
	for _, c := range clusters {
		list = append(list, c.major)
	}
	return list
}

// prepare finds programs and somebody to run them as, and makes the cluster if there is none. The caller holds the lock on parent.
func prepare(ctx context.Context, o Options, parent string) (*cluster, error) {
	var major int
	if existing := majors(parent); len(existing) > 0 {
		major = existing[0]
	}
	programs, err := findPrograms(ctx, o, major)
	if err != nil {
		return nil, err
	}
	c := &cluster{programs: programs, parent: parent, data: filepath.Join(parent, "pg"+strconv.Itoa(programs.Major))}
	c.identity, err = c.choose(ctx)
	if err != nil {
		return nil, err
	}
	if major == 0 {
		o.progress(StageInit)
		if err := c.init(ctx, o.Durable); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// choose takes the first identity that can reach both the programs and the data folder: it may not enter a home that is closed to
// others, and a container may forbid user namespaces.
func (c *cluster) choose(ctx context.Context) (identity, error) {
	owner := -1
	if info, err := os.Stat(c.data); err == nil {
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			owner = int(stat.Uid)
		}
	}
	var problems []error
	for _, id := range identities(owner) {
		_, err := c.command(ctx, id, "postgres", "-V").Output()
		if err == nil {
			return id, nil
		}
		problems = append(problems, fmt.Errorf("as %s: %w", id.name, withStderr(err)))
	}
	return identity{}, fmt.Errorf("no account can run %s on %s: %w", c.programs.Dir, c.parent, errors.Join(problems...))
}

// command runs in the parent folder, which proves that the identity can get there.
func (c *cluster) command(ctx context.Context, id identity, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.programs.path(program), args...)
	cmd.Dir = c.parent
	cmd.Env = environment()
	cmd.SysProcAttr = id.attr(true)
	return cmd
}

// environment is all that the server sees of ours: no PG… variable, no secret, no locale that is not generated here.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=" + locale, "TZ=UTC"}
}

// init makes the cluster beside its place and moves it there when it is whole, so that half of one is never taken for good.
func (c *cluster) init(ctx context.Context, durable bool) error {
	half := c.data + ".init"
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("clearing an unfinished cluster: %w", err)
	}
	if err := os.Mkdir(half, 0o700); err != nil {
		return fmt.Errorf("making the cluster's folder: %w", err)
	}
	if err := own(half, c.identity); err != nil {
		return err
	}
	args := []string{
		"--pgdata=" + half, "--username=" + superuser, "--encoding=UTF8", "--locale=" + locale, "--lc-collate=C",
		// The socket's folder is closed to others; nothing listens elsewhere.
		"--auth-local=trust", "--auth-host=reject", "--no-instructions",
	}
	if durable {
		args = append(args, "--data-checksums")
	} else {
		args = append(args, "--no-sync")
	}
	if _, err := c.command(ctx, c.identity, "initdb", args...).Output(); err != nil {
		return fmt.Errorf("making a cluster with initdb: %w", withStderr(err))
	}
	if err := os.Rename(half, c.data); err != nil {
		return fmt.Errorf("putting the new cluster in its place: %w", err)
	}
	return nil
}

func own(path string, id identity) error {
	if id.uid == os.Geteuid() {
		return nil
	}
	if err := os.Chown(path, id.uid, id.gid); err != nil {
		return fmt.Errorf("giving %s to the server's user: %w", path, err)
	}
	return nil
}

// settings travel on the command line, so an old cluster gets today's.
func (c *cluster) settings(o Options) []string {
	connections := cmp.Or(o.MaxConnections, 60)
	values := []string{
		"listen_addresses=", "unix_socket_permissions=0700",
		fmt.Sprintf("max_connections=%d", connections),
		// A small firm's data fits; what is not touched takes no memory.
		"shared_buffers=128MB", "work_mem=8MB", "maintenance_work_mem=64MB", "effective_cache_size=512MB",
		"wal_compression=on", "max_wal_size=512MB", "checkpoint_timeout=15min",
		// Short queries on local disks: compiling them, or fearing random reads, costs more than it saves.
		"jit=off", "random_page_cost=1.1",
		"timezone=UTC", "log_timezone=UTC", "cluster_name=huiyin", "logging_collector=off", "log_destination=stderr", "log_checkpoints=off",
		// What people wrote must not reach the log, not even through an error that quotes a value: such errors are returned to
		// the product, and the log keeps what is about the server itself (level LOG and above).
		"log_min_messages=log", "log_min_error_statement=panic", "log_error_verbosity=terse", "log_statement=none",
		"log_min_duration_statement=-1", "log_parameter_max_length=0", "log_parameter_max_length_on_error=0",
	}
	if !o.Durable {
		// synchronous_commit stays on: a commit is with the operating system before it is acknowledged, so killing the server loses nothing.
		values = append(values, "fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0", "autovacuum_naptime=5min")
	}
	args := []string{"-D", c.data, "-k", c.socket, "-p", socketPort}
	for _, value := range values {
		args = append(args, "-c", value)
	}
	return args
}

// defaultSocket is the same for every process that uses this parent folder, and short: a socket's path may have about 100 bytes, which the
// temporary folders of macOS and of tests exceed.
func defaultSocket(parent string) string {
	base := "/tmp"
	if info, err := os.Stat(base); err != nil || !info.IsDir() {
		base = os.TempDir()
	}
	sum := sha256.Sum256([]byte(parent))
	return filepath.Join(base, fmt.Sprintf("huiyin-%x", sum[:6]))
}

// openSocket readies the socket's folder, closed to everybody but the server's user (and root), and clears what a killed server left
// there: it names a process that may be another one by now. Nobody serves while the caller holds the lock. want is the folder of the
// URL that was given away already, else empty. A name that somebody else took first (it can be guessed) is not used.
func (c *cluster) openSocket(want string) error {
	dir := cmp.Or(want, defaultSocket(c.parent))
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, os.ErrExist) {
		err = nil
		if !c.owns(dir) {
			dir, err = os.MkdirTemp(filepath.Dir(dir), "huiyin-")
		}
	}
	if err != nil {
		return fmt.Errorf("making the socket's folder: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("closing the socket's folder to others: %w", err)
	}
	if err := own(dir, c.identity); err != nil {
		return err
	}
	for _, name := range []string{".s.PGSQL." + socketPort, ".s.PGSQL." + socketPort + ".lock", "stopping"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("clearing the socket's folder: %w", err)
		}
	}
	c.socket = dir
	return nil
}

// closeSocket removes the folder, which is empty after a clean end.
func (c *cluster) closeSocket() {
	if c.socket != "" {
		_ = os.Remove(c.socket) // kept when it holds anything
	}
}

func (c *cluster) owns(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (int(stat.Uid) == os.Geteuid() || int(stat.Uid) == c.identity.uid)
}

// shutdownSteps go from a clean shutdown to none; all three keep what was committed.
var shutdownSteps = []struct {
	signal   syscall.Signal
	patience time.Duration
}{
	{syscall.SIGINT, 30 * time.Second}, // fast: sessions are cut, data is flushed
	{syscall.SIGQUIT, 3 * time.Second}, // immediate: recovery at the next start
	{syscall.SIGKILL, 2 * time.Second},
}

var errTimeout = errors.New("timed out")

// waitUntil polls a condition that has no event to wait for.
func waitUntil(ctx context.Context, patience time.Duration, met func() bool) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for !met() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline.C:
			return errTimeout
		case <-tick.C:
		}
	}
	return nil
}

// ensureDatabase creates the role and the database that URLs name, if this start is the first.
func (c *cluster) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, socketURL(c.socket, superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("connecting to the new cluster: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, thing := range []struct{ exists, create string }{
		{"select exists (select from pg_roles where rolname = '" + role + "')", "create role " + role + " login createdb"},
		{"select exists (select from pg_database where datname = '" + database + "')", "create database " + database + " owner " + role},
	} {
		var exists bool
		if err := conn.QueryRow(ctx, thing.exists).Scan(&exists); err != nil {
			return fmt.Errorf("looking for the product's database: %w", err)
		}
		if exists {
			continue
		}
		if _, err := conn.Exec(ctx, thing.create); err != nil {
			return fmt.Errorf("creating the product's database: %w", err)
		}
	}
	return nil
}
