package people

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// FoldMobile is the one form of a telephone number, so that two ways to write it compare equal: "+86 138-0013-8000" and "13800138000" are
// 13800138000, "001 (415) 555-0100" is +14155550100. What is no number, or has digits hidden (138****8000), is empty.
func FoldMobile(typed string) string {
	var b strings.Builder
	abroad := false
	for i, r := range norm.NFKC.String(trim(typed)) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0:
			abroad = true
		case unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("-.()/\u2010\u2011\u2012\u2013\u2014", r):
		default:
			return ""
		}
	}
	digits := b.String()
	if bare, ok := strings.CutPrefix(digits, "00"); ok && !abroad {
		digits, abroad = bare, true
	}
	if own, ok := strings.CutPrefix(digits, "86"); ok && isChineseMobile(own) {
		return own
	}
	if len(digits) < leastDigits || len(digits) > mostDigits {
		return ""
	}
	if abroad {
		return "+" + digits
	}
	return digits
}

// How long telephone numbers are: the most is that of ITU-T E.164, 6.1.
const (
	leastDigits = 5
	mostDigits  = 15
)

// isChineseMobile reports whether the digits are a mobile number of mainland China: eleven, the first a 1 that no zero follows.
func isChineseMobile(digits string) bool {
	return len(digits) == 11 && digits[0] == '1' && digits[1] != '0'
}
