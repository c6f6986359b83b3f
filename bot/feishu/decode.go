package feishu

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"huiyin/bot"
)

// source is the kind of deed that a delivery tells of; it decides how an answer finds its way back.
type source int

const (
	fromWords      source = iota + 1 // a message to the bot
	fromMenu                         // a click in the bot's menu
	fromButton                       // a button of a card
	fromSubmission                   // a filled form
	fromForeign                      // a press on a card that is not ours, or not any more: no event of the port
	fromMember                       // somebody joined, changed or left: no event of the port
	fromHandshake                    // Feishu about the address: no event of the port
)

// answered reports whether Feishu shows a person what a delivery is acknowledged with.
func (s source) answered() bool { return s == fromButton || s == fromSubmission || s == fromForeign }

// delivery is one request of Feishu's, decoded: the event for the product, and the ways back, which never leave this package.
type delivery struct {
	source    source
	event     bot.Event
	value     value // of the button or the form that was acted on
	form      bot.Ref
	changed   bot.Account
	challenge string
}

// Requests that are well-formed and nothing for us, and requests that are not well-formed.
var (
	errNothing   = errors.New("nothing for us")
	errMalformed = errors.New("malformed request")
)

func malformed(what string) error { return fmt.Errorf("%w: %s", errMalformed, what) }

// envelope is what is around every event, and the handshake, which has none.
// https://open.larkoffice.com/document/ukTMukTMukTM/uYDNxYjL2QTM24iN0EjN/event-subscription-configure-/request-url-configuration-case.md
type envelope struct {
	Type      string `json:"type"`
	Challenge string `json:"challenge"`
	Token     string `json:"token"`
	Header    struct {
		ID        string `json:"event_id"`
		Type      string `json:"event_type"`
		Created   string `json:"create_time"`
		Token     string `json:"token"`
		AppID     string `json:"app_id"`
		TenantKey string `json:"tenant_key"`
	} `json:"header"`
	Event json.RawMessage `json:"event"`
}

func open(raw []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return envelope{}, malformed("a body that is no event")
	}
	return e, nil
}

// handshake reports whether Feishu asks if the address is ours.
func (e envelope) handshake() bool { return e.Type == "url_verification" && e.Header.Type == "" }

// ids are a person's. Only the open_id is always there.
type ids struct {
	OpenID  string `json:"open_id"`
	UnionID string `json:"union_id"`
	UserID  string `json:"user_id"`
}

// messageReceived is the one event for which it matters who the bot is.
const messageReceived = "im.message.receive_v1"

// decode reads an event. me is the bot itself, as far as it is known; at is the time where Feishu gives none.
func decode(e envelope, me robot, at time.Time) (delivery, error) {
	if e.handshake() {
		return delivery{source: fromHandshake, challenge: e.Challenge}, nil
	}
	h := e.Header
	if h.Type == "" || h.ID == "" {
		return delivery{}, malformed("an event without type or id")
	}
	event := bot.Event{ID: h.ID, Platform: Name, Tenant: h.TenantKey, At: stamp(h.Created, at)}
	var d delivery
	var err error
	switch h.Type {
	case messageReceived:
		d, err = decodeMessage(e.Event, me, event)
	case "card.action.trigger":
		d, err = decodePress(e.Event, event)
	case "application.bot.menu_v6":
		d, err = decodeMenu(e.Event, event)
	case "contact.user.created_v3", "contact.user.updated_v3", "contact.user.deleted_v3":
		d, err = decodeMember(e.Event, h.Type == "contact.user.deleted_v3", event)
	default:
		return delivery{}, errNothing
	}
	if err != nil {
		return delivery{}, err
	}
	return d, nil
}

// decodeMenu reads a click in the bot's menu, which is a bare command by another door: the key of an entry is the command's name.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/application-v6/bot/events/menu.md
func decodeMenu(raw json.RawMessage, event bot.Event) (delivery, error) {
	var m struct {
		Operator struct {
			Name string `json:"operator_name"`
			ID   ids    `json:"operator_id"`
		} `json:"operator"`
		Key string `json:"event_key"`
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Operator.ID.OpenID == "" || m.Key == "" {
		return delivery{}, malformed("a click in the menu without person or key")
	}
	event.User = m.Operator.ID.OpenID
	event.Account = bot.Account{ID: event.User, Name: tidy(m.Operator.Name)}
	event.Where = bot.Place{Kind: bot.Direct}
	event.Command = &bot.Command{Name: tidy(m.Key)}
	return delivery{source: fromMenu, event: event}, nil
}

// decodeMember reads that somebody joined, changed or left. It is no deed of a person, so it becomes no event; what the account is now
// has to be asked, for an event holds only what the app may see at that moment.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/user/events/updated.md
func decodeMember(raw json.RawMessage, gone bool, event bot.Event) (delivery, error) {
	var c struct {
		Object struct {
			OpenID string `json:"open_id"`
			Name   string `json:"name"`
		} `json:"object"`
	}
	if err := json.Unmarshal(raw, &c); err != nil || c.Object.OpenID == "" {
		return delivery{}, malformed("a change of a person without id")
	}
	a := bot.Account{ID: c.Object.OpenID, Name: tidy(c.Object.Name)}
	if gone {
		a.Kind = bot.Gone
	}
	return delivery{source: fromMember, event: event, changed: a}, nil
}

// stamp is a moment in the digits of seconds, milliseconds or microseconds, all of which Feishu writes, or another moment.
func stamp(digits string, otherwise time.Time) time.Time {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 {
		return otherwise
	}
	switch len(digits) {
	case 10:
		return time.Unix(n, 0).UTC()
	case 13:
		return time.UnixMilli(n).UTC()
	case 16:
		return time.UnixMicro(n).UTC()
	}
	return otherwise
}
