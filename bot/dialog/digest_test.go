package dialog_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"huiyin/bot/card"
	"huiyin/bot/card/cardtest"
	"huiyin/internal/notice"
)

// deliversTogether is delivers for somebody who gets reminders in one message.
func (r *room) deliversTogether(who string) []notice.Notice {
	r.t.Helper()
	rows, err := r.pool.Query(r.ctx, `delete from outbox where due_at <= $1 and kind = 'note.followup' and person_id = $2 returning org_id, notice_id, kind, person_id, subject, due_at`, r.now, r.ids[who])
	must(r.t, err)
	defer rows.Close()
	var together []notice.Notice
	for rows.Next() {
		var n notice.Notice
		must(r.t, rows.Scan(&n.OrgID, &n.ID, &n.Kind, &n.To, &n.Subject, &n.Due))
		together = append(together, n)
	}
	must(r.t, rows.Err())
	r.showsTogether(who, together)
	return together
}

func (r *room) showsTogether(who string, together []notice.Notice) {
	r.t.Helper()
	c, ok, err := r.desk.Digest(r.ctx, together)
	must(r.t, err)
	fmt.Fprintf(&r.transcript, "  %d reminders in one message → %s (something to say: %v)\n", len(together), who, ok)
	r.cards[who] = c
	r.write(who, cardtest.Print(c))
}

func TestRemindersGoInOneMessage(t *testing.T) {
	inBothLanguages(t, "digest", func(r *room) {
		for _, who := range []string{"kai", "mei"} {
			r.types("lin", "/note @"+who+" 这个项目的进度有点慢，需要调整一下。我们上周说好每天更新计划，可是这周只更新了一次，其他同事因此多等了两天，请想一想怎样可以做得更好。")
			r.delivers()
			r.presses(who, r.label("note.propose"))
			r.fills(who, card.Values{"action": {"每周一更新计划"}, "due": {"2026-12-01"}})
			r.delivers()
			r.presses("lin", r.label("note.agree"))
			r.delivers()
		}
		r.now = time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC)
		must(r.t, r.desk.Feedback.FollowUp(r.ctx, r.now))
		together := r.deliversTogether("lin")
		digest := r.cards["lin"]
		r.presses("lin", r.label("digest.show"))
		r.presses("lin", r.label("note.done"))
		r.showsTogether("lin", together)
		r.cards["lin"] = digest
		r.presses("lin", r.label("digest.show"))
		r.showsTogether("lin", append(together, together...))
	})
}

func TestADigestShowsNobodyWhatIsNotTheirs(t *testing.T) {
	inBothLanguages(t, "digest_stranger", func(r *room) {
		r.types("lin", "/note @kai 这个项目的进度有点慢，需要调整一下")
		r.delivers()
		var id uuid.UUID
		rows, err := r.pool.Query(r.ctx, `select note_id from notes`)
		must(r.t, err)
		for rows.Next() {
			must(r.t, rows.Scan(&id))
		}
		must(r.t, rows.Err())
		show := func(kind notice.Kind) {
			r.cards["mei"] = card.Card{Blocks: []card.Block{card.Buttons{Buttons: []card.Button{{Label: "forged", Action: card.Act("notice.show", string(kind), id.String())}}}}}
			r.presses("mei", "forged")
		}
		show(notice.NoteFollowUp)
		show(notice.NoteReceived)
	})
}
