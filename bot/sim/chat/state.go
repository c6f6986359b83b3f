package chat

import (
	"net/http"
	"net/url"
	"strings"

	"huiyin/internal/i18n"
)

// state is what the address of the page says: who is watched, where, on which platform.
type state struct {
	Platform string
	As, In   string // the first person and the place they look at
	With, At string // the second person, when two are watched, and theirs
	Draft    string // stands in the first composer when the page opens
}

func readState(q url.Values) state {
	return state{
		Platform: q.Get("on"), As: q.Get("as"), In: q.Get("in"), With: q.Get("with"), At: q.Get("at"), Draft: q.Get("draft"),
	}
}

// link is the address of a state, relative to the page.
func (s state) link() string {
	q := url.Values{}
	for k, v := range map[string]string{"on": s.Platform, "as": s.As, "in": s.In, "with": s.With, "at": s.At, "draft": s.Draft} {
		if v != "" {
			q.Set(k, v)
		}
	}
	return "./?" + q.Encode()
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
func (s state) as(pane int, user string) state {
	s.Draft = ""
	if pane == 2 {
		s.With, s.At = user, ""
	} else {
		s.As, s.In = user, ""
	}
	return s
}

// alone is the state with a pane closed.
func (s state) alone(pane int) state {
	s.Draft = ""
	if pane == 1 {
		s.As, s.In = s.With, s.At
	}
	s.With, s.At = "", ""
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
func (s *site) lang(r *http.Request, p platform, st state) string {
	if l := s.chosenLang(r); l != "" {
		return l
	}
	if who, ok := find(p, st.As); ok {
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
	for _, p := range s.platforms {
		if p.name() == st.Platform {
			return p
		}
	}
	return s.platforms[0]
}

// settle drops people who are not there from a state; a second person alone is the first.
func settle(p platform, st state) state {
	if _, ok := find(p, st.With); !ok || st.With == st.As {
		st.With, st.At = "", ""
	}
	if _, ok := find(p, st.As); !ok {
		st.As, st.In, st.With, st.At = st.With, st.At, "", ""
	}
	return st
}

// find looks up somebody whom one can play: no bots.
func find(p platform, id string) (person, bool) {
	for _, who := range p.people() {
		if who.id == id && !who.bot {
			return who, true
		}
	}
	return person{}, false
}
