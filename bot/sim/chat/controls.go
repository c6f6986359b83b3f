package chat

import (
	"html/template"
	"strings"
)

// choicesShown is how many choices a searched select shows at once.
const choicesShown = 40

// control is something that a person can use, as the template "control" draws it. A platform translates its own elements into it.
type control struct {
	words
	Kind string // the template's name after "control-"
	ID   string
	Name string // of the field in the form
	// Press is the value of the form's "press" that says that this control was used. Live controls say so when they change.
	Press string
	Live  bool

	Label       template.HTML // of a button
	Aria        string        // spoken name, when there is no label beside it
	Described   string        // ids of hint and error
	Invalid     bool
	Style       string // primary, danger or nothing
	URL         string
	Placeholder string
	Mode        string // inputmode of a text field
	Type        string // type of an input
	Value       string
	Multiple    bool
	Focus       bool
	Disabled    bool
	Beside      bool   // the page that a button leads to opens beside the conversation
	Resets      bool   // a button that empties the form
	LabelledBy  string // id of the label of a control that is no input
	Max         int
	Choices     []choice
	Groups      []group
	Searched    bool   // choices come from the server as one types
	Summary     string // what is chosen, in one line
	Confirm     *confirmation
}

type choice struct {
	Value, Label string
	Text, Note   template.HTML // with markup; Label when empty
	Chosen       bool
	URL          string
	Press        string // of an item of a menu
}

type group struct {
	Label   string
	Choices []choice
}

// confirmation is the question before a control acts.
type confirmation struct {
	ID, Title, Yes, No, Style string
	Text                      template.HTML
}

// summarise puts the chosen labels into one line.
func (c *control) summarise() {
	var chosen []string
	for _, o := range c.Choices {
		if o.Chosen {
			chosen = append(chosen, o.Label)
		}
	}
	c.Summary = strings.Join(chosen, c.T("demo.comma"))
}

// HasChosen says whether anything is chosen.
func (c *control) HasChosen() bool { return c.Summary != "" }

// meant says whether every word of what was typed stands in one of the texts.
func meant(typed string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, "\n"))
	for _, word := range strings.Fields(strings.ToLower(typed)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}
