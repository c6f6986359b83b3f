package chat

import (
	"errors"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/slacksim"
)

// send types into a composer: a command when it begins with a slash, else a message.
func (s *slackSide) send(user, place, text string) (deed, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return deed{}, refuse("demo.refused.empty")
	}
	name, isCommand := slackCommand(text)
	if !isCommand {
		_, _, err := s.sim.Say(user, place, text) // that the bot did not take the event is nothing a person is told
		return deed{Kind: "say", User: user}, err
	}
	known := s.sim.Commands()
	if len(known) > 0 && !slices.ContainsFunc(known, func(c slacksim.Command) bool { return c.Name == name }) {
		return deed{}, refuse("demo.refused.command", "Command", name)
	}
	words := strings.TrimSpace(text[len(name):])
	ack, err := s.sim.Slash(user, place, name, words)
	if err != nil {
		return deed{}, err
	}
	return deed{Kind: "command", User: user, To: s.named(words), Name: name[1:], Whole: words != ""}, refused(ack, name)
}

// named is the first person whom a text mentions.
func (s *slackSide) named(text string) string {
	text = strings.ToLower(text)
	id, first, longest := "", len(text), 0
	for _, p := range s.people() {
		at := strings.Index(text, "@"+strings.ToLower(p.handle))
		if at >= 0 && !p.bot && (at < first || at == first && len(p.handle) > longest) {
			id, first, longest = p.id, at, len(p.handle)
		}
	}
	return id
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

func (s *slackSide) press(as reader, at spot, press string, v entered) (deed, error) {
	p, ok := readPress(press)
	if !ok {
		return deed{}, errors.New("nothing was pressed")
	}
	p.Values = readFields(v, as.zone)
	if p.Value == nil {
		p.Value = p.Values[p.Block][p.Action]
	}
	ack, err := s.sim.Click(as.user, slackPlace(at), p)
	if err != nil {
		return deed{}, err
	}
	if err := refused(ack, ""); err != nil {
		return deed{}, err
	}
	d := deed{Kind: "press", User: as.user}
	if at.message == "" {
		d.Kind = "" // in a form or on a page of their own nobody was answered
	}
	return d, nil
}

func slackPlace(at spot) slacksim.Place {
	return slacksim.Place{Channel: at.place, TS: at.message, View: at.view}
}

// submit sends a modal. Fields that Slack's client refuses stand in the modal afterwards, so that nothing is left to say.
func (s *slackSide) submit(as reader, modal string, v entered) (deed, error) {
	filled := readFields(v, as.zone)
	ack, err := s.sim.Submit(as.user, modal, filled)
	var fields slacksim.InputErrors
	if errors.As(err, &fields) {
		return deed{}, nil
	}
	if err != nil {
		return deed{}, err
	}
	if err := refused(ack, ""); err != nil {
		return deed{}, err
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
	return d, nil
}

func (s *slackSide) dismiss(user, modal string) error {
	_, err := s.sim.CloseView(user, modal, false)
	return err
}

// choices are what a searched select offers: people or channels of the workspace, or what the bot suggests.
func (s *slackSide) choices(as reader, at spot, element, typed string, v entered) (template.HTML, error) {
	p, ok := readPress(element)
	if !ok {
		return "", errors.New("no control was named")
	}
	blocks := s.blocksAt(as.user, at)
	el, ok := elementAt(blocks, p.Block, p.Action)
	if !ok {
		return "", errors.New("the control is not there")
	}
	d := s.drawing(as, s.byID(), as.ids)
	d.held = readFields(v, as.zone)
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

// A field is named "v BLOCK ACTION" with both escaped; "t BLOCK ACTION" is a moment without a zone. The press is "BLOCK ACTION",
// for an item of a menu "BLOCK ACTION VALUE".

func fieldName(block, action string) string {
	return "v " + url.QueryEscape(block) + " " + url.QueryEscape(action)
}

func pressName(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.QueryEscape(p)
	}
	return strings.Join(parts, " ")
}

func unescaped(escaped string) ([]string, bool) {
	parts := strings.Split(escaped, " ")
	for i, p := range parts {
		text, err := url.QueryUnescape(p)
		if err != nil {
			return nil, false
		}
		parts[i] = text
	}
	return parts, true
}

func readPress(press string) (slacksim.Press, bool) {
	parts, ok := unescaped(press)
	if !ok || len(parts) < 2 || len(parts) > 3 {
		return slacksim.Press{}, false
	}
	p := slacksim.Press{Block: parts[0], Action: parts[1]}
	if len(parts) == 3 {
		p.Value = slacksim.Input{parts[2]}
	}
	return p, true
}

// readFields reads what stands in a form. An empty value says that the field is there with nothing in it.
func readFields(v entered, zone *time.Location) map[string]map[string]slacksim.Input {
	out := map[string]map[string]slacksim.Input{}
	for name, values := range v {
		moment := strings.HasPrefix(name, "t ")
		if !moment && !strings.HasPrefix(name, "v ") {
			continue
		}
		parts, ok := unescaped(name[2:])
		if !ok || len(parts) != 2 {
			continue
		}
		var in slacksim.Input
		for _, value := range values {
			value = strings.ReplaceAll(value, "\r\n", "\n")
			if moment {
				value = fromLocal(value, zone)
			}
			if value != "" {
				in = append(in, value)
			}
		}
		if out[parts[0]] == nil {
			out[parts[0]] = map[string]slacksim.Input{}
		}
		out[parts[0]][parts[1]] = in
	}
	return out
}

// localMoment is how an input of type datetime-local writes a moment.
const localMoment = "2006-01-02T15:04"

func fromLocal(value string, zone *time.Location) string {
	t, err := time.ParseInLocation(localMoment, value, zone)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

func toLocal(unix string, zone *time.Location) string {
	n, err := strconv.ParseInt(unix, 10, 64)
	if err != nil {
		return ""
	}
	return time.Unix(n, 0).In(zone).Format(localMoment)
}
