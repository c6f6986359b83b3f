// Package feishu translates between Feishu (or Lark) and the port of package bot: what people do there comes in as events, over a long
// connection or webhooks, and replies, cards and forms go out through the open platform's API. Tokens, callback values, encryption and
// the markup of cards stay in here. The package does not know what any command, card or form is about, and it retries nothing that the
// port's callers can retry.
package feishu

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"

	"huiyin/bot"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// Name is what the port calls this platform.
const Name = "feishu"

// The two domains. They are separate worlds: an app of one is unknown to the other.
const (
	FeishuURL = "https://open.feishu.cn"
	LarkURL   = "https://open.larksuite.com"
)

// The ways in which events come.
const (
	ModeStream  = "stream"  // over a long connection that we hold: no public address is needed
	ModeWebhook = "webhook" // to our request URLs, encrypted and signed
)

// Config is what the adapter needs to know. Now, Log and Catalog must be there.
type Config struct {
	AppID, AppSecret              string
	EncryptKey, VerificationToken string // check webhooks; needed in webhook mode
	BaseURL                       string // FeishuURL when empty; LarkURL for Lark
	Mode                          string // ModeStream when empty
	HTTP                          *http.Client
	Now                           func() time.Time
	Log                           *slog.Logger
	Catalog                       *i18n.Catalog // for the adapter's own few sentences
	Lang                          string        // the language of those sentences when a person's is not known
	// Refresh is told of accounts that joined or changed, after Feishu has been answered. It may be nil.
	Refresh func(ctx context.Context, changed bot.Account)
}

// Feishu is the adapter. It implements bot.Platform, bot.Directory, bot.Webhook and bot.Stream.
type Feishu struct {
	cfg      Config
	verifier verifier
	base     *url.URL
	sdk      *larkcore.Config
	token    accessToken
	gate     gate
	crew     *crew

	mu          sync.Mutex
	robot       robot
	langs       map[string]string // the language that a person was last answered in, for our own sentences
	departments departmentCache
}

var (
	_ bot.Platform  = (*Feishu)(nil)
	_ bot.Directory = (*Feishu)(nil)
	_ bot.Webhook   = (*Feishu)(nil)
	_ bot.Stream    = (*Feishu)(nil)
)

// callTimeout bounds one call of the API.
const callTimeout = 10 * time.Second

// New makes an adapter. It refuses, with faults of kind Invalid, to work without credentials, with an address or a mode that is none,
// and in webhook mode without an encrypt key (nothing would be signed). It talks to nobody yet.
func New(cfg Config) (*Feishu, error) {
	if cfg.Now == nil || cfg.Log == nil || cfg.Catalog == nil {
		return nil, errors.New("feishu: clock, log and catalogue must be given")
	}
	for _, s := range []*string{&cfg.AppID, &cfg.AppSecret, &cfg.EncryptKey, &cfg.VerificationToken, &cfg.Mode} {
		*s = strings.TrimSpace(*s)
	}
	cfg.Mode = orElse(cfg.Mode, ModeStream)
	var problems []*fault.Fault
	demand := func(ok bool, key, setting string) {
		if !ok {
			problems = append(problems, fault.New(fault.Invalid, key).In(setting))
		}
	}
	demand(cfg.AppID != "", "feishu.config.app_id", "HUIYIN_FEISHU_APP_ID")
	demand(cfg.AppSecret != "", "feishu.config.app_secret", "HUIYIN_FEISHU_APP_SECRET")
	demand(cfg.Mode == ModeStream || cfg.Mode == ModeWebhook, "feishu.config.mode", "HUIYIN_FEISHU_MODE")
	if cfg.Mode == ModeWebhook {
		demand(cfg.EncryptKey != "", "feishu.config.encrypt_key", "HUIYIN_FEISHU_ENCRYPT_KEY")
	}
	base, err := baseURL(cfg.BaseURL)
	if err != nil {
		problems = append(problems, fault.New(fault.Invalid, "feishu.config.base_url").In("HUIYIN_FEISHU_BASE_URL").Because(err))
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
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a token must not follow one
	return &Feishu{
		cfg: cfg, verifier: newVerifier(cfg), base: base,
		// The SDK's own cache of tokens is one for the whole process and reads the wall clock; its log has bodies in it.
		sdk: &larkcore.Config{
			BaseUrl: base.String(), AppId: cfg.AppID, AppSecret: cfg.AppSecret, AppType: larkcore.AppTypeSelfBuilt, ReqTimeout: client.Timeout,
			HttpClient: &client, Logger: silent{}, LogLevel: larkcore.LogLevelError, Serializable: bare{},
		},
		token: accessToken{asking: make(chan struct{}, 1)}, gate: gate{shut: map[string]time.Time{}}, crew: newCrew(), langs: map[string]string{},
	}, nil
}

// baseURL reads the address of the open platform.
func baseURL(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(orElse(strings.TrimSpace(address), FeishuURL), "/"))
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want http(s)://host")
	}
	return u, nil
}

// silent keeps the SDK from writing requests and answers, which hold people's words, to a log.
type silent struct{}

func (silent) Debug(context.Context, ...any) {}
func (silent) Info(context.Context, ...any)  {}
func (silent) Warn(context.Context, ...any)  {}
func (silent) Error(context.Context, ...any) {}

// Name is the platform's name in events and addresses.
func (f *Feishu) Name() string { return Name }

// Abilities are what Feishu can do. A form is a card of its own, and a second message with the same uuid is not sent.
//
// Feishu takes five messages a second per person and per group and five changes a second of one message, counted in any second: a
// message every quarter of one leaves room for a network that brings two together. An API takes 1,000 calls a minute and 50 a second; a
// refusal is for all of them. https://open.larkoffice.com/document/ukTMukTMukTM/uUzN04SN3QjL1cDN.md
func (f *Feishu) Abilities() bot.Abilities {
	return bot.Abilities{
		Forms: true, Update: true, Channels: true, Idempotent: true,
		Paces: bot.Paces{
			Place: bot.Rate{Per: 250 * time.Millisecond, Burst: 1}, Workspace: bot.Rate{Per: 62 * time.Millisecond, Burst: 20},
			Update: bot.Rate{Per: 62 * time.Millisecond, Burst: 20}, Together: true,
		},
	}
}

// Close waits for what is still to be said, until ctx ends; then it breaks it off. No delivery may come in any more when it is called.
func (f *Feishu) Close(ctx context.Context) error { return f.crew.close(ctx) }

// say is one of the adapter's own sentences.
func (f *Feishu) say(lang, key string, args ...any) string {
	return f.cfg.Catalog.In(orElse(lang, f.cfg.Lang)).T(key, args...)
}

// remember keeps the language that somebody was answered in: Feishu tells nobody's.
func (f *Feishu) remember(user, lang string) {
	if user == "" || lang == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.langs) >= maxRemembered {
		clear(f.langs)
	}
	f.langs[user] = lang
}

func (f *Feishu) langOf(user string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.langs[user]
}

// maxRemembered bounds what is remembered of people.
const maxRemembered = 100_000

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
