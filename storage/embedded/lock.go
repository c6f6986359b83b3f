//go:build linux || darwin

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockPoll is how soon a waiting process notices that the one before it has gone; flock has no wait that can be cancelled.
const lockPoll = 100 * time.Millisecond

// errLocked says that another living process has the cluster.
var errLocked = errors.New("another process has the cluster")

// tryLock takes the cluster below parent for this process. The kernel frees it when the process ends in whatever way; no child inherits it.
func tryLock(parent string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(parent, "postgres.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the cluster's lock: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	return nil, errors.Join(fmt.Errorf("locking the cluster: %w", err), file.Close())
}

// lock waits until nobody else has the cluster. Between two tries it calls meanwhile, which ends the wait by returning true; then the
// lock is nil.
func lock(ctx context.Context, parent string, meanwhile func() bool) (*os.File, error) {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		file, err := tryLock(parent)
		if err == nil || !errors.Is(err, errLocked) {
			return file, err
		}
		if meanwhile() {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the process that has the cluster: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}
