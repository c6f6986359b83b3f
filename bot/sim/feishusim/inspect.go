package feishusim

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"huiyin/bot/sim/backstage"
)

// What Feishu accepts and a careful bot must not send. The inspector reads everything that people would see.

var (
	atTag          = regexp.MustCompile(`(?i)<at\b([^>]*)>`)
	personTag      = regexp.MustCompile(`(?i)<person\b([^>]*)>`)
	idAttribute    = regexp.MustCompile(`(?i)\b(?:id|ids|user_id|open_id)\s*=\s*["']?([^"'>\s/]*)`)
	imageMarkdown  = regexp.MustCompile(`!\[[^\]]*\]\(\s*([^)\s]*)[^)]*\)`)
	scriptMarkdown = regexp.MustCompile(`(?i)(\]\(|\bhref\s*=\s*["']?)\s*(javascript|data|vbscript|file):`)
	scriptAddress  = regexp.MustCompile(`(?i)^\s*(javascript|data|vbscript|file):`)
)

// everyone is the id that means all members of a chat.
const everyone = "all"

// markdownCut is the number of characters from which long markdown has been seen to be cut without a word.
const markdownCut = 10_000

// inspection is one content being read.
type inspection struct {
	s     *Server
	about Finding // method and call or delivery
}

func (i inspection) find(severity, rule, at string, n int) {
	f := i.about
	f.Severity, f.Rule, f.Pointer, f.Length = severity, rule, at, n
	i.s.find(f)
}

// encoding looks for broken UTF-8 and lone surrogate escapes, which decoding would hide.
func (i inspection) encoding(raw []byte) {
	if !utf8.Valid(raw) {
		i.find(Must, "text.invalid_utf8", "", len(raw))
	}
	if backstage.LoneSurrogate(raw) {
		i.find(Must, "text.cut_surrogate", "", len(raw))
	}
}

// text reads the text of a text message, in which <at user_id="…"> works.
func (i inspection) text(at, t string) {
	i.anyString(at, t)
	i.notBlank(at, t)
	for _, m := range atTag.FindAllStringSubmatch(t, -1) {
		for _, id := range idAttribute.FindAllStringSubmatch(m[1], -1) {
			i.at(at, id[1])
		}
	}
}

// at reads whom a mention names.
func (i inspection) at(at, id string) {
	switch {
	case id == everyone:
		i.find(Must, "text.at_all", at, 0)
	case id != i.s.opts.BotOpenID && i.s.world.anyone(id) == nil:
		i.find(Should, "text.unknown_user", at, 0)
	}
}

// markdown reads text in which mentions and links work; what makes a card fail is not this one's business.
func (i inspection) markdown(at, t string) {
	i.anyString(at, t)
	i.notBlank(at, t)
	for _, m := range atTag.FindAllStringSubmatch(t, -1) {
		for _, id := range idAttribute.FindAllStringSubmatch(m[1], -1) {
			i.at(at, id[1])
		}
	}
	if scriptMarkdown.MatchString(t) {
		i.find(Must, "link.script", at, length(t))
	}
	if length(t) > markdownCut {
		i.find(Should, "card.markdown_over_10000", at, length(t))
	}
}

// link reads an address that somebody can press.
func (i inspection) link(at, href string) {
	if scriptAddress.MatchString(href) {
		i.find(Must, "link.script", at, length(href))
	}
}

func (i inspection) notBlank(at, t string) {
	if t != "" && backstage.Blank(t) {
		i.find(Must, "text.blank", at, length(t))
	}
}

// anyString reads every string that is shown.
func (i inspection) anyString(at, t string) {
	switch {
	case strings.ContainsRune(t, 0):
		i.find(Must, "text.nul", at, length(t))
	case !utf8.ValidString(t):
		i.find(Must, "text.invalid_utf8", at, length(t))
	case strings.ContainsRune(t, utf8.RuneError):
		i.find(Must, "text.replacement_character", at, length(t))
	}
	if backstage.OpenBidi(t) {
		i.find(Should, "text.open_bidi_control", at, length(t))
	}
}
