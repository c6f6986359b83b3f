package chat

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"huiyin/internal/i18n"
)

// state is what the address of the page says: who is watched, where, on which platform.
type state struct {
	Platform string  // of the tab, as the address has it; the first when empty
	As       account // the first person
	In       string  // the place they look at
	With     account // the second person, when two are watched
	At       string  // theirs
	Held     account // whoever was watched on another tab
	Draft    string  // stands in the first composer when the page opens

	tab string // name of the tab's platform
}

func (s *site) readState(q url.Values) state {
	st := state{Platform: q.Get("on"), In: q.Get("in"), At: q.Get("at"), Draft: q.Get("draft")}
	st.tab = s.on(st).name()
	st.As, st.With, st.Held = s.readAccount(q.Get("as"), st.tab), s.readAccount(q.Get("with"), st.tab), s.readAccount(q.Get("held"), st.tab)
	return st
}

// link is the address of a state, relative to the page.
func (s state) link() string {
	q := url.Values{}
	for k, v := range map[string]string{
		"on": s.Platform, "as": s.As.write(s.tab), "in": s.In, "with": s.With.write(s.tab), "at": s.At, "draft": s.Draft, "held": s.Held.write(s.tab),
	} {
		if v != "" {
			q.Set(k, v)
		}
	}
	return "./?" + q.Encode()
}

// tabbed is the state of another tab: at the same person's account there, if they have one. Whoever was watched is held, so that
// somebody of this tab can be put beside them.
func (s *site) tabbed(st state, tab string) state {
	to := state{Platform: tab, tab: tab}
	for _, a := range s.elsewhere(st.As) {
		if a.on == tab && st.As.user != "" {
			to.As = a
		}
	}
	if to.As.user == "" {
		to.Held = cmp.Or(st.As, st.Held)
	}
	return to
}

// in is the state with one pane at a place.
func (s state) in(pane int, place string) state {
	s.Draft = ""
	if pane == 2 {
		s.At = place
	} else {
		s.In = place
	}
	return s
}

// as is the state with another person in a pane, at their conversation with the bot.
func (s state) as(pane int, a account) state {
	s.Draft, s.Held = "", account{}
	if pane == 2 {
		s.With, s.At = a, ""
	} else {
		s.As, s.In = a, ""
	}
	return s
}

// alone is the state with a pane closed.
func (s state) alone(pane int) state {
	s.Draft = ""
	if pane == 1 {
		s.As, s.In = s.With, s.At
	}
	s.With, s.At = account{}, ""
	return s
}

// words is the language of a piece of the page; templates call T and Lang.
type words struct{ i18n.Printer }

// langCookie keeps the choice of language; without it the page follows the person.
const langCookie = "huiyin_demo_lang"

// chosenLang is the language that was chosen with the toggle, or nothing.
func (s *site) chosenLang(r *http.Request) string {
	c, err := r.Cookie(langCookie)
	if err != nil || c.Value == "" {
		return ""
	}
	return s.catalog.Match(c.Value)
}

// lang is the page's language: the chosen one, else that of the first person, else the browser's.
func (s *site) lang(r *http.Request, st state) string {
	if l := s.chosenLang(r); l != "" {
		return l
	}
	if who, ok := s.find(st.As); ok {
		return s.catalog.Match(who.lang)
	}
	wish, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	return s.catalog.Match(strings.TrimSpace(wish))
}

// setLang remembers the language of the address's lang, and forgets it for "auto"; it reports whether there was one.
func (s *site) setLang(w http.ResponseWriter, r *http.Request) bool {
	wish := r.URL.Query().Get("lang")
	if wish == "" {
		return false
	}
	c := &http.Cookie{Name: langCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 365 * 24 * 3600}
	if wish == "auto" {
		c.MaxAge = -1
	} else {
		c.Value = s.catalog.Match(wish)
	}
	http.SetCookie(w, c)
	return true
}

// on is the platform that the address names, or the first.
func (s *site) on(st state) platform {
	if p, ok := s.named(st.Platform); ok {
		return p
	}
	return s.platforms[0]
}

// settle drops people who are not there from a state; a second person alone is the first.
func (s *site) settle(st state) state {
	if _, ok := s.find(st.With); !ok || st.With == st.As {
		st.With, st.At = account{}, ""
	}
	if _, ok := s.find(st.As); !ok {
		st.As, st.In, st.With, st.At = st.With, st.At, account{}, ""
	}
	if _, ok := s.find(st.Held); !ok || st.As.user != "" {
		st.Held = account{}
	}
	return st
}
