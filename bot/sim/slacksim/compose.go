package slacksim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Slash types a command in a conversation. The text is what stands in the composer: @handle becomes <@U…|handle>, #name
// becomes <#C…|name>, and &, < and > are escaped, as Slack does when should_escape is on. The error is for commands that
// Slack's client would not send at all; what goes wrong afterwards is in Ack.Error. Commands are never retried.
func (s *Server) Slash(user, channel, command, text string) (Ack, error) {
	s.mu.Lock()
	p, c, err := s.typing(user, channel)
	if err != nil {
		s.mu.Unlock()
		return Ack{}, err
	}
	if known := s.opts.Commands; len(known) > 0 && !slices.ContainsFunc(known, func(k Command) bool { return k.Name == command }) {
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("%s is not a valid command", command)
	}
	if !s.opts.RawMentions {
		text = s.world.typed(text, true)
	}
	now := s.now()
	hook := s.newHook(now, "commands", user, channel)
	form := url.Values{
		"token": {legacyToken}, "team_id": {s.opts.Team.ID}, "team_domain": {s.opts.Team.Domain}, "channel_id": {channel},
		"channel_name": {commandChannelName(c)}, "user_id": {user}, "user_name": {p.Handle}, "command": {command},
		"text": {text}, "api_app_id": {s.opts.AppID}, "is_enterprise_install": {"false"},
		"response_url": {hook.url}, "trigger_id": {s.newTrigger(now, user, "")},
	}
	s.mu.Unlock()

	payload := map[string]string{}
	for k, v := range form {
		payload[k] = v[0]
	}
	r := s.deliver(packet{
		kind: "command", path: "/slack/commands", media: "application/x-www-form-urlencoded", body: []byte(form.Encode()),
		frame: "slash_commands", payload: encodeJSON(payload), accepts: true,
	})
	ack := ackOf(r)
	if ack.Error == "" {
		s.showCommandAnswer(&ack, r, hook)
	}
	return ack, nil
}

func commandChannelName(c *Channel) string {
	switch c.Kind {
	case IM:
		return "directmessage"
	case Private, MPIM:
		return "privategroup"
	}
	return c.Name
}

// typing checks that a person can write in a channel. s.mu is held.
func (s *Server) typing(user, channel string) (*Person, *Channel, error) {
	p, c := s.world.people[user], s.world.channels[channel]
	switch {
	case p == nil:
		return nil, nil, fmt.Errorf("no member %q", user)
	case p.Deleted:
		return nil, nil, fmt.Errorf("member %q is deactivated", user)
	case c == nil || !s.world.canRead(c, user):
		return nil, nil, fmt.Errorf("member %q cannot open channel %q", user, channel)
	case c.Archived:
		return nil, nil, fmt.Errorf("channel %q is archived", channel)
	}
	return p, c, nil
}

// showCommandAnswer puts the immediate answer to a command into the conversation: text, or JSON when it says it is JSON.
func (s *Server) showCommandAnswer(ack *Ack, r reply, hook *responseURL) {
	if len(strings.TrimSpace(string(r.body))) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := args{v: map[string]any{"text": string(r.body)}, about: Finding{Method: "slash", Delivery: r.n}}
	if isJSON(r.media) {
		v, err := decodeJSON(r.body)
		object, isObject := v.(map[string]any)
		if err != nil || !isObject {
			ack.Error = "invalid_command_response"
			s.find(Finding{Rule: "ack.invalid_json", Method: "slash", Delivery: r.n})
			return
		}
		a.v = object
	} else if looksJSON(r.body) {
		s.find(Finding{Rule: "ack.content_type", Detail: r.media, Method: "slash", Delivery: r.n})
	}
	if !a.has("text") && !a.has("blocks") && !a.has("attachments") {
		return // {"response_type":"in_channel"} alone only makes the typed command visible
	}
	s.inspectAnswer(a, r)
	draft, refusal := s.draft(a)
	if refusal.err != "" {
		ack.Error = "invalid_command_response"
		s.find(Finding{Rule: "ack." + refusal.err, Method: "slash", Delivery: r.n})
		return
	}
	m := s.post(hook.channel, draft, ephemeralUnlessInChannel(a, hook.user))
	hook.shown = m.TS
	shown := *m
	ack.Message = &shown
}

func ephemeralUnlessInChannel(a args, user string) string {
	if a.str("response_type") == "in_channel" {
		return ""
	}
	return user
}

// Say writes a message. In the conversation with the bot it becomes a message.im event, in a channel of the bot that
// mentions it an app_mention event; anything else the bot never hears of. The Ack is that of the event.
func (s *Server) Say(user, channel, text string) (Message, Ack, error) {
	return s.Reply(user, channel, "", text)
}

// Reply writes a message in a thread; an empty threadTS is a message of its own.
func (s *Server) Reply(user, channel, threadTS, text string) (Message, Ack, error) {
	s.mu.Lock()
	_, c, err := s.typing(user, channel)
	if err == nil && strings.TrimSpace(text) == "" {
		err = fmt.Errorf("nothing to send in %q", channel)
	}
	if err == nil && threadTS != "" && s.world.message(channel, threadTS) == nil {
		err = fmt.Errorf("no message %q in %q", threadTS, channel)
	}
	if err != nil {
		s.mu.Unlock()
		return Message{}, Ack{}, err
	}
	text = s.world.typed(text, false)
	m := &Message{Channel: channel, TS: s.world.ts(s.now()), User: user, Text: text, ThreadTS: threadTS}
	s.world.add(m)
	msgID := fmt.Sprintf("%08x-0000-4000-8000-%012x", s.world.count("client_msg_id"), s.now().Unix())
	event := map[string]any{
		"client_msg_id": msgID, "type": "message", "user": user, "text": text, "ts": m.TS, "team": s.opts.Team.ID,
		"channel": channel, "event_ts": m.TS,
	}
	if threadTS != "" {
		event["thread_ts"] = threadTS
	}
	heard := true
	switch {
	case c.Kind == IM && s.botIn(c):
		event["channel_type"] = "im"
	case c.Kind != IM && s.botIn(c) && strings.Contains(text, "<@"+s.opts.BotUser+">"):
		event["type"] = "app_mention"
	default:
		heard = false
	}
	sent := *m
	s.mu.Unlock()
	s.change(Change{Kind: ChangeMessage, Channel: channel, TS: m.TS})
	if !heard {
		return sent, Ack{}, nil
	}
	return sent, s.Emit(event), nil
}

// OpenHome opens the bot's App Home: an app_home_opened event with the view that is published, if any.
func (s *Server) OpenHome(user string) (Ack, error) {
	s.mu.Lock()
	p := s.world.people[user]
	if p == nil || p.Deleted || s.opts.NoHomeTab {
		s.mu.Unlock()
		return Ack{}, fmt.Errorf("member %q cannot open the App Home", user)
	}
	event := map[string]any{"type": "app_home_opened", "user": user, "channel": s.openDM(user).ID, "tab": "home"}
	if v := s.world.views[s.world.homes[user]]; v != nil {
		event["view"] = s.viewJSON(v)
	}
	s.mu.Unlock()
	return s.Emit(event), nil
}

// The label of a mention is the handle in commands and absent in messages.
var webAddress = regexp.MustCompile(`^https?://[^\s<>]+`)

// typed turns what a person typed into what Slack stores: mentions and links in angle brackets, the rest escaped.
func (w *world) typed(text string, labels bool) string {
	var b strings.Builder
	before := ' '
	for text != "" {
		if !isWord(before) {
			if taken, markup := w.markup(text, labels); taken > 0 {
				b.WriteString(markup)
				before, _ = utf8.DecodeLastRuneInString(text[:taken])
				text = text[taken:]
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(text)
		b.WriteString(escapeText(text[:size]))
		before, text = r, text[size:]
	}
	return b.String()
}

// markup recognises a mention, channel or address at the start of the text and returns how much of it that was.
func (w *world) markup(text string, labels bool) (int, string) {
	label := func(s string) string {
		if labels {
			return "|" + escapeText(s)
		}
		return ""
	}
	best, markup := 0, ""
	offer := func(prefix, name, made string) {
		n := len(prefix) + len(name)
		if name != "" && n > best && len(text) >= n && strings.EqualFold(text[:n], prefix+name) && endsWord(text[n:], name) {
			best, markup = n, made
		}
	}
	switch text[0] {
	case '@':
		for _, broadcast := range []string{"channel", "here", "everyone"} {
			offer("@", broadcast, "<!"+broadcast+">")
		}
		for _, p := range w.people {
			offer("@", p.Handle, "<@"+p.ID+label(p.Handle)+">")
			if p.DisplayName != "" && strings.HasPrefix(text[1:], p.DisplayName) && w.byMention(p.DisplayName) == p {
				offer("@", p.DisplayName, "<@"+p.ID+label(p.Handle)+">")
			}
		}
		for _, g := range w.groups {
			offer("@", g.Handle, "<!subteam^"+g.ID+label("@"+g.Handle)+">")
		}
	case '#':
		for _, c := range w.channels {
			if c.Kind == Public {
				offer("#", c.Name, "<#"+c.ID+"|"+escapeText(c.Name)+">")
			}
		}
	case 'h':
		if address := webAddress.FindString(text); address != "" {
			return len(address), "<" + escapeText(address) + ">"
		}
	}
	return best, markup
}

func isWord(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '.' || r == '-')
}

// endsWord says whether a name ends before rest. Names in Latin letters need a boundary; Chinese ones run on.
func endsWord(rest, name string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	last, _ := utf8.DecodeLastRuneInString(name)
	return rest == "" || !isWord(last) || !isWord(next) || next == '.'
}

func escapeText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// ref names a message in payloads of the control API.
type ref struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

func (s *Server) teamJSON() map[string]any {
	return map[string]any{"id": s.opts.Team.ID, "domain": s.opts.Team.Domain}
}

func rawOrNull(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

func jsonInt(n int) json.Number { return json.Number(strconv.Itoa(n)) }
