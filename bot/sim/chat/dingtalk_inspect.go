package chat

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"huiyin/bot/sim/dingtalksim"
)

// requests are what DingTalk pushed to the bot because of this person, and the calls of the bot that concern them: with their ids, in
// their conversations, about cards there, or through the session of what they wrote.
func (s *dingtalkSide) requests(as reader, most int) []request {
	blame := s.blame()
	mine := map[string]bool{as.user: true}
	for _, p := range s.sim.People() {
		if p.UserID == as.user {
			for _, id := range []string{p.UnionID, p.DingtalkID, p.Mobile} {
				mine[id] = id != ""
			}
		}
	}
	for _, c := range s.sim.Chats(as.user) {
		mine[c.ID] = true
	}
	for _, m := range s.sim.MessagesFor(as.user) {
		if m.Card != "" {
			mine[m.Card] = true
		}
	}
	var out []request
	for _, d := range slices.Backward(s.sim.Deliveries()) {
		payload := nodeOf([]byte(d.Plain))
		if mine[payload.str("senderId")] && payload.has("senderId") || payload.str("userId") == as.user || about(payload["userId"], mine) {
			if u, err := url.Parse(payload.str("sessionWebhook")); err == nil && u.Query().Get("session") != "" {
				mine[u.Query().Get("session")] = true
			}
			out = append(out, dingtalkDelivery(d, blame.deliveries[d.N]))
		}
	}
	for _, c := range slices.Backward(s.sim.Calls()) {
		concerned := false
		for _, k := range []string{"userIds", "userid_list", "openConversationId", "outTrackId", "openSpaceId", "session", "userid", "unionid"} {
			concerned = concerned || about(c.Args[k], mine)
		}
		if concerned {
			out = append(out, dingtalkCall(c, blame.calls[c.N]))
		}
	}
	slices.SortStableFunc(out, func(a, b request) int { return b.at.Compare(a.at) })
	return out[:min(len(out), most)]
}

// about says whether an argument names somebody or something of theirs: an id, several in one text, or a list of them.
func about(v any, mine map[string]bool) bool {
	switch v := v.(type) {
	case string:
		if mine[v] {
			return true
		}
		for _, part := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ';' }) {
			_, id, isSpace := strings.Cut(part, "IM_ROBOT.")
			if !isSpace {
				_, id, isSpace = strings.Cut(part, "IM_GROUP.")
			}
			if mine[part] || isSpace && mine[id] {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return about(e, mine) })
	}
	return false
}

func (s *dingtalkSide) blame() blame {
	b := blame{calls: map[int][]complaint{}, deliveries: map[int][]complaint{}}
	for _, f := range s.sim.Findings() {
		b.add(f.Call, f.Delivery, f.Severity == dingtalksim.Must, f.Length, f.Severity+" "+f.Rule, f.Pointer, f.Detail)
	}
	return b
}

func dingtalkDelivery(d dingtalksim.Delivery, found []complaint) request {
	q := request{
		id: "d" + strconv.Itoa(d.N), at: d.At, title: d.Type, status: strconv.Itoa(d.Status), millis: d.Millis, failed: d.Failure != "",
		body: pretty("", unpacked(nodeOf([]byte(d.Plain)))), answer: pretty(d.Answer, nil), complaints: found,
	}
	if u, err := url.Parse(d.URL); err == nil && d.URL != "" {
		q.title = http.MethodPost + " " + u.Path + " · " + d.Type
	}
	if d.Via == dingtalksim.Webhook && d.Body != d.Plain {
		q.sealed = pretty(d.Body, nil)
	}
	if d.Failure != "" {
		q.status = strings.TrimSpace(d.Failure + " " + strings.TrimLeft(q.status, "0"))
	}
	for _, k := range slices.Sorted(maps.Keys(d.Header)) {
		q.header = append(q.header, [2]string{k, d.Header[k]})
	}
	return q
}

func dingtalkCall(c dingtalksim.Call, found []complaint) request {
	q := request{
		id: "c" + strconv.Itoa(c.N), at: c.At, fromBot: true, title: c.Method, status: strconv.Itoa(c.Status), millis: c.Millis,
		failed: c.Status != http.StatusOK || c.Code != "", header: [][2]string{{"", c.Path}}, body: pretty("", unpacked(c.Args)),
		answer: pretty(string(c.Answer), nil), complaints: found,
	}
	if c.Code != "" {
		q.status += " " + c.Code
	}
	if c.Fault != "" && c.Fault != "status "+strconv.Itoa(c.Status) { // an injected one
		q.status += " (" + c.Fault + ")"
	}
	return q
}
