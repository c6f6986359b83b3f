package dingtalk

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"huiyin/bot"
)

// source is the kind of deed that a delivery tells of; it decides how an answer finds its way back.
type source int

const (
	fromWords     source = iota + 1 // a message to the robot, or one that mentions it
	fromStranger                    // a message of somebody whom DingTalk does not name to us
	fromCard                        // a pressed button of a card
	fromForm                        // a filled form of a card
	fromDirectory                   // somebody joined, changed or left: no event of the port
	fromNotice                      // DingTalk about the app itself: no event of the port
	fromHandshake                   // DingTalk about the address: no event of the port
)

// delivery is one thing that DingTalk tells, decoded: the event for the product, and the ways back, which never leave this package.
type delivery struct {
	source  source
	event   bot.Event
	corp    string
	robot   string    // the robot that was spoken to
	session string    // sessionWebhook: takes messages into the conversation
	until   time.Time // until when
	track   string    // outTrackId of the card that was acted on
	changed []string  // staff ids in the directory
	gone    bool      // they left
	notice  string
}

// Deliveries that are well-formed and nothing for us, and deliveries that are not well-formed.
var (
	errNothing   = errors.New("nothing for us")
	errMalformed = errors.New("malformed request")
)

func malformed(what string) error { return fmt.Errorf("%w: %s", errMalformed, what) }

// message is what we read of a message to the robot. It is the same over Stream and over HTTP.
// https://open.dingtalk.com/document/orgapp/receive-message
type message struct {
	ConversationID   string `json:"conversationId"`
	ConversationType string `json:"conversationType"` // "1" of two, "2" a group
	MsgID            string `json:"msgId"`
	MsgType          string `json:"msgtype"`
	Text             struct {
		Content string `json:"content"`
	} `json:"text"`
	Content       json.RawMessage `json:"content"` // of everything that is not text
	AtUsers       []atUser        `json:"atUsers"`
	ChatbotUserID string          `json:"chatbotUserId"`
	ChatbotCorpID string          `json:"chatbotCorpId"`
	RobotCode     string          `json:"robotCode"`
	SenderStaffID string          `json:"senderStaffId"`
	SenderNick    string          `json:"senderNick"`
	SenderCorpID  string          `json:"senderCorpId"`
	Session       string          `json:"sessionWebhook"`
	SessionUntil  flexibleInt     `json:"sessionWebhookExpiredTime"`
	CreateAt      flexibleInt     `json:"createAt"`
}

type atUser struct {
	DingtalkID string `json:"dingtalkId"`
	StaffID    string `json:"staffId"`
}

// flexibleInt is a number that DingTalk writes with or without quotes.
type flexibleInt int64

func (n *flexibleInt) UnmarshalJSON(raw []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	if err != nil {
		v = 0 // nothing hangs on it
	}
	*n = flexibleInt(v)
	return nil
}

func (n flexibleInt) time(otherwise time.Time) time.Time {
	if n <= 0 || n > 1<<42 {
		return otherwise
	}
	return time.UnixMilli(int64(n)).UTC()
}

// decodeMessage reads a message to the robot. Its id is that of the deed: over Stream the frame's own id is a new one each time.
func decodeMessage(raw []byte, at time.Time) (delivery, error) {
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return delivery{}, malformed("a message that is no JSON")
	}
	if m.MsgID == "" || m.ConversationID == "" {
		return delivery{}, malformed("a message without id or conversation")
	}
	text, ok := m.words()
	if !ok {
		return delivery{}, errNothing
	}
	d := delivery{
		source: fromWords, corp: m.ChatbotCorpID, robot: m.RobotCode, session: m.Session, until: m.SessionUntil.time(time.Time{}),
		event: bot.Event{
			ID: m.MsgID, Platform: Name, User: m.SenderStaffID, At: m.CreateAt.time(at),
			Account: bot.Account{ID: m.SenderStaffID, Name: oneLine(m.SenderNick)},
			Where:   bot.Place{Channel: m.ConversationID, Kind: bot.Channel},
		},
	}
	if m.ConversationType == "1" {
		d.event.Where.Kind = bot.Direct
	}
	if m.SenderStaffID == "" || m.SenderCorpID != "" && m.ChatbotCorpID != "" && m.SenderCorpID != m.ChatbotCorpID {
		d.source = fromStranger
		d.event.User, d.event.Account.ID = "", ""
		return d, nil
	}
	d.event.Command = &bot.Command{Parts: partsOf(text, m.mentioned())}
	return d, nil
}

// words are what a message says. A voice message says what DingTalk heard; pictures and files say nothing.
func (m message) words() (string, bool) {
	switch m.MsgType {
	case "text", "":
		return m.Text.Content, true
	case "richText":
		var c struct {
			RichText []struct {
				Text string `json:"text"`
			} `json:"richText"`
		}
		if json.Unmarshal(m.Content, &c) != nil {
			return "", false
		}
		var b strings.Builder
		for _, piece := range c.RichText {
			b.WriteString(piece.Text)
		}
		return b.String(), typed(b.String()) != ""
	case "audio":
		var c struct {
			Recognition string `json:"recognition"`
		}
		if json.Unmarshal(m.Content, &c) != nil {
			return "", false
		}
		return c.Recognition, typed(c.Recognition) != ""
	}
	return "", false
}

// mentioned are the people mentioned, without the robot, each once. Somebody of another company has no staff id; what DingTalk gives
// instead leads nowhere, and is kept so that the person is refused and not forgotten.
func (m message) mentioned() []bot.Mentioned {
	var out []bot.Mentioned
	seen := map[string]bool{}
	for _, u := range m.AtUsers {
		id := orElse(u.StaffID, u.DingtalkID)
		if id == "" || seen[id] || u.DingtalkID != "" && u.DingtalkID == m.ChatbotUserID {
			continue
		}
		seen[id] = true
		out = append(out, bot.Mentioned{User: id})
	}
	return out
}

// directoryEvents are what DingTalk tells of the directory, and whether those it names have left.
// https://open.dingtalk.com/document/orgapp/address-book-events
var directoryEvents = map[string]bool{"user_add_org": false, "user_modify_org": false, "user_active_org": false, "user_leave_org": true}

// notices are what DingTalk tells of the app itself.
var notices = map[string]bool{"org_remove": true, "suite_relieve": true, "org_micro_app_stop": true, "org_micro_app_remove": true}

// eventHead is what is known of an event beside its data.
type eventHead struct{ id, kind, corp string }

// decodeEvent reads an event of the company. Over Stream the head comes in the frame, over HTTP in the data.
func decodeEvent(head eventHead, raw []byte, at time.Time) (delivery, error) {
	var e struct {
		EventType string          `json:"EventType"`
		CorpID    string          `json:"CorpId"`
		EventID   string          `json:"eventId"`
		Stamp     flexibleInt     `json:"TimeStamp"`
		UserID    json.RawMessage `json:"UserId"`
		StaffID   json.RawMessage `json:"userId"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return delivery{}, malformed("an event that is no JSON")
	}
	kind := orElse(head.kind, e.EventType)
	if kind == "" {
		return delivery{}, malformed("an event without type")
	}
	d := delivery{corp: orElse(head.corp, e.CorpID), event: bot.Event{ID: orElse(head.id, e.EventID), Platform: Name, At: e.Stamp.time(at)}}
	gone, directory := directoryEvents[kind]
	switch {
	case kind == "check_url", kind == "check_create_suite_url", kind == "check_update_suite_url":
		d.source = fromHandshake
	case directory:
		d.source, d.gone = fromDirectory, gone
		d.changed = append(idList(e.UserID), idList(e.StaffID)...)
		if len(d.changed) == 0 {
			return delivery{}, malformed("a change of people that names nobody")
		}
	case notices[kind]:
		d.source, d.notice = fromNotice, kind
	default:
		return delivery{}, errNothing
	}
	return d, nil
}

// idList reads one id or several.
func idList(raw json.RawMessage) []string {
	if len(raw) == 0 {
		return nil
	}
	var many []string
	if json.Unmarshal(raw, &many) == nil {
		return compact(many)
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return compact([]string{one})
	}
	return nil
}

func compact(ids []string) []string {
	var out []string
	for _, id := range ids {
		if id != "" {
			out = append(out, id)
		}
	}
	return out
}
