package feishu

import (
	"huiyin/bot"
	"huiyin/bot/card"
)

// buttonRows draws all rows of buttons of a card, by the place of their block, within an allowance of tags and bytes. Buttons that do
// not fit are left out, the last ones first.
func (v *canvas) buttonRows(blocks []card.Block, tags, room int) (map[int]element, error) {
	var out map[int]element
	for i, b := range blocks {
		row, ok := b.(card.Buttons)
		if !ok {
			continue
		}
		buttons, err := v.buttons(row.Buttons)
		if err != nil {
			return nil, err
		}
		for len(buttons) > 0 {
			e := rowOf(buttons)
			if e.tags() <= tags && cost(e) <= room {
				tags -= e.tags()
				room -= cost(e)
				if out == nil {
					out = map[int]element{}
				}
				out[i] = e
				break
			}
			buttons = buttons[:len(buttons)-1]
			v.lost = true
		}
	}
	return out, nil
}

// rowOf lays buttons side by side, as far as the screen goes; JSON 2.0 has no row of its own for them.
func rowOf(buttons []button) columnSet {
	row := columnSet{Tag: "column_set", Flex: "flow", Spacing: "small"}
	for _, b := range buttons {
		row.Columns = append(row.Columns, column{Tag: "column", Width: "auto", Elements: []element{b}})
	}
	return row
}

// rowTags is how many tags so many buttons of an item take up.
func rowTags(buttons int) int {
	switch buttons {
	case 0:
		return 0
	case 1:
		return 5
	}
	return 1 + 3*buttons
}

// buttons draws buttons. One that would open anything but a web page is left out.
func (v *canvas) buttons(buttons []card.Button) ([]button, error) {
	var out []button
	for _, b := range buttons {
		e := button{Tag: "button", Text: caption(b.Label, b.Action.Name, maxLabel), Type: style(b.Style)}
		if b.URL != "" {
			address, ok := webAddress(b.URL)
			if !ok {
				continue
			}
			e.Behaviors = []behavior{{Type: "open_url", URL: address}}
			out = append(out, e)
			continue
		}
		if err := checkAction(b.Action); err != nil {
			return nil, err
		}
		e.Behaviors = []behavior{{Type: "callback", Value: &value{Action: b.Action, Kind: max(v.where, bot.Direct)}}}
		if c := b.Confirm; c != nil {
			e.Confirm = &confirm{Title: caption(c.Title, e.Text.Content, maxConfirm), Text: caption(c.Text, e.Text.Content, maxConfirm)}
		}
		out = append(out, e)
	}
	return out, nil
}

func style(s card.Style) string {
	switch s {
	case card.Primary:
		return "primary_filled"
	case card.Danger:
		return "danger"
	case card.Default:
	}
	return "default"
}

// caption is a short plain text in one line that is never blank.
func caption(s, otherwise string, limit int) *words {
	return plain(cut(orElse(oneLine(s), orElse(oneLine(otherwise), "•")), limit))
}

// maybe is a caption, or nothing when it would be blank.
func maybe(s string, limit int) *words {
	if blank(tidy(s)) {
		return nil
	}
	return caption(s, "", limit)
}
