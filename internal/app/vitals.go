package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// vitals knows whether the database answers, by asking it all the time on a connection of its own. While it does not, events are refused
// at once instead of after all the patience that a vendor has: so a vendor delivers them again, and nothing piles up (R02). A connection
// that is refused shows at once, one that hangs after some 1.5 seconds.
type vitals struct {
	config *pgx.ConnConfig
	log    *slog.Logger
	away   atomic.Bool
}

const (
	pulse      = time.Second            // between questions while the database answers
	alarm      = 200 * time.Millisecond // between questions while it does not
	answerTime = 700 * time.Millisecond
	// silences is how many questions in a row must fail: one alone may be this machine's fault.
	silences = 2
)

// run asks until ctx ends.
func (v *vitals) run(ctx context.Context) {
	var conn *pgx.Conn
	defer func() { v.drop(ctx, conn) }()
	failed := 0
	for {
		err := v.ask(ctx, &conn)
		if ctx.Err() != nil {
			return
		}
		pause := pulse
		if err == nil {
			failed = 0
			if v.away.CompareAndSwap(true, false) {
				v.log.InfoContext(ctx, "the database answers again")
			}
		} else {
			v.drop(ctx, conn)
			conn = nil
			pause = alarm
			if failed++; failed >= silences && v.away.CompareAndSwap(false, true) {
				v.log.ErrorContext(ctx, "the database does not answer", "error", err)
			}
		}
		if !wait(ctx, pause) {
			return
		}
	}
}

// ask makes a connection if there is none, and puts the least of questions.
func (v *vitals) ask(ctx context.Context, conn **pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if *conn == nil {
		made, err := pgx.ConnectConfig(ctx, v.config.Copy())
		if err != nil {
			return fmt.Errorf("connecting: %w", err)
		}
		*conn = made
	}
	if err := (*conn).Ping(ctx); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	return nil
}

// drop closes a connection without waiting for a server that may hang.
func (v *vitals) drop(ctx context.Context, conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), alarm)
	defer cancel()
	_ = conn.Close(ctx) // it was no good any more
}

// guard refuses events while the database is away.
func (v *vitals) guard(next bot.Receive) bot.Receive {
	return func(ctx context.Context, e bot.Event) (bot.Reply, error) {
		if v.away.Load() {
			return bot.Reply{}, fault.New(fault.Unavailable, "storage.unavailable")
		}
		return next(ctx, e)
	}
}
