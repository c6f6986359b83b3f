package chat

import (
	"errors"
	"html/template"
	"strconv"
	"strings"

	"huiyin/bot/sim/dingtalksim"
)

// send types into a composer. A command is text like any other.
func (s *dingtalkSide) send(user, place, text string) (outcome, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return outcome{}, refuse("demo.refused.empty")
	}
	_, _, err := s.sim.Say(user, place, text) // that the bot did not take the message is nothing a person is told
	if err != nil {
		return outcome{}, err
	}
	return outcome{deed: typedDeed(user, text, s.commands(), s.people())}, nil
}

// The groups of what can be pressed: a button of an action card by its place, a control of an interactive card by id and label.
const (
	pressLink = "link"
	pressPart = "part"
)

// press follows a link, or uses a control of an interactive card.
func (s *dingtalkSide) press(as reader, at spot, press string, v entered) (outcome, error) {
	parts, ok := readPress(press)
	if !ok {
		return outcome{}, errors.New("nothing was pressed")
	}
	if parts[0] == pressLink {
		return s.follow(as, at, parts[1])
	}
	if parts[0] != pressPart || len(parts) != 3 {
		return outcome{}, errors.New("nothing was pressed")
	}
	p := dingtalksim.Press{ID: parts[1], Text: parts[2]}
	fields, isForm := readFields[dingtalksim.Input](v, as.zone)[p.ID]
	if isForm {
		p.Form = s.listed(as.user, at.message, p.ID, fields)
	}
	ack, err := s.sim.Press(as.user, at.message, p)
	var wrong dingtalksim.InputErrors
	if errors.As(err, &wrong) {
		why := refusal{key: "demo.field.missing", fields: map[string]string{}}
		for name, text := range wrong {
			why.fields[fieldName(p.ID, name)] = text
		}
		return outcome{}, why
	}
	switch {
	case err != nil:
		return outcome{}, err
	case ack.Error != "": // DingTalk shows one sentence for all of them
		return outcome{}, refuse("demo.ack.dingtalk", "Code", ack.Error)
	case ack.URL != "":
		return s.open(as, at, ack.URL)
	}
	out := outcome{deed: deed{Kind: "press", User: as.user}}
	if isForm {
		out.deed.Kind, out.deed.Whole = "submit", true
		people := s.byID()
		for _, in := range p.Form {
			if len(in) > 0 && people[in[0]].id != "" {
				out.deed.To = people[in[0]].id
			}
		}
	}
	return out, nil
}

// listed splits what stands in fields that hold several texts, one in each line.
func (s *dingtalkSide) listed(user, message, form string, fields map[string]dingtalksim.Input) map[string]dingtalksim.Input {
	m, _ := s.sim.Message(message)
	view, _ := s.sim.Card(m.Card, user)
	for _, p := range view.Parts {
		for _, f := range p.Fields {
			if in := fields[f.Name]; p.ID == form && f.Type == dingtalksim.FieldTextArray && len(in) > 0 {
				fields[f.Name] = strings.FieldsFunc(strings.Join(in, "\n"), func(r rune) bool { return r == '\n' })
			}
		}
	}
	return fields
}

// follow opens a button of an action card.
func (s *dingtalkSide) follow(as reader, at spot, which string) (outcome, error) {
	n, err := strconv.Atoi(which)
	if err != nil {
		return outcome{}, errors.New("no link was named")
	}
	for _, m := range s.sim.Messages(at.place, as.user) {
		if m.ID != at.message {
			continue
		}
		for _, b := range buttonsOf(nodeOf([]byte(m.Content))) {
			if b.at == n {
				return s.open(as, at, b.url)
			}
		}
	}
	return outcome{}, errors.New("the link is not there")
}

// open does what DingTalk does with an address.
func (s *dingtalkSide) open(as reader, at spot, address string) (outcome, error) {
	page, text := opened(address)
	switch {
	case text != "":
		return s.send(as.user, at.place, text)
	case page == "":
		return outcome{}, refuse("demo.refused.address", "Address", address)
	}
	return outcome{deed: deed{Kind: "press", User: as.user}, sheet: &sheet{URL: page}}, nil
}

// choices: no control of DingTalk's is searched.
func (s *dingtalkSide) choices(reader, spot, string, string, entered) (template.HTML, error) {
	return "", errors.New("no control is searched")
}
