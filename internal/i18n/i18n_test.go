package i18n

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestBothLanguagesHaveTheSameKeys(t *testing.T) {
	c := mustLoad(t)
	if diff := cmp.Diff(c.Keys(English), c.Keys(Chinese)); diff != "" {
		t.Errorf("keys of English (-) and Chinese (+) differ:\n%s", diff)
	}
}

// placeholder finds {{.Name}}, and nothing else may stand between braces: a message is no program.
var placeholder = regexp.MustCompile(`{{\s*\.([A-Za-z]+)\s*}}`)

func TestBothLanguagesUseTheSamePlaceholders(t *testing.T) {
	texts := map[string]map[string]string{English: texts(t, English), Chinese: texts(t, Chinese)}
	for key, en := range texts[English] {
		zh := texts[Chinese][key]
		for lang, text := range map[string]string{English: en, Chinese: zh} {
			if rest := placeholder.ReplaceAllString(text, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
				t.Errorf("%s of %s has more than plain placeholders: %s", key, lang, text)
			}
		}
		// Dates put a month as a word or as a number; everything else has to say the same.
		if diff := cmp.Diff(placeholders(en), placeholders(zh)); diff != "" && !strings.HasPrefix(key, "common.") && key != "list.month.count" {
			t.Errorf("%s: placeholders of English (-) and Chinese (+) differ:\n%s", key, diff)
		}
	}
}

// keyUse finds the keys that the code names as literals: T("…"), sure(…, "…"), fault.New(kind, "…").
var keyUse = regexp.MustCompile(`(?:\.T|\bsure)\((?:[\w.]+, )?"([a-z][a-z0-9_]*(?:\.[A-Za-z0-9_-]+)+)"[,)]|fault\.New\(\s*[\w.]+,\s*"([^"]+)"[,)]|Key:\s+"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)"`)

func TestEveryKeyThatTheCodeNamesHasWords(t *testing.T) {
	c := mustLoad(t)
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/sim/") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range keyUse.FindAllStringSubmatch(string(source), -1) {
			key := m[1] + m[2] + m[3]
			found++
			if !c.Has(key) {
				t.Errorf("%s names the message %s, which no locale file has", path, key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 100 {
		t.Errorf("found only %d uses of messages: the search itself is broken", found)
	}
}

func TestLanguageNearestToAWish(t *testing.T) {
	c := mustLoad(t)
	for wish, want := range map[string]string{
		"zh-CN": Chinese, "zh": Chinese, "zh_CN.UTF-8": Chinese, "zh-Hans": Chinese, "zh-TW": Chinese, "ZH": Chinese,
		"en": English, "en-US": English, "en_GB.UTF-8": English, "de": English, "": English, "C.UTF-8": English, "nonsense!!": English,
	} {
		if got := c.Match(wish); got != want {
			t.Errorf("for the wish %q the language is %s, want %s", wish, got, want)
		}
	}
}

func TestAValueIsNeverReadAsATemplate(t *testing.T) {
	p := mustLoad(t).In(English)
	got := p.T("praise.received.title", "Name", "{{.Secret}} %s <b>")
	if want := "{{.Secret}} %s <b> praised you"; got != want {
		t.Errorf("a name with template signs became %q, want %q", got, want)
	}
}

func TestPluralsAreChosenByTheCount(t *testing.T) {
	p := mustLoad(t).In(English)
	if got := p.T("dialog.choose.more", "Count", 1); !strings.HasPrefix(got, "1 more is") {
		t.Errorf("one more: %q", got)
	}
	if got := p.T("dialog.choose.more", "Count", 3); !strings.HasPrefix(got, "3 more are") {
		t.Errorf("three more: %q", got)
	}
}

func TestAMissingKeyIsShownAsItself(t *testing.T) {
	if got := mustLoad(t).In(Chinese).T("no.such.key"); got != "no.such.key" {
		t.Errorf("a missing key became %q", got)
	}
}

func TestAKeyInTwoFilesIsRefused(t *testing.T) {
	_, err := load(fstest.MapFS{
		"locales/a.en.json": {Data: []byte(`{"a.key": "one"}`)},
		"locales/b.en.json": {Data: []byte(`{"a.key": "two"}`)},
	})
	if err == nil || !strings.Contains(err.Error(), "a.key") {
		t.Errorf("the same key in two files gave %v", err)
	}
}

func mustLoad(t *testing.T) *Catalog {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// texts reads the raw messages of a language; plural forms count as one text.
func texts(t *testing.T, lang string) map[string]string {
	t.Helper()
	out := map[string]string{}
	paths, err := fs.Glob(locales, "locales/*."+lang+".json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		data, err := fs.ReadFile(locales, path)
		if err != nil {
			t.Fatal(err)
		}
		var messages map[string]any
		if err := json.Unmarshal(data, &messages); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for key, m := range messages {
			switch m := m.(type) {
			case string:
				out[key] = m
			case map[string]any:
				for _, form := range m {
					text, _ := form.(string)
					out[key] += text + "\n"
				}
			}
		}
	}
	return out
}

func placeholders(text string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	sort.Strings(out)
	return out
}
