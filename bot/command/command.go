// Package command knows what a table of commands is: from one row a command is found when it is typed, explained in the help, registered in a
// platform's manifest and documented. It knows no command by name, no domain and no language.
package command

import (
	"context"
	"slices"
	"strings"

	"huiyin/bot"
)

// Audience is for whom a command is; it decides what the help lists, not what is permitted.
type Audience int

// The audiences.
const (
	Everyone Audience = iota
	Managers
	HR
)

// Spec is one row: a command, declared once.
type Spec[D any] struct {
	Name    string   // the word after the root command, and the slash command of its own
	Aliases []string // other words, Chinese ones among them
	For     Audience
	// Key is the stem of its message keys: KEY.summary, KEY.usage and KEY.example.
	Key string
	Run func(ctx context.Context, to D, in Input) (bot.Reply, error)
}

// Table is all commands in the order in which help shows them.
type Table[D any] []Spec[D]

// Input is what was typed after the command's name.
type Input struct{ Parts []bot.Part }

// Empty reports whether nothing was typed: the command opens its form.
func (in Input) Empty() bool {
	return !slices.ContainsFunc(in.Parts, func(p bot.Part) bool { return p.Mention != nil || strings.TrimSpace(p.Text) != "" })
}

// Text is the typed text without mentions, white space trimmed at both ends.
func (in Input) Text() string {
	var b strings.Builder
	for _, p := range in.Parts {
		if p.Mention == nil {
			b.WriteString(p.Text)
		}
	}
	return strings.TrimSpace(b.String())
}

// Word splits the first word off the text.
func (in Input) Word() (word, rest string) {
	word, rest, _ = strings.Cut(in.Text(), " ")
	return word, strings.TrimSpace(rest)
}

// Addressed splits what was typed into those it is addressed to and the text. Mentions at the beginning are the addressees; when there
// are none there, every mention is, and leading is false (some platforms strip mentions out of the text and tell them apart from it, in no order). A mention
// within the text stays as the words that naming gives for it.
func (in Input) Addressed(naming func(bot.Mentioned) string) (to []bot.Mentioned, text string, leading bool) {
	i := 0
	for ; i < len(in.Parts); i++ {
		p := in.Parts[i]
		if p.Mention != nil {
			to = append(to, *p.Mention)
			continue
		}
		if !joins(p.Text) {
			break
		}
	}
	leading = len(to) > 0
	var b strings.Builder
	for _, p := range in.Parts[i:] {
		switch {
		case p.Mention == nil:
			b.WriteString(p.Text)
		case leading:
			b.WriteString(naming(*p.Mention))
		default:
			to = append(to, *p.Mention)
		}
	}
	return to, strings.TrimSpace(strings.TrimLeft(b.String(), " ,，、:：")), leading
}

// Words is everything that was typed, with each mention as the words that naming gives for it.
func (in Input) Words(naming func(bot.Mentioned) string) string {
	var b strings.Builder
	for _, p := range in.Parts {
		if p.Mention != nil {
			b.WriteString(naming(*p.Mention))
		} else {
			b.WriteString(p.Text)
		}
	}
	return strings.TrimSpace(b.String())
}

// Trailing reports whether nothing but mentions follows the first one: whom the words are for may stand at their end.
func (in Input) Trailing() bool {
	seen := false
	for _, p := range in.Parts {
		if p.Mention != nil {
			seen = true
		} else if seen && !joins(p.Text) {
			return false
		}
	}
	return seen
}

// joins reports whether text only joins names: "@a, @b 和 @c".
func joins(s string) bool {
	s = strings.Trim(s, " \t\n,，、;；+&")
	return s == "" || s == "和" || s == "与" || s == "及" || strings.EqualFold(s, "and")
}

// Found is the outcome of a search.
type Found[D any] struct {
	Spec    Spec[D]
	Input   Input
	Typed   string   // the word that should have named a command, when none was found
	Nearest []string // names of commands that may have been meant
}

// Find looks up what was typed. root is the root command (and its aliases), after which the first word names the command. ok is false
// when no command has that name; an empty root command is not found either, with Typed empty.
func (t Table[D]) Find(root []string, c bot.Command) (f Found[D], ok bool) {
	name, parts := fold(c.Name), c.Parts
	if name == "" || slices.Contains(root, name) {
		for name = ""; ; {
			var word string
			word, parts = firstWord(parts, t.starts)
			name = fold(word)
			if !slices.Contains(root, name) { // "/huiyin praise" typed as plain words
				break
			}
		}
	}
	for _, s := range t {
		if s.named(name) {
			return Found[D]{Spec: s, Input: Input{Parts: parts}}, true
		}
	}
	return Found[D]{Typed: name, Nearest: t.nearest(name)}, false
}

// Named gives the command of that name.
func (t Table[D]) Named(name string) (Spec[D], bool) {
	for _, s := range t {
		if s.named(fold(name)) {
			return s, true
		}
	}
	return Spec[D]{}, false
}

func (s Spec[D]) named(word string) bool {
	return word != "" && (s.Name == word || slices.Contains(s.Aliases, word))
}

// starts gives the Chinese alias that a word begins with: people type 表扬林晓 without a space.
func (t Table[D]) starts(word string) string {
	for _, s := range t {
		for _, a := range s.Aliases {
			if a[0] >= 0x80 && strings.HasPrefix(word, a) {
				return a
			}
		}
	}
	return ""
}

// nearest lists up to three commands whose name is at most two letters away, or begins with what was typed.
func (t Table[D]) nearest(word string) []string {
	if word == "" {
		return nil
	}
	type near struct {
		name string
		far  int
	}
	var found []near
	for _, s := range t {
		best := 9
		for _, n := range append([]string{s.Name}, s.Aliases...) {
			d := distance([]rune(word), []rune(n))
			if len([]rune(word)) >= 2 && strings.HasPrefix(n, word) {
				d = 1
			}
			if d < len([]rune(n)) {
				best = min(best, d)
			}
		}
		if best <= 2 {
			found = append(found, near{s.Name, best})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.far - b.far })
	var out []string
	for _, f := range found[:min(3, len(found))] {
		out = append(out, f.name)
	}
	return out
}

// fold makes a typed command word comparable: no slash of either width, lower case.
func fold(s string) string {
	return strings.ToLower(strings.TrimLeft(strings.TrimSpace(s), "/／"))
}

// firstWord takes the first word of the first text part; starts may say that a shorter beginning is a word of its own.
func firstWord(parts []bot.Part, starts func(string) string) (string, []bot.Part) {
	for i, p := range parts {
		if p.Mention != nil {
			return "", parts
		}
		text := strings.TrimLeft(p.Text, " \t\n\u3000")
		if text == "" {
			continue
		}
		end := strings.IndexAny(text, " \t\n\u3000:：,，@＠")
		if end < 0 {
			end = len(text)
		}
		if end == 0 {
			return "", parts
		}
		word := text[:end]
		if a := starts(fold(word)); a != "" && fold(word) != a {
			at := strings.Index(word, a) + len(a)
			word, end = word[:at], at
		}
		rest := strings.TrimLeft(text[end:], " \t\n\u3000:：,，")
		return word, append([]bot.Part{{Text: rest}}, parts[i+1:]...)
	}
	return "", nil
}

// distance is the number of letters to add, drop, change or swap (Damerau-Levenshtein, neighbouring swaps).
func distance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
