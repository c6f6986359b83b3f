package slacksim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxBody bounds what one request may carry; a view of 250 kB in form encoding fits three times.
const maxBody = 1 << 20

// args are the decoded arguments of one call, or the content of one answer, without the token: strings from forms, any
// JSON value from JSON bodies. about says where they came from, for findings.
type args struct {
	v     map[string]any
	about Finding
}

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

// request is one decoded call.
type request struct {
	name  string
	body  string // json, form, multipart, query, none
	token string
	args  args
	raw   []byte
	warn  []string
	err   string
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	m, known := methods()[r.PathValue("method")]
	req := readRequest(r, known && m.json)
	s.mu.Lock()
	call := &Call{N: s.world.count("call"), At: s.now(), Method: req.name, Body: req.body, Args: req.args.v, started: s.now()}
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
	a := s.dispatch(known, m, req)
	s.mu.Unlock()
	a.warn = append(a.warn, req.warn...)
	if a.after != nil {
		defer a.after()
	}
	if f.AcceptThenDrop {
		s.record(call, a, 0, f.String())
		drop(w)
		return
	}
	s.respond(w, call, a, f)
}

// dispatch answers one call. s.mu is held.
func (s *Server) dispatch(known bool, m method, req request) answer {
	if !known {
		return fail("unknown_method")
	}
	if req.err != "" {
		return fail(req.err)
	}
	if why := s.tokenRefusal(m, req.token); why != "" {
		return fail(why)
	}
	if wait := s.limited(req.name, m.tier, req.args); wait > 0 {
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

// encodeJSON marshals without the HTML escapes that Slack does not use either. Only values made by this package or
// decoded from JSON go in, so there is no error to report.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// decodeJSON reads one JSON value keeping numbers as written.
func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("decoding JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decoding JSON: more than one value")
	}
	return v, nil
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
	call.Millis = s.now().Sub(call.started).Milliseconds()
	s.world.calls = append(s.world.calls, call)
	if over := len(s.world.calls) - s.opts.Keep; over > 0 {
		s.world.calls = slices.Delete(s.world.calls, 0, over)
	}
	s.changeLocked(Change{Kind: ChangeCall, N: call.N})
}

// readRequest decodes a call the three ways that Slack does: form or multipart, query, and JSON where it is read.
func readRequest(r *http.Request, readsJSON bool) request {
	req := request{name: r.PathValue("method"), body: "none", args: args{v: map[string]any{}}}
	if t, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		req.token = strings.TrimSpace(t)
	}
	req.take(r.URL.Query(), "query")
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(raw) > maxBody {
		req.err = "invalid_form_data"
		return req
	}
	req.raw = raw
	if r.Method != http.MethodPost || len(raw) == 0 && r.Header.Get("Content-Type") == "" {
		return req
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		req.err = "missing_post_type"
		return req
	}
	switch media {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			req.err = "invalid_form_data"
			return req
		}
		req.take(form, "form")
		if params["charset"] != "" {
			req.warn = append(req.warn, "superfluous_charset")
		}
	case "multipart/form-data":
		r.Body = io.NopCloser(bytes.NewReader(raw))
		if err := r.ParseMultipartForm(maxBody); err != nil {
			req.err = "invalid_form_data"
			return req
		}
		req.take(r.MultipartForm.Value, "multipart")
	case "application/json":
		req.body = "json"
		if params["charset"] == "" {
			req.warn = append(req.warn, "missing_charset")
		}
		if !readsJSON || len(raw) == 0 {
			return req
		}
		v, err := decodeJSON(raw)
		if err != nil {
			req.err = "invalid_json"
			return req
		}
		object, isObject := v.(map[string]any)
		if !isObject {
			req.err = "json_not_object"
			return req
		}
		maps.Copy(req.args.v, object)
		delete(req.args.v, "token") // in a JSON body a token is not read: it belongs in the header
	default:
		req.err = "invalid_post_type"
	}
	return req
}

func (q *request) take(v url.Values, body string) {
	for k, vs := range v {
		if k == "token" {
			if q.token == "" {
				q.token = vs[0]
			}
			continue
		}
		q.args.v[k] = vs[0]
	}
	if len(v) > 0 || body != "query" {
		q.body = body
	}
}

// str is a scalar argument as a string; objects and arrays give nothing.
func (a args) str(name string) string {
	switch v := a.v[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (a args) flag(name string) bool {
	v := a.str(name)
	return v == "true" || v == "1"
}

// list is a comma-separated argument, or a JSON array of strings.
func (a args) list(name string) []string {
	if vs, isList := a.v[name].([]any); isList {
		var out []string
		for _, v := range vs {
			if t, isString := v.(string); isString {
				out = append(out, t)
			}
		}
		return out
	}
	var out []string
	for v := range strings.SplitSeq(a.str(name), ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// value is a structured argument, given as JSON or as a string of JSON. Absent and empty give nil.
func (a args) value(name string) (any, error) {
	t, isString := a.v[name].(string)
	if !isString {
		return a.v[name], nil
	}
	if t == "" {
		return nil, nil
	}
	return decodeJSON([]byte(t))
}

func (a args) has(name string) bool {
	v, there := a.v[name]
	return there && v != nil && v != ""
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

// length counts characters as Slack's limits do: code points.
func length(s string) int { return utf8.RuneCountInString(s) }
