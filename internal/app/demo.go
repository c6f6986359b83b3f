package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"huiyin/internal/config"
	"huiyin/internal/fault"
)

// demo is huiyin demo: everything on one machine, with nothing set up. The bot in it is the one that serve runs; settings point it at
// simulated platforms, and it cannot tell the difference.
func demo(set *flag.FlagSet) action {
	data := set.String("data", "./.huiyin", "cli.demo.flag.data")
	address := set.String("listen", "127.0.0.1:8080", "cli.demo.flag.listen")
	reset := set.Bool("reset", false, "cli.demo.flag.reset")
	people := set.Int("people", 0, "cli.demo.flag.people")
	return func(ctx context.Context, c *console, _ []string) error {
		firm, err := readFirm()
		if err != nil {
			return err
		}
		if least := firm.size(); *people != 0 && *people < least {
			return &usageError{verb: "demo", key: "cli.demo.people_least", args: map[string]any{"Least": least}}
		}
		firm.grow(*people)
		s := &stage{console: c, firm: firm, reset: *reset, clock: &movable{now: c.now}}
		return s.run(ctx, *data, *address)
	}
}

// stage is what a demo puts around the bot.
type stage struct {
	*console
	firm  firm
	reset bool
	clock *movable
	dir   string
}

// movable is a clock that can be put forward, so that people can see what happens next week.
type movable struct {
	now   func() time.Time
	ahead atomic.Int64 // nanoseconds
}

func (m *movable) Now() time.Time { return m.now().Add(time.Duration(m.ahead.Load())) }

func (s *stage) run(ctx context.Context, data, address string) error {
	dir, err := filepath.Abs(data)
	if err != nil {
		return fmt.Errorf("finding the data directory: %w", err)
	}
	s.dir = dir
	if err := makeDataDir(dir); err != nil {
		return err
	}
	key, err := secretKey(filepath.Join(dir, "secret_key"))
	if err != nil {
		return err
	}
	if address, err = fixed(ctx, address); err != nil {
		return err
	}
	w, err := s.openWorkspace(ctx, address)
	if err != nil {
		return err
	}
	defer w.close()
	own := map[string]string{
		"HUIYIN_LISTEN": address, "HUIYIN_PUBLIC_URL": "http://" + reachable(address), "HUIYIN_DATA_DIR": dir, config.SecretKey: key,
		"HUIYIN_LOG_LEVEL": "warn",
	}
	maps.Copy(own, w.settings)
	cfg, err := config.Load(s.environment(own), config.SecretKey)
	if err != nil {
		return err
	}
	return s.console.serve(ctx, cfg, running{
		firm: s.say.T("cli.demo.firm"), now: s.clock.Now, opened: s.clear,
		before: func(ctx context.Context, a *App, bot string) (func(), error) { return s.fill(ctx, a, w, bot) },
		told:   func() { s.tell("cli.started.chat", "URL", w.url()+"/") },
	})
}

// environment is the demo's own settings, with what the operator may decide on top: how it logs, and the firm's defaults.
func (s *stage) environment(own map[string]string) func(string) string {
	return func(name string) string {
		switch name {
		case "HUIYIN_LOG_LEVEL", "HUIYIN_LOG_FORMAT", "HUIYIN_TIMEZONE", "HUIYIN_LANG":
			if value := s.getenv(name); value != "" {
				return value
			}
		}
		return own[name]
	}
}

// secretKey reads the key that an earlier demo made, or makes one.
func secretKey(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the demo's key: %w", err)
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	key := base64.StdEncoding.EncodeToString(raw)
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keeping the demo's key: %w", err)
	}
	return key, nil
}

// The marker says that a data directory is a demo's and how far its firm has come in.
const (
	marker = "demo"
	begun  = "begun\n"
	whole  = "whole\n"
)

// clear makes sure that the database is the demo's to fill, and empties it when it is to begin anew or an earlier demo was broken off
// while it moved in.
func (s *stage) clear(ctx context.Context, d *database) error {
	if d.server == nil || d.server.Attached() {
		return fault.New(fault.Conflict, "cli.demo.busy", "Dir", s.dir)
	}
	state, err := os.ReadFile(filepath.Join(s.dir, marker))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the demo's marker: %w", err)
	}
	var used bool
	if err := d.Pool().QueryRow(ctx, "select to_regclass('public.orgs') is not null").Scan(&used); err != nil {
		return fmt.Errorf("looking at the database: %w", err)
	}
	if used && len(state) == 0 { // our own marker is written before the first table
		return fault.New(fault.Conflict, "cli.demo.foreign", "Dir", s.dir)
	}
	if used && (s.reset || string(state) != whole) {
		if _, err := d.Pool().Exec(ctx, "drop schema if exists jobs cascade; drop schema public cascade; create schema public"); err != nil {
			return fmt.Errorf("emptying the demo's database: %w", err)
		}
		used = false
	}
	if used {
		return nil
	}
	return s.mark(begun)
}

func (s *stage) mark(state string) error {
	if err := os.WriteFile(filepath.Join(s.dir, marker), []byte(state), 0o600); err != nil {
		return fmt.Errorf("writing the demo's marker: %w", err)
	}
	return nil
}

// fill brings the firm into the database if it is not there yet, and its people into the workspace.
func (s *stage) fill(ctx context.Context, a *App, w *workspace, address string) (after func(), err error) {
	dir, err := a.cache.Get(ctx, a.org.ID)
	if err != nil {
		return nil, err
	}
	if len(dir.People()) == 0 {
		fmt.Fprintln(s.err, s.say.T("cli.demo.seeding"))
		if dir, err = s.firm.moveIn(ctx, a); err != nil {
			return nil, fmt.Errorf("bringing in the sample firm: %w", err)
		}
	}
	if err := s.mark(whole); err != nil {
		return nil, err
	}
	for _, vendor := range []interface{ SetBotURL(string) }{w.sim, w.feishu, w.ding} {
		vendor.SetBotURL("http://" + reachable(address))
	}
	w.populate(dir, s.firm.accounts)
	w.serve(ctx, s, a, dir)
	return w.quit, nil
}

// reachable is an address to listen on as one to connect to.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// fixed is an address with a port that is free now where any would do: pages that the bot sends out have to lead somewhere.
func fixed(ctx context.Context, address string) (string, error) {
	if _, port, err := net.SplitHostPort(address); err != nil || port != "0" {
		return address, nil // what is wrong with it is said when it is listened on
	}
	l, err := listen(ctx, address)
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// neighbour is the address of the chat page: the next port of the loopback interface, or any when the bot takes any.
func neighbour(address string) string {
	_, port, err := net.SplitHostPort(address)
	n, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil || n == 0 || n == 65535 {
		return "127.0.0.1:0"
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(n+1))
}
