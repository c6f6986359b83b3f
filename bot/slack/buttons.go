package slack

import (
	"slices"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot/card"
)

// pressables are buttons as elements and the text that they take up.
type pressables struct {
	set   []slackapi.BlockElement
	units int
}

// row is the blocks of one card.Buttons.
type row struct {
	blocks []slackapi.Block
	units  int
}

// buttonRows draws all rows of buttons of a card, by the place of their block, within an allowance of blocks and text. A row that does
// not fit is left out.
func buttonRows(blocks []card.Block, allowance, room int) (map[int]row, error) {
	var out map[int]row
	for i, b := range blocks {
		buttons, ok := b.(card.Buttons)
		if !ok {
			continue
		}
		drawn, err := elements(buttons.Buttons)
		if err != nil {
			return nil, err
		}
		r := row{blocks: drawn.rows(), units: drawn.units}
		if len(r.blocks) > allowance || r.units > room {
			continue
		}
		allowance -= len(r.blocks)
		room -= r.units
		if out == nil {
			out = map[int]row{}
		}
		out[i] = r
	}
	return out, nil
}

// rows puts buttons into as few blocks as there must be.
func (p pressables) rows() []slackapi.Block {
	var out []slackapi.Block
	for chunk := range slices.Chunk(p.set, maxElements) {
		out = append(out, slackapi.NewActionBlock("", chunk...))
	}
	return out
}

// elements draws buttons. One that would open anything but a web page is left out.
func elements(buttons []card.Button) (pressables, error) {
	var out pressables
	seen := make(map[string]int, len(buttons))
	for _, b := range buttons {
		e, size, err := element(b, seen)
		if err != nil {
			return pressables{}, err
		}
		if e != nil {
			out.set = append(out.set, e)
			out.units += size
		}
	}
	return out, nil
}

func element(b card.Button, seen map[string]int) (*slackapi.ButtonBlockElement, int, error) {
	label := caption(b.Label, b.Action.Name, maxButtonLabel)
	e := &slackapi.ButtonBlockElement{Type: slackapi.METButton, Text: label, Style: style(b.Style)}
	size := units(label.Text)
	if b.URL != "" {
		address, ok := webAddress(b.URL)
		if !ok {
			return nil, 0, nil
		}
		e.URL, e.ActionID = address, nameAction(linkName, seen)
		return e, size, nil
	}
	if err := checkAction(b.Action); err != nil {
		return nil, 0, err
	}
	value, err := encodeArgs(b.Action)
	if err != nil {
		return nil, 0, err
	}
	e.ActionID, e.Value = nameAction(b.Action.Name, seen), value
	if c := b.Confirm; c != nil {
		title := label.Text
		e.Confirm = &slackapi.ConfirmationBlockObject{
			Title: caption(c.Title, title, maxConfirmTitle), Text: caption(c.Text, title, maxConfirmText),
			Confirm: caption(c.Yes, title, maxConfirmWord), Deny: caption(c.No, "✕", maxConfirmWord), Style: style(b.Style),
		}
		size += units(e.Confirm.Title.Text) + units(e.Confirm.Text.Text) + units(e.Confirm.Confirm.Text) + units(e.Confirm.Deny.Text)
	}
	return e, size, nil
}

func style(s card.Style) slackapi.Style {
	switch s {
	case card.Primary:
		return slackapi.StylePrimary
	case card.Danger:
		return slackapi.StyleDanger
	case card.Default:
	}
	return slackapi.StyleDefault
}
