package chat

import (
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// mrkdwn draws Slack's markup. Everything that is not markup is escaped, once, at the moment it is written.
// https://docs.slack.dev/messaging/formatting-message-text
func (d *drawing) mrkdwn(s string) template.HTML {
	m := marker{d: d}
	m.text(strings.ReplaceAll(s, "\r\n", "\n"))
	return template.HTML(m.b.String())
}

// marker writes one text. Nothing but its own tags reaches b without being escaped.
type marker struct {
	d *drawing
	b strings.Builder
}

func (m *marker) put(s string) { m.b.WriteString(template.HTMLEscapeString(s)) }

// text takes preformatted blocks out first, in which nothing else is markup.
func (m *marker) text(s string) {
	for {
		before, rest, opened := strings.Cut(s, fence)
		code, after, closed := strings.Cut(rest, fence)
		if !opened || !closed || strings.TrimSpace(code) == "" {
			m.quotes(s)
			return
		}
		m.quotes(strings.TrimSuffix(before, "\n"))
		m.b.WriteString("<pre>")
		m.put(m.bare(strings.Trim(code, "\n")))
		m.b.WriteString("</pre>")
		s = strings.TrimPrefix(after, "\n")
	}
}

// quoted is the rest of a line that is quoted.
func quoted(line string) (string, bool) {
	for _, mark := range []string{"&gt;", ">"} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return strings.TrimPrefix(rest, " "), true
		}
	}
	return "", false
}

// quotes gathers lines that are quoted; three marks quote all that follows.
func (m *marker) quotes(s string) {
	if s == "" {
		return
	}
	all := strings.Split(s, "\n")
	fresh := true // nothing stands on this line yet
	for i := 0; i < len(all); i++ {
		if _, ok := quoted(all[i]); !ok {
			if !fresh {
				m.b.WriteString("<br>")
			}
			m.inline(all[i], 0)
			fresh = false
			continue
		}
		m.b.WriteString("<blockquote>")
		for _, mark := range []string{"&gt;&gt;&gt;", ">>>"} {
			if rest, ok := strings.CutPrefix(all[i], mark); ok {
				all[i] = strings.TrimPrefix(rest, " ")
				for j, line := range all[i:] {
					if j > 0 {
						m.b.WriteString("<br>")
					}
					m.inline(line, 0)
				}
				m.b.WriteString("</blockquote>")
				return
			}
		}
		for first := true; i < len(all); i++ {
			line, ok := quoted(all[i])
			if !ok {
				break
			}
			if !first {
				m.b.WriteString("<br>")
			}
			m.inline(line, 0)
			first = false
		}
		i--
		m.b.WriteString("</blockquote>")
		fresh = true
	}
}

// styles are the marks that style text within a line.
var styles = map[rune]string{'*': "strong", '_': "em", '~': "s"}

// maxNesting bounds how deep styles stand in one another; Slack itself shows three.
const maxNesting = 6

// inline draws one line or a part of it.
func (m *marker) inline(s string, depth int) {
	before := ' '
	plain := 0 // where unwritten plain text begins
	flush := func(to int) {
		m.words(s[plain:to])
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '<':
			if end := strings.IndexByte(s[i:], '>'); end > 1 {
				flush(i)
				m.reference(s[i+1 : i+end])
				i += end + 1
				plain, before = i, '>'
				continue
			}
		case r == '`':
			if end := strings.IndexByte(s[i+1:], '`'); end > 0 && opens(before, s[i+1:]) {
				flush(i)
				m.b.WriteString("<code>")
				m.put(m.bare(s[i+1 : i+1+end]))
				m.b.WriteString("</code>")
				i += end + 2
				plain, before = i, '`'
				continue
			}
		case styles[r] != "" && depth < maxNesting && opens(before, s[i+1:]):
			if end := closing(s[i+1:], r); end > 0 {
				flush(i)
				m.b.WriteString("<" + styles[r] + ">")
				m.inline(s[i+1:i+1+end], depth+1)
				m.b.WriteString("</" + styles[r] + ">")
				i += end + 2
				plain, before = i, r
				continue
			}
		}
		before = r
		i += size
	}
	flush(len(s))
}

// gap is a rune on which no word stands: white space, or one of zero width.
func gap(r rune) bool {
	return unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' || r == '\ufeff' || r == utf8.RuneError
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// opens says whether a mark may open a style: not inside a word, and not in front of a gap.
func opens(before rune, rest string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	return !wordy(before) && rest != "" && !gap(next)
}

// closing finds the mark that closes a style: after something that is no gap, and not inside a word. Marks within references and
// within code do not count.
func closing(s string, mark rune) int {
	last := mark
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == '<' || r == '`' {
			end := strings.IndexByte(s[i+1:], map[rune]byte{'<': '>', '`': '`'}[r])
			if end > 0 {
				i += end + 2
				last = '>'
				continue
			}
		}
		if r == mark && last != mark && !gap(last) {
			next, _ := utf8.DecodeRuneInString(s[i+size:])
			if i+size == len(s) || !wordy(next) && next != mark {
				return i
			}
		}
		last = r
		i += size
	}
	return 0
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// words writes text without markup: addresses in it become links, shortcodes become emoji.
func (m *marker) words(s string) {
	linked(&m.b, entities.Replace(s), func(t string) string { return template.HTMLEscapeString(shortcodes(t)) })
}

// reference is what stands between angle brackets: a mention, a channel, a date or an address, with an optional label.
func (m *marker) reference(s string) {
	target, label, labelled := strings.Cut(s, "|")
	label = entities.Replace(label)
	switch {
	case strings.HasPrefix(target, "@"):
		m.d.mention(&m.b, target[1:])
	case strings.HasPrefix(target, "#"):
		if label == "" {
			label = m.d.channel(target[1:])
		}
		m.chip("#"+label, "")
	case strings.HasPrefix(target, "!date^"):
		m.put(m.d.date(target, label))
	case strings.HasPrefix(target, "!subteam^"):
		if label == "" {
			label = "@" + strings.TrimPrefix(target, "!subteam^")
		}
		m.chip(label, " alarm")
	case target == "!here" || target == "!channel" || target == "!everyone":
		m.chip("@"+target[1:], " alarm")
	case strings.HasPrefix(target, "!"):
		m.put(label)
	default:
		if !labelled {
			label = ""
		}
		m.b.WriteString(string(anchor(entities.Replace(target), shortcodes(label))))
	}
}

// bare is what stands in code: references by their words, entities read.
func (m *marker) bare(s string) string {
	return entities.Replace(referenceMarkup.ReplaceAllStringFunc(s, func(ref string) string {
		target, label, _ := strings.Cut(ref[1:len(ref)-1], "|")
		if label != "" {
			return label
		}
		return target
	}))
}

var referenceMarkup = regexp.MustCompile(`<[^<>\n]+>`)

// chip is a name that stands out; more are further classes.
func (m *marker) chip(text, more string) { writeChip(&m.b, text, more) }

// mention is the name of a person; the reader's own stands out.
func (d *drawing) mention(b *strings.Builder, id string) {
	id, _, _ = strings.Cut(id, "|")
	name, more := id, ""
	if p, ok := d.people[id]; ok {
		name = p.name
	}
	if id == d.as.user {
		more = " me"
	}
	writeChip(b, "@"+name, more)
}

// channel is the name of a channel that the reader can open; others stay what they are called by id.
func (d *drawing) channel(id string) string {
	for _, p := range d.s.places(d.as.user) {
		if p.id == id {
			return strings.TrimPrefix(p.name, "#")
		}
	}
	return id
}

var dateToken = regexp.MustCompile(`\{[a-z_]+\}`)

// date is <!date^SECONDS^FORMAT^LINK|FALLBACK> where the reader is.
// https://docs.slack.dev/messaging/formatting-message-text/#date-formatting
func (d *drawing) date(target, fallback string) string {
	parts := strings.Split(target, "^")
	if len(parts) < 3 {
		return fallback
	}
	unix, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return fallback
	}
	return d.formatted(time.Unix(unix, 0), parts[2], fallback)
}

func (d *drawing) formatted(t time.Time, format, fallback string) string {
	t = t.In(d.as.zone)
	known := true
	out := dateToken.ReplaceAllStringFunc(format, func(token string) string {
		switch token {
		case "{date_num}":
			return t.Format(time.DateOnly)
		case "{time}":
			return clock(t)
		case "{time_secs}":
			return t.Format(time.TimeOnly)
		case "{date_long}", "{date_long_pretty}":
			return day(d.say, t)
		case "{date}", "{date_pretty}", "{date_short}", "{date_short_pretty}", "{day_divider_pretty}":
			return t.Format(d.say.T("demo.layout.date"))
		}
		known = false
		return token
	})
	if !known {
		return fallback
	}
	return out
}

var shortcode = regexp.MustCompile(`:[a-z0-9_+-]+:`)

// shortcodes puts emoji in the place of their names, as far as they are known here.
func shortcodes(s string) string {
	return shortcode.ReplaceAllStringFunc(s, func(code string) string {
		if e, ok := emoji[code[1:len(code)-1]]; ok {
			return e
		}
		return code
	})
}

// emoji are the shortcodes that cards are likely to hold.
var emoji = map[string]string{
	"+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "clap": "👏", "tada": "🎉", "star": "⭐", "star2": "🌟", "sparkles": "✨",
	"heart": "❤️", "fire": "🔥", "rocket": "🚀", "pray": "🙏", "wave": "👋", "muscle": "💪", "trophy": "🏆", "medal": "🏅", "bulb": "💡",
	"memo": "📝", "pencil2": "✏️", "calendar": "📅", "bell": "🔔", "no_bell": "🔕", "lock": "🔒", "eyes": "👀", "speech_balloon": "💬",
	"white_check_mark": "✅", "heavy_check_mark": "✔️", "x": "❌", "warning": "⚠️", "question": "❓", "exclamation": "❗", "hourglass": "⌛",
	"chart_with_upwards_trend": "📈", "chart_with_downwards_trend": "📉", "bar_chart": "📊", "dart": "🎯", "smile": "😄", "slightly_smiling_face": "🙂",
	"blush": "😊", "joy": "😂", "cry": "😢", "thinking_face": "🤔", "raised_hands": "🙌", "ok_hand": "👌", "point_right": "👉", "point_down": "👇",
	"arrow_right": "➡️", "arrow_left": "⬅️", "information_source": "ℹ️", "gear": "⚙️", "gift": "🎁", "house": "🏠", "link": "🔗", "100": "💯",
}
