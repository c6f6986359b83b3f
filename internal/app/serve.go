package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"runtime/debug"
	"time"

	"huiyin/bot/dingtalk"
	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/obs"
	"huiyin/storage/embedded"
	"huiyin/storage/redis"
)

// serve is huiyin serve.
func serve(*flag.FlagSet) action {
	return func(ctx context.Context, c *console, _ []string) error {
		cfg, err := config.Load(c.getenv, config.SecretKey)
		if err != nil {
			return err
		}
		return c.serve(ctx, cfg, running{})
	}
}

// running is what serve may be told beyond its settings.
type running struct {
	firm string           // name of the firm if it has to be made
	now  func() time.Time // a clock that is moved; nil: the wall's
	// opened runs when the database is open and nothing was done to it yet.
	opened func(ctx context.Context, d *database) error
	// before runs when everything is open and nothing is served yet, with the address that the bot will answer on; what it returns runs at
	// the end.
	before func(ctx context.Context, a *App, address string) (after func(), err error)
	// told runs before "ready" is printed.
	told func()
}

// garbage lets the heap grow to four times what is alive before it is swept. Little is alive, so that this stays small (about 60 MiB under
// load), and a sweep at twice that cost a command a tenth of its processor time.
const garbage = 300

// serve opens what the settings name, runs the bot until ctx ends, and closes all of it again.
func (c *console) serve(ctx context.Context, cfg config.Config, with running) (err error) {
	log := c.logger(cfg)
	if c.getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	d, err := c.open(ctx, cfg, keep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	if with.opened != nil {
		if err := with.opened(ctx, d); err != nil {
			return err
		}
	}
	if err := d.schema(ctx, cfg); err != nil {
		return err
	}
	c.tell("cli.started.database", "Where", c.where(cfg, d))

	cache, stop, err := openRedis(ctx, cfg)
	if err != nil {
		return err
	}
	defer stop()
	if cfg.RedisURL.Set() {
		c.tell("cli.started.redis", "Where", c.say.T("cli.started.redis.own"))
	} else {
		c.tell("cli.started.redis", "Where", c.say.T("cli.started.redis.embedded"))
	}

	options := Options{Config: cfg, Log: log, Catalog: c.catalog, Now: c.now, Database: d.DB, Redis: cache, Firm: with.firm}
	if with.now != nil {
		options.Now, options.OneClock = with.now, true
	}
	a, err := New(ctx, options)
	if err != nil {
		return err
	}
	l, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	stopMetrics, err := c.serveMetrics(ctx, a)
	if err != nil {
		return err
	}
	defer stopMetrics()
	if with.before != nil {
		after, err := with.before(ctx, a, l.Addr().String())
		if err != nil {
			return err
		}
		defer after()
	}
	if err := c.announce(ctx, a, l.Addr().String()); err != nil {
		return err
	}
	if with.told != nil {
		with.told()
	}
	c.tell("cli.started.ready")
	context.AfterFunc(ctx, func() { fmt.Fprintln(c.err, c.say.T("cli.stopping")) })
	return a.Run(ctx, l)
}

// tell prints one line about what was started.
func (c *console) tell(key string, args ...any) {
	fmt.Fprintln(c.out, c.say.T(key, args...))
}

// logger writes to standard error. The values of all secrets are kept out of it by name.
func (c *console) logger(cfg config.Config) *slog.Logger {
	format := cfg.LogFormat
	if format == "" {
		format = obs.JSON
		if c.terminal {
			format = obs.Text
		}
	}
	return obs.NewLogger(c.err, cfg.LogLevel, format, cfg.Secrets()...)
}

// where says in words which database it is. The address of the operator's own is shown without user and password.
func (c *console) where(cfg config.Config, d *database) string {
	switch {
	case d.server == nil:
		host := ""
		if u, err := url.Parse(d.url); err == nil {
			host = u.Host + u.Path
		}
		return c.say.T("cli.started.database.own", "Host", host)
	case d.server.Attached():
		return c.say.T("cli.started.database.shared", "Dir", clusterDir(cfg))
	}
	return c.say.T("cli.started.database.embedded", "Dir", clusterDir(cfg))
}

// openRedis reaches the Redis of the settings, or starts one in this process.
func openRedis(ctx context.Context, cfg config.Config) (r *redis.Redis, stop func(), err error) {
	address, end := cfg.RedisURL.Reveal(), func() {}
	if !cfg.RedisURL.Set() {
		server, err := embedded.StartRedis(ctx)
		if err != nil {
			return nil, nil, err
		}
		address, end = server.URL(), server.Stop
	}
	r, err = redis.Open(ctx, address)
	if err != nil {
		end()
		return nil, nil, err
	}
	return r, func() {
		_ = r.Close() // what it held may be lost
		end()
	}, nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "cli.error.listen", "Address", address).Because(err)
	}
	return l, nil
}

// serveMetrics serves them on an address of their own, if the settings name one.
func (c *console) serveMetrics(ctx context.Context, a *App) (stop func(), err error) {
	if a.cfg.MetricsListen == "" {
		return func() {}, nil
	}
	l, err := listen(ctx, a.cfg.MetricsListen)
	if err != nil {
		return nil, err
	}
	server := newServer(a.metricsRoutes(), a.log)
	go func() { _ = server.Serve(l) }() // it ends when it is closed
	c.tell("cli.started.metrics", "Address", l.Addr().String())
	return func() { _ = server.Close() }, nil // nobody misses an answer about what has ended
}

// announce tells what is on.
func (c *console) announce(ctx context.Context, a *App, address string) error {
	dir, err := a.cache.Get(ctx, a.org.ID)
	if err != nil {
		return err
	}
	c.tell("cli.started.people", "Count", len(dir.People()))
	c.announceChats(a)
	c.tell("cli.started.bot", "Address", address)
	return nil
}

// announceChats says of every platform how it reaches us, or that none is on.
func (c *console) announceChats(a *App) {
	for _, at := range a.chats {
		way := ".stream"
		if !at.held {
			way = ".webhook"
		}
		c.tell("cli.started."+at.Name()+way, "URL", a.cfg.PublicURL)
		if at.Name() == dingtalk.Name && pagesNowhere(a.cfg) {
			c.tell("cli.started.dingtalk.pages", "URL", a.cfg.PublicURL)
		}
	}
	if len(a.chats) == 0 {
		c.tell("cli.started.nochat")
	}
}

// pagesNowhere is true when buttons and forms in DingTalk would lead to an address that only this machine reaches.
func pagesNowhere(cfg config.Config) bool {
	public, err := url.Parse(cfg.PublicURL)
	if err != nil || cfg.DingTalk.CardTemplateID != "" {
		return false
	}
	ip := net.ParseIP(public.Hostname())
	return public.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// makeDataDir makes a directory that others may pass through, since an embedded server runs as another user, and not look into.
func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	return nil
}
