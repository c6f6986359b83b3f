package feishu

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// ManifestCommand is a command as Feishu's console wants it. Name is without slash.
type ManifestCommand struct {
	Name    string            // 1 to 30 of A–Z, a–z, 0–9, - and _
	Summary string            // what it does, in one line
	In      map[string]string // the summary by language of package i18n; may be empty
	Usage   string            // what may follow the name, such as "@name text"; may be empty
	Menu    bool              // also an entry of the bot's menu, where it opens without arguments
}

// scopes are what the app needs; the key of the reason is the name.
var scopes = []string{
	"im:message:send_as_bot", "im:message:update", "im:message.p2p_msg:readonly", "im:message.group_at_msg:readonly",
	"contact:contact.base:readonly", "contact:department.base:readonly", "contact:user.base:readonly", "contact:user.department:readonly",
	"contact:user.employee:readonly", "contact:user.email:readonly", "contact:user.phone:readonly", "tenant:tenant:readonly",
	"application:app_slash_command:read", "application:app_slash_command:write",
}

// events are what Feishu tells the bot of, and callbacks what it asks; the key of the reason is the name.
var (
	events = []string{
		"im.message.receive_v1", "application.bot.menu_v6", "contact.user.created_v3", "contact.user.updated_v3", "contact.user.deleted_v3",
	}
	callbacks = []string{"card.action.trigger"}
)

var commandName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,30}$`)

// maxMenu is how many entries the bot's menu holds at its first level.
const maxMenu = 3

// Manifest writes what to do in Feishu's console, step by step and with what is to be pasted there, with the words of p: Feishu takes
// no description of an app as a whole. publicURL is where Feishu reaches us and is not needed with a long connection. Faults of kind
// Invalid say what cannot be registered.
func Manifest(p i18n.Printer, commands []ManifestCommand, publicURL string, stream bool) ([]byte, error) {
	base := strings.TrimRight(publicURL, "/")
	var problems []*fault.Fault
	if u, err := url.Parse(base); !stream && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		problems = append(problems, fault.New(fault.Invalid, "feishu.config.public_url").In("HUIYIN_PUBLIC_URL"))
	}
	if err := fault.Join(append(problems, unfit(commands)...)...); err != nil {
		return nil, err
	}
	w := &steps{}
	w.remark(p.T("feishu.manifest.head"))
	w.step(p.T("feishu.manifest.basics"))
	w.item(p.T("feishu.manifest.name"), "")
	w.item(p.T("feishu.manifest.description"), "")
	w.step(p.T("feishu.manifest.bot"))
	w.step(p.T("feishu.manifest.scopes"))
	pasted, err := json.MarshalIndent(map[string]any{"scopes": map[string][]string{"tenant": scopes, "user": {}}}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the scopes: %w", err)
	}
	w.out = append(append(w.out, pasted...), '\n')
	w.remark(p.T("feishu.manifest.reasons"))
	for _, s := range scopes {
		w.item(s, p.T("feishu.manifest.scope."+s))
	}
	w.step(p.T("feishu.manifest.data"))
	if stream {
		w.step(p.T("feishu.manifest.stream"))
	} else {
		w.step(p.T("feishu.manifest.urls"))
		w.item(base+"/feishu/events", "")
		w.item(base+"/feishu/cards", "")
		w.remark(p.T("feishu.manifest.encryption"))
	}
	w.remark(p.T("feishu.manifest.events"))
	for _, e := range events {
		w.item(e, p.T("feishu.manifest.event."+e))
	}
	w.remark(p.T("feishu.manifest.callbacks"))
	for _, e := range callbacks {
		w.item(e, p.T("feishu.manifest.event."+e))
	}
	w.step(p.T("feishu.manifest.menu"))
	for _, c := range menu(commands) {
		w.item(c.Name, c.Summary)
	}
	w.step(p.T("feishu.manifest.commands"))
	for _, c := range commands {
		w.item(strings.TrimSpace("/"+c.Name+" "+c.Usage), c.Summary)
	}
	w.step(p.T("feishu.manifest.publish"))
	return w.out, nil
}

// unfit says which commands cannot be registered.
func unfit(commands []ManifestCommand) []*fault.Fault {
	var out []*fault.Fault
	for _, c := range commands {
		if !commandName.MatchString(c.Name) {
			out = append(out, fault.New(fault.Invalid, "feishu.config.commands", "Name", c.Name).In(c.Name))
		}
	}
	if len(commands) > maxCommands {
		out = append(out, fault.New(fault.Invalid, "feishu.config.too_many", "Most", maxCommands))
	}
	return out
}

// menu is what the bot's menu offers: the commands that say so, or else the first ones.
func menu(commands []ManifestCommand) []ManifestCommand {
	var out []ManifestCommand
	for _, c := range commands {
		if c.Menu {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		out = commands
	}
	return out[:min(len(out), maxMenu)]
}

// Scopes are the scopes that the manifest asks for, in its order.
func Scopes() []string { return append([]string(nil), scopes...) }

// steps writes numbered steps with remarks and items.
type steps struct {
	out []byte
	n   int
}

func (w *steps) remark(text string) { w.out = fmt.Appendf(w.out, "# %s\n", oneLine(text)) }

func (w *steps) step(text string) {
	w.n++
	w.out = fmt.Appendf(w.out, "\n# %d. %s\n", w.n, oneLine(text))
}

func (w *steps) item(text, why string) {
	if why = oneLine(why); why != "" {
		why = "  # " + why
	}
	w.out = fmt.Appendf(w.out, "%s%s\n", oneLine(text), why)
}
