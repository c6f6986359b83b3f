package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot"
)

// source is the kind of deed that a delivery tells of; it decides how an answer finds its way back.
type source int

const (
	fromCommand    source = iota + 1 // a slash command
	fromShortcut                     // a global shortcut: a command without a channel
	fromWords                        // a direct message, or a mention of the bot
	fromHomeOpened                   // a look at the home page
	fromButton                       // a button of a message
	fromViewButton                   // a button of a modal
	fromHomeButton                   // a button of the home page
	fromSubmission                   // a filled modal
	fromSuggestion                   // options for a menu, which we never ask Slack to ask for
	fromMember                       // somebody joined or changed: no event of the port
	fromNotice                       // Slack about the app itself: no event of the port
	fromHandshake                    // Slack about the address: no event of the port
)

// delivery is one request of Slack's, decoded: the event for the product, and the ways back, which never leave this package.
type delivery struct {
	source    source
	event     bot.Event
	trigger   string // opens a modal once, within three seconds
	response  string // response_url: takes five messages within half an hour
	view      string // the modal or home page that was acted on
	hash      string
	inputs    []string // names of the modal's fields in order
	ephemeral bool     // the message of the button is shown to this person only
	raw       string   // what was typed, as Slack sent it
	thread    string
	changed   bot.Account
	notice    string
	challenge string
}

// Requests that are well-formed and nothing for us, and requests that are not well-formed.
var (
	errNothing   = errors.New("nothing for us")
	errMalformed = errors.New("malformed request")
)

func malformed(what string) error { return fmt.Errorf("%w: %s", errMalformed, what) }

// decodeCommandForm reads a slash command as it comes over HTTP. at is the time of the signature.
// https://docs.slack.dev/interactivity/implementing-slash-commands
func decodeCommandForm(body []byte, at time.Time) (delivery, error) {
	var c slashCommand
	err := eachField(body, func(key, value string) {
		switch key {
		case "team_id":
			c.TeamID = value
		case "enterprise_id":
			c.EnterpriseID = value
		case "channel_id":
			c.ChannelID = value
		case "channel_name":
			c.ChannelName = value
		case "user_id":
			c.UserID = value
		case "user_name":
			c.UserName = value
		case "command":
			c.Command = value
		case "text":
			c.Text = value
		case "response_url":
			c.ResponseURL = value
		case "trigger_id":
			c.TriggerID = value
		case "ssl_check":
			c.SSLCheck = value
		}
	})
	if err != nil {
		return delivery{}, err
	}
	return c.delivery(at)
}

// decodeCommandJSON reads a slash command as it comes over Socket Mode.
func decodeCommandJSON(body []byte, at time.Time) (delivery, error) {
	var c slashCommand
	if err := json.Unmarshal(body, &c); err != nil {
		return delivery{}, malformed("a command that is no JSON")
	}
	return c.delivery(at)
}

// eachField reads a form field by field. Unlike url.ParseQuery it keeps nothing.
func eachField(body []byte, field func(key, value string)) error {
	rest := string(body)
	for rest != "" {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		key, value, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		if err != nil {
			return malformed("a form with a broken escape")
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return malformed("a form with a broken escape")
		}
		field(key, value)
	}
	return nil
}

type slashCommand struct {
	TeamID       string `json:"team_id"`
	EnterpriseID string `json:"enterprise_id"`
	ChannelID    string `json:"channel_id"`
	ChannelName  string `json:"channel_name"`
	UserID       string `json:"user_id"`
	UserName     string `json:"user_name"`
	Command      string `json:"command"`
	Text         string `json:"text"`
	ResponseURL  string `json:"response_url"`
	TriggerID    string `json:"trigger_id"`
	SSLCheck     string `json:"ssl_check"`
}

func (c slashCommand) delivery(at time.Time) (delivery, error) {
	if c.SSLCheck == "1" {
		return delivery{}, errNothing
	}
	name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(c.Command), "/"), "／")
	if c.UserID == "" || name == "" || c.TriggerID == "" {
		return delivery{}, malformed("a command without user, name or trigger")
	}
	return delivery{
		source: fromCommand, trigger: c.TriggerID, response: c.ResponseURL, raw: c.Text,
		event: bot.Event{
			ID: c.TriggerID, Platform: Name, Tenant: orElse(c.TeamID, c.EnterpriseID), User: c.UserID,
			Account: bot.Account{ID: c.UserID, Name: tidy(c.UserName)}, At: at,
			Where:   bot.Place{Channel: c.ChannelID, Kind: kindOf(c.ChannelID, c.ChannelName)},
			Command: &bot.Command{Name: tidy(name), Parts: parseTyped(c.Text)},
		},
	}, nil
}

// kindOf tells a direct conversation from a channel. Slack calls every conversation of two "directmessage" and gives it an id with D,
// also that of two people, where only the one who asked sees an answer.
func kindOf(channel, name string) bot.PlaceKind {
	if strings.HasPrefix(channel, "D") || name == "directmessage" {
		return bot.Direct
	}
	return bot.Channel
}

// decodeEvent reads a request of the Events API. self is the bot's own user id, as far as it is known.
// https://docs.slack.dev/apis/events-api
func decodeEvent(body []byte, self string, at time.Time) (delivery, error) {
	var e struct {
		Type           string          `json:"type"`
		Challenge      string          `json:"challenge"`
		TeamID         string          `json:"team_id"`
		EnterpriseID   string          `json:"enterprise_id"`
		EventID        string          `json:"event_id"`
		EventTime      int64           `json:"event_time"`
		Event          json.RawMessage `json:"event"`
		Authorizations []struct {
			UserID string `json:"user_id"`
			IsBot  bool   `json:"is_bot"`
		} `json:"authorizations"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return delivery{}, malformed("an event that is no JSON")
	}
	switch e.Type {
	case "url_verification":
		return delivery{source: fromHandshake, challenge: e.Challenge}, nil
	case "app_rate_limited":
		return delivery{source: fromNotice, notice: e.Type}, nil
	case "event_callback":
	default:
		return delivery{}, errNothing
	}
	if e.EventID == "" || len(e.Event) == 0 {
		return delivery{}, malformed("an event without id")
	}
	for _, a := range e.Authorizations {
		if a.IsBot && a.UserID != "" {
			self = a.UserID
		}
	}
	if e.EventTime > 0 {
		at = time.Unix(e.EventTime, 0).UTC()
	}
	return decodeInner(e.Event, self, bot.Event{ID: e.EventID, Platform: Name, Tenant: orElse(e.TeamID, e.EnterpriseID), At: at})
}

func decodeInner(raw json.RawMessage, self string, event bot.Event) (delivery, error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return delivery{}, malformed("an inner event that is no JSON")
	}
	switch head.Type {
	case "message", "app_mention":
		return decodeWords(raw, self, event)
	case "app_home_opened":
		return decodeHome(raw, event)
	case "team_join", "user_change":
		return decodeMember(raw, event)
	case "app_uninstalled", "tokens_revoked":
		return delivery{source: fromNotice, notice: head.Type}, nil
	}
	return delivery{}, errNothing
}

// decodeWords reads a direct message or a mention. Messages of robots, changes of messages and what else comes as a message event
// are nothing for us. https://docs.slack.dev/reference/events/message.im
func decodeWords(inner json.RawMessage, self string, event bot.Event) (delivery, error) {
	var m struct {
		Type        string `json:"type"`
		Subtype     string `json:"subtype"`
		Hidden      bool   `json:"hidden"`
		BotID       string `json:"bot_id"`
		User        string `json:"user"`
		Channel     string `json:"channel"`
		ChannelType string `json:"channel_type"`
		Text        string `json:"text"`
		TS          string `json:"ts"`
		ThreadTS    string `json:"thread_ts"`
	}
	if err := json.Unmarshal(inner, &m); err != nil {
		return delivery{}, malformed("a message that is no JSON")
	}
	direct := m.Type == "message"
	if direct && m.ChannelType != "im" && !(m.ChannelType == "" && strings.HasPrefix(m.Channel, "D")) {
		return delivery{}, errNothing
	}
	if m.BotID != "" || m.Hidden || m.User == "" || m.User == self || m.User == slackbot || m.Subtype != "" && m.Subtype != "file_share" {
		return delivery{}, errNothing
	}
	if m.Channel == "" {
		return delivery{}, malformed("a message without channel")
	}
	parts := without(parseTyped(m.Text), self)
	if len(parts) == 0 && m.Subtype == "file_share" {
		return delivery{}, errNothing
	}
	event.User, event.Account = m.User, bot.Account{ID: m.User}
	event.At = stamp(m.TS, event.At)
	event.Where = bot.Place{Channel: m.Channel, Kind: bot.Channel}
	if direct {
		event.Where.Kind = bot.Direct
	}
	event.Command = &bot.Command{Parts: parts}
	raw := m.Text
	if self != "" { // the words come back by a button that does not know who the bot is
		raw = strings.TrimSpace(strings.ReplaceAll(m.Text, "<@"+self+">", ""))
	}
	return delivery{source: fromWords, event: event, raw: raw, thread: m.ThreadTS}, nil
}

func decodeHome(raw json.RawMessage, event bot.Event) (delivery, error) {
	var h struct {
		User string `json:"user"`
		Tab  string `json:"tab"`
	}
	if err := json.Unmarshal(raw, &h); err != nil || h.User == "" {
		return delivery{}, malformed("a look at the home page without user")
	}
	if h.Tab != "home" && h.Tab != "" {
		return delivery{}, errNothing
	}
	event.User, event.Account = h.User, bot.Account{ID: h.User}
	event.Where = bot.Place{Kind: bot.Home}
	event.Home = &bot.HomeOpened{}
	return delivery{source: fromHomeOpened, event: event}, nil
}

// decodeMember reads that somebody joined or changed. It is no deed of a person, so it becomes no event.
func decodeMember(raw json.RawMessage, event bot.Event) (delivery, error) {
	var c struct {
		User slackapi.User `json:"user"`
	}
	if err := json.Unmarshal(raw, &c); err != nil || c.User.ID == "" {
		return delivery{}, malformed("a change of a member without id")
	}
	return delivery{source: fromMember, event: event, changed: accountOf(c.User, event.Tenant)}, nil
}

// stamp is the time in a message's timestamp, 1531420618.000200, or another time.
func stamp(ts string, otherwise time.Time) time.Time {
	sec, micro, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || s <= 0 {
		return otherwise
	}
	us, err := strconv.ParseInt(micro, 10, 32)
	if err != nil || len(micro) != 6 || us < 0 {
		us = 0
	}
	return time.Unix(s, us*1000).UTC()
}
