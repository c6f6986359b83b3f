// Package audit is the append-only record of who did what to whom: each entry is chained to the one before it by SHA-256, so that an
// edited, deleted, inserted or reordered row is found. It knows no storage and holds no words that people wrote, and survey
// submissions never appear in it.
package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Entry is one deed. Detail holds ids, states and counts, never text that somebody wrote.
type Entry struct {
	OrgID   uuid.UUID
	Seq     int64 // 1, 2, 3 … without a gap, per firm
	At      time.Time
	Actor   uuid.UUID // uuid.Nil: the product itself
	Act     string    // such as note.agreed, people.imported, feedback.viewed
	Subject uuid.UUID // the note, praise or other thing it was done to
	About   uuid.UUID // the person whom it concerns
	Detail  map[string]string
}

// Hash chains the entry to the hash before it; the first entry follows 32 zero bytes. Times count in microseconds, as Postgres keeps them.
func Hash(previous []byte, e Entry) ([]byte, error) {
	detail, err := json.Marshal(e.Detail) // keys in order
	if err != nil {
		return nil, fmt.Errorf("encoding the detail of an audit entry: %w", err)
	}
	h := sha256.New()
	h.Write(previous)
	h.Write(e.OrgID[:])
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMicro())))
	h.Write(e.Actor[:])
	h.Write(e.Subject[:])
	h.Write(e.About[:])
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(e.Act))))
	h.Write([]byte(e.Act))
	h.Write(detail)
	return h.Sum(nil), nil
}

// Start is what the first entry of a firm follows.
func Start() []byte { return make([]byte, sha256.Size) }
