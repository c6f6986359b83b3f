package survey

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huiyin/internal/fault"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestTheStateMachineHasTheseEdgesAndNoOthers(t *testing.T) {
	allowed := map[State][]State{Draft: {Open}, Open: {Closing, Void}, Closing: {Released, Void}}
	for _, from := range States() {
		for _, to := range States() {
			if got, want := from.MayBecome(to), slices.Contains(allowed[from], to); got != want {
				t.Errorf("%s to %s: allowed is %v, want %v", from, to, got, want)
			}
		}
	}
	if State("reopened").MayBecome(Open) {
		t.Error("an unknown state has an edge")
	}
}

// draft is a cycle that closes a week after noon.
func draft() Cycle {
	return Cycle{Kind: Review, State: Draft, ClosesAt: noon.AddDate(0, 0, 7), Policy: DefaultPolicy(Review, ask(Score, Comment)), Key: Key{State: Live}}
}

// Ten thousand random walks: whatever is tried at whatever time, a cycle takes only edges, never comes back from an end, never accepts
// a ballot after it closed, and never closes earlier than was said.
func TestNoWalkLeavesTheStateMachine(t *testing.T) {
	walk := func(t *rapid.T) {
		c := draft()
		c.Policy.EarlyClose = rapid.Bool().Draw(t, "early close")
		now, closed := noon, false
		var frozen [32]byte
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "hours")) * time.Hour)
			before := c
			var err error
			var to State
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				to, err = Open, c.open(now)
				frozen = c.PolicySum
			case 1:
				to, err = c.State, c.extend(now.Add(time.Duration(rapid.IntRange(-50, 600).Draw(t, "by"))*time.Hour), now)
			case 2:
				to, err = Closing, c.shut(now)
			case 3:
				to, err = Released, c.release(now)
			case 4:
				to, err = Void, c.cancel(Cancelled, now)
			default:
				to, err = c.State, c.Accepts(now)
				if err == nil && (closed || !now.Before(c.ClosesAt) || c.State != Open) {
					t.Fatalf("a ballot was accepted in %s, at %s of a survey that closes at %s", c.State, now, c.ClosesAt)
				}
			}
			if err != nil {
				if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
					t.Fatalf("a refusal is %v, want a fault", err)
				}
				if c.State != before.State || c.ClosesAt != before.ClosesAt || c.Key.State != before.Key.State {
					t.Fatalf("something refused had an effect: %s became %s", before.State, c.State)
				}
				continue
			}
			if to != before.State && !before.State.MayBecome(c.State) || c.State != to {
				t.Fatalf("%s became %s", before.State, c.State)
			}
			if c.ClosesAt.Before(before.ClosesAt) {
				t.Fatalf("the close moved from %s to %s", before.ClosesAt, c.ClosesAt)
			}
			if to == Closing && now.Before(c.ClosesAt) && !c.Policy.EarlyClose {
				t.Fatal("it closed before the time that raters were told")
			}
			if c.State != Draft && c.PolicySum != frozen {
				t.Fatal("the policy changed after the open")
			}
			if c.ClosesAt.After(noon.AddDate(0, 0, MostDays).Add(12 * 120 * time.Hour)) {
				t.Fatal("the survey outlives its key")
			}
			closed = closed || c.State == Closing || c.State == Released || c.State == Void
			if ended := c.State == Released || c.State == Void; ended != (c.Key.State == Pending) || ended == c.EndedAt.IsZero() {
				t.Fatalf("in %s the key is %s", c.State, c.Key.State)
			}
		}
	}
	for range 100 {
		rapid.Check(t, walk)
	}
}

func TestACloseMovesOnlyLaterAndOnlyBeforeIt(t *testing.T) {
	opened := draft()
	if err := opened.open(noon); err != nil {
		t.Fatal(err)
	}
	close := opened.ClosesAt
	for _, tt := range []struct {
		what    string
		to, now time.Time
		key     string
	}{
		{"a day later", close.AddDate(0, 0, 1), noon, ""},
		{"to the last possible moment", noon.AddDate(0, 0, MostDays), noon, ""},
		{"beyond the life of the key", noon.AddDate(0, 0, MostDays).Add(time.Second), noon, "survey.close.far"},
		{"to the same time", close, noon, "survey.close.earlier"},
		{"earlier", close.Add(-time.Hour), noon, "survey.close.earlier"},
		{"at the close", close.AddDate(0, 0, 1), close, "survey.closed"},
		{"after the close", close.AddDate(0, 0, 1), close.Add(time.Hour), "survey.closed"},
	} {
		c := opened
		err := c.extend(tt.to, tt.now)
		f, _ := fault.Of(err)
		if (err == nil) != (tt.key == "") || err != nil && f.Key != tt.key {
			t.Errorf("%s: %v, want %q", tt.what, err, tt.key)
		}
	}
	late := draft()
	late.ClosesAt = noon
	if err := late.open(noon); !fault.Is(err, fault.Invalid) {
		t.Errorf("opening a survey that has closed gives %v", err)
	}
	low := draft()
	low.Policy.K = FloorK - 1
	if err := low.open(noon); !fault.Is(err, fault.Invalid) || low.State != Draft {
		t.Errorf("opening with k below the floor gives %v", err)
	}
}

func TestAKeyIsDueADayAfterTheEndAndIsMournedOnce(t *testing.T) {
	c := draft()
	for _, step := range []error{c.open(noon), c.shut(c.ClosesAt), c.release(noon)} {
		if step != nil {
			t.Fatal(step)
		}
	}
	if c.overdue(noon.Add(KeyHours*time.Hour - time.Second)) {
		t.Error("the key is overdue before a day has passed")
	}
	if !c.overdue(noon.Add(KeyHours * time.Hour)) {
		t.Error("the key is not overdue after a day")
	}
	if err := c.mourn(); err != nil || c.Key.State != Destroyed {
		t.Errorf("noting that the key is gone: %v", err)
	}
	if err := c.mourn(); !fault.Is(err, fault.Conflict) {
		t.Errorf("noting it twice gives %v, want a conflict", err)
	}
}
