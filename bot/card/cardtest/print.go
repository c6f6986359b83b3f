package cardtest

import (
	"fmt"
	"strings"

	"huiyin/bot/card"
)

// Print writes a card as plain text, for golden files that people read: nothing of it depends on a platform.
func Print(c card.Card) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s] %s\n", toneName(c.Tone), c.Title)
	if c.Summary != "" && c.Summary != c.Title {
		fmt.Fprintf(&b, "  (notification: %s)\n", c.Summary)
	}
	printBlocks(&b, c.Blocks)
	return b.String()
}

// PrintForm writes a form as plain text.
func PrintForm(f card.Form) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[form] %s\n", f.Title)
	printBlocks(&b, f.Intro)
	for _, field := range f.Fields {
		switch f := field.(type) {
		case card.TextField:
			fmt.Fprintf(&b, "  %s: %q (text, at most %d)%s%s\n", f.Label, short(f.Value), f.Max, optional(f.Optional), hint(f.Hint))
		case card.PeopleField:
			among := ""
			if len(f.Candidates) > 0 {
				among = " of " + labels(f.Candidates)
			}
			fmt.Fprintf(&b, "  %s: %v%s (people, at most %d)%s%s\n", f.Label, f.Value, among, f.Max, optional(f.Optional), hint(f.Hint))
		case card.ChoiceField:
			fmt.Fprintf(&b, "  %s: %v of %s%s%s\n", f.Label, f.Value, labels(f.Options), optional(f.Optional), hint(f.Hint))
		case card.DateField:
			fmt.Fprintf(&b, "  %s: %s (day)%s%s\n", f.Label, f.Value, optional(f.Optional), hint(f.Hint))
		default:
			fmt.Fprintf(&b, "  unknown field %T\n", f)
		}
	}
	fmt.Fprintf(&b, "  <%s>\n", f.Submit)
	return b.String()
}

// labels are the first few options.
func labels(options []card.Option) string {
	out := make([]string, len(options))
	for i, o := range options {
		out[i] = o.Label
	}
	if len(out) > 6 {
		out = append(out[:6], "…")
	}
	return strings.Join(out, " | ")
}

func short(s string) string {
	if r := []rune(s); len(r) > 80 {
		return fmt.Sprintf("%s… (%d characters)", string(r[:60]), len(r))
	}
	return s
}

func optional(yes bool) string {
	if yes {
		return " optional"
	}
	return ""
}

func hint(s string) string {
	if s == "" {
		return ""
	}
	return " — " + s
}

func printBlocks(b *strings.Builder, blocks []card.Block) {
	for _, block := range blocks {
		switch block := block.(type) {
		case card.Paragraph:
			fmt.Fprintf(b, "  %s\n", spans(block.Spans))
		case card.Quote:
			fmt.Fprintf(b, "  > %s\n", strings.ReplaceAll(spans(block.Spans), "\n", "\n  > "))
		case card.Facts:
			for _, f := range block.Items {
				fmt.Fprintf(b, "  %s: %s\n", f.Label, spans(f.Value))
			}
		case card.Items:
			for _, i := range block.Items {
				fmt.Fprintf(b, "  • %s\n", spans(i.Text))
				if len(i.Under) > 0 {
					fmt.Fprintf(b, "    %s\n", strings.ReplaceAll(spans(i.Under), "\n", "\n    "))
				}
				if len(i.Buttons) > 0 {
					fmt.Fprintf(b, "    %s\n", buttonLine(i.Buttons))
				}
			}
		case card.Aside:
			fmt.Fprintf(b, "  (%s)\n", spans(block.Spans))
		case card.Divider:
			b.WriteString("  ---\n")
		case card.Buttons:
			fmt.Fprintf(b, "  %s\n", buttonLine(block.Buttons))
		default:
			fmt.Fprintf(b, "  unknown block %T\n", block)
		}
	}
}

func buttonLine(list []card.Button) string {
	out := make([]string, len(list))
	for i, button := range list {
		out[i] = "<" + button.Label + ">"
		if button.Confirm != nil {
			out[i] += "?"
		}
	}
	return strings.Join(out, " ")
}

func spans(list []card.Span) string {
	var b strings.Builder
	for _, s := range list {
		switch s.Kind {
		case card.BoldSpan:
			b.WriteString("**" + s.Text + "**")
		case card.CodeSpan:
			b.WriteString("`" + s.Text + "`")
		case card.LinkSpan:
			b.WriteString(s.Text + " → " + s.Ref)
		case card.MentionSpan:
			b.WriteString("@" + s.Text)
		case card.TextSpan:
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

func toneName(t card.Tone) string {
	return [...]string{"plain", "good", "private", "ask", "trouble"}[t]
}

// Buttons lists every button of a card in reading order.
func Buttons(c card.Card) []card.Button {
	var out []card.Button
	for _, block := range c.Blocks {
		switch block := block.(type) {
		case card.Buttons:
			out = append(out, block.Buttons...)
		case card.Items:
			for _, i := range block.Items {
				out = append(out, i.Buttons...)
			}
		}
	}
	return out
}
