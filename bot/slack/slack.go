// Package slack translates between Slack and the port of package bot: what people do in Slack comes in as events, over webhooks or
// Socket Mode, and replies, cards and forms go out through the Web API. Trigger ids, response addresses, tokens and Slack's markup
// stay in here. The package does not know what any command, card or form is about, and it retries nothing that the port's callers
// can retry.
package slack

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// Name is what the port calls this platform.
const Name = "slack"

// slackbot has an account like a person's and is none.
const slackbot = "USLACKBOT"

// Config is what the adapter needs to know. Now, Log and Catalog must be there.
type Config struct {
	SigningSecret string // checks webhooks; may be empty only with an AppToken
	BotToken      string // xoxb-…
	AppToken      string // xapp-…, for Socket Mode; empty: webhooks only
	APIURL        string // Slack's own when empty
	HTTP          *http.Client
	Now           func() time.Time
	Log           *slog.Logger
	Catalog       *i18n.Catalog // for the adapter's own few sentences
	Lang          string        // the language of those sentences when a person's is not known
	// Refresh is told of accounts that joined or changed, after Slack has been answered. It may be nil.
	Refresh func(ctx context.Context, changed bot.Account)
}

// Slack is the adapter. It implements bot.Platform, bot.Finder, bot.Directory, bot.Homes, bot.Webhook and bot.Stream.
type Slack struct {
	cfg      Config
	verifier verifier
	api      *slackapi.Client
	apiHTTP  *http.Client
	guard    *guard
	crew     *crew

	mu  sync.Mutex
	me  identity
	dms map[string]string // direct conversations by user
	// shut is until when Slack wants no conversation to be opened; asking before would be a fault (R04).
	shut time.Time
}

var (
	_ bot.Platform  = (*Slack)(nil)
	_ bot.Finder    = (*Slack)(nil)
	_ bot.Directory = (*Slack)(nil)
	_ bot.Homes     = (*Slack)(nil)
	_ bot.Webhook   = (*Slack)(nil)
	_ bot.Stream    = (*Slack)(nil)
)

// callTimeout bounds one call of the Web API; slack-go's own client would wait forever.
const callTimeout = 10 * time.Second

// New makes an adapter. It refuses, with faults of kind Invalid, to work without a bot token, with neither a signing secret nor an app
// token, and with an API address that is none. It talks to nobody yet.
func New(cfg Config) (*Slack, error) {
	if cfg.Now == nil || cfg.Log == nil || cfg.Catalog == nil {
		return nil, errors.New("slack: clock, log and catalogue must be given")
	}
	cfg.SigningSecret, cfg.BotToken, cfg.AppToken = strings.TrimSpace(cfg.SigningSecret), strings.TrimSpace(cfg.BotToken), strings.TrimSpace(cfg.AppToken)
	var problems []*fault.Fault
	if cfg.BotToken == "" {
		problems = append(problems, fault.New(fault.Invalid, "slack.config.bot_token").In("HUIYIN_SLACK_BOT_TOKEN"))
	}
	if cfg.SigningSecret == "" && cfg.AppToken == "" {
		problems = append(problems, fault.New(fault.Invalid, "slack.config.signing_secret").In("HUIYIN_SLACK_SIGNING_SECRET"))
	}
	base, err := apiBase(cfg.APIURL)
	if err != nil {
		problems = append(problems, fault.New(fault.Invalid, "slack.config.api_url").In("HUIYIN_SLACK_API_URL").Because(err))
	}
	if err := fault.Join(problems...); err != nil {
		return nil, err
	}
	client := http.Client{Timeout: callTimeout}
	if cfg.HTTP != nil {
		client = *cfg.HTTP
		if client.Timeout <= 0 {
			client.Timeout = callTimeout
		}
	}
	client.CheckRedirect = noRedirect // a token must not follow one
	return &Slack{
		cfg: cfg, verifier: verifier{secret: []byte(cfg.SigningSecret)},
		api: slackapi.New(cfg.BotToken, slackapi.OptionHTTPClient(&client), slackapi.OptionAPIURL(base.String()),
			slackapi.OptionAppLevelToken(cfg.AppToken), slackapi.OptionLog(log.New(io.Discard, "", 0))),
		apiHTTP: &client, guard: newGuard(base, &client), crew: newCrew(), dms: map[string]string{},
	}, nil
}

// apiBase reads the address of the Web API and gives it the slash at the end that slack-go relies on.
func apiBase(address string) (*url.URL, error) {
	u, err := url.Parse(orElse(strings.TrimSpace(address), slackapi.APIURL))
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want http(s)://host/path")
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u, nil
}

// Name is the platform's name in events and addresses.
func (s *Slack) Name() string { return Name }

// Abilities are what Slack can do. It has no key that keeps a second message from being sent, so Find is asked before a retry.
//
// Slack documents one message a second in a conversation, with short bursts, and "several hundred" a minute in a workspace, of which we
// take 400; a refusal closes the workspace for as long as Slack says. Changes and looks into the history are its tier 3.
// https://docs.slack.dev/apis/web-api/rate-limits
func (s *Slack) Abilities() bot.Abilities {
	tier3 := bot.Rate{Per: 1200 * time.Millisecond, Burst: 20}
	return bot.Abilities{
		Forms: true, Ephemeral: true, Update: true, Home: true, Channels: true, Slash: true, Picker: true,
		Paces: bot.Paces{Place: bot.Rate{Per: time.Second, Burst: 3}, Workspace: bot.Rate{Per: 150 * time.Millisecond, Burst: 20}, Update: tier3, Find: tier3, Together: true},
	}
}

// Close waits for what is still to be said through the Web API, until ctx ends; then it breaks it off. No delivery may come in any
// more when it is called.
func (s *Slack) Close(ctx context.Context) error { return s.crew.close(ctx) }

// say is one of the adapter's own sentences.
func (s *Slack) say(lang, key string, args ...any) string {
	return s.cfg.Catalog.In(orElse(lang, s.cfg.Lang)).T(key, args...)
}
