// Package config is what an operator decides: one table of settings, read from the environment or from files that it names, checked
// all at once. It does not know what any setting is used for, nor any language: problems are message keys.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Config is every setting as the program uses it. Its zero value is not usable; Load makes one.
type Config struct {
	Listen        string // host:port
	PublicURL     string // without a slash at its end
	MetricsListen string // host:port; empty: /metrics on the main address, for loopback only
	DatabaseURL   Secret // not set: embedded
	RedisURL      Secret // not set: embedded
	Migrate       bool   // serve applies migrations before it starts
	DataDir       string // absolute
	SecretKey     Secret // 32 bytes once revealed; not set only where it is not required
	KeystoreDir   string // absolute; empty: none
	TimeZone      string // IANA name
	Lang          string // en or zh-CN
	LogLevel      slog.Level
	LogFormat     string // text or json; empty: text on a terminal, else json
	APIToken      Secret

	Slack    Slack
	Feishu   Feishu
	DingTalk DingTalk
}

// Slack is on when it has a bot token and one way to be reached: a signing secret for webhooks, or an app token for Socket Mode.
type Slack struct {
	SigningSecret, BotToken, AppToken Secret
	APIURL                            string // ends in a slash
	PraiseChannel                     string // channel id; empty: none
}

// On reports whether the credentials are set.
func (s Slack) On() bool { return s.BotToken.Set() }

// Feishu is on when it has an app id and its secret.
type Feishu struct {
	AppID, BaseURL, Mode                     string
	AppSecret, EncryptKey, VerificationToken Secret
	PraiseChannel                            string // chat_id; empty: none
	MonthlyCalls                             int64  // of its API that the firm may make a month; 0: as many as it likes
}

// On reports whether the credentials are set.
func (f Feishu) On() bool { return f.AppID != "" }

// DingTalk is on when it has a client id and its secret. The event token and key are those of an HTTP event subscription, for webhook mode.
type DingTalk struct {
	ClientID, RobotCode, CardTemplateID, APIURL, OAPIURL, Mode string
	ClientSecret, EventToken, EventAESKey                      Secret
	PraiseChannel                                              string // openConversationId; empty: none
	MonthlyCalls                                               int64  // of its API that the firm may make a month; 0: as many as it likes
}

// On reports whether the credentials are set.
func (d DingTalk) On() bool { return d.ClientID != "" }

// Load reads every setting of the table: from HUIYIN_X, else from the file named by HUIYIN_X_FILE, else its default. required are names of
// settings that this verb cannot do without. The error is Problems, all of them at once; the Config is then partly filled and still
// serves to say more (the language, for one).
func Load(getenv func(string) string, required ...string) (Config, error) {
	var c Config
	found := map[string]*Problem{}
	given := map[string]bool{}
	for _, s := range Settings() {
		value, set, p := read(getenv, s.Name)
		given[s.Name] = set
		if !set {
			value = s.Default
		}
		if p == nil && value != "" {
			p = s.put(s, &c, value)
		}
		if p == nil && value == "" && slices.Contains(required, s.Name) {
			p = problem("required")
		}
		if p != nil {
			found[s.Name] = p
		}
	}
	for name, p := range together(c, given) {
		if found[name] == nil {
			found[name] = p
		}
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://" + c.Listen
	}
	var problems Problems
	for _, s := range Settings() {
		if p := found[s.Name]; p != nil {
			p.Setting = s.Name
			problems = append(problems, *p)
		}
	}
	if len(problems) > 0 {
		return c, problems
	}
	return c, nil
}

// maxFile bounds what is read from a HUIYIN_X_FILE: it is one value.
const maxFile = 64 << 10

// read finds a setting in the environment or in the file that the environment names.
func read(getenv func(string) string, name string) (value string, set bool, p *Problem) {
	value, file := strings.TrimSpace(getenv(name)), getenv(name+"_FILE")
	switch {
	case file == "":
		return value, value != "", nil
	case value != "":
		return "", true, problem("both", "Other", name+"_FILE")
	}
	text, err := readFile(file)
	if err != nil {
		return "", true, problem("file", "File", file, "Why", err.Error())
	}
	value = strings.TrimSpace(text)
	if value == "" {
		return "", true, problem("file.empty", "File", file)
	}
	return value, true, nil
}

func readFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("opening a settings file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("reading a settings file: %w", err)
	}
	if len(text) > maxFile {
		return "", fmt.Errorf("reading a settings file: longer than %d bytes", maxFile)
	}
	return string(text), nil
}

// together finds what is wrong with settings only in combination. given says which were set by the operator.
func together(c Config, given map[string]bool) map[string]*Problem {
	found := map[string]*Problem{}
	slack := []string{slackSigningSecret, slackAppToken, slackPraiseChannel}
	switch {
	case !given[slackBotToken] && slices.ContainsFunc(slack, func(n string) bool { return given[n] }):
		found[slackBotToken] = problem("slack.token")
	case given[slackBotToken] && !given[slackSigningSecret] && !given[slackAppToken]:
		found[slackSigningSecret] = problem("slack.signing")
	}
	maps.Copy(found, pair(given, feishuAppID, feishuAppSecret))
	if c.Feishu.Mode == modeWebhook && given[feishuAppID] && !given[feishuEncryptKey] {
		found[feishuEncryptKey] = problem("feishu.encrypt") // without it nothing proves who sent an event
	}
	maps.Copy(found, pair(given, dingtalkClientID, dingtalkClientSecret))
	maps.Copy(found, pair(given, dingtalkEventToken, dingtalkEventKey))
	if given[keystoreDir] && within(c.KeystoreDir, filepath.Join(c.DataDir, DatabaseFolder)) {
		found[keystoreDir] = problem("keystore", "Dir", filepath.Join(c.DataDir, DatabaseFolder))
	}
	return found
}

// DatabaseFolder is where below DataDir an embedded Postgres keeps its cluster.
const DatabaseFolder = "postgres"

// pair wants both settings or neither.
func pair(given map[string]bool, a, b string) map[string]*Problem {
	switch {
	case given[a] && !given[b]:
		return map[string]*Problem{b: problem("missing", "Other", a)}
	case given[b] && !given[a]:
		return map[string]*Problem{a: problem("missing", "Other", b)}
	}
	return nil
}

func within(dir, parent string) bool {
	rel, err := filepath.Rel(parent, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// Secrets are the values of all secrets that are set, and the passwords within them, for whoever must keep them out of what is written.
func (c Config) Secrets() []string {
	var out []string
	for _, s := range []Secret{
		c.DatabaseURL, c.RedisURL, c.SecretKey, c.APIToken, c.Slack.SigningSecret, c.Slack.BotToken, c.Slack.AppToken,
		c.Feishu.AppSecret, c.Feishu.EncryptKey, c.Feishu.VerificationToken,
		c.DingTalk.ClientSecret, c.DingTalk.EventToken, c.DingTalk.EventAESKey,
	} {
		if !s.Set() {
			continue
		}
		out = append(out, s.Reveal())
		if u, err := url.Parse(s.Reveal()); err == nil {
			if password, ok := u.User.Password(); ok {
				out = append(out, password)
			}
		}
	}
	return out
}
