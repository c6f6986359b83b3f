package chat

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"huiyin/internal/i18n"
)

// view is what every piece of a page needs to draw itself.
type view struct {
	words
	st state
	p  platform // of the tab; in a pane that of its person
}

// view reads what the address asks for.
func (s *site) view(r *http.Request) view {
	st := s.settle(s.readState(r.URL.Query()))
	return view{words: words{s.catalog.In(s.lang(r, st))}, st: st, p: s.on(st)}
}

// Act is the address that a form posts to; the state goes along, so that the page comes back as it was.
func (v view) Act(name string) string {
	st := v.st
	st.Draft = ""
	link := "act/" + name + st.link()[len("./"):]
	if v.p != nil && v.p.name() != st.tab {
		link += "&of=" + v.p.name()
	}
	return link
}

// pane is one person at one place.
type pane struct {
	view
	site   *site
	n      int // 1 or 2
	who    person
	place  place
	places []place
	as     reader
}

// piece is a part of the page that is drawn again by itself. Rev changes when it looks different.
type piece struct {
	Name, Rev string
	HTML      template.HTML
}

type pageView struct {
	view
	Title, Product, Version string
	Auto, Split, Landing    bool
	Tabs                    []tab
	Langs                   []tab
	People                  piece
	Panes                   []paneView
	Starts                  []start
	Tour                    piece
	CanMove                 bool
	User                    string // the first person, whose zone the clock control speaks of
	ClockAct                string
}

// tab is one of several links of which one is on.
type tab struct {
	Label, Lang, Link string
	On                bool
}

// start is somebody whom the first page suggests to play.
type start struct {
	words
	face
	Link, Why string
}

// paneView is a pane as its template draws it.
type paneView struct {
	view
	face
	N                                       int
	PlaceID, PlaceName, PlaceKind           string
	Home, Split, Mentions, Mute             bool
	Close, Draft, IDs, On                   string
	Accounts                                []tab // of the same person, when there are several platforms
	Menu                                    []menuRow
	Clock, Places, Body, Overlay, Inspector piece
}

func (s *site) servePage(w http.ResponseWriter, r *http.Request) {
	v := s.view(r)
	st, p := v.st, v.p
	if s.setLang(w, r) {
		w.Header().Set("Location", st.link())
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	page := pageView{
		view: v, Title: s.title, Product: v.T("demo.product"), Version: s.version, Auto: s.chosenLang(r) == "",
		CanMove: s.move != nil, Tour: s.piece("tour", s.tour(v, "")), User: st.As.user,
	}
	for _, other := range s.platforms {
		page.Tabs = append(page.Tabs, tab{Label: v.T("demo.platform." + other.name()), Link: s.tabbed(st, other.name()).link(), On: other == p})
	}
	for _, l := range append([]string{"auto"}, i18n.Languages()...) {
		on := !page.Auto && l == v.Lang() || page.Auto && l == "auto"
		page.Langs = append(page.Langs, tab{Label: v.T("demo.lang." + l), Lang: l, Link: st.link() + "&lang=" + l, On: on})
	}
	var watched []Watched
	for n, a := range []account{st.As, st.With} {
		if at, ok := s.pane(v, n+1, a); ok {
			if n == 0 {
				page.ClockAct = at.Act("clock")
			}
			page.Panes = append(page.Panes, s.drawPane(at))
			watched = append(watched, Watched{Platform: a.on, User: a.user})
		}
	}
	if s.watched != nil {
		s.watched(p.name(), watched)
	}
	page.Landing, page.Split = len(page.Panes) == 0, len(page.Panes) == 2
	for i := range page.Panes {
		page.Panes[i].Split = page.Split
	}
	if page.Landing {
		page.Starts = s.starts(v)
	}
	page.People = s.piece("people", s.peopleView(p, st, v.words, "")) // last: the panes have been read by now
	var b bytes.Buffer
	if err := s.draw.ExecuteTemplate(&b, "page", page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes()) //nolint:errcheck // a browser that has gone away cannot be told
}

// pane is somebody's part of the page; a place that they cannot open is that of the bot instead.
func (s *site) pane(v view, n int, a account) (pane, bool) {
	who, ok := s.find(a)
	if !ok {
		return pane{}, false
	}
	v.p, _ = s.named(a.on)
	user := a.user
	zone, err := time.LoadLocation(who.zone)
	if err != nil {
		zone = time.UTC
	}
	at := pane{view: v, site: s, n: n, who: who}
	at.as = reader{user: user, say: v.Printer, zone: zone, ids: fmt.Sprintf("p%d-", n)}
	wish := v.st.In
	if n == 2 {
		wish = v.st.At
	}
	places := v.p.places(user)
	for i := range places {
		if places[i].kind == placeNotices {
			places[i].name = v.T("demo.place.notices")
		}
	}
	at.places, at.place = places, places[0]
	if wish == placeHome && v.p.client().home {
		at.place = place{id: placeHome, kind: placeHome, name: v.T("demo.home")}
	}
	for _, pl := range places {
		if pl.id == wish {
			at.place = pl
		}
	}
	return at, true
}

func (s *site) drawPane(at pane) paneView {
	v := paneView{
		view: at.view, face: s.face(at.who), N: at.n, PlaceID: at.place.id, PlaceName: at.place.name, PlaceKind: at.place.kind,
		Home: at.place.kind == placeHome, Close: at.st.alone(at.n).link(), IDs: at.as.ids, On: at.p.name(), Accounts: s.accounts(at),
	}
	v.Mute = v.Home || at.place.kind == placeNotices
	v.Mentions = at.place.kind != placeBot || at.p.client().mentionsInDM
	if at.place.kind == placeBot {
		for _, m := range at.p.client().menu {
			v.Menu = append(v.Menu, menuRow{Key: m.Key, Label: m.Label[at.Lang()]})
		}
	}
	if at.n == 1 {
		v.Draft = at.st.Draft
	}
	body := "messages"
	if v.Home {
		body = "home"
	}
	v.Body = at.piece(body) // first: it marks what is shown as read
	v.Clock, v.Places, v.Overlay = at.piece("clock"), at.piece("places"), at.piece("modal")
	v.Inspector = piece{Name: "inspector"} // fetched when it is opened
	return v
}

// menuRow is an entry of the bot's menu.
type menuRow struct{ Key, Label string }

// accounts are the links to the other accounts of a pane's person, and the name of the platform that the pane shows.
func (s *site) accounts(at pane) []tab {
	if len(s.platforms) < 2 {
		return nil
	}
	var out []tab
	here := account{on: at.p.name(), user: at.who.id}
	for _, a := range s.elsewhere(here) {
		to := at.st
		if at.n == 1 && at.st.With.user == "" { // alone, the tab goes along
			to.Platform, to.tab = a.on, a.on
		}
		out = append(out, tab{Label: at.T("demo.platform." + a.on), Lang: a.on, Link: to.as(at.n, a).link(), On: a == here})
	}
	return out
}

// pieces are the parts of a pane that can be drawn by themselves.
func pieces() map[string]func(pane) any {
	return map[string]func(pane) any{
		"clock":     func(at pane) any { return at.clockView() },
		"places":    func(at pane) any { return at.placesView() },
		"messages":  func(at pane) any { return at.messagesView() },
		"home":      func(at pane) any { return at.homeView() },
		"modal":     func(at pane) any { return at.modalView() },
		"inspector": func(at pane) any { return at.inspectorView() },
	}
}

func (at pane) piece(name string) piece { return at.site.piece(name, pieces()[name](at)) }

// piece draws one template.
func (s *site) piece(name string, v any) piece {
	html := execute(s.draw, name, v)
	return piece{Name: name, Rev: rev(string(html)), HTML: html}
}

// rev is short for a text.
func rev(texts ...string) string {
	sum := fnv.New64a()
	for _, t := range texts {
		fmt.Fprintf(sum, "%d:%s", len(t), t)
	}
	return strconv.FormatUint(sum.Sum64(), 36)
}

// serveFragment draws one piece of the page that its query describes; pane says of which person. The header Rev saves a browser
// from replacing what looks the same.
func (s *site) serveFragment(w http.ResponseWriter, r *http.Request) {
	q, name := r.URL.Query(), r.PathValue("name")
	v := s.view(r)
	st, p := v.st, v.p
	n, who := 1, st.As
	if q.Get("pane") == "2" {
		n, who = 2, st.With
	}
	var out piece
	switch name {
	case "people":
		out = s.piece(name, s.peopleView(p, st, v.words, q.Get("q")))
	case "tour":
		out = s.piece(name, s.tour(v, q.Get("praised")))
	case "hints":
		at, ok := s.pane(v, n, who)
		if !ok {
			at = pane{view: v}
		}
		out = s.piece(name, s.hints(at, q.Get("kind"), q.Get("q"), "p"+q.Get("pane")+"-"))
	default:
		at, ok := s.pane(v, n, who)
		if _, known := pieces()[name]; !ok || !known {
			http.NotFound(w, r)
			return
		}
		out = at.piece(name)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Rev", out.Rev)
	w.Write([]byte(out.HTML)) //nolint:errcheck // a browser that has gone away cannot be told
}
