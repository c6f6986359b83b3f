package jobs

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
)

const (
	// patience is how long a delivery waits for its platform to come back before it is given up (R03).
	patience = 24 * time.Hour
	// idempotentFor is how long a platform is trusted to know a delivery's key: Feishu's uuid holds for an hour.
	// https://open.feishu.cn/document/server-docs/im-v1/message/create
	idempotentFor = 50 * time.Minute
)

// pauses are those after each try that went wrong of its own doing, so that the eight of them, all of them hanging until they are
// rescued, are over within half an hour (R05).
var pauses = [notice.MaxAttempts - 1]time.Duration{
	10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute,
}

// pauseAfter is the pause after the n-th try, counted from 1, that went wrong. chance is between 0 and 1 and keeps those that failed
// together from trying together.
func pauseAfter(try int, chance float64) time.Duration {
	return spread(pauses[min(max(try, 1), len(pauses))-1], chance)
}

// outagePause is how long to wait for a platform that is away and has been for that long: the longer the longer.
func outagePause(away time.Duration, chance float64) time.Duration {
	return spread(min(max(away/2, 2*time.Second), 5*time.Minute), chance)
}

// spread makes a duration up to a fifth longer.
func spread(d time.Duration, chance float64) time.Duration {
	return d + time.Duration(float64(d)/5*chance)
}

// later is a delivery put off: to be tried again after a while, without counting a try.
type later struct {
	after  time.Duration
	reason string
}

func (l *later) Error() string { return "put off: " + l.reason }

// The reasons for which a delivery is put off, tried again or given up, as metrics and the delivery itself name them.
const (
	becauseQuiet       = "quiet_hours"
	becausePaced       = "paced"
	becauseBusy        = "busy"
	becauseLimited     = "rate_limited"
	becauseUnavailable = "unavailable"
	becauseUnknown     = "unknown_outcome"
	becauseStore       = "store"
	becauseDigest      = "digest"
	becauseStopping    = "stopping"
)

// outcome says what the answer to a send means.
type outcome int

const (
	arrived  outcome = iota
	unknown          // it may have arrived
	refused          // it did not arrive, and the platform may take it later
	final            // it did not arrive and never will
	untold           // it may have arrived; the adapter failed in a way of its own
	stopping         // it may have arrived; we are going down
)

// read tells what an error of a platform means. Whatever is not said to have failed may have arrived.
func read(ctx context.Context, err error) outcome {
	f, isFault := fault.Of(err)
	switch {
	case err == nil:
		return arrived
	case errors.Is(err, bot.ErrUnknownOutcome):
		return unknown
	case isFault && f.Kind == fault.Unavailable:
		return refused
	case isFault:
		return final
	case errors.Is(ctx.Err(), context.Canceled):
		return stopping
	case errors.Is(err, context.DeadlineExceeded):
		return unknown
	}
	return untold
}

// nameOf is what a delivery remembers of an error: kind and key of a fault, never anybody's words.
func nameOf(err error) string {
	f, isFault := fault.Of(err)
	switch {
	case errors.Is(err, bot.ErrUnknownOutcome):
		return becauseUnknown
	case isFault:
		return f.Kind.String() + ": " + f.Key
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errPanic):
		return "panic"
	}
	return "internal"
}

// kindOf is nameOf without the key: few values, for metrics.
func kindOf(err error) string {
	if f, isFault := fault.Of(err); isFault && !errors.Is(err, bot.ErrUnknownOutcome) {
		return f.Kind.String()
	}
	return nameOf(err)
}

// errPanic stands for a panic: what it said may be somebody's words.
var errPanic = errors.New("panic")

// guard makes a panic an error, and tells the operator where it was and not what it said.
func guard(ctx context.Context, log *slog.Logger, do func() error) (err error) {
	defer func() {
		if recover() != nil {
			log.ErrorContext(ctx, "job panicked", "stack", where())
			err = errPanic
		}
	}()
	return do()
}

// where names the functions of ours that were running.
func where() string {
	pcs := make([]uintptr, 24)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var lines []string
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "huiyin/") {
			lines = append(lines, f.Function+":"+strconv.Itoa(f.Line))
		}
		if !more {
			return strings.Join(lines, " < ")
		}
	}
}
