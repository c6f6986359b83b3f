package dialog

import (
	"context"

	"github.com/google/uuid"

	"huiyin/bot/card"
	"huiyin/internal/i18n"
	"huiyin/internal/notice"
	"huiyin/internal/people"
)

// writers is the one table of who finds the words of which notice. A test asserts that every kind that is sent has a row.
type writers map[notice.Kind]func(ctx context.Context, r reader, n notice.Notice) (card.Card, bool, error)

// Writers is that table.
func Writers() writers {
	return writers{
		notice.PraiseReceived: writePraise, notice.PraisePosted: writePraise, notice.PraiseThanked: writePraise,
		notice.NoteReceived: writeNote, notice.NoteProposed: writeNote, notice.NoteAgreed: writeNote,
		notice.NoteFollowUp: writeNote, notice.NoteDone: writeNote, notice.NoteWithdrawn: writeNote,
		notice.AskReceived: writeAsk, notice.AskAnswered: writeAsk, notice.AskDeclined: writeAsk,
		notice.AccountClaim: writeClaim,
	}
}

// reader is the one for whom a notice is written.
type reader struct {
	*Desk
	org people.Org
	dir *people.Directory
	who people.Person // zero for a channel
	say i18n.Printer
}

// Notice finds the words of a notice as things stand now, in the reader's language. ok is false when there is nothing to send any
// more; the card, if it has a title, is then what a message sent before should turn into.
func (d *Desk) Notice(ctx context.Context, n notice.Notice) (c card.Card, ok bool, err error) {
	r, known, err := d.readerOf(ctx, n)
	if err != nil || !known {
		return card.Card{}, false, err
	}
	write, known := d.writers[n.Kind]
	if !known {
		return card.Card{}, false, nil
	}
	return write(ctx, r, n)
}

// readerOf is the one for whom a notice is. known is false for a person who is not there any more.
func (d *Desk) readerOf(ctx context.Context, n notice.Notice) (r reader, known bool, err error) {
	dir, err := d.People.Get(ctx, n.OrgID)
	if err != nil {
		return reader{}, false, err
	}
	r = reader{Desk: d, org: dir.Org(), dir: dir, say: d.Catalog.In(dir.Org().Lang)}
	if n.To != uuid.Nil {
		who, known := dir.Person(n.To)
		if !known || !who.Active {
			return reader{}, false, nil
		}
		r.who, r.say = who, d.Catalog.In(dir.Language(who))
	}
	return r, true, nil
}

// reader is somebody in the conversation, as a reader of notices.
func (t *Talk) reader(who people.Person) reader {
	return reader{Desk: t.Desk, org: t.Org, dir: t.Dir, who: who, say: t.Say}
}

// person is the name of a person in the reader's language.
func (r reader) person(id uuid.UUID) string {
	p, _ := r.dir.Person(id)
	return nameIn(r.say.Lang(), p)
}
