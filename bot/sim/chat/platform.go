package chat

import (
	"context"
	"html/template"
	"time"

	"huiyin/internal/i18n"
)

// platform is one simulated vendor as the page needs it: who is there, what they see, already drawn, and what they may do. Only
// files named after a vendor know its payloads. Names of controls are the vendor's business too: it reads back what it wrote.
type platform interface {
	// name stands in addresses; the tab is labelled demo.platform.NAME.
	name() string
	client() client
	now() time.Time
	people() []person
	// places are the conversations that a person can open, the one with the bot first.
	places(user string) []place
	// withBot is the place of a person's conversation with the bot.
	withBot(user string) string
	// unread counts the messages of others in a place after one of its messages; the empty id counts all.
	unread(user, place, after string) int
	messages(place string, as reader) []message
	// modal is the form on top of what a person has open.
	modal(as reader) (screen, bool)
	// home is the bot's home page for a person; ok is false before the bot has published one.
	home(as reader) (page screen, ok bool)
	// requests are the latest requests around a person, newest first.
	requests(as reader, most int) []request
	commands() []CommandHint
	// picture is an image that was uploaded to the platform.
	picture(key string) ([]byte, bool)

	send(user, place, text string) (outcome, error)
	press(as reader, at spot, press string, v entered) (outcome, error)
	// pick chooses an entry of the bot's menu.
	pick(as reader, key string) (outcome, error)
	// choices are the options of a control that is searched, for what was typed.
	choices(as reader, at spot, element, typed string, v entered) (template.HTML, error)
	submit(as reader, modal string, v entered) (outcome, error)
	dismiss(user, modal string) error
	openHome(user string) error

	// changes tells what to draw again until ctx ends or the simulator closes.
	changes(ctx context.Context) <-chan change
}

// client is what a vendor's own client can do.
type client struct {
	home         bool       // it shows a home page of the bot's
	mentionsInDM bool       // an @ means somebody in the conversation with the bot too
	menu         []MenuItem // the bot's menu in that conversation
}

// reader is who reads what is drawn.
type reader struct {
	user string
	say  i18n.Printer
	zone *time.Location
	ids  string // in front of every id in the document, since two people may look at the same message
}

// person is an account.
type person struct {
	on                      string // the platform
	id, handle, name, title string
	department              string // as the platform has it
	mention                 string // what is written after an @; the handle when empty
	lang                    string // as the platform has it
	zone                    string // IANA
	bot, guest              bool
}

// The kinds of place.
const (
	placeBot     = "bot"
	placePublic  = "public"
	placePrivate = "private"
	placeNotices = "notices" // the platform's own, in which nobody can write
	placeHome    = "home"    // also the id of the bot's home page
)

type place struct{ id, name, kind string }

type message struct {
	id      string
	author  person
	at      time.Time
	private bool // only the reader sees it
	edited  bool
	reply   bool // in a thread
	body    template.HTML
}

// screen is a modal or a home page; only a modal has more than id and body, and submit only when there is something to send.
type screen struct {
	id, title, submit, dismiss string
	body                       template.HTML
}

// spot is where a control stands: in a message, in a modal or on the home page.
type spot struct{ place, message, view string }

// entered is what stands in the controls of a form, by the names that the platform gave them.
type entered map[string][]string

// request is one exchange between bot and platform.
type request struct {
	id         string
	at         time.Time
	fromBot    bool
	title      string // such as POST /slack/commands, or chat.postMessage
	status     string
	millis     int64
	failed     bool
	header     [][2]string
	body       string
	sealed     string // the body as it was sent, when it was encrypted
	answer     string
	complaints []complaint
}

// complaint is what the simulator found wrong with a request or an answer of the bot's.
type complaint struct {
	grave bool
	text  string
}

// The kinds of change.
const (
	changeMessages = "messages"
	changeModal    = "modal"
	changeHome     = "home"
	changeRequests = "requests"
	changePeople   = "people"
	changeClock    = "clock"
	changeAll      = "all"
)

// change says what to draw again, for whom (everyone when empty) and where.
type change struct {
	Kind  string `json:"kind"`
	User  string `json:"user,omitempty"`
	Place string `json:"place,omitempty"`
}
