package slacksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"huiyin/bot/sim/backstage"
)

// draft is a message that passed validation.
type draft struct {
	text                          string
	blocks, attachments, metadata json.RawMessage
	setBlocks, setAttachments     bool // given, perhaps empty: an update clears what was there
	thread                        string
	warn                          []string
}

var threadTS = regexp.MustCompile(`^\d{10}\.\d{6}$`)

// draft reads and validates the content of a message from the arguments of a call or an answer. s.mu is held.
func (s *Server) draft(a args) (draft, answer) {
	var d draft
	blocks, err := a.value("blocks")
	if err != nil {
		return d, fail("invalid_blocks_format")
	}
	list, isList := blocks.([]any)
	if blocks != nil && !isList {
		return d, fail("invalid_blocks_format")
	}
	attachments, err := a.value("attachments")
	if err != nil {
		return d, fail("invalid_attachments")
	}
	attached, isList := attachments.([]any)
	if attachments != nil && !isList {
		return d, fail("invalid_attachments")
	}
	d.text = a.str("text")
	d.setBlocks, d.setAttachments = blocks != nil, attachments != nil
	markdown := a.str("markdown_text")
	switch {
	case markdown != "" && (d.text != "" || len(list) > 0):
		return d, fail("markdown_text_conflict")
	case length(markdown) > markdownText:
		return d, fail("msg_too_long")
	case d.text == "" && markdown == "" && len(list) == 0 && len(attached) == 0:
		return d, fail("no_text")
	case len(attached) > 100:
		return d, fail("too_many_attachments")
	}
	if markdown != "" {
		d.text = markdown
	}
	if length(d.text) > textLimit {
		d.text = string([]rune(d.text)[:textLimit])
		d.warn = append(d.warn, "message_truncated")
	}
	if faults := s.validateMessage(list, attached); len(faults) > 0 {
		return d, faults.answer("invalid_blocks")
	}
	if textIn(list) > blocksLimit {
		return d, fail("msg_blocks_too_long")
	}
	if t := a.str("thread_ts"); t != "" {
		if !threadTS.MatchString(t) {
			return d, fail("invalid_thread_ts")
		}
		d.thread = t
	}
	if refusal := d.readMetadata(a); refusal != "" {
		return d, fail(refusal)
	}
	if len(list) > 0 {
		d.blocks = encodeJSON(s.withIDs(list))
	}
	if len(attached) > 0 {
		d.attachments = encodeJSON(attached)
	}
	if backstage.Blank(d.text) && len(list)+len(attached) > 0 && !allFallback(attached, len(list)) {
		f := a.about
		f.Rule, f.Pointer = "message.no_text_fallback", "/text"
		s.find(f)
	}
	return d, answer{}
}

// allFallback says whether a message of attachments alone carries its fallback in each of them.
func allFallback(attached []any, blocks int) bool {
	for _, v := range attached {
		o, _ := v.(map[string]any)
		if f, _ := o["fallback"].(string); backstage.Blank(f) {
			return false
		}
	}
	return blocks == 0
}

// readMetadata takes metadata: an event_type and an event_payload object. https://docs.slack.dev/messaging/message-metadata
func (d *draft) readMetadata(a args) string {
	meta, err := a.value("metadata")
	if err != nil {
		return "invalid_metadata_format"
	}
	if meta == nil {
		return ""
	}
	o, isObject := meta.(map[string]any)
	if !isObject {
		return "invalid_metadata_format"
	}
	kind, hasKind := o["event_type"].(string)
	_, hasPayload := o["event_payload"].(map[string]any)
	switch {
	case !hasKind || kind == "" || !hasPayload:
		return "invalid_metadata_schema"
	case len(encodeJSON(o)) > metaLimit:
		return "metadata_too_large"
	}
	d.metadata = encodeJSON(o)
	return ""
}

// post writes a message of the bot. s.mu is held.
func (s *Server) post(channel string, d draft, ephemeralTo string) *Message {
	m := &Message{
		Channel: channel, TS: s.world.ts(s.now()), User: s.opts.BotUser, BotID: s.botID(), Text: d.text, Blocks: d.blocks,
		Attachments: d.attachments, Metadata: d.metadata, ThreadTS: d.thread, EphemeralTo: ephemeralTo,
	}
	s.world.add(m)
	s.change(Change{Kind: ChangeMessage, User: ephemeralTo, Channel: channel, TS: m.TS})
	return m
}

// replace edits a message. What was not given stays, unless whole says that the draft is the whole new message. s.mu is held.
func (s *Server) replace(m *Message, d draft, whole bool) {
	if d.text != "" || whole {
		m.Text = d.text
	}
	if d.setBlocks || whole {
		m.Blocks = d.blocks
	}
	if d.setAttachments || whole {
		m.Attachments = d.attachments
	}
	if d.metadata != nil {
		m.Metadata = d.metadata
	}
	m.EditedTS = s.world.ts(s.now())
	s.change(Change{Kind: ChangeMessage, User: m.EphemeralTo, Channel: m.Channel, TS: m.TS})
}

// destination finds where chat.postMessage goes: a conversation by id, or a user, whose conversation it opens. s.mu is held.
func (s *Server) destination(id string) (*Channel, string) {
	if s.world.people[id] != nil {
		switch why := s.dmRefusal(id); why {
		case "":
			return s.openDM(id), ""
		case "cannot_dm_bot":
			return nil, why
		default:
			return nil, "channel_not_found"
		}
	}
	c := s.botChannel(id)
	switch {
	case c == nil:
		return nil, "channel_not_found"
	case c.Archived:
		return nil, "is_archived"
	case !s.botIn(c) && !s.opts.PublicWrite:
		return nil, "not_in_channel"
	}
	return c, ""
}

func chatPostMessage(s *Server, a args) answer {
	if !a.has("channel") {
		return s.missing("channel")
	}
	c, why := s.destination(a.str("channel"))
	if why != "" {
		return fail(why)
	}
	d, refusal := s.draft(a)
	if refusal.err != "" {
		return refusal
	}
	if d.thread != "" && s.world.message(c.ID, d.thread) == nil {
		return fail("thread_not_found")
	}
	m := s.post(c.ID, d, "")
	return answer{warn: d.warn, after: s.echo(m), body: map[string]any{
		"channel": c.ID, "ts": m.TS, "message": s.messageJSON(m),
	}}
}

func chatPostEphemeral(s *Server, a args) answer {
	if !a.has("channel") || !a.has("user") {
		return s.missing("channel", "user")
	}
	c := s.botChannel(a.str("channel"))
	p := s.world.people[a.str("user")]
	switch {
	case c == nil:
		return fail("channel_not_found")
	case c.Archived:
		return fail("is_archived")
	case !s.botIn(c):
		return fail("not_in_channel")
	case p == nil || p.Deleted || !slices.Contains(c.Members, p.ID):
		return fail("user_not_in_channel")
	}
	d, refusal := s.draft(a)
	if refusal.err != "" {
		return refusal
	}
	d.metadata = nil
	m := s.post(c.ID, d, p.ID)
	return answer{warn: d.warn, body: map[string]any{"message_ts": m.TS}}
}

// own finds a message of the bot for update and delete, by channel id: a user id is no channel here. s.mu is held.
func (s *Server) own(a args, notMine string) (*Message, answer) {
	if !a.has("channel") || !a.has("ts") {
		return nil, s.missing("channel", "ts")
	}
	c := s.botChannel(a.str("channel"))
	if c == nil {
		return nil, fail("channel_not_found")
	}
	m := s.world.message(c.ID, a.str("ts"))
	switch {
	case m == nil || m.EphemeralTo != "":
		return nil, fail("message_not_found")
	case m.User != s.opts.BotUser:
		return nil, fail(notMine)
	case c.Archived:
		return nil, fail("is_inactive")
	}
	return m, answer{}
}

func chatUpdate(s *Server, a args) answer {
	m, refusal := s.own(a, "cant_update_message")
	if refusal.err != "" {
		return refusal
	}
	if length(a.str("text")) > updateLimit {
		return fail("msg_too_long")
	}
	d, refusal := s.draft(a)
	if refusal.err != "" {
		return refusal
	}
	before := *m
	s.replace(m, d, false)
	return answer{warn: d.warn, after: s.echoEdit("message_changed", before, m), body: map[string]any{
		"channel": m.Channel, "ts": m.TS, "text": m.Text, "message": s.messageJSON(m),
	}}
}

func chatDelete(s *Server, a args) answer {
	m, refusal := s.own(a, "cant_delete_message")
	if refusal.err != "" {
		return refusal
	}
	s.world.remove(m.Channel, m.TS)
	s.change(Change{Kind: ChangeMessage, Channel: m.Channel, TS: m.TS})
	return answer{after: s.echoEdit("message_deleted", *m, nil), body: map[string]any{"channel": m.Channel, "ts": m.TS}}
}

func chatGetPermalink(s *Server, a args) answer {
	c := s.botChannel(a.str("channel"))
	if c == nil {
		return fail("channel_not_found")
	}
	m := s.world.message(c.ID, a.str("message_ts"))
	if m == nil || m.EphemeralTo != "" {
		return fail("message_not_found")
	}
	return ok(map[string]any{"channel": c.ID, "permalink": fmt.Sprintf("https://%s.slack.com/archives/%s/p%s",
		s.opts.Team.Domain, c.ID, strings.ReplaceAll(m.TS, ".", ""))})
}

// messageJSON is the message as the API gives it. s.mu is held.
func (s *Server) messageJSON(m *Message) map[string]any {
	out := map[string]any{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": s.opts.Team.ID}
	if m.BotID != "" {
		maps.Copy(out, map[string]any{
			"bot_id": m.BotID, "app_id": s.opts.AppID,
			"bot_profile": map[string]any{
				"id": m.BotID, "app_id": s.opts.AppID, "user_id": m.User, "name": s.opts.BotName, "deleted": false, "team_id": s.opts.Team.ID,
			},
		})
	}
	for k, v := range map[string]json.RawMessage{"blocks": m.Blocks, "attachments": m.Attachments, "metadata": m.Metadata} {
		if len(v) > 0 {
			out[k] = v
		}
	}
	if m.ThreadTS != "" {
		out["thread_ts"] = m.ThreadTS
	}
	if m.EditedTS != "" {
		out["edited"] = map[string]any{"user": m.User, "ts": m.EditedTS}
	}
	if len(m.Files) > 0 {
		out["files"] = m.Files
	}
	return out
}

// echo is the message.im event which Slack sends about the bot's own message in a direct conversation. s.mu is held.
func (s *Server) echo(m *Message) func() {
	c := s.world.channels[m.Channel]
	if s.opts.NoEcho || c == nil || c.Kind != IM || m.EphemeralTo != "" {
		return nil
	}
	event := s.messageJSON(m)
	delete(event, "metadata")
	maps.Copy(event, map[string]any{"channel": m.Channel, "event_ts": m.TS, "channel_type": "im"})
	return func() { s.clock.Go(func() { s.Emit(event) }) }
}

// echoEdit is the event about an edited or deleted message of the bot; after is nil when it was deleted. s.mu is held.
func (s *Server) echoEdit(subtype string, before Message, after *Message) func() {
	c := s.world.channels[before.Channel]
	if s.opts.NoEcho || c == nil || c.Kind != IM {
		return nil
	}
	ts := s.world.ts(s.now())
	event := map[string]any{
		"type": "message", "subtype": subtype, "hidden": true, "channel": before.Channel, "channel_type": "im",
		"ts": ts, "event_ts": ts, "previous_message": s.messageJSON(&before),
	}
	if after != nil {
		event["message"] = s.messageJSON(after)
	} else {
		event["deleted_ts"] = before.TS
	}
	return func() { s.clock.Go(func() { s.Emit(event) }) }
}
