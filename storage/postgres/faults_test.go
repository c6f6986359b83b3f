package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"huiyin/internal/fault"
)

func TestErrorsOfTheDatabaseAreTranslatedByTheirCode(t *testing.T) {
	code := func(code, constraint string) error {
		return fmt.Errorf("doing something: %w", &pgconn.PgError{Code: code, ConstraintName: constraint, Detail: "Key (text)=(secret words)", Message: "m"})
	}
	const internal = fault.Kind(0)
	tests := []struct {
		what string
		err  error
		kind fault.Kind
	}{
		{"no rows", fmt.Errorf("reading: %w", pgx.ErrNoRows), fault.NotFound},
		{"an event that is there", code("23505", "inbox_pkey"), fault.Duplicate},
		{"an outdated directory", code("HY001", ""), fault.Stale},
		{"an unknown organisation", code("HY002", ""), fault.NotFound},
		{"a taken employee number", code("23505", "people_employee_no_key"), fault.Conflict},
		{"a taken address", code("23P01", "people_email_key"), fault.Conflict},
		{"somebody unknown", code("23503", "notes_receiver_fkey"), fault.NotFound},
		{"a mistake of ours", code("23514", "notes_state_check"), internal},
		{"a syntax error", code("42601", ""), internal},
		{"a missing table", code("42P01", ""), internal},
		{"a NUL in a text", code("22021", ""), fault.Invalid},
		{"a NUL in JSON", code("22P05", ""), fault.Invalid},
		{"too many connections", code("53300", ""), fault.Unavailable},
		{"a full disk", code("53100", ""), fault.Unavailable},
		{"a shutdown by an administrator", code("57P01", ""), fault.Unavailable},
		{"a crash", code("57P02", ""), fault.Unavailable},
		{"a start", code("57P03", ""), fault.Unavailable},
		{"a statement that took too long", code("57014", ""), fault.Unavailable},
		{"a lost connection", code("08006", ""), fault.Unavailable},
		{"a standby", code("25006", ""), fault.Unavailable},
		{"a transaction given up three times", code("40001", ""), fault.Unavailable},
		{"a deadlock three times", code("40P01", ""), fault.Unavailable},
		{"a failing disk", code("58030", ""), fault.Unavailable},
		{"the end of a connection", fmt.Errorf("receiving: %w", io.ErrUnexpectedEOF), fault.Unavailable},
		{"a reset", &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, fault.Unavailable},
		{"a deadline", fmt.Errorf("waiting: %w", context.DeadlineExceeded), fault.Unavailable},
		{"something else", errors.New("scanning a row"), internal},
		{"a fault already", fault.New(fault.Forbidden, "people.forbidden"), fault.Forbidden},
	}
	for _, tt := range tests {
		err := translate(tt.err)
		f, ok := fault.Of(err)
		switch {
		case tt.kind == internal && (ok || !errors.Is(err, tt.err)):
			t.Errorf("%s is translated to %v, want it left alone", tt.what, err)
		case tt.kind != internal && (!ok || f.Kind != tt.kind):
			t.Errorf("%s is translated to %v, want a fault of kind %v", tt.what, err, tt.kind)
		}
		if strings.Contains(err.Error(), "secret words") {
			t.Errorf("%s tells what people wrote: %v", tt.what, err)
		}
	}
	if translate(nil) != nil {
		t.Error("no error is translated to one")
	}
}

func TestOnlyWhatLeftNothingIsTriedAgain(t *testing.T) {
	for code, want := range map[string]bool{"40001": true, "40P01": true, "23505": false, "57P01": false, "08006": false, "HY001": false} {
		if got := again(fmt.Errorf("writing: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("after %s a unit of work is tried again: %v, want %v", code, got, want)
		}
	}
	if again(io.ErrUnexpectedEOF) {
		t.Error("a unit of work of unknown outcome is tried again")
	}
}
