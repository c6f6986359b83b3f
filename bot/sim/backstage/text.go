package backstage

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var surrogateEscape = regexp.MustCompile(`\\*\\u[dD]([89abAB]|[c-fC-F])[0-9a-fA-F]{2}`)

// LoneSurrogate says whether JSON has \ud83d without the other half, at whatever depth of escaping.
func LoneSurrogate(raw []byte) bool {
	end, high := -1, false
	for _, at := range surrogateEscape.FindAllIndex(raw, -1) {
		escape := raw[at[0]:at[1]]
		slashes := bytes.IndexByte(escape, 'u')
		if slashes%2 == 0 {
			continue // an escaped backslash before a plain u
		}
		isHigh := strings.ContainsRune("89abAB", rune(escape[len(escape)-3]))
		pairs := high && end == at[0]
		if high && !(pairs && !isHigh) || !high && !isHigh {
			return true
		}
		high, end = isHigh, at[1]
	}
	return high
}

// OpenBidi says whether a text leaves a direction override open, so that what follows it is turned round.
func OpenBidi(t string) bool {
	open := 0
	for _, r := range t {
		switch {
		case r >= 0x202A && r <= 0x202E && r != 0x202C, r >= 0x2066 && r <= 0x2068:
			open++
		case (r == 0x202C || r == 0x2069) && open > 0:
			open--
		}
	}
	return open > 0
}

// Blank says whether nothing of a text can be seen.
func Blank(t string) bool {
	return !strings.ContainsFunc(t, func(r rune) bool {
		return !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && r != 0
	})
}

// Length counts characters: code points.
func Length(s string) int { return utf8.RuneCountInString(s) }

// Complaint is what is wrong with a string that people are shown, as severity and rule; empty when nothing is.
func Complaint(t string) (severity, rule string) {
	switch {
	case strings.ContainsRune(t, 0):
		return Must, "text.nul"
	case !utf8.ValidString(t):
		return Must, "text.invalid_utf8"
	case strings.ContainsRune(t, utf8.RuneError):
		return Must, "text.replacement_character"
	case OpenBidi(t):
		return Should, "text.open_bidi_control"
	}
	return "", ""
}
