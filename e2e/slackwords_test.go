package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"huiyin/bot/sim/slacksim"
)

// What is read of blocks. https://docs.slack.dev/reference/block-kit
type (
	slackBlock struct {
		Type      string            `json:"type"`
		ID        string            `json:"block_id"`
		Text      *slackText        `json:"text"`
		Label     *slackText        `json:"label"`
		Hint      *slackText        `json:"hint"`
		Fields    []slackText       `json:"fields"`
		Elements  []json.RawMessage `json:"elements"`
		Element   *slackElement     `json:"element"`
		Accessory *slackElement     `json:"accessory"`
	}
	slackElement struct {
		Type     string          `json:"type"`
		ActionID string          `json:"action_id"`
		Text     json.RawMessage `json:"text"`
		Confirm  json.RawMessage `json:"confirm"`
		Options  []struct {
			Text  slackText `json:"text"`
			Value string    `json:"value"`
		} `json:"options"`
	}
	slackText struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
)

func blocksOf(raw json.RawMessage) []slackBlock {
	var out []slackBlock
	if len(raw) > 0 && json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

func fillable(v slacksim.View) bool {
	return slices.ContainsFunc(blocksOf(v.Blocks), func(b slackBlock) bool { return b.Type == "input" })
}

func titleOf(v slacksim.View) string {
	var title slackText
	if json.Unmarshal(v.Title, &title) != nil {
		return ""
	}
	return title.Text
}

// draw reads the words of blocks and finds their buttons.
func (s *slackStage) draw(at slacksim.Place, raw json.RawMessage) sight {
	var out sight
	var lines []string
	line := func(t *slackText) {
		if t != nil && t.Text != "" {
			lines = append(lines, s.plain(*t))
		}
	}
	element := func(block string, e *slackElement) {
		if e == nil || e.Type != "button" {
			return
		}
		var label slackText
		if json.Unmarshal(e.Text, &label) != nil {
			return
		}
		out.buttons = append(out.buttons, button{
			label: label.Text, asks: len(e.Confirm) > 0, ref: slackButton{at: at, block: block, action: e.ActionID},
		})
		lines = append(lines, "<"+label.Text+">")
	}
	for _, b := range blocksOf(raw) {
		line(b.Text)
		line(b.Label)
		for _, f := range b.Fields {
			line(&f)
		}
		element(b.ID, b.Accessory)
		for _, raw := range b.Elements {
			var e slackElement
			var t slackText
			switch {
			case json.Unmarshal(raw, &t) == nil: // of a context block
				line(&t)
			case json.Unmarshal(raw, &e) == nil:
				element(b.ID, &e)
			}
		}
		line(b.Hint)
	}
	out.words = strings.Join(lines, "\n")
	return out
}

// plain is what a person reads of a text.
func (s *slackStage) plain(t slackText) string {
	if t.Type != "mrkdwn" {
		return t.Text
	}
	return plainWords(t.Text, s.handle)
}

var (
	slackMention = regexp.MustCompile(`<@([UW][A-Z0-9]+)(?:\|[^>]*)?>`)
	slackLink    = regexp.MustCompile(`<((?:https?|mailto):[^|>]*)(?:\|([^>]*))?>`)
	slackQuote   = regexp.MustCompile(`(?m)^>`)
	slackMark    = regexp.MustCompile("[*`]")
	literal      = strings.NewReplacer("\u200b*\u200b", "\x01", "\u200b`\u200b", "\x02") // beside which the app put invisible spaces
	visible      = strings.NewReplacer("\x01", "*", "\x02", "`", "\u200b", "", "\u00ad", "", "&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// plainWords is mrkdwn as people read it: without marks, entities and invisible characters, mentions by handle, links by their words.
func plainWords(text string, handle func(string) string) string {
	text = literal.Replace(text)
	text = slackQuote.ReplaceAllString(text, "")
	text = slackMark.ReplaceAllString(text, "")
	text = slackMention.ReplaceAllStringFunc(text, func(m string) string { return "@" + handle(slackMention.FindStringSubmatch(m)[1]) })
	text = slackLink.ReplaceAllStringFunc(text, func(m string) string {
		parts := slackLink.FindStringSubmatch(m)
		if parts[2] != "" {
			return parts[2]
		}
		return parts[1]
	})
	return visible.Replace(text)
}
