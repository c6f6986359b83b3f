package dingtalk

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

func TestTheManifestIsAsRecorded(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lang, url string
		stream    bool
		file      string
	}{{i18n.Chinese, "", true, "manifest.stream.zh-CN.md"}, {i18n.English, "https://bot.example/", false, "manifest.webhook.en.md"}} {
		got, err := Manifest(catalog.In(c.lang), c.url, c.stream)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", c.file)
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v; go test ./bot/dingtalk -update writes it", err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s differs (-file +now); go test ./bot/dingtalk -update writes it:\n%s", path, diff)
		}
		for _, s := range Scopes() {
			if !strings.Contains(string(got), "`"+s+"` ") {
				t.Errorf("%s does not say why it wants %s", c.file, s)
			}
		}
		for _, e := range events {
			if _, known := directoryEvents[e]; !known || !strings.Contains(string(got), e) {
				t.Errorf("%s and the decoder disagree about %s", c.file, e)
			}
		}
	}
	if len(events) != len(directoryEvents) || !slices.Contains(Scopes(), "Card.Instance.Write") {
		t.Errorf("the manifest wants %v and %v", events, Scopes())
	}
	if _, err := Manifest(catalog.In(i18n.English), "nowhere", false); !fault.Is(err, fault.Invalid) {
		t.Errorf("without an address that DingTalk can reach: %v", err)
	}
}
