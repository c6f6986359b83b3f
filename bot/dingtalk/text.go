package dingtalk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const ellipsis = "…"

// tidy takes out of text what is not seen and can only mislead: control characters, invisible characters, and those that reverse the
// reading direction, and what is no character at all. Line ends become \n. Joiners stay where a script or an emoji needs them.
func tidy(s string) string {
	if strings.IndexFunc(s, untidy) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	var last rune // the last one written
	for i, r := range s {
		switch {
		case r == '\r':
			if !strings.HasPrefix(s[i+1:], "\n") {
				b.WriteByte('\n')
				last = '\n'
			}
			continue
		case r == '\u0085', r == '\u2028', r == '\u2029':
			r = '\n'
		case r == '\u200c', r == '\u200d':
			next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
			if !joins(last, next) {
				continue
			}
		case r >= 0xe0020 && r <= 0xe007f: // the letters of a flag
			if last != 0x1f3f4 && (last < 0xe0020 || last > 0xe007f) {
				continue
			}
		case untidy(r):
			continue
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// untidy reports whether a rune is dropped, replaced or looked at more closely.
func untidy(r rune) bool {
	switch {
	case r < ' ':
		return r != '\n' && r != '\t'
	case r < 0x7f:
		return false
	case r <= 0x9f, r == utf8.RuneError:
		return true
	}
	switch r {
	case '\u00ad', '\u034f', '\u061c', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u180e', '\u3164', '\ufeff', '\uffa0':
		return true
	}
	return r >= '\u200b' && r <= '\u200f' || r >= '\u2028' && r <= '\u202e' || r >= '\u2060' && r <= '\u206f' ||
		r >= '\ufff0' && r <= '\ufffb' || r >= 0xe0000 && r <= 0xe007f
}

// joins reports whether a zero-width joiner or non-joiner between two runes means something: between emoji, and between letters of
// the scripts that shape their letters by their neighbours.
func joins(before, after rune) bool {
	return pictorial(before) && pictorial(after) || shaping(before) && shaping(after)
}

func pictorial(r rune) bool {
	return r == '\ufe0f' || r >= 0x1f3fb && r <= 0x1f3ff || r > 0xff && r != utf8.RuneError && unicode.Is(unicode.So, r)
}

func shaping(r rune) bool {
	return r > 0x5ff && unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Mongolian, unicode.Devanagari, unicode.Bengali,
		unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer)
}

// blank reports whether nothing of the text would be seen; DingTalk refuses such texts or shows an empty bubble.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

// units is the length of a text in UTF-16 units, as the phone that shows it counts.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += runeUnits(r)
	}
	return n
}

func runeUnits(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// cut shortens a text to at most limit units, the last being an ellipsis, without taking apart what is read as one character.
func cut(s string, limit int) string {
	if len(s) <= limit || units(s) <= limit {
		return s
	}
	return strings.TrimRightFunc(clip(s, limit-1), unicode.IsSpace) + ellipsis
}

// clip is the front of a text, at most limit units of it.
func clip(s string, limit int) string {
	n := 0
	for i, r := range s {
		if n += runeUnits(r); n > limit {
			return s[:seam(s, i)]
		}
	}
	return s
}

// seam moves a place of cutting back to the nearest place between two characters as people see them.
func seam(s string, at int) int {
	for i, tries := at, 0; i > 0 && tries < 16; tries++ {
		after, _ := utf8.DecodeRuneInString(s[i:])
		before, size := utf8.DecodeLastRuneInString(s[:i])
		if !extends(after) && before != '\u200d' && !splitsFlag(s, i, before, after) {
			return i
		}
		i -= size
	}
	return at // somebody stacked accents; any place is as good
}

func extends(r rune) bool {
	return r == '\u200d' || r >= 0x1f3fb && r <= 0x1f3ff || r >= 0xe0020 && r <= 0xe007f || r > 0x2ff && unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc)
}

// splitsFlag reports whether a cut at i parts the two letters of a national flag.
func splitsFlag(s string, i int, before, after rune) bool {
	if !regional(before) || !regional(after) {
		return false
	}
	letters := 0
	for r, size := utf8.DecodeLastRuneInString(s[:i]); size > 0 && regional(r); r, size = utf8.DecodeLastRuneInString(s[:i]) {
		letters++
		i -= size
	}
	return letters%2 == 1
}

func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }
