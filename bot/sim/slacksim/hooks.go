package slacksim

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

const (
	triggerLife  = 3 * time.Second
	hookLife     = 30 * time.Minute
	hookUses     = 5
	forgetAfter  = time.Hour // of triggers and addresses long expired
	stackLimit   = 3
	viewLimit    = 250_000 // bytes of JSON
	updateLimit  = 4_000   // characters of text in chat.update; https://docs.slack.dev/reference/methods/chat.update
	textLimit    = 40_000  // characters, cut with a warning beyond
	metaLimit    = 16_000  // bytes of event_payload; the vendor names no number
	blocksLimit  = 9_597   // characters in all blocks: the largest message known to be accepted (bolt-js#2867)
	markdownText = 12_000  // characters of markdown_text and of all markdown blocks
)

// trigger is a trigger_id: who acted, when, and in which modal.
type trigger struct {
	user   string
	issued time.Time
	used   bool
	view   string // the modal in which it arose, for views.push
}

// newTrigger issues a trigger_id in Slack's form, three parts between dots. s.mu is held.
func (s *Server) newTrigger(now time.Time, user, view string) string {
	id := fmt.Sprintf("%d.%d.%016x%016x", 398738663000+s.world.count("trigger"), 47445629121, s.rng.Uint64(), s.rng.Uint64())
	if len(s.world.triggers)%1024 == 1023 {
		maps.DeleteFunc(s.world.triggers, func(_ string, t *trigger) bool { return now.Sub(t.issued) > forgetAfter })
	}
	s.world.triggers[id] = &trigger{user: user, issued: now, view: view}
	return id
}

// exchange uses a trigger_id up, or says why not. s.mu is held.
func (s *Server) exchangeTrigger(id string) (*trigger, string) {
	t := s.world.triggers[id]
	switch {
	case t == nil:
		return nil, "invalid_trigger_id"
	case t.used:
		return nil, "exchanged_trigger_id"
	case s.now().Sub(t.issued) > triggerLife:
		return nil, "expired_trigger_id"
	}
	t.used = true
	return t, ""
}

// responseURL is the address that comes with a command or with an action on a message.
type responseURL struct {
	url, secret    string
	user, channel  string
	source         string // ts of the message acted on; empty for commands
	shown          string // ts of the last message that came through it
	made           time.Time
	uses           int
	ephemeralStart bool // the source is ephemeral
}

// newHook issues a response_url. s.mu is held.
func (s *Server) newHook(now time.Time, kind, user, channel string) *responseURL {
	id := fmt.Sprint(397700885000 + s.world.count("hook"))
	h := &responseURL{secret: fmt.Sprintf("%016x%016x", s.rng.Uint64(), s.rng.Uint64()), user: user, channel: channel, made: now}
	h.url = strings.Join([]string{s.opts.BaseURL, kind, s.opts.Team.ID, id, h.secret}, "/")
	if len(s.world.hooks)%1024 == 1023 {
		maps.DeleteFunc(s.world.hooks, func(_ string, h *responseURL) bool { return now.Sub(h.made) > forgetAfter })
	}
	s.world.hooks[id] = h
	return h
}

// serveResponseURL takes what the bot posts to a response_url: JSON, at most 5 times within 30 minutes.
func (s *Server) serveResponseURL(w http.ResponseWriter, r *http.Request) {
	r.SetPathValue("method", "response_url")
	req := readRequest(r, true)
	s.mu.Lock()
	call := &Call{N: s.world.count("call"), At: s.now(), Method: req.name, Body: req.body, Args: req.args.v}
	req.args.about = Finding{Method: req.name, Call: call.N}
	f := s.draw(req.name)
	s.mu.Unlock()
	if f.before(r.Context(), w) {
		s.record(call, answer{}, 0, f.String())
		return
	}
	if f.answers() {
		s.respond(w, call, f.answer(), f)
		return
	}
	s.mu.Lock()
	a, status := s.throughHook(r.PathValue("id"), r.PathValue("secret"), req) //nolint:contextcheck // an event outlives the request that caused it
	s.mu.Unlock()
	if a.after != nil {
		defer a.after()
	}
	if f.AcceptThenDrop {
		s.record(call, a, 0, f.String())
		backstage.Drop(w)
		return
	}
	s.respond(w, call, a, Fault{Status: status})
}

func (s *Server) throughHook(id, secret string, req request) (answer, int) {
	h := s.world.hooks[id]
	switch {
	case h == nil || h.secret != secret:
		return fail("invalid_url"), http.StatusNotFound
	case s.now().Sub(h.made) > hookLife:
		return fail("expired_url"), http.StatusNotFound
	case h.uses >= hookUses:
		return fail("used_url"), http.StatusNotFound
	case req.err != "":
		return fail(req.err), http.StatusBadRequest
	}
	if payload := req.args.str("payload"); req.body == "form" && payload != "" {
		v, err := decodeJSON([]byte(payload))
		object, isObject := v.(map[string]any)
		if err != nil || !isObject {
			return fail("invalid_payload"), http.StatusBadRequest
		}
		req.args.v = object
	}
	h.uses++
	s.inspectRequest(req)
	return s.answerHook(h, req.args), http.StatusOK
}

// answerHook posts, replaces or deletes. Ephemeral is the default. s.mu is held.
func (s *Server) answerHook(h *responseURL, a args) answer {
	target := h.shown
	if h.source != "" {
		target = h.source
	}
	if a.flag("delete_original") {
		if s.world.message(h.channel, target) == nil {
			return fail("message_not_found")
		}
		s.world.remove(h.channel, target)
		return answer{body: map[string]any{}, after: func() {
			s.change(Change{Kind: ChangeMessage, Channel: h.channel, TS: target})
		}}
	}
	d, refusal := s.draft(a)
	if refusal.err != "" {
		return refusal
	}
	if m := s.world.message(h.channel, target); m != nil && a.flag("replace_original") {
		s.replace(m, d, true)
		return answer{body: map[string]any{}, warn: d.warn, after: func() {
			s.change(Change{Kind: ChangeMessage, User: m.EphemeralTo, Channel: m.Channel, TS: m.TS})
		}}
	}
	m := s.post(h.channel, d, ephemeralUnlessInChannel(a, h.user))
	h.shown = m.TS
	return answer{body: map[string]any{}, warn: d.warn, after: s.echo(m)}
}
