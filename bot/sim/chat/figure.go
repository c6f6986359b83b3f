package chat

import (
	"html/template"
	"math"
	"strconv"
)

// figure is a small chart: bars or a line over a few values.
type figure struct {
	words
	Kind  string // bar, line, or other for one that is only listed
	Title string
	Bars  []bar
	Line  string // points of a line, as SVG has them
	Width int
}

type bar struct {
	Label, Series, Value string
	X, Y, W, H           int
	Hue                  int
}

const (
	figureHeight = 120
	figureStep   = 44
	valuesShown  = 40
)

// chartOf reads the specification of a chart as far as it is data: values, the field along and the one up.
// https://www.visactor.io/vchart/guide/tutorial_docs/Chart_Concepts/Understanding_VChart
func chartOf(spec node, say words) *figure {
	f := &figure{words: say, Kind: "other", Title: spec.node("title").str("text")}
	data := spec.node("data")
	if data == nil {
		if list := spec.nodes("data"); len(list) > 0 {
			data = list[0]
		}
	}
	along, up, series := fieldOf(spec, "xField", "categoryField"), fieldOf(spec, "yField", "valueField"), fieldOf(spec, "seriesField")
	switch spec.str("type") {
	case "bar", "line", "area":
		f.Kind = spec.str("type")
	}
	values := data.nodes("values")
	values = values[:min(len(values), valuesShown)]
	top := 0.0
	for _, v := range values {
		n, err := strconv.ParseFloat(v.str(up), 64)
		if err == nil {
			top = math.Max(top, n)
		}
	}
	hues := map[string]int{}
	for i, v := range values {
		n, err := strconv.ParseFloat(v.str(up), 64)
		if err != nil {
			n = 0
		}
		b := bar{Label: v.str(along), Series: v.str(series), Value: v.str(up)}
		if _, seen := hues[b.Series]; !seen {
			hues[b.Series] = len(hues) % 12
		}
		b.Hue = hues[b.Series]
		if top > 0 && n > 0 {
			b.H = int(n / top * figureHeight)
		}
		b.X, b.Y, b.W = i*figureStep+8, figureHeight-b.H+18, figureStep-16
		f.Bars = append(f.Bars, b)
		f.Line += strconv.Itoa(b.X+b.W/2) + "," + strconv.Itoa(b.Y) + " "
	}
	f.Width = max(len(f.Bars), 1) * figureStep
	if len(hues) > 1 && f.Kind != "bar" {
		f.Kind = "other" // several lines are listed
	}
	return f
}

// fieldOf is the name of a field of the data, which a specification may give as a text or as a list of them.
func fieldOf(spec node, keys ...string) string {
	for _, k := range keys {
		if s := spec.str(k); s != "" {
			return s
		}
		if list, _ := spec[k].([]any); len(list) > 0 {
			if s, ok := list[0].(string); ok {
				return s
			}
		}
	}
	return ""
}

// Middle is where the label of a bar stands.
func (b bar) Middle() int { return b.X + b.W/2 }

// Top is where its value stands.
func (b bar) Top() int { return b.Y - 5 }

// ViewBox is the area that is drawn.
func (f figure) ViewBox() template.HTMLAttr {
	return template.HTMLAttr(`viewBox="0 0 ` + strconv.Itoa(f.Width) + ` ` + strconv.Itoa(figureHeight+40) + `"`)
}
