// Package dingtalk translates between DingTalk and the port of package bot: what people do in DingTalk comes in as events, over a Stream
// connection or over webhooks, and replies, cards and forms go out as messages of the robot, as interactive cards, or as links to web
// pages where DingTalk has nothing else. Session webhooks, tokens, card instances and DingTalk's markdown stay in here. The package does
// not know what any command, card or form is about, nor how a web page is made, and it retries nothing that the port's callers can retry.
package dingtalk

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"huiyin/bot"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// Name is what the port calls this platform.
const Name = "dingtalk"

// The modes: how events come in.
const (
	ModeStream  = "stream"
	ModeWebhook = "webhook"
)

// Config is what the adapter needs to know. Now, Log and Catalog must be there.
type Config struct {
	ClientID, ClientSecret string // of the internal app; formerly AppKey and AppSecret
	RobotCode              string // the ClientID when empty
	CardTemplateID         string // of the template in deploy/dingtalk; empty: ActionCards and web pages
	APIURL, OAPIURL        string // https://api.dingtalk.com and https://oapi.dingtalk.com when empty
	Mode                   string // ModeStream when empty
	PublicURL              string // where DingTalk reaches us; only cards in webhook mode need it
	// EventToken and EventAESKey are those of the HTTP event subscription. Without them webhook mode has no events of the directory.
	EventToken, EventAESKey string
	Pages                   bot.Pages // may be nil: then forms and buttons are named and not offered
	Sessions                Sessions  // may be nil: then a form with mistakes in it cannot be drawn again
	// Count is told of every call that DingTalk counts against the monthly quota of the company. It may be nil.
	Count   func(ctx context.Context, calls int)
	HTTP    *http.Client
	Now     func() time.Time
	Log     *slog.Logger
	Catalog *i18n.Catalog // for the adapter's own few sentences
	Lang    string        // the language of those sentences when a person's is not known
	// Refresh is told of accounts that joined, changed or left, after DingTalk has been answered. It may be nil.
	Refresh func(ctx context.Context, changed bot.Account)
}

// Sessions keeps a card's form by outTrackId for a while, so that it can be drawn again. It may lose everything at any time.
type Sessions interface {
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	Get(ctx context.Context, key string) (value []byte, ok bool, err error)
}

// DingTalk is the adapter. It implements bot.Platform, bot.Directory, bot.Webhook and bot.Stream.
type DingTalk struct {
	cfg      Config
	verifier verifier
	envelope *envelope // nil: no event subscription over HTTP
	rest     *client
	guard    *guard
	crew     *crew
	batches  *batches
	known    directory
	talks    *talks
	routes   callbackRoute

	mu   sync.Mutex
	corp string // the company's corpId, once something that DingTalk itself vouches for has named it
}

var (
	_ bot.Platform  = (*DingTalk)(nil)
	_ bot.Directory = (*DingTalk)(nil)
	_ bot.Webhook   = (*DingTalk)(nil)
	_ bot.Stream    = (*DingTalk)(nil)
)

// DingTalk's own hosts in China; the international ones end in .io.
const (
	defaultAPI  = "https://api.dingtalk.com"
	defaultOAPI = "https://oapi.dingtalk.com"
)

// New makes an adapter. It refuses, with faults of kind Invalid, to work without the app's credentials, with an address that is none,
// with an unknown mode, and with half an event subscription or one whose key is no key. It talks to nobody yet.
func New(cfg Config) (*DingTalk, error) {
	if cfg.Now == nil || cfg.Log == nil || cfg.Catalog == nil {
		return nil, errors.New("dingtalk: clock, log and catalogue must be given")
	}
	for _, text := range []*string{&cfg.ClientID, &cfg.ClientSecret, &cfg.RobotCode, &cfg.CardTemplateID, &cfg.Mode, &cfg.PublicURL, &cfg.EventToken, &cfg.EventAESKey} {
		*text = strings.TrimSpace(*text)
	}
	cfg.RobotCode, cfg.Mode = orElse(cfg.RobotCode, cfg.ClientID), orElse(cfg.Mode, ModeStream)
	var problems []*fault.Fault
	refuse := func(key, setting string, err error) {
		problems = append(problems, fault.New(fault.Invalid, key).In(setting).Because(err))
	}
	if cfg.ClientID == "" {
		refuse("dingtalk.config.client_id", "HUIYIN_DINGTALK_CLIENT_ID", nil)
	}
	if cfg.ClientSecret == "" {
		refuse("dingtalk.config.client_secret", "HUIYIN_DINGTALK_CLIENT_SECRET", nil)
	}
	api, err := baseURL(cfg.APIURL, defaultAPI)
	if err != nil {
		refuse("dingtalk.config.api_url", "HUIYIN_DINGTALK_API_URL", err)
	}
	oapi, err := baseURL(cfg.OAPIURL, defaultOAPI)
	if err != nil {
		refuse("dingtalk.config.oapi_url", "HUIYIN_DINGTALK_OAPI_URL", err)
	}
	if cfg.Mode != ModeStream && cfg.Mode != ModeWebhook {
		refuse("dingtalk.config.mode", "HUIYIN_DINGTALK_MODE", nil)
	}
	var seal *envelope
	switch {
	case cfg.EventAESKey != "" && cfg.EventToken == "":
		refuse("dingtalk.config.event_token", "HUIYIN_DINGTALK_EVENT_TOKEN", nil)
	case cfg.EventToken != "":
		if seal, err = newEnvelope(cfg.EventToken, cfg.EventAESKey, cfg.ClientID); err != nil {
			refuse("dingtalk.config.event_aes_key", "HUIYIN_DINGTALK_EVENT_AES_KEY", err)
		}
	}
	if err := fault.Join(problems...); err != nil {
		return nil, err
	}
	web := http.Client{Timeout: callTimeout}
	if cfg.HTTP != nil {
		web = *cfg.HTTP
		if web.Timeout <= 0 || web.Timeout > callTimeout {
			web.Timeout = callTimeout
		}
	}
	web.CheckRedirect = noRedirect // a token must not follow one
	s := &DingTalk{
		cfg: cfg, verifier: verifier{secret: []byte(cfg.ClientSecret)}, envelope: seal,
		rest:  newClient(cfg, &web, api, oapi),
		guard: newGuard([]*url.URL{api, oapi}, &web), crew: newCrew(), talks: newTalks(),
	}
	s.batches = newBatches(s)
	return s, nil
}

// baseURL reads an API's address, without the slash at its end.
func baseURL(address, otherwise string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(orElse(strings.TrimSpace(address), otherwise), "/"))
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want http(s)://host/path")
	}
	return u, nil
}

// Name is the platform's name in events and addresses.
func (s *DingTalk) Name() string { return Name }

// Abilities are what DingTalk can do; a card template adds that messages can be changed and sent twice without harm.
//
// DingTalk allows an app 20 calls a second of one API on the smallest plan and 40 on others; we take 15. A refusal for being too fast
// lasts a second and closes that API for everybody. It names no limit for one conversation.
// https://help.dingtalk.io/open/development/call-frequency-limit
func (s *DingTalk) Abilities() bot.Abilities {
	return bot.Abilities{
		Forms: true, Channels: true, Update: s.templated(), Idempotent: s.templated(),
		Paces: bot.Paces{
			Place:     bot.Rate{Per: 500 * time.Millisecond, Burst: 5},
			Workspace: bot.Rate{Per: time.Second / 15, Burst: 15},
			Update:    bot.Rate{Per: time.Second / 15, Burst: 15},
		},
	}
}

// templated reports whether interactive cards can be used: there is a template, and a way for presses to come back.
func (s *DingTalk) templated() bool {
	return s.cfg.CardTemplateID != "" && (s.cfg.Mode == ModeStream || s.cfg.PublicURL != "")
}

// Close waits for what is still to be said, until ctx ends; then it breaks it off. No delivery may come in any more when it is called.
func (s *DingTalk) Close(ctx context.Context) error { return s.crew.close(ctx) }

// say is one of the adapter's own sentences.
func (s *DingTalk) say(lang, key string, args ...any) string { return s.words(lang).T(key, args...) }

func (s *DingTalk) words(lang string) i18n.Printer { return s.cfg.Catalog.In(orElse(lang, s.cfg.Lang)) }

// vouch remembers the corpId that DingTalk itself named, over an authenticated connection or under encryption.
func (s *DingTalk) vouch(corp string) {
	if corp == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.corp = corp
}

// ours reports whether a corpId that came in unsigned may be the company's.
func (s *DingTalk) ours(corp string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return corp == "" || s.corp == "" || s.corp == corp
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
