// Package feishusim is a strict little Feishu (and Lark): a tenant in memory that serves the open platform's API, encrypts,
// signs and delivers messages, card callbacks, menu clicks and directory changes, over HTTP or over long connections, and
// refuses what Feishu refuses. It is written from the vendor's documents and knows nothing of the bot that talks to it:
// neither its payload builders nor its validators nor the vendor's SDK, so that one mistake cannot pass on both sides.
package feishusim

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"huiyin/bot/sim/backstage"
)

// The ways in which events reach the bot.
const (
	Webhook = "webhook" // POST to the bot's request URLs, encrypted and signed
	Stream  = "stream"  // frames over one of the bot's long connections
)

// Options describe the tenant, the app installed in it and how strict time is. The zero value of every field but AppID and
// AppSecret is usable; without an EncryptKey a webhook carries plain, unsigned bodies, as Feishu's do.
type Options struct {
	AppID             string // cli_…
	AppSecret         string
	EncryptKey        string
	VerificationToken string
	TenantKey         string // of the firm; 2f0huiyin000000 unless set
	TenantName        string // 示例公司 unless set

	// BotName and BotOpenID are those of the app's bot; defaults 回音 and an ou_… of its own.
	BotName   string
	BotOpenID string
	// MentionedAs is the open_id that mentions of the bot carry, which has been seen to differ from the one in bot/v3/info.
	MentionedAs string

	// BotURL is where the bot listens; /feishu/events and /feishu/cards are added.
	BotURL string
	// BaseURL is how the bot reaches this server (API and long connections). See SetBaseURL.
	BaseURL string
	// Mode is Webhook unless set.
	Mode string

	// GroupMessages is the scope im:message.group_msg: the bot hears every message in its groups, not only those that mention it.
	GroupMessages bool
	// MentionsInP2P lets people mention colleagues in the conversation with the bot; whether Feishu does is not established.
	MentionsInP2P bool
	// HiddenFields are user fields whose scope the app lacks, so that they are silently absent: user_id, email, mobile,
	// employee_no, department_ids, leader_user_id, …
	HiddenFields []string
	// ContactScope are the open_department_ids that the app may read; empty means the whole firm.
	ContactScope []string
	// SameTimestamp makes re-pushes repeat timestamp, nonce and signature of the first push. Feishu does not say which it does.
	SameTimestamp bool

	// Clock is the simulated time. Without one it stands at 2026-01-05 09:00 in Shanghai, a Monday, and only Advance and
	// SetTime move it.
	Clock func() time.Time
	// TimeScale shortens the delays between re-pushes: 60 makes a minute last a second. Zero means 1.
	TimeScale float64
	// AckTimeout is how long the bot may take to answer, 3 s unless set; ChallengeTimeout that of url_verification, 1 s.
	AckTimeout       time.Duration
	ChallengeTimeout time.Duration
	// PingInterval is what long connections are told to keep, 2 min unless set, whole seconds; one that is silent for twice
	// as long is dropped.
	PingInterval time.Duration
	// FrameBytes is the size from which a payload is cut into several frames, 64 KiB unless set.
	FrameBytes int

	Limits Limits
	// PageSize caps the pages of paginated methods, whatever the caller asks for; zero means Feishu's own 50.
	PageSize int
	// Seed makes faults, nonces and the choice among connections repeatable.
	Seed uint64
	// Keep bounds the recorded calls and deliveries, 20,000 of each unless set; the oldest are forgotten.
	Keep int

	Client *http.Client
	Log    *slog.Logger // nil discards
}

// Server is the tenant. All methods may be called from any goroutine.
type Server struct {
	opts    Options
	client  *http.Client
	log     *slog.Logger
	clock   *backstage.Clock
	faults  *backstage.Faults[Fault]
	changes *backstage.Changes[Change]
	found   *backstage.Findings
	// components is the validator's table, which is dear to make and never changes.
	components map[string]object

	mu      sync.Mutex
	world   world
	limits  *backstage.Windows
	rng     *rand.Rand
	sockets []*socket
	tickets map[string]time.Time
	waiting map[string]chan socketAck
}

// New makes a tenant with nobody in it but the bot.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		opts: o, client: botClient(o.Client), log: o.Log, clock: backstage.NewClock(o.Clock, o.TimeScale), components: components(),
		world: newWorld(), limits: &backstage.Windows{}, found: &backstage.Findings{}, rng: rand.New(rand.NewPCG(o.Seed, 0xfe15)),
		tickets: map[string]time.Time{}, waiting: map[string]chan socketAck{},
	}
	s.faults = backstage.NewFaults[Fault](s.rng.Float64)
	s.changes = backstage.NewChanges(s.clock, Change{Kind: ChangeMissed})
	return s
}

func (o Options) withDefaults() Options {
	def := func(at *string, v string) {
		if *at == "" {
			*at = v
		}
	}
	def(&o.AppID, "cli_a0huiyin00000001")
	def(&o.TenantKey, "2f0huiyin000000")
	def(&o.TenantName, "示例公司")
	def(&o.BotName, "回音")
	def(&o.BotOpenID, "ou_"+hexID("bot", 1))
	def(&o.MentionedAs, o.BotOpenID)
	def(&o.Mode, Webhook)
	if o.Clock == nil {
		o.Clock = func() time.Time { return time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC) }
	}
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	if o.AckTimeout <= 0 {
		o.AckTimeout = 3 * time.Second
	}
	if o.ChallengeTimeout <= 0 {
		o.ChallengeTimeout = time.Second
	}
	if o.PingInterval <= 0 {
		o.PingInterval = 2 * time.Minute
	}
	if o.FrameBytes <= 0 {
		o.FrameBytes = 64 << 10
	}
	if o.PageSize <= 0 {
		o.PageSize = maxPage
	}
	if o.Keep <= 0 {
		o.Keep = 20_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.BaseURL, o.BotURL = strings.TrimRight(o.BaseURL, "/"), strings.TrimRight(o.BotURL, "/")
	o.Limits = o.Limits.withDefaults()
	return o
}

// Close ends connections, pending re-pushes and deliveries under way, and waits for them.
func (s *Server) Close() {
	s.clock.Stop()
	s.mu.Lock()
	open := append([]*socket(nil), s.sockets...)
	s.mu.Unlock()
	for _, c := range open {
		c.close()
	}
	s.clock.Wait()
	s.client.CloseIdleConnections()
}

// SetBaseURL says how the bot reaches this server, once its listener is known, without a trailing slash.
func (s *Server) SetBaseURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.BaseURL = strings.TrimRight(url, "/")
}

// SetBotURL says where the bot listens, once that is known. Empty is an app without request URLs.
func (s *Server) SetBotURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.BotURL = strings.TrimRight(url, "/")
}

// BaseURL is what the bot must be given as the open platform's address.
func (s *Server) BaseURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.BaseURL
}

// Bot is the app's bot: its name and its open_id.
func (s *Server) Bot() (name, openID string) { return s.opts.BotName, s.opts.BotOpenID }

// TenantKey is the firm's.
func (s *Server) TenantKey() string { return s.opts.TenantKey }

// AppID is that of the installed app.
func (s *Server) AppID() string { return s.opts.AppID }

// Handler serves everything that the open platform serves to a bot (API under /open-apis/, the long connection's address
// and the connection itself) and the control API under /_sim/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes() {
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serveAPI(w, r, rt) })
	}
	mux.HandleFunc("/open-apis/", func(w http.ResponseWriter, r *http.Request) {
		s.serveAPI(w, r, route{name: "unknown", call: noSuchAPI, open: true})
	})
	mux.HandleFunc("GET /ws/v2", s.serveSocket)
	mux.Handle(backstage.ControlPath, s.controlHandler())
	return mux
}
