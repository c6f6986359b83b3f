package feishusim

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// The validator is a table of components (validate_elements.go) and the engine here that walks a decoded card along it.
// Sources: card-json-v2-structure, card-json-v2-breaking-changes-release-notes and the pages of the components under
// https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/. Whatever the table does not name is refused, as
// JSON 2.0 refuses it.

// The codes inside 230099.
const (
	badCard      = 200621 // anything that does not parse: unknown property, wrong type, missing field
	badTag       = 200861 // a component of JSON 1.0
	badConfig    = 300302
	badImage     = 200570
	badPerson    = 100290
	badColumn    = 200914
	badRow       = 200915
	overLimit    = 11310  // tables
	overElements = 300305 // components and text elements
)

const (
	maxElements = 200
	maxTables   = 5
	maxCharts   = 5 // advised
	maxDepth    = 5
)

// cardFault is one violated rule: where, as a JSON pointer, and what.
type cardFault struct {
	code    int
	at, why string
}

type cardFaults []cardFault

// answer is the refusal as the API words it; it names only the first fault.
func (fs cardFaults) answer() answer {
	return fail(230099, fmt.Sprintf("Failed to create card content, ext=ErrCode: %d; ErrMsg: %s; ErrorValue: %s; ", fs[0].code, fs[0].why, fs[0].at))
}

// findFaults records what is wrong with a card in an answer of the bot.
func (s *Server) findFaults(fs cardFaults, rule string, about Finding) {
	for _, f := range fs {
		found := about
		found.Rule, found.Pointer, found.Detail = rule, f.at, fmt.Sprintf("%d %s", f.code, f.why)
		s.find(found)
	}
}

// walk is one validation under way.
type walk struct {
	s      *Server
	look   inspection
	faults cardFaults
	ids    map[string]bool
	names  map[string]bool
	tables int
	charts int
	// where the walk is
	root   bool // among the elements of the body
	form   bool
	depth  int // of containers
	submit bool
}

func (w *walk) fault(at, format string, v ...any) { w.faultOf(badCard, at, format, v...) }

func (w *walk) faultOf(code int, at, format string, v ...any) {
	w.faults = append(w.faults, cardFault{code: code, at: at, why: fmt.Sprintf(format, v...)})
}

// rule checks one value.
type rule func(w *walk, at string, v any)

// object is what one kind of JSON object may hold.
type object struct {
	props map[string]rule
	need  []string
	extra func(w *walk, at string, o map[string]any) // what no single property shows
}

func (spec object) check(w *walk, at string, v any) {
	o, isObject := v.(map[string]any)
	if !isObject {
		w.fault(at, "must be an object")
		return
	}
	for _, k := range spec.need {
		if _, there := o[k]; !there {
			w.fault(at, "required property is missing: %s", k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(o)) {
		r, known := spec.props[k]
		if !known {
			w.fault(at, "unknown property, property: %s", k)
			continue
		}
		r(w, at+"/"+k, o[k])
	}
	if spec.extra != nil {
		spec.extra(w, at, o)
	}
}

func str(least, most int) rule {
	return func(w *walk, at string, v any) {
		t, isString := v.(string)
		switch n := length(t); {
		case !isString:
			w.fault(at, "must be a string")
		case n < least || n > most:
			w.fault(at, "length must be between %d and %d", least, most)
		}
	}
}

func boolean(w *walk, at string, v any) {
	if _, isBool := v.(bool); !isBool {
		w.fault(at, "must be a boolean")
	}
}

func integer(least, most int) rule {
	return func(w *walk, at string, v any) {
		n, isNumber := v.(json.Number)
		i, err := strconv.Atoi(n.String())
		if !isNumber || err != nil || i < least || i > most {
			w.fault(at, "must be an integer between %d and %d", least, most)
		}
	}
}

func oneOf(values ...string) rule {
	return func(w *walk, at string, v any) {
		if t, isString := v.(string); !isString || !slices.Contains(values, t) {
			w.fault(at, "must be one of %v", values)
		}
	}
}

func list(least, most int, each rule) rule {
	return func(w *walk, at string, v any) {
		items, isList := v.([]any)
		if !isList || len(items) < least || len(items) > most {
			w.fault(at, "must be a list of %d to %d", least, most)
		}
		for i, it := range items {
			each(w, at+"/"+strconv.Itoa(i), it)
		}
	}
}

func matching(pattern string) rule {
	re := regexp.MustCompile("^(?:" + pattern + ")$")
	return func(w *walk, at string, v any) {
		if t, isString := v.(string); !isString || !re.MatchString(t) {
			w.fault(at, "must match %s", pattern)
		}
	}
}

func anything(*walk, string, any) {}

// with merges properties; later ones win.
func with(parts ...map[string]rule) map[string]rule {
	out := map[string]rule{}
	for _, p := range parts {
		maps.Copy(out, p)
	}
	return out
}

// isCard2 says whether a stored content is a card of JSON 2.0.
func isCard2(content string) bool {
	v, err := decodeJSON([]byte(content))
	o, _ := v.(map[string]any)
	return err == nil && o["schema"] == "2.0"
}

// validateCard checks the content of an interactive message. s.mu is held.
func (s *Server) validateCard(v any, look inspection) cardFaults {
	w := &walk{s: s, look: look, ids: map[string]bool{}, names: map[string]bool{}}
	o, isObject := v.(map[string]any)
	if !isObject {
		w.fault("", "parse card json err: the card is not an object")
		return w.faults
	}
	if kind := o["type"]; o["schema"] == nil && (kind == "template" || kind == "card") {
		w.faultOf(overLimit, "/data", "cardid is invalid") // this firm has neither templates nor card entities
		return w.faults
	}
	switch o["schema"] {
	case "2.0":
	case nil, "1.0":
		look.find(Should, "card.json_1", "", 0)
		if _, isList := o["elements"].([]any); o["elements"] != nil && !isList {
			w.fault("/elements", "must be a list")
		}
		return w.faults
	default:
		w.fault("/schema", "unknown schema")
		return w.faults
	}
	card().check(w, "", o)
	if n := countTags(o); n > maxElements {
		w.faultOf(overElements, "/body/elements", "element number over limit: %d", n)
	}
	if w.tables > maxTables {
		w.faultOf(overLimit, "table", "card table number over limit")
	}
	if w.charts > maxCharts {
		look.find(Should, "card.charts_over_5", "", w.charts)
	}
	return w.faults
}

// countTags counts components and text elements: everything that has a tag, chart specifications left out.
func countTags(v any) int {
	n := 0
	switch t := v.(type) {
	case []any:
		for _, e := range t {
			n += countTags(e)
		}
	case map[string]any:
		if _, tagged := t["tag"].(string); tagged {
			n++
		}
		for k, e := range t {
			if k != "chart_spec" && k != "value" {
				n += countTags(e)
			}
		}
	}
	return n
}

// localized is a text per language.
func localized(w *walk, at string, v any) {
	o, isObject := v.(map[string]any)
	if !isObject {
		w.fault(at, "must be an object")
		return
	}
	for _, k := range slices.Sorted(maps.Keys(o)) {
		if _, isString := o[k].(string); !isString || !slices.Contains(locales, k) {
			w.fault(at+"/"+k, "must be a text in a known language")
		}
	}
}

// text is a text element of one of the kinds, plain_text or lark_md.
func text(most int, kinds ...string) rule {
	return object{
		props: map[string]rule{
			"tag": oneOf(kinds...), "content": str(0, most), "i18n_content": localized, "text_size": str(1, 64), "text_color": str(1, 64),
			"text_align": align, "lines": integer(1, 1000),
		},
		need: []string{"tag", "content"},
		extra: func(w *walk, at string, o map[string]any) {
			each := map[string]string{}
			each["/content"], _ = o["content"].(string)
			i18n, _ := o["i18n_content"].(map[string]any)
			for k, v := range i18n {
				each["/i18n_content/"+k], _ = v.(string)
			}
			for _, k := range slices.Sorted(maps.Keys(each)) {
				if o["tag"] == "lark_md" {
					w.markdown(at+k, each[k])
				} else {
					w.look.anyString(at+k, each[k])
					w.look.notBlank(at+k, each[k])
				}
			}
		},
	}.check
}

const noLimit = 1 << 20

// plain is a plain_text of at most so many characters.
func plain(most int) rule { return text(most, "plain_text") }

// anyText is a plain_text or a lark_md.
func anyText(w *walk, at string, v any) { text(noLimit, "plain_text", "lark_md")(w, at, v) }

// markdown checks what a text with markup refers to: a person or an image that is not there makes the whole card fail.
func (w *walk) markdown(at, t string) {
	w.look.markdown(at, t)
	for _, tag := range []*regexp.Regexp{atTag, personTag} {
		for _, m := range tag.FindAllStringSubmatch(t, -1) {
			for _, id := range idAttribute.FindAllStringSubmatch(m[1], -1) {
				if id[1] != everyone || tag == personTag {
					w.person(at, id[1])
				}
			}
		}
	}
	for _, m := range imageMarkdown.FindAllStringSubmatch(t, -1) {
		w.image(at, m[1])
	}
}

func (w *walk) person(at string, v any) {
	id, isString := v.(string)
	if !isString || id != w.s.opts.BotOpenID && w.s.world.anyone(id) == nil {
		w.faultOf(badPerson, at, "invalid user resource")
	}
}

func (w *walk) image(at string, v any) {
	if key, isString := v.(string); !isString || w.s.world.files[key] == nil {
		w.faultOf(badImage, at, "card contains invalid image keys")
	}
}
