package archtest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheDocsExistInBothLanguagesWithTheSameOutline(t *testing.T) {
	repo := os.DirFS(root)
	pairs := map[string]string{"README.md": "README.zh-CN.md"}
	for _, lang := range []string{"en", "zh-CN"} {
		for _, name := range files(t, repo, "docs/"+lang) {
			pairs[path.Join("docs/en", name)] = path.Join("docs/zh-CN", name)
		}
	}
	for en, zh := range pairs {
		left, errEN := fs.ReadFile(repo, en)
		right, errZH := fs.ReadFile(repo, zh)
		if errEN != nil || errZH != nil {
			t.Errorf("%s and %s must both exist: %v, %v", en, zh, errEN, errZH)
			continue
		}
		if diff := cmp.Diff(outline(left), outline(right)); diff != "" {
			t.Errorf("%s and %s have different headings (-en +zh-CN):\n%s", en, zh, diff)
		}
	}
}

func TestLinksBetweenThePagesLeadSomewhere(t *testing.T) {
	repo := os.DirFS(root)
	pages := []string{"README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", "deploy/README.md"}
	for _, name := range files(t, repo, "docs") {
		pages = append(pages, path.Join("docs", name))
	}
	link := regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)]*)?\)`)
	for _, page := range pages {
		text, err := fs.ReadFile(repo, page)
		if err != nil {
			t.Errorf("read %s: %v", page, err)
			continue
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := fs.Stat(repo, path.Join(path.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}

func TestEveryModuleThatWeImportHasItsReasonInADecisionRecord(t *testing.T) {
	text, err := fs.ReadFile(os.DirFS(root), "docs/adr/0018-dependencies.md")
	if err != nil {
		t.Fatalf("read the record: %v", err)
	}
	for mod := range homes {
		if !strings.Contains(string(text), "`"+mod+"`") {
			t.Errorf("docs/adr/0018-dependencies.md does not say why we depend on %s", mod)
		}
	}
}

func TestTheIndexListsEveryDecisionRecord(t *testing.T) {
	repo := os.DirFS(root)
	index, err := fs.ReadFile(repo, "docs/adr/README.md")
	if err != nil {
		t.Fatalf("read the index: %v", err)
	}
	for _, name := range files(t, repo, "docs/adr") {
		if name != "README.md" && !strings.Contains(string(index), "("+name+")") {
			t.Errorf("docs/adr/README.md does not list %s", name)
		}
	}
}

// files lists the files under dir, relative to it.
func files(t *testing.T, repo fs.FS, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(repo, dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.ToSlash(strings.TrimPrefix(name, dir+"/")))
		}
		return err
	})
	if err != nil {
		t.Fatalf("list %s: %v", dir, err)
	}
	slices.Sort(names)
	return names
}

// outline reduces a page to the levels of its headings, in order. Lines inside code fences are not headings.
func outline(page []byte) []string {
	var levels []string
	fenced := false
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if mark, _, ok := strings.Cut(line, " "); ok && !fenced && mark != "" && strings.Trim(mark, "#") == "" {
			levels = append(levels, mark)
		}
	}
	return levels
}
