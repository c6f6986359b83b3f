package postgres

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

func TestFeedbackIsReadAsItWasSaved(t *testing.T) {
	d := open(t)
	org, later := id(1), noon.Add(time.Hour+time.Microsecond)
	firm(t, d, org, 4)

	fullPraise := praiseOf(org, 10, 1003, 1001, 1002)
	fullPraise.EditedAt, fullPraise.WithdrawnAt = later, later
	fullPraise.Receivers[1].ThankedAt = later
	barePraise := feedback.Praise{OrgID: org, ID: id(11), AuthorID: id(1000), Text: "x", At: noon, Receivers: []feedback.Receiver{{PersonID: id(1001)}}}
	fullNote := noteOf(org, 20)
	fullNote.State, fullNote.EditedAt, fullNote.ClosedAt, fullNote.NextFollowUp = feedback.NoteDone, later, later, later
	fullNote.Action = feedback.Action{Text: "每周复盘", Due: feedback.Day(later), ProposedBy: id(1001), AuthorOK: true, ReceiverOK: true}
	bareNote := noteOf(org, 21)
	fullAsk := askOf(org, 30, 1003, 1001, 1002)
	fullAsk.WithdrawnAt = later
	fullAsk.Asked[0].Answer, fullAsk.Asked[0].AnsweredAt = "很好 fine", later
	fullAsk.Asked[1].DeclinedAt = later
	bareAsk := askOf(org, 31, 1001)
	fullEvent := keyEventOf(org, 40)
	fullEvent.WithdrawnAt = later
	bareEvent := feedback.KeyEvent{OrgID: org, ID: id(41), PersonID: id(1000), Text: "x", On: feedback.Day(noon), At: noon}

	check := func(what string) {
		t.Helper()
		read := func(err error, got, want any) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			} else if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: what is read (+) differs from what was saved (-):\n%s", what, diff)
			}
		}
		for _, want := range []feedback.Praise{fullPraise, barePraise} {
			got, err := d.Feedback.Praise(t.Context(), org, want.ID)
			read(err, got, want)
		}
		for _, want := range []feedback.Note{fullNote, bareNote} {
			got, err := d.Feedback.Note(t.Context(), org, want.ID)
			read(err, got, want)
		}
		for _, want := range []feedback.Ask{fullAsk, bareAsk} {
			got, err := d.Feedback.Ask(t.Context(), org, want.ID)
			read(err, got, want)
		}
		for _, want := range []feedback.KeyEvent{fullEvent, bareEvent} {
			got, err := d.Feedback.KeyEvent(t.Context(), org, want.ID)
			read(err, got, want)
		}
		err := d.Feedback.InTx(t.Context(), by(org, ""), func(tx feedback.Tx) error {
			praise, err := tx.Praise(t.Context(), fullPraise.ID)
			read(err, praise, fullPraise)
			note, err := tx.Note(t.Context(), fullNote.ID)
			read(err, note, fullNote)
			ask, err := tx.Ask(t.Context(), fullAsk.ID)
			read(err, ask, fullAsk)
			event, err := tx.KeyEvent(t.Context(), fullEvent.ID)
			read(err, event, fullEvent)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	save := func(tx feedback.Tx) {
		tx.SavePraise(fullPraise)
		tx.SavePraise(barePraise)
		tx.SaveNote(fullNote)
		tx.SaveNote(bareNote)
		tx.SaveAsk(fullAsk)
		tx.SaveAsk(bareAsk)
		tx.SaveKeyEvent(fullEvent)
		tx.SaveKeyEvent(bareEvent)
	}
	write(t, d, by(org, ""), save)
	check("inserted")
	// Everything about the full ones moves into the bare ones' place and the other way round.
	fullPraise, barePraise = swap(fullPraise, barePraise, func(p *feedback.Praise) *uuid.UUID { return &p.ID })
	fullNote, bareNote = swap(fullNote, bareNote, func(n *feedback.Note) *uuid.UUID { return &n.ID })
	fullAsk, bareAsk = swap(fullAsk, bareAsk, func(a *feedback.Ask) *uuid.UUID { return &a.ID })
	fullEvent, bareEvent = swap(fullEvent, bareEvent, func(k *feedback.KeyEvent) *uuid.UUID { return &k.ID })
	write(t, d, by(org, ""), save)
	check("replaced")
	// A praise alone with an event goes its own way, first into an empty place, then into a taken one.
	fullPraise.ID = id(12)
	write(t, d, by(org, "a"), func(tx feedback.Tx) { tx.SavePraise(fullPraise) })
	check("given")
	barePraise.ID = id(12)
	fullPraise.ID = id(13)
	write(t, d, by(org, "b"), func(tx feedback.Tx) { tx.SavePraise(fullPraise) })
	write(t, d, by(org, "c"), func(tx feedback.Tx) { tx.SavePraise(barePraise) })
	check("given in a taken place")
}

func swap[T any](a, b T, id func(*T) *uuid.UUID) (T, T) {
	*id(&a), *id(&b) = *id(&b), *id(&a)
	return a, b
}

func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 1)
	_, err := d.Feedback.Praise(t.Context(), org, id(9))
	wantFault(t, "an unknown praise", err, fault.NotFound)
	_, err = d.Feedback.Note(t.Context(), org, id(9))
	wantFault(t, "an unknown note", err, fault.NotFound)
	_, err = d.Feedback.Ask(t.Context(), org, id(9))
	wantFault(t, "an unknown ask", err, fault.NotFound)
	_, err = d.Feedback.KeyEvent(t.Context(), org, id(9))
	wantFault(t, "an unknown key event", err, fault.NotFound)
	err = d.Feedback.InTx(t.Context(), by(org, "e"), func(tx feedback.Tx) error {
		_, err := tx.Praise(t.Context(), id(9))
		wantFault(t, "an unknown praise in a unit of work", err, fault.NotFound)
		_, err = tx.Note(t.Context(), id(9))
		wantFault(t, "an unknown note in a unit of work", err, fault.NotFound)
		_, err = tx.Ask(t.Context(), id(9))
		wantFault(t, "an unknown ask in a unit of work", err, fault.NotFound)
		_, err = tx.KeyEvent(t.Context(), id(9))
		wantFault(t, "an unknown key event in a unit of work", err, fault.NotFound)
		tx.SaveKeyEvent(keyEventOf(org, 9)) // and the work may go on
		return nil
	})
	if err != nil || rows(t, d, "key_events") != 1 {
		t.Errorf("after looking in vain the unit of work gave %v", err)
	}
}

func TestTextThatCannotBeKeptIsInvalid(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 2)
	for what, text := range map[string]string{"a NUL": "a\x00b", "half a character": "a\xe5\x9b"} {
		p := praiseOf(org, 1, 1001)
		p.Text = text
		err := d.Feedback.InTx(t.Context(), by(org, "e"), func(tx feedback.Tx) error { tx.SavePraise(p); return nil })
		wantFault(t, "a praise with "+what, err, fault.Invalid)
	}
	p := praiseOf(org, 1, 1001)
	p.Text = "everything else 🎉 \u202e\u200b\ufeff \r\n\t '; drop table praises; -- $1 {{.}}"
	write(t, d, by(org, "e"), func(tx feedback.Tx) { tx.SavePraise(p) })
	if got, err := d.Feedback.Praise(t.Context(), org, p.ID); err != nil || got.Text != p.Text {
		t.Errorf("the text came back as %q (%v)", got.Text, err)
	}
}

func TestWaitingIsWhatIsOpen(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 4)
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	write(t, d, by(org, ""), func(tx feedback.Tx) {
		for n, state := range []feedback.NoteState{feedback.NoteOpen, feedback.NoteDone, feedback.NoteAgreedOn, feedback.NoteWithdrawn, feedback.NoteOpen, feedback.NoteOpen} {
			note := noteOf(org, 20+n)
			note.State, note.At = state, at(-n)
			if n == 4 {
				note.AuthorID, note.ReceiverID = id(1001), id(1002)
			}
			if n == 5 {
				note.AuthorID, note.ReceiverID = id(1002), id(1003)
			}
			tx.SaveNote(note)
		}
		for n := range 5 {
			ask := askOf(org, 30+n, 1001, 1002)
			ask.At = at(-n)
			switch n {
			case 1:
				ask.Asked[0].AnsweredAt = noon
			case 2:
				ask.Asked[0].DeclinedAt = noon
			case 3:
				ask.WithdrawnAt = noon
			}
			tx.SaveAsk(ask)
		}
	})
	got := func(person, limit int) (ids [][]uuid.UUID) {
		notes, asks, err := d.Feedback.Waiting(t.Context(), org, id(person), limit)
		if err != nil {
			t.Fatal(err)
		}
		ids = make([][]uuid.UUID, 2)
		for _, n := range notes {
			ids[0] = append(ids[0], n.ID)
		}
		for _, a := range asks {
			ids[1] = append(ids[1], a.ID)
			if len(a.Asked) != 2 {
				t.Errorf("ask %s has %d people asked, want 2", a.ID, len(a.Asked))
			}
		}
		return ids
	}
	tests := []struct {
		what   string
		person int
		limit  int
		want   [][]uuid.UUID
	}{
		{"the oldest first", 1001, 9, [][]uuid.UUID{{id(24), id(22), id(20)}, {id(34), id(30)}}},
		{"no more than asked for", 1001, 1, [][]uuid.UUID{{id(24)}, {id(34)}}},
		{"written by the person as well", 1000, 9, [][]uuid.UUID{{id(22), id(20)}, nil}},
		{"asks that somebody else has answered", 1002, 9, [][]uuid.UUID{{id(25), id(24)}, {id(34), id(32), id(31), id(30)}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, got(tt.person, tt.limit)); diff != "" {
			t.Errorf("%s: notes and asks differ:\n%s", tt.what, diff)
		}
	}
}

func TestDueFollowUpsAreTheLongestDueOfEveryFirm(t *testing.T) {
	d := open(t)
	for org := 1; org <= 2; org++ {
		firm(t, d, id(org), 2)
		write(t, d, by(id(org), ""), func(tx feedback.Tx) {
			for n := range 3 {
				note := noteOf(id(org), 20+n)
				note.NextFollowUp = noon.Add(time.Duration(org-10*n) * time.Minute)
				tx.SaveNote(note)
			}
		})
	}
	got, err := d.Feedback.DueFollowUps(t.Context(), noon, 3)
	want := []feedback.NoteKey{{OrgID: id(1), ID: id(22)}, {OrgID: id(2), ID: id(22)}, {OrgID: id(1), ID: id(21)}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("three follow-ups differ (%v):\n%s", err, diff)
	}
	if got, err := d.Feedback.DueFollowUps(t.Context(), noon, 100); err != nil || len(got) != 4 {
		t.Errorf("%d follow-ups are due (%v), want 4", len(got), err)
	}
}

func TestValuesAreReplacedInTheirOrder(t *testing.T) {
	d := open(t)
	org := id(1)
	firm(t, d, org, 1)
	for _, want := range [][]feedback.Value{
		{{Name: "客户第一", NameEn: "customer first"}, {NameEn: "ownership"}, {Name: "协作"}},
		{{Name: "协作", NameEn: "teamwork"}},
		{},
	} {
		if err := d.Feedback.SaveValues(t.Context(), by(org, ""), want); err != nil {
			t.Fatal(err)
		}
		got, err := d.Feedback.Values(t.Context(), org)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("the values differ (%v):\n%s", err, diff)
		}
	}
	if err := d.Feedback.SaveValues(t.Context(), by(org, "e"), nil); err != nil {
		t.Error(err)
	}
	wantFault(t, "values by the same event", d.Feedback.SaveValues(t.Context(), by(org, "e"), nil), fault.Duplicate)
	wantFault(t, "values of an unknown firm", d.Feedback.SaveValues(t.Context(), people.Cause{OrgID: id(9)}, []feedback.Value{{Name: "x"}}), fault.NotFound)
}
