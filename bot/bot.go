// Package bot is the small language that the product speaks with chat platforms: events come in, replies, cards and forms go out.
// Each platform is a translator of it. The package knows no platform's name, no domain and no storage.
package bot

import (
	"context"
	"net/http"
	"time"

	"huiyin/bot/card"
)

// Platform sends and changes messages. Implementations translate every vendor error once: a fault of kind Unavailable may be
// retried (its RetryAfter is the vendor's), an error that Is ErrUnknownOutcome may or may not have been delivered, any other fault
// is final.
type Platform interface {
	Name() string
	Abilities() Abilities
	// Send delivers the card once. m.Delivery is kept with the message where the vendor allows it, so that Find can see it.
	Send(ctx context.Context, m Message) (Ref, error)
	// Update replaces a message that Send delivered.
	Update(ctx context.Context, ref Ref, c card.Card) error
}

// Abilities are facts about a platform; the dialog asks what a platform can do and never who it is.
type Abilities struct {
	Forms      bool // opens a form at once on an action or a command
	Ephemeral  bool // shows an answer to one person only inside a channel
	Update     bool // can replace a message that it sent
	Home       bool // has a home page of the bot per person
	Channels   bool // can post to channels
	Slash      bool // has slash commands
	Picker     bool // its forms pick people out of the whole workspace; otherwise out of a people field's Candidates
	Idempotent bool // Send may be repeated with the same Delivery without a second message
	Paces      Paces
}

// Paces are how fast one workspace of a platform may be used. A zero rate sets no limit.
type Paces struct {
	Place     Rate // new messages in one conversation
	Workspace Rate // new messages in all of them
	Update    Rate // changes of messages that are there
	Find      Rate // questions whether a message arrived
	// Together says that a refusal for being too fast closes the whole workspace for new messages, and not the conversation alone.
	Together bool
}

// Rate lets Burst through at once, and one more each Per.
type Rate struct {
	Per   time.Duration
	Burst int
}

// Finder is implemented by platforms that can be asked whether a delivery arrived. It is asked before any retry of an unknown outcome.
type Finder interface {
	Find(ctx context.Context, m Message) (ref Ref, found bool, err error)
}

// Account is a person's account as the platform's directory lists it.
type Account struct {
	ID, Name, Email, TimeZone, Lang string
	Kind                            AccountKind

	// What a company's own directory tells beyond that. Empty: the platform does not know, or may not say.
	NameEn, Mobile, EmployeeNo, Title string
	Department                        string // path from the top, with slashes
	Manager                           string // platform user id
	HiredOn                           string // 2006-01-02
}

// AccountKind tells people from everything else that has an account.
type AccountKind string

// The kinds of account.
const (
	Member AccountKind = "member"
	Guest  AccountKind = "guest"
	Robot  AccountKind = "bot"
	Gone   AccountKind = "gone" // deactivated or deleted
)

// Directory is implemented by platforms whose members can be listed. Accounts lists everybody who is there now: it calls yield page by
// page and stops at its first error. An error that Is ErrNotYet says that it has listed lately and would not do it again now.
type Directory interface {
	// Tenant is the workspace that the credentials belong to.
	Tenant(ctx context.Context) (string, error)
	Accounts(ctx context.Context, yield func([]Account) error) error
}

// Homes is implemented by platforms with a home page of the bot.
type Homes interface {
	PublishHome(ctx context.Context, user string, c card.Card) error
}

// Webhook is a platform that calls us over HTTP. Routes are patterns of http.ServeMux.
type Webhook interface {
	Routes(r Receive) map[string]http.Handler
}

// Stream is a platform that we hold a connection to. Run returns only when ctx ends or on an error that no reconnect can mend.
type Stream interface {
	Run(ctx context.Context, r Receive) error
}

// Receive handles one event. What it returns is the acknowledgement; it has about 2.5 seconds.
type Receive func(ctx context.Context, e Event) (Reply, error)

// Message is a card on its way to an address. Delivery is unique for every message ever sent and empty for replies.
type Message struct {
	To       Address
	Card     card.Card
	Delivery string
	// Since is when the first attempt was made; Find looks no further back.
	Since time.Time
}

// Address is where a message goes: a person's direct conversation with the bot, or a channel.
type Address struct {
	User    string // platform user id
	Channel string // platform channel id
}

// Ref names a delivered message on its platform.
type Ref struct{ Channel, ID string }

// Event is something that a person did on a platform. Exactly one of Command, Action, Form and Home is set.
type Event struct {
	ID       string // the vendor's own id of the deed, the same when it is delivered again; unique within platform and tenant
	Platform string
	Tenant   string
	User     string  // platform user id of the one who did it
	Account  Account // what the event itself tells of the account, often only the id
	Where    Place
	Lang     string // the client's language, empty when unknown
	At       time.Time

	Command *Command
	Action  *Action
	Form    *Submission
	Home    *HomeOpened
}

// Place is where an event came from.
type Place struct {
	Channel string
	Kind    PlaceKind
	Message Ref // the message whose button was pressed
}

// PlaceKind says who else can see what is answered there.
type PlaceKind int

// The kinds of place.
const (
	Direct  PlaceKind = iota + 1 // the person's own conversation with the bot
	Channel                      // others read along
	Home                         // the bot's home page
)

// Command is something typed: a slash command, or plain words in a direct message or after a mention of the bot.
type Command struct {
	Name  string // of a slash command, without the slash; empty for plain words
	Parts []Part // the words after it
}

// Part is a piece of what was typed: text, or a mention.
type Part struct {
	Text    string
	Mention *Mentioned
}

// Mentioned is an account, a group or everybody, as the platform told it. Label is what the person saw and proves nothing.
type Mentioned struct {
	User  string // empty for groups and broadcasts
	Label string
	Group bool // a user group, or here, channel, everyone
}

// Action is a pressed button or a choice made in a card.
type Action struct {
	card.Action
}

// Submission is a filled form.
type Submission struct {
	card.Action
	Values card.Values
}

// HomeOpened is a look at the bot's home page.
type HomeOpened struct{}

// Reply is the answer to an event and its acknowledgement in one. The zero Reply says nothing.
type Reply struct {
	Card    *card.Card
	Form    *card.Form
	Home    *card.Card
	Public  bool // show Card to everybody in the channel; otherwise only to the person
	Replace bool // put Card in the place of the message or form that was acted on
	// Errors are problems by field name; the form stays open with them.
	Errors map[string]string
	Lang   string // of the reply, for what an adapter has to add in its own words
}
