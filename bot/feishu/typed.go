package feishu

import (
	"strings"

	"huiyin/bot"
)

// everyone is the placeholder that means all members of a group; person begins the others, followed by a number.
const (
	everyone = "@_all"
	person   = "@_user_"
)

// parseTyped reads a text with placeholders: mentions become parts, the bot's own is left out, and what cannot be seen goes. addressed
// says that the bot was mentioned. People of other firms keep their label alone, which names nobody.
//
// Where no mention is known to be the bot's, as when its id is another here, the one before a command is taken for it: with the scope
// that we ask for, a group tells the bot of nothing else.
func parseTyped(raw string, mentions []mention, me robot, tenant string) (parts []bot.Part, addressed bool) {
	byKey := make(map[string]mention, len(mentions))
	for _, m := range mentions {
		byKey[m.Key] = m
	}
	var unknown []int // places of mentions that may be the bot's
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			parts = append(parts, bot.Part{Text: text.String()})
			text.Reset()
		}
	}
	for raw != "" {
		at := strings.Index(raw, "@_")
		if at < 0 {
			break
		}
		text.WriteString(raw[:at])
		raw = raw[at:]
		key := placeholder(raw)
		m, ok := byKey[key]
		if key == "" || !ok && key != everyone {
			n := max(len(key), len("@_"))
			text.WriteString(raw[:n])
			raw = raw[n:]
			continue
		}
		raw = raw[len(key):]
		if ok && m.is(me) {
			addressed = true
			space(&text, raw)
			continue
		}
		flush()
		if ok && m.Kind == "" && m.ID.UserID == "" {
			unknown = append(unknown, len(parts))
		}
		parts = append(parts, bot.Part{Mention: m.mentioned(key, tenant)})
	}
	text.WriteString(raw)
	flush()
	if !addressed && len(unknown) > 0 {
		i := unknown[0]
		next := i + 1
		if blankBefore(parts[:i]) && next < len(parts) && command(parts[next].Text) {
			parts, addressed = parts[next:], true
		}
	}
	return trim(parts), addressed
}

// placeholder is the placeholder that a text begins with, its number read to the end: @_user_1 is not the beginning of @_user_10.
func placeholder(s string) string {
	if strings.HasPrefix(s, everyone) {
		return everyone
	}
	if !strings.HasPrefix(s, person) {
		return ""
	}
	n := len(person)
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n]
}

func (m mention) mentioned(key, tenant string) *bot.Mentioned {
	label := tidy(strings.TrimPrefix(m.Name, "@"))
	switch {
	case key == everyone || m.ID.OpenID == "all":
		return &bot.Mentioned{Group: true, Label: orElse(label, "all")}
	case m.TenantKey != "" && tenant != "" && m.TenantKey != tenant:
		return &bot.Mentioned{Label: label}
	}
	return &bot.Mentioned{User: m.ID.OpenID, Label: label}
}

// space keeps the words around a mention that is left out apart, by one space at most.
func space(before *strings.Builder, after string) {
	s := before.String()
	if s != "" && !strings.HasSuffix(s, " ") && !strings.HasSuffix(s, "\n") && !strings.HasPrefix(after, " ") {
		before.WriteByte(' ')
	}
	if strings.HasSuffix(s, " ") && strings.HasPrefix(after, " ") {
		before.Reset()
		before.WriteString(strings.TrimRight(s, " "))
	}
}

func blankBefore(parts []bot.Part) bool {
	for _, p := range parts {
		if p.Mention != nil || !blank(p.Text) {
			return false
		}
	}
	return true
}

func command(text string) bool {
	text = strings.TrimLeft(text, " \u3000\u00a0")
	return strings.HasPrefix(text, "/") || strings.HasPrefix(text, "／")
}

// spaces are the spaces that a person takes for one, and that no program expects.
var spaces = strings.NewReplacer("\u00a0", " ", "\u2007", " ", "\u202f", " ", "\u3000", " ")

// typed is one piece of typed text as the product keeps it.
func typed(s string) string { return spaces.Replace(tidy(s)) }

// trim tidies the texts, takes the space from both ends and drops what is empty. A full-width slash at the start, as Chinese input
// methods write it, is a slash.
func trim(parts []bot.Part) []bot.Part {
	var kept []bot.Part
	for _, p := range parts {
		p.Text = typed(p.Text)
		if p.Mention == nil && (p.Text == "" || len(kept) == 0 && blank(p.Text)) {
			continue
		}
		kept = append(kept, p)
	}
	for len(kept) > 0 && kept[len(kept)-1].Mention == nil && blank(kept[len(kept)-1].Text) {
		kept = kept[:len(kept)-1]
	}
	if len(kept) == 0 {
		return nil
	}
	first, last := &kept[0], &kept[len(kept)-1]
	first.Text = strings.TrimLeft(first.Text, " \t\n")
	if rest, ok := strings.CutPrefix(first.Text, "／"); ok {
		first.Text = "/" + rest
	}
	last.Text = strings.TrimRight(last.Text, " \t\n")
	return kept
}
