// Package dingtalksim is a strict little DingTalk: a firm in memory that serves the open platform's API (old and new hosts at
// one address), signs, encrypts and delivers robot messages, card callbacks and directory events, over HTTP or over stream
// connections, and refuses what DingTalk refuses. It is written from the vendor's documents and knows nothing of the bot that
// talks to it: neither its payload builders nor its decoders nor the vendor's SDK, so that one mistake cannot pass on both
// sides.
package dingtalksim

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"huiyin/bot/sim/backstage"
)

// The ways in which messages and events reach the bot.
const (
	Webhook = "webhook" // POST to the bot's addresses: robot messages signed but for their body, events encrypted
	Stream  = "stream"  // frames over one of the bot's connections
)

// Options describe the firm, the app installed in it and how strict time is. The zero value of every field is usable, but
// webhook events need EventToken and EventAESKey.
type Options struct {
	ClientID     string // AppKey, ding…
	ClientSecret string // AppSecret
	RobotCode    string // ClientID unless set
	CorpID       string // ding…
	AgentID      int64  // of the app, for work notices; 1000001 unless set
	EventToken   string // of the event subscription over HTTP
	EventAESKey  string // 43 characters

	// BotName is what people type after @; 回音 unless set. BotID is the chatbotUserId, $:LWCP_v1:$…, which is no staffId.
	BotName string
	BotID   string

	// BotURL is where the bot listens; /dingtalk/messages, /dingtalk/events are added. Cards go where it registered them.
	BotURL string
	// BaseURL is how the bot reaches this server, for both of the vendor's hosts. See SetBaseURL.
	BaseURL string
	// Mode is Webhook unless set.
	Mode string

	// Templates are the card templates in the firm's card platform. See AddTemplate.
	Templates []Template

	// Unpublished is an app version that was never released: nobody's staffId is sent.
	Unpublished bool
	// MentionSpace is what a mention leaves behind in a text besides what was typed round it; one space unless set. U+2005
	// and U+00A0 have been seen.
	MentionSpace string
	// OneBadIDFails makes a batch with any unknown userId fail as a whole, instead of naming it in invalidStaffIdList. The
	// documents know both.
	OneBadIDFails bool
	// Wrapped makes the old host answer errors as errcode 88 with sub_code, as its gateway does at times.
	Wrapped bool
	// OldNames makes encrypted events carry msg_signature and timeStamp in the query instead of signature and timestamp.
	OldNames bool
	// HiddenFields are user fields whose permission the app lacks, so that they are silently absent: mobile, email, …
	HiddenFields []string
	// Readable are the dept_ids that the app may read, with what is below them; empty means the whole firm.
	Readable []int64

	// Redeliver is the pause before a stream push that was not acknowledged comes again: 60 s unless set, 15 s has been seen;
	// negative is never, as the protocol's text says of robot messages.
	Redeliver time.Duration
	// RedeliverWebhook does the same to robot messages over HTTP, of which no document speaks.
	RedeliverWebhook bool

	// Clock is the simulated time. Without one it stands at 2026-01-05 09:00 in Shanghai, a Monday, and only Advance and
	// SetTime move it.
	Clock func() time.Time
	// TimeScale shortens the delays between pushes: 60 makes a minute last a second. Zero means 1.
	TimeScale float64
	// AckTimeout is how long the bot may take over a robot message, 3 s unless set; EventTimeout over an event by HTTP,
	// 1,500 ms; CardTimeout over a card callback, 2 s.
	AckTimeout   time.Duration
	EventTimeout time.Duration
	CardTimeout  time.Duration

	Limits Limits
	// PageSize caps the pages of user lists, whatever the caller asks for; zero means DingTalk's own 100.
	PageSize int
	// Seed makes faults, nonces, the order of atUsers and the choice among connections repeatable.
	Seed uint64
	// Keep bounds the recorded calls and deliveries, 20,000 of each unless set; the oldest are forgotten.
	Keep int

	Client *http.Client
	Log    *slog.Logger // nil discards
}

// Server is the firm. All methods may be called from any goroutine.
type Server struct {
	opts    Options
	client  *http.Client
	log     *slog.Logger
	clock   *backstage.Clock
	faults  *backstage.Faults[Fault]
	changes *backstage.Changes[Change]
	calls   *backstage.Log[*Call]
	pushes  *backstage.Log[*Delivery]
	found   *backstage.Findings
	limits  *backstage.Windows

	mu      sync.Mutex
	world   world
	rng     *rand.Rand
	sockets []*socket
	tickets map[string]ticket
	waiting map[string]*awaited
}

// New makes a firm with nobody in it but the bot.
func New(o Options) *Server {
	o = o.withDefaults()
	chance := rand.New(rand.NewPCG(o.Seed, 0xfa017))
	s := &Server{
		opts: o, client: botClient(o.Client), log: o.Log, clock: backstage.NewClock(o.Clock, o.TimeScale),
		faults: backstage.NewFaults[Fault](chance.Float64), calls: backstage.NewLog[*Call](o.Keep), pushes: backstage.NewLog[*Delivery](o.Keep),
		found: &backstage.Findings{}, limits: &backstage.Windows{}, world: newWorld(), rng: rand.New(rand.NewPCG(o.Seed, 0xd1a6)),
		tickets: map[string]ticket{}, waiting: map[string]*awaited{},
	}
	s.changes = backstage.NewChanges(s.clock, Change{Kind: ChangeMissed})
	for _, t := range o.Templates {
		s.AddTemplate(t)
	}
	return s
}

func (o Options) withDefaults() Options {
	def := func(at *string, v string) {
		if *at == "" {
			*at = v
		}
	}
	wait := func(at *time.Duration, v time.Duration) {
		if *at == 0 {
			*at = v
		}
	}
	def(&o.ClientID, "dinghuiyin00000001")
	def(&o.ClientSecret, "huiyin-app-secret")
	def(&o.RobotCode, o.ClientID)
	def(&o.CorpID, "dinghuiyincorp01")
	def(&o.BotName, "回音")
	def(&o.BotID, lwcp("bot", 1))
	def(&o.Mode, Webhook)
	def(&o.MentionSpace, " ")
	if o.AgentID == 0 {
		o.AgentID = 1000001
	}
	if o.Clock == nil {
		o.Clock = func() time.Time { return time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC) }
	}
	wait(&o.Redeliver, time.Minute)
	wait(&o.AckTimeout, 3*time.Second)
	wait(&o.EventTimeout, 1500*time.Millisecond)
	wait(&o.CardTimeout, 2*time.Second)
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

// Close ends connections, pending pushes and deliveries under way, and waits for them.
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

// SetBaseURL says how the bot reaches this server, once its listener is known, without a trailing slash. Session webhooks and
// stream endpoints stand below it.
func (s *Server) SetBaseURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.BaseURL = strings.TrimRight(url, "/")
}

// SetBotURL says where the bot listens, once that is known. Empty is an app without addresses.
func (s *Server) SetBotURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.BotURL = strings.TrimRight(url, "/")
}

// BaseURL is what the bot must be given as both of DingTalk's addresses.
func (s *Server) BaseURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.BaseURL
}

// Bot is the app's robot: its name and its chatbotUserId, which is what Chat.Members holds for it.
func (s *Server) Bot() (name, id string) { return s.opts.BotName, s.opts.BotID }

// RobotCode is the code by which the API knows the robot.
func (s *Server) RobotCode() string { return s.opts.RobotCode }

// CorpID is the firm's.
func (s *Server) CorpID() string { return s.opts.CorpID }

// Handler serves everything that DingTalk serves to a bot (the API under /v1.0/ and /topapi/, /media/upload, session
// webhooks, stream connections) and the control API under /_sim/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes() {
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serveAPI(w, r, rt) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.serveAPI(w, r, route{name: "unknown", call: noSuchAPI, open: true})
	})
	mux.HandleFunc("GET "+connectPath, s.serveSocket)
	mux.Handle(backstage.ControlPath, s.controlHandler())
	return mux
}

// Now returns the simulated time.
func (s *Server) Now() time.Time { return s.clock.Now() }

// Advance moves the clock and does, before it returns, everything that has become due (pushes that come again, farewells).
func (s *Server) Advance(d time.Duration) {
	s.clock.Advance(d)
	s.changes.Tell(Change{Kind: ChangeClock})
}

// SetTime moves the clock to t, as Advance does.
func (s *Server) SetTime(t time.Time) { s.Advance(t.Sub(s.Now())) }

// Pending is the number of pushes and farewells that wait for their time.
func (s *Server) Pending() int { return s.clock.Pending() }
