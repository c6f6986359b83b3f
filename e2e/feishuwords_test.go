package e2e

import (
	"encoding/json"
	"html"
	"regexp"
	"strconv"
	"strings"

	"huiyin/bot/sim/feishusim"
)

// feishuCard is a card as people read it, and what they can do with it.
type feishuCard struct {
	words, preview string
	buttons        []button
	fields         []feishuElement
	submit         string            // where the button stands that sends the form; empty: there is none
	errors         map[string]string // by field
}

func (c feishuCard) field(name string) (feishuElement, bool) {
	for _, f := range c.fields {
		if f.Name == name {
			return f, true
		}
	}
	return feishuElement{}, false
}

func (c feishuCard) fieldNames() []string {
	var out []string
	for _, f := range c.fields {
		out = append(out, f.Name)
	}
	return out
}

// What is read of a card. https://open.feishu.cn/document/feishu-cards/card-json-v2-structure
type (
	feishuRoot struct {
		Config struct {
			Summary struct {
				Content string `json:"content"`
			} `json:"summary"`
		} `json:"config"`
		Header struct {
			Title    feishuText `json:"title"`
			Subtitle feishuText `json:"subtitle"`
		} `json:"header"`
		Body struct {
			Elements []feishuElement `json:"elements"`
		} `json:"body"`
	}
	feishuElement struct {
		Tag            string          `json:"tag"`
		Name           string          `json:"name"`
		ID             string          `json:"element_id"`
		Content        string          `json:"content"`
		Text           *feishuText     `json:"text"`
		Label          *feishuText     `json:"label"`
		Confirm        json.RawMessage `json:"confirm"`
		FormAction     string          `json:"form_action_type"`
		Elements       []feishuElement `json:"elements"`
		Columns        []feishuElement `json:"columns"`
		DefaultValue   string          `json:"default_value"`
		InitialOption  string          `json:"initial_option"`
		InitialDate    string          `json:"initial_date"`
		SelectedValues []string        `json:"selected_values"`
		Options        []struct {
			Text  feishuText `json:"text"`
			Value string     `json:"value"`
		} `json:"options"`
	}
	feishuText struct {
		Tag     string `json:"tag"`
		Content string `json:"content"`
	}
)

// given is what stands in a field when the form opens.
func (e feishuElement) given() []string {
	switch {
	case len(e.SelectedValues) > 0:
		return e.SelectedValues
	case e.DefaultValue != "":
		return []string{e.DefaultValue}
	case e.InitialOption != "":
		return []string{e.InitialOption}
	case e.InitialDate != "":
		date, _, _ := strings.Cut(e.InitialDate, " ")
		return []string{date}
	}
	return nil
}

// draw reads the words of a message and finds its controls.
func (s *feishuStage) draw(m feishusim.Message) feishuCard {
	if m.Type != "interactive" {
		var text struct{ Text, Title string }
		_ = json.Unmarshal([]byte(m.Content), &text) // a picture has no words
		return feishuCard{words: text.Title + text.Text, preview: text.Title + text.Text}
	}
	var root feishuRoot
	if err := json.Unmarshal([]byte(m.Content), &root); err != nil {
		return feishuCard{words: err.Error()}
	}
	c := feishuCard{errors: map[string]string{}, preview: root.Config.Summary.Content}
	if c.preview == "" {
		c.preview = root.Header.Title.Content
	}
	var lines []string
	line := func(t *feishuText) {
		if t != nil && t.Content != "" {
			lines = append(lines, s.plain(*t))
		}
	}
	line(&root.Header.Title)
	line(&root.Header.Subtitle)
	var walk func(at string, all []feishuElement)
	walk = func(at string, all []feishuElement) {
		for i, e := range all {
			here := at + "/" + strconv.Itoa(i)
			switch e.Tag {
			case "button":
				if e.FormAction == "submit" {
					c.submit = here
				} else if e.Text != nil {
					c.buttons = append(c.buttons, button{label: e.Text.Content, asks: len(e.Confirm) > 0, ref: feishuButton{m.ID, here}})
				}
				if e.Text != nil {
					lines = append(lines, "<"+e.Text.Content+">")
				}
			case "input", "select_static", "multi_select_static", "select_person", "multi_select_person", "date_picker", "checker":
				line(e.Label)
				c.fields = append(c.fields, e)
			default:
				line(e.Text)
				line(&feishuText{Tag: "lark_md", Content: e.Content})
				if problem, ok := strings.CutPrefix(lines[max(0, len(lines)-1)], "⚠️ "); ok && e.Text != nil && len(c.fields) > 0 {
					c.errors[c.fields[len(c.fields)-1].Name] = problem // it stands below its field
				}
			}
			walk(here+"/elements", e.Elements)
			walk(here+"/columns", e.Columns)
		}
	}
	walk("/body/elements", root.Body.Elements)
	c.words = strings.Join(lines, "\n")
	return c
}

var (
	feishuAt   = regexp.MustCompile(`<at id="?([^">]*)"?>\s*(?:[^<]*)</at>`)
	feishuTag  = regexp.MustCompile(`</?(?:font|text_tag|number_tag|br)[^>]*>`)
	feishuLink = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	feishuMark = regexp.MustCompile("\\*\\*|`|(?m)^> ?")
)

// plain is what a person reads of a text: without marks and entities, mentions by handle, links by their words.
func (s *feishuStage) plain(t feishuText) string {
	if t.Tag == "plain_text" {
		return t.Content
	}
	text := feishuAt.ReplaceAllStringFunc(t.Content, func(m string) string { return "@" + s.handle(feishuAt.FindStringSubmatch(m)[1]) })
	text = feishuTag.ReplaceAllString(text, "")
	text = feishuLink.ReplaceAllString(text, "$1")
	text = feishuMark.ReplaceAllString(text, "")
	return html.UnescapeString(text)
}
