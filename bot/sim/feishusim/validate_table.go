package feishusim

import (
	"encoding/json"
	"maps"
	"slices"
)

func table() object {
	return object{
		props: map[string]rule{
			"page_size": integer(1, 10), "row_height": matching(`low|middle|high|auto|\d{2,3}px`), "row_max_height": matching(`\d{2,3}px`),
			"freeze_first_column": boolean, "columns": anything, "rows": anything,
			"header_style": object{props: map[string]rule{
				"text_align": align, "text_size": str(1, 64), "background_style": oneOf("grey", "none"), "text_color": colour, "bold": boolean,
				"lines": integer(1, 100),
			}}.check,
		},
		need: []string{"columns", "rows"},
		extra: func(w *walk, at string, o map[string]any) {
			w.tables++
			if !w.root {
				w.fault(at, "a table must stand at the root of the card")
			}
			w.rows(at+"/rows", o["rows"], w.columns(at+"/columns", o["columns"]))
		},
	}
}

var dataTypes = []string{"text", "lark_md", "number", "options", "persons", "date", "markdown"}

// columns checks the columns of a table and returns their data types by name.
func (w *walk) columns(at string, v any) map[string]string {
	list, isList := v.([]any)
	if !isList || len(list) == 0 || len(list) > 50 {
		w.faultOf(badColumn, at, "table columns must be 1 to 50")
	}
	types := map[string]string{}
	allowed := []string{"name", "display_name", "data_type", "width", "horizontal_align", "vertical_align", "format", "date_format"}
	for _, v := range list {
		c, _ := v.(map[string]any)
		name, _ := c["name"].(string)
		kind, given := c["data_type"].(string)
		if !given {
			kind = "text"
		}
		_, twice := types[name]
		if name == "" || twice || !slices.Contains(dataTypes, kind) {
			w.faultOf(badColumn, at, "table column is invalid")
		}
		for k := range c {
			if !slices.Contains(allowed, k) {
				w.fault(at, "unknown property, property: %s", k)
			}
		}
		types[name] = kind
	}
	return types
}

func (w *walk) rows(at string, v any, types map[string]string) {
	list, isList := v.([]any)
	if !isList {
		w.faultOf(badRow, at, "table rows must be a list")
	}
	for _, v := range list {
		row, isObject := v.(map[string]any)
		if !isObject {
			w.faultOf(badRow, at, "table row is not an object")
		}
		for _, k := range slices.Sorted(maps.Keys(row)) {
			kind, declared := types[k]
			if !declared {
				w.faultOf(badRow, at, "table row has an undeclared column")
				continue
			}
			w.cell(at, kind, row[k])
		}
	}
}

func (w *walk) cell(at, kind string, v any) {
	t, isString := v.(string)
	_, isNumber := v.(json.Number)
	_, isList := v.([]any)
	fits := isString
	switch kind {
	case "number", "date":
		fits = isNumber
	case "options", "persons":
		fits = isString || isList
	}
	if !fits && v != nil {
		w.faultOf(badRow, at, "table cell is no %s", kind)
	}
	switch {
	case kind == "lark_md" || kind == "markdown":
		w.markdown(at, t)
	case kind == "persons" && isString:
		w.person(at, t)
	case isString:
		w.look.anyString(at, t)
	}
	if all, _ := v.([]any); kind == "persons" {
		for _, id := range all {
			w.person(at, id)
		}
	}
}
