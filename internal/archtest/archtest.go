// Package archtest is the import table of this module and the referee that holds the tree to it: imports go down only, never
// sideways. It reads source files and nothing else; it does not know how packages are built, and it asks no go command, whose
// answers the test cache would keep.
package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the path in go.mod, the prefix of every import of our own.
const module = "huiyin"

// side is the column of a package. Chat never sees the domain and the domain never sees chat; the two meet in meeting packages.
type side int

const (
	shared  side = iota // anyone above may import it
	chat                // how people talk: no domain
	domain              // nouns and rules: no chat, no plumbing, no network
	meeting             // may see both sides
)

// row is one package's place. Lower levels may be imported by higher ones.
type row struct {
	level   int
	side    side
	only    []string // when set, the only packages of ours that it may import (with what lies under them)
	offline bool     // may not import a network package; every domain package is offline anyway
	support bool     // exists for tests: any test may import it, no other code below it may
}

// table is docs/en/architecture.md, "Who may import whom", as data.
var table = map[string]row{
	"cmd/huiyin": {level: 7, side: meeting, only: []string{"internal/app"}},
	"bench":      {level: 8, side: meeting},
	"e2e":        {level: 8, side: meeting},
	"e2e/fault":  {level: 9, side: meeting},

	"internal/app": {level: 6, side: meeting},

	"storage/postgres/pgtest":     {level: 6, side: meeting, support: true},
	"storage/postgres":            {level: 5, side: meeting},
	"storage/postgres/migrations": {level: 4, side: shared},
	"storage/postgres/internal/db": {
		level: 4, side: shared,
	},
	"storage/redis":    {level: 5, side: meeting},
	"storage/embedded": {level: 5, side: meeting},
	"internal/jobs":    {level: 5, side: meeting},
	"internal/web":     {level: 5, side: meeting},
	"bot/dialog":       {level: 5, side: meeting, offline: true},

	// A simulator shares nothing with the renderer it checks: a mistake must not pass on both sides.
	"bot/sim/chat":        {level: 5, side: chat, only: []string{"bot/sim", "internal/i18n"}},
	"bot/sim/feishusim":   {level: 4, side: chat, only: []string{"bot/sim"}},
	"bot/sim/slacksim":    {level: 4, side: chat, only: []string{"bot/sim"}},
	"bot/sim/dingtalksim": {level: 4, side: chat, only: []string{"bot/sim"}},
	"bot/sim/backstage":   {level: 3, side: chat, only: []string{"bot/sim"}},
	"bot/slack":           {level: 5, side: chat},
	"bot/feishu":          {level: 5, side: chat},
	"bot/dingtalk":        {level: 5, side: chat},

	"internal/obs": {level: 3, side: meeting},

	"bot/command":     {level: 2, side: chat, offline: true},
	"feedback":        {level: 2, side: domain},
	"feedback/survey": {level: 2, side: domain, only: []string{"internal/people", "internal/fault"}},

	"bot":               {level: 1, side: chat},
	"internal/people":   {level: 1, side: domain},
	"internal/calendar": {level: 1, side: domain},
	"internal/keystore": {level: 1, side: shared, offline: true},
	"bot/card/cardtest": {level: 1, side: chat, offline: true, support: true},

	"bot/card":        {level: 0, side: chat, offline: true},
	"internal/notice": {level: 0, side: domain},
	"internal/audit":  {level: 0, side: domain},
	"internal/i18n":   {level: 0, side: shared, offline: true},
	"internal/config": {level: 0, side: shared},
	"internal/sheet":  {level: 0, side: shared, offline: true},

	"internal/archtest": {level: 0, side: shared, offline: true},

	"internal/fault": {level: -1, side: shared, offline: true}, // the ground: everything above can fail
}

// anywhere is a home that every package lives in; tests is one that every test file lives in.
const (
	anywhere = "."
	tests    = "_test"
)

// homes says where each outside module may be imported; docs/adr/0018-dependencies.md says why each is here. The longest
// matching prefix counts. A module without a row is refused wherever it turns up.
var homes = map[string][]string{
	"github.com/google/uuid":                   {anywhere},
	"golang.org/x/text":                        {anywhere},
	"golang.org/x/sync":                        {anywhere},
	"github.com/google/go-cmp":                 {tests},
	"pgregory.net/rapid":                       {tests},
	"golang.org/x/tools/txtar":                 {tests},
	"golang.org/x/net/html":                    {tests},
	"go.uber.org/goleak":                       {tests},
	"github.com/jackc/pgx/v5":                  {"storage", "internal/jobs", "internal/app", "bench", "e2e", tests},
	"github.com/riverqueue/river":              {"internal/jobs"},
	"github.com/riverqueue/river/rivermigrate": {"internal/jobs", "storage/postgres/migrations"},
	"github.com/riverqueue/river/riverdriver":  {"internal/jobs", "storage/postgres/migrations"},
	"github.com/pressly/goose/v3":              {"storage/postgres/migrations"},
	"github.com/redis/go-redis/v9":             {"storage/redis", "storage/embedded", "internal/app", "e2e"},
	"github.com/alicebob/miniredis/v2":         {"storage/embedded", tests},
	"github.com/slack-go/slack":                {"bot/slack"},
	"github.com/larksuite/oapi-sdk-go/v3":      {"bot/feishu"},
	"github.com/gorilla/websocket":             {"bot/slack", "bot/feishu", "bot/dingtalk", "bot/sim", tests},
	"github.com/xuri/excelize/v2":              {"internal/sheet"},
	"github.com/mozillazg/go-pinyin":           {"internal/people"},
	"github.com/nicksnyder/go-i18n/v2":         {"internal/i18n"},
	"github.com/prometheus/client_golang":      {"internal/obs"},
	"github.com/robfig/cron/v3":                {"internal/jobs", "internal/calendar"},
}

// realParts are what tests stand on instead of mocks: real stores and strict vendors, wherever they are in the table.
var realParts = []string{"bot/sim", "storage"}

// network are the standard packages that reach outside the process.
var network = []string{"net", "net/http", "net/smtp", "net/rpc", "database/sql", "os/exec"}

// Check walks the tree of Go files in fsys and returns one sentence per broken rule, sorted; none means that the tree obeys.
// Folders named testdata, folders starting with a dot or an underscore and nested modules are not part of the module.
func Check(fsys fs.FS) ([]string, error) {
	var found []string
	err := fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(fsys, file)
		}
		if path.Ext(file) != ".go" {
			return nil
		}
		src, err := fs.ReadFile(fsys, file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("parse imports: %w", err)
		}
		if _, ok := table[path.Dir(file)]; !ok {
			found = append(found, fmt.Sprintf("package %s has no row in internal/archtest/archtest.go", path.Dir(file)))
			return nil
		}
		for _, spec := range parsed.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("unquote import in %s: %w", file, err)
			}
			if why := refuse(file, target); why != "" {
				found = append(found, fmt.Sprintf("%s imports %s: %s", file, target, why))
			}
		}
		return nil
	})
	slices.Sort(found)
	return slices.Compact(found), err
}

// skip returns fs.SkipDir for folders that the go command leaves out of the module as well.
func skip(fsys fs.FS, dir string) error {
	base := path.Base(dir)
	if dir == "." {
		return nil
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	if err == nil || base == "testdata" || base == "node_modules" || base[0] == '.' || base[0] == '_' {
		return fs.SkipDir
	}
	return nil
}

// refuse says why this file may not import target; the empty string means that it may.
func refuse(file, target string) string {
	pkg, isTest := path.Dir(file), strings.HasSuffix(file, "_test.go")
	from := table[pkg]
	if own, ok := strings.CutPrefix(target, module+"/"); ok {
		to, ok := table[own]
		switch {
		case own == pkg: // a package's external test
			return ""
		case !ok:
			return "it has no row in the table"
		case from.only != nil && !within(own, from.only):
			return fmt.Sprintf("%s may import only %s", pkg, strings.Join(from.only, ", "))
		case isTest && to.support:
			return ""
		case to.support && !from.support && from.level < 8:
			return "it is there for tests alone"
		case to.level >= from.level && !(isTest && within(own, realParts)):
			return fmt.Sprintf("level %d may not import level %d, imports go down only", from.level, to.level)
		case from.side == chat && to.side != chat && to.side != shared && to.side != meeting:
			return "chat does not see the domain"
		case from.side == domain && to.side != domain && to.side != shared:
			return "the domain sees only the domain"
		}
		return ""
	}
	if slices.Contains(network, target) || strings.HasPrefix(target, "net/http/") {
		if !isTest && (from.offline || from.side == domain) {
			return fmt.Sprintf("%s has no network in it", pkg)
		}
		return ""
	}
	if first, _, _ := strings.Cut(target, "/"); !strings.Contains(first, ".") {
		return "" // standard library
	}
	in, ok := home(target)
	switch {
	case !ok:
		return "no row in homes; give it a home and a reason in docs/adr/0018-dependencies.md"
	case slices.Contains(in, anywhere), isTest && slices.Contains(in, tests), within(pkg, in):
		return ""
	}
	return fmt.Sprintf("its home is %s", strings.Join(in, ", "))
}

// home finds the row with the longest prefix of an outside import path.
func home(target string) ([]string, bool) {
	best := ""
	for prefix := range homes {
		if within(target, []string{prefix}) && len(prefix) > len(best) {
			best = prefix
		}
	}
	return homes[best], best != ""
}

// within tells whether a slash-separated path is one of the folders or lies under one.
func within(p string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return p == f || strings.HasPrefix(p, f+"/") })
}
