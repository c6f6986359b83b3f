package slacksim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// The validator is a table of objects (validate_blocks.go, validate_elements.go, validate_richtext.go) and the engine
// here that walks decoded JSON along it. Sources: docs.slack.dev/reference/block-kit, @slack/types, python-slack-sdk.
// Lengths are counted in code points. Whatever the table does not name is refused.

// blockFault is one violated rule: where, as a JSON pointer, and what, in Slack's words.
type blockFault struct{ at, why string }

type blockFaults []blockFault

// answer is the refusal as the API words it: errors, and the same as messages.
func (fs blockFaults) answer(code string) answer {
	var errs, messages []string
	for _, f := range fs {
		errs = append(errs, f.String())
		messages = append(messages, "[ERROR] "+f.String())
	}
	return answer{err: code, body: map[string]any{"errors": errs, "response_metadata": map[string]any{"messages": messages}}}
}

func (f blockFault) String() string { return f.why + " [json-pointer:" + f.at + "]" }

// findFaults records what is wrong in an answer of the bot, which Slack can only throw away.
func (s *Server) findFaults(fs blockFaults, rule, method string, delivery int) {
	for _, f := range fs {
		s.find(Finding{Rule: rule, Pointer: f.at, Detail: f.why, Method: method, Delivery: delivery})
	}
}

// walk is one validation under way.
type walk struct {
	surface    string // message, modal or home
	faults     blockFaults
	fileExists func(string) bool
	blockIDs   map[string]bool
	focused    bool
	tables     int
	markdown   int
	inputs     bool
}

func (w *walk) fault(at, format string, v ...any) {
	w.faults = append(w.faults, blockFault{at: at, why: fmt.Sprintf(format, v...)})
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
		w.fault(at, "must provide an object")
		return
	}
	for _, k := range spec.need {
		if _, there := o[k]; !there {
			w.fault(at, "missing required field: %s", k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(o)) {
		r, known := spec.props[k]
		if !known {
			w.fault(at, "invalid additional property: %s", k)
			continue
		}
		r(w, at+"/"+k, o[k])
	}
	if spec.extra != nil {
		spec.extra(w, at, o)
	}
}

// byType checks an object against the table row that its type names, one of the allowed.
func byType(table map[string]object, allowed ...string) rule {
	return func(w *walk, at string, v any) {
		o, isObject := v.(map[string]any)
		if !isObject {
			w.fault(at, "must provide an object")
			return
		}
		kind, named := o["type"].(string)
		if !named {
			w.fault(at, "missing required field: type")
			return
		}
		spec, known := table[kind]
		if !known || len(allowed) > 0 && !slices.Contains(allowed, kind) {
			w.fault(at+"/type", "unsupported type: %s", kind)
			return
		}
		spec.check(w, at, v)
	}
}

func str(least, most int) rule {
	return func(w *walk, at string, v any) {
		t, isString := v.(string)
		switch n := length(t); {
		case !isString:
			w.fault(at, "must provide a string")
		case n < least:
			w.fault(at, "must be more than %d characters", least-1)
		case n > most:
			w.fault(at, "must be less than %d characters", most+1)
		}
	}
}

func boolean(w *walk, at string, v any) {
	if _, isBool := v.(bool); !isBool {
		w.fault(at, "must provide a boolean")
	}
}

func integer(least, most int) rule {
	return func(w *walk, at string, v any) {
		n, isNumber := v.(json.Number)
		i, err := strconv.Atoi(n.String())
		switch {
		case !isNumber || err != nil:
			w.fault(at, "must provide an integer")
		case i < least:
			w.fault(at, "must be greater than %d", least-1)
		case i > most:
			w.fault(at, "must be less than %d", most+1)
		}
	}
}

func oneOf(values ...string) rule {
	return func(w *walk, at string, v any) {
		if t, isString := v.(string); !isString || !slices.Contains(values, t) {
			w.fault(at, "must be a valid enum value")
		}
	}
}

func list(least, most int, each rule) rule {
	return func(w *walk, at string, v any) {
		items, isList := v.([]any)
		switch {
		case !isList:
			w.fault(at, "must be an array")
			return
		case len(items) < least:
			w.fault(at, "no fewer than %d items allowed", least)
		case len(items) > most:
			w.fault(at, "no more than %d items allowed", most)
		}
		for i, it := range items {
			each(w, at+"/"+strconv.Itoa(i), it)
		}
	}
}

func matching(pattern interface{ MatchString(string) bool }, why string) rule {
	return func(w *walk, at string, v any) {
		if t, isString := v.(string); !isString || !pattern.MatchString(t) {
			w.fault(at, "%s", why)
		}
	}
}

// with merges properties; later ones win.
func with(parts ...map[string]rule) map[string]rule {
	out := map[string]rule{}
	for _, p := range parts {
		maps.Copy(out, p)
	}
	return out
}

// plain is a plain_text object of at most so many characters, any is one of either kind.
func plain(most int) rule { return text(1, most, "plain_text") }

func anyText(most int) rule { return text(1, most, "plain_text", "mrkdwn") }

func text(least, most int, kinds ...string) rule {
	table := map[string]object{
		"plain_text": {
			props: map[string]rule{"type": oneOf("plain_text"), "text": str(least, most), "emoji": boolean},
			need:  []string{"text"},
		},
		"mrkdwn": {
			props: map[string]rule{"type": oneOf("mrkdwn"), "text": str(least, most), "verbatim": boolean},
			need:  []string{"text"},
		},
	}
	return byType(table, kinds...)
}

// exactly one of the named properties must be there.
func xor(w *walk, at string, o map[string]any, names ...string) {
	n := 0
	for _, k := range names {
		if _, there := o[k]; there {
			n++
		}
	}
	if n != 1 {
		w.fault(at, "must provide exactly one of: %v", names)
	}
}

// validateMessage checks the blocks and attachments of a message.
func (s *Server) validateMessage(blocks, attachments []any) blockFaults {
	w := &walk{surface: "message", fileExists: s.fileExists, blockIDs: map[string]bool{}}
	if len(blocks) > 0 {
		list(1, 50, block)(w, "/blocks", blocks)
	}
	for i, a := range attachments {
		at := "/attachments/" + strconv.Itoa(i)
		o, isObject := a.(map[string]any)
		if !isObject {
			w.fault(at, "must provide an object")
			continue
		}
		if inner, there := o["blocks"]; there {
			list(1, 50, block)(w, at+"/blocks", inner)
		}
	}
	return w.faults
}

// validateView checks a modal or a home tab; pointers begin at /view.
func (s *Server) validateView(o map[string]any, surface string) blockFaults {
	w := &walk{surface: surface, fileExists: s.fileExists, blockIDs: map[string]bool{}}
	spec := object{
		props: map[string]rule{
			"type": oneOf(surface), "blocks": list(1, 100, block), "private_metadata": str(0, 3000),
			"callback_id": str(0, 255), "external_id": str(0, 255),
		},
		need: []string{"type", "blocks"},
	}
	if surface == "modal" {
		spec.props = with(spec.props, map[string]rule{
			"title": plain(24), "submit": plain(24), "close": plain(24), "clear_on_close": boolean, "notify_on_close": boolean,
		})
		spec.need = append(spec.need, "title")
		spec.extra = func(w *walk, at string, o map[string]any) {
			if _, there := o["submit"]; w.inputs && !there {
				w.fault(at, "missing required field: submit")
			}
		}
	}
	spec.check(w, "/view", o)
	return w.faults
}

// validateSuggestions checks the answer to block_suggestion: options or option_groups, at most 100, perhaps none.
func validateSuggestions(o map[string]any) blockFaults {
	w := &walk{surface: "modal"}
	object{
		props: map[string]rule{"options": list(0, 100, option("plain_text")), "option_groups": list(0, 100, optionGroup)},
		extra: func(w *walk, at string, o map[string]any) { xor(w, at, o, "options", "option_groups") },
	}.check(w, "", o)
	return w.faults
}
