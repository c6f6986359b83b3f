package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// requestsShown is how many requests the inspector shows.
const requestsShown = 25

// bodyShown bounds how much of a body the inspector shows, in bytes.
const bodyShown = 20_000

type inspectorView struct {
	words
	Name string
	Rows []requestRow
}

type requestRow struct {
	words
	ID, Time, Title, Status string
	Millis                  int64
	FromBot, Failed, Grave  bool
	Header                  [][2]string
	Body, Sealed, Answer    string
	Complaints              []complaintRow
}

type complaintRow struct {
	Grave bool
	Text  string
}

func (at pane) inspectorView() inspectorView {
	v := inspectorView{words: at.words, Name: at.who.name}
	for _, q := range at.p.requests(at.as, requestsShown) {
		row := requestRow{
			words: at.words, ID: at.as.ids + q.id, Time: q.at.In(at.as.zone).Format(time.TimeOnly), Title: q.title, Status: q.status,
			Millis: q.millis, FromBot: q.fromBot, Failed: q.failed, Header: q.header, Body: q.body, Sealed: q.sealed, Answer: q.answer,
		}
		for _, c := range q.complaints {
			row.Complaints = append(row.Complaints, complaintRow{Grave: c.grave, Text: c.text})
			row.Grave = row.Grave || c.grave
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// blame is what was found wrong, by the number of the call or delivery.
type blame struct{ calls, deliveries map[int][]complaint }

// add notes a finding about a call or, without one, about a delivery. Parts are the words of it, of which some may be empty.
func (b blame) add(call, delivery int, grave bool, length int, parts ...string) {
	if length > 0 {
		parts = append(parts, strconv.Itoa(length))
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	c := complaint{grave: grave, text: strings.Join(parts, " · ")}
	switch {
	case call > 0:
		b.calls[call] = append(b.calls[call], c)
	case delivery > 0:
		b.deliveries[delivery] = append(b.deliveries[delivery], c)
	}
}

// pretty is JSON laid out to be read, or the text as it is.
func pretty(raw string, decoded map[string]any) string {
	var b bytes.Buffer
	if decoded != nil {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(decoded); err != nil {
			return raw
		}
	} else if json.Indent(&b, []byte(raw), "", "  ") != nil {
		b.Reset()
		b.WriteString(raw)
	}
	if b.Len() > bodyShown {
		return strings.ToValidUTF8(b.String()[:bodyShown], "") + fmt.Sprintf("\n… (%d)", b.Len())
	}
	return strings.TrimRight(b.String(), "\n")
}
