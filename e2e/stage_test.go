package e2e

import (
	"context"
	"testing"
	"time"

	"huiyin/bot/sim/dingtalksim"
	"huiyin/bot/sim/feishusim"
)

// stage is a chat platform as people meet it: what they do there, and what they are shown. People go by their handles; whatever names
// a vendor gives to accounts, conversations and messages stays behind the stage. Errors are for what its clients would not let a
// person do.
type stage interface {
	// env are the settings by which the app finds the platform.
	env() map[string]string
	// column is the column of the people file that holds accounts of the platform.
	column() string
	// enroll gives somebody an account and returns its id, as that column holds it.
	enroll(a account) string
	// join is enroll while the app runs: the vendor tells it.
	join(a account) string
	// open makes the channels #general and #praise with these members, and tells where the app answers. Nobody can do anything before.
	open(address string, members []string)

	command(who, line string) error
	say(who, words string) error
	mention(who, channel, words string) error
	press(who string, b button) error
	// submit fills fields of the form that stands open and sends it. What the form itself refuses, it shows.
	submit(who string, values map[string][]string) error
	openHome(who string) error
	// redeliver has the vendor deliver the last deed of anybody again, byte for byte, and gives the status of the answer.
	redeliver() (int, error)

	// sights are all cards that stand somewhere at this moment, the oldest first.
	sights() []sight
	form(who string) (form, bool)
	home(who string) (sight, bool)
	// changed receives after anything that people could see has changed.
	changed() <-chan struct{}

	// moved does what is due at the vendor after the clock was moved.
	moved()
	// faults are what the vendor found wrong with what the app sent, a line each.
	faults() []string
	// sent is everything that the app has sent to the vendor so far, as it was sent.
	sent() []string
	close()
}

// account is somebody at the door of a platform.
type account struct {
	handle, name, email string
	kind                string // member, guest or bot
	number              string // employee number, if the person has one
}

// sight is a card as it stands somewhere.
type sight struct {
	key     string   // the same for as long as the card stands there
	from    string   // key of the card that led to this one, where that one cannot be redrawn
	version string   // another one when it was redrawn
	place   string   // "#praise"; empty: where one person and the bot are alone
	to      []string // who can see it
	stays   bool     // still there tomorrow; an answer in passing is not
	words   string
	preview string // what a locked telephone shows of it
	buttons []button
}

// button is what can be pressed on a card.
type button struct {
	label string
	asks  bool // whether one is sure, before anything happens
	ref   any  // the stage's own
}

// form is what somebody has open to fill in.
type form struct {
	key    string
	words  string // title, introduction, labels and hints
	fields []string
	values map[string][]string
	errors map[string]string // by field
}

// fixedWidth is a time whose words sort as the times do.
const fixedWidth = "2006-01-02T15:04:05.000000000Z07:00"

// platform is a row of the table of platforms.
type platform struct {
	name string
	open func(t *testing.T, now func() time.Time) stage
}

// platforms is the table: every conversation is played on each. DingTalk is there twice: with our card template in the firm, and
// without, where forms and buttons are pages and nothing that was sent can be redrawn.
func platforms() []platform {
	return []platform{
		{"slack", openSlack},
		{"feishu", openFeishu(feishusim.Webhook)},
		{"dingtalk", openDingTalk(dingtalksim.Stream, true)},
		{"dingpages", openDingTalk(dingtalksim.Stream, false)},
	}
}

// notify turns any stream into wake-ups of which none is lost and any number become one.
func notify[T any](ctx context.Context, in <-chan T) <-chan struct{} {
	out := make(chan struct{}, 1)
	go func() {
		defer close(out)
		for {
			select {
			case _, open := <-in:
				if !open {
					return
				}
				select {
				case out <- struct{}{}:
				default:
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
