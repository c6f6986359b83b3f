package feishu

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

func catalog(t *testing.T) *i18n.Catalog {
	t.Helper()
	c, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheManifestIsWrittenAsRecorded(t *testing.T) {
	for name, stream := range map[string]bool{"testdata/manifest.webhook.en.txt": false, "testdata/manifest.stream.zh-CN.txt": true} {
		lang := i18n.English
		if strings.Contains(name, i18n.Chinese) {
			lang = i18n.Chinese
		}
		got, err := Manifest(catalog(t).In(lang), []ManifestCommand{
			{Name: "huiyin", Summary: "All of it", Usage: "command"}, {Name: "praise", Summary: "Praise a colleague", Usage: "@name text", Menu: true}, {Name: "help", Summary: "Help\nyourself", Menu: true},
		}, "https://huiyin.example/", stream)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("%v; go test ./bot/feishu -update writes it", err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not what is written now (-file +now):\n%s", name, diff)
		}
		from, to := bytes.IndexByte(got, '{'), bytes.LastIndexByte(got, '}')
		var pasted struct{ Scopes struct{ Tenant []string } }
		if err := json.Unmarshal(got[from:to+1], &pasted); err != nil || len(pasted.Scopes.Tenant) != len(Scopes()) {
			t.Errorf("what is to be pasted is %v, %v", pasted, err)
		}
	}
}

func TestTheManifestSaysWhatCannotBe(t *testing.T) {
	p := catalog(t).In(i18n.English)
	many := make([]ManifestCommand, maxCommands+1)
	for i := range many {
		many[i].Name = "x"
	}
	for what, c := range map[string]struct {
		commands []ManifestCommand
		url      string
		stream   bool
	}{
		"no address":             {nil, "", false},
		"an address of no web":   {nil, "ftp://x", false},
		"a name in Chinese":      {[]ManifestCommand{{Name: "表扬"}}, "", true},
		"a name of 31 letters":   {[]ManifestCommand{{Name: strings.Repeat("x", 31)}}, "", true},
		"more than Feishu takes": {many, "", true},
	} {
		if _, err := Manifest(p, c.commands, c.url, c.stream); !fault.Is(err, fault.Invalid) {
			t.Errorf("with %s it ended with %v", what, err)
		}
	}
}

func TestSettingsAreCheckedAllAtOnce(t *testing.T) {
	good := Config{AppID: "cli_1", AppSecret: "s", EncryptKey: "k", VerificationToken: "v", Now: time.Now, Log: slog.New(slog.DiscardHandler), Catalog: catalog(t)} //nolint:forbidigo // never asked
	for what, c := range map[string]struct {
		change func(*Config)
		want   []string
	}{
		"all there":           {func(*Config) {}, nil},
		"webhook":             {func(c *Config) { c.Mode = ModeWebhook }, nil},
		"Lark":                {func(c *Config) { c.BaseURL = LarkURL + "/" }, nil},
		"a stream needs less": {func(c *Config) { c.EncryptKey, c.VerificationToken = "", "" }, nil},
		"nothing":             {func(c *Config) { c.AppID, c.AppSecret, c.Mode, c.BaseURL = " ", "", "carrier pigeon", "ftp://x" }, []string{"HUIYIN_FEISHU_APP_ID", "HUIYIN_FEISHU_APP_SECRET", "HUIYIN_FEISHU_MODE", "HUIYIN_FEISHU_BASE_URL"}},
		"webhook without key": {func(c *Config) { c.Mode, c.EncryptKey, c.VerificationToken = ModeWebhook, "", "" }, []string{"HUIYIN_FEISHU_ENCRYPT_KEY"}},
		"an address with key": {func(c *Config) { c.BaseURL = "https://u:p@x" }, []string{"HUIYIN_FEISHU_BASE_URL"}},
	} {
		cfg := good
		c.change(&cfg)
		f, err := New(cfg)
		var got []string
		if fl, ok := fault.Of(err); ok {
			for _, one := range fl.All() {
				got = append(got, one.Field)
				if one.Kind != fault.Invalid || !cfg.Catalog.Has(one.Key) {
					t.Errorf("%s: %v", what, one)
				}
			}
		} else if err != nil || f.Name() != Name {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	if _, err := New(Config{AppID: "cli_1", AppSecret: "s"}); err == nil {
		t.Error("an adapter was made without clock, log and words")
	}
}

// Every key that a fault of ours may carry has words in both languages.
func TestEveryFaultHasWords(t *testing.T) {
	c := catalog(t)
	keys := []string{"feishu.private", "feishu.recipient", "feishu.away", "feishu.busy", "feishu.done", "feishu.wrong", "feishu.foreign", "feishu.unavailable", "feishu.failed", "feishu.late"}
	for _, code := range errorCodes {
		keys = append(keys, code.key)
	}
	for _, key := range keys {
		if !c.Has(key) {
			t.Errorf("there are no words for %s", key)
		}
	}
	if a := (&Feishu{}).Abilities(); a.Home || a.Slash || a.Ephemeral || !a.Forms || !a.Idempotent || !a.Update || !a.Channels || a.Paces.Place == (bot.Rate{}) {
		t.Errorf("the abilities are %+v", a)
	}
}
