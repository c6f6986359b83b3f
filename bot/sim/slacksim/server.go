// Package slacksim is a strict little Slack: a workspace in memory that serves the Web API, signs and delivers slash
// commands, interactions and events, and refuses what Slack refuses. It is written from the vendor's documents and knows
// nothing of the bot that talks to it: neither its payload builders nor its validators nor any Slack library, so that one
// mistake cannot pass on both sides.
package slacksim

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"huiyin/bot/sim/backstage"
)

// Options describe the workspace, the app installed in it and how strict time is. The zero value of every field but
// SigningSecret and BotToken is usable.
type Options struct {
	Team Team
	// AppID, BotUser and BotName are those of the one installed app; defaults A0HUIYIN01, U0HUIYINB1 and huiyin.
	AppID   string
	BotUser string
	BotName string

	SigningSecret string
	BotToken      string // xoxb-…; any other token is refused as invalid_auth
	AppToken      string // xapp-…, for apps.connections.open only

	// BotURL is where the bot listens; /slack/commands, /slack/interactions, /slack/events and /slack/options are added.
	BotURL string
	// BaseURL is how the bot reaches this server (response URLs, upload URL, socket URL). See SetBaseURL.
	BaseURL string
	// SocketMode delivers through open websockets instead of HTTP, as Slack's switch of that name does.
	SocketMode bool

	// Commands are the registered slash commands; empty means that any command is registered.
	Commands []Command
	// RawMentions is should_escape off: the text of a command arrives as typed.
	RawMentions bool
	// PublicWrite is the scope chat:write.public: posting in public channels without being a member.
	PublicWrite bool
	// NoHomeTab is a manifest without the Home tab: views.publish answers not_enabled.
	NoHomeTab bool
	// NoEcho stops the message.im events which Slack sends to a bot about its own messages.
	NoEcho bool

	// Clock is the time of the workspace. Without one the workspace stands at 2026-01-05 09:00 UTC, a Monday, and only
	// Advance and SetTime move it.
	Clock func() time.Time
	// TimeScale shortens the delays between event retries: 60 makes a minute last a second. Zero means 1.
	TimeScale float64
	// AckTimeout is how long the bot may take to answer, 3 s unless set.
	AckTimeout time.Duration
	// PingEvery is the interval of websocket pings, 10 s unless set.
	PingEvery time.Duration

	Limits Limits
	// PageSize caps the pages of paginated methods, whatever limit the caller asks for; zero means Slack's own 1000.
	PageSize int
	// Seed makes faults and the choice among sockets repeatable.
	Seed uint64
	// Keep bounds the recorded calls and deliveries, 20,000 of each unless set; the oldest are forgotten.
	Keep int

	Client *http.Client
	Log    *slog.Logger // nil discards
}

// Team is the workspace.
type Team struct {
	ID     string `json:"id"`     // T…
	Name   string `json:"name"`   // as people see it
	Domain string `json:"domain"` // the part before .slack.com
}

// Command is a registered slash command, as the composer lists it.
type Command struct {
	Name        string `json:"name"` // with its slash
	Description string `json:"description,omitempty"`
	UsageHint   string `json:"usage_hint,omitempty"`
}

// Server is the workspace. All methods may be called from any goroutine.
type Server struct {
	opts    Options
	client  *http.Client
	log     *slog.Logger
	clock   *backstage.Clock
	faults  *backstage.Faults[Fault]
	changes *backstage.Changes[Change]
	found   *backstage.Findings

	mu      sync.Mutex
	world   world
	limits  buckets
	rng     *rand.Rand
	started time.Time
	sockets []*socket
	tickets map[string]time.Time
	waiting map[string]chan socketAck
	health  eventHealth
}

// New makes an empty workspace which has the bot as its only member.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		opts: o, client: botClient(o.Client), log: o.Log, clock: backstage.NewClock(o.Clock, o.TimeScale),
		found: &backstage.Findings{}, rng: rand.New(rand.NewPCG(o.Seed, 0x5eed)),
		tickets: map[string]time.Time{}, waiting: map[string]chan socketAck{},
	}
	s.faults = backstage.NewFaults[Fault](s.rng.Float64)
	s.changes = backstage.NewChanges(s.clock, Change{Kind: ChangeMissed})
	s.started = s.now()
	s.world = newWorld(o)
	s.limits = newBuckets()
	return s
}

func (o Options) withDefaults() Options {
	def := func(at *string, v string) {
		if *at == "" {
			*at = v
		}
	}
	def(&o.Team.ID, "T0HUIYIN01")
	def(&o.Team.Name, "Huiyin")
	def(&o.Team.Domain, "huiyin")
	def(&o.AppID, "A0HUIYIN01")
	def(&o.BotUser, "U0HUIYINB1")
	def(&o.BotName, "huiyin")
	if o.Clock == nil {
		o.Clock = func() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) }
	}
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	if o.AckTimeout <= 0 {
		o.AckTimeout = 3 * time.Second
	}
	if o.PingEvery <= 0 {
		o.PingEvery = 10 * time.Second
	}
	if o.PageSize <= 0 {
		o.PageSize = 1000
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

// Close ends sockets, pending retries and deliveries under way, and waits for them.
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

// SetBotURL says where the bot listens, once that is known.
func (s *Server) SetBotURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.BotURL = strings.TrimRight(url, "/")
}

// APIURL is what the bot must be given as its Slack API URL; it ends in a slash.
func (s *Server) APIURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.BaseURL + "/api/"
}

// Team returns the workspace.
func (s *Server) Team() Team { return s.opts.Team }

// Commands returns the registered slash commands, for a composer's list.
func (s *Server) Commands() []Command { return append([]Command(nil), s.opts.Commands...) }

// BotUser returns the user id of the installed app.
func (s *Server) BotUser() string { return s.opts.BotUser }

// Handler serves everything that Slack serves to a bot (Web API under /api/, uploads, response URLs, sockets) and the
// control API under /_sim/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("/upload/v1/{token}", s.serveUpload)
	mux.HandleFunc("POST /commands/{team}/{id}/{secret}", s.serveResponseURL)
	mux.HandleFunc("POST /actions/{team}/{id}/{secret}", s.serveResponseURL)
	mux.HandleFunc("GET /link/", s.serveSocket)
	mux.Handle(backstage.ControlPath, s.controlHandler())
	return mux
}
