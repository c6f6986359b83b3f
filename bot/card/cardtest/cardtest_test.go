package cardtest

import (
	"regexp"
	"testing"
)

func TestNamesOfTheCorpusAreUniqueFileNames(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9_]+$`)
	seen := map[string]bool{}
	for _, c := range Corpus().Cards {
		if !name.MatchString(c.Name) || seen["card "+c.Name] {
			t.Errorf("the card name %q is not a file name of its own", c.Name)
		}
		seen["card "+c.Name] = true
	}
	for _, f := range Corpus().Forms {
		if !name.MatchString(f.Name) || seen["form "+f.Name] {
			t.Errorf("the form name %q is not a file name of its own", f.Name)
		}
		seen["form "+f.Name] = true
		keys := map[string]bool{}
		for _, field := range f.Form.Fields {
			if keys[field.Key()] {
				t.Errorf("the form %s has two fields named %s", f.Name, field.Key())
			}
			keys[field.Key()] = true
		}
	}
}

func TestThereAreAtLeastFiveHundredDifferentPayloads(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Payloads() {
		seen[p] = true
	}
	if len(seen) < 500 {
		t.Errorf("there are %d different payloads, want at least 500 (R15)", len(seen))
	}
}
