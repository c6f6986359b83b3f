package slack

import (
	"strings"

	"huiyin/bot"
)

// unescape undoes the three entities that Slack puts into texts, once. https://docs.slack.dev/messaging/formatting-message-text
var unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// parseTyped reads a text as Slack hands it on, with escaping of users on (should_escape in the manifest): entities become characters,
// mentions become parts, links become words, and what cannot be seen goes.
func parseTyped(raw string) []bot.Part {
	var parts []bot.Part
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			parts = append(parts, bot.Part{Text: text.String()})
			text.Reset()
		}
	}
	for raw != "" {
		open := strings.IndexByte(raw, '<')
		if open < 0 {
			text.WriteString(unescape.Replace(raw))
			break
		}
		text.WriteString(unescape.Replace(raw[:open]))
		raw = raw[open:]
		end := strings.IndexByte(raw, '>')
		if end < 0 || strings.IndexByte(raw[1:end], '<') >= 0 {
			text.WriteByte('<') // a person's own, which an app without escaping gets as it was typed
			raw = raw[1:]
			continue
		}
		mention, words := token(raw[1:end])
		raw = raw[end+1:]
		if mention == nil {
			text.WriteString(words)
			continue
		}
		flush()
		parts = append(parts, bot.Part{Mention: mention})
	}
	flush()
	return trim(parts)
}

// token reads what stands between < and >: a mention, or words.
func token(body string) (*bot.Mentioned, string) {
	ref, label, labelled := strings.Cut(body, "|")
	label = tidy(unescape.Replace(label))
	switch {
	case strings.HasPrefix(ref, "@") && account(ref[1:]):
		return &bot.Mentioned{User: ref[1:], Label: strings.TrimPrefix(label, "@")}, ""
	case strings.HasPrefix(ref, "!subteam^"):
		return &bot.Mentioned{Group: true, Label: orElse(strings.TrimPrefix(label, "@"), "subteam")}, ""
	case ref == "!here", ref == "!channel", ref == "!everyone", ref == "!group":
		return &bot.Mentioned{Group: true, Label: ref[1:]}, ""
	case strings.HasPrefix(ref, "!"): // <!date^…|fallback> and whatever comes
		return nil, orElse(label, unescape.Replace(ref[1:]))
	case strings.HasPrefix(ref, "#"):
		return nil, "#" + orElse(label, ref[1:])
	case strings.Contains(ref, ":") && !strings.ContainsAny(ref, " \n"):
		address := unescape.Replace(ref)
		if !labelled || strings.HasSuffix(address, label) { // <http://example.com|example.com>: Slack made it of what was typed
			return nil, orElse(label, address)
		}
		return nil, label + " (" + address + ")"
	}
	return nil, "<" + unescape.Replace(body) + ">"
}

// account reports whether a text is the id of a Slack account: U or W and capital letters and digits.
func account(id string) bool {
	if len(id) < 2 || len(id) > 32 || id[0] != 'U' && id[0] != 'W' {
		return false
	}
	return strings.IndexFunc(id[1:], func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) < 0
}

// spaces are the spaces that a person takes for one, and that no program expects.
var spaces = strings.NewReplacer("\u00a0", " ", "\u2007", " ", "\u202f", " ", "\u3000", " ")

// typed is one piece of typed text as the product keeps it.
func typed(s string) string {
	s = tidy(s)
	if ascii(s) {
		return s
	}
	return spaces.Replace(s)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// trim tidies the texts, takes the space from both ends and drops what is empty. A full-width slash at the start, as Chinese input
// methods write it, is a slash.
func trim(parts []bot.Part) []bot.Part {
	for i := range parts {
		parts[i].Text = typed(parts[i].Text)
	}
	if len(parts) > 0 {
		first, last := &parts[0], &parts[len(parts)-1]
		first.Text = strings.TrimLeft(first.Text, " \t\n")
		if rest, ok := strings.CutPrefix(first.Text, "／"); ok {
			first.Text = "/" + rest
		}
		last.Text = strings.TrimRight(last.Text, " \t\n")
	}
	kept := parts[:0]
	for _, p := range parts {
		if p.Mention != nil || p.Text != "" {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// without drops the mentions of the bot itself and joins the texts around them.
func without(parts []bot.Part, self string) []bot.Part {
	if self == "" {
		return parts
	}
	var out []bot.Part
	for _, p := range parts {
		if p.Mention != nil && p.Mention.User == self {
			continue
		}
		if n := len(out); n > 0 && p.Mention == nil && out[n-1].Mention == nil {
			out[n-1].Text = strings.TrimRight(out[n-1].Text, " ") + " " + strings.TrimLeft(p.Text, " ")
			continue
		}
		out = append(out, p)
	}
	return trim(out)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
