package slack

import (
	"encoding/json"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
)

// decodeInteractionForm reads an interaction as it comes over HTTP: JSON in the form field payload.
// https://docs.slack.dev/interactivity/handling-user-interaction
func decodeInteractionForm(body []byte, at time.Time) (delivery, error) {
	payload, check := "", false
	err := eachField(body, func(key, value string) {
		switch key {
		case "payload":
			payload = value
		case "ssl_check":
			check = value == "1"
		}
	})
	switch {
	case err != nil:
		return delivery{}, err
	case check:
		return delivery{}, errNothing
	case payload == "":
		return delivery{}, malformed("an interaction without payload")
	}
	return decodeInteraction([]byte(payload), at)
}

// interaction is what we read of an interaction's payload. Our own few fields rather than slack-go's InteractionCallback: it decodes
// whole messages and views with every block in them, and refuses a payload for a field that we never look at.
type interaction struct {
	Type       string       `json:"type"`
	Team       *idOnly      `json:"team"`
	Enterprise *idOnly      `json:"enterprise"`
	User       actor        `json:"user"`
	TriggerID  string       `json:"trigger_id"`
	Response   string       `json:"response_url"`
	CallbackID string       `json:"callback_id"`
	ActionTS   string       `json:"action_ts"`
	Channel    *channelOnly `json:"channel"`
	Container  struct {
		Type      string `json:"type"`
		MessageTS string `json:"message_ts"`
		ChannelID string `json:"channel_id"`
		Ephemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	Actions []pressed `json:"actions"`
	View    *view     `json:"view"`
}

type idOnly struct {
	ID string `json:"id"`
}

type channelOnly struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type actor struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

type pressed struct {
	Type     string `json:"type"`
	ActionID string `json:"action_id"`
	Value    string `json:"value"`
	ActionTS string `json:"action_ts"`
}

type view struct {
	ID         string `json:"id"`
	Hash       string `json:"hash"`
	Type       string `json:"type"`
	CallbackID string `json:"callback_id"`
	Metadata   string `json:"private_metadata"`
	Blocks     []struct {
		Type    string `json:"type"`
		BlockID string `json:"block_id"`
	} `json:"blocks"`
	State struct {
		Values map[string]map[string]answered `json:"values"`
	} `json:"state"`
}

// answered is the state of one input; which field is set depends on the kind of element.
type answered struct {
	Value   *string  `json:"value"`
	Option  *option  `json:"selected_option"`
	Options []option `json:"selected_options"`
	User    string   `json:"selected_user"`
	Users   []string `json:"selected_users"`
	Date    string   `json:"selected_date"`
}

type option struct {
	Value string `json:"value"`
}

func decodeInteraction(payload []byte, at time.Time) (delivery, error) {
	var in interaction
	if err := json.Unmarshal(payload, &in); err != nil {
		return delivery{}, malformed("an interaction that is no JSON")
	}
	tenant := ""
	if in.Team != nil {
		tenant = in.Team.ID
	} else if in.Enterprise != nil {
		tenant = in.Enterprise.ID
	}
	d := delivery{
		trigger: in.TriggerID, response: in.Response,
		event: bot.Event{
			Platform: Name, Tenant: tenant, User: in.User.ID, At: at,
			Account: bot.Account{ID: in.User.ID, Name: tidy(orElse(in.User.Name, in.User.Username))},
		},
	}
	if in.User.ID == "" && in.Type != "" {
		return delivery{}, malformed("an interaction without user")
	}
	switch in.Type {
	case "block_actions":
		return in.action(d)
	case "view_submission":
		return in.submission(d)
	case "shortcut":
		return in.shortcut(d)
	case "block_suggestion":
		d.source = fromSuggestion
		return d, nil
	case "":
		return delivery{}, malformed("an interaction without type")
	}
	return delivery{}, errNothing // view_closed, message_action and whatever comes
}

// action reads a pressed button of a message, a modal or the home page.
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func (in interaction) action(d delivery) (delivery, error) {
	if len(in.Actions) == 0 {
		return delivery{}, malformed("a press of no button")
	}
	p := in.Actions[0]
	if p.Type != "button" || p.ActionID == "" || strings.HasPrefix(p.ActionID, linkName) {
		return delivery{}, errNothing
	}
	d.event.At = stamp(p.ActionTS, d.event.At)
	deed := p.ActionTS + ":" + in.User.ID
	switch {
	case in.View != nil && in.View.Type == "home":
		d.source = fromHomeButton
		d.view, d.hash = in.View.ID, in.View.Hash
		d.event.Where = bot.Place{Kind: bot.Home}
		d.event.ID = in.View.ID + ":" + deed
	case in.View != nil:
		from, err := decodeOrigin(in.View.Metadata)
		if err != nil {
			return delivery{}, malformed("a modal that is not ours")
		}
		d.source = fromViewButton
		d.view, d.hash = in.View.ID, in.View.Hash
		d.event.Where = from.place()
		d.event.ID = in.View.ID + ":" + deed
	default:
		channel, name := in.Container.ChannelID, ""
		if in.Channel != nil {
			channel, name = orElse(channel, in.Channel.ID), in.Channel.Name
		}
		if channel == "" || in.Container.MessageTS == "" {
			return delivery{}, malformed("a press without a message")
		}
		d.source = fromButton
		d.ephemeral = in.Container.Ephemeral
		d.event.Where = bot.Place{Channel: channel, Kind: kindOf(channel, name)}
		if !d.ephemeral { // one that only this person sees cannot be changed later, so nobody else needs its name
			d.event.Where.Message = bot.Ref{Channel: channel, ID: in.Container.MessageTS}
		}
		d.event.ID = in.Container.MessageTS + ":" + deed
	}
	if strings.HasPrefix(p.ActionID, formName) {
		d.raw = p.Value
		d.event.Command = &bot.Command{Parts: parseTyped(p.Value)}
		return d, nil
	}
	a, err := decodeAction(p.ActionID, p.Value)
	if err != nil {
		return delivery{}, malformed("a button that is not ours")
	}
	d.event.Action = &bot.Action{Action: a}
	return d, nil
}

// submission reads a filled modal.
// https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload#view_submission
func (in interaction) submission(d delivery) (delivery, error) {
	if in.View == nil || in.View.ID == "" || in.View.CallbackID == "" {
		return delivery{}, malformed("a submission without view")
	}
	v := in.View
	from, err := decodeOrigin(v.Metadata)
	if err != nil {
		return delivery{}, malformed("a form that is not ours")
	}
	d.source = fromSubmission
	d.view, d.hash = v.ID, v.Hash
	d.event.ID = v.ID + ":" + v.Hash
	d.event.Where = from.place()
	values := card.Values{}
	for name, elements := range v.State.Values {
		for _, a := range elements {
			if got := a.values(); len(got) > 0 {
				values[name] = got
			}
		}
	}
	for _, b := range v.Blocks {
		if b.Type == "input" && b.BlockID != "" {
			d.inputs = append(d.inputs, b.BlockID)
		}
	}
	d.event.Form = &bot.Submission{Action: card.Action{Name: v.CallbackID, Args: from.Args}, Values: values}
	return d, nil
}

func (a answered) values() []string {
	switch {
	case a.Value != nil:
		if text := strings.Trim(typed(*a.Value), " \t\n"); text != "" {
			return []string{text}
		}
	case a.Option != nil:
		return []string{a.Option.Value}
	case len(a.Options) > 0:
		out := make([]string, len(a.Options))
		for i, o := range a.Options {
			out[i] = o.Value
		}
		return out
	case a.User != "":
		return []string{a.User}
	case len(a.Users) > 0:
		return a.Users
	case a.Date != "":
		return []string{a.Date}
	}
	return nil
}

// shortcut reads a global shortcut, which is a bare command by another door.
// https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
func (in interaction) shortcut(d delivery) (delivery, error) {
	if in.CallbackID == "" || in.TriggerID == "" {
		return delivery{}, malformed("a shortcut without name or trigger")
	}
	d.source = fromShortcut
	d.event.ID = in.TriggerID
	d.event.At = stamp(in.ActionTS, d.event.At)
	d.event.Where = bot.Place{Kind: bot.Direct}
	d.event.Command = &bot.Command{Name: in.CallbackID}
	return d, nil
}
