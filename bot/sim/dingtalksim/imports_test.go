package dingtalksim

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What checks the bot's payloads must not share code with what makes them. What simulators have in common knows neither the
// bot nor a vendor.
func TestTheSimulatorImportsNeitherTheBotNorTheVendorsLibrary(t *testing.T) {
	allowed := []string{"huiyin/bot/sim/backstage", "github.com/gorilla/websocket", "github.com/google/go-cmp/cmp"}
	for _, folder := range []string{".", "../backstage"} {
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), ".go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), folder+"/"+f.Name(), nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, imp := range parsed.Imports {
				path, err := strconv.Unquote(imp.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				first, _, _ := strings.Cut(path, "/")
				if own := first == "huiyin" || strings.Contains(first, "."); own && !slices.Contains(allowed, path) {
					t.Errorf("%s/%s imports %s", folder, f.Name(), path)
				}
			}
		}
	}
}
