package dingtalk

import (
	"encoding/json"
	"time"

	"huiyin/bot"
)

// callback is a press on a card. https://open.dingtalk.com/document/development/event-callback-card
type callback struct {
	Track     string          `json:"outTrackId"`
	User      string          `json:"userId"`
	Corp      string          `json:"corpId"`
	Type      string          `json:"type"`
	SpaceID   string          `json:"spaceId"`
	SpaceType string          `json:"spaceType"`
	Content   json.RawMessage `json:"content"` // JSON in a string
}

// decodeCard reads a press on a card or a filled form in one. It comes without an id of its own.
func decodeCard(raw []byte, at time.Time) (delivery, error) {
	var c callback
	if err := json.Unmarshal(raw, &c); err != nil {
		return delivery{}, malformed("a card callback that is no JSON")
	}
	if c.Track == "" || c.User == "" {
		return delivery{}, malformed("a card callback without card or user")
	}
	if c.Type != "" && c.Type != "actionCallback" {
		return delivery{}, errNothing
	}
	content := []byte(c.Content)
	var text string
	if json.Unmarshal(content, &text) == nil {
		content = []byte(text)
	}
	var inner struct {
		Private struct {
			Params struct {
				Action string          `json:"action"`
				Form   json.RawMessage `json:"form"`
			} `json:"params"`
		} `json:"cardPrivateData"`
	}
	if err := json.Unmarshal(content, &inner); err != nil {
		return delivery{}, malformed("a card callback whose content is no JSON")
	}
	d := delivery{
		corp: c.Corp, track: c.Track,
		event: bot.Event{
			Platform: Name, User: c.User, At: at, Account: bot.Account{ID: c.User},
			Where: bot.Place{Channel: c.SpaceID, Kind: bot.Direct, Message: bot.Ref{Channel: c.SpaceID, ID: c.Track}},
		},
	}
	if c.SpaceType == "IM_GROUP" {
		d.event.Where.Kind = bot.Channel
	}
	params := inner.Private.Params
	if len(params.Form) > 0 && string(params.Form) != "null" {
		return d.form(params.Form)
	}
	m, err := decodeMark(params.Action)
	if err != nil {
		return delivery{}, err
	}
	d.source = fromCard
	d.event.ID = deed(c.Track, c.User, m, content)
	d.event.Action = &bot.Action{Action: m.Action}
	return d, nil
}

// form reads a filled form; some clients send it as JSON in a string.
func (d delivery) form(raw json.RawMessage) (delivery, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = []byte(text)
	}
	var form map[string]json.RawMessage
	if err := json.Unmarshal(raw, &form); err != nil {
		return delivery{}, malformed("a form that is no object")
	}
	var value string
	if err := json.Unmarshal(form[markField], &value); err != nil {
		return delivery{}, malformed("a form that is not ours")
	}
	m, err := decodeMark(value)
	if err != nil {
		return delivery{}, err
	}
	d.source = fromForm
	d.event.ID = deed(d.track, d.event.User, m, raw)
	d.event.Form = &bot.Submission{Action: m.Action, Values: filled(form)}
	return d, nil
}
