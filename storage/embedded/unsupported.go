//go:build !linux && !darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// Postgres is never made here: Start refuses.
type Postgres struct{}

// Start refuses: the supervisor relies on Unix sockets, signals and file locks.
func Start(context.Context, Options) (*Postgres, error) {
	return nil, &NoPostgresError{Tried: []error{fmt.Errorf("a private server on %s: %w", runtime.GOOS, errors.ErrUnsupported)}}
}

// URL is empty.
func (*Postgres) URL() string { return "" }

// Attached is false.
func (*Postgres) Attached() bool { return false }

// Stop has nothing to stop.
func (*Postgres) Stop(context.Context) error { return nil }

// Crash has nothing to kill.
func (*Postgres) Crash() error { return errors.ErrUnsupported }
