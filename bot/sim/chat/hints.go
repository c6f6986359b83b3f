package chat

import (
	"slices"
	"strings"
	"unicode"
)

// hintsShown is how many suggestions the composer shows at once.
const hintsShown = 8

// hintsView is the list over the composer.
type hintsView struct {
	words
	IDs  string
	Rows []hintRow
	// Usage and Summary explain one command, whose name stands in the composer already.
	Command, Usage, Summary string
}

type hintRow struct {
	ID, Insert           string
	Name, Usage, Summary string
	Face                 *face
}

// hints are suggestions of a kind for what was typed: "/" commands, "@" people, and "usage", what can follow a command.
func (s *site) hints(v pane, kind, typed, ids string) hintsView {
	out := hintsView{words: v.words, IDs: ids}
	lang := v.Lang()
	switch kind {
	case "/":
		for _, c := range found(v.p.commands(), typed) {
			out.Rows = append(out.Rows, hintRow{Insert: c.Name + " ", Name: c.Name, Usage: c.Usage[lang], Summary: c.Summary[lang]})
		}
	case "@":
		if v.place.kind == placeBot && !v.p.client().mentionsInDM {
			break
		}
		people, _ := s.search(v.p, typed, hintsShown)
		for _, who := range v.p.people() {
			if _, ok := s.matches(who, typed); ok && who.bot { // in a channel the bot hears what mentions it
				people = append(people, who)
			}
		}
		for _, who := range people {
			f := s.face(who)
			out.Rows = append(out.Rows, hintRow{Insert: "@" + who.mentioned() + " ", Name: who.name, Face: &f})
		}
	case "usage":
		for _, c := range v.p.commands() {
			if c.Name == typed {
				out.Command, out.Usage, out.Summary = c.Name, c.Usage[lang], c.Summary[lang]
			}
		}
	}
	for i := range out.Rows {
		out.Rows[i].ID = ids + "hint-" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
	}
	return out
}

// found are the commands that what was typed may begin: by name or alias first, then by what they contain.
func found(all []CommandHint, typed string) []CommandHint {
	word := strings.ToLower(strings.TrimPrefix(typed, "/"))
	rank := func(c CommandHint) int {
		best := 0
		for _, n := range append([]string{strings.TrimPrefix(c.Name, "/")}, c.Aliases...) {
			n = strings.ToLower(n)
			if strings.HasPrefix(n, word) {
				return 1
			}
			if strings.Contains(n, word) {
				best = 2
			}
		}
		return best
	}
	var out []CommandHint
	for _, want := range []int{1, 2} {
		for _, c := range all {
			if rank(c) == want {
				out = append(out, c)
			}
		}
	}
	return out
}

// han says whether a text has Chinese characters.
func han(s string) bool {
	return slices.ContainsFunc([]rune(s), func(r rune) bool { return unicode.Is(unicode.Han, r) })
}
