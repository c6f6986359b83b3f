package feishusim

import (
	"context"
	"maps"
	"slices"
	"time"

	"huiyin/bot/sim/backstage"
)

const (
	cardTokenLife = 30 * time.Minute
	cardTokenUses = 2
	cardBytes     = 30 << 10
)

// cardToken is the token of one press, for updating its card afterwards.
type cardToken struct {
	message  string
	issued   time.Time
	uses     int
	answered chan struct{} // closed when the callback has been answered
}

// settleWithin is how long an update waits for the answer to its callback to arrive: the two are under way together when a
// bot updates right after answering.
const settleWithin = 50 * time.Millisecond

// settle waits for the answer to the callback that gave this token. s.mu must not be held.
func (s *Server) settle(ctx context.Context, token string) {
	s.mu.Lock()
	t := s.world.cards[token]
	s.mu.Unlock()
	if t == nil {
		return
	}
	late := time.NewTimer(settleWithin)
	defer late.Stop()
	select {
	case <-t.answered:
	case <-late.C:
	case <-ctx.Done():
	}
}

func (t *cardToken) isAnswered() bool {
	select {
	case <-t.answered:
		return true
	default:
		return false
	}
}

// newCardToken issues a token. s.mu is held.
func (s *Server) newCardToken(message string) string {
	if len(s.world.cards)%1024 == 1023 {
		now := s.now()
		maps.DeleteFunc(s.world.cards, func(_ string, t *cardToken) bool { return now.Sub(t.issued) > 2*cardTokenLife })
	}
	value := s.world.id("c-")
	s.world.cards[value] = &cardToken{message: message, issued: s.now(), answered: make(chan struct{})}
	return value
}

// cardUpdate replaces the card of a press by the press's token: within 30 minutes, twice, and not before the callback was
// answered. https://open.feishu.cn/document/ukTMukTMukTM/uMDO1YjLzgTN24yM4UjN
func cardUpdate(s *Server, q request) answer {
	t := s.world.cards[q.str("token")]
	card, isObject := q.json["card"].(map[string]any)
	switch {
	case q.str("token") == "" || !isObject:
		return fail(10002, "param invalid")
	case t == nil:
		return fail(300000, "token is invalid")
	case !t.isAnswered():
		f := q.about
		f.Rule = "card.update_before_answer" // it fails, or is undone when the answer arrives
		s.find(f)
		return fail(300000, "the callback has not been answered")
	case s.now().Sub(t.issued) >= cardTokenLife:
		return fail(300000, "token is expired")
	case t.uses >= cardTokenUses:
		return fail(300000, "token has been used up")
	case len(encodeJSON(card)) > cardBytes:
		return fail(230025, "The length of the message content reaches its limit.")
	}
	m := s.world.messages[t.message]
	if m == nil || m.Withdrawn {
		return fail(230011, "The message was recalled.")
	}
	plain := maps.Clone(card)
	delete(plain, "open_ids") // whose copy of an unshared card is meant
	look := inspection{s: s, about: q.about}
	look.encoding(q.raw)
	if faults := s.validateCard(plain, look); len(faults) > 0 {
		return faults.answer()
	}
	content := string(encodeJSON(plain))
	if isCard2(m.Content) && !isCard2(content) {
		return cardFaults{{code: 200830, why: "schemaV2 card can not change schemaV1"}}.answer()
	}
	t.uses++
	s.replace(m, content)
	return ok(nil)
}

// The errors that a person is shown instead of the answer to a press.
const (
	ErrNoAddress = "200340" // the app has no address for callbacks, or no long connection
	ErrLate      = "200671" // no answer within 3 s, or one that is not HTTP 200
	ErrShape     = "200672" // an answer that is no {}, toast or card
	ErrCard      = "200673" // a card that Feishu refuses
)

// Toast is the short message over a card after a press.
type Toast struct {
	Type    string            `json:"type"` // info, success, error, warning
	Content string            `json:"content"`
	I18n    map[string]string `json:"i18n,omitempty"`
}

// interpret makes of an answer to a press what the person sees. s.mu is held.
func (s *Server) interpret(ack *Ack, r reply, m *Message) {
	about := Finding{Method: "card.action.trigger", Delivery: r.n}
	refuse := func(code, rule, at string) {
		ack.Error, ack.Toast, ack.Card = code, nil, false
		f := about
		f.Rule, f.Pointer, f.Length = rule, at, len(r.body)
		s.find(f)
	}
	switch {
	case r.failure == "no_connection" || r.failure == "no_address":
		ack.Error = ErrNoAddress
		return
	case r.failure != "":
		refuse(ErrLate, "callback."+r.failure, "")
		return
	}
	look := inspection{s: s, about: about}
	look.encoding(r.body)
	v, err := decodeJSON(r.body)
	o, isObject := v.(map[string]any)
	if err != nil || !isObject {
		refuse(ErrShape, "callback.not_json_object", "")
		return
	}
	for _, k := range slices.Sorted(maps.Keys(o)) {
		if k != "toast" && k != "card" {
			refuse(ErrShape, "callback.unknown_property", "/"+k)
			return
		}
	}
	if v, given := o["toast"]; given {
		if ack.Toast = readToast(v, look); ack.Toast == nil {
			refuse(ErrShape, "callback.bad_toast", "/toast")
			return
		}
	}
	v, given := o["card"]
	if !given {
		return
	}
	card, _ := v.(map[string]any)
	data, isObject := card["data"].(map[string]any)
	switch {
	case card["type"] != "raw" && card["type"] != "template", !isObject, len(card) != 2:
		refuse(ErrShape, "callback.bad_card_envelope", "/card")
	case card["type"] == "template":
		refuse(ErrCard, "callback.unknown_template", "/card/data") // this firm has no templates
	case len(encodeJSON(data)) > cardBytes:
		refuse(ErrCard, "callback.card_too_large", "/card/data")
	default:
		content := string(encodeJSON(data))
		if faults := s.validateCard(data, look); len(faults) > 0 {
			refuse(ErrCard, "callback.card_refused", "/card/data")
			s.findFaults(faults, "card.refused", about)
			return
		}
		if isCard2(m.Content) && !isCard2(content) {
			refuse(ErrCard, "callback.card_2_to_1", "/card/data")
			return
		}
		ack.Card = true
		s.replace(m, content)
	}
}

func readToast(v any, look inspection) *Toast {
	o, isObject := v.(map[string]any)
	t := &Toast{I18n: map[string]string{}}
	var isString bool
	if t.Content, isString = o["content"].(string); !isObject || o["content"] != nil && !isString {
		return nil
	}
	if t.Type, isString = o["type"].(string); !isString && o["type"] != nil {
		return nil
	}
	if t.Type == "" {
		t.Type = "info"
	}
	i18n, isObject := o["i18n"].(map[string]any)
	if o["i18n"] != nil && !isObject || !slices.Contains([]string{"info", "success", "error", "warning"}, t.Type) {
		return nil
	}
	for k, v := range i18n {
		if t.I18n[k], isString = v.(string); !isString || !slices.Contains(locales, k) {
			return nil
		}
		look.anyString("/toast/i18n/"+k, t.I18n[k])
	}
	for k := range o {
		if !slices.Contains([]string{"type", "content", "i18n"}, k) {
			return nil
		}
	}
	look.anyString("/toast/content", t.Content)
	if backstage.Blank(t.Content) && len(t.I18n) == 0 {
		return nil
	}
	return t
}
