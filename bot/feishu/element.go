package feishu

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// The parts of a card of JSON 2.0 that we use. Feishu refuses a card with a property that it does not know, so nothing here is
// optional by accident. https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-structure.md

// Card is a card as Feishu takes it.
type Card struct {
	Schema string   `json:"schema"`
	Config settings `json:"config"`
	Header *header  `json:"header,omitempty"`
	Body   body     `json:"body"`
}

type settings struct {
	Shared  bool    `json:"update_multi"`   // 2.0 knows no other
	Forward bool    `json:"enable_forward"` // what is for one person stays with them
	Summary summary `json:"summary"`
}

type summary struct {
	Content string `json:"content"`
}

type header struct {
	Title    words  `json:"title"`
	Template string `json:"template,omitempty"`
}

type body struct {
	Elements []element `json:"elements"`
}

// element is a component. Each counts its own tag and those within it, of which a card may have 200.
type element interface{ tags() int }

// words is plain text, in which nothing has a meaning.
type words struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
	Size    string `json:"text_size,omitempty"`
	Color   string `json:"text_color,omitempty"`
}

func plain(s string) *words { return &words{Tag: "plain_text", Content: s} }

// div shows plain text.
type div struct {
	Tag  string `json:"tag"`
	Text *words `json:"text"`
}

func (div) tags() int { return 2 }

// markdown shows text with markup.
type markdown struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
	Size    string `json:"text_size,omitempty"`
}

func (markdown) tags() int { return 1 }

type rule struct {
	Tag string `json:"tag"`
}

func (rule) tags() int { return 1 }

// columnSet lays columns side by side.
type columnSet struct {
	Tag     string   `json:"tag"`
	Flex    string   `json:"flex_mode,omitempty"`
	Spacing string   `json:"horizontal_spacing,omitempty"`
	Columns []column `json:"columns"`
}

func (c columnSet) tags() int {
	n := 1
	for _, col := range c.Columns {
		n += 1 + tagsOf(col.Elements)
	}
	return n
}

type column struct {
	Tag        string    `json:"tag"`
	Width      string    `json:"width,omitempty"`
	Weight     int       `json:"weight,omitempty"`
	Background string    `json:"background_style,omitempty"`
	Padding    string    `json:"padding,omitempty"`
	Align      string    `json:"vertical_align,omitempty"`
	Elements   []element `json:"elements"`
}

// button is a button. Name and Submits are for forms alone.
type button struct {
	Tag       string     `json:"tag"`
	Name      string     `json:"name,omitempty"`
	Text      *words     `json:"text"`
	Type      string     `json:"type,omitempty"`
	Submits   string     `json:"form_action_type,omitempty"`
	Behaviors []behavior `json:"behaviors"`
	Confirm   *confirm   `json:"confirm,omitempty"`
}

func (b button) tags() int {
	if b.Confirm != nil {
		return 4
	}
	return 2
}

// behavior is what a press does: it tells us, or opens a page.
type behavior struct {
	Type  string `json:"type"`
	Value *value `json:"value,omitempty"`
	URL   string `json:"default_url,omitempty"`
}

type confirm struct {
	Title *words `json:"title"`
	Text  *words `json:"text"`
}

// form is a container whose inputs are sent together.
type form struct {
	Tag      string    `json:"tag"`
	Name     string    `json:"name"`
	Elements []element `json:"elements"`
}

func (f form) tags() int { return 1 + tagsOf(f.Elements) }

type input struct {
	Tag         string `json:"tag"`
	Name        string `json:"name"`
	Required    bool   `json:"required,omitempty"`
	Placeholder *words `json:"placeholder,omitempty"`
	Default     string `json:"default_value,omitempty"`
	Width       string `json:"width,omitempty"`
	Type        string `json:"input_type,omitempty"`
	Rows        int    `json:"rows,omitempty"`
	MaxLength   int    `json:"max_length,omitempty"`
}

func (i input) tags() int { return 1 + tagged(i.Placeholder) }

// choice is any of the four selects: of options or of people, one or several.
type choice struct {
	Tag      string   `json:"tag"`
	Name     string   `json:"name"`
	Required bool     `json:"required,omitempty"`
	Width    string   `json:"width,omitempty"`
	Options  []option `json:"options"`
	Initial  string   `json:"initial_option,omitempty"`
	Chosen   []string `json:"selected_values,omitempty"`
}

func (c choice) tags() int {
	n := 1
	for _, o := range c.Options {
		n += tagged(o.Text)
	}
	return n
}

// option is one choice; people are shown by their own names.
type option struct {
	Text  *words `json:"text,omitempty"`
	Value string `json:"value"`
}

type datePicker struct {
	Tag      string `json:"tag"`
	Name     string `json:"name"`
	Required bool   `json:"required,omitempty"`
	Width    string `json:"width,omitempty"`
	Initial  string `json:"initial_date,omitempty"`
}

func (datePicker) tags() int { return 1 }

// drawn is an element that comes back as it was sent.
type drawn json.RawMessage

func (d drawn) tags() int { return bytes.Count(d, []byte(`"tag":`)) }

// MarshalJSON gives the element as it was sent.
func (d drawn) MarshalJSON() ([]byte, error) { return d, nil }

func tagged(w *words) int {
	if w == nil {
		return 0
	}
	return 1
}

func tagsOf(es []element) int {
	n := 0
	for _, e := range es {
		n += e.tags()
	}
	return n
}

// bare writes JSON without the escapes that HTML would need, which make six bytes of one.
type bare struct{}

// Serialize writes v.
func (bare) Serialize(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Deserialize reads v.
func (bare) Deserialize(data []byte, v any) error { return json.Unmarshal(data, v) }

// content is a card as the string that a request carries, with its length there.
func content(c Card) (text string, size int, err error) {
	raw, err := bare{}.Serialize(c)
	if err != nil {
		return "", 0, err
	}
	return string(raw), escaped(raw), nil
}

// cost is how much an element adds to a request.
func cost(e element) int {
	raw, err := bare{}.Serialize(e)
	if err != nil {
		return maxRequest // it cannot be written, which writing the card will say
	}
	return escaped(raw) + 1
}

// escaped is the length of JSON within a JSON string.
func escaped(raw []byte) int {
	return len(raw) + bytes.Count(raw, []byte(`"`)) + bytes.Count(raw, []byte(`\`))
}

// weight is how much a text adds to a request, without the quotes around it.
func weight(s string) int {
	n := len(s)
	for _, r := range s {
		switch {
		case r == '"' || r == '\\': // \\\" and \\\\
			n += 3
		case r == '\n' || r == '\t' || r == '\r': // \\n
			n += 2
		case r < ' ' || r == '\u2028' || r == '\u2029': // \\u0007
			n += 7 - utf8.RuneLen(r)
		case r == utf8.RuneError: // � in the place of what is no character
			n += 7
		}
	}
	return n
}

// lines counts the lines of a text.
func lines(s string) int { return strings.Count(s, "\n") + 1 }
