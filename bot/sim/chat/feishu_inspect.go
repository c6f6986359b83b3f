package chat

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"huiyin/bot/sim/feishusim"
)

// requests are what Feishu pushed to the bot because of this person, and the calls of the bot that concern them: with their ids, in
// their conversations, about messages there, or with the token of what they pressed.
func (s *feishuSide) requests(as reader, most int) []request {
	blame := s.blame()
	mine := map[string]bool{as.user: true}
	for _, p := range s.sim.People() {
		if p.OpenID == as.user {
			for _, id := range []string{p.UnionID, p.UserID, p.Email, p.Mobile} {
				mine[id] = id != ""
			}
		}
	}
	for _, c := range s.sim.Chats(as.user) {
		mine[c.ID] = true
	}
	for _, m := range s.sim.MessagesFor(as.user) {
		mine[m.ID] = true
	}
	var out []request
	for _, d := range slices.Backward(s.sim.Deliveries()) {
		e := nodeOf([]byte(d.Plain)).node("event")
		by := cmp.Or(
			e.node("sender").node("sender_id").str("open_id"), e.node("operator").str("open_id"),
			e.node("operator").node("operator_id").str("open_id"), e.node("object").str("open_id"),
		)
		if by == as.user {
			mine[e.str("token")] = e.has("token")
			out = append(out, feishuDelivery(d, blame.deliveries[d.N]))
		}
	}
	for _, c := range slices.Backward(s.sim.Calls()) {
		concerned := false
		for _, k := range []string{"receive_id", "message_id", "chat_id", "container_id", "user_id", "token"} {
			id, _ := c.Args[k].(string)
			concerned = concerned || id != "" && mine[id]
		}
		if concerned {
			out = append(out, feishuCall(c, blame.calls[c.N]))
		}
	}
	slices.SortStableFunc(out, func(a, b request) int { return b.at.Compare(a.at) })
	return out[:min(len(out), most)]
}

func (s *feishuSide) blame() blame {
	b := blame{calls: map[int][]complaint{}, deliveries: map[int][]complaint{}}
	for _, f := range s.sim.Findings() {
		b.add(f.Call, f.Delivery, f.Severity == feishusim.Must, f.Length, f.Severity+" "+f.Rule, f.Pointer, f.Detail)
	}
	return b
}

func feishuDelivery(d feishusim.Delivery, found []complaint) request {
	q := request{
		id: "d" + strconv.Itoa(d.N), at: d.At, title: d.Type, status: strconv.Itoa(d.Status), millis: d.Millis, failed: d.Failure != "",
		body: pretty(d.Plain, nil), answer: pretty(d.Answer, nil), complaints: found,
	}
	if u, err := url.Parse(d.URL); err == nil && d.URL != "" {
		q.title = http.MethodPost + " " + u.Path + " · " + d.Type
	}
	if d.Via == feishusim.Webhook && d.Body != d.Plain {
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

func feishuCall(c feishusim.Call, found []complaint) request {
	q := request{
		id: "c" + strconv.Itoa(c.N), at: c.At, fromBot: true, title: c.Method, status: strconv.Itoa(c.Status), millis: c.Millis,
		failed: c.Status != http.StatusOK || c.Code != 0, header: [][2]string{{"", c.Path}}, body: pretty("", unpacked(c.Args)),
		answer: pretty(string(c.Answer), nil), complaints: found,
	}
	if c.Code != 0 {
		q.status += " " + strconv.Itoa(c.Code)
	}
	if c.Fault != "" && c.Fault != "status "+strconv.Itoa(c.Status) { // an injected one
		q.status += " (" + c.Fault + ")"
	}
	return q
}

// unpacked are the arguments of a call with the JSON in its strings laid out, so that a card can be read.
func unpacked(args map[string]any) map[string]any {
	out := maps.Clone(args)
	for k, v := range out {
		if text, isString := v.(string); isString && strings.HasPrefix(text, "{") {
			if n := nodeOf([]byte(text)); n != nil {
				out[k] = map[string]any(n)
			}
		}
	}
	return out
}
