package config

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func env(pairs ...string) func(string) string {
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return values[name] }
}

// keys are the problems of an error as "setting key".
func keys(err error) []string {
	var problems Problems
	if err == nil || !errors.As(err, &problems) {
		return nil
	}
	var out []string
	for _, p := range problems {
		out = append(out, p.Setting+" "+strings.TrimPrefix(p.Key, "config.problem."))
	}
	return out
}

func TestNothingSetMeansTheDocumentedDefaults(t *testing.T) {
	c, err := Load(env())
	if err != nil {
		t.Fatalf("an empty environment has problems: %v", err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the working folder: %v", err)
	}
	got := []string{c.Listen, c.PublicURL, c.DataDir, c.TimeZone, c.Lang, c.LogLevel.String(), c.LogFormat, c.MetricsListen, c.Slack.APIURL, c.Feishu.Mode, c.DingTalk.Mode}
	want := []string{"127.0.0.1:8080", "http://127.0.0.1:8080", filepath.Join(wd, ".huiyin"), "Asia/Shanghai", "zh-CN", "INFO", "", "", "https://slack.com/api/", "stream", "stream"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the defaults are not those of the contract (-want +got):\n%s", diff)
	}
	if c.DatabaseURL.Set() || c.RedisURL.Set() || c.SecretKey.Set() || c.Slack.On() || !c.Migrate {
		t.Errorf("something is on that nobody asked for, or migrations are off: database %v redis %v key %v slack %v migrate %v",
			c.DatabaseURL.Set(), c.RedisURL.Set(), c.SecretKey.Set(), c.Slack.On(), c.Migrate)
	}
}

func TestTheCallsOfAMonthAreANumber(t *testing.T) {
	c, err := Load(env("HUIYIN_FEISHU_MONTHLY_CALLS", "10000", "HUIYIN_DINGTALK_MONTHLY_CALLS", "0"))
	if err != nil || c.Feishu.MonthlyCalls != 10000 || c.DingTalk.MonthlyCalls != 0 {
		t.Errorf("10000 and 0 are read as %d and %d (%v)", c.Feishu.MonthlyCalls, c.DingTalk.MonthlyCalls, err)
	}
	if c, err := Load(env()); err != nil || c.Feishu.MonthlyCalls != 0 || c.DingTalk.MonthlyCalls != 10000 {
		t.Errorf("the defaults are %d and %d (%v), want 0 and 10000", c.Feishu.MonthlyCalls, c.DingTalk.MonthlyCalls, err)
	}
	for _, bad := range []string{"-1", "1.5", "10,000", "many", "99999999999999999999"} {
		_, err := Load(env("HUIYIN_DINGTALK_MONTHLY_CALLS", bad))
		if diff := cmp.Diff([]string{"HUIYIN_DINGTALK_MONTHLY_CALLS number"}, keys(err)); diff != "" {
			t.Errorf("%q as a number of calls:\n%s", bad, diff)
		}
	}
}

func TestAllProblemsAreReportedAtOnceInTheOrderOfTheTable(t *testing.T) {
	_, err := Load(env(
		"HUIYIN_LISTEN", "8080",
		"HUIYIN_PUBLIC_URL", "huiyin.example.com",
		"HUIYIN_METRICS_LISTEN", "localhost:99999",
		"HUIYIN_LOG_LEVEL", "loud",
		"HUIYIN_DATABASE_URL", "mysql://root:s3cret@db/huiyin",
		"HUIYIN_REDIS_URL", "http://cache",
		"HUIYIN_MIGRATE", "maybe",
		"HUIYIN_TIMEZONE", "Peking/Standard",
		"HUIYIN_LANG", "fr",
		"HUIYIN_SLACK_BOT_TOKEN", "xoxb-1\nxoxb-2",
		"HUIYIN_FEISHU_MODE", "pigeon",
		"HUIYIN_DINGTALK_CLIENT_ID", "ding1",
	), SecretKey)
	want := []string{
		"HUIYIN_LISTEN address", "HUIYIN_PUBLIC_URL web", "HUIYIN_METRICS_LISTEN address", "HUIYIN_LOG_LEVEL choice", "HUIYIN_SECRET_KEY required",
		"HUIYIN_DATABASE_URL server", "HUIYIN_MIGRATE choice", "HUIYIN_REDIS_URL server", "HUIYIN_TIMEZONE zone", "HUIYIN_LANG choice",
		"HUIYIN_SLACK_SIGNING_SECRET slack.signing", "HUIYIN_SLACK_BOT_TOKEN space", "HUIYIN_FEISHU_MODE choice", "HUIYIN_DINGTALK_CLIENT_SECRET missing",
	}
	if diff := cmp.Diff(want, keys(err)); diff != "" {
		t.Errorf("twelve bad settings were not all named (-want +got):\n%s", diff)
	}
	if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "xoxb") {
		t.Errorf("the error repeats a secret: %v", err)
	}
}

func TestSettingsThatOnlyMakeSenseTogetherAreCheckedTogether(t *testing.T) {
	dir := t.TempDir()
	cases := map[string]struct {
		set  []string
		want []string
	}{
		"a bot token and no way to be reached": {[]string{"HUIYIN_SLACK_BOT_TOKEN", "xoxb-1"}, []string{"HUIYIN_SLACK_SIGNING_SECRET slack.signing"}},
		"a signing secret and no bot token":    {[]string{"HUIYIN_SLACK_SIGNING_SECRET", "abc"}, []string{"HUIYIN_SLACK_BOT_TOKEN slack.token"}},
		"webhooks":                             {[]string{"HUIYIN_SLACK_BOT_TOKEN", "xoxb-1", "HUIYIN_SLACK_SIGNING_SECRET", "abc"}, nil},
		"Socket Mode":                          {[]string{"HUIYIN_SLACK_BOT_TOKEN", "xoxb-1", "HUIYIN_SLACK_APP_TOKEN", "xapp-1"}, nil},
		"Feishu webhooks that nobody signs": {
			[]string{"HUIYIN_FEISHU_APP_ID", "cli_1", "HUIYIN_FEISHU_APP_SECRET", "s", "HUIYIN_FEISHU_MODE", "webhook"},
			[]string{"HUIYIN_FEISHU_ENCRYPT_KEY feishu.encrypt"},
		},
		"half of Feishu":                   {[]string{"HUIYIN_FEISHU_APP_SECRET", "s"}, []string{"HUIYIN_FEISHU_APP_ID missing"}},
		"survey keys inside the database":  {[]string{"HUIYIN_DATA_DIR", dir, "HUIYIN_KEYSTORE_DIR", filepath.Join(dir, "postgres", "keys")}, []string{"HUIYIN_KEYSTORE_DIR keystore"}},
		"survey keys beside the database":  {[]string{"HUIYIN_DATA_DIR", dir, "HUIYIN_KEYSTORE_DIR", filepath.Join(dir, "keys")}, nil},
		"a value and a file for the value": {[]string{"HUIYIN_LANG", "en", "HUIYIN_LANG_FILE", "/etc/lang"}, []string{"HUIYIN_LANG both"}},
	}
	for name, c := range cases {
		_, err := Load(env(c.set...))
		if diff := cmp.Diff(c.want, keys(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestASettingComesFromTheFileThatIsNamed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("write %s: %v", name, err)
		}
		return file
	}
	raw := strings.Repeat("k", 31) + "\xff"
	key := write("key", base64.StdEncoding.EncodeToString([]byte(raw))+"\n")
	c, err := Load(env("HUIYIN_SECRET_KEY_FILE", key), SecretKey)
	if err != nil {
		t.Fatalf("a key with a line end after it is refused: %v", err)
	}
	if c.SecretKey.Reveal() != raw {
		t.Errorf("the key is not the 32 bytes that the file encodes: %d bytes", len(c.SecretKey.Reveal()))
	}

	missing, empty, long := filepath.Join(dir, "missing"), write("empty", " \n"), write("long", strings.Repeat("x", maxFile+1))
	_, err = Load(env("HUIYIN_API_TOKEN_FILE", missing, "HUIYIN_LISTEN_FILE", empty, "HUIYIN_SLACK_PRAISE_CHANNEL_FILE", long))
	want := []string{"HUIYIN_LISTEN file.empty", "HUIYIN_API_TOKEN file", "HUIYIN_SLACK_BOT_TOKEN slack.token", "HUIYIN_SLACK_PRAISE_CHANNEL file"}
	if diff := cmp.Diff(want, keys(err)); diff != "" {
		t.Errorf("files that cannot be used (-want +got):\n%s", diff)
	}
}

func TestAKeyIsThirtyTwoBytesInAnyBase64(t *testing.T) {
	raw := []byte("\xfb\xff" + strings.Repeat("k", 30))
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		c, err := Load(env(SecretKey, enc.EncodeToString(raw)))
		if err != nil || c.SecretKey.Reveal() != string(raw) {
			t.Errorf("a key written as %s was not read: %v", enc.EncodeToString(raw), err)
		}
	}
	for _, bad := range []string{"secret", base64.StdEncoding.EncodeToString(raw[:31]), base64.StdEncoding.EncodeToString(append(raw, 1)), strings.Repeat("!", 44)} {
		if _, err := Load(env(SecretKey, bad)); len(keys(err)) != 1 {
			t.Errorf("%q passed for a key of 32 bytes", bad)
		}
	}
}

func TestAddressesEndAsTheirReadersExpect(t *testing.T) {
	c, err := Load(env("HUIYIN_PUBLIC_URL", "https://huiyin.example.com/bot/", "HUIYIN_SLACK_API_URL", "http://127.0.0.1:9000/api", "HUIYIN_LISTEN", ":0"))
	if err != nil {
		t.Fatalf("good addresses are refused: %v", err)
	}
	if c.PublicURL != "https://huiyin.example.com/bot" || c.Slack.APIURL != "http://127.0.0.1:9000/api/" {
		t.Errorf("public URL %q and API URL %q: want the first without a slash and the second with one", c.PublicURL, c.Slack.APIURL)
	}
	for _, bad := range []string{"ftp://x", "https://", "https://user:pw@host", "https://host/?a=b", "https://host/#x", "host:8080"} {
		if _, err := Load(env("HUIYIN_PUBLIC_URL", bad)); err == nil {
			t.Errorf("%q passed for the address of a site", bad)
		}
	}
}

func TestEveryRowOfTheTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Settings() {
		if seen[s.Name] || !strings.HasPrefix(s.Name, "HUIYIN_") || s.Key == "" || s.Area == "" || s.Kind == "" || s.put == nil {
			t.Errorf("%s stands twice, or lacks something: %+v", s.Name, s)
		}
		seen[s.Name] = true
		if s.Secret && s.Default != "" {
			t.Errorf("%s is a secret with a default that everybody knows", s.Name)
		}
		if s.Kind == Choice != (len(s.Choices) > 0) {
			t.Errorf("%s has kind %s and choices %v", s.Name, s.Kind, s.Choices)
		}
		if s.Default == "" {
			continue
		}
		if _, err := Load(env(s.Name, s.Default)); err != nil {
			t.Errorf("the default of %s is refused by its own check: %v", s.Name, err)
		}
	}
}
