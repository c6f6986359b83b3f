package dialog

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"huiyin/internal/i18n"
	"huiyin/internal/notice"
)

// Every command has its words in both languages, and no two commands share a name.
func TestEveryCommandHasItsWordsAndANameOfItsOwn(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{Root: "the root", "回音": "the root"}
	for _, c := range Commands() {
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			if other, taken := seen[name]; taken {
				t.Errorf("%s is a name of both %s and %s", name, other, c.Name)
			}
			seen[name] = c.Name
		}
		for _, part := range []string{".summary", ".usage", ".example"} {
			if !catalog.Has(c.Key + part) {
				t.Errorf("the command %s has no message %s", c.Name, c.Key+part)
			}
		}
		if !strings.ContainsFunc(strings.Join(c.Aliases, ""), func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }) {
			t.Errorf("the command %s has no Chinese name", c.Name)
		}
	}
}

// actionUse finds the actions that cards and forms carry.
var actionUse = regexp.MustCompile(`card\.Act\((act\w+)`)

// Every action that a card or form of this package carries has a row, and every row is carried by something.
func TestEveryActionThatACardCarriesHasARow(t *testing.T) {
	declared := map[string]string{}
	source, err := os.ReadFile("commands.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(act\w+)\s+= "([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		declared[m[1]] = m[2]
	}
	carried := map[string]bool{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		code, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range actionUse.FindAllStringSubmatch(string(code), -1) {
			carried[declared[m[1]]] = true
			if _, ok := Actions()[declared[m[1]]]; !ok {
				t.Errorf("%s carries the action %s, which has no row", f.Name(), m[1])
			}
		}
	}
	for name := range Actions() {
		if !carried[name] {
			t.Errorf("nothing carries the action %s", name)
		}
	}
	if len(carried) < 30 {
		t.Errorf("found only %d actions: the search itself is broken", len(carried))
	}
}

// Every kind of notice that is sent has somebody who finds its words; one that redraws needs none.
func TestEveryNoticeHasAWriter(t *testing.T) {
	writers := Writers()
	for kind, class := range notice.Kinds() {
		if _, ok := writers[kind]; ok == (class == notice.Refresh) {
			t.Errorf("notice %s of class %d: has a writer: %v", kind, class, ok)
		}
	}
	for kind := range writers {
		if _, ok := notice.Kinds()[kind]; !ok {
			t.Errorf("%s has a writer and is no kind of notice", kind)
		}
	}
}
