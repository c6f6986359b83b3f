package chat

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// table draws a table: every row, where Feishu turns pages.
// https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/content-components/table
func (d *feishuDrawing) table(e *feishuElement, n node) {
	columns := n.nodes("columns")
	class := func(c node) string {
		switch c.str("horizontal_align") {
		case "center", "right":
			return "to-" + c.str("horizontal_align")
		}
		return ""
	}
	for _, c := range columns {
		e.Heads = append(e.Heads, feishuCell{HTML: escaped(c.str("display_name")), Class: class(c)})
	}
	for _, r := range n.nodes("rows") {
		var row feishuRow
		for _, c := range columns {
			row.Cells = append(row.Cells, feishuCell{HTML: d.cell(c, r[c.str("name")]), Class: class(c)})
		}
		e.Rows = append(e.Rows, row)
	}
}

// cell draws a value by the type of its column.
func (d *feishuDrawing) cell(column node, v any) template.HTML {
	one := node{"v": v}
	switch column.str("data_type") {
	case "lark_md", "markdown":
		return d.markdown(one.str("v"))
	case "number":
		return escaped(formatted(one.str("v"), column.node("format")))
	case "date":
		ms, err := strconv.ParseInt(one.str("v"), 10, 64)
		if err != nil {
			return ""
		}
		return escaped(feishuDate(time.UnixMilli(ms).In(d.as.zone), column.str("date_format")))
	case "options":
		var b strings.Builder
		if s := one.str("v"); s != "" {
			b.WriteString(`<span class="tint">` + template.HTMLEscapeString(s) + "</span>")
		}
		for _, o := range nodesIn(v) {
			b.WriteString(`<span class="tint tone-` + tone(o.str("color")) + `">` + template.HTMLEscapeString(o.str("text")) + "</span> ")
		}
		return template.HTML(b.String())
	case "persons":
		ids, _ := v.([]any)
		if s := one.str("v"); s != "" {
			ids = []any{s}
		}
		var b strings.Builder
		for _, id := range ids {
			text, _ := id.(string)
			writeChip(&b, d.nameOf(text), " plainly")
			b.WriteString(" ")
		}
		return template.HTML(b.String())
	}
	return lines(one.str("v"))
}

// formatted is a number with a column's symbol, places and separators.
func formatted(number string, format node) string {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return number
	}
	if format.has("precision") {
		number = strconv.FormatFloat(f, 'f', min(max(format.num("precision"), 0), 10), 64)
	}
	if format.flag("separator") {
		whole, part, _ := strings.Cut(number, ".")
		sign := ""
		if strings.HasPrefix(whole, "-") {
			sign, whole = "-", whole[1:]
		}
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
		number = sign + whole
		if part != "" {
			number += "." + part
		}
	}
	return format.str("symbol") + number
}

// feishuDate writes a day as a column asks: YYYY, MM, DD, HH, mm, ss.
func feishuDate(t time.Time, layout string) string {
	if layout == "" {
		layout = "YYYY/MM/DD"
	}
	return t.Format(strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02", "HH", "15", "mm", "04", "ss", "05").Replace(layout))
}
