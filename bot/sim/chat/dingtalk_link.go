package chat

import (
	"net/url"
	"strings"
)

// DingTalk's own addresses: one opens a page beside the conversation, the other sends a message in the reader's name.
// https://open.dingtalk.com/document/orgapp/message-link-description
const (
	pageLink = "dingtalk://dingtalkclient/page/link"
	sendLink = "dtmd://dingtalkclient/sendMessage"
)

// opened is what DingTalk does with an address: the page that it opens, or the text that it sends for the reader.
func opened(address string) (page, text string) {
	if bare, query, ok := strings.Cut(address, "?"); ok && (bare == pageLink || bare == sendLink) {
		q, err := url.ParseQuery(query)
		switch {
		case err != nil:
			return "", ""
		case bare == sendLink:
			return "", q.Get("content")
		}
		address = q.Get("url")
	}
	low := strings.ToLower(address)
	if strings.HasPrefix(low, "https://") || strings.HasPrefix(low, "http://") {
		return address, ""
	}
	return "", ""
}
