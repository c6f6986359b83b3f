package feishu

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"huiyin/bot"
	"huiyin/bot/card"
)

// value is what a button carries to Feishu and back: the action, and what the press does not tell. It holds ids only; people cannot
// change it, but it passes through Feishu.
type value struct {
	card.Action
	Kind bot.PlaceKind `json:"k,omitempty"` // who else sees the card; a press names its chat and not the kind of it

	// Of the button that submits a form:
	Submits bool          `json:"s,omitempty"`
	Origin  string        `json:"c,omitempty"` // the chat in which the form was asked for
	From    bot.PlaceKind `json:"o,omitempty"` // and its kind
	Lang    string        `json:"l,omitempty"`
	Form    string        `json:"f,omitempty"` // the form's definition, packed, so that it can be drawn again with what is wrong
}

// checkAction refuses an action that cannot be carried, so that a test finds it and never a person.
func checkAction(a card.Action) error {
	if a.Name == "" || len(a.Name) > maxName {
		return fmt.Errorf("action %q: a name has 1 to %d characters", a.Name, maxName)
	}
	return nil
}

// decodePress reads the press of a button or a filled form. A value that is no object, or has no action in it, is not ours; the person
// is told, and nothing breaks.
// https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-callback-communication.md
func decodePress(raw json.RawMessage, event bot.Event) (delivery, error) {
	var p struct {
		Operator struct {
			ids
			TenantKey string `json:"tenant_key"`
		} `json:"operator"`
		Action struct {
			Value  json.RawMessage            `json:"value"`
			Values map[string]json.RawMessage `json:"form_value"`
		} `json:"action"`
		Context struct {
			Message string `json:"open_message_id"`
			Chat    string `json:"open_chat_id"`
		} `json:"context"`
	}
	if err := json.Unmarshal(raw, &p); err != nil || p.Operator.OpenID == "" {
		return delivery{}, malformed("a press without person")
	}
	event.Tenant = orElse(p.Operator.TenantKey, event.Tenant)
	event.User, event.Account = p.Operator.OpenID, bot.Account{ID: p.Operator.OpenID}
	d := delivery{source: fromForeign, event: event}
	if d.value = valueOf(p.Action.Value); d.value.Name == "" {
		return d, nil
	}
	place := bot.Place{Channel: p.Context.Chat, Kind: bot.Channel}
	home := p.Context.Chat
	if d.value.Kind == bot.Direct {
		place.Kind, home = bot.Direct, event.User
	}
	if p.Context.Message != "" {
		place.Message = bot.Ref{Channel: home, ID: p.Context.Message}
	}
	d.event.Where, d.event.Lang = place, d.value.Lang
	if !d.value.Submits {
		d.source = fromButton
		d.event.Action = &bot.Action{Action: d.value.Action}
		return d, nil
	}
	d.source, d.form = fromSubmission, place.Message
	if d.value.From == bot.Channel && d.value.Origin != "" {
		d.event.Where.Channel, d.event.Where.Kind = d.value.Origin, bot.Channel
	}
	d.event.Form = &bot.Submission{Action: d.value.Action, Values: formValues(p.Action.Values)}
	if p.Context.Message != "" {
		// Two clicks are two events to Feishu. A form that stands in one message is filled once: what was refused recorded nothing, so that
		// the same form with its mistakes mended is still that one deed.
		d.event.ID = formID(p.Context.Message, d.value.Action)
	}
	return d, nil
}

// formID names the deed of filling a form.
func formID(message string, a card.Action) string {
	sum := sha256.Sum256([]byte(a.Name + "\n" + strings.Join(a.Args, "\n")))
	return "form:" + message + ":" + hex.EncodeToString(sum[:8])
}

// valueOf reads a button's value; what is not ours has no name.
func valueOf(raw json.RawMessage) value {
	var v value
	if json.Unmarshal(raw, &v) != nil || !kind(v.Kind) || !kind(v.From) {
		return value{}
	}
	return v
}

func kind(k bot.PlaceKind) bool { return k == 0 || k == bot.Direct || k == bot.Channel }

// typedNames begins the name of an input in which people are named in words, because there was nobody to choose from.
const typedNames = "names__"

// pickedDate is a day as a date picker gives it, with the zone that it means nothing in.
var pickedDate = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}) [+-]\d{4}$`)

// formValues reads what was filled in, by the shape of what each component sends: a text, a day, an id, or several ids. Names of people
// that were typed come with an @ in front, as they would in a message.
func formValues(raw map[string]json.RawMessage) card.Values {
	values := card.Values{}
	for name, r := range raw {
		got := formValue(r)
		if real, isNames := strings.CutPrefix(name, typedNames); isNames {
			name, got = real, namesIn(got)
		}
		if len(got) > 0 {
			values[name] = got
		}
	}
	return values
}

func formValue(raw json.RawMessage) []string {
	var one string
	var yes bool
	var many []string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		if day := pickedDate.FindStringSubmatch(one); day != nil {
			return day[1:]
		}
		if one = strings.Trim(typed(one), " \t\n"); one != "" {
			return []string{one}
		}
	case json.Unmarshal(raw, &yes) == nil:
		return []string{strconv.FormatBool(yes)}
	case json.Unmarshal(raw, &many) == nil:
		return slices.DeleteFunc(many, func(s string) bool { return s == "" })
	}
	return nil
}

// namesIn splits typed names: 林晓、@Kai Weber，王伟.
func namesIn(typed []string) []string {
	var out []string
	for _, words := range typed {
		for _, name := range strings.FieldsFunc(words, func(r rune) bool { return strings.ContainsRune(",，、;；\n", r) }) {
			if name = strings.TrimSpace(strings.TrimLeft(name, " @＠")); name != "" {
				out = append(out, "@"+name)
			}
		}
	}
	return out
}
