package chat

import (
	"fmt"
	"html/template"
	"strconv"
	"time"
)

// clockView is the time where the person is.
type clockView struct {
	Time, Day, Zone string
}

func (at pane) clockView() clockView {
	now := at.p.now().In(at.as.zone)
	return clockView{Time: clock(now), Day: day(at.words, now), Zone: at.as.zone.String()}
}

func clock(t time.Time) string { return t.Format("15:04") }

// day is a date as people say it, with the day of the week.
func day(say words, t time.Time) string {
	return say.T("demo.day", "Date", t.Format(say.T("demo.layout.date")), "Weekday", say.T("demo.weekday."+strconv.Itoa(int(t.Weekday()))))
}

type placesView struct {
	words
	Rows []placeRow
}

type placeRow struct {
	Name, Kind, Link string
	Here             bool
	Unread           int
}

func (at pane) placesView() placesView {
	v := placesView{words: at.words}
	for _, pl := range at.places {
		row := placeRow{Name: pl.name, Kind: pl.kind, Link: at.st.in(at.n, pl.id).link(), Here: pl.id == at.place.id}
		if !row.Here {
			row.Unread = at.p.unread(at.who.id, pl.id, at.site.seen.last(at.p, at.who.id, pl.id))
		}
		v.Rows = append(v.Rows, row)
	}
	if !at.p.client().home {
		return v
	}
	home := placeRow{Name: at.T("demo.home"), Kind: placeHome, Link: at.st.in(at.n, placeHome).link(), Here: at.place.kind == placeHome}
	v.Rows = append(v.Rows[:1:1], append([]placeRow{home}, v.Rows[1:]...)...)
	return v
}

type messagesView struct {
	view
	IDs, Kind, Name string
	Rows            []messageRow
}

type messageRow struct {
	view
	face
	User, Place, MessageID    string
	ID, Rev, Day, Time, Stamp string
	Private, Edited, Reply    bool
	Body                      template.HTML
}

func (at pane) messagesView() messagesView {
	v := messagesView{view: at.view, IDs: at.as.ids, Kind: at.place.kind, Name: at.place.name}
	before, last := "", ""
	for _, m := range at.p.messages(at.place.id, at.as) {
		t := m.at.In(at.as.zone)
		row := messageRow{
			view: at.view, face: at.site.face(m.author), User: at.who.id, Place: at.place.id, MessageID: m.id,
			ID: at.as.ids + "m" + m.id, Time: clock(t), Stamp: t.Format(time.RFC3339),
			Private: m.private, Edited: m.edited, Reply: m.reply, Body: m.body,
		}
		if d := day(at.words, t); d != before {
			row.Day, before = d, d
		}
		row.Rev = rev(string(m.body), row.Day, row.Time, row.Name, fmt.Sprint(m.edited))
		v.Rows = append(v.Rows, row)
		last = m.id
	}
	if last != "" {
		at.site.seen.read(at.p, at.who.id, at.place.id, last)
	}
	return v
}

type homeView struct {
	view
	User, ID string
	Body     template.HTML
}

func (at pane) homeView() homeView {
	h, _ := at.p.home(at.as)
	return homeView{view: at.view, User: at.who.id, ID: h.id, Body: h.body}
}

type modalView struct {
	view
	User, IDs, ID, Title, Submit, Dismiss string
	Body                                  template.HTML
}

func (at pane) modalView() modalView {
	m, ok := at.p.modal(at.as)
	if !ok {
		return modalView{}
	}
	return modalView{
		view: at.view, User: at.who.id, IDs: at.as.ids, ID: m.id, Title: m.title, Submit: m.submit, Dismiss: m.dismiss, Body: m.body,
	}
}
