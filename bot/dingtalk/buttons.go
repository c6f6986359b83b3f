package dingtalk

import (
	"fmt"
	"strconv"

	"huiyin/bot/card"
)

// Button is something that can be done next, with a label that fits. Its URL is one of the web's, or empty for an action.
type Button struct{ card.Button }

// gathered are the buttons of a card: those that a message has room for, and the labels of the rest.
type gathered struct {
	shown []Button
	left  []string
	// numbered says that list items carry numbers, which their buttons refer to.
	numbered bool
}

// gather puts all buttons of a card into one row: DingTalk shows them together under the text. Those of the card come first; those of
// list items say by a number which item they belong to.
func gather(c card.Card, room int) (gathered, error) {
	var g gathered
	var own, ofItems []card.Button
	for i, b := range c.Blocks {
		switch b := b.(type) {
		case card.Buttons:
			own = append(own, b.Buttons...)
		case card.Items:
			for n, it := range b.Items {
				for _, button := range it.Buttons {
					if len(b.Items) > 1 {
						button.Label = strconv.Itoa(n+1) + ". " + button.Label
						g.numbered = true
					}
					ofItems = append(ofItems, button)
				}
			}
		case nil:
			return gathered{}, fmt.Errorf("block %d is nil", i)
		}
	}
	seen := map[string]bool{}
	for i, b := range append(own, ofItems...) {
		label := orElse(oneLine(b.Label), orElse(b.Action.Name, "•"))
		b.Label = cut(label, maxLabel)
		if b.URL != "" {
			address, ok := webAddress(b.URL)
			if !ok {
				continue // it would open something that is no web page
			}
			b.URL = address
		} else if err := checkAction(b.Action); err != nil {
			return gathered{}, fmt.Errorf("button %d: %w", i, err)
		}
		if len(g.shown) < room {
			g.shown = append(g.shown, Button{b})
			continue
		}
		if i >= len(own) { // of thirty items with the same button, its name says it once
			label = oneLine(ofItems[i-len(own)].Label)
			if g.numbered {
				_, label, _ = cutNumber(label)
			}
		}
		if !seen[label] {
			seen[label] = true
			g.left = append(g.left, label)
		}
	}
	return g, nil
}

// cutNumber takes the "3. " off a label.
func cutNumber(label string) (number, rest string, ok bool) {
	for i, r := range label {
		if r == '.' && i > 0 && len(label) > i+2 {
			return label[:i], label[i+2:], true
		}
		if r < '0' || r > '9' {
			break
		}
	}
	return "", label, false
}
