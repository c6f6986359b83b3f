package people_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// TestEveryWordExistsInBothLanguages reads the sources of this package and of sheet for the keys that they use.
func TestEveryWordExistsInBothLanguages(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, act := range people.Acts() {
		used["people.forbidden."+string(act)] = true
	}
	whole := regexp.MustCompile(`"((?:people|sheet)\.[a-z_.]*[a-z])"`)
	short := regexp.MustCompile(`(?:r\.complain\(.*"([a-z_]+)", (?:nil|fault)|wrong\("([a-z_]+)")`)
	for _, dir := range []string{".", "../sheet"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources in %s: %v", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range whole.FindAllSubmatch(source, -1) {
				used[string(found[1])] = true
			}
			for _, found := range short.FindAllSubmatch(source, -1) {
				used["people.problem."+string(found[1])+string(found[2])] = true
			}
		}
	}
	delete(used, "people.imported") // an act of the audit log
	if len(used) < 60 {
		t.Errorf("only %d keys were found in the sources: does this test still read them?", len(used))
	}
	for _, lang := range i18n.Languages() {
		for key := range used {
			if !slices.Contains(catalog.Keys(lang), key) {
				t.Errorf("%s has no words in %s", key, lang)
			}
		}
		for _, key := range catalog.Keys(lang) {
			ours := strings.HasPrefix(key, "people.") || strings.HasPrefix(key, "sheet.")
			if ours && !used[key] {
				t.Errorf("%s has words in %s and is not used", key, lang)
			}
		}
	}
}
