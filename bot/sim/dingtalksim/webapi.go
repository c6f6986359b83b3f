package dingtalksim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

const tokenLife = 2 * time.Hour

// answer is what a method says. A code or errcode makes it a refusal: HTTP 400 unless another status is given, except on the
// old host, which says everything with HTTP 200 unless hard is set.
type answer struct {
	status     int
	code       string // new API
	errcode    int    // old API
	msg        string
	body       map[string]any
	page       string // instead of JSON
	retryAfter int
	hard       bool
}

func ok(body map[string]any) answer { return answer{body: body} }

// refuse is a refusal of the new API.
func refuse(code, msg string) answer { return answer{code: code, msg: msg} }

// deny is a refusal of the old API.
func deny(errcode int, msg string) answer { return answer{errcode: errcode, msg: msg} }

// route is one method of the API.
type route struct {
	name      string
	pattern   string // of net/http
	call      func(*Server, request) answer
	old       bool // oapi.dingtalk.com: ?access_token=, errcode
	open      bool // needs no token
	counts    bool // against the month's quota
	directory bool // one of the address book's, which do not count; takes forms
	upload    bool
}

// routes is what this firm serves. Names are those of the vendor's paths.
func routes() []route {
	const api = "POST /v1.0/"
	return []route{
		{name: "oauth2.accessToken", pattern: api + "oauth2/accessToken", call: oauthToken, open: true},
		{name: "gettoken", pattern: "GET /gettoken", call: oldToken, open: true, old: true},
		{name: "gateway.connections.open", pattern: api + "gateway/connections/open", call: openConnection, open: true},
		{name: "robot.oToMessages.batchSend", pattern: api + "robot/oToMessages/batchSend", call: batchSend, counts: true},
		{name: "robot.groupMessages.send", pattern: api + "robot/groupMessages/send", call: groupSend, counts: true},
		{name: "robot.otoMessages.batchRecall", pattern: api + "robot/otoMessages/batchRecall", call: batchRecall, counts: true},
		{name: "robot.oToMessages.batchRecall", pattern: api + "robot/oToMessages/batchRecall", call: batchRecall, counts: true},
		{name: "robot.groupMessages.recall", pattern: api + "robot/groupMessages/recall", call: groupRecall, counts: true},
		{name: "robot.sendBySession", pattern: "POST " + sessionPath, call: sendBySession, open: true, old: true},
		{name: "card.instances.createAndDeliver", pattern: api + "card/instances/createAndDeliver", call: createAndDeliver, counts: true},
		{name: "card.instances.update", pattern: "PUT /v1.0/card/instances", call: updateCard, counts: true},
		{name: "card.streaming", pattern: "PUT /v1.0/card/streaming", call: streamCard, counts: true},
		{name: "card.callbacks.register", pattern: api + "card/callbacks/register", call: registerCallback, counts: true},
		{name: "media.upload", pattern: "POST /media/upload", call: mediaUpload, old: true, counts: true, upload: true},
		{name: "message.asyncsend_v2", pattern: "POST /topapi/message/corpconversation/asyncsend_v2", call: workNotice, old: true, counts: true},
		{name: "department.listsub", pattern: "POST /topapi/v2/department/listsub", call: departmentListSub, old: true, directory: true},
		{name: "department.listsubid", pattern: "POST /topapi/v2/department/listsubid", call: departmentListSubID, old: true, directory: true},
		{name: "department.get", pattern: "POST /topapi/v2/department/get", call: departmentGet, old: true, directory: true},
		{name: "user.list", pattern: "POST /topapi/v2/user/list", call: userList, old: true, directory: true},
		{name: "user.listsimple", pattern: "POST /topapi/user/listsimple", call: userListSimple, old: true, directory: true},
		{name: "user.listid", pattern: "POST /topapi/user/listid", call: userListID, old: true, directory: true},
		{name: "user.get", pattern: "POST /topapi/v2/user/get", call: userGet, old: true, directory: true},
		{name: "user.getbymobile", pattern: "POST /topapi/v2/user/getbymobile", call: userByMobile, old: true, directory: true},
		{name: "user.getbyunionid", pattern: "POST /topapi/user/getbyunionid", call: userByUnionID, old: true, directory: true},
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, rt route) {
	q := request{name: rt.name, arrived: s.Now()}
	q.read(r, rt)
	q.fault = s.faults.Draw(q.name, true)
	s.mu.Lock()
	call := &Call{N: s.world.count("call"), At: q.arrived, Method: q.name, Path: r.Method + " " + r.URL.Path, Args: q.recorded()}
	q.about = Finding{Method: q.name, Call: call.N}
	blocked := s.punished(r)
	if q.fault.RetryAfter > 0 && !s.opts.Limits.Off {
		now := s.Now()
		s.limits.Refuse(q.name, now, now.Add(time.Duration(q.fault.RetryAfter)*time.Second))
	}
	s.mu.Unlock()
	if q.fault.before(r.Context(), w) {
		s.record(call, nil, 0, "", q.fault.String())
		return
	}
	switch {
	case blocked:
		s.respond(w, rt, call, answer{
			status: http.StatusOK, code: "punished", hard: true,
			page: `<!doctype html><html><body><script>{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"` + requestID(call.N) + `"}</script></body></html>`,
		}, q.fault)
		return
	case q.fault.answers():
		s.respond(w, rt, call, q.fault.answer(), q.fault)
		return
	}
	s.mu.Lock()
	a := s.dispatch(rt, q, call)
	s.mu.Unlock()
	if q.fault.AcceptThenDrop {
		_, _, body := s.encode(rt, a, call.N)
		s.record(call, body, 0, a.said(rt), q.fault.String())
		backstage.Drop(w)
		return
	}
	s.respond(w, rt, call, a, q.fault)
}

// dispatch answers one call: token, quota, rate, then the body. s.mu is held.
func (s *Server) dispatch(rt route, q request, call *Call) answer {
	if !rt.open {
		switch {
		case q.token == "":
			return answer{status: http.StatusUnauthorized, code: "InvalidAuthentication", errcode: 40014, msg: "缺少access_token"}
		case !s.validToken(q.token):
			return answer{code: "InvalidAuthentication", errcode: 40014, msg: "不合法的access_token"}
		}
	}
	if rt.name != "unknown" && s.limited(q) {
		return answer{
			status: http.StatusForbidden, code: "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", errcode: 90018,
			msg: "您的服务器调用钉钉开放平台当前接口的所有请求都被暂时禁用了",
		}
	}
	n, left := s.spent(rt)
	if !left {
		return answer{
			status: http.StatusForbidden, code: "Forbidden.AccessDenied.ApiCountLimitForOrg", errcode: 90020,
			msg: "您的组织调用钉钉开放平台接口的次数已经超过了本月的限制",
		}
	}
	call.Month = n
	if q.err != nil {
		return *q.err
	}
	return rt.call(s, q)
}

func noSuchAPI(*Server, request) answer {
	return answer{status: http.StatusNotFound, code: "InvalidAction.NotFound", msg: "Specified api is not found, please check your url and method."}
}

func (s *Server) validToken(value string) bool {
	now := s.Now()
	return slices.ContainsFunc(s.world.tokens, func(t accessToken) bool { return t.value == value && now.Before(t.ends) })
}

// ExpireTokens ends every access token at once, so that the next call is refused with InvalidAuthentication or 40014.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.tokens = nil
}

// token is the app's access token: one for both hosts, the same while it is valid, its time begun anew each time it is asked
// for. https://open.dingtalk.com/document/development/obtain-the-access-token-of-an-internal-app
func (s *Server) token() string {
	now := s.Now()
	s.world.tokens = slices.DeleteFunc(s.world.tokens, func(t accessToken) bool { return !now.Before(t.ends) })
	if len(s.world.tokens) == 0 {
		s.world.tokens = []accessToken{{value: backstage.HexID("token", s.world.count("token"))}}
	}
	s.world.tokens[0].ends = now.Add(tokenLife)
	return s.world.tokens[0].value
}

func oauthToken(s *Server, q request) answer {
	if q.str("appKey") != s.opts.ClientID || q.str("appSecret") != s.opts.ClientSecret {
		return refuse("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
	}
	return ok(map[string]any{"accessToken": s.token(), "expireIn": int(tokenLife.Seconds())})
}

func oldToken(s *Server, q request) answer {
	if q.query.Get("appkey") != s.opts.ClientID || q.query.Get("appsecret") != s.opts.ClientSecret {
		return deny(40089, "不合法的appKey或appSecret")
	}
	return ok(map[string]any{"access_token": s.token(), "expires_in": int(tokenLife.Seconds())})
}

// said is the code of a refusal, for the record.
func (a answer) said(rt route) string {
	if rt.old && a.errcode != 0 {
		return strconv.Itoa(a.errcode)
	}
	return a.code
}

func (s *Server) respond(w http.ResponseWriter, rt route, call *Call, a answer, f Fault) {
	status, media, body := s.encode(rt, a, call.N)
	recorded := body
	if a.page != "" {
		recorded = backstage.EncodeJSON(a.page)
	}
	s.record(call, recorded, status, a.said(rt), f.String())
	w.Header().Set("Content-Type", media)
	w.Header().Set("X-Acs-Request-Id", requestID(call.N))
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		s.log.Debug("answering a call", "method", call.Method, "err", err)
	}
}

func (s *Server) encode(rt route, a answer, n int) (status int, media string, body []byte) {
	if a.page != "" {
		return a.status, "text/html; charset=utf-8", []byte(a.page)
	}
	out := map[string]any{}
	maps.Copy(out, a.body)
	status = http.StatusOK
	failed := a.code != "" || a.errcode != 0
	switch {
	case rt.old && failed && a.hard:
		status = a.status
		fallthrough
	case rt.old && failed:
		out["errcode"], out["errmsg"], out["request_id"] = a.errcode, a.msg, requestID(n)
		if s.opts.Wrapped && !a.hard && rt.name != "robot.sendBySession" {
			sub := strconv.Itoa(a.errcode)
			out["errcode"], out["errmsg"] = 88, "ding talk error[subcode="+sub+",submsg="+a.msg+"]"
			out["sub_code"], out["sub_msg"] = sub, a.msg
		}
	case rt.old:
		out["errcode"], out["errmsg"] = 0, "ok"
		if rt.name != "robot.sendBySession" {
			out["request_id"] = requestID(n)
		}
	case failed:
		if status = a.status; status == 0 {
			status = http.StatusBadRequest
		}
		out["code"], out["message"], out["requestid"] = a.code, a.msg, requestID(n)
	}
	return status, "application/json; charset=utf-8", backstage.EncodeJSON(out)
}

// requestID is the vendor's form of a request's id.
func requestID(n int) string {
	h := strings.ToUpper(backstage.HexID("request", n))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (s *Server) record(call *Call, body []byte, status int, code, fault string) {
	s.mu.Lock()
	call.Answer, call.Status, call.Code, call.Fault = body, status, code, fault
	call.Millis = s.Now().Sub(call.At).Milliseconds()
	s.calls.Add(call)
	s.mu.Unlock()
	s.changes.Tell(Change{Kind: ChangeCall, N: call.N})
}
