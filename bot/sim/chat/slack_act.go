package chat

import (
	"errors"
	"html/template"
	"slices"
	"strings"

	"huiyin/bot/sim/slacksim"
)

// send types into a composer: a command when it begins with a slash, else a message.
func (s *slackSide) send(user, place, text string) (outcome, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return outcome{}, refuse("demo.refused.empty")
	}
	name, isCommand := slackCommand(text)
	if !isCommand {
		_, _, err := s.sim.Say(user, place, text) // that the bot did not take the event is nothing a person is told
		return outcome{deed: deed{Kind: "say", User: user}}, err
	}
	known := s.sim.Commands()
	if len(known) > 0 && !slices.ContainsFunc(known, func(c slacksim.Command) bool { return c.Name == name }) {
		return outcome{}, refuse("demo.refused.command", "Command", name)
	}
	words := strings.TrimSpace(text[len(name):])
	ack, err := s.sim.Slash(user, place, name, words)
	if err != nil {
		return outcome{}, err
	}
	return outcome{deed: deed{Kind: "command", User: user, To: firstNamed(words, s.people()), Name: name[1:], Whole: words != ""}}, refused(ack, name)
}

// slackCommand is the command that a text begins with. A slash in front of a space or of another slash is no command.
func slackCommand(text string) (string, bool) {
	name := text
	if i := strings.IndexAny(text, " \t\n\u3000"); i >= 0 {
		name = text[:i]
	}
	return name, len(name) > 1 && name[0] == '/' && name[1] != '/'
}

// refused is what Slack's client shows when the bot's answer could not be used.
func refused(ack slacksim.Ack, command string) error {
	if ack.Error == "" {
		return nil
	}
	return refuse("demo.ack."+ack.Error, "Command", command)
}

func (s *slackSide) press(as reader, at spot, press string, v entered) (outcome, error) {
	p, ok := pressed(press)
	if !ok {
		return outcome{}, errors.New("nothing was pressed")
	}
	p.Values = readFields[slacksim.Input](v, as.zone)
	if p.Value == nil {
		p.Value = p.Values[p.Block][p.Action]
	}
	ack, err := s.sim.Click(as.user, slackPlace(at), p)
	if err != nil {
		return outcome{}, err
	}
	if err := refused(ack, ""); err != nil {
		return outcome{}, err
	}
	d := deed{Kind: "press", User: as.user}
	if at.message == "" {
		d.Kind = "" // in a form or on a page of their own nobody was answered
	}
	return outcome{deed: d}, nil
}

func slackPlace(at spot) slacksim.Place {
	return slacksim.Place{Channel: at.place, TS: at.message, View: at.view}
}

// submit sends a modal. Fields that Slack's client refuses stand in the modal afterwards, so that nothing is left to say.
func (s *slackSide) submit(as reader, modal string, v entered) (outcome, error) {
	filled := readFields[slacksim.Input](v, as.zone)
	ack, err := s.sim.Submit(as.user, modal, filled)
	var fields slacksim.InputErrors
	if errors.As(err, &fields) {
		return outcome{}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	if err := refused(ack, ""); err != nil {
		return outcome{}, err
	}
	d := deed{Kind: "submit", User: as.user, Whole: ack.Action == "close" || ack.Action == "clear"}
	people := s.byID()
	for _, in := range filled {
		for _, values := range in {
			if len(values) > 0 && people[values[0]].id != "" {
				d.To = values[0]
			}
		}
	}
	return outcome{deed: d}, nil
}

func (s *slackSide) dismiss(user, modal string) error {
	_, err := s.sim.CloseView(user, modal, false)
	return err
}

// choices are what a searched select offers: people or channels of the workspace, or what the bot suggests.
func (s *slackSide) choices(as reader, at spot, element, typed string, v entered) (template.HTML, error) {
	p, ok := pressed(element)
	if !ok {
		return "", errors.New("no control was named")
	}
	blocks := s.blocksAt(as.user, at)
	el, ok := elementAt(blocks, p.Block, p.Action)
	if !ok {
		return "", errors.New("the control is not there")
	}
	d := s.drawing(as, s.byID(), as.ids)
	d.held = readFields[slacksim.Input](v, as.zone)
	if strings.HasSuffix(el.str("type"), "external_select") {
		ack, err := s.sim.Suggest(as.user, slackPlace(at), slacksim.Press{Block: p.Block, Action: p.Action}, typed)
		if err != nil {
			return "", err
		}
		if err := refused(ack, ""); err != nil {
			return "", err
		}
		el["options"] = nodesOf(ack.Options).any()
	}
	c := d.control(el, p.Block)
	d.search(&c, el, typed)
	return d.execute("choices", c), nil
}

// blocksAt are the blocks that stand where a control is.
func (s *slackSide) blocksAt(user string, at spot) []byte {
	if at.view != "" {
		if v, ok := s.sim.Home(user); ok && v.ID == at.view {
			return v.Blocks
		}
		for _, v := range s.sim.Views(user) {
			if v.ID == at.view {
				return v.Blocks
			}
		}
		return nil
	}
	for _, m := range s.sim.Messages(at.place, user) {
		if m.TS == at.message {
			return m.Blocks
		}
	}
	return nil
}

// pressed reads a press: of which block and action, and for an item of a menu which value.
func pressed(press string) (slacksim.Press, bool) {
	parts, ok := readPress(press)
	if !ok {
		return slacksim.Press{}, false
	}
	p := slacksim.Press{Block: parts[0], Action: parts[1]}
	if len(parts) == 3 {
		p.Value = slacksim.Input{parts[2]}
	}
	return p, true
}
