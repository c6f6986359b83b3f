package slack

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// ManifestCommand is a slash command as Slack's console wants it. Name is without slash.
type ManifestCommand struct {
	Name    string // 1 to 31 of a–z, 0–9, - and _
	Summary string // what it does, in one line
	Usage   string // what may follow the name, such as "@name text"; may be empty
}

// What the manifest may hold. https://docs.slack.dev/reference/app-manifest
const (
	maxCommandSummary = 2_000
	maxCommandUsage   = 1_000
	maxAppName        = 35
	maxAppSummary     = 140
)

// scopes are what the bot token needs, each with the key of its reason.
var scopes = [][2]string{
	{"commands", "commands"},
	{"chat:write", "chat_write"},
	{"im:write", "im_write"},
	{"im:history", "im_history"},
	{"app_mentions:read", "app_mentions_read"},
	{"users:read", "users_read"},
	{"users:read.email", "users_read_email"},
	{"channels:history", "channels_history"},
}

// events are what Slack tells the bot of; the key of the reason is the name.
var events = []string{"message.im", "app_mention", "app_home_opened", "team_join", "user_change", "app_uninstalled", "tokens_revoked"}

// botName is the bot's handle, for which Slack takes a–z, 0–9, -, _ and . alone.
const botName = "huiyin"

var commandName = regexp.MustCompile(`^[a-z0-9_-]{1,31}$`)

// Manifest writes the app manifest for Slack's console, in YAML so that each scope can say why it is wanted, with the words of p.
// publicURL is where Slack reaches us and is not needed with Socket Mode. Faults of kind Invalid say what cannot be registered.
// https://docs.slack.dev/reference/app-manifest
func Manifest(p i18n.Printer, commands []ManifestCommand, publicURL string, socket bool) ([]byte, error) {
	base := strings.TrimRight(publicURL, "/")
	var problems []*fault.Fault
	if u, err := url.Parse(base); !socket && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		problems = append(problems, fault.New(fault.Invalid, "slack.config.public_url").In("HUIYIN_PUBLIC_URL"))
	}
	for _, c := range commands {
		if !commandName.MatchString(c.Name) {
			problems = append(problems, fault.New(fault.Invalid, "slack.config.commands", "Name", c.Name).In(c.Name))
		}
	}
	if err := fault.Join(problems...); err != nil {
		return nil, err
	}
	w := &yaml{}
	w.remark(0, p.T("slack.manifest.head"))
	if socket {
		w.remark(0, p.T("slack.manifest.socket"))
	} else {
		w.remark(0, p.T("slack.manifest.urls"))
	}
	address := func(path string) string {
		if socket {
			return ""
		}
		return base + path
	}
	w.key(0, "_metadata")
	w.value(1, "major_version", 1)
	w.value(1, "minor_version", 1)
	w.key(0, "display_information")
	w.text(1, "name", p.T("slack.manifest.name"), maxAppName)
	w.text(1, "description", p.T("slack.manifest.description"), maxAppSummary)
	w.key(0, "features")
	w.remark(1, p.T("slack.manifest.home"))
	w.key(1, "app_home")
	w.value(2, "home_tab_enabled", true)
	w.value(2, "messages_tab_enabled", true)
	w.value(2, "messages_tab_read_only_enabled", false)
	w.key(1, "bot_user")
	w.text(2, "display_name", botName, maxAppName)
	w.value(2, "always_online", true)
	if len(commands) > 0 {
		w.remark(1, p.T("slack.manifest.escape"))
		w.key(1, "slash_commands")
	}
	for _, c := range commands {
		w.first(2, "command", "/"+c.Name)
		w.text(3, "url", address("/slack/commands"), maxURL)
		w.text(3, "description", orElse(c.Summary, c.Name), maxCommandSummary)
		w.text(3, "usage_hint", c.Usage, maxCommandUsage)
		w.value(3, "should_escape", true)
	}
	w.key(0, "oauth_config")
	w.key(1, "scopes")
	w.remark(2, p.T("slack.manifest.scopes"))
	w.key(2, "bot")
	for _, s := range scopes {
		w.item(3, s[0], p.T("slack.manifest.scope."+s[1]))
	}
	w.remark(3, "- groups:history  # "+p.T("slack.manifest.scope.groups_history"))
	w.key(0, "settings")
	w.remark(1, p.T("slack.manifest.events"))
	w.key(1, "event_subscriptions")
	w.text(2, "request_url", address("/slack/events"), maxURL)
	w.key(2, "bot_events")
	for _, e := range events {
		w.item(3, e, p.T("slack.manifest.event."+e))
	}
	w.key(1, "interactivity")
	w.value(2, "is_enabled", true)
	w.text(2, "request_url", address("/slack/interactions"), maxURL)
	w.text(2, "message_menu_options_url", address("/slack/options"), maxURL)
	w.value(1, "org_deploy_enabled", false)
	w.value(1, "socket_mode_enabled", socket)
	w.value(1, "token_rotation_enabled", false)
	return w.out, nil
}

// Scopes are the scopes of the bot token that the manifest asks for, in its order.
func Scopes() []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = s[0]
	}
	return slices.Clip(out)
}

// yaml writes the little YAML that a manifest needs: two spaces a level, and every text in double quotes as in JSON, which YAML reads.
type yaml struct{ out []byte }

func (w *yaml) line(level int, format string, args ...any) {
	w.out = fmt.Appendf(w.out, strings.Repeat("  ", level)+format+"\n", args...)
}

func (w *yaml) key(level int, name string) { w.line(level, "%s:", name) }

func (w *yaml) value(level int, name string, v any) { w.line(level, "%s: %v", name, v) }

func (w *yaml) remark(level int, text string) { w.line(level, "# %s", oneLine(text)) }

func (w *yaml) first(level int, name, text string) { w.line(level, "- %s: %s", name, quoted(text)) }

func (w *yaml) item(level int, name, why string) { w.line(level, "- %s  # %s", name, oneLine(why)) }

// text writes a text, or nothing when there is none.
func (w *yaml) text(level int, name, text string, limit int) {
	if text = oneLine(text); text != "" {
		w.line(level, "%s: %s", name, quoted(cut(text, limit)))
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }

func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
