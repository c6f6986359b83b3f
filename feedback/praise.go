package feedback

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// Praise is thanks or recognition from one person to others (rows S0-29, S0-30, S4-53).
type Praise struct {
	OrgID, ID, AuthorID uuid.UUID
	Receivers           []Receiver
	Text                string
	Tags                []string // company values or metrics, without the #
	Channel             string   // where it is also posted; empty: nowhere
	At                  time.Time
	EditedAt            time.Time // zero: never
	WithdrawnAt         time.Time // zero: it stands
}

// Receiver is one of the praised, and whether they gave thanks back.
type Receiver struct {
	PersonID  uuid.UUID
	ThankedAt time.Time // zero: not yet
}

// For reports whether the person is among the receivers.
func (p Praise) For(person uuid.UUID) bool {
	return slices.ContainsFunc(p.Receivers, func(r Receiver) bool { return r.PersonID == person })
}

// Changeable says whether the actor may edit or withdraw the praise now: its author, within the window, once it stands.
func (p Praise) Changeable(actor uuid.UUID, now time.Time) error {
	switch {
	case p.AuthorID != actor:
		return fault.New(fault.Forbidden, "feedback.change.notyours")
	case !p.WithdrawnAt.IsZero():
		return fault.New(fault.Conflict, "feedback.change.withdrawn")
	case !changeable(p.At, now):
		return fault.New(fault.Conflict, "feedback.change.late", "Minutes", int(ChangeWindow.Minutes()))
	}
	return nil
}

// Thank records the thanks of a receiver; changed is false when they were given before.
func (p *Praise) Thank(person uuid.UUID, now time.Time) (changed bool, err error) {
	if !p.WithdrawnAt.IsZero() {
		return false, fault.New(fault.Conflict, "feedback.change.withdrawn")
	}
	for i := range p.Receivers {
		if p.Receivers[i].PersonID != person {
			continue
		}
		if !p.Receivers[i].ThankedAt.IsZero() {
			return false, nil
		}
		p.Receivers[i].ThankedAt = now
		return true, nil
	}
	return false, fault.New(fault.Forbidden, "feedback.praise.notforyou")
}

// checkTags trims, deduplicates and limits tags. A tag is one word; the leading # may be there or not.
func checkTags(tags []string) ([]string, *fault.Fault) {
	var out []string
	for _, t := range tags {
		t = strings.TrimLeft(strings.TrimSpace(t), "#＃")
		switch {
		case t == "":
			continue
		case utf8.RuneCountInString(t) > MaxTag:
			return nil, fault.New(fault.Invalid, "feedback.tag.long", "Most", MaxTag).In("tags")
		case !slices.Contains(out, t):
			out = append(out, t)
		}
	}
	if len(out) > MaxTags {
		return nil, fault.New(fault.Invalid, "feedback.tag.many", "Most", MaxTags).In("tags")
	}
	return out, nil
}

// SplitTags takes the #tags out of typed text: "客户 retention 率很高 #retention" is the text before it and the tag retention. A # inside a
// word (C#, issue#3) is no tag.
func SplitTags(typed string) (text string, tags []string) {
	var words []string
	for _, line := range strings.Split(typed, "\n") {
		var kept []string
		for _, w := range strings.Split(line, " ") {
			if len(w) > 1 && (strings.HasPrefix(w, "#") || strings.HasPrefix(w, "＃")) && hasLetter(strings.TrimLeft(w, "#＃")) && !isNumber(strings.TrimLeft(w, "#＃")) {
				tags = append(tags, strings.TrimLeft(w, "#＃"))
				continue
			}
			kept = append(kept, w)
		}
		words = append(words, strings.Join(kept, " "))
	}
	return strings.TrimSpace(strings.Join(words, "\n")), tags
}

// isNumber keeps "#12" (a ticket) in the text.
func isNumber(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
