package slacksim

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// What checks the bot's payloads must not share code with what makes them.
func TestTheSimulatorImportsNeitherTheBotNorASlackLibrary(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range parsed.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(path, "/")
			own := first == "huiyin" || strings.Contains(first, ".")
			if own && path != "github.com/gorilla/websocket" && path != "github.com/google/go-cmp/cmp" && path != "huiyin/bot/sim/backstage" {
				t.Errorf("%s imports %s", f.Name(), path)
			}
		}
	}
}
