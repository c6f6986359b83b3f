package app

import (
	"context"
	"fmt"
	"net/http"

	"huiyin/bot"
	"huiyin/bot/slack"
	"huiyin/internal/i18n"
	"huiyin/internal/notice"
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

// connect makes the adapters whose credentials are set.
func (a *App) connect(catalog *i18n.Catalog) error {
	for _, open := range []func(*i18n.Catalog) (connected, bool, error){a.openSlack} {
		c, on, err := open(catalog)
		if err != nil {
			return err
		}
		if !on {
			continue
		}
		a.chats = append(a.chats, c)
		a.accounts[c.Name()] = newAccounts(a, c)
	}
	return nil
}

func (a *App) openSlack(catalog *i18n.Catalog) (connected, bool, error) {
	set := a.cfg.Slack
	if !set.On() {
		return connected{}, false, nil
	}
	s, err := slack.New(slack.Config{
		SigningSecret: set.SigningSecret.Reveal(), BotToken: set.BotToken.Reveal(), AppToken: set.AppToken.Reveal(),
		APIURL: set.APIURL, HTTP: client(), Now: a.now, Log: a.log.With("platform", slack.Name), Catalog: catalog, Lang: a.cfg.Lang, Refresh: a.refresher(slack.Name),
	})
	if err != nil {
		return connected{}, false, fmt.Errorf("making the adapter of Slack: %w", err)
	}
	return connected{adapter: s, calls: set.SigningSecret.Set(), held: set.AppToken.Set(), channel: set.PraiseChannel}, true, nil
}

// client keeps as many connections to a vendor as deliver at once; the default of 2 would make a connection for every message.
func client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: transport}
}

// refresher takes over an account of the platform that joined or changed.
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
