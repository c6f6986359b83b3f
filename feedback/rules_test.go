package feedback

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"huiyin/internal/fault"
)

var (
	lin  = uuid.MustParse("00000000-0000-7000-8000-000000000001")
	kai  = uuid.MustParse("00000000-0000-7000-8000-000000000002")
	mei  = uuid.MustParse("00000000-0000-7000-8000-000000000003")
	noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func TestWordsThatNobodyCouldReadAreRefused(t *testing.T) {
	tests := []struct {
		what, text string
		ok         bool
	}{
		{"words", "thanks", true},
		{"Chinese words", "谢谢", true},
		{"an emoji alone", "👍", true},
		{"right to left", "شكرا", true},
		{"nothing", "", false},
		{"spaces of every width", " \t\u00a0\u2003\u3000\n", false},
		{"zero-width characters", "\u200b\u200d\ufeff\u2060", false},
		{"a bare right-to-left override", "\u202e", false},
		{"combining marks alone", "\u0301\u0301", false},
		{"blank Braille and Hangul fillers", "\u2800\u3164", false},
		{"as many characters as allowed", strings.Repeat("好", MaxText), true},
		{"one more", strings.Repeat("好", MaxText+1), false},
		{"forty thousand", strings.Repeat("x", 40000), false},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			got, bad := checkText("text", tt.text, MaxText)
			if (bad == nil) != tt.ok {
				t.Fatalf("checkText says %v", bad)
			}
			if tt.ok && got != tt.text {
				t.Errorf("the text was changed")
			}
			if !tt.ok && (bad.Kind != fault.Invalid || bad.Field != "text") {
				t.Errorf("the fault is %v about %q, want invalid about text", bad.Kind, bad.Field)
			}
		})
	}
}

func TestTagsAreTakenOutOfTypedText(t *testing.T) {
	tests := []struct {
		typed, text string
		tags        []string
	}{
		{"客户 retention 率很高 #retention", "客户 retention 率很高", []string{"retention"}},
		{"great #teamwork and #ownership today", "great and today", []string{"teamwork", "ownership"}},
		{"＃团队协作 干得好", "干得好", []string{"团队协作"}},
		{"no tags here", "no tags here", nil},
		{"we wrote it in C# and fixed issue#3", "we wrote it in C# and fixed issue#3", nil},
		{"fixed #12 fast", "fixed #12 fast", nil},
		{"a lone # sign", "a lone # sign", nil},
		{"two\nlines #a", "two\nlines", []string{"a"}},
	}
	for _, tt := range tests {
		text, tags := SplitTags(tt.typed)
		if text != tt.text || !cmp.Equal(tags, tt.tags) {
			t.Errorf("SplitTags(%q) = %q %v, want %q %v", tt.typed, text, tags, tt.text, tt.tags)
		}
	}
}

func TestLinksAreTakenOutOfTypedText(t *testing.T) {
	tests := []struct{ typed, text, link string }{
		{"wrote the guide https://wiki.example.com/x", "wrote the guide", "https://wiki.example.com/x"},
		{"<https://a.example/b> is done", "is done", "https://a.example/b"},
		{"first http://a.example then http://b.example", "first http://a.example then", "http://b.example"},
		{"no link, see javascript:alert(1)", "no link, see javascript:alert(1)", ""},
		{"https:// is no link", "https:// is no link", ""},
	}
	for _, tt := range tests {
		if text, link := SplitLink(tt.typed); text != tt.text || link != tt.link {
			t.Errorf("SplitLink(%q) = %q, %q; want %q, %q", tt.typed, text, link, tt.text, tt.link)
		}
	}
}

func TestOnlyTheAuthorChangesAPraiseAndOnlyForTenMinutes(t *testing.T) {
	p := Praise{AuthorID: lin, At: noon}
	tests := []struct {
		what  string
		actor uuid.UUID
		at    time.Time
		gone  bool
		kind  fault.Kind
	}{
		{"the author at once", lin, noon, false, 0},
		{"the author after exactly ten minutes", lin, noon.Add(ChangeWindow), false, 0},
		{"the author a second later", lin, noon.Add(ChangeWindow + time.Second), false, fault.Conflict},
		{"somebody else", kai, noon, false, fault.Forbidden},
		{"the author when it is withdrawn", lin, noon, true, fault.Conflict},
	}
	for _, tt := range tests {
		p := p
		if tt.gone {
			p.WithdrawnAt = noon
		}
		err := p.Changeable(tt.actor, tt.at)
		if f, _ := fault.Of(err); (err == nil) != (tt.kind == 0) || f != nil && f.Kind != tt.kind {
			t.Errorf("%s: %v", tt.what, err)
		}
	}
}

func TestThanksCountOnceAndOnlyFromReceivers(t *testing.T) {
	p := Praise{AuthorID: lin, Receivers: []Receiver{{PersonID: kai}}, At: noon}
	if changed, err := p.Thank(kai, noon); !changed || err != nil {
		t.Fatalf("the first thanks: %v %v", changed, err)
	}
	if changed, err := p.Thank(kai, noon.Add(time.Hour)); changed || err != nil || !p.Receivers[0].ThankedAt.Equal(noon) {
		t.Errorf("the second thanks: %v %v, at %v", changed, err, p.Receivers[0].ThankedAt)
	}
	if _, err := p.Thank(mei, noon); !fault.Is(err, fault.Forbidden) {
		t.Errorf("thanks of somebody else: %v", err)
	}
	p.WithdrawnAt = noon
	if _, err := p.Thank(kai, noon); !fault.Is(err, fault.Conflict) {
		t.Errorf("thanks for a withdrawn praise: %v", err)
	}
}

func TestAnActionNeedsWordsAndADayWithinAYear(t *testing.T) {
	day := func(d int) time.Time { return Day(noon).AddDate(0, 0, d) }
	tests := []struct {
		what   string
		text   string
		due    time.Time
		fields []string
	}{
		{"today", "send the plan", day(0), nil},
		{"in a year", "send the plan", day(365), nil},
		{"yesterday", "send the plan", day(-1), []string{"due"}},
		{"in more than a year", "send the plan", day(367), []string{"due"}},
		{"without a day", "send the plan", time.Time{}, []string{"due"}},
		{"without words or a day", " ", time.Time{}, []string{"action", "due"}},
	}
	for _, tt := range tests {
		n := Note{AuthorID: lin, ReceiverID: kai, State: NoteOpen, At: noon}
		err := n.Propose(kai, tt.text, tt.due, noon)
		var fields []string
		if f, ok := fault.Of(err); ok {
			for _, one := range f.All() {
				fields = append(fields, one.Field)
			}
		}
		if diff := cmp.Diff(tt.fields, fields); diff != "" {
			t.Errorf("%s: fields with problems (-want +got):\n%s", tt.what, diff)
		}
	}
}

func TestFollowUpsComeEveryThreeDaysUntilDone(t *testing.T) {
	first := time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC)
	n := Note{AuthorID: lin, ReceiverID: kai, State: NoteAgreedOn, NextFollowUp: first}
	if n.FollowUp(first.Add(-time.Second)) {
		t.Error("followed up before the day")
	}
	if !n.FollowUp(first) || !n.NextFollowUp.Equal(first.Add(FollowUpEvery)) {
		t.Errorf("on the day: next is %v", n.NextFollowUp)
	}
	if n.FollowUp(first.Add(time.Hour)) {
		t.Error("followed up twice on a day")
	}
	if late := first.Add(10 * FollowUpEvery); !n.FollowUp(late) || !n.NextFollowUp.After(late) {
		t.Errorf("after a long pause the missed ones are one, and the next is ahead: %v", n.NextFollowUp)
	}
	if changed, err := n.Finish(kai, noon); !changed || err != nil {
		t.Fatalf("finishing: %v %v", changed, err)
	}
	if n.FollowUp(first.AddDate(1, 0, 0)) {
		t.Error("followed up on a note that is done")
	}
}

// TestANoteKeepsItsPromises walks random histories of a note against what it promises, whatever the order of deeds.
func TestANoteKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Note{AuthorID: lin, ReceiverID: kai, State: NoteOpen, Text: "x", At: noon}
		now := noon
		for range rapid.IntRange(1, 25).Draw(t, "deeds") {
			before := n
			actor := rapid.SampledFrom([]uuid.UUID{lin, kai, mei}).Draw(t, "actor")
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "minutes")) * time.Minute)
			var err error
			var changed bool
			deed := rapid.SampledFrom([]string{"propose", "agree", "finish", "withdraw", "follow"}).Draw(t, "deed")
			switch deed {
			case "propose":
				err = n.Propose(actor, "do it", now.AddDate(0, 0, 7), now)
				changed = err == nil
			case "agree":
				changed, err = n.Agree(actor, n.Action.Terms(), now.AddDate(0, 0, 7))
			case "finish":
				changed, err = n.Finish(actor, now)
			case "withdraw":
				changed, err = n.Withdraw(actor, now)
			case "follow":
				n.FollowUp(now)
				continue
			}
			switch {
			case (err != nil || !changed) && !cmp.Equal(before, n):
				t.Fatalf("%s was refused (%v) and changed the note all the same", deed, err)
			case actor == mei && changed:
				t.Fatalf("a third person could %s", deed)
			case (before.State == NoteDone || before.State == NoteWithdrawn) && changed:
				t.Fatalf("%s left the state %s", deed, before.State)
			case deed == "withdraw" && changed && actor != lin:
				t.Fatal("somebody else withdrew the author's note")
			case n.State == NoteAgreedOn && !(n.Action.AuthorOK && n.Action.ReceiverOK):
				t.Fatal("agreed without the yes of both")
			case (n.State == NoteDone || n.State == NoteWithdrawn) && !n.NextFollowUp.IsZero():
				t.Fatalf("a follow-up is planned in state %s", n.State)
			case deed == "agree" && changed && before.Action.ProposedBy == actor:
				t.Fatal("somebody agreed to their own proposal")
			}
		}
	})
}

func TestAnAnswerReplacesAnEarlierOneAndADeclineDoesNot(t *testing.T) {
	a := Ask{AuthorID: lin, Asked: []Asked{{PersonID: kai}}, At: noon}
	if changed, err := a.Decline(kai, noon); !changed || err != nil {
		t.Fatalf("declining: %v %v", changed, err)
	}
	for _, text := range []string{"good", "very good"} {
		if err := a.Reply(kai, text, noon); err != nil {
			t.Fatalf("answering after declining: %v", err)
		}
	}
	if got := a.Asked[0]; got.Answer != "very good" || !got.DeclinedAt.IsZero() {
		t.Errorf("after two answers: %+v", got)
	}
	if _, err := a.Decline(kai, noon); !fault.Is(err, fault.Conflict) {
		t.Errorf("declining after answering: %v", err)
	}
	if err := a.Reply(mei, "me too", noon); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an answer of somebody not asked: %v", err)
	}
	if _, err := a.Withdraw(kai, noon); !fault.Is(err, fault.Forbidden) {
		t.Errorf("withdrawing somebody else's question: %v", err)
	}
	if changed, err := a.Withdraw(lin, noon); !changed || err != nil {
		t.Errorf("withdrawing: %v %v", changed, err)
	}
	if err := a.Reply(kai, "late", noon); !fault.Is(err, fault.Conflict) {
		t.Errorf("answering a withdrawn question: %v", err)
	}
}

func TestAKeyEventIsWithdrawnByItsOwnerInTime(t *testing.T) {
	k := KeyEvent{PersonID: lin, At: noon}
	if _, err := k.Withdraw(kai, noon); !fault.Is(err, fault.Forbidden) {
		t.Errorf("by somebody else: %v", err)
	}
	if _, err := k.Withdraw(lin, noon.Add(time.Hour)); !fault.Is(err, fault.Conflict) {
		t.Errorf("an hour later: %v", err)
	}
	if changed, err := k.Withdraw(lin, noon.Add(time.Minute)); !changed || err != nil {
		t.Errorf("in time: %v %v", changed, err)
	}
	if changed, err := k.Withdraw(lin, noon.Add(2*time.Minute)); changed || err != nil {
		t.Errorf("again: %v %v", changed, err)
	}
}
