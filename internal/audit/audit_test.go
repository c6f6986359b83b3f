package audit

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Every field of an entry is in its hash, so that none can be changed unseen.
func TestEveryFieldChangesTheHash(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 0, 0, 123456789, time.UTC)
	one := uuid.MustParse("00000000-0000-7000-8000-000000000001")
	entry := Entry{OrgID: one, Seq: 1, At: at, Actor: one, Act: "note.agreed", Subject: one, About: one, Detail: map[string]string{"a": "1", "b": "2"}}
	want := mustHash(t, Start(), entry)
	if again := mustHash(t, Start(), entry); !bytes.Equal(want, again) {
		t.Fatal("the same entry has two hashes")
	}
	local := entry
	local.At = at.Truncate(time.Microsecond).In(time.FixedZone("", 8*3600))
	if got := mustHash(t, Start(), local); !bytes.Equal(want, got) {
		t.Error("the hash depends on the zone or on less than a microsecond, which the database does not keep")
	}
	for what, change := range map[string]func(*Entry){
		"firm": func(e *Entry) { e.OrgID[0]++ }, "place in the chain": func(e *Entry) { e.Seq++ },
		"time": func(e *Entry) { e.At = e.At.Add(time.Microsecond) }, "actor": func(e *Entry) { e.Actor[15]++ }, "act": func(e *Entry) { e.Act += "x" },
		"subject": func(e *Entry) { e.Subject[15]++ }, "person": func(e *Entry) { e.About[15]++ },
		"detail": func(e *Entry) { e.Detail = map[string]string{"a": "1", "b": "3"} },
	} {
		changed := entry
		change(&changed)
		if bytes.Equal(want, mustHash(t, Start(), changed)) {
			t.Errorf("another %s has the same hash", what)
		}
	}
	if bytes.Equal(want, mustHash(t, want, entry)) {
		t.Error("the hash does not depend on the one before")
	}
}

func mustHash(t *testing.T, previous []byte, e Entry) []byte {
	t.Helper()
	h, err := Hash(previous, e)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
