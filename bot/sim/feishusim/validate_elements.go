package feishusim

import (
	"maps"
	"slices"
	"strings"
)

// Frequent kinds of value.
var (
	align     = oneOf("left", "center", "right")
	valign    = oneOf("top", "center", "bottom")
	direction = oneOf("vertical", "horizontal")
	spacing   = matching(`small|medium|large|extra_large|\d{1,2}px`)
	margin    = matching(`0|-?\d{1,2}px( -?\d{1,2}px){0,3}`)
	padding   = matching(`0|\d{1,2}px( \d{1,2}px){0,3}`)
	width     = matching(`default|fill|auto|[1-9]\d{2,}px`)
	radius    = matching(`\d+px|\d{1,2}%|100%`)
	colour    = str(1, 64)
	elementID = matching(`[A-Za-z][A-Za-z0-9_]{0,19}`)
)

// card is the root. https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-structure
func card() object {
	return object{
		props: map[string]rule{
			"schema": oneOf("2.0"), "config": config, "card_link": multiURL, "header": header, "body": body,
		},
	}
}

func config(w *walk, at string, v any) {
	object{props: map[string]rule{
		"streaming_mode": boolean, "streaming_config": anything, "locales": list(0, len(locales), oneOf(locales...)),
		"enable_forward": boolean, "width_mode": oneOf("default", "compact", "fill"), "use_custom_translation": boolean,
		"enable_forward_interaction": boolean, "style": object{props: map[string]rule{"text_size": anything, "color": anything}}.check,
		"summary": object{props: map[string]rule{"content": str(0, noLimit), "i18n_content": localized}, need: []string{"content"}}.check,
		"update_multi": func(w *walk, at string, v any) {
			if v != true {
				w.faultOf(badConfig, at, "schemaV2 card only support update_multi true")
			}
		},
	}}.check(w, at, v)
	o, _ := v.(map[string]any)
	if summary, _ := o["summary"].(map[string]any); summary != nil {
		t, _ := summary["content"].(string)
		w.look.anyString(at+"/summary/content", t)
	}
	if o["enable_forward_interaction"] == true {
		w.look.find(Should, "card.forwarded_works", at+"/enable_forward_interaction", 0)
	}
}

func multiURL(w *walk, at string, v any) {
	object{
		props: map[string]rule{"url": str(0, noLimit), "android_url": str(0, noLimit), "ios_url": str(0, noLimit), "pc_url": str(0, noLimit)},
		extra: func(w *walk, at string, o map[string]any) {
			if empty(o["url"]) && (empty(o["android_url"]) || empty(o["ios_url"]) || empty(o["pc_url"])) {
				w.fault(at, "url, or all three of android_url, ios_url and pc_url, must be given")
			}
			for k, v := range o {
				t, _ := v.(string)
				w.look.link(at+"/"+k, t)
			}
		},
	}.check(w, at, v)
}

func empty(v any) bool {
	t, isString := v.(string)
	return !isString || t == ""
}

var templates = []string{
	"blue", "wathet", "turquoise", "green", "yellow", "orange", "red", "carmine", "violet", "purple", "indigo", "grey", "default",
}

func header(w *walk, at string, v any) {
	tags := list(0, noLimit, object{
		props: map[string]rule{"tag": oneOf("text_tag"), "element_id": uniqueID, "text": plain(noLimit), "color": colour},
		need:  []string{"tag", "text"},
	}.check)
	object{
		props: map[string]rule{
			"title": anyText, "subtitle": anyText, "template": oneOf(templates...), "icon": icon, "padding": padding,
			"text_tag_list": tags, "i18n_text_tag_list": func(w *walk, at string, v any) {
				o, _ := v.(map[string]any)
				for k, each := range o {
					tags(w, at+"/"+k, each)
				}
			},
		},
		need: []string{"title"},
		extra: func(w *walk, at string, o map[string]any) {
			if l, _ := o["text_tag_list"].([]any); len(l) > 3 {
				w.look.find(Should, "card.header_tags_over_3", at+"/text_tag_list", len(l))
			}
		},
	}.check(w, at, v)
}

func icon(w *walk, at string, v any) {
	o, _ := v.(map[string]any)
	if o["tag"] == "custom_icon" {
		object{props: map[string]rule{"tag": anything, "img_key": imageKey, "size": str(1, 64)}, need: []string{"img_key"}}.check(w, at, v)
		return
	}
	object{
		props: map[string]rule{"tag": oneOf("standard_icon"), "token": str(1, 128), "color": colour, "size": str(1, 64)},
		need:  []string{"tag", "token"},
	}.check(w, at, v)
}

func imageKey(w *walk, at string, v any) { w.image(at, v) }

func uniqueID(w *walk, at string, v any) {
	elementID(w, at, v)
	if id, _ := v.(string); w.ids[id] {
		w.fault(at, "duplicate element_id")
	} else {
		w.ids[id] = true
	}
}

func uniqueName(w *walk, at string, v any) {
	str(1, 128)(w, at, v)
	if n, _ := v.(string); w.names[n] {
		w.fault(at, "duplicate name")
	} else {
		w.names[n] = true
	}
}

func body(w *walk, at string, v any) {
	object{
		props: map[string]rule{
			"direction": direction, "padding": padding, "horizontal_spacing": spacing, "vertical_spacing": spacing,
			"horizontal_align": align, "vertical_align": valign,
			"elements": func(w *walk, at string, v any) {
				w.root = true
				list(0, noLimit, element)(w, at, v)
			},
		},
		need: []string{"elements"},
	}.check(w, at, v)
}

func element(w *walk, at string, v any) {
	o, isObject := v.(map[string]any)
	tag, tagged := o["tag"].(string)
	switch {
	case !isObject || !tagged:
		w.fault(at, "required property is missing: tag")
		return
	case tag == "action" || tag == "note":
		w.faultOf(badTag, at+"/tag", "cards of schema V2 no longer support this capability; unsupported tag %s", tag)
		return
	}
	spec, known := w.s.components[tag]
	if !known {
		w.fault(at+"/tag", "not support tag: %s", tag)
		return
	}
	if w.form && slices.Contains(interactive, tag) && empty(o["name"]) {
		w.fault(at, "name is required in a form")
	}
	if o["required"] != nil && !w.form {
		w.fault(at+"/required", "required works only in a form")
	}
	spec.check(w, at, v)
}

// interactive are the components which a form asks a name of.
var interactive = []string{
	"button", "input", "overflow", "select_static", "multi_select_static", "select_person", "multi_select_person", "date_picker",
	"picker_time", "picker_datetime", "select_img", "checker",
}

// components are the components of JSON 2.0 by tag.
func components() map[string]object {
	personSize := oneOf("extra_small", "small", "medium", "large")
	out := map[string]object{
		"hr":       {},
		"markdown": markdownComponent(),
		"div": {
			props: map[string]rule{
				"text": anyText, "icon": icon, "width": matching(`fill|auto|\d{2,3}px`),
				"fields": list(0, noLimit, object{props: map[string]rule{"is_short": boolean, "text": anyText}, need: []string{"text"}}.check),
			},
			extra: func(w *walk, at string, o map[string]any) {
				if o["text"] == nil && o["fields"] == nil {
					w.fault(at, "required property is missing: text")
				}
			},
		},
		"img": {
			props: map[string]rule{
				"img_key": imageKey, "alt": plain(noLimit), "title": anyText, "scale_type": oneOf("crop_center", "crop_top", "fit_horizontal"),
				"size": str(1, 64), "corner_radius": radius, "transparent": boolean, "preview": boolean,
			},
			need: []string{"img_key", "alt"},
		},
		"img_combination": {
			props: map[string]rule{
				"combination_mode": oneOf("double", "triple", "bisect", "trisect"), "combination_transparent": boolean, "corner_radius": radius,
				"img_list": list(1, 9, object{props: map[string]rule{"img_key": imageKey}, need: []string{"img_key"}}.check),
			},
			need: []string{"combination_mode", "img_list"},
		},
		"person": {
			props: map[string]rule{
				"user_id": func(w *walk, at string, v any) { w.person(at, v) }, "size": personSize, "show_avatar": boolean, "show_name": boolean,
				"style": oneOf("normal", "capsule"),
			},
			need: []string{"user_id"},
		},
		"person_list": {
			props: map[string]rule{
				"persons":   list(1, noLimit, object{props: map[string]rule{"id": str(1, 64)}, need: []string{"id"}}.check),
				"show_name": boolean, "show_avatar": boolean, "size": personSize, "lines": integer(1, 100), "drop_invalid_user_id": boolean,
				"icon": icon, "ud_icon": icon,
			},
			need: []string{"persons"},
			extra: func(w *walk, at string, o map[string]any) {
				persons, _ := o["persons"].([]any)
				for _, v := range persons {
					if p, _ := v.(map[string]any); o["drop_invalid_user_id"] != true {
						w.person(at+"/persons", p["id"])
					}
				}
			},
		},
		"chart": chart(),
		"table": table(),
	}
	maps.Copy(out, containers())
	maps.Copy(out, controls())
	for tag, spec := range out {
		spec.props = with(spec.props, map[string]rule{"tag": anything, "element_id": uniqueID, "margin": margin})
		out[tag] = spec
	}
	return out
}

func markdownComponent() object {
	return object{
		props: map[string]rule{
			"content": str(0, noLimit), "i18n_content": localized, "text_size": str(1, 64), "text_align": align, "icon": icon,
		},
		need: []string{"content"},
		extra: func(w *walk, at string, o map[string]any) {
			t, _ := o["content"].(string)
			w.markdown(at+"/content", t)
			i18n, _ := o["i18n_content"].(map[string]any)
			for _, k := range slices.Sorted(maps.Keys(i18n)) {
				t, _ := i18n[k].(string)
				w.markdown(at+"/i18n_content/"+k, t)
			}
		},
	}
}

func chart() object {
	return object{
		props: map[string]rule{
			"chart_spec": func(w *walk, at string, v any) {
				if o, isObject := v.(map[string]any); !isObject || empty(o["type"]) {
					w.fault(at, "chart_spec must be a VChart specification with a type")
				}
			},
			"aspect_ratio": oneOf("1:1", "2:1", "4:3", "16:9"), "color_theme": oneOf("brand", "rainbow", "complementary", "converse", "primary"),
			"preview": boolean, "height": matching(`auto|\d{1,3}px`),
		},
		need: []string{"chart_spec"},
		extra: func(w *walk, at string, _ map[string]any) {
			w.charts++
			if w.form {
				w.fault(at, "a form cannot contain a chart")
			}
		},
	}
}

func behavior(w *walk, at string, v any) {
	o, _ := v.(map[string]any)
	if o["type"] == "callback" {
		object{
			props: map[string]rule{"type": anything, "value": func(w *walk, at string, v any) {
				_, isObject := v.(map[string]any)
				if _, isString := v.(string); !isObject && !isString {
					w.fault(at, "value must be an object or a string")
				}
			}},
			need: []string{"value"},
		}.check(w, at, v)
		return
	}
	object{
		props: map[string]rule{
			"type": oneOf("callback", "open_url"), "default_url": str(0, noLimit), "android_url": str(0, noLimit), "ios_url": str(0, noLimit),
			"pc_url": str(0, noLimit),
		},
		need: []string{"type"},
		extra: func(w *walk, at string, o map[string]any) {
			if empty(o["default_url"]) && (empty(o["android_url"]) || empty(o["ios_url"]) || empty(o["pc_url"])) {
				w.fault(at, "default_url, or all three of android_url, ios_url and pc_url, must be given")
			}
			for k, v := range o {
				if t, isString := v.(string); isString && strings.HasSuffix(k, "_url") {
					w.look.link(at+"/"+k, t)
				}
			}
		},
	}.check(w, at, v)
}

func confirm(w *walk, at string, v any) {
	object{props: map[string]rule{"title": plain(noLimit), "text": plain(noLimit)}, need: []string{"title", "text"}}.check(w, at, v)
}
