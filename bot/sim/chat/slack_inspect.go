package chat

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"huiyin/bot/sim/slacksim"
)

// requests are what Slack sent to the bot because of this person, and the calls of the bot that concern them: with their ids, in their
// conversation, with a trigger of theirs, in a channel that everyone reads, or through the response URL of what they did last.
func (s *slackSide) requests(as reader, most int) []request {
	calls, deliveries := s.sim.Calls(), s.sim.Deliveries()
	blame := s.blame()
	dm := s.sim.DM(as.user)
	mine := map[string]bool{as.user: true, dm: true}
	for _, pl := range s.places(as.user) {
		if pl.kind == placePublic {
			mine[pl.id] = true
		}
	}
	if h, ok := s.sim.Home(as.user); ok {
		mine[h.ID] = true
	}
	for _, v := range s.sim.Views(as.user) {
		mine[v.ID] = true
	}
	var out []request
	for _, d := range slices.Backward(deliveries) {
		if by, trigger := actor(d); by == as.user {
			mine[trigger] = trigger != ""
			out = append(out, slackDelivery(d, blame.deliveries[d.N]))
		}
	}
	for _, c := range slices.Backward(calls) {
		concerned := c.Method == "response_url" && lastActor(deliveries, c) == as.user
		for _, k := range []string{"channel", "user", "user_id", "users", "trigger_id", "view_id"} {
			id, _ := c.Args[k].(string)
			concerned = concerned || id != "" && mine[id]
		}
		if concerned {
			out = append(out, slackCall(c, blame.calls[c.N]))
		}
	}
	slices.SortStableFunc(out, func(a, b request) int { return b.at.Compare(a.at) })
	return out[:min(len(out), most)]
}

func (s *slackSide) blame() blame {
	b := blame{calls: map[int][]complaint{}, deliveries: map[int][]complaint{}}
	for _, f := range s.sim.Findings() {
		b.add(f.Call, f.Delivery, f.Severity == slacksim.Must, f.Length, f.Severity+" "+f.Rule, f.Pointer, f.Detail)
	}
	return b
}

// actor is the person whose action a delivery tells of, and its trigger.
func actor(d slacksim.Delivery) (user, trigger string) {
	payload := payloadOf(d)
	user = cmp.Or(payload.str("user_id"), payload.node("user").str("id"), payload.node("event").str("user"))
	return user, payload.str("trigger_id")
}

// payloadOf is what a delivery carries, whatever way it went.
func payloadOf(d slacksim.Delivery) node {
	if d.Via == "socket" || strings.HasPrefix(d.Body, "{") {
		return nodeOf([]byte(d.Body))
	}
	form, err := url.ParseQuery(d.Body)
	if err != nil {
		return nil
	}
	if p := form.Get("payload"); p != "" {
		return nodeOf([]byte(p))
	}
	n := node{}
	for k := range form {
		n[k] = form.Get(k)
	}
	return n
}

// lastActor is who had acted last when the bot used a response URL.
func lastActor(deliveries []slacksim.Delivery, c slacksim.Call) string {
	who := ""
	for _, d := range deliveries {
		if by, _ := actor(d); d.Kind != "event" && by != "" && !d.At.After(c.At) {
			who = by
		}
	}
	return who
}

func slackDelivery(d slacksim.Delivery, found []complaint) request {
	q := request{
		id: "d" + strconv.Itoa(d.N), at: d.At, title: d.Kind, status: strconv.Itoa(d.Status), millis: d.Millis, failed: d.Failure != "",
		body: pretty(d.Body, payloadOf(d)), answer: pretty(d.Answer, nil), complaints: found,
	}
	if u, err := url.Parse(d.URL); err == nil && d.URL != "" {
		q.title = http.MethodPost + " " + u.Path
	}
	if d.Failure != "" {
		q.status = strings.TrimSpace(d.Failure + " " + strings.TrimLeft(q.status, "0"))
	}
	for _, k := range slices.Sorted(maps.Keys(d.Header)) {
		q.header = append(q.header, [2]string{k, d.Header[k]})
	}
	return q
}

func slackCall(c slacksim.Call, found []complaint) request {
	answer := nodeOf(c.Answer)
	q := request{
		id: "c" + strconv.Itoa(c.N), at: c.At, fromBot: true, title: c.Method, status: strconv.Itoa(c.Status), millis: c.Millis,
		failed: c.Status != http.StatusOK || answer.has("ok") && !answer.flag("ok"), body: pretty("", c.Args), answer: pretty(string(c.Answer), nil),
		complaints: found,
	}
	if why := answer.str("error"); why != "" {
		q.status += " " + why
	}
	if c.Fault != "" && c.Fault != "status "+strconv.Itoa(c.Status) { // an injected one
		q.status += " (" + c.Fault + ")"
	}
	return q
}
