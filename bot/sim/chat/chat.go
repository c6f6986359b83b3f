// Package chat is the page on which one person plays everybody: it picks an employee of a simulated workspace, types what they
// would type, and sees what they would see. It draws what a simulator holds and hands back what is done on it; it does not know
// the bot, which hears of all this only through the simulator's own signed requests.
package chat

import (
	"cmp"
	"embed"
	"fmt"
	"hash/fnv"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"huiyin/bot/sim/dingtalksim"
	"huiyin/bot/sim/feishusim"
	"huiyin/bot/sim/slacksim"
	"huiyin/internal/i18n"
)

// Options say what the page shows. Catalog and at least one of the simulators are needed, everything else may be left out. Every
// simulator has a tab of its own, in the order of the fields, whose words are the key demo.platform.NAME; nil has none.
type Options struct {
	Sim      *slacksim.Server    // slack
	Feishu   *feishusim.Server   // feishu
	DingTalk *dingtalksim.Server // dingtalk
	Catalog  *i18n.Catalog       // words of the page, the keys demo.*
	Title    string              // beside the name of the product; the Slack workspace's name when empty

	// Commands are what the composer offers after a slash; the simulator's registered commands when empty.
	Commands []CommandHint
	// FeishuMenu is the bot's menu in the conversation with it. Feishu has it configured in its console, out of the bot's sight.
	FeishuMenu []MenuItem
	// Profiles add what a chat platform does not know of its people, in the order in which the page lists them: one for every
	// account that somebody has.
	Profiles []Profile
	// Move moves the clocks of the bot and of all the platforms together. Without it the page shows the time and cannot change it:
	// a platform whose clock runs ahead of the bot's would sign requests that the bot must refuse.
	Move func(d time.Duration)
	// Watched is told when the page is opened: which platform's tab is in front, and whose accounts are watched. It may be nil.
	Watched func(tab string, accounts []Watched)
}

// Watched is an account that somebody looks at.
type Watched struct{ Platform, User string }

// MenuItem is an entry of a bot's menu: the event key that the bot is told, and its label by language.
type MenuItem struct {
	Key   string
	Label map[string]string
}

// CommandHint is a command as the composer offers it. Usage and Summary are by language, as internal/i18n names languages.
type CommandHint struct {
	Name    string   // with its slash
	Aliases []string // other words by which it is found
	Usage   map[string]string
	Summary map[string]string
}

// Profile is what the page tells of a person beside their account.
type Profile struct {
	// Platform of the account: slack (also when empty), feishu, dingtalk.
	Platform string
	// Person is the same for all accounts of one person, such as their number in the directory. The page then leads from one to
	// the other. Empty joins nothing.
	Person string

	User       string // id of the account, such as U… or ou_…
	OtherName  string // in the other script
	Department string
	Boss       string   // account on the same platform of whoever they report to; somebody's boss is marked as a manager
	HR         bool     // marked as HR
	Words      []string // found by these too: pinyin, staff number
}

//go:embed assets
var assets embed.FS

// site is one page over one or more platforms.
type site struct {
	title     string
	catalog   *i18n.Catalog
	platforms []platform
	profiles  map[account]Profile
	order     map[account]int      // of profiles
	bosses    map[account]bool     // accounts to whom somebody reports
	humans    map[string][]account // accounts by whose they are
	move      func(time.Duration)
	watched   func(string, []Watched)
	draw      *template.Template
	version   string // of the assets, in their addresses
	seen      seen
	deeds     board
}

// New makes the page. It answers to loopback names only and may be mounted under any path that ends in a slash. Its event streams
// end when the simulator closes, which has to come before a graceful shutdown of the server that it is mounted on.
func New(o Options) http.Handler {
	s := &site{
		title: o.Title, catalog: o.Catalog, move: o.Move, watched: o.Watched, draw: parse(), version: version(),
		profiles: map[account]Profile{}, order: map[account]int{}, bosses: map[account]bool{}, humans: map[string][]account{},
	}
	for i, p := range o.Profiles {
		on := cmp.Or(p.Platform, slackName)
		at := account{on: on, user: p.User}
		s.profiles[at], s.order[at] = p, i
		if p.Boss != "" {
			s.bosses[account{on: on, user: p.Boss}] = true
		}
		if p.Person != "" {
			s.humans[p.Person] = append(s.humans[p.Person], at)
		}
	}
	meant := func(p person, typed string) bool {
		_, ok := s.matches(p, typed)
		return ok
	}
	if o.Sim != nil {
		s.title = cmp.Or(s.title, o.Sim.Team().Name)
		s.platforms = append(s.platforms, newSlack(o.Sim, o.Commands, s.draw, meant))
	}
	if o.Feishu != nil {
		s.platforms = append(s.platforms, newFeishu(o.Feishu, o.Commands, o.FeishuMenu, s.draw, meant))
	}
	if o.DingTalk != nil {
		s.platforms = append(s.platforms, newDingtalk(o.DingTalk, o.Commands, s.draw))
	}
	return guard(s.routes())
}

func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /fragment/{name}", s.serveFragment)
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("GET /assets/{name}", serveAsset)
	mux.HandleFunc("GET /picture/{platform}/{key}", s.servePicture)
	for name, act := range acts() {
		mux.HandleFunc("POST /act/"+name, s.acting(act))
	}
	return mux
}

// parse reads the templates. They are part of the program, so that a mistake in them is one of the build.
func parse() *template.Template { return template.Must(template.ParseFS(assets, "assets/*.html")) }

// version changes when any asset does.
func version() string {
	sum := fnv.New64a()
	for _, name := range served() {
		b, err := fs.ReadFile(assets, "assets/"+name)
		if err == nil {
			sum.Write(b)
		}
	}
	return fmt.Sprintf("%x", sum.Sum64())
}

// served are the assets that a browser may ask for.
func served() []string { return []string{"page.css", "page.js", "icon.svg"} }

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !slices.Contains(served(), name) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, assets, "assets/"+name)
}
