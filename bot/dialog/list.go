package dialog

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

const (
	pageSize    = 6   // entries on a card, so that it fits a phone
	listedRunes = 280 // of each entry's text; the whole stands in its own message
)

// listCommand is /feedback [@name] [given|events].
func listCommand(ctx context.Context, t *Talk, in command.Input) (bot.Reply, error) {
	d := draft{Kind: "feedback"}
	if err := t.addressed(in, &d); err != nil {
		return bot.Reply{}, err
	}
	q := feedback.Query{Person: t.Who.ID, Side: feedback.Received}
	switch {
	case len(d.Open) > 0:
		return bot.Reply{}, fault.New(fault.Invalid, "dialog.receiver.several", "Name", d.Open[0].Typed).In("receivers")
	case len(d.Receivers) > 1:
		return bot.Reply{}, fault.New(fault.Invalid, "note.receiver.one").In("receivers")
	case len(d.Receivers) == 1:
		q.Person = d.Receivers[0]
	}
	switch strings.ToLower(d.Text) {
	case "given", "给出", "我给出的", "发出":
		q.Side = feedback.Given
	case "events", "log", "关键事件":
		q.Side = feedback.Events
	}
	return t.list(ctx, q)
}

// listPage is a pressed button of a list: side, person, and where the page goes on.
func listPage(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	q := feedback.Query{Person: t.Who.ID, Side: feedback.Side(a.Arg(0))}
	if !slices.Contains([]feedback.Side{feedback.Received, feedback.Given, feedback.Events}, q.Side) {
		return bot.Reply{}, fault.New(fault.NotFound, "dialog.action.unknown")
	}
	if id, err := uuid.Parse(a.Arg(1)); err == nil {
		q.Person = id
	}
	if micros, err := strconv.ParseInt(a.Arg(2), 10, 64); err == nil && micros > 0 && micros <= t.At.UnixMicro() {
		if id, err := uuid.Parse(a.Arg(3)); err == nil {
			q.Before = feedback.Cursor{At: time.UnixMicro(micros), ID: id}
		}
	}
	reply, err := t.list(ctx, q)
	reply.Replace = a.Arg(4) == turning // a list opened from another message leaves that message alone
	return reply, err
}

// turning marks the buttons of a list that turn its own pages.
const turning = "turn"

// list is a page of somebody's feedback, by month.
func (t *Talk) list(ctx context.Context, q feedback.Query) (bot.Reply, error) {
	q.Limit = pageSize
	entries, more, months, err := t.Feedback.List(ctx, t.Dir, t.cause(), q)
	if err != nil {
		return bot.Reply{}, err
	}
	about, _ := t.Dir.Person(q.Person)
	c := card.Card{Tone: card.Private, Title: t.listTitle(q, about)}
	c.Summary = c.Title
	zone := t.Dir.Location(about)
	if len(months) > 0 {
		c.Blocks = append(c.Blocks, card.Small(t.monthCounts(months)))
	}
	var month string
	var items []card.Item
	flush := func() {
		if len(items) > 0 {
			c.Blocks = append(c.Blocks, card.Paragraph{Spans: []card.Span{card.Bold(month)}}, card.Items{Items: items})
			items = nil
		}
	}
	for _, e := range entries {
		at := e.At.In(zone)
		if m := t.Say.T("common.month", "Year", at.Year(), "Month", int(at.Month()), "MonthName", at.Month().String()); m != month {
			flush()
			month = m
		}
		items = append(items, t.listed(ctx, e, at))
	}
	flush()
	if len(entries) == 0 {
		c.Blocks = append(c.Blocks, card.Say(t.Say.T("list.empty."+string(q.Side))))
	}
	c.Blocks = append(c.Blocks, card.Buttons{Buttons: t.listButtons(q, entries, more)})
	return bot.Reply{Card: &c}, nil
}

func (t *Talk) listTitle(q feedback.Query, about people.Person) string {
	if q.Person == t.Who.ID {
		return t.Say.T("list.title.my." + string(q.Side))
	}
	return t.Say.T("list.title.their."+string(q.Side), "Name", t.name(about))
}

// monthCounts is how much there was, month by month: "11月 3 条 · 10月 5 条".
func (t *Talk) monthCounts(months []feedback.Month) string {
	parts := make([]string, 0, 6)
	for _, m := range months[:min(6, len(months))] {
		parts = append(parts, t.Say.T("list.month.count", "Month", int(m.Month), "MonthName", m.Month.String()[:3], "Number", m.Count))
	}
	return strings.Join(parts, " · ")
}

// listed is one entry: who, what and when, and its words below.
func (t *Talk) listed(ctx context.Context, e feedback.Entry, at time.Time) card.Item {
	to := namesIn(t.Say, t.Dir, e.To)
	from := t.reader(t.Who).person(e.From)
	head := t.Say.T("list.entry."+string(e.Kind), "From", from, "To", to, "Day", dayIn(t.Say, at, t.At))
	item := card.Item{Text: []card.Span{card.Bold(head)}, Under: card.Text(cut(e.Text, listedRunes))}
	if e.About != "" {
		item.Under = card.Text(t.Say.T("list.entry.about", "About", cut(e.About, 80)) + "\n" + cut(e.Text, listedRunes))
	}
	for _, tag := range t.reader(t.Who).tags(ctx, e.Tags) {
		item.Under = append(item.Under, card.Plainly(" #"+tag))
	}
	if e.Link != "" {
		item.Under = append(item.Under, card.Plainly(" "), card.Link(t.Say.T("event.link"), e.Link))
	}
	if e.Kind == feedback.NoteEntry && !e.Due.IsZero() {
		item.Under = append(item.Under, card.Plainly("\n"+t.Say.T("list.note."+string(e.State), "Day", dayIn(t.Say, e.Due, t.At))))
	}
	return item
}

func (t *Talk) listButtons(q feedback.Query, entries []feedback.Entry, more bool) []card.Button {
	var out []card.Button
	person := q.Person.String()
	if more && len(entries) > 0 {
		last := entries[len(entries)-1]
		out = append(out, card.Button{
			Label:  t.Say.T("list.older"),
			Action: card.Act(actList, string(q.Side), person, strconv.FormatInt(last.At.UnixMicro(), 10), last.ID.String(), turning),
		})
	}
	if !q.Before.At.IsZero() {
		out = append(out, card.Button{Label: t.Say.T("list.newest"), Action: card.Act(actList, string(q.Side), person, "", "", turning)})
	}
	for _, side := range []feedback.Side{feedback.Received, feedback.Given, feedback.Events} {
		if side != q.Side {
			out = append(out, card.Button{Label: t.Say.T("list.side." + string(side)), Action: card.Act(actList, string(side), person, "", "", turning)})
		}
	}
	return out
}
