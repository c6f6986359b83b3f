package people

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Leading splits names at the beginning of typed text from the words after them: "@林晓 谢谢", "lin xiao thanks", "@王凯、@李梅 干得好".
//
//  1. A name ends at a space, at punctuation, before an @ or with the text. Of all ends within four words the last one wins with
//     which the name is exact: "lin xiao thanks" is Lin Xiao, not Lin.
//  2. Without an @ only such a name is a name. With an @ the first word is always one: Found holds whom it may mean, or is empty.
//  3. A Chinese name may run into 和, 与, 跟 or 及 and the next name, or into the text: "林晓谢谢你". In the latter case it is only
//     likely (ByPrefix), since 林晓谢 may be meant, and there have to be two more characters.
//  4. Further names follow after a space, a comma, 、 or a semicolon, and after "and", "&", "+" or those four, if a name follows. A
//     name that only likely is one follows the last kind, never a space.
//  5. A colon ends the names, and so do fifty of them. The text comes back without what joined it to them, and as it was, but for spaces around it, when it
//     begins with no name.
func (d *Directory) Leading(text string) (named []Receiver, rest string) {
	rest = strings.TrimSpace(text)
	for joined := true; ; {
		name, ok := d.nameAt(rest)
		if !ok || name.glued && !joined {
			return named, rest
		}
		named = append(named, Receiver{Typed: name.typed, Found: name.found})
		rest = rest[name.end:]
		var last bool
		if rest, joined, last = d.join(rest); last || len(named) == mostNames {
			return named, rest
		}
	}
}

const (
	longestName  = 4  // words of a name
	longestGlued = 8  // characters of a name that runs into the text
	longestTyped = 60 // characters that are looked at for one name
	mostNames    = 50 // at the beginning of one text; what follows is text
)

// leadingName is a name at the beginning of a text: end is where the text goes on.
type leadingName struct {
	typed string
	found []Candidate
	end   int
	glued bool
}

func (d *Directory) nameAt(text string) (leadingName, bool) {
	bare := strings.TrimLeft(text, "@＠")
	skipped := len(text) - len(bare)
	if bare == "" {
		return leadingName{}, false
	}
	ends := nameEnds(bare)
	for _, end := range slices.Backward(ends) {
		if found := d.exactly(bare[:end]); len(found) > 0 {
			return leadingName{typed: bare[:end], found: found, end: skipped + end}, true
		}
	}
	characters := leadingHan(bare)
	for _, end := range slices.Backward(characters) {
		if found := d.exactly(bare[:end]); len(found) > 0 && startsWithHanAnd(bare[end:]) {
			_, size := utf8.DecodeRuneInString(bare[end:])
			if d.beginsWithName(strings.TrimLeft(bare[end+size:], " \u3000")) {
				return leadingName{typed: bare[:end], found: found, end: skipped + end}, true
			}
		}
	}
	for i := min(longestGlued, len(characters)-2) - 1; i > 0; i-- {
		end := characters[i]
		if found := d.exactly(bare[:end]); len(found) > 0 {
			for n := range found {
				found[n].How = ByPrefix
			}
			return leadingName{typed: bare[:end], found: found, end: skipped + end, glued: true}, true
		}
	}
	if skipped == 0 || ends[0] == 0 {
		return leadingName{}, false
	}
	typed := bare[:ends[0]]
	return leadingName{typed: typed, found: d.Find(typed, FindOptions{}), end: skipped + ends[0]}, true
}

// beginsWithName reports whether the text begins with an @ or with an exact name, whatever follows it.
func (d *Directory) beginsWithName(text string) bool {
	if strings.HasPrefix(text, "@") || strings.HasPrefix(text, "＠") {
		return true
	}
	return slices.ContainsFunc(append(nameEnds(text), leadingHan(text)...), func(end int) bool { return len(d.exactly(text[:end])) > 0 })
}

// exactly gives whom a name names exactly: whoever is named so is not asked about others.
func (d *Directory) exactly(name string) []Candidate {
	best := map[uuid.UUID]How{}
	d.lookUp(foldName(name), func(id uuid.UUID, how How) {
		if how <= ByPinyin {
			best[id] = how
		}
	})
	return d.ranked(best, FindOptions{})
}

const (
	commas  = ",，、;；"
	colons  = ":："
	closers = "!！?？。()（）\"“”"
)

// nameEnds are the places where a name at the beginning of the text may end, in order.
func nameEnds(text string) []int {
	var ends []int
	words, count, inWord := 0, 0, false
	for i, r := range text {
		stops := strings.ContainsRune(commas+colons+closers, r)
		switch {
		case unicode.IsSpace(r) || stops || r == '@' || r == '＠':
			if inWord || i == 0 {
				ends = append(ends, i)
			}
			inWord = r == '@' // it goes on in an e-mail address
			if stops || r == '＠' {
				return ends
			}
		case !inWord:
			if words++; words > longestName {
				return ends
			}
			inWord = true
		}
		if count++; count > longestTyped {
			return append(ends, i)
		}
	}
	if inWord {
		ends = append(ends, len(text))
	}
	return ends
}

// leadingHan are the places behind each of the Chinese characters at the beginning of the text.
func leadingHan(text string) []int {
	var ends []int
	for i, r := range text {
		if !unicode.Is(unicode.Han, r) || len(ends) == longestTyped {
			break
		}
		ends = append(ends, i+utf8.RuneLen(r))
	}
	return ends
}

func startsWithHanAnd(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return strings.ContainsRune("和与跟及", r)
}

// join drops what joins a name to the next one, or to the text. joined: more than a space did; last: no name can follow.
func (d *Directory) join(text string) (rest string, joined, last bool) {
	trimmed := strings.TrimLeft(text, " \t\r\n\u3000"+commas)
	joined = strings.ContainsAny(text[:len(text)-len(trimmed)], commas)
	if after := strings.TrimLeft(trimmed, colons); after != trimmed {
		return strings.TrimSpace(after), joined, true
	}
	and := 0
	if startsWithHanAnd(trimmed) {
		_, and = utf8.DecodeRuneInString(trimmed)
	}
	for _, word := range []string{"and ", "& ", "+ ", "&", "+"} {
		if and == 0 && len(trimmed) >= len(word) && strings.EqualFold(trimmed[:len(word)], word) {
			and = len(word)
		}
	}
	if and > 0 {
		next := strings.TrimLeft(trimmed[and:], " \t\u3000")
		if _, ok := d.nameAt(next); ok {
			return next, true, false
		}
	}
	return trimmed, joined, false
}
