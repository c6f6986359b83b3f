package dialog

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
)

const (
	// mostListed is how many nudges one message lists, so that every platform can carry it; the others are counted.
	mostListed = 15
	// glimpse is how many characters of what somebody wrote stand under a line of it.
	glimpse = 60
)

// Digest is Notice for several notices to one person: a line for each that still has something to say, and a button that shows the
// whole of it. When nothing is left to say, ok is false and the card says so.
func (d *Desk) Digest(ctx context.Context, notices []notice.Notice) (c card.Card, ok bool, err error) {
	if len(notices) == 0 {
		return card.Card{}, false, nil
	}
	r, known, err := d.readerOf(ctx, notices[0])
	if err != nil || !known {
		return card.Card{}, false, err
	}
	var items []card.Item
	for _, n := range latest(notices) {
		one, waits, err := d.Notice(ctx, n)
		if fault.Is(err, fault.NotFound) || err == nil && !waits {
			continue
		}
		if err != nil {
			return card.Card{}, false, err
		}
		item := card.Item{Text: []card.Span{card.Bold(one.Title)}, Under: glimpseOf(one)}
		item.Buttons = []card.Button{{Label: r.say.T("digest.show"), Action: card.Act(actNoticeShow, string(n.Kind), n.Subject.String())}}
		items = append(items, item)
	}
	if len(items) == 0 {
		return card.Card{Title: r.say.T("digest.empty")}, false, nil
	}
	c = card.Card{Tone: card.Private, Title: r.say.T("digest.title", "Count", len(items))}
	c.Summary = c.Title
	c.Blocks = append(c.Blocks, card.Items{Items: items[:min(len(items), mostListed)]})
	if more := len(items) - mostListed; more > 0 {
		c.Blocks = append(c.Blocks, card.Say(r.say.T("digest.more", "Count", more)))
	}
	c.Blocks = append(c.Blocks, card.Small(r.say.T("digest.why")))
	return c, true, nil
}

// latest keeps of several notices of one kind about one subject the one that came due last, at the place of the first.
func latest(notices []notice.Notice) []notice.Notice {
	var out []notice.Notice
	for _, n := range notices {
		at := slices.IndexFunc(out, func(o notice.Notice) bool { return o.Kind == n.Kind && o.Subject == n.Subject })
		switch {
		case at < 0:
			out = append(out, n)
		case n.Due.After(out[at].Due):
			out[at] = n
		}
	}
	return out
}

// glimpseOf is the beginning of the first words of a card, in one line.
func glimpseOf(c card.Card) []card.Span {
	for _, block := range c.Blocks {
		var spans []card.Span
		switch b := block.(type) {
		case card.Quote:
			spans = b.Spans
		case card.Paragraph:
			spans = b.Spans
		default:
			continue
		}
		var words strings.Builder
		for _, s := range spans {
			words.WriteString(s.Text)
		}
		line := []rune(strings.Join(strings.Fields(words.String()), " "))
		if len(line) > glimpse {
			line = append(line[:glimpse-1], '…')
		}
		return card.Text(string(line))
	}
	return nil
}

// noticeShow shows the whole of what a digest lists, as it stands now. Only nudges are listed, and a writer shows nobody what is not theirs.
func noticeShow(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	kind := notice.Kind(a.Arg(0))
	subject, err := uuid.Parse(a.Arg(1))
	if err != nil || notice.Kinds()[kind] != notice.Nudge {
		return bot.Reply{}, fault.New(fault.NotFound, "dialog.action.unknown")
	}
	c, _, err := t.Notice(ctx, notice.Notice{OrgID: t.Org.ID, Kind: kind, To: t.Who.ID, Subject: subject, Due: t.At})
	if err == nil && c.Title == "" {
		err = fault.New(fault.NotFound, "digest.gone")
	}
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Reply{Card: &c}, nil
}
