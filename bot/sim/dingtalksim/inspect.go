package dingtalksim

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"huiyin/bot/sim/backstage"
)

// What DingTalk accepts and a careful bot must not send. The inspector reads everything that people would see. DingTalk
// documents no way to escape its markdown, so a backslash saves nothing here.

var (
	imageMarkdown  = regexp.MustCompile(`!\[[^\]]*\]\(\s*([^)\s]*)[^)]*\)`)
	linkMarkdown   = regexp.MustCompile(`\]\(\s*([^)\s]*)`)
	imageTag       = regexp.MustCompile(`(?i)<img\b[^>]*\bsrc\s*=\s*["']?([^"'>\s]*)`)
	anchorTag      = regexp.MustCompile(`(?i)<a\b[^>]*\b(?:href)\s*=\s*["']?([^"'>\s]*)`)
	atTag          = regexp.MustCompile(`(?i)<a\b[^>]*\batid\s*=\s*["']?([^"'>\s]*)`)
	typedAddress   = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s()<>"'\]]+`)
	scriptSchemes  = []string{"javascript", "data", "vbscript", "file"}
	everyoneInCard = []string{"all", "@all"}
)

// inspection is one content being read.
type inspection struct {
	s     *Server
	about Finding // method and call or delivery
	group bool    // a group would read it
}

func (i inspection) find(severity, rule, at string, n int) {
	f := i.about
	f.Severity, f.Rule, f.Pointer, f.Length = severity, rule, at, n
	i.s.find(f)
}

// encoding looks for broken UTF-8 and lone surrogate escapes, which decoding would hide.
func (i inspection) encoding(raw []byte) {
	if backstage.LoneSurrogate(raw) {
		i.find(Must, "text.cut_surrogate", "", len(raw))
	}
}

// plain reads text in which nothing works but what the eye makes of it.
func (i inspection) plain(at, t string) {
	if severity, rule := backstage.Complaint(t); rule != "" {
		i.find(severity, rule, at, backstage.Length(t))
	}
	if t != "" && backstage.Blank(t) {
		i.find(Must, "text.blank", at, backstage.Length(t))
	}
	for _, secret := range i.s.world.secrets {
		if i.group && secret != "" && strings.Contains(t, secret) {
			i.find(Must, "group.private_text", at, backstage.Length(t))
		}
	}
}

// markdown reads text in which links, images and mentions work.
func (i inspection) markdown(at, t string) {
	i.plain(at, t)
	images := map[string]bool{}
	for _, re := range []*regexp.Regexp{imageMarkdown, imageTag} {
		for _, m := range re.FindAllStringSubmatch(t, -1) {
			images[m[1]] = true
			i.image(at, m[1])
		}
	}
	for _, re := range []*regexp.Regexp{linkMarkdown, anchorTag} {
		for _, m := range re.FindAllStringSubmatch(t, -1) {
			if !images[m[1]] {
				i.link(at, m[1])
			}
		}
	}
	for _, m := range atTag.FindAllStringSubmatch(t, -1) {
		if slices.Contains(everyoneInCard, strings.ToLower(m[1])) {
			i.find(Must, "text.at_all", at, 0)
		}
	}
}

// link reads an address that somebody can press. dtmd:// makes the reader's own client say something in the reader's name.
func (i inspection) link(at, href string) {
	scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(href)), ":")
	switch {
	case scheme == "dtmd":
		i.find(Must, "link.dtmd", at, backstage.Length(href))
	case slices.Contains(scriptSchemes, scheme):
		i.find(Must, "link.script", at, backstage.Length(href))
	case scheme == "dingtalk" && strings.Contains(strings.ToLower(href), "sendmessage"):
		i.find(Must, "link.dtmd", at, backstage.Length(href))
	}
}

// image reads what a client would fetch on sight: from an address that somebody typed it tells them who has read the message.
func (i inspection) image(at, src string) {
	if _, stored := i.s.world.files[src]; stored || src == "" {
		return
	}
	u, err := url.Parse(src)
	if err != nil || u.Host == "" {
		return
	}
	if slices.ContainsFunc(i.s.world.typed, func(t string) bool { return strings.Contains(t, src) || strings.Contains(src, t) }) {
		i.find(Must, "text.remote_image", at, backstage.Length(src))
		return
	}
	i.find(Should, "text.remote_image", at, backstage.Length(src))
}

// typed remembers the addresses in what a person entered, so that images from there can be told. s.mu is held.
func (s *Server) typed(text string) {
	s.world.typed = append(s.world.typed, typedAddress.FindAllString(text, -1)...)
}

// sorted are a map's keys in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
