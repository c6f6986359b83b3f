package chat

import (
	"cmp"
	"strconv"
)

// step is one of the tour's. Done is what ends it, in the words of page.js; Link leads to where it can be done.
type step struct {
	N         int
	Title     string
	Text      string
	Done      string
	Link, Go  string
	Then, And string // a second link
}

// tourView is the list of steps.
type tourView struct {
	words
	Steps []step
}

// tour is five steps around a manager and somebody who reports to them, as long as the page knows such a pair. Whoever is played
// belongs to the pair if they can, and so does the one who was praised on the way.
func (s *site) tour(v view, praised string) tourView {
	boss, report := s.pair(v.p, v.st.As.user, praised)
	name := func(p person) string {
		if p.id == "" {
			return v.T("demo.tour.someone")
		}
		return s.nameIn(p, v.Lang())
	}
	handle := func(p person) string {
		if p.id == "" {
			return v.T("demo.tour.someone")
		}
		return p.mentioned()
	}
	link := func(who person, draft string) string {
		if who.id == "" {
			return ""
		}
		return state{Platform: v.st.Platform, tab: v.st.tab, As: who.account(), Draft: draft}.link()
	}
	other := "zh"
	if v.Lang() != "en" {
		other = "en"
	}
	done := []string{"manager", "command praise", "press", "command note, public", "command lang"}
	links := []string{
		link(boss, ""), link(boss, v.T("demo.tour.2.draft", "Handle", handle(report))), link(report, ""),
		link(boss, v.T("demo.tour.4.draft", "Handle", handle(report))), link(report, "/lang "+other),
	}
	public := s.public(v.p, boss.id)
	out := tourView{words: v.words}
	for i := range done {
		n := strconv.Itoa(i + 1)
		st := step{
			N: i + 1, Title: v.T("demo.tour."+n+".title", "Boss", name(boss), "Report", name(report)),
			Text: v.T("demo.tour."+n+".text", "Boss", name(boss), "Report", name(report), "Handle", handle(report),
				"Place", cmp.Or(public.name, "#general")),
			Done: done[i], Link: links[i], Go: v.T("demo.tour."+n+".go", "Boss", name(boss), "Report", name(report)),
		}
		if i == 3 && public.id != "" {
			st.Then = state{Platform: v.st.Platform, tab: v.st.tab, As: boss.account(), In: public.id}.link()
			st.And = v.T("demo.tour.4.then", "Place", public.name)
		}
		out.Steps = append(out.Steps, st)
	}
	return out
}

// pair finds a manager and somebody who reports to them: with as many of the wished people in it as can be, else of a team that is
// not HR's and whose members lead nobody themselves, else the first.
func (s *site) pair(p platform, wished ...string) (boss, report person) {
	best := -1
	all := s.listed(p)
	above := map[string]bool{} // who leads leaders
	for a := range s.bosses {
		above[s.profiles[a].Boss] = true
	}
	byID := map[string]person{}
	for _, b := range all {
		byID[b.id] = b
	}
	for _, r := range all {
		b, there := byID[s.profiles[r.account()].Boss]
		if !there || b.id == r.id {
			continue
		}
		score := 0
		if !above[b.id] && !s.profiles[b.account()].HR {
			score = 1
		}
		for _, w := range wished {
			if w == b.id || w == r.id {
				score += 2
			}
		}
		if score > best {
			boss, report, best = b, r, score
		}
	}
	return boss, report
}

// public is the first public channel that a person sees.
func (s *site) public(p platform, user string) place {
	if user == "" {
		return place{}
	}
	for _, pl := range p.places(user) {
		if pl.kind == placePublic {
			return pl
		}
	}
	return place{}
}

// nameIn is the name of a person for readers of a language: the one in their script, when there are two.
func (s *site) nameIn(p person, lang string) string {
	if other := s.profiles[p.account()].OtherName; other != "" && (lang == "en") == (han(p.name) && !han(other)) {
		return other
	}
	return p.name
}

// starts suggests whom to play first: a manager, somebody who reports to them, and HR.
func (s *site) starts(v view) []start {
	boss, report := s.pair(v.p)
	var hr person
	for _, who := range s.listed(v.p) {
		if s.profiles[who.account()].HR {
			hr = who
			break
		}
	}
	var out []start
	for _, c := range []struct {
		who person
		why string
	}{{boss, v.T("demo.start.manager")}, {report, v.T("demo.start.report", "Name", s.nameIn(boss, v.Lang()))}, {hr, v.T("demo.start.hr")}} {
		if c.who.id != "" {
			out = append(out, start{words: v.words, face: s.face(c.who), Link: v.st.as(1, c.who.account()).link(), Why: c.why})
		}
	}
	return out
}
