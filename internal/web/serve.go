package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

const (
	maxBody  = 256 << 10
	deadline = 2500 * time.Millisecond // of bot.Receive
	tellTime = 5 * time.Second
	// maxCarried is how large a sealed form may be for the page to carry it. A larger one is read from the store when it is sent.
	maxCarried = 96 << 10
	maxTries   = 1000
)

// sent is kept in the place of a form that has been sent, with the language of its reader behind it.
const sent = "sent in "

// Routes are the pages. Their paths are secrets: whoever knows one may act, so no path is ever logged. (What measures requests goes by
// the pattern, and the server's errors do not name a path.)
func (p *Pages) Routes(r bot.Receive) map[string]http.Handler {
	act := func(w http.ResponseWriter, req *http.Request) { p.act(w, req, r) }
	return map[string]http.Handler{
		"GET /p/{address}":  http.HandlerFunc(p.show),
		"POST /p/{address}": p.guard.Handler(http.HandlerFunc(act)),
	}
}

// show draws a page and does nothing else: chat clients and mail filters open addresses to see what is there.
func (p *Pages) show(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("address")
	if o, ok := p.openOffer(name); ok {
		p.write(w, http.StatusOK, p.offerPage(o, ""))
		return
	}
	id, ok := p.formID(name)
	if !ok {
		p.gone(w, r)
		return
	}
	sealed, ok, err := p.Store.Get(r.Context(), storeKey(id))
	switch {
	case err != nil:
		p.away(w, r, err)
	case p.wasSent(w, sealed):
	case !ok:
		p.gone(w, r)
	default:
		f, ok := p.openForm(sealed, id)
		if !ok {
			p.gone(w, r)
			return
		}
		p.write(w, http.StatusOK, p.formPage(f, sealed, 0, proposed(f.Form), ""))
	}
}

// act does what a page offers.
func (p *Pages) act(w http.ResponseWriter, r *http.Request, receive bot.Receive) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			p.write(w, http.StatusRequestEntityTooLarge, p.plainPage(p.spoken(r), "trouble", "web.large.title", "web.large.text"))
			return
		}
		p.write(w, http.StatusBadRequest, p.plainPage(p.spoken(r), "trouble", "web.gone.title", "web.gone.text"))
		return
	}
	name := r.PathValue("address")
	if o, ok := p.openOffer(name); ok {
		p.press(w, r, receive, o)
		return
	}
	if id, ok := p.formID(name); ok {
		p.submit(w, r, receive, id)
		return
	}
	p.gone(w, r)
}

// press is a button pressed. A second press is the same deed; the product says that it was done already.
func (p *Pages) press(w http.ResponseWriter, r *http.Request, receive bot.Receive, o offer) {
	reader := o.reader()
	e := p.event(reader, o.deed)
	e.Action = &bot.Action{Action: o.Action}
	reply, problem := p.receive(r.Context(), receive, e)
	if problem != "" {
		p.write(w, http.StatusServiceUnavailable, p.offerPage(o, problem))
		return
	}
	if reply.Form != nil && !p.next(w, r, reader, reply) {
		p.write(w, http.StatusServiceUnavailable, p.offerPage(o, "web.away.text"))
		return
	}
	if reply.Form == nil {
		p.answer(w, r, reader, reply)
	}
}

// submit is a form sent. The deed is named after the form and the try: two clicks, or the same page sent from two windows, are one deed,
// and a page that came back with errors makes the next.
func (p *Pages) submit(w http.ResponseWriter, r *http.Request, receive bot.Receive, id []byte) {
	kept, ok, err := p.Store.Get(r.Context(), storeKey(id))
	if p.wasSent(w, kept) {
		return
	}
	sealed := kept
	// A page carries its form along, so that what somebody has written does not depend on a store that may forget.
	if carried, bad := encoding.DecodeString(r.PostForm.Get("form")); bad == nil && len(carried) > 0 {
		sealed = carried
	} else if err != nil || !ok {
		p.lost(w, r, err)
		return
	}
	f, ok := p.openForm(sealed, id)
	if !ok {
		p.lost(w, r, nil)
		return
	}
	try, err := strconv.Atoi(r.PostForm.Get("try"))
	if err != nil || try < 0 || try > maxTries {
		try = 0
	}
	say := p.Catalog.In(f.To.Lang)
	values, shown := read(f.Form, r.PostForm, say)
	if len(shown.problems) > 0 {
		p.write(w, http.StatusUnprocessableEntity, p.formPage(f, sealed, try, shown, ""))
		return
	}
	e := p.event(f.To, encoding.EncodeToString(id)+":"+strconv.Itoa(try))
	e.Form = &bot.Submission{Action: f.Form.Action, Values: values}
	reply, problem := p.receive(r.Context(), receive, e)
	if problem == "" && reply.Form == nil && reply.Card != nil && reply.Card.Tone == card.Trouble {
		// It may not have been recorded: the words stay, and sending them again is the same deed.
		page := p.formPage(f, sealed, try, shown, "")
		page.Banner = tidy(reply.Card.Title)
		p.write(w, http.StatusServiceUnavailable, page)
		return
	}
	switch {
	case problem != "":
		p.write(w, http.StatusServiceUnavailable, p.formPage(f, sealed, try, shown, problem))
	case len(reply.Errors) > 0:
		shown.problems = reply.Errors
		p.write(w, http.StatusUnprocessableEntity, p.formPage(f, sealed, try+1, shown, ""))
	case reply.Form != nil && !p.next(w, r, f.To, reply):
		p.write(w, http.StatusServiceUnavailable, p.formPage(f, sealed, try, shown, "web.away.text"))
	default:
		if err := p.Store.Put(context.WithoutCancel(r.Context()), storeKey(id), []byte(sent+f.To.Lang), formLife); err != nil {
			p.Log.WarnContext(r.Context(), "a form that was sent cannot be marked as such", "error", err) // sending it again is still the same deed
		}
		if reply.Form == nil {
			p.answer(w, r, f.To, reply)
		}
	}
}

// wasSent answers for a form that has been sent.
func (p *Pages) wasSent(w http.ResponseWriter, kept []byte) bool {
	lang, is := strings.CutPrefix(string(kept), sent)
	if is {
		p.write(w, http.StatusOK, p.plainPage(p.Catalog.In(lang), "good", "web.sent.title", "web.sent.text"))
	}
	return is
}

// event is what a page's reader does.
func (p *Pages) event(to bot.Reader, deed string) bot.Event {
	return bot.Event{
		ID: "page:" + deed, Platform: to.Platform, Tenant: to.Tenant, User: to.User, Account: bot.Account{ID: to.User},
		Where: to.Where, Lang: to.Lang, At: p.Now(),
	}
}

// receive asks the product. What it did not answer comes back as the key of a sentence. A page that is closed while it waits shall not
// leave things half done.
func (p *Pages) receive(ctx context.Context, receive bot.Receive, e bot.Event) (bot.Reply, string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline)
	defer cancel()
	reply, err := receive(ctx, e)
	switch {
	case err == nil:
		return reply, ""
	case fault.Is(err, fault.Unavailable):
		p.Log.WarnContext(ctx, "a page could not be served", "platform", e.Platform, "error", err)
		return bot.Reply{}, "web.away.text"
	}
	p.Log.ErrorContext(ctx, "answering a page", "platform", e.Platform, "error", err)
	return bot.Reply{}, "web.failed"
}

// next leads on to the page of the form that a reply asks for; false means that it could not be kept. The address is a relative one:
// whatever path a proxy puts in front stays.
func (p *Pages) next(w http.ResponseWriter, r *http.Request, to bot.Reader, reply bot.Reply) bool {
	if reply.Lang != "" {
		to.Lang = reply.Lang
	}
	name, err := p.keep(r.Context(), to, *reply.Form)
	if err != nil {
		p.Log.WarnContext(r.Context(), "a form cannot be shown", "platform", to.Platform, "error", err)
		return false
	}
	p.headers(w.Header())
	w.Header().Set("Location", name)
	w.WriteHeader(http.StatusSeeOther)
	return true
}

// answer shows a reply.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, to bot.Reader, reply bot.Reply) {
	if reply.Lang != "" {
		to.Lang = reply.Lang
	}
	say := p.Catalog.In(to.Lang)
	switch {
	case reply.Card != nil && reply.Card.Tone == card.Private && p.Tell != nil:
		p.tell(w, r, to, *reply.Card)
	case reply.Card != nil:
		p.write(w, http.StatusOK, p.cardPage(to, *reply.Card))
	case len(reply.Errors) > 0:
		page := p.plainPage(say, "trouble", "web.wrong.title", "")
		for _, name := range sorted(reply.Errors) {
			page.Blocks = append(page.Blocks, drawn{Kind: "paragraph", Spans: spans(card.Text(reply.Errors[name]))})
		}
		p.write(w, http.StatusUnprocessableEntity, page)
	default:
		p.write(w, http.StatusOK, p.plainPage(say, "good", "web.done.title", ""))
	}
}

// tell sends a private answer to the reader's conversation and says so. What was done stays done, whether the answer arrives or not.
func (p *Pages) tell(w http.ResponseWriter, r *http.Request, to bot.Reader, c card.Card) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), tellTime)
	defer cancel()
	say := p.Catalog.In(to.Lang)
	if err := p.Tell(ctx, to, c); err != nil {
		p.Log.WarnContext(ctx, "a private answer cannot be sent", "platform", to.Platform, "error", err)
		p.write(w, http.StatusOK, p.plainPage(say, "trouble", "web.untold.title", "web.untold.text"))
		return
	}
	p.write(w, http.StatusOK, p.plainPage(say, "good", "web.told.title", "web.told.text"))
}

// gone answers an address that is wrong, altered or too old, always in the same words: guessing teaches nothing.
func (p *Pages) gone(w http.ResponseWriter, r *http.Request) {
	p.write(w, http.StatusNotFound, p.plainPage(p.spoken(r), "plain", "web.gone.title", "web.gone.text"))
}

func (p *Pages) away(w http.ResponseWriter, r *http.Request, err error) {
	p.Log.WarnContext(r.Context(), "the store of pages is away", "error", err)
	p.write(w, http.StatusServiceUnavailable, p.plainPage(p.spoken(r), "trouble", "web.away.title", "web.away.text"))
}

// lost answers a form that cannot be read any more, and gives the words back that were written into it.
func (p *Pages) lost(w http.ResponseWriter, r *http.Request, err error) {
	status, page := http.StatusNotFound, p.plainPage(p.spoken(r), "plain", "web.gone.title", "web.gone.text")
	if err != nil {
		p.Log.WarnContext(r.Context(), "the store of pages is away", "error", err)
		status, page = http.StatusServiceUnavailable, p.plainPage(p.spoken(r), "trouble", "web.away.title", "web.away.text")
	}
	for _, name := range sorted(r.PostForm) {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		for _, words := range cleaned(r.PostForm[name]) {
			page.Blocks = append(page.Blocks, drawn{Kind: "quote", Spans: spans(card.Text(words))})
		}
	}
	p.write(w, status, page)
}

// spoken is the language of somebody whom we do not know: that of the browser.
func (p *Pages) spoken(r *http.Request) i18n.Printer {
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	first, _, _ = strings.Cut(first, ";")
	return p.Catalog.In(strings.TrimSpace(first))
}
