package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/dialog"
	"huiyin/bot/dingtalk"
	"huiyin/bot/feishu"
	"huiyin/bot/slack"
	"huiyin/internal/config"
	"huiyin/internal/i18n"
	"huiyin/internal/jobs"
	"huiyin/internal/notice"
	"huiyin/internal/web"
)

// connected is a platform whose credentials are set.
type connected struct {
	adapter
	calls   bool   // it calls us
	held    bool   // we hold a connection to it
	channel string // where praise is posted; empty: nowhere
}

// adapter is what every platform's adapter can do.
type adapter interface {
	bot.Platform
	bot.Directory
	bot.Webhook
	bot.Stream
	Close(ctx context.Context) error
}

// dialer makes adapters. Pages, memory and refresh may be nil where nobody converses.
type dialer struct {
	cfg     config.Config
	log     *slog.Logger
	now     func() time.Time
	catalog *i18n.Catalog
	pages   bot.Pages
	memory  dingtalk.Sessions
	refresh func(platform string) func(context.Context, bot.Account)
	quota   *jobs.Quota // nil: calls are not counted
}

// open makes the adapters of all platforms whose credentials are set. They talk to nobody yet.
func (d dialer) open() ([]connected, error) {
	var out []connected
	for _, open := range []func() (connected, bool, error){d.slack, d.feishu, d.dingtalk} {
		c, on, err := open()
		if err != nil {
			return nil, err
		}
		if on {
			out = append(out, c)
		}
	}
	return out, nil
}

func (d dialer) slack() (connected, bool, error) {
	set := d.cfg.Slack
	if !set.On() {
		return connected{}, false, nil
	}
	s, err := slack.New(slack.Config{
		SigningSecret: set.SigningSecret.Reveal(), BotToken: set.BotToken.Reveal(), AppToken: set.AppToken.Reveal(),
		APIURL: set.APIURL, HTTP: client(), Now: d.now, Log: d.log.With("platform", slack.Name), Catalog: d.catalog, Lang: d.cfg.Lang, Refresh: d.refresher(slack.Name),
	})
	if err != nil {
		return connected{}, false, fmt.Errorf("making the adapter of Slack: %w", err)
	}
	return connected{adapter: s, calls: set.SigningSecret.Set(), held: set.AppToken.Set(), channel: set.PraiseChannel}, true, nil
}

func (d dialer) feishu() (connected, bool, error) {
	set := d.cfg.Feishu
	if !set.On() {
		return connected{}, false, nil
	}
	f, err := feishu.New(feishu.Config{
		AppID: set.AppID, AppSecret: set.AppSecret.Reveal(), EncryptKey: set.EncryptKey.Reveal(), VerificationToken: set.VerificationToken.Reveal(),
		BaseURL: set.BaseURL, Mode: set.Mode, HTTP: counted(d.quota, feishu.Name, client()), Now: d.now, Log: d.log.With("platform", feishu.Name), Catalog: d.catalog, Lang: d.cfg.Lang,
		Refresh: d.refresher(feishu.Name),
	})
	if err != nil {
		return connected{}, false, fmt.Errorf("making the adapter of Feishu: %w", err)
	}
	stream := set.Mode == feishu.ModeStream
	return connected{adapter: f, calls: !stream, held: stream, channel: set.PraiseChannel}, true, nil
}

func (d dialer) dingtalk() (connected, bool, error) {
	set := d.cfg.DingTalk
	if !set.On() {
		return connected{}, false, nil
	}
	t, err := dingtalk.New(dingtalk.Config{
		ClientID: set.ClientID, ClientSecret: set.ClientSecret.Reveal(), RobotCode: set.RobotCode, CardTemplateID: set.CardTemplateID,
		APIURL: set.APIURL, OAPIURL: set.OAPIURL, Mode: set.Mode, PublicURL: d.cfg.PublicURL,
		EventToken: set.EventToken.Reveal(), EventAESKey: set.EventAESKey.Reveal(), Pages: d.pages, Sessions: d.memory,
		Count: counter(d.quota, dingtalk.Name), HTTP: client(), Now: d.now, Log: d.log.With("platform", dingtalk.Name), Catalog: d.catalog, Lang: d.cfg.Lang, Refresh: d.refresher(dingtalk.Name),
	})
	if err != nil {
		return connected{}, false, fmt.Errorf("making the adapter of DingTalk: %w", err)
	}
	stream := set.Mode == dingtalk.ModeStream
	return connected{adapter: t, calls: !stream, held: stream, channel: set.PraiseChannel}, true, nil
}

func (d dialer) refresher(platform string) func(context.Context, bot.Account) {
	if d.refresh == nil {
		return nil
	}
	return d.refresh(platform)
}

// client keeps as many connections to a vendor as deliver at once; the default of 2 would make a connection for every message.
func client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: transport}
}

// connect makes the adapters, and what lists their accounts.
func (a *App) connect(catalog *i18n.Catalog) error {
	memory := firmMemory{a.redis.Sessions, a.org.ID}
	var err error
	if a.pages, err = web.New(web.Options{
		PublicURL: a.cfg.PublicURL, Key: []byte(a.cfg.SecretKey.Reveal()), Store: memory, Catalog: catalog, Now: a.now, Log: a.log, Tell: a.tellReader,
	}); err != nil {
		return err
	}
	a.chats, err = dialer{cfg: a.cfg, log: a.log, now: a.now, catalog: catalog, pages: a.pages, memory: memory, refresh: a.refresher, quota: a.quota}.open()
	for _, c := range a.chats {
		a.accounts[c.Name()] = newAccounts(a, c)
	}
	return err
}

// tellReader sends a card to the conversation of somebody who is on a page.
func (a *App) tellReader(ctx context.Context, to bot.Reader, c card.Card) error {
	at, ok := a.connection(to.Platform)
	if !ok {
		return fmt.Errorf("no platform is connected by the name of %s", to.Platform)
	}
	_, err := at.Send(ctx, bot.Message{To: bot.Address{User: to.User}, Card: c})
	return err
}

// firmMemory is what may be forgotten, of our one firm.
type firmMemory struct {
	sessions dialog.Sessions
	org      uuid.UUID
}

// Put keeps a value for a while.
func (m firmMemory) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return m.sessions.Put(ctx, m.org, key, value, ttl)
}

// Get gives it back, if it is still there.
func (m firmMemory) Get(ctx context.Context, key string) (value []byte, ok bool, err error) {
	return m.sessions.Get(ctx, m.org, key)
}

// refresher takes over accounts of the platform that joined or changed.
func (a *App) refresher(platform string) func(context.Context, bot.Account) {
	return func(ctx context.Context, changed bot.Account) { a.accounts[platform].changed(ctx, changed) }
}

// platforms are those connected, by name.
func (a *App) platforms() map[string]bot.Platform {
	out := map[string]bot.Platform{}
	for _, c := range a.chats {
		out[c.Name()] = c.adapter
	}
	return out
}

func (a *App) connection(platform string) (connected, bool) {
	for _, c := range a.chats {
		if c.Name() == platform {
			return c, true
		}
	}
	return connected{}, false
}

func (a *App) abilities(platform string) bot.Abilities {
	if c, ok := a.connection(platform); ok {
		return c.Abilities()
	}
	return bot.Abilities{}
}

func (a *App) praiseChannel(platform string) string {
	if c, ok := a.connection(platform); ok && c.channel != "" {
		return notice.ChannelOn(platform, c.channel)
	}
	return ""
}
