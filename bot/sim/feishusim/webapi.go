package feishusim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"huiyin/bot/sim/backstage"
)

// The vendor's general codes. https://open.feishu.cn/document/server-docs/api-call-guide/generic-error-code
const (
	codeNoToken     = 99991661 // no Authorization header
	codeBadToken    = 99991663 // unknown or expired
	codeTooFrequent = 99991400 // too many calls of one API
	codeQuota       = 99991403 // the month's calls are used up
	codeViolation   = 99992402 // a field is missing or out of bounds
)

const (
	tokenLife  = 2 * time.Hour
	tokenRenew = 30 * time.Minute // with more than this left the same token is given again
)

// answer is what a method says.
type answer struct {
	status     int // 200 when zero
	code       int
	msg        string
	data       any
	top        map[string]any // fields beside code, msg and data
	violations []violation
	page       string // instead of JSON
	limit      int    // x-ogw-ratelimit-limit, with reset
	reset      int    // x-ogw-ratelimit-reset, seconds
	// after is done when the answer is settled and the lock free.
	after func()
}

// violation is one field that was refused.
type violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

func ok(data any) answer { return answer{data: data} }

// fail refuses with HTTP 400, as almost everything does.
func fail(code int, msg string) answer {
	return answer{status: http.StatusBadRequest, code: code, msg: msg}
}

// invalid refuses fields before the method looks at them.
func invalid(field, why string) answer {
	a := fail(codeViolation, "field validation failed")
	a.violations = []violation{{Field: field, Description: why}}
	return a
}

func tooFrequent(limit, reset int) answer {
	return answer{
		status: http.StatusTooManyRequests, code: codeTooFrequent, msg: "request trigger frequency limit", limit: limit, reset: reset,
	}
}

// route is one method of the API.
type route struct {
	name    string
	pattern string // of net/http
	call    func(*Server, request) answer
	upload  bool
	open    bool // needs no token, counts against no quota
}

const api = "/open-apis/"

// routes is what this tenant serves. Names are those of the vendor's reference, shortened.
func routes() []route {
	return []route{
		{name: "auth.tenant_access_token", pattern: "POST " + api + "auth/v3/tenant_access_token/internal", call: tenantAccessToken, open: true},
		{name: "ws.endpoint", pattern: "POST /callback/ws/endpoint", call: wsEndpoint, open: true},
		{name: "bot.info", pattern: "GET " + api + "bot/v3/info", call: botInfo},
		{name: "tenant.query", pattern: "GET " + api + "tenant/v2/tenant/query", call: tenantQuery},
		{name: "im.message.create", pattern: "POST " + api + "im/v1/messages", call: messageCreate},
		{name: "im.message.list", pattern: "GET " + api + "im/v1/messages", call: messageList},
		{name: "im.message.reply", pattern: "POST " + api + "im/v1/messages/{message_id}/reply", call: messageReply},
		{name: "im.message.get", pattern: "GET " + api + "im/v1/messages/{message_id}", call: messageGet},
		{name: "im.message.patch", pattern: "PATCH " + api + "im/v1/messages/{message_id}", call: messagePatch},
		{name: "im.message.update", pattern: "PUT " + api + "im/v1/messages/{message_id}", call: messageUpdate},
		{name: "im.message.delete", pattern: "DELETE " + api + "im/v1/messages/{message_id}", call: messageDelete},
		{name: "im.image.create", pattern: "POST " + api + "im/v1/images", call: imageCreate, upload: true},
		{name: "im.file.create", pattern: "POST " + api + "im/v1/files", call: fileCreate, upload: true},
		{name: "im.chat.list", pattern: "GET " + api + "im/v1/chats", call: chatList},
		{name: "im.chat.get", pattern: "GET " + api + "im/v1/chats/{chat_id}", call: chatGet},
		{name: "card.update", pattern: "POST " + api + "interactive/v1/card/update", call: cardUpdate},
		{name: "contact.user.get", pattern: "GET " + api + "contact/v3/users/{user_id}", call: userGet},
		{name: "contact.user.batch", pattern: "GET " + api + "contact/v3/users/batch", call: userBatch},
		{name: "contact.user.batch_get_id", pattern: "POST " + api + "contact/v3/users/batch_get_id", call: userBatchGetID},
		{name: "contact.user.find_by_department", pattern: "GET " + api + "contact/v3/users/find_by_department", call: userFindByDepartment},
		{name: "contact.department.get", pattern: "GET " + api + "contact/v3/departments/{department_id}", call: departmentGet},
		{name: "contact.department.children", pattern: "GET " + api + "contact/v3/departments/{department_id}/children", call: departmentChildren},
		{name: "contact.scope.list", pattern: "GET " + api + "contact/v3/scopes", call: scopeList},
		{name: "application.slash_command.create", pattern: "POST " + api + "application/v7/app_slash_commands", call: commandCreate},
		{name: "application.slash_command.list", pattern: "GET " + api + "application/v7/app_slash_commands", call: commandList},
		{name: "application.slash_command.patch", pattern: "PATCH " + api + "application/v7/app_slash_commands/{command_id}", call: commandPatch},
		{name: "application.slash_command.delete", pattern: "DELETE " + api + "application/v7/app_slash_commands/{command_id}", call: commandDelete},
	}
}

// pathValues are the names in the patterns above.
var pathValues = [...]string{"message_id", "chat_id", "user_id", "department_id", "command_id"}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, rt route) {
	q := request{name: rt.name, arrived: s.Now(), path: map[string]string{}}
	for _, k := range pathValues {
		if v := r.PathValue(k); v != "" {
			q.path[k] = v
		}
	}
	q.read(r, rt.upload)
	s.mu.Lock()
	call := &Call{N: s.world.count("call"), At: q.arrived, Method: q.name, Path: r.Method + " " + r.URL.Path, Args: q.recorded()}
	q.about = Finding{Method: q.name, Call: call.N}
	f := s.draw(q.name)
	if f.RetryAfter > 0 {
		s.refused(q.name, f.RetryAfter)
	}
	s.mu.Unlock()
	if f.before(r.Context(), w) {
		s.record(call, nil, 0, 0, f.String())
		return
	}
	if f.answers() {
		s.respond(w, call, f.answer(), f)
		return
	}
	if rt.name == "card.update" {
		s.settle(r.Context(), q.str("token"))
	}
	s.mu.Lock()
	a := s.dispatch(rt, q)
	s.mu.Unlock()
	if a.after != nil {
		defer a.after()
	}
	if f.AcceptThenDrop {
		_, body := a.encode(call.N)
		s.record(call, body, 0, a.code, f.String())
		backstage.Drop(w)
		return
	}
	s.respond(w, call, a, f)
}

// dispatch answers one call: token, quota, rate, then the body. s.mu is held.
func (s *Server) dispatch(rt route, q request) answer {
	if !rt.open {
		switch {
		case q.token == "":
			return fail(codeNoToken, "Missing access token for authorization. Please make a test attempt with an access token.")
		case !s.validToken(q.token):
			return fail(codeBadToken, "Invalid access token for authorization. Please make a test attempt after obtaining a new token.")
		case s.spent():
			return answer{status: http.StatusTooManyRequests, code: codeQuota, msg: "This month's API call quota has been exceeded"}
		}
	}
	if rt.name != "unknown" {
		if refusal := s.limited(q); refusal != nil {
			return *refusal
		}
	}
	if q.err != nil {
		return *q.err
	}
	return rt.call(s, q)
}

func noSuchAPI(*Server, request) answer {
	return answer{status: http.StatusNotFound, page: "404 page not found"}
}

func (s *Server) validToken(value string) bool {
	now := s.now()
	return slices.ContainsFunc(s.world.tokens, func(t accessToken) bool { return t.value == value && now.Before(t.ends) })
}

// ExpireTokens ends every tenant_access_token at once, so that the next call is refused with 99991663.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.tokens = nil
}

// tenantAccessToken gives the token of before while more than half an hour of it is left. It is an old API: what is wrong
// stands in the code alone, with HTTP 200.
func tenantAccessToken(s *Server, q request) answer {
	id, secret := q.str("app_id"), q.str("app_secret")
	switch {
	case id == "" || secret == "":
		return answer{code: 10003, msg: "invalid param"}
	case id != s.opts.AppID:
		return answer{code: 10003, msg: "invalid param: app_id not exist"}
	case secret != s.opts.AppSecret:
		return answer{code: 10014, msg: "app secret invalid"}
	}
	now := s.now()
	s.world.tokens = slices.DeleteFunc(s.world.tokens, func(t accessToken) bool { return !now.Before(t.ends) })
	if n := len(s.world.tokens); n == 0 || s.world.tokens[n-1].ends.Sub(now) <= tokenRenew {
		s.world.tokens = append(s.world.tokens, accessToken{value: s.world.id("t-g1"), ends: now.Add(tokenLife)})
	}
	t := s.world.tokens[len(s.world.tokens)-1]
	return answer{msg: "ok", top: map[string]any{"tenant_access_token": t.value, "expire": int(t.ends.Sub(now).Seconds())}}
}

func botInfo(s *Server, _ request) answer {
	return answer{msg: "ok", top: map[string]any{"bot": map[string]any{
		"activate_status": 2, "app_name": s.opts.BotName, "avatar_url": "", "ip_white_list": []string{}, "open_id": s.opts.BotOpenID,
	}}}
}

// tenantQuery is the firm. https://open.feishu.cn/document/server-docs/tenant-v2/tenant/query
func tenantQuery(s *Server, _ request) answer {
	return ok(map[string]any{"tenant": map[string]any{
		"name": s.opts.TenantName, "display_id": "F00000000", "tenant_tag": 0, "tenant_key": s.opts.TenantKey, "avatar": map[string]any{}, "domain": "",
	}})
}

func (s *Server) respond(w http.ResponseWriter, call *Call, a answer, f Fault) {
	media, body := a.encode(call.N)
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	recorded := body
	if a.page != "" {
		recorded = encodeJSON(a.page)
	}
	s.record(call, recorded, status, a.code, f.String())
	w.Header().Set("Content-Type", media)
	w.Header().Set("X-Tt-Logid", logID(call.N))
	w.Header().Set("X-Request-Id", logID(call.N))
	if a.reset > 0 {
		w.Header().Set("X-Ogw-Ratelimit-Limit", strconv.Itoa(a.limit))
		w.Header().Set("X-Ogw-Ratelimit-Reset", strconv.Itoa(a.reset))
	}
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		s.log.Debug("answering a call", "method", call.Method, "err", err)
	}
}

func (a answer) encode(n int) (media string, body []byte) {
	if a.page != "" {
		if a.page[0] == '<' {
			return "text/html", []byte(a.page)
		}
		return "text/plain; charset=utf-8", []byte(a.page)
	}
	out := map[string]any{"code": a.code, "msg": a.msg}
	if a.code == 0 && a.msg == "" {
		out["msg"] = "success"
	}
	maps.Copy(out, a.top)
	if a.code == 0 && a.top == nil {
		out["data"] = a.data
		if a.data == nil {
			out["data"] = map[string]any{}
		}
	}
	if a.code != 0 {
		e := map[string]any{"log_id": logID(n)}
		if a.violations != nil {
			e["field_violations"] = a.violations
		}
		out["error"] = e
	}
	return "application/json; charset=utf-8", encodeJSON(out)
}

func logID(n int) string { return fmt.Sprintf("20260105%024X", n) }

func (s *Server) record(call *Call, body []byte, status, code int, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.Answer, call.Status, call.Code, call.Fault = body, status, code, fault
	call.Millis = s.now().Sub(call.At).Milliseconds()
	s.world.calls = append(s.world.calls, call)
	if over := len(s.world.calls) - s.opts.Keep; over > 0 {
		s.world.calls = slices.Delete(s.world.calls, 0, over)
	}
	s.change(Change{Kind: ChangeCall, N: call.N})
}
