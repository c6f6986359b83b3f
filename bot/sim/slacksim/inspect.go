package slacksim

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"huiyin/bot/sim/backstage"
)

// What Slack accepts and a careful bot must not send. The inspector reads everything that people would see.

var (
	broadcastMarkup = regexp.MustCompile(`<!(channel|here|everyone)(\|[^>]*)?>`)
	groupMarkup     = regexp.MustCompile(`<!subteam\^[^>]*>`)
	scriptMarkup    = regexp.MustCompile(`(?i)(<|\]\()\s*(javascript|data|vbscript|file):`)
	scriptAddress   = regexp.MustCompile(`(?i)^\s*(javascript|data|vbscript|file):`)
	userMarkup      = regexp.MustCompile(`<@([UW][A-Z0-9]+)(\|[^>]*)?>`)
)

// inspection is one payload being read.
type inspection struct {
	s     *Server
	about Finding // method and call or delivery
}

func (i inspection) find(severity, rule, at string, n int) {
	f := i.about
	f.Severity, f.Rule, f.Pointer, f.Length = severity, rule, at, n
	i.s.find(f)
}

// inspectRequest reads a call of the bot. s.mu is held.
func (s *Server) inspectRequest(q request) {
	i := inspection{s: s, about: q.args.about}
	if q.body == "json" {
		i.encoding(q.raw)
	}
	i.arguments(q.args)
}

// inspectAnswer reads an answer of the bot to a command or submission. s.mu is held.
func (s *Server) inspectAnswer(a args, r reply) {
	i := inspection{s: s, about: a.about}
	i.encoding(r.body)
	i.arguments(a)
}

// encoding looks for broken UTF-8 and lone surrogate escapes, which decoding would hide.
func (i inspection) encoding(raw []byte) {
	if !utf8.Valid(raw) {
		i.find(Must, "text.invalid_utf8", "", len(raw))
	}
	if backstage.LoneSurrogate(raw) {
		i.find(Must, "text.cut_surrogate", "", len(raw))
	}
}

// arguments reads the parts of a call that carry content.
func (i inspection) arguments(a args) {
	if a.flag("link_names") {
		i.find(Must, "message.link_names", "/link_names", 0)
	}
	if a.str("parse") == "full" {
		i.find(Must, "message.parse_full", "/parse", 0)
	}
	for _, k := range []string{"text", "markdown_text", "initial_comment"} {
		if t := a.str(k); t != "" {
			i.anyString("/"+k, t)
			i.marked("/"+k, t)
			if length(t) > 4000 && k == "text" {
				i.find(Should, "message.text_over_4000", "/"+k, length(t))
			}
		}
	}
	for _, k := range []string{"blocks", "attachments", "view", "metadata", "files"} {
		if t, isString := a.v[k].(string); isString {
			i.encoding([]byte(t))
		}
		if v, err := a.value(k); err == nil {
			i.value("/"+k, v)
		}
	}
}

// value reads one JSON value and everything in it.
func (i inspection) value(at string, v any) {
	switch t := v.(type) {
	case string:
		i.anyString(at, t)
	case []any:
		for n, e := range t {
			i.value(at+"/"+strconv.Itoa(n), e)
		}
	case map[string]any:
		i.object(at, t)
		for _, k := range slices.Sorted(maps.Keys(t)) {
			i.value(at+"/"+k, t[k])
		}
	}
}

func (i inspection) object(at string, o map[string]any) {
	body, hasText := o["text"].(string)
	switch kind, _ := o["type"].(string); kind {
	case "mrkdwn", "markdown":
		i.marked(at+"/text", body)
		i.notBlank(at+"/text", body)
	case "plain_text", "raw_text":
		i.notBlank(at+"/text", body)
	case "broadcast":
		i.find(Must, "text.broadcast", at, 0)
	case "usergroup":
		i.find(Must, "text.user_group", at, 0)
	case "user":
		if id, _ := o["user_id"].(string); i.s.world.people[id] == nil {
			i.find(Should, "text.unknown_user", at, 0)
		}
	case "":
		// an attachment, whose texts are mrkdwn without saying so
		for _, k := range []string{"text", "pretext", "title", "value", "fallback"} {
			if t, isString := o[k].(string); isString && (hasText || k != "value") {
				i.marked(at+"/"+k, t)
			}
		}
	}
	for _, k := range []string{"url", "image_url", "title_link", "thumb_url"} {
		if t, isString := o[k].(string); isString && scriptAddress.MatchString(t) {
			i.find(Must, "link.script", at+"/"+k, length(t))
		}
	}
	if v, isString := o["value"].(string); isString && o["text"] != nil && o["type"] == nil && length(v) > 75 {
		i.find(Should, "option.value_over_75", at+"/value", length(v))
	}
}

func (i inspection) notBlank(at, t string) {
	if t != "" && backstage.Blank(t) {
		i.find(Must, "text.blank", at, length(t))
	}
}

// marked reads text in which Slack finds markup.
func (i inspection) marked(at, t string) {
	if broadcastMarkup.MatchString(t) {
		i.find(Must, "text.broadcast", at, length(t))
	}
	if groupMarkup.MatchString(t) {
		i.find(Must, "text.user_group", at, length(t))
	}
	if scriptMarkup.MatchString(t) {
		i.find(Must, "link.script", at, length(t))
	}
	for _, m := range userMarkup.FindAllStringSubmatch(t, -1) {
		if i.s.world.people[m[1]] == nil {
			i.find(Should, "text.unknown_user", at, length(t))
		}
	}
}

// anyString reads every string, shown or not.
func (i inspection) anyString(at, t string) {
	switch {
	case strings.ContainsRune(t, 0):
		i.find(Must, "text.nul", at, length(t))
	case !utf8.ValidString(t):
		i.find(Must, "text.invalid_utf8", at, length(t))
	case strings.ContainsRune(t, utf8.RuneError):
		i.find(Must, "text.replacement_character", at, length(t))
	}
	if backstage.OpenBidi(t) {
		i.find(Should, "text.open_bidi_control", at, length(t))
	}
}
