package slack

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"huiyin/bot"
	"huiyin/bot/card"
)

// Names that the adapter keeps for itself; no action of the dialog begins with a tilde.
const (
	linkName = "~link" // a button that opens a web page: Slack tells of the press and wants nothing back
	formName = "~form" // a button that gives a typed command the trigger id that a form needs; its value is the text as it was typed
)

// nameAction is the action_id of a button: the action's name, and a number from the second of its name on, for action ids are unique
// in a block. https://docs.slack.dev/reference/block-kit/block-elements/button-element
func nameAction(name string, seen map[string]int) string {
	seen[name]++
	if n := seen[name]; n > 1 {
		return name + "#" + strconv.Itoa(n)
	}
	return name
}

// checkAction refuses an action that Slack could not carry, so that a test finds it and never a person.
func checkAction(a card.Action) error {
	if a.Name == "" || len(a.Name) > maxID-8 || strings.ContainsAny(a.Name, "#~") {
		return fmt.Errorf("action %q: a name has 1 to %d characters and none of # and ~", a.Name, maxID-8)
	}
	return nil
}

// encodeArgs writes an action's arguments for a button's value; none write nothing.
func encodeArgs(a card.Action) (string, error) {
	if len(a.Args) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(a.Args)
	if err != nil {
		return "", fmt.Errorf("writing the arguments of %s: %w", a.Name, err)
	}
	if units(string(raw)) > maxButtonValue {
		return "", fmt.Errorf("action %s: arguments of %d characters, Slack carries %d", a.Name, units(string(raw)), maxButtonValue)
	}
	return string(raw), nil
}

func decodeAction(id, value string) (card.Action, error) {
	name, _, _ := strings.Cut(id, "#")
	a := card.Action{Name: name}
	if value == "" {
		return a, nil
	}
	if err := json.Unmarshal([]byte(value), &a.Args); err != nil {
		return card.Action{}, fmt.Errorf("reading the arguments of an action: %w", err)
	}
	return a, nil
}

// origin is a modal's private_metadata: the action's arguments, and where the form came from. It holds ids only; people cannot change
// it, but it passes through Slack.
type origin struct {
	Args    []string      `json:"a,omitempty"`
	Channel string        `json:"c,omitempty"`
	Kind    bot.PlaceKind `json:"k,omitempty"`
	Message string        `json:"m,omitempty"`
}

func encodeOrigin(a card.Action, from bot.Place) (string, error) {
	raw, err := json.Marshal(origin{Args: a.Args, Channel: from.Channel, Kind: from.Kind, Message: from.Message.ID})
	if err != nil {
		return "", fmt.Errorf("writing the origin of a form: %w", err)
	}
	if units(string(raw)) > maxMetadata {
		return "", fmt.Errorf("form %s: private data of %d characters, Slack carries %d", a.Name, units(string(raw)), maxMetadata)
	}
	return string(raw), nil
}

func decodeOrigin(raw string) (origin, error) {
	var o origin
	if raw == "" {
		return o, nil
	}
	if err := json.Unmarshal([]byte(raw), &o); err != nil {
		return origin{}, fmt.Errorf("reading the origin of a form: %w", err)
	}
	return o, nil
}

func (o origin) place() bot.Place {
	p := bot.Place{Channel: o.Channel, Kind: max(o.Kind, bot.Direct)}
	if o.Message != "" {
		p.Message = bot.Ref{Channel: o.Channel, ID: o.Message}
	}
	return p
}
