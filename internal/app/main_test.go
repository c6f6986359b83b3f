package app

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huiyin/internal/config"
	"huiyin/internal/i18n"
)

// ran is what a run of the command line left behind.
type ran struct {
	code     int
	out, err string
}

// run does what a person would type, with nothing in the environment but the pairs.
func run(t *testing.T, env map[string]string, args ...string) ran {
	t.Helper()
	var out, errs bytes.Buffer
	code := Main(t.Context(), args, func(name string) string { return env[name] }, strings.NewReader(""), &out, &errs)
	return ran{code, out.String(), errs.String()}
}

func in(lang string, pairs ...string) map[string]string {
	env := map[string]string{"LANG": lang}
	for i := 0; i+1 < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	return env
}

func catalog(t *testing.T) *i18n.Catalog {
	t.Helper()
	c, err := i18n.Load()
	if err != nil {
		t.Fatalf("load the messages: %v", err)
	}
	return c
}

func TestWrongUseExitsWithTwoAndSaysWhatWasMeantInTheLanguageOfLANG(t *testing.T) {
	cases := []struct {
		args   []string
		en, zh string
	}{
		{nil, "Usage:", "用法："},
		{[]string{"serv"}, "Did you mean “serve”?", "是不是“serve”"},
		{[]string{"frobnicate"}, "There is no verb “frobnicate”.", "没有“frobnicate”这个动词"},
		{[]string{"import"}, "“import” needs to know what: people.", "“import”后面要说明是什么：people"},
		{[]string{"import", "metrics", "x.csv"}, "not available in this release", "本版本还不提供"},
		{[]string{"import", "pepole", "x.csv"}, "“import pepole” does not exist", "没有“import pepole”"},
		{[]string{"import", "people"}, "Something is missing: FILE.", "缺少：FILE"},
		{[]string{"import", "people", "a.csv", "b.csv"}, "“b.csv” is one word too many", "多了一个词：“b.csv”"},
		{[]string{"import", "people", "a.csv", "--try-run"}, "There is no flag --try-run.", "没有 --try-run 这个选项"},
		{[]string{"demo", "--people", "many"}, "has a wrong one", "值不对"},
		{[]string{"demo", "--people", "3"}, "The sample firm has", "示例公司有"},
		{[]string{"restore", "x.dump"}, "--verify", "--verify"},
		{[]string{"audit", "log", "--anchor", "yesterday"}, "NUMBER:HASH", "序号:哈希"},
		{[]string{"export", "results"}, "not available in this release", "本版本还不提供"},
	}
	for _, c := range cases {
		for lang, want := range map[string]string{"en_US.UTF-8": c.en, "zh_CN.UTF-8": c.zh, "": c.en} {
			got := run(t, in(lang), c.args...)
			if got.code != 2 || !strings.Contains(got.err, want) || got.out != "" {
				t.Errorf("huiyin %s with LANG=%s: exit code %d, want 2; standard error %q should contain %q; standard output %q should be empty",
					strings.Join(c.args, " "), lang, got.code, got.err, want, got.out)
			}
		}
	}
}

func TestHelpIsOnStandardOutputAndExitsWithZero(t *testing.T) {
	for lang, want := range map[string]string{"en": "the feedback bot for chat", "zh": "聊天里的反馈机器人"} {
		for _, word := range []string{"help", "-h", "--help"} {
			got := run(t, in(lang), word)
			if got.code != 0 || !strings.Contains(got.out, want) || got.err != "" {
				t.Errorf("huiyin %s with LANG=%s: exit code %d, output %q, standard error %q", word, lang, got.code, got.out, got.err)
			}
			for _, v := range verbs() {
				if !strings.Contains(got.out, "huiyin "+v.name) {
					t.Errorf("huiyin %s with LANG=%s does not list %s", word, lang, v.name)
				}
			}
		}
	}
}

func TestEveryVerbAndEveryFamilyExplainsItself(t *testing.T) {
	messages := catalog(t)
	for _, v := range verbs() {
		set := flag.NewFlagSet(v.name, flag.ContinueOnError)
		v.prepare(set)
		set.VisitAll(func(f *flag.Flag) {
			if !messages.Has(f.Usage) {
				t.Errorf("huiyin %s --%s has no message %s", v.name, f.Name, f.Usage)
			}
		})
		for _, key := range []string{v.key("summary"), v.key("about")} {
			if !messages.Has(key) {
				t.Errorf("huiyin %s has no message %s", v.name, key)
			}
		}
		for _, lang := range i18n.Languages() {
			got := run(t, in(lang), append(strings.Fields(v.name), "-h")...)
			if want := messages.In(lang).T(v.key("about")); got.code != 0 || !strings.Contains(got.out, want) || got.err != "" {
				t.Errorf("huiyin %s -h with LANG=%s: exit code %d, standard error %q, output %q", v.name, lang, got.code, got.err, got.out)
			}
		}
	}
	if got := run(t, in("en"), "import", "-h"); got.code != 0 || !strings.Contains(got.out, "huiyin import people [FILE]") {
		t.Errorf("huiyin import -h: exit code %d, output %q", got.code, got.out)
	}
}

func TestFlagsMayStandAnywhereUntilTwoDashes(t *testing.T) {
	cases := []struct {
		args     []string
		operands []string
		dry      bool
	}{
		{[]string{"a.csv", "--dry-run"}, []string{"a.csv"}, true},
		{[]string{"--dry-run", "a.csv"}, []string{"a.csv"}, true},
		{[]string{"-dry-run=false", "a.csv"}, []string{"a.csv"}, false},
		{[]string{"--", "--dry-run"}, []string{"--dry-run"}, false},
		{[]string{"a.csv", "--", "--dry-run"}, []string{"a.csv", "--dry-run"}, false},
		{[]string{"-"}, []string{"-"}, false},
		{nil, nil, false},
	}
	for _, c := range cases {
		set := flag.NewFlagSet("test", flag.ContinueOnError)
		dry := set.Bool("dry-run", false, "")
		operands, err := parse(set, c.args)
		if err != nil || *dry != c.dry || !slices.Equal(operands, c.operands) {
			t.Errorf("%q gives operands %q and dry run %v, %v; want %q and %v", c.args, operands, *dry, err, c.operands, c.dry)
		}
	}
}

func TestServeNamesEverySettingThatCannotBeUsed(t *testing.T) {
	env := []string{"HUIYIN_LISTEN", "8080", "HUIYIN_TIMEZONE", "Mars", "HUIYIN_SLACK_BOT_TOKEN", "xoxb-canary-1"}
	for lang, wants := range map[string][]string{
		"en": {"4 settings cannot be used:", "HUIYIN_LISTEN is “8080”", "HUIYIN_SECRET_KEY is not set", "HUIYIN_TIMEZONE is “Mars”", "HUIYIN_SLACK_SIGNING_SECRET is not set"},
		"zh": {"有 4 个设置不能用：", "HUIYIN_LISTEN 是“8080”", "HUIYIN_SECRET_KEY 没有设置", "HUIYIN_TIMEZONE 是“Mars”", "HUIYIN_SLACK_SIGNING_SECRET 没有设置"},
	} {
		got := run(t, in(lang, env...), "serve")
		for _, want := range wants {
			if got.code != 1 || !strings.Contains(got.err, want) {
				t.Errorf("serve with bad settings and LANG=%s: exit code %d, want 1; standard error should contain %q:\n%s", lang, got.code, want, got.err)
			}
		}
		if strings.Contains(got.err, "canary") {
			t.Errorf("serve printed a secret: %s", got.err)
		}
	}
}

// literal finds message keys of ours in the source.
var literal = regexp.MustCompile(`"((?:cli|config|people|feedback|dialog|storage|common)\.[a-z0-9_.]+[a-z0-9])"`)

func TestEveryMessageThatTheProgramNamesExists(t *testing.T) {
	messages := catalog(t)
	var files []string
	for _, dir := range []string{".", "../config"} {
		found, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatalf("list the sources: %v", err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range literal.FindAllStringSubmatch(string(text), -1) {
			if !messages.Has(m[1]) {
				t.Errorf("%s names the message %s, which does not exist", file, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`problem\("([a-z._]+)"`).FindAllStringSubmatch(string(text), -1) {
			if !messages.Has("config.problem." + m[1]) {
				t.Errorf("%s names the problem %s, which has no message", file, m[1])
			}
		}
	}
	for _, s := range config.Settings() {
		if !messages.Has(s.Key) {
			t.Errorf("%s has no message %s", s.Name, s.Key)
		}
	}
	for _, kind := range config.Kinds() {
		if !messages.Has("config.kind." + string(kind)) {
			t.Errorf("the kind of setting %s has no message", kind)
		}
	}
	for _, area := range config.Areas() {
		if !messages.Has("config.area." + string(area)) {
			t.Errorf("the area %s has no message", area)
		}
	}
}

func TestTheDerivedPagesAreUpToDate(t *testing.T) {
	for name, want := range pages(catalog(t)) {
		got, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Errorf("%v; write it with: go run ./cmd/huiyin docs --write", err)
			continue
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is stale, refresh it with: go run ./cmd/huiyin docs --write (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheManifestHasEveryCommandInTheFirmsLanguage(t *testing.T) {
	got := run(t, in("en", "HUIYIN_PUBLIC_URL", "https://huiyin.example.com", "HUIYIN_LANG", "zh-CN"), "manifest", "slack")
	if got.code != 0 {
		t.Fatalf("manifest slack: exit code %d, %s", got.code, got.err)
	}
	for _, want := range []string{"/huiyin", "/praise", "/note", "/ask", "/feedback", "/log", "/settings", "/help", "https://huiyin.example.com/slack/commands", "表扬", "should_escape: true"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("the manifest does not contain %q", want)
		}
	}
	if got := run(t, in("en"), "manifest", "slack", "--socket"); got.code != 0 || strings.Contains(got.out, "/slack/commands") {
		t.Errorf("a manifest for Socket Mode needs no address: exit code %d, %s%s", got.code, got.err, got.out)
	}
}
