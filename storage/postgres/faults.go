package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"huiyin/internal/fault"
)

// SQLSTATEs (Postgres manual, appendix A). HY is ours, see the functions of 00001_spine.sql.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	uniqueViolation      = "23505"
	badCharacter         = "22021" // NUL, or bytes that are no UTF-8
	badUnicode           = "22P05" // the same inside JSON
	staleDirectory       = "HY001"
	noSuchOrg            = "HY002"
)

// away are the SQLSTATE classes and codes of a database that cannot do it now and may do it later: connection trouble, out of
// resources, shutting down or starting up, cancelled, a standby, a full or failing disk, a lock not had in time, a transaction given up.
var away = []string{"08", "53", "57P", "57014", "25006", "25P03", "58", "55P03", "40"}

// violations says what a broken constraint means to whoever caused it. Constraints that are not here hold what only a mistake of ours
// could break; TestEveryConstraintIsAFaultOrAMistake lists them.
var violations = map[string]func() *fault.Fault{
	"inbox_pkey": means(fault.Duplicate, "storage.duplicate", ""),

	"orgs_pkey":                means(fault.Conflict, "storage.org.taken", ""),
	"installations_tenant_key": means(fault.Conflict, "storage.tenant.taken", ""),
	"people_employee_no_key":   means(fault.Conflict, "storage.people.number", "employee_no"),
	"people_email_key":         means(fault.Conflict, "storage.people.email", "email"),
	"people_manager_fkey":      means(fault.NotFound, "storage.people.manager", "manager"),
	"identities_confirmed_key": means(fault.Conflict, "storage.identity.confirmed", ""),

	"installations_org_fkey":  noOrg,
	"people_org_fkey":         noOrg,
	"identities_org_fkey":     noOrg,
	"company_values_org_fkey": noOrg,
	"schedules_org_fkey":      noOrg,
	"audit_log_org_fkey":      noOrg,

	"directory_follows_org_fkey": noOrg,

	"identities_person_fkey":       noPerson,
	"praises_author_fkey":          noPerson,
	"praise_receivers_person_fkey": noPerson,
	"notes_author_fkey":            noPerson,
	"notes_receiver_fkey":          noPerson,
	"notes_proposer_fkey":          noPerson,
	"asks_author_fkey":             noPerson,
	"ask_people_person_fkey":       noPerson,
	"ask_people_author_fkey":       noPerson,
	"key_events_person_fkey":       noPerson,
	"last_used_person_fkey":        noPerson,
}

func means(kind fault.Kind, key, field string) func() *fault.Fault {
	return func() *fault.Fault { return fault.New(kind, key).In(field) }
}

func noOrg() *fault.Fault    { return fault.New(fault.NotFound, "storage.org.unknown") }
func noPerson() *fault.Fault { return fault.New(fault.NotFound, "storage.person.unknown") }

// translate makes a fault of what a person or a program can do something about, and leaves everything else. A commit whose outcome is
// not known is Unavailable too: whoever tries again with the same event finds out by it.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, done := fault.Of(err); done {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "storage.notfound") // without its cause, which is nothing outside of here
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return translateCode(pg, err)
	}
	if unreachable(err) {
		return fault.New(fault.Unavailable, "storage.unavailable").Because(err)
	}
	return err
}

func translateCode(pg *pgconn.PgError, err error) error {
	switch pg.Code {
	case staleDirectory:
		return fault.New(fault.Stale, "storage.stale")
	case noSuchOrg:
		return noOrg()
	case badCharacter, badUnicode:
		return fault.New(fault.Invalid, "storage.text")
	}
	if violated, ok := violations[pg.ConstraintName]; ok && strings.HasPrefix(pg.Code, "23") {
		return violated() // not because of pg: its detail holds values that people wrote
	}
	for _, prefix := range away {
		if strings.HasPrefix(pg.Code, prefix) {
			return fault.New(fault.Unavailable, "storage.unavailable").Because(err)
		}
	}
	return err
}

// unreachable reports whether it is the connection that failed and not what was asked.
func unreachable(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}

// again reports whether a unit of work that failed so has left nothing and may well succeed when it is run again.
func again(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// See feedbackTx.give; which of its tables is written first is up to Postgres.
		known := pg.Code == uniqueViolation && (pg.ConstraintName == "praises_pkey" || pg.ConstraintName == "praise_receivers_pkey")
		return known || pg.Code == serializationFailure || pg.Code == deadlockDetected
	}
	return pgconn.SafeToRetry(err)
}
