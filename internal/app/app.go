package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"huiyin/bot"
	"huiyin/bot/dialog"
	"huiyin/feedback"
	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
	"huiyin/internal/jobs"
	"huiyin/internal/notice"
	"huiyin/internal/obs"
	"huiyin/internal/people"
	"huiyin/internal/web"
	"huiyin/storage/postgres"
	"huiyin/storage/redis"
)

// Options are what a bot is made of. All are needed but those marked.
type Options struct {
	Config   config.Config
	Log      *slog.Logger
	Catalog  *i18n.Catalog
	Now      func() time.Time
	Database *postgres.DB // migrated
	Redis    *redis.Redis
	OneClock bool   // optional: the queue goes by Now too, for a clock that is moved
	Firm     string // optional: name of the firm if it has to be made
}

// App is the bot, put together and not yet running.
type App struct {
	cfg        config.Config
	log        *slog.Logger
	now        func() time.Time
	db         *postgres.DB
	background *postgres.DB // for deliveries and recurring work
	redis      *redis.Redis
	org        people.Org
	cache      *people.Cache
	service    *people.Service
	metrics    *obs.Metrics
	desk       *dialog.Desk
	jobs       *jobs.Runner
	vitals     *vitals
	quota      *jobs.Quota
	receive    bot.Receive

	chats    []connected
	pages    *web.Pages
	accounts map[string]*accounts // by platform
	stopping atomic.Bool
}

// New puts a bot together. It asks the database who the firm is, and no vendor anything.
func New(ctx context.Context, o Options) (*App, error) {
	a := &App{
		cfg: o.Config, log: o.Log, now: o.Now, db: o.Database, redis: o.Redis,
		cache: people.NewCache(o.Database.People, o.Now), service: &people.Service{Store: o.Database.People}, metrics: obs.NewMetrics(),
		accounts: map[string]*accounts{},
	}
	var err error
	if a.org, err = ensureOrg(ctx, o.Database, o.Config, o.Firm); err != nil {
		return nil, err
	}
	if err := a.count(); err != nil {
		return nil, err
	}
	if err := a.connect(o.Catalog); err != nil {
		return nil, err
	}
	options := dialog.Options{
		Orgs: &tenants{cache: a.cache, db: o.Database, org: a.org, log: o.Log}, People: a.cache, Accounts: a.service,
		Feedback: &feedback.Service{Store: o.Database.Feedback, NewID: newID}, Sessions: o.Redis.Sessions, Catalog: o.Catalog,
		Abilities: a.abilities, PraiseChannel: a.praiseChannel, Release: a.release, Now: o.Now, NewID: newID, Log: o.Log,
	}
	a.desk = dialog.New(options)
	a.vitals = &vitals{config: o.Database.Pool().Config().ConnConfig, log: o.Log}
	a.receive = a.metrics.Receive(a.vitals.guard(a.desk.Receive), commandName(), time.Now)
	if a.background, err = o.Database.Another(ctx); err != nil {
		return nil, err
	}
	options.Feedback = &feedback.Service{Store: a.background.Feedback, NewID: newID}
	if err := a.plan(ctx, dialog.New(options), o.OneClock); err != nil {
		a.background.Close()
		return nil, err
	}
	a.watch(context.WithoutCancel(ctx))
	// The first event shall not wait for the directory, nor the first look at readiness for anything else.
	if _, err := a.cache.Get(ctx, a.org.ID); err != nil {
		a.background.Close()
		return nil, fmt.Errorf("reading the directory: %w", err)
	}
	return a, nil
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func (a *App) release(ctx context.Context, orgID, personID uuid.UUID) error {
	_, err := a.db.Deliveries.Release(ctx, orgID, personID, a.now())
	return err
}

// commandName names the command of an event for the metrics: a name of the table, or other.
func commandName() func(bot.Event) string {
	table, roots := dialog.Commands(), []string{dialog.Root}
	return func(e bot.Event) string {
		if found, ok := table.Find(roots, *e.Command); ok {
			return found.Spec.Name
		}
		return "other"
	}
}

// watch exports what is read when somebody looks.
func (a *App) watch(ctx context.Context) {
	a.metrics.WatchPool("postgres", func() obs.Pool {
		s := a.db.Pool().Stat()
		return obs.Pool{Total: s.TotalConns(), Idle: s.IdleConns(), Max: s.MaxConns(), Waits: s.EmptyAcquireCount(), Waited: s.EmptyAcquireWaitTime()}
	})
	a.metrics.WatchDeliveries(ctx, func(ctx context.Context) (notice.Stats, error) { return a.db.Deliveries.Stats(ctx, a.now()) })
}

// checks are what it takes to serve.
func (a *App) checks() []obs.Check {
	return []obs.Check{
		{Name: "process", Ask: func(context.Context) string {
			if a.stopping.Load() {
				return "stopping"
			}
			return ""
		}},
		{Name: "database", Ask: func(ctx context.Context) string {
			if a.vitals.away.Load() {
				return "cannot be reached"
			}
			err := a.db.Ready(ctx)
			switch f, ok := fault.Of(err); {
			case err == nil:
				return ""
			case ok && f.Key == "storage.migrate":
				return "migrations pending"
			}
			return "cannot be reached"
		}},
	}
}

// drain is how long requests under way get when the end is asked for. Handlers take 2.7 s at the most.
const drain = 10 * time.Second

// Run serves on the listener until ctx ends; then it takes nothing new, finishes what it has begun and returns, within 20 seconds (R27).
// It returns earlier only with the error of a part that cannot go on.
func (a *App) Run(ctx context.Context, l net.Listener) error {
	server := newServer(a.routes(), a.log)
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error {
		if err := server.Serve(capConnections(l, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving HTTP: %w", err)
		}
		return nil
	})
	all.Go(func() error {
		<-ctx.Done()
		a.stopping.Store(true)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := server.Shutdown(end); err != nil {
			a.log.WarnContext(end, "requests were broken off", "error", err)
			return server.Close()
		}
		return nil
	})
	all.Go(func() error {
		a.vitals.run(ctx)
		return nil
	})
	all.Go(func() error {
		a.deliver(ctx)
		return nil
	})
	all.Go(func() error {
		a.quota.Run(ctx)
		return nil
	})
	for _, c := range a.chats {
		if c.held {
			all.Go(func() error {
				a.hold(ctx, c)
				return nil
			})
		}
	}
	for _, listed := range a.accounts {
		all.Go(func() error {
			listed.run(ctx)
			return nil
		})
	}
	err := all.Wait()
	defer a.background.Close()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	for _, c := range a.chats { // nothing comes in any more: let them say what they still have to say
		err = errors.Join(err, c.adapter.Close(end))
	}
	return err
}

// refusedPause is how long a platform is left alone that refused our credentials: somebody has to mend them first.
const refusedPause = 5 * time.Minute

// hold keeps a platform's connection until ctx ends. One platform that will not have us is no reason to leave the others (R11).
func (a *App) hold(ctx context.Context, c connected) {
	for {
		err := c.adapter.Run(ctx, a.receive)
		if ctx.Err() != nil {
			return
		}
		a.log.ErrorContext(ctx, "a platform cannot be listened to", "platform", c.Name(), "error", err, "again_in", refusedPause)
		if !wait(ctx, refusedPause) {
			return
		}
	}
}

// deliver runs the jobs until ctx ends. The queue cannot be started while the database is away, which is no reason to give up.
func (a *App) deliver(ctx context.Context) {
	for {
		err := a.jobs.Run(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		a.log.ErrorContext(ctx, "deliveries do not run", "error", err)
		if !wait(ctx, pulse) {
			return
		}
	}
}

// Tick does the recurring work of a minute now, for tests that move the clock.
func (a *App) Tick(ctx context.Context) error { return a.jobs.Tick(ctx) }

// Handler is what Run serves, for tests without a listener.
func (a *App) Handler() http.Handler { return a.routes() }

// secure says that browsers reach us over TLS.
func (a *App) secure() bool { return strings.HasPrefix(a.cfg.PublicURL, "https://") }
