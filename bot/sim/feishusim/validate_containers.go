package feishusim

// containers are the components that hold others.
func containers() map[string]object {
	layout := map[string]rule{
		"direction": direction, "horizontal_spacing": spacing, "vertical_spacing": spacing, "horizontal_align": align, "vertical_align": valign,
		"padding": padding,
	}
	column := object{
		props: with(layout, map[string]rule{
			"tag": oneOf("column"), "element_id": uniqueID, "width": matching(`auto|weighted|\d{2,3}px`), "weight": integer(1, 5), "margin": margin,
			"background_style": colour, "elements": elements, "action": object{props: map[string]rule{"multi_url": multiURL}}.check,
		}),
		need: []string{"tag"},
	}
	return map[string]object{
		"column_set": {
			props: map[string]rule{
				"flex_mode": oneOf("none", "stretch", "flow", "bisect", "trisect"), "horizontal_spacing": spacing, "horizontal_align": align,
				"background_style": colour, "columns": list(1, noLimit, column.check),
				"action": object{props: map[string]rule{"multi_url": multiURL}}.check,
			},
			need: []string{"columns"},
		},
		"form": {
			props: with(layout, map[string]rule{"name": uniqueName, "elements": form}),
			need:  []string{"name", "elements"},
			extra: func(w *walk, at string, _ map[string]any) {
				if !w.root {
					w.fault(at, "a form must stand at the root of the card")
				}
			},
		},
		"collapsible_panel": {
			props: with(layout, map[string]rule{
				"expanded": boolean, "background_color": colour, "elements": elements,
				"border": object{props: map[string]rule{"color": colour, "corner_radius": radius}}.check,
				"header": object{
					props: map[string]rule{
						"title": anyText, "background_color": colour, "width": oneOf("fill", "auto", "auto_when_fold"), "vertical_align": valign,
						"padding": padding, "position": oneOf("top", "bottom"), "icon": icon, "icon_position": oneOf("left", "right", "follow_text"),
						"icon_expanded_angle": integer(-180, 180),
					},
					need: []string{"title"},
				}.check,
			}),
			need: []string{"header", "elements"},
		},
		"interactive_container": {
			props: with(layout, map[string]rule{
				"elements": elements, "behaviors": list(1, noLimit, behavior), "width": matching(`fill|auto|\d{2,3}px`),
				"height": matching(`auto|\d{2,3}px`), "background_style": colour, "has_border": boolean, "border_color": colour, "corner_radius": radius,
				"disabled": boolean, "disabled_tips": plain(noLimit), "hover_tips": plain(noLimit), "confirm": confirm,
			}),
			need: []string{"elements", "behaviors"},
		},
	}
}

// form checks the elements of a form: one of them must submit it.
func form(w *walk, at string, v any) {
	if w.form {
		w.fault(at, "a form cannot contain a form")
	}
	w.form, w.submit = true, false
	w.inside(at, v)
	if !w.submit {
		w.fault(at, "a form needs a button with form_action_type submit")
	}
	w.form = false
}

// inside checks the elements of a container.
func (w *walk) inside(at string, v any) {
	root := w.root
	w.root = false
	w.depth++
	if w.depth > maxDepth {
		w.fault(at, "containers are nested deeper than %d", maxDepth)
	}
	list(0, noLimit, element)(w, at, v)
	w.depth--
	w.root = root
}

func elements(w *walk, at string, v any) { w.inside(at, v) }
