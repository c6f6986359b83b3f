package postgres

import (
	"testing"

	"github.com/google/uuid"
)

// contents is every row of a firm as JSON, by table.
func contents(tb testing.TB, d *DB, orgID uuid.UUID) map[string]string {
	tb.Helper()
	tables, err := d.pool.Query(tb.Context(), `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
		where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attname = 'org_id' order by 1`)
	if err != nil {
		tb.Fatal(err)
	}
	defer tables.Close()
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			tb.Fatal(err)
		}
		names = append(names, name)
	}
	if err := tables.Err(); err != nil {
		tb.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range names {
		var text string
		err := d.pool.QueryRow(tb.Context(), `select coalesce(string_agg(to_jsonb(t)::text, e'\n' order by to_jsonb(t)::text), '') from `+name+` t where org_id = $1`, orgID).Scan(&text)
		if err != nil {
			tb.Fatal(err)
		}
		out[name] = text
	}
	return out
}
