package dingtalk

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// scopes are the permissions that the app needs, each with the key of its reason.
// https://open.dingtalk.com/document/orgapp/address-book-permissions
var scopes = [][2]string{
	{"qyapi_robot_sendmsg", "robot"},
	{"Card.Instance.Write", "card"},
	{"Card.Streaming.Write", "card_stream"},
	{"qyapi_get_department_list", "departments"},
	{"qyapi_get_department_member", "members"},
	{"qyapi_get_member", "member"},
	{"fieldEmail", "email"},
	{"fieldMobile", "mobile"},
}

// events are what DingTalk tells the app of.
var events = []string{"user_add_org", "user_modify_org", "user_active_org", "user_leave_org"}

// Scopes are the permissions that the manifest asks for, in its order.
func Scopes() []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = s[0]
	}
	return slices.Clip(out)
}

// Manifest writes, in Markdown and with the words of p, what to click and to paste in DingTalk's developer console, which takes no file:
// the robot, each permission with its reason, events and, unless stream is set, addresses under publicURL. A fault of kind Invalid says
// that publicURL is no address that DingTalk can reach.
// https://open-dev.dingtalk.com
func Manifest(p i18n.Printer, publicURL string, stream bool) ([]byte, error) {
	base := strings.TrimRight(publicURL, "/")
	if u, err := url.Parse(base); !stream && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		return nil, fault.New(fault.Invalid, "dingtalk.config.public_url").In("HUIYIN_PUBLIC_URL")
	}
	w := &page{p: p}
	w.line("# %s", p.T("dingtalk.manifest.title"))
	w.line("")
	w.line("%s", p.T("dingtalk.manifest.head"))
	w.step("dingtalk.manifest.app")
	w.field("dingtalk.manifest.name", p.T("dingtalk.manifest.name.value"))
	w.field("dingtalk.manifest.description", p.T("dingtalk.manifest.description.value"))
	w.step("dingtalk.manifest.credentials")
	w.field("Client ID", "HUIYIN_DINGTALK_CLIENT_ID")
	w.field("Client Secret", "HUIYIN_DINGTALK_CLIENT_SECRET")
	w.step("dingtalk.manifest.robot")
	if stream {
		w.item("dingtalk.manifest.robot.stream")
	} else {
		w.item("dingtalk.manifest.robot.http")
		w.field("dingtalk.manifest.robot.url", base+pathMessages)
		w.item("dingtalk.manifest.weak")
	}
	w.step("dingtalk.manifest.scopes")
	for _, s := range scopes {
		w.line("- `%s` %s", s[0], p.T("dingtalk.manifest.scope."+s[1]))
	}
	w.item("dingtalk.manifest.range")
	w.step("dingtalk.manifest.events")
	if stream {
		w.item("dingtalk.manifest.events.stream")
	} else {
		w.field("dingtalk.manifest.events.url", base+pathEvents)
		w.field("dingtalk.manifest.events.token", "HUIYIN_DINGTALK_EVENT_TOKEN")
		w.field("dingtalk.manifest.events.key", "HUIYIN_DINGTALK_EVENT_AES_KEY")
	}
	for _, e := range events {
		w.line("- `%s` %s", e, p.T("dingtalk.manifest.event."+e))
	}
	w.step("dingtalk.manifest.card")
	w.item("dingtalk.manifest.card.how")
	w.field("dingtalk.manifest.card.id", "HUIYIN_DINGTALK_CARD_TEMPLATE_ID")
	if !stream {
		w.item("dingtalk.manifest.card.http")
	}
	w.step("dingtalk.manifest.publish")
	w.item("dingtalk.manifest.quota")
	return w.out, nil
}

// page writes numbered steps.
type page struct {
	p     i18n.Printer
	out   []byte
	steps int
}

func (w *page) line(format string, args ...any) { w.out = fmt.Appendf(w.out, format+"\n", args...) }

func (w *page) step(key string) {
	w.steps++
	w.line("")
	w.line("## %d. %s", w.steps, w.p.T(key))
	w.line("")
}

func (w *page) item(key string) { w.line("- %s", w.p.T(key)) }

// field is a field of the console and what belongs into it. A name without a dot is the console's own in both languages.
func (w *page) field(name, value string) {
	if strings.HasPrefix(name, "dingtalk.") {
		name = w.p.T(name)
	}
	w.line("- **%s** `%s`", name, value)
}
