package postgres

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

var update = flag.Bool("update", false, "write schema.sql anew")

// ours keeps the migration tool's own table out.
const ours = `c.relnamespace = 'public'::regnamespace and c.relname not like 'goose%'`

// schema writes the schema down from the catalogue. pg_dump would do, were its text the same from version to version.
func schema(t *testing.T, d *DB) string {
	t.Helper()
	lines := func(sql string, args ...any) []string {
		t.Helper()
		rows, err := d.pool.Query(t.Context(), sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		out, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var b strings.Builder
	fmt.Fprintln(&b, "-- The schema as the migrations make it, for reading. Refresh: go test ./storage/postgres -run TestSchemaFile -update")
	for _, table := range lines(`select c.relname::text from pg_class c where ` + ours + ` and c.relkind = 'r' order by 1`) {
		fmt.Fprintf(&b, "\ncreate table %s (\n", table)
		parts := lines(`select '  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
				|| coalesce(' default ' || pg_get_expr(x.adbin, x.adrelid), '')
			from pg_attribute a left join pg_attrdef x on x.adrelid = a.attrelid and x.adnum = a.attnum
			where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`, table)
		// Postgres 18 lists "not null" among the constraints as well.
		parts = append(parts, lines(`select '  constraint ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
			where conrelid = $1::regclass and contype <> 'n' order by contype <> 'p', conname`, table)...)
		fmt.Fprintf(&b, "%s\n);\n", strings.Join(parts, ",\n"))
		for _, index := range lines(`select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid
			where i.indrelid = $1::regclass and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by c.relname`, table) {
			fmt.Fprintf(&b, "%s;\n", strings.Replace(index, " public.", " ", 1))
		}
	}
	for _, function := range lines(`select pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = 'public'::regnamespace order by p.proname`) {
		fmt.Fprintf(&b, "\n%s;\n", strings.TrimSpace(strings.Replace(function, " public.", " ", 1)))
	}
	return b.String()
}

func TestSchemaFileIsTheSchema(t *testing.T) {
	got := schema(t, open(t))
	if *update {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("schema.sql (-) is not what the migrations make (+); refresh it with: go test ./storage/postgres -run TestSchemaFile -update\n%s", diff)
	}
}

// Rows of different firms can live on different machines as long as no key and no reference leaves the firm.
func TestEveryKeyAndReferenceBeginsWithTheFirm(t *testing.T) {
	d := open(t)
	rows, err := d.pool.Query(t.Context(), `select k.conname, k.contype::text, first.attname, coalesce(there.attname, '')
		from pg_constraint k join pg_class c on c.oid = k.conrelid
		join pg_attribute first on first.attrelid = k.conrelid and first.attnum = k.conkey[1]
		left join pg_attribute there on there.attrelid = k.confrelid and there.attnum = k.confkey[1]
		where `+ours+` and k.contype in ('p', 'f', 'x', 'u')`)
	if err != nil {
		t.Fatal(err)
	}
	type constraint struct{ Name, Kind, Column, There string }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[constraint])
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, k := range all {
		seen[k.Kind]++
		if k.Column != "org_id" || k.Kind == "f" && k.There != "org_id" {
			t.Errorf("constraint %s begins with %s and refers to %q, want org_id", k.Name, k.Column, k.There)
		}
	}
	if seen["p"] < 15 || seen["f"] < 15 {
		t.Errorf("found %v keys and references: the search itself is broken", seen)
	}
	var without []string
	if err := d.pool.QueryRow(t.Context(), `select coalesce(array_agg(c.relname::text), '{}') from pg_class c where `+ours+` and c.relkind = 'r'
		and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')`).Scan(&without); err != nil || len(without) > 0 {
		t.Errorf("tables without a primary key: %v (%v)", without, err)
	}
}

// mistakes are the constraints that only code of ours can break.
var mistakes = []string{
	"installations_pkey", "people_pkey", "identities_pkey", "praise_receivers_pkey", "notes_pkey", "asks_pkey", "ask_people_pkey",
	"key_events_pkey", "company_values_pkey", "deliveries_pkey", "schedules_pkey", "praises_pkey", "last_used_pkey", "directory_follows_pkey", "api_calls_pkey", // all saved "or replaced"
	"outbox_pkey", "audit_log_pkey", // fresh ids; numbers under a lock
	"praise_receivers_praise_fkey", "ask_people_ask_fkey", "api_calls_org_fkey", // written with what they refer to
	"people_role_check", "people_manager_check", "identities_state_check", "identities_kind_check", "identities_person_check", "identities_matched_by_check",
	"notes_state_check", "notes_self_check", "deliveries_state_check", "directory_follows_refused_check", // the domain has said no before
}

func TestEveryConstraintIsAFaultOrAMistake(t *testing.T) {
	d := open(t)
	rows, err := d.pool.Query(t.Context(), `select k.conname::text from pg_constraint k join pg_class c on c.oid = k.conrelid where `+ours+` and k.contype <> 'n'
		union select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where `+ours+` and i.indisunique`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, meant := violations[name]; meant == slices.Contains(mistakes, name) {
			t.Errorf("constraint %s has to be either in violations (faults.go) or in mistakes (here)", name)
		}
	}
	for name := range violations {
		if !slices.Contains(names, name) {
			t.Errorf("violations names %s, which is no constraint", name)
		}
	}
	for _, name := range mistakes {
		if !slices.Contains(names, name) {
			t.Errorf("mistakes names %s, which is no constraint", name)
		}
	}
}

func TestEveryFaultOfTheStorageHasWords(t *testing.T) {
	words, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, fault := range violations {
		if key := fault().Key; !words.Has(key) {
			t.Errorf("a broken %s is told by %s, which no locale file has", name, key)
		}
	}
	if f, ok := fault.Of(translate(pgx.ErrNoRows)); !ok || !words.Has(f.Key) {
		t.Errorf("no rows are told by %v, which no locale file has", f)
	}
}
