package slacksim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

// answer is what a method says; the keys of body beside ok and error.
type answer struct {
	err  string
	body map[string]any
	warn []string
	// retryAfter makes the answer HTTP 429 with that many seconds.
	retryAfter int
	// after is done when the answer is settled and the lock free: events to send, changes to tell.
	after func()
}

func ok(body map[string]any) answer { return answer{body: body} }

func fail(code string) answer { return answer{err: code} }

// missing is the answer to a call without a required argument.
func (s *Server) missing(names ...string) answer {
	a := answer{err: "invalid_arguments"}
	var messages []string
	for _, n := range names {
		messages = append(messages, "[ERROR] missing required field: "+n)
	}
	a.body = map[string]any{"response_metadata": map[string]any{"messages": messages}}
	return a
}

// method is one row of the Web API.
type method struct {
	call func(*Server, args) answer
	tier int // requests a minute; 0 means a limit of its own or none
	// json says that an application/json body is read; the others ignore it. https://docs.slack.dev/apis/web-api/
	json bool
	// app says that the app-level token is wanted, not the bot's; none that no token is.
	app, none bool
}

// methods is what this workspace serves. Tiers are those of each method's reference page.
func methods() map[string]method {
	return map[string]method{
		"api.test":                     {call: apiTest, tier: 100, json: true, none: true},
		"auth.test":                    {call: authTest, json: true},
		"apps.connections.open":        {call: appsConnectionsOpen, tier: 50, json: true, app: true},
		"bots.info":                    {call: botsInfo, tier: 50},
		"chat.delete":                  {call: chatDelete, tier: 50, json: true},
		"chat.getPermalink":            {call: chatGetPermalink},
		"chat.postEphemeral":           {call: chatPostEphemeral, tier: 100, json: true},
		"chat.postMessage":             {call: chatPostMessage, json: true},
		"chat.update":                  {call: chatUpdate, tier: 50, json: true},
		"conversations.history":        {call: conversationsHistory, tier: 50},
		"conversations.info":           {call: conversationsInfo, tier: 50},
		"conversations.list":           {call: conversationsList, tier: 20},
		"conversations.members":        {call: conversationsMembers, tier: 100},
		"conversations.open":           {call: conversationsOpen, tier: 50, json: true},
		"conversations.replies":        {call: conversationsReplies, tier: 50},
		"files.completeUploadExternal": {call: filesCompleteUploadExternal, tier: 100, json: true},
		"files.getUploadURLExternal":   {call: filesGetUploadURLExternal, tier: 100},
		"team.info":                    {call: teamInfo, tier: 50},
		"users.info":                   {call: usersInfo, tier: 100},
		"users.list":                   {call: usersList, tier: 20},
		"users.lookupByEmail":          {call: usersLookupByEmail, tier: 50},
		"views.open":                   {call: viewsOpen, tier: 100, json: true},
		"views.publish":                {call: viewsPublish, tier: 100, json: true},
		"views.push":                   {call: viewsPush, tier: 100, json: true},
		"views.update":                 {call: viewsUpdate, tier: 100, json: true},
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	m, known := methods()[r.PathValue("method")]
	arrived := s.Now()
	req := readRequest(r, known && m.json)
	s.mu.Lock()
	call := &Call{N: s.world.count("call"), At: arrived, Method: req.name, Body: req.body, Args: req.args.v}
	req.args.about = Finding{Method: req.name, Call: call.N}
	f := s.draw(req.name)
	if f.RetryAfter > 0 {
		s.refused(req.name, req.args, f.RetryAfter)
	}
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
	a := s.dispatch(known, m, req, call.At)
	s.mu.Unlock()
	a.warn = append(a.warn, req.warn...)
	if a.after != nil {
		defer a.after()
	}
	if f.AcceptThenDrop {
		s.record(call, a, 0, f.String())
		backstage.Drop(w)
		return
	}
	s.respond(w, call, a, f)
}

// dispatch answers one call. s.mu is held.
func (s *Server) dispatch(known bool, m method, req request, arrived time.Time) answer {
	if !known {
		return fail("unknown_method")
	}
	if req.err != "" {
		return fail(req.err)
	}
	if why := s.tokenRefusal(m, req.token); why != "" {
		return fail(why)
	}
	if wait := s.limited(req.name, m.tier, req.args, arrived); wait > 0 {
		return answer{err: "ratelimited", retryAfter: wait}
	}
	s.inspectRequest(req)
	return m.call(s, req.args)
}

func (s *Server) tokenRefusal(m method, token string) string {
	switch {
	case m.none:
		return ""
	case token == "":
		return "not_authed"
	case m.app && token == s.opts.BotToken, !m.app && token == s.opts.AppToken:
		return "not_allowed_token_type"
	case m.app && token != s.opts.AppToken, !m.app && token != s.opts.BotToken:
		return "invalid_auth"
	}
	return ""
}

func (s *Server) respond(w http.ResponseWriter, call *Call, a answer, f Fault) {
	status := http.StatusOK
	if a.retryAfter > 0 {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	if f.Status != 0 {
		status = f.Status
	}
	body := a.encode()
	s.recordBody(call, body, status, f.String())
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Slack-Req-Id", fmt.Sprintf("%032x", call.N))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		s.log.Debug("answering a call", "method", call.Method, "err", err)
	}
}

func (a answer) encode() []byte {
	out := map[string]any{"ok": a.err == ""}
	maps.Copy(out, a.body)
	if a.err != "" {
		out["error"] = a.err
	}
	if len(a.warn) > 0 {
		out["warning"] = strings.Join(a.warn, ",")
		meta, _ := out["response_metadata"].(map[string]any)
		meta = maps.Clone(meta)
		if meta == nil {
			meta = map[string]any{}
		}
		meta["warnings"] = a.warn
		out["response_metadata"] = meta
	}
	return encodeJSON(out)
}

func (s *Server) record(call *Call, a answer, status int, fault string) {
	var body []byte
	if status != 0 || a.err != "" || a.body != nil {
		body = a.encode()
	}
	s.recordBody(call, body, status, fault)
}

func (s *Server) recordBody(call *Call, body []byte, status int, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.Answer, call.Status, call.Fault = body, status, fault
	call.Millis = s.now().Sub(call.At).Milliseconds()
	s.world.calls = append(s.world.calls, call)
	if over := len(s.world.calls) - s.opts.Keep; over > 0 {
		s.world.calls = slices.Delete(s.world.calls, 0, over)
	}
	s.change(Change{Kind: ChangeCall, N: call.N})
}

func apiTest(_ *Server, a args) answer {
	if e := a.str("error"); e != "" {
		return answer{err: e, body: map[string]any{"args": map[string]any{"error": e}}}
	}
	return ok(map[string]any{})
}

func authTest(s *Server, _ args) answer {
	return ok(map[string]any{
		"url": "https://" + s.opts.Team.Domain + ".slack.com/", "team": s.opts.Team.Name, "user": s.opts.BotName,
		"team_id": s.opts.Team.ID, "user_id": s.opts.BotUser, "bot_id": s.botID(), "is_enterprise_install": false,
	})
}

func teamInfo(s *Server, a args) answer {
	if t := a.str("team"); t != "" && t != s.opts.Team.ID {
		return fail("team_not_found")
	}
	return ok(map[string]any{"team": map[string]any{
		"id": s.opts.Team.ID, "name": s.opts.Team.Name, "domain": s.opts.Team.Domain, "email_domain": "", "icon": map[string]any{},
	}})
}

func botsInfo(s *Server, a args) answer {
	if b := a.str("bot"); b != "" && b != s.botID() {
		return fail("bot_not_found")
	}
	return ok(map[string]any{"bot": map[string]any{
		"id": s.botID(), "deleted": false, "name": s.opts.BotName, "updated": 1767603600, "app_id": s.opts.AppID,
		"user_id": s.opts.BotUser, "icons": map[string]any{},
	}})
}

// botID is the B… identifier of the installed app, beside its user's U….
func (s *Server) botID() string { return "B" + s.opts.BotUser[1:] }
