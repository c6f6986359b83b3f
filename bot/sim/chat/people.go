package chat

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// peopleShown is how many people the list holds before it asks to search.
const peopleShown = 120

// face is a person as templates draw them.
type face struct {
	ID, Mention, Name, Other, Title, Department string
	Initials                                    string
	Hue                                         int // of the avatar, 0 to 11
	Manager, HR, Guest, Bot                     bool
}

func (s *site) face(p person) face {
	more := s.profiles[p.account()]
	f := face{
		ID: p.id, Mention: p.mentioned(), Name: p.name, Other: more.OtherName, Title: p.title, Department: cmp.Or(more.Department, p.department),
		Initials: initials(p.name), Hue: hue(cmp.Or(more.Person, p.id)), Manager: s.bosses[p.account()], HR: more.HR, Guest: p.guest, Bot: p.bot,
	}
	if f.Other == f.Name {
		f.Other = ""
	}
	return f
}

func (p person) account() account { return account{on: p.on, user: p.id} }

// mentioned is what is written after an @ to mean the person.
func (p person) mentioned() string { return cmp.Or(p.mention, p.handle) }

// initials are what an avatar shows: the first letters of a name's first and last word, or the last two characters of a Chinese one.
func initials(name string) string {
	var han []rune
	for _, r := range name {
		if unicode.Is(unicode.Han, r) {
			han = append(han, r)
		}
	}
	if len(han) > 0 {
		return string(han[max(0, len(han)-2):])
	}
	parts := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(parts) == 0 {
		return "·"
	}
	first := func(s string) string {
		r, _ := utf8.DecodeRuneInString(s)
		return strings.ToUpper(string(r))
	}
	if len(parts) == 1 {
		return first(parts[0])
	}
	return first(parts[0]) + first(parts[len(parts)-1])
}

func hue(id string) int {
	n := 0
	for _, b := range []byte(id) {
		n = n*31 + int(b)
	}
	return (n%12 + 12) % 12
}

// listed are the people whom one can play, in the order of the profiles, others by name after them.
func (s *site) listed(p platform) []person {
	var out []person
	for _, who := range p.people() {
		if !who.bot {
			out = append(out, who)
		}
	}
	place := func(who person) int {
		if i, ok := s.order[who.account()]; ok {
			return i
		}
		return len(s.order)
	}
	slices.SortStableFunc(out, func(a, b person) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a.name, b.name))
	})
	return out
}

// matches says whether a person is meant by what was typed: every word of it stands in a name, handle, title, department or in the
// further words of the profile. A handle or word that begins with it ranks before one that contains it, which is rank 2.
func (s *site) matches(who person, typed string) (rank int, ok bool) {
	more := s.profiles[who.account()]
	all := append([]string{who.name, more.OtherName, who.handle, who.title, cmp.Or(more.Department, who.department)}, more.Words...)
	for _, name := range all[:2] { // Lin Xiao is found by linxiao and xiaolin as well
		parts := strings.Fields(name)
		all = append(all, strings.Join(parts, ""))
		slices.Reverse(parts)
		all = append(all, strings.Join(parts, ""))
	}
	rank = 1
	for _, word := range strings.Fields(strings.ToLower(typed)) {
		best := 0
		for _, in := range all {
			in = strings.ToLower(in)
			switch {
			case strings.HasPrefix(in, word):
				best = 1
			case best == 0 && strings.Contains(in, word):
				best = 2
			}
		}
		if best == 0 {
			return 0, false
		}
		rank = max(rank, best)
	}
	return rank, true
}

// search returns the listed people who match, the better first, at most as many; more says how many were left out.
func (s *site) search(p platform, typed string, most int) (found []person, more int) {
	ranks := map[string]int{}
	for _, who := range s.listed(p) {
		if rank, ok := s.matches(who, typed); ok {
			found = append(found, who)
			ranks[who.id] = rank
		}
	}
	if strings.TrimSpace(typed) != "" {
		slices.SortStableFunc(found, func(a, b person) int { return cmp.Compare(ranks[a.id], ranks[b.id]) })
	}
	if len(found) > most {
		return found[:most], len(found) - most
	}
	return found, 0
}

// peopleView is the list of people.
type peopleView struct {
	words
	Groups []peopleGroup
	More   int
	None   bool
	// Held is whoever was watched on another tab, and which.
	Held, HeldOn string
}

type peopleGroup struct {
	Department string
	Rows       []peopleRow
}

type peopleRow struct {
	words
	face
	Unread       int
	Link, Beside string // to be this person; to watch them beside the first
	Here, There  bool   // is the first or the second person
}

func (s *site) peopleView(p platform, st state, say words, typed string) peopleView {
	v := peopleView{words: say}
	found, more := s.search(p, typed, peopleShown)
	v.More, v.None = more, len(found) == 0
	if held, ok := s.find(st.Held); ok {
		v.Held, v.HeldOn = s.face(held).Name, say.T("demo.platform."+held.on)
	}
	at := map[string]int{}
	for _, who := range found {
		f := s.face(who)
		i, known := at[f.Department]
		if !known {
			i = len(v.Groups)
			at[f.Department] = i
			v.Groups = append(v.Groups, peopleGroup{Department: f.Department})
		}
		row := peopleRow{
			words: say, face: f, Here: who.account() == st.As, There: who.account() == st.With, Unread: s.unreadBot(p, who.id),
			Link: st.as(1, who.account()).link(),
		}
		switch {
		case st.As.user != "" && !row.Here:
			row.Beside = st.as(2, who.account()).link()
		case st.As.user == "" && st.Held.user != "":
			row.Beside = st.as(1, st.Held).as(2, who.account()).link()
		}
		v.Groups[i].Rows = append(v.Groups[i].Rows, row)
	}
	return v
}

// unreadBot counts what a person has not read in the conversation with the bot.
func (s *site) unreadBot(p platform, user string) int {
	at := p.withBot(user)
	return p.unread(user, at, s.seen.last(p, user, at))
}
