package survey

import (
	"regexp"
	"strings"
)

// TelltaleKind is what in a comment may say who wrote it.
type TelltaleKind string

// The telltales.
const (
	NameTelltale   TelltaleKind = "name"
	DateTelltale   TelltaleKind = "date"
	TicketTelltale TelltaleKind = "ticket"
	AmountTelltale TelltaleKind = "amount"
)

// Telltale is one place of a comment that the rater is shown before the submit. Nothing is changed on their behalf.
type Telltale struct {
	Kind TelltaleKind
	Text string
}

// telltales are tried in this order, on normalised words; a place counts once.
var telltales = []struct {
	kind TelltaleKind
	re   *regexp.Regexp
}{
	{TicketTelltale, regexp.MustCompile(`\b[A-Z][A-Z0-9]{1,9}-\d+\b|#\d+\b`)},
	{DateTelltale, regexp.MustCompile(`\b\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?\b|\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b|(\d{4}年)?\d{1,2}月(\d{1,2}[日号])?|\d{1,2}[日号]|(上|本|这|下)(个?月|周|星期)[一二三四五六日天]?|(?i)\b(mon|tues|wednes|thurs|fri|satur|sun)day\b|(?i)\b(january|february|march|april|june|july|august|september|october|november|december)\b`)},
	{AmountTelltale, regexp.MustCompile(`[$¥€£]\s?\d[\d,.]*|\d[\d,.]*\s?(%|万|千|元|块|亿|USD|RMB|CNY|EUR)|\b\d{1,3}(,\d{3})+\b|\b\d{4,}\b`)},
}

// Telltales finds what in the words may lead to their author: names of colleagues, dates, tickets and amounts.
func Telltales(words string, names []string) []Telltale {
	words = Normalise(words)
	var out []Telltale
	lower := strings.ToLower(words)
	for _, name := range names {
		if folded := strings.ToLower(Normalise(name)); folded != "" && strings.Contains(lower, folded) {
			out = append(out, Telltale{NameTelltale, name})
		}
	}
	for _, t := range telltales {
		for _, at := range t.re.FindAllStringIndex(words, -1) {
			out = append(out, Telltale{t.kind, words[at[0]:at[1]]})
			words = words[:at[0]] + strings.Repeat("\x00", at[1]-at[0]) + words[at[1]:]
		}
	}
	return out
}
