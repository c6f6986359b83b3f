package feishu

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// followTime bounds what is done after an acknowledgement.
const followTime = 30 * time.Second

// answer is what Feishu gets for a delivery: the acknowledgement, whose body is what a person sees who pressed something, and what is to
// be done through the API after it.
type answer struct {
	status int
	body   any // nil: empty
	after  []follow
}

// follow is one thing to do after an acknowledgement.
type follow struct {
	name string
	do   func(context.Context) error
}

func (a *answer) then(name string, do func(context.Context) error) {
	a.after = append(a.after, follow{name, do})
}

// shown is the answer to a press: a line over the card, and the card that takes the place of the one that was acted on.
// https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/handle-card-callbacks.md
type shown struct {
	Toast *toast    `json:"toast,omitempty"`
	Card  *replaces `json:"card,omitempty"`
}

type toast struct {
	Type    string            `json:"type"` // info, success, error, warning
	Content string            `json:"content"`
	I18n    map[string]string `json:"i18n,omitempty"` // by language; the client takes its own
}

type replaces struct {
	Type string `json:"type"`
	Data Card   `json:"data"`
}

func replaced(c Card) *replaces { return &replaces{Type: "raw", Data: c} }

// handle does everything between the check of a delivery and its acknowledgement.
func (f *Feishu) handle(ctx context.Context, handle bot.Receive, d delivery) answer {
	switch d.source {
	case fromHandshake:
		return answer{status: http.StatusOK, body: map[string]string{"challenge": d.challenge}}
	case fromForeign:
		return answer{status: http.StatusOK, body: shown{Toast: f.toast("warning", "feishu.foreign")}}
	case fromMember:
		return f.news(d)
	default:
	}
	if d.event.Lang == "" && d.source.answered() {
		d.event.Lang = d.value.Lang
	}
	reply, err := f.receive(ctx, handle, d.event)
	if d.event.Lang == "" {
		d.event.Lang = f.langOf(d.event.User)
	}
	if err != nil {
		return f.failed(ctx, d, err)
	}
	if reply.Lang != "" {
		d.event.Lang = reply.Lang
		f.remember(d.event.User, reply.Lang)
	}
	a, err := f.respond(ctx, d, reply)
	if err != nil {
		return f.failed(ctx, d, err)
	}
	return a
}

// news hands on what an account is now, after the acknowledgement.
func (f *Feishu) news(d delivery) answer {
	a := answer{status: http.StatusOK}
	if f.cfg.Refresh == nil {
		return a
	}
	a.then("refresh", func(ctx context.Context) error {
		account := d.changed
		if account.Kind != bot.Gone {
			var err error
			if err = f.persist(ctx, func() error {
				account, err = f.Account(ctx, d.changed.ID)
				return err
			}); err != nil {
				return err
			}
		}
		f.cfg.Refresh(ctx, account)
		return nil
	})
	return a
}

// respond turns a reply into the answer that suits where the event came from. The error is for what cannot be drawn.
func (f *Feishu) respond(ctx context.Context, d delivery, r bot.Reply) (answer, error) {
	if r.Public && r.Card != nil && r.Card.Tone == card.Private {
		f.cfg.Log.ErrorContext(ctx, "a private card was to be shown to a group; it is shown to one person")
		r.Public = false
	}
	a := answer{status: http.StatusOK}
	var err error
	switch d.source {
	case fromWords, fromMenu:
		err = f.speak(&a, d, r)
	case fromButton:
		err = f.respondButton(&a, d, r)
	case fromSubmission:
		err = f.respondSubmission(&a, d, r)
	default:
		err = errNothing
	}
	return a, err
}

// speak answers with messages: a form and a private card to the person alone, a public card where it was asked for.
func (f *Feishu) speak(a *answer, d delivery, r bot.Reply) error {
	if r.Form != nil {
		if err := f.ask(a, d, *r.Form); err != nil {
			return err
		}
	}
	if r.Card == nil {
		return nil
	}
	to := d.event.User
	if r.Public && d.event.Where.Kind == bot.Channel && d.event.Where.Channel != "" {
		to = d.event.Where.Channel
	}
	if _, err := (pen{}).render(*r.Card, reach(to)); err != nil {
		return err
	}
	a.then("answer", func(ctx context.Context) error {
		return f.persist(ctx, func() error {
			_, err := f.Send(ctx, bot.Message{To: bot.Address{Channel: to}, Card: *r.Card, Delivery: d.named("answer")})
			return err
		})
	})
	return nil
}

// ask sends a form to the person alone: what is typed into a card in a group would be everybody's to see and to send.
func (f *Feishu) ask(a *answer, d delivery, asked card.Form) error {
	drawn, err := f.form(d, asked)
	if long, ok := f.overlong(d, err); ok {
		f.tellLong(a, d, long)
		return nil
	}
	if err != nil {
		return err
	}
	a.then("form", func(ctx context.Context) error {
		return f.persist(ctx, func() error {
			_, err := f.post(ctx, d.event.User, drawn, d.named("form"))
			return err
		})
	})
	return nil
}

func (f *Feishu) form(d delivery, asked card.Form) (Card, error) {
	q, err := questionOf(asked)
	if err != nil {
		return Card{}, err
	}
	return q.render(value{
		Action: asked.Action, Kind: bot.Direct, Submits: true, Origin: d.event.Where.Channel, From: d.event.Where.Kind, Lang: d.event.Lang,
	}, nil, nil)
}

// overlong is the card that takes the place of a form with a text in it that its input would cut. Nothing of the text is in it.
func (f *Feishu) overlong(d delivery, err error) (card.Card, bool) {
	var long tooLong
	if !errors.As(err, &long) {
		return card.Card{}, false
	}
	say := func(key string) string { return f.say(d.event.Lang, key, "Has", long.has, "Most", long.most) }
	return card.Card{
		Tone: card.Trouble, Title: say("feishu.long.title"), Blocks: []card.Block{card.Say(say("feishu.long.text")), card.Say(say("feishu.long.how"))},
	}, true
}

// tellLong sends it to the person alone, as the form would have been.
func (f *Feishu) tellLong(a *answer, d delivery, long card.Card) {
	a.then("form", func(ctx context.Context) error {
		return f.persist(ctx, func() error {
			_, err := f.Send(ctx, bot.Message{To: bot.Address{User: d.event.User}, Card: long, Delivery: d.named("form")})
			return err
		})
	})
}

// named is what keeps an answer from being given twice, however often a deed is delivered.
func (d delivery) named(step string) string {
	sum := sha256.Sum256([]byte(d.event.Tenant + "\n" + d.event.ID + "\n" + step))
	return hex.EncodeToString(sum[:20])
}

// respondButton answers the press of a button: in the card's place where that is wanted, and with a line and a message otherwise.
func (f *Feishu) respondButton(a *answer, d delivery, r bot.Reply) error {
	body := shown{}
	where := d.event.Where.Kind
	if r.Card != nil && r.Replace && !(r.Card.Tone == card.Private && where == bot.Channel) { // there the card is everybody's
		drawn, err := pen{silent: true}.render(*r.Card, where)
		if err != nil {
			return err
		}
		body.Card, r.Card = replaced(drawn), nil
	}
	switch {
	case r.Card != nil:
		body.Toast = told(*r.Card)
	case r.Form != nil && where == bot.Channel: // it waits elsewhere
		_, err := f.form(d, *r.Form)
		waits, long := f.overlong(d, err)
		if !long {
			waits = card.Card{Title: r.Form.Title}
		}
		body.Toast = told(waits)
	}
	if err := f.speak(a, d, r); err != nil {
		return err
	}
	a.body = body
	return nil
}

// told is a card's title as a line.
func told(c card.Card) *toast {
	kinds := map[card.Tone]string{card.Good: "success", card.Trouble: "warning"}
	return &toast{Type: orElse(kinds[c.Tone], "info"), Content: cut(fallbackTitle(c), maxToast)}
}

// respondSubmission answers a filled form: with what is wrong, or with what takes the form's place, so that it cannot be sent twice. When
// the next form cannot be shown, the one that was filled stays as it is, with what was typed.
func (f *Feishu) respondSubmission(a *answer, d delivery, r bot.Reply) error {
	if len(r.Errors) > 0 {
		a.body = f.wrong(d, r.Errors)
		return nil
	}
	var drawn Card
	var err error
	done := card.Card{Tone: card.Good, Title: f.say(d.event.Lang, "feishu.done")}
	public := r.Public && r.Card != nil && d.event.Where.Kind == bot.Channel
	switch {
	case r.Form != nil:
		drawn, err = f.form(d, *r.Form)
		if long, ok := f.overlong(d, err); ok {
			a.body = shown{Toast: told(long)}
			return f.speak(a, d, r)
		}
		r.Form = nil
	case r.Card != nil && !public:
		drawn, err = pen{silent: true}.render(*r.Card, bot.Direct)
		r.Card = nil
	default:
		drawn, err = pen{}.render(done, bot.Direct)
	}
	if err != nil {
		return err
	}
	if err := f.speak(a, d, r); err != nil {
		return err
	}
	a.body = shown{Card: replaced(drawn)}
	return nil
}

// wrong says what is wrong with a form: under each field, with everything that was typed, where the form can be drawn again; and
// otherwise in a line above the form, which stays as it is.
func (f *Feishu) wrong(d delivery, problems map[string]string) shown {
	q, ok := unpack(d.value.Form)
	var names []string
	for _, field := range q.Fields {
		names = append(names, field.Name)
	}
	var sentences []string
	placed := map[string]string{}
	for _, name := range ordered(problems, names) {
		text := oneLine(problems[name])
		if text == "" {
			continue
		}
		sentences = append(sentences, text)
		if !slices.Contains(names, name) && len(names) > 0 {
			name = names[0]
		}
		placed[name] = strings.TrimSpace(placed[name] + " " + text)
	}
	out := shown{Toast: f.toast("error", "feishu.wrong")}
	if len(sentences) > 0 {
		out.Toast = &toast{Type: "error", Content: cut(strings.Join(sentences, " "), maxToast)}
	}
	if !ok {
		return out
	}
	if drawn, err := q.render(d.value, d.event.Form.Values, placed); err == nil {
		out.Card = replaced(drawn)
	}
	return out
}

// ordered are the fields with problems in the form's order, then the others by name.
func ordered(problems map[string]string, names []string) []string {
	var out, rest []string
	for _, name := range names {
		if _, ok := problems[name]; ok {
			out = append(out, name)
		}
	}
	for name := range problems {
		if !slices.Contains(names, name) {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return append(out, rest...)
}

// toast is one of the adapter's own sentences in every language that it has.
func (f *Feishu) toast(kind, key string, args ...any) *toast {
	names := map[string]string{i18n.Chinese: "zh_cn", i18n.English: "en_us"}
	t := &toast{Type: kind, Content: cut(f.say("", key, args...), maxToast), I18n: map[string]string{}}
	for lang, name := range names {
		t.I18n[name] = cut(f.say(lang, key, args...), maxToast)
	}
	return t
}

// How patient an answer to a person is, beside followTime.
const (
	mostTries = 4                // with a request each
	mostPause = 10 * time.Second // for one wait that Feishu asks for
)

// persist tries a few times while Feishu says that it has not taken the message, or says nothing: it takes it once. The event was
// acknowledged: nobody else will. A call that was kept back because Feishu asked somebody to wait is no try.
func (f *Feishu) persist(ctx context.Context, send func() error) error {
	for tries := 0; ; {
		err := send()
		fl, ok := fault.Of(err)
		if !errors.Is(err, errShut) {
			tries++
		}
		again := errors.Is(err, bot.ErrUnknownOutcome) || ok && fl.Kind == fault.Unavailable
		if !again || tries == mostTries {
			return err
		}
		pause := time.Second
		if ok && fl.RetryAfter > 0 {
			pause = fl.RetryAfter
		}
		if pause > mostPause || wait(ctx, pause) != nil {
			return err
		}
	}
}
