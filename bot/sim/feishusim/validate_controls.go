package feishusim

import (
	"slices"
	"strconv"
)

const (
	buttonText   = 100
	placeholders = 100
	inputLength  = 1000
)

// controls are the components that people use.
func controls() map[string]object {
	control := map[string]rule{
		"name": uniqueName, "required": boolean, "placeholder": plain(placeholders), "width": width, "disabled": boolean,
		"disabled_tips": plain(noLimit), "hover_tips": plain(noLimit), "behaviors": list(0, noLimit, behavior), "confirm": confirm,
	}
	choice := with(control, map[string]rule{"type": oneOf("default", "text"), "options": anything})
	picker := func(initial, pattern string) object {
		return object{props: with(control, map[string]rule{initial: matching(pattern), "value": anything})}
	}
	return map[string]object{
		"button": {
			props: with(control, map[string]rule{
				"text": plain(buttonText), "icon": icon, "size": oneOf("tiny", "small", "medium", "large"),
				"type":             oneOf("default", "primary", "danger", "text", "primary_text", "danger_text", "primary_filled", "danger_filled", "laser"),
				"form_action_type": oneOf("submit", "reset"),
			}),
			extra: button,
		},
		"input": {
			props: with(control, map[string]rule{
				"label": plain(noLimit), "label_position": oneOf("top", "left"), "default_value": str(0, inputLength), "rows": integer(1, 100),
				"input_type": oneOf("text", "multiline_text", "password"), "auto_resize": boolean, "max_rows": integer(1, 100),
				"max_length": integer(1, inputLength), "show_icon": boolean,
			}),
		},
		"overflow": {
			props: with(control, map[string]rule{"options": list(1, noLimit, object{
				props: map[string]rule{"text": plain(noLimit), "value": str(0, noLimit), "multi_url": multiURL, "icon": icon}, need: []string{"text"},
			}.check)}),
			need: []string{"options"},
		},
		"select_static": {
			props: with(choice, map[string]rule{"initial_option": str(0, noLimit), "initial_index": integer(1, 1000)}),
			need:  []string{"options"},
			extra: func(w *walk, at string, o map[string]any) { w.options(at, o, "initial_option", false) },
		},
		"multi_select_static": {
			props: with(choice, map[string]rule{"selected_values": list(0, noLimit, str(1, noLimit))}),
			need:  []string{"options"},
			extra: func(w *walk, at string, o map[string]any) {
				w.onlyInForm(at)
				w.options(at, o, "selected_values", false)
			},
		},
		"select_person": {
			props: with(choice, map[string]rule{"initial_option": str(0, noLimit)}),
			extra: func(w *walk, at string, o map[string]any) { w.options(at, o, "initial_option", true) },
		},
		"multi_select_person": {
			props: with(choice, map[string]rule{"selected_values": list(0, noLimit, str(1, noLimit))}),
			extra: func(w *walk, at string, o map[string]any) {
				w.onlyInForm(at)
				w.options(at, o, "selected_values", true)
			},
		},
		"date_picker":     picker("initial_date", `\d{4}-\d{2}-\d{2}`),
		"picker_time":     picker("initial_time", `([01]\d|2[0-3]):[0-5]\d`),
		"picker_datetime": picker("initial_datetime", `\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d`),
		"select_img": {
			props: with(control, map[string]rule{
				"multi_select": boolean, "layout": oneOf("stretch", "bisect", "trisect"), "aspect_ratio": oneOf("1:1", "4:3", "16:9"),
				"can_preview": boolean, "value": anything, "options": list(1, noLimit, object{
					props: map[string]rule{
						"img_key": imageKey, "value": str(1, noLimit), "disabled": boolean, "disabled_tips": plain(noLimit), "hover_tips": plain(noLimit),
					},
					need: []string{"img_key", "value"},
				}.check),
			}),
			need: []string{"options"},
			extra: func(w *walk, at string, o map[string]any) {
				if o["multi_select"] == true {
					w.onlyInForm(at)
				}
				w.options(at, o, "", false)
			},
		},
		"checker": {
			props: with(control, map[string]rule{
				"checked": boolean, "text": anyText, "overall_checkable": boolean, "padding": margin, "checked_style": anything,
				"button_area": object{props: map[string]rule{
					"pc_display_rule": oneOf("always", "on_hover"), "buttons": list(0, 3, element),
				}}.check,
			}),
		},
	}
}

func button(w *walk, at string, o map[string]any) {
	if o["text"] == nil && o["icon"] == nil {
		w.fault(at, "required property is missing: text")
	}
	switch o["form_action_type"] {
	case nil:
		if list, _ := o["behaviors"].([]any); len(list) == 0 && o["disabled"] != true {
			w.look.find(Should, "card.dead_button", at, 0)
		}
	case "submit":
		w.submit = true
	}
	if o["form_action_type"] != nil && !w.form {
		w.fault(at+"/form_action_type", "form_action_type works only in a form")
	}
}

func (w *walk) onlyInForm(at string) {
	if !w.form {
		w.fault(at, "works only in a form")
	}
}

// options checks the options of a select: not empty, different values, what is chosen at first among them. A select of
// persons may have none, and then offers the members of the chat.
func (w *walk) options(at string, o map[string]any, chosen string, persons bool) {
	list, isList := o["options"].([]any)
	if o["options"] != nil && !isList || len(list) == 0 && !persons {
		w.fault(at+"/options", "options must not be empty")
	}
	values := map[string]bool{}
	for i, v := range list {
		option, _ := v.(map[string]any)
		here := at + "/options/" + strconv.Itoa(i)
		value, isString := option["value"].(string)
		if !isString || value == "" || values[value] {
			w.fault(here+"/value", "option values must be different strings")
		}
		values[value] = true
		switch {
		case persons:
			object{props: map[string]rule{"value": anything}, need: []string{"value"}}.check(w, here, v)
		case option["img_key"] == nil:
			object{props: map[string]rule{"text": plain(noLimit), "value": anything, "icon": icon}, need: []string{"text", "value"}}.check(w, here, v)
		}
	}
	if persons && len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool {
		option, _ := v.(map[string]any)
		id, _ := option["value"].(string)
		return w.s.world.anyone(id) != nil
	}) {
		w.look.find(Must, "card.person_options_all_invalid", at+"/options", len(list)) // everyone in the chat is offered instead
	}
	initial, _ := o[chosen].([]any)
	if one, isString := o[chosen].(string); isString && one != "" {
		initial = []any{one}
	}
	for _, v := range initial {
		if id, _ := v.(string); !values[id] && (!persons || len(list) > 0) {
			w.fault(at+"/"+chosen, "what is chosen is not among the options")
		}
	}
	if _, given := o["initial_index"]; given {
		if n, fits := number(o["initial_index"]); !fits || int(n) > len(list) {
			w.fault(at+"/initial_index", "what is chosen is not among the options")
		}
	}
}
