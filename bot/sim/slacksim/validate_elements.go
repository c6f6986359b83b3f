package slacksim

import (
	"bytes"
	"slices"
	"strconv"
)

func singleSelects() []string {
	return []string{"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
}

func selects() []string {
	out := singleSelects()
	for _, k := range singleSelects() {
		out = append(out, "multi_"+k)
	}
	return out
}

// accessories may stand beside a section's text.
func accessories() []string {
	return append(selects(), "button", "checkboxes", "datepicker", "image", "overflow", "radio_buttons", "timepicker", "workflow_button")
}

// actionables may stand in an actions block; text inputs may not.
func actionables() []string {
	return append(selects(), "button", "checkboxes", "datepicker", "datetimepicker", "overflow", "radio_buttons", "timepicker",
		"workflow_button", "rich_text_input")
}

// inputElements may stand in an input block; buttons and overflow menus may not.
func inputElements() []string {
	return append(selects(), "plain_text_input", "number_input", "email_text_input", "url_text_input", "file_input", "rich_text_input",
		"checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker")
}

// element checks one block element of an allowed type. Only one element of a view may take the focus.
func element(allowed ...string) rule {
	return func(w *walk, at string, v any) {
		byType(elementTable(), allowed...)(w, at, v)
		o, _ := v.(map[string]any)
		if o["focus_on_load"] == true {
			if w.focused {
				w.fault(at+"/focus_on_load", "focus_on_load can be set on only one element")
			}
			w.focused = true
		}
	}
}

func elementTable() map[string]object {
	base := func(kind string) map[string]rule {
		return map[string]rule{"type": oneOf(kind), "action_id": str(1, 255)}
	}
	confirmable := map[string]rule{"confirm": confirm}
	focusable := map[string]rule{"focus_on_load": boolean}
	placeholder := map[string]rule{"placeholder": plain(150)}
	dispatchable := map[string]rule{"dispatch_action_config": object{
		props: map[string]rule{"trigger_actions_on": list(1, 2, oneOf("on_enter_pressed", "on_character_entered"))},
	}.check}
	picker := func(kind string, more map[string]rule) map[string]rule {
		return with(base(kind), confirmable, focusable, placeholder, more)
	}
	textField := func(kind string, more map[string]rule) map[string]rule {
		return with(base(kind), focusable, placeholder, dispatchable, more)
	}
	table := map[string]object{
		"button": {
			props: with(base("button"), confirmable, map[string]rule{
				"text": plain(75), "value": str(0, 2000), "url": str(1, 3000), "style": oneOf("primary", "danger"),
				"accessibility_label": str(0, 75),
			}),
			need: []string{"text"},
		},
		"workflow_button": {
			props: with(base("workflow_button"), confirmable, map[string]rule{
				"text": plain(75), "style": oneOf("primary", "danger"), "accessibility_label": str(0, 75), "workflow": workflow,
			}),
			need: []string{"text", "workflow"},
		},
		"feedback_buttons": {
			props: with(base("feedback_buttons"), map[string]rule{"positive_button": feedbackButton, "negative_button": feedbackButton}),
			need:  []string{"positive_button", "negative_button"},
		},
		"icon_button": {
			props: with(base("icon_button"), confirmable, map[string]rule{
				"icon": str(1, 255), "text": plain(75), "value": str(0, 2000), "accessibility_label": str(0, 75),
				"visible_to_user_ids": list(0, 100, str(1, 255)),
			}),
			need: []string{"icon", "text"},
		},
		"image": {
			props: map[string]rule{"type": oneOf("image"), "image_url": webURL, "slack_file": slackFile, "alt_text": str(1, 2000)},
			need:  []string{"alt_text"},
			extra: func(w *walk, at string, o map[string]any) { xor(w, at, o, "image_url", "slack_file") },
		},
		"overflow": {
			props: with(base("overflow"), confirmable, map[string]rule{"options": list(1, 5, option("plain_text", "url"))}),
			need:  []string{"options"},
		},
		"checkboxes": {
			props: with(base("checkboxes"), confirmable, focusable, map[string]rule{
				"options": list(1, 10, option("mrkdwn")), "initial_options": list(1, 10, option("mrkdwn")),
			}),
			need:  []string{"options"},
			extra: initialsOffered,
		},
		"radio_buttons": {
			props: with(base("radio_buttons"), confirmable, focusable, map[string]rule{
				"options": list(1, 10, option("mrkdwn")), "initial_option": option("mrkdwn"),
			}),
			need:  []string{"options"},
			extra: initialsOffered,
		},
		"datepicker": {props: picker("datepicker", map[string]rule{"initial_date": matching(datePattern, "must be in the format YYYY-MM-DD")})},
		"timepicker": {props: picker("timepicker", map[string]rule{
			"initial_time": matching(timePattern, "must be in the format HH:mm"), "timezone": str(1, 255),
		})},
		"datetimepicker": {props: with(base("datetimepicker"), confirmable, focusable, map[string]rule{
			"initial_date_time": integer(1_000_000_000, 9_999_999_999),
		})},
		"plain_text_input": {
			props: textField("plain_text_input", map[string]rule{
				"initial_value": str(0, 3000), "multiline": boolean, "min_length": integer(0, 3000), "max_length": integer(1, 3000),
			}),
			extra: lengthsAgree,
		},
		"email_text_input": {props: textField("email_text_input", map[string]rule{"initial_value": str(0, 3000)})},
		"url_text_input":   {props: textField("url_text_input", map[string]rule{"initial_value": str(0, 3000)})},
		"number_input": {
			props: textField("number_input", map[string]rule{
				"is_decimal_allowed": boolean, "initial_value": numeric, "min_value": numeric, "max_value": numeric,
			}),
			need:  []string{"is_decimal_allowed"},
			extra: numbersAgree,
		},
		"rich_text_input": {props: textField("rich_text_input", map[string]rule{
			"initial_value": richText, "min_lines": integer(1, 1000), "max_lines": integer(1, 1000),
		})},
		"file_input": {props: with(base("file_input"), map[string]rule{
			"filetypes": list(1, 100, str(1, 255)), "max_files": integer(1, 10),
		})},
	}
	addSelects(table, picker)
	return table
}

// addSelects adds the five single and five multiple selects, which differ only in where choices come from.
func addSelects(table map[string]object, picker func(string, map[string]rule) map[string]rule) {
	filter := object{
		props: map[string]rule{
			"include": list(1, 4, oneOf("im", "mpim", "private", "public")), "exclude_external_shared_channels": boolean,
			"exclude_bot_users": boolean,
		},
		extra: func(w *walk, at string, o map[string]any) {
			if len(o) == 0 {
				w.fault(at, "must provide at least one filter")
			}
		},
	}.check
	choices := map[string]rule{"options": list(1, 100, option("plain_text")), "option_groups": list(1, 100, optionGroup)}
	query := map[string]rule{"min_query_length": integer(0, 1000)}
	url := map[string]rule{"response_url_enabled": boolean}
	talk := map[string]rule{"default_to_current_conversation": boolean, "filter": filter}
	id, ids := str(1, 255), list(0, 100, str(1, 255))
	one, many := option("plain_text"), list(1, 100, option("plain_text"))
	single := map[string]map[string]rule{
		"static_select":        with(choices, map[string]rule{"initial_option": one}),
		"external_select":      with(query, map[string]rule{"initial_option": one}),
		"users_select":         {"initial_user": id},
		"channels_select":      with(url, map[string]rule{"initial_channel": id}),
		"conversations_select": with(url, talk, map[string]rule{"initial_conversation": id}),
	}
	multiple := map[string]map[string]rule{
		"static_select":        with(choices, map[string]rule{"initial_options": many}),
		"external_select":      with(query, map[string]rule{"initial_options": many}),
		"users_select":         {"initial_users": ids},
		"channels_select":      {"initial_channels": ids},
		"conversations_select": with(talk, map[string]rule{"initial_conversations": ids}),
	}
	for _, kind := range singleSelects() {
		spec, multi := object{props: picker(kind, single[kind])}, object{}
		multi.props = picker("multi_"+kind, with(multiple[kind], map[string]rule{"max_selected_items": integer(1, 1<<31-1)}))
		if kind == "static_select" {
			spec.extra, multi.extra = staticChoices, staticChoices
		}
		table[kind], table["multi_"+kind] = spec, multi
	}
}

// staticChoices wants options or option_groups, not both, and initial choices among them.
func staticChoices(w *walk, at string, o map[string]any) {
	xor(w, at, o, "options", "option_groups")
	initialsOffered(w, at, o)
}

// option is a choice: text ≤ 75, value ≤ 150 as python-slack-sdk has it; text may be mrkdwn only in checkboxes and radio
// buttons, url only in overflow menus.
func option(allow ...string) rule {
	label := plain(75)
	if slices.Contains(allow, "mrkdwn") {
		label = anyText(75)
	}
	description := plain(75)
	if slices.Contains(allow, "mrkdwn") {
		description = anyText(75)
	}
	props := map[string]rule{"text": label, "value": str(1, 150), "description": description}
	if slices.Contains(allow, "url") {
		props["url"] = str(1, 3000)
	}
	return object{props: props, need: []string{"text", "value"}}.check
}

func optionGroup(w *walk, at string, v any) {
	object{
		props: map[string]rule{"label": plain(75), "options": list(1, 100, option("plain_text"))}, need: []string{"label", "options"},
	}.check(w, at, v)
}

// initialsOffered wants every initial choice to be exactly one of the options.
func initialsOffered(w *walk, at string, o map[string]any) {
	offered := field{el: o}.options()
	if len(offered) == 0 {
		return
	}
	known := func(v any) bool {
		return slices.ContainsFunc(offered, func(o any) bool { return bytes.Equal(encodeJSON(o), encodeJSON(v)) })
	}
	if v, there := o["initial_option"]; there && !known(v) {
		w.fault(at+"/initial_option", "initial_option must match one of the options")
	}
	initial, _ := o["initial_options"].([]any)
	for i, v := range initial {
		if !known(v) {
			w.fault(at+"/initial_options/"+strconv.Itoa(i), "initial_options must match the options")
		}
	}
}

func confirm(w *walk, at string, v any) {
	object{
		props: map[string]rule{
			"title": plain(100), "text": anyText(300), "confirm": plain(30), "deny": plain(30), "style": oneOf("primary", "danger"),
		},
		need: []string{"title", "text", "confirm", "deny"},
	}.check(w, at, v)
}

func workflow(w *walk, at string, v any) {
	parameter := object{props: map[string]rule{"name": str(1, 255), "value": str(0, 3000)}, need: []string{"name", "value"}}
	trigger := object{
		props: map[string]rule{"url": webURL, "customizable_input_parameters": list(0, 100, parameter.check)}, need: []string{"url"},
	}
	object{props: map[string]rule{"trigger": trigger.check}, need: []string{"trigger"}}.check(w, at, v)
}

func feedbackButton(w *walk, at string, v any) {
	object{
		props: map[string]rule{"text": plain(75), "value": str(0, 2000), "accessibility_label": str(0, 75)}, need: []string{"text", "value"},
	}.check(w, at, v)
}

// numeric is a number written as a string.
func numeric(w *walk, at string, v any) {
	if _, isString := v.(string); !isString {
		w.fault(at, "must provide a string")
		return
	}
	if _, isNumber := number(v); !isNumber {
		w.fault(at, "must be a valid number")
	}
}

func lengthsAgree(w *walk, at string, o map[string]any) {
	least, hasLeast := number(o["min_length"])
	most, hasMost := number(o["max_length"])
	if hasLeast && hasMost && least > most {
		w.fault(at+"/min_length", "min_length must not exceed max_length")
	}
	if t, given := o["initial_value"].(string); given && hasMost && float64(length(t)) > most {
		w.fault(at+"/initial_value", "must be less than %v characters", most+1)
	}
}

func numbersAgree(w *walk, at string, o map[string]any) {
	low, hasLow := number(o["min_value"])
	high, hasHigh := number(o["max_value"])
	if hasLow && hasHigh && low > high {
		w.fault(at+"/min_value", "min_value must not exceed max_value")
	}
	if v, given := number(o["initial_value"]); given && (hasLow && v < low || hasHigh && v > high) {
		w.fault(at+"/initial_value", "initial_value must lie between min_value and max_value")
	}
}
