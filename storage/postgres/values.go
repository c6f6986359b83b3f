package postgres

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// In the domain the zero value says that there is nothing, in a column NULL does. The other way round needs no function: the Time or
// UUID of a value that is not valid is the zero one.

func timeOrNull(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

func dateOrNull(t time.Time) pgtype.Date { return pgtype.Date{Time: t, Valid: !t.IsZero()} }

func idOrNull(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

// list is the texts as an array, which is never NULL.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// some is nil for an empty array.
func some(texts []string) []string {
	if len(texts) == 0 {
		return nil
	}
	return texts
}

// alike turns rows into what they stand for.
func alike[A, B any](rows []A, as func(A) B) []B {
	out := make([]B, len(rows))
	for i, r := range rows {
		out[i] = as(r)
	}
	return out
}
