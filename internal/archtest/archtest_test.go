package archtest

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// root is the top of the repository as seen from this folder, where go test starts its binaries.
const root = "../.."

func TestTheTreeObeysTheImportTable(t *testing.T) {
	found, err := Check(os.DirFS(root))
	if err != nil {
		t.Fatalf("read the tree: %v", err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// The control: a referee that never whistles proves nothing, so each rule is broken once here.
func TestEveryRuleRefusesAnImportThatBreaksIt(t *testing.T) {
	cases := []struct {
		name, file, imports string
		refused             bool
	}{
		{"a package without a row", "utils/strings.go", "strings", true},
		{"an import of a package without a row", "bot/bot.go", "huiyin/utils", true},
		{"an upward import", "internal/people/people.go", "huiyin/internal/app", true},
		{"a sideways import", "bot/slack/render.go", "huiyin/storage/redis", true},
		{"a sideways import inside the domain", "internal/calendar/calendar.go", "huiyin/internal/people", true},
		{"a chat package that imports the domain", "bot/slack/decode.go", "huiyin/feedback", true},
		{"a domain package that imports chat", "feedback/praise.go", "huiyin/bot/card", true},
		{"main that wires by itself", "cmd/huiyin/main.go", "huiyin/storage/postgres", true},
		{"a domain package that imports pgx", "feedback/store.go", "github.com/jackc/pgx/v5", true},
		{"a domain package that imports a part of pgx", "internal/people/store.go", "github.com/jackc/pgx/v5/pgtype", true},
		{"a domain package that imports River", "feedback/job.go", "github.com/riverqueue/river", true},
		{"a domain package that imports net/http", "internal/people/sync.go", "net/http", true},
		{"a domain package that imports an SDK", "internal/people/sync.go", "github.com/slack-go/slack", true},
		{"a dialog that imports net/http", "bot/dialog/desk.go", "net/http", true},
		{"River outside internal/jobs", "storage/postgres/outbox.go", "github.com/riverqueue/river", true},
		{"River in the wiring", "internal/app/app.go", "github.com/riverqueue/river", true},
		{"the SDK outside its adapter", "bot/dialog/praise.go", "github.com/slack-go/slack/slackevents", true},
		{"the SDK in a simulator", "bot/sim/slacksim/api.go", "github.com/slack-go/slack", true},
		{"a simulator that imports the renderer", "bot/sim/slacksim/api.go", "huiyin/bot/slack", true},
		{"a simulator's test that imports the renderer", "bot/sim/slacksim/api_test.go", "huiyin/bot/slack", true},
		{"a simulator that imports the port", "bot/sim/slacksim/api.go", "huiyin/bot", true},
		{"a test corpus in shipped code", "bot/slack/render.go", "huiyin/bot/card/cardtest", true},
		{"a module without a home", "bot/dialog/praise.go", "github.com/stretchr/testify/require", true},
		{"a test library in shipped code", "bot/dialog/praise.go", "github.com/google/go-cmp/cmp", true},
		{"a module whose path only begins like a permitted one", "internal/jobs/river.go", "github.com/riverqueue/riverui", true},

		{"a downward import", "bot/slack/render.go", "huiyin/bot/card", false},
		{"the meeting place", "bot/dialog/praise.go", "huiyin/feedback", false},
		{"River in internal/jobs", "internal/jobs/river.go", "github.com/riverqueue/river/riverdriver/riverpgxv5", false},
		{"River's schema among the migrations", "storage/postgres/migrations/river.go", "github.com/riverqueue/river/rivermigrate", false},
		{"pgx in its adapter", "storage/postgres/notes.go", "github.com/jackc/pgx/v5/pgxpool", false},
		{"the port's http.Handler", "bot/bot.go", "net/http", false},
		{"a corpus in a test", "bot/slack/render_test.go", "huiyin/bot/card/cardtest", false},
		{"a simulator in an adapter's test", "bot/slack/client_test.go", "huiyin/bot/sim/slacksim", false},
		{"a test library in a test", "bot/dialog/praise_test.go", "github.com/google/go-cmp/cmp", false},
		{"test data", "bot/dialog/testdata/x.go", "github.com/stretchr/testify/require", false},
		{"another module in the tree", "tools/tools.go", "github.com/golangci/golangci-lint/v2", false},
	}
	for _, c := range cases {
		tree := fstest.MapFS{
			"tools/go.mod": {Data: []byte("module huiyin/tools\n")},
			c.file:         {Data: []byte("package p\n\nimport \"" + c.imports + "\"\n")},
		}
		found, err := Check(tree)
		if err != nil {
			t.Fatalf("%s: read the fixture: %v", c.name, err)
		}
		if refused := len(found) > 0; refused != c.refused {
			t.Errorf("%s (%s imports %s): refused = %v, want %v; the referee said %q", c.name, c.file, c.imports, refused, c.refused, found)
		}
	}
}

func TestARefusalNamesTheFileTheImportAndTheRule(t *testing.T) {
	found, err := Check(fstest.MapFS{"bot/slack/render.go": {Data: []byte("package slack\n\nimport \"huiyin/storage/redis\"\n")}})
	if err != nil {
		t.Fatalf("read the fixture: %v", err)
	}
	want := []string{"bot/slack/render.go imports huiyin/storage/redis: level 5 may not import level 5, imports go down only"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("the sentence is not one that can be acted on (-want +got):\n%s", diff)
	}
}
