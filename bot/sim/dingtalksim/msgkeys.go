package dingtalksim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"huiyin/bot/sim/backstage"
)

// The kinds of a message parameter.
const (
	plainParam    = "plain"    // shown as it is
	markdownParam = "markdown" // links and images work in it
	linkParam     = "link"     // an address to open
	imageParam    = "image"    // an address or a media_id
	mediaParam    = "media"    // a media_id
	dataParam     = "data"
)

// msgKeys are the message templates of robot/oToMessages and robot/groupMessages and their parameters, all of them required.
// There is no sampleActionCard1. https://open.dingtalk.com/document/development/robot-message-type
func msgKeys() map[string]map[string]string {
	card := func(extra ...string) map[string]string {
		out := map[string]string{"title": plainParam, "text": markdownParam}
		for i := 0; i < len(extra); i += 2 {
			out[extra[i]], out[extra[i+1]] = plainParam, linkParam
		}
		return out
	}
	numbered := func(n int) map[string]string {
		var extra []string
		for i := 1; i <= n; i++ {
			extra = append(extra, "actionTitle"+strconv.Itoa(i), "actionURL"+strconv.Itoa(i))
		}
		return card(extra...)
	}
	return map[string]map[string]string{
		"sampleText":        {"content": plainParam},
		"sampleMarkdown":    {"title": plainParam, "text": markdownParam},
		"sampleImageMsg":    {"photoURL": imageParam},
		"sampleLink":        {"title": plainParam, "text": plainParam, "picUrl": imageParam, "messageUrl": linkParam},
		"sampleActionCard":  card("singleTitle", "singleURL"),
		"sampleActionCard2": numbered(2),
		"sampleActionCard3": numbered(3),
		"sampleActionCard4": numbered(4),
		"sampleActionCard5": numbered(5),
		"sampleActionCard6": card("buttonTitle1", "buttonUrl1", "buttonTitle2", "buttonUrl2"),
		"sampleAudio":       {"mediaId": mediaParam, "duration": dataParam},
		"sampleFile":        {"mediaId": mediaParam, "fileName": dataParam, "fileType": dataParam},
		"sampleVideo":       {"duration": dataParam, "videoMediaId": mediaParam, "videoType": dataParam, "picMediaId": mediaParam},
	}
}

// groupParam is the size of msgParam in a group, in bytes.
const groupParam = 15_000

// checkMessage checks msgKey and msgParam and reads what is in them; content is msgParam as it is kept. s.mu is held.
func (s *Server) checkMessage(q request, group bool) (key, content string, refusal *answer) {
	no := func(code, msg string) (string, string, *answer) {
		a := refuse(code, msg)
		return "", "", &a
	}
	key = q.str("msgKey")
	if key == "" {
		return no("invalidParameter.msgKey.empty", "msgKey is empty")
	}
	params, known := msgKeys()[key]
	if !known {
		return no("invalidParameter.msgKey.invalid", "msgKey is invalid")
	}
	content, isString := q.json["msgParam"].(string)
	v, err := backstage.DecodeJSON([]byte(content))
	object, isObject := v.(map[string]any)
	if !isString || err != nil || !isObject {
		return no("invalidParameter.msgParam.invalid", "msgParam must be a JSON string")
	}
	i := inspection{s: s, about: q.about, group: group}
	switch {
	case group && len(content) > groupParam:
		return no("invalidParameter.msgParam.tooLong", "msgParam is longer than 15000 bytes")
	case len(content) > groupParam:
		i.find(Should, "robot.over_15000_bytes", "/msgParam", len(content)) // no figure is documented for single chats
	}
	i.encoding([]byte(content))
	for _, name := range sorted(params) {
		text, isText := object[name].(string)
		if _, isNumber := object[name].(interface{ String() string }); isNumber && params[name] == dataParam {
			continue
		}
		at := "/msgParam/" + name
		if !isText || strings.TrimSpace(text) == "" {
			return no("invalidParameter.msgParam.invalid", "msgParam."+name+" is missing or blank")
		}
		switch params[name] {
		case plainParam:
			i.plain(at, text)
		case markdownParam:
			i.markdown(at, text)
		case linkParam:
			if !s.opens(text) {
				return no("invalidParameter.msgParam.invalid", "msgParam."+name+" is no address")
			}
			i.link(at, text)
		case imageParam:
			if _, stored := s.world.files[text]; !stored && !s.opens(text) {
				return no("invalidParameter.msgParam.invalid", "msgParam."+name+" is neither an address nor a media_id")
			}
			i.image(at, text)
		case mediaParam:
			if _, stored := s.world.files[text]; !stored {
				return no("invalidParameter.msgParam.invalid", "msgParam."+name+" is no media_id")
			}
		}
	}
	for _, name := range sorted(object) {
		if _, known := params[name]; !known {
			i.find(Should, "robot.unknown_param", "/msgParam/"+name, 0)
		}
	}
	return key, content, nil
}

// opens says whether an address is one that DingTalk's client opens.
func (s *Server) opens(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	return slices.Contains([]string{"http", "https"}, u.Scheme) && u.Host != "" || u.Scheme == "dingtalk" || u.Scheme == "dtmd"
}
