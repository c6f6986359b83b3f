package slack

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	slackapi "github.com/slack-go/slack"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

var commands = []ManifestCommand{
	{Name: "praise", Summary: "Thank a colleague: \"quotes\", #tags & more", Usage: "@name text [#value]"},
	{Name: "note", Summary: "给下属的改进建议", Usage: ""},
	{Name: "huiyin", Summary: "", Usage: "help"},
}

func words(t *testing.T, lang string) i18n.Printer {
	t.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return catalog.In(lang)
}

// readYAML reads the YAML that the manifest is written in, as a stranger to its writer would: indentation, maps, lists, JSON scalars.
func readYAML(t *testing.T, src []byte) any {
	t.Helper()
	type line struct {
		indent int
		text   string
	}
	var lines []line
	for _, l := range strings.Split(string(src), "\n") {
		text := strings.TrimLeft(l, " ")
		if !strings.Contains(text, `"`) {
			text, _, _ = strings.Cut(text, "  #")
		}
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		indent := len(l) - len(strings.TrimLeft(l, " "))
		for strings.HasPrefix(text, "- ") { // "- a: 1" is a list item that holds a map
			lines = append(lines, line{indent, "-"})
			indent, text = indent+2, text[2:]
		}
		lines = append(lines, line{indent, text})
	}
	pair := regexp.MustCompile(`^([a-z_]+):(?: (.*))?$`)
	scalar := func(s string) any {
		var v any
		if json.Unmarshal([]byte(s), &v) != nil {
			return s
		}
		return v
	}
	var node func(indent int) any
	node = func(indent int) any {
		if lines[0].text == "-" {
			var list []any
			for len(lines) > 0 && lines[0].indent == indent && lines[0].text == "-" {
				lines = lines[1:]
				list = append(list, node(lines[0].indent))
			}
			return list
		}
		if pair.FindString(lines[0].text) == "" {
			v := scalar(lines[0].text)
			lines = lines[1:]
			return v
		}
		m := map[string]any{}
		for len(lines) > 0 && lines[0].indent == indent && lines[0].text != "-" {
			p := pair.FindStringSubmatch(lines[0].text)
			if p == nil {
				t.Fatalf("no YAML: %q", lines[0].text)
			}
			lines = lines[1:]
			if p[2] != "" {
				m[p[1]] = scalar(p[2])
				continue
			}
			if len(lines) == 0 || lines[0].indent <= indent {
				t.Fatalf("%s has nothing in it", p[1])
			}
			m[p[1]] = node(lines[0].indent)
		}
		return m
	}
	out := node(0)
	if len(lines) > 0 {
		t.Fatalf("%d lines are left over from %q", len(lines), lines[0].text)
	}
	return out
}

func TestTheManifestIsWhatSlacksConsoleTakes(t *testing.T) {
	raw, err := Manifest(words(t, "en"), commands, "https://huiyin.example.com/", false)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(readYAML(t, raw))
	if err != nil {
		t.Fatal(err)
	}
	var m slackapi.Manifest
	dec := json.NewDecoder(strings.NewReader(string(asJSON)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("slack-go cannot read the manifest: %v\n%s", err, raw)
	}
	for i, c := range m.Features.SlashCommands {
		if c.Command != "/"+commands[i].Name || !c.ShouldEscape || c.Url != "https://huiyin.example.com/slack/commands" || c.Description == "" {
			t.Errorf("the command is registered as %+v", c)
		}
	}
	if len(m.Features.SlashCommands) != len(commands) || m.Features.SlashCommands[0].Description != commands[0].Summary {
		t.Errorf("the commands are %+v", m.Features.SlashCommands)
	}
	if !m.Features.AppHome.HomeTabEnabled || !m.Features.AppHome.MessagesTabEnabled || m.Features.AppHome.MessagesTabReadOnlyEnabled || m.Features.BotUser.DisplayName == "" {
		t.Errorf("the features are %+v", m.Features)
	}
	if diff := cmp.Diff(Scopes(), m.OAuthConfig.Scopes.Bot); diff != "" {
		t.Errorf("the scopes are others (-want +got):\n%s", diff)
	}
	for _, want := range []string{"message.im", "app_mention", "app_home_opened", "team_join", "user_change"} {
		if !slices.Contains(m.Settings.EventSubscriptions.BotEvents, want) {
			t.Errorf("the app is not told of %s", want)
		}
	}
	if s := m.Settings; s.EventSubscriptions.RequestUrl != "https://huiyin.example.com/slack/events" || !s.Interactivity.IsEnabled ||
		s.Interactivity.RequestUrl != "https://huiyin.example.com/slack/interactions" || s.Interactivity.MessageMenuOptionsUrl != "https://huiyin.example.com/slack/options" || s.SocketModeEnabled {
		t.Errorf("the settings are %s", asJSON)
	}
	for _, scope := range Scopes() {
		if !regexp.MustCompile(`(?m)^ +- ` + regexp.QuoteMeta(scope) + `  # \S`).Match(raw) {
			t.Errorf("the scope %s does not say why", scope)
		}
	}
}

func TestTheManifestReadsAsRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		lang   string
		socket bool
	}{"webhook.en": {"en", false}, "socket.zh-CN": {"zh-CN", true}} {
		raw, err := Manifest(words(t, c.lang), commands, "https://huiyin.example.com", c.socket)
		if err != nil {
			t.Fatal(err)
		}
		if c.socket && (strings.Contains(string(raw), "request_url") || !strings.Contains(string(raw), "socket_mode_enabled: true")) {
			t.Errorf("with Socket Mode the manifest has addresses:\n%s", raw)
		}
		path := "testdata/manifest." + name + ".yaml"
		if *update {
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(raw)); diff != "" {
			t.Errorf("%s is not what is written now (-file +now); go test ./bot/slack -update:\n%s", path, diff)
		}
	}
}

func TestWhatCannotBeRegisteredIsSaid(t *testing.T) {
	p := words(t, "en")
	_, err := Manifest(p, []ManifestCommand{{Name: "表扬"}, {Name: "Praise"}, {Name: ""}, {Name: "ok"}}, "not an address", false)
	f, ok := fault.Of(err)
	if !ok || len(f.All()) != 4 {
		t.Errorf("refused with %v, want one fault for the address and three for the names", err)
	}
	if _, err := Manifest(p, commands, "", true); err != nil {
		t.Errorf("with Socket Mode no address is needed: %v", err)
	}
}
