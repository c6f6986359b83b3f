package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/audit"
	"huiyin/storage/postgres/internal/db"
)

// Audit reads the audit logs of all firms. They are written by the units of work that they are about.
type Audit struct{ db *DB }

// Head is the last entry of a firm's log. Kept outside of the database it is an anchor: a log that was cut or written anew no longer
// agrees with it. The zero Head is that of an empty log.
type Head struct {
	Seq  int64
	Hash []byte
}

// BrokenError says where a log stops being what was written.
type BrokenError struct {
	Seq    int64 // the first entry that is wrong or missing
	Reason Break
}

// Break is how a log is broken.
type Break string

// The ways in which a log breaks.
const (
	Missing  Break = "missing"  // an entry is gone, or those from the anchor on
	Unlinked Break = "unlinked" // an entry does not follow the one before it
	Altered  Break = "altered"  // an entry does not have the hash of what it says
	Replaced Break = "replaced" // a log that holds together, but not the one that was anchored
)

// Error is for the operator.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("audit log broken at entry %d: %s", e.Seq, e.Reason)
}

// AuditQuery asks for a page of a firm's log, newest first.
type AuditQuery struct {
	OrgID  uuid.UUID
	About  uuid.UUID // only what concerns this person; uuid.Nil: everything
	Before int64     // only entries with a smaller number; 0: from the newest
	Limit  int
}

// List gives a page of the log.
func (s *Audit) List(ctx context.Context, q AuditQuery) ([]audit.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	before := q.Before
	if before == 0 {
		before = 1<<63 - 1
	}
	rows, err := s.db.queries().Audit(ctx, db.AuditParams{OrgID: q.OrgID, Before: before, About: idOrNull(q.About), Most: int32(q.Limit)})
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", translate(err))
	}
	entries := make([]audit.Entry, len(rows))
	for i, r := range rows {
		if entries[i], err = entry(r); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// Head is the last entry as it is now.
func (s *Audit) Head(ctx context.Context, orgID uuid.UUID) (Head, error) {
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	head, err := readHead(ctx, s.db.queries(), orgID)
	if err != nil {
		return Head{}, fmt.Errorf("reading the head of the audit log: %w", translate(err))
	}
	return head, nil
}

// Verify walks the whole log of a firm and compares it with an anchor taken earlier (the zero Head: none). It gives the head that it
// arrived at. The error is a *BrokenError when the log is not what was written; cutting its end shows against an anchor only.
func (s *Audit) Verify(ctx context.Context, orgID uuid.UUID, anchor Head) (Head, error) {
	const page = 1000
	head := Head{Hash: audit.Start()}
	for {
		rows, err := s.db.queries().AuditFrom(ctx, orgID, head.Seq, page)
		if err != nil {
			return Head{}, fmt.Errorf("reading the audit log: %w", translate(err))
		}
		for _, r := range rows {
			if head, err = follow(head, r, anchor); err != nil {
				return head, err
			}
		}
		if len(rows) < page {
			break
		}
	}
	if head.Seq < anchor.Seq {
		return head, &BrokenError{Seq: head.Seq + 1, Reason: Missing}
	}
	return head, nil
}

// follow checks the entry after head and gives the head after it.
func follow(head Head, r db.AuditLog, anchor Head) (Head, error) {
	if r.Seq != head.Seq+1 {
		return head, &BrokenError{Seq: head.Seq + 1, Reason: Missing}
	}
	if !bytes.Equal(r.Previous, head.Hash) {
		return head, &BrokenError{Seq: r.Seq, Reason: Unlinked}
	}
	e, err := entry(r)
	if err != nil {
		return head, err
	}
	hash, err := audit.Hash(head.Hash, e)
	if err != nil {
		return head, err
	}
	switch {
	case !bytes.Equal(hash, r.Hash):
		return head, &BrokenError{Seq: r.Seq, Reason: Altered}
	case r.Seq == anchor.Seq && !bytes.Equal(hash, anchor.Hash):
		return head, &BrokenError{Seq: r.Seq, Reason: Replaced}
	}
	return Head{Seq: r.Seq, Hash: hash}, nil
}

// chain gathers entries behind the last one. Everything gathered before travels with the read of the head; from then on to the end
// of the transaction nobody else of the firm can append.
func chain(ctx context.Context, q *db.Queries, orgID uuid.UUID, entries []audit.Entry) error {
	if err := q.LockAudit(ctx, orgID); err != nil {
		return err
	}
	head, err := readHead(ctx, q, orgID)
	if err != nil {
		return err
	}
	n := len(entries)
	rows := db.SaveAuditParams{
		OrgID: orgID, Seqs: make([]int64, n), At: make([]time.Time, n), Actors: make([]uuid.UUID, n), Acts: make([]string, n),
		Subjects: make([]uuid.UUID, n), Abouts: make([]uuid.UUID, n), Details: make([]string, n), Previous: make([][]byte, n), Hashes: make([][]byte, n),
	}
	for i, e := range entries {
		e.Seq = head.Seq + 1
		if len(e.Detail) == 0 {
			e.Detail = nil // as it will be read
		}
		hash, err := audit.Hash(head.Hash, e)
		if err != nil {
			return err
		}
		detail := []byte("{}")
		if e.Detail != nil {
			if detail, err = json.Marshal(e.Detail); err != nil {
				return fmt.Errorf("encoding the detail of an audit entry: %w", err)
			}
		}
		rows.Seqs[i], rows.At[i], rows.Actors[i], rows.Acts[i], rows.Subjects[i], rows.Abouts[i] = e.Seq, e.At, e.Actor, e.Act, e.Subject, e.About
		rows.Details[i], rows.Previous[i], rows.Hashes[i] = string(detail), head.Hash, hash
		head = Head{Seq: e.Seq, Hash: hash}
	}
	return q.SaveAudit(ctx, rows)
}

func readHead(ctx context.Context, q *db.Queries, orgID uuid.UUID) (Head, error) {
	row, err := q.AuditHead(ctx, orgID)
	if errors.Is(err, pgx.ErrNoRows) {
		return Head{Hash: audit.Start()}, nil
	}
	return Head{Seq: row.Seq, Hash: row.Hash}, err
}

func entry(r db.AuditLog) (audit.Entry, error) {
	e := audit.Entry{
		OrgID: r.OrgID, Seq: r.Seq, At: r.At.UTC(), Actor: r.ActorID.UUID, Act: r.Act, Subject: r.Subject.UUID, About: r.AboutID.UUID,
	}
	if err := json.Unmarshal(r.Detail, &e.Detail); err != nil {
		return audit.Entry{}, fmt.Errorf("decoding the detail of audit entry %d: %w", r.Seq, err)
	}
	if len(e.Detail) == 0 {
		e.Detail = nil
	}
	return e, nil
}
