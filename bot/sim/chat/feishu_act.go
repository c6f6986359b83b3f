package chat

import (
	"cmp"
	"errors"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"huiyin/bot/sim/feishusim"
)

// send types into a composer. A command is text like any other: Feishu tells the bot nothing more of it.
func (s *feishuSide) send(user, place, text string) (outcome, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return outcome{}, refuse("demo.refused.empty")
	}
	_, _, err := s.sim.Say(user, place, text) // that the bot did not take the event is nothing a person is told
	if err != nil {
		return outcome{}, err
	}
	return outcome{deed: typedDeed(user, text, s.commands(), s.people())}, nil
}

// typedDeed is what was done by typing a text where commands are text: a command when it begins with one, after mentions of the bot.
func typedDeed(user, text string, known []CommandHint, people []person) deed {
	for _, p := range people {
		if p.bot {
			text = strings.TrimSpace(strings.TrimPrefix(text, "@"+p.mentioned()))
		}
	}
	name, words, _ := strings.Cut(strings.Replace(text, "／", "/", 1), " ")
	for _, c := range known {
		if name == c.Name || strings.HasPrefix(name, "/") && slices.Contains(c.Aliases, name[1:]) {
			words = strings.TrimSpace(words)
			return deed{Kind: "command", User: user, To: firstNamed(words, people), Name: c.Name[1:], Whole: words != ""}
		}
	}
	return deed{Kind: "say", User: user}
}

// pick chooses an entry of the bot's menu.
func (s *feishuSide) pick(as reader, key string) (outcome, error) {
	ack, err := s.sim.Menu(as.user, key)
	if err != nil {
		return outcome{}, err
	}
	return outcome{deed: deed{Kind: "press", User: as.user}}, s.refused(ack)
}

// press uses a control of a card. Its group is the form around it, its name the place in the card.
func (s *feishuSide) press(as reader, at spot, press string, v entered) (outcome, error) {
	parts, ok := readPress(press)
	if !ok {
		return outcome{}, errors.New("nothing was pressed")
	}
	form, fields := parts[0], readFields[feishusim.Input](v, as.zone)
	p := feishusim.Press{At: parts[1]}
	switch {
	case len(parts) == 3:
		p.Value = feishusim.Input{parts[2]}
	case form == "":
		p.Value = fields[""][p.At]
	default:
		p.Form = fields[form]
	}
	ack, err := s.sim.Press(as.user, at.message, p)
	var wrong feishusim.InputErrors
	if errors.As(err, &wrong) {
		why := refusal{key: "demo.field.missing", fields: map[string]string{}}
		for name, text := range wrong {
			why.fields[fieldName(form, name)] = text
		}
		return outcome{}, why
	}
	if err != nil {
		return outcome{}, err
	}
	if err := s.refused(ack); err != nil {
		return outcome{}, err
	}
	out := outcome{deed: deed{Kind: "press", User: as.user}}
	people := s.byID()
	if ack.Toast != nil {
		out.toast = &toast{Kind: ack.Toast.Type, Text: cmp.Or(ack.Toast.I18n[people[as.user].lang], ack.Toast.Content)}
	}
	if form != "" {
		out.deed.Kind, out.deed.Whole = "submit", out.toast == nil || out.toast.Kind != "error" && out.toast.Kind != "warning"
		for _, in := range p.Form {
			if len(in) > 0 && people[in[0]].id != "" {
				out.deed.To = people[in[0]].id
			}
		}
	}
	return out, nil
}

// refused is what Feishu's client shows when the bot's answer could not be used.
func (s *feishuSide) refused(ack feishusim.Ack) error {
	if ack.Error == "" {
		return nil
	}
	return refuse("demo.ack."+ack.Error, "Code", ack.Error)
}

// choices are the people whom a select of persons offers.
func (s *feishuSide) choices(as reader, at spot, element, typed string, v entered) (template.HTML, error) {
	parts, ok := readPress(element)
	if !ok {
		return "", errors.New("no control was named")
	}
	for _, m := range s.sim.Messages(at.place, as.user) {
		if m.ID != at.message {
			continue
		}
		el := nodeAt(nodeOf([]byte(m.Content)), parts[1])
		if !strings.HasSuffix(el.str("tag"), "select_person") {
			break
		}
		d := s.drawing(as, s.byID(), as.ids)
		d.message, d.form = m, parts[0]
		c := d.control(el, parts[1])
		d.persons(&c, el, readFields[feishusim.Input](v, as.zone)[parts[0]][cmp.Or(el.str("name"), parts[1])], typed)
		return d.execute("choices", c), nil
	}
	return "", errors.New("the control is not there")
}

// nodeAt follows a JSON pointer through objects and lists.
func nodeAt(n node, pointer string) node {
	var v any = map[string]any(n)
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		}
	}
	out, _ := v.(map[string]any)
	return out
}
