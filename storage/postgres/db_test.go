package postgres

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/fault"
	"huiyin/storage/postgres/migrations"
	"huiyin/storage/postgres/pgtest"
)

func TestTheURLWinsOverOurDefaults(t *testing.T) {
	cfg, err := config("postgres://u@h/d")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.MaxConns < 4 || cfg.ConnConfig.ConnectTimeout != connectTimeout || cfg.ConnConfig.RuntimeParams["application_name"] != "huiyin" {
		t.Errorf("by default there are %d connections, %v to connect and the parameters %v", cfg.MaxConns, cfg.ConnConfig.ConnectTimeout, cfg.ConnConfig.RuntimeParams)
	}
	if cfg.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		t.Error("by default statements are not prepared")
	}
	cfg, err = config("postgres://u@h/d?pool_max_conns=3&connect_timeout=9&statement_timeout=1s&default_query_exec_mode=exec")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.MaxConns != 3 || cfg.ConnConfig.ConnectTimeout.Seconds() != 9 || cfg.ConnConfig.RuntimeParams["statement_timeout"] != "1s" || cfg.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeExec {
		t.Errorf("the URL's own settings became %d connections, %v and %v", cfg.MaxConns, cfg.ConnConfig.ConnectTimeout, cfg.ConnConfig.RuntimeParams)
	}
	for _, bad := range []string{"postgres://u@h/d?default_query_exec_mode=simple_protocol", "postgres://u@h:port/d", "nonsense"} {
		if _, err := Open(t.Context(), bad); err == nil {
			t.Errorf("the URL %s was taken", bad)
		}
	}
}

func TestReadyIsADatabaseWithAllMigrations(t *testing.T) {
	d := open(t)
	if err := d.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := d.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	empty, err := Open(t.Context(), pgtest.Clone(t, "empty", func(context.Context, string) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if err := empty.Ping(t.Context()); err != nil {
		t.Errorf("an empty database gave %v to a ping", err)
	}
	wantFault(t, "an empty database", empty.Ready(t.Context()), fault.Unavailable)
	exec(t, d, `delete from goose_db_version where version_id = 1`)
	wantFault(t, "a database without one of the migrations", d.Ready(t.Context()), fault.Unavailable)
	if report, err := migrations.Of(t.Context(), d.pool); err != nil || len(report.Pending) != 1 || report.Pending[0] != "00001_spine.sql" {
		t.Errorf("pending is %v (%v), want 00001_spine.sql", report.Pending, err)
	}
}

func TestUUIDsTravelUnchanged(t *testing.T) {
	d := open(t)
	one, none := id(1), uuid.NullUUID{}
	var gotOne uuid.UUID
	var gotSome, gotNone uuid.NullUUID
	var gotMany []uuid.UUID
	many := []uuid.UUID{id(2), uuid.Nil, uuid.Max}
	err := d.pool.QueryRow(t.Context(), `select $1::uuid, $2::uuid, $3::uuid, $4::uuid[]`, one, idOrNull(one), none, many).Scan(&gotOne, &gotSome, &gotNone, &gotMany)
	if diff := cmp.Diff([]any{one, idOrNull(one), none, many}, []any{gotOne, gotSome, gotNone, gotMany}); err != nil || diff != "" {
		t.Errorf("they came back (%v) as:\n%s", err, diff)
	}
	if err := d.pool.QueryRow(t.Context(), `select null::uuid`).Scan(&gotOne); err == nil {
		t.Error("NULL came back as a UUID")
	}
	var text string
	if err := d.pool.QueryRow(t.Context(), `select $1::uuid`, one.String()).Scan(&text); err != nil || text != one.String() {
		t.Errorf("a UUID as text came back as %q (%v)", text, err)
	}
}
