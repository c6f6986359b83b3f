package feishusim

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// check validates one card and returns the first code inside 230099, 0 for none.
func (w *office) check(card any) (int, cardFaults) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, err := decodeJSON(encodeJSON(card))
	if err != nil {
		return -1, nil
	}
	faults := w.validateCard(v, inspection{s: w.Server})
	if len(faults) == 0 {
		return 0, nil
	}
	return faults[0].code, faults
}

func edited(card obj, path string, v any) obj {
	steps := strings.Split(path, ".")
	o := card
	for _, s := range steps[:len(steps)-1] {
		o, _ = o[s].(obj)
	}
	o[steps[len(steps)-1]] = v
	return card
}

func with1(o obj, k string, v any) obj {
	c := obj{}
	for key, value := range o {
		c[key] = value
	}
	c[k] = v
	return c
}

func nested(n int, inner any) any {
	for range n {
		inner = obj{"tag": "column_set", "columns": []any{obj{"tag": "column", "elements": []any{inner}}}}
	}
	return inner
}

func TestEveryComponentIsAccepted(t *testing.T) {
	w := newOffice(t, nil)
	w.world.files["img_1"] = &stored{}
	option := obj{"text": plainText("A"), "value": "a"}
	named := func(tag, name string, more obj) obj {
		o := with1(more, "tag", tag)
		o["name"] = name
		return o
	}
	card := cardOf(
		with1(md("**b** <at id="+w.kai.OpenID+"></at> <person id='"+w.kai.UserID+"'></person> ![x](img_1) [l](https://x.example)"), "element_id", "md_1"),
		obj{"tag": "hr", "margin": "-4px 0px"}, div("plain"),
		obj{"tag": "div", "fields": []any{obj{"is_short": true, "text": obj{"tag": "lark_md", "content": "*x*"}}}, "icon": obj{"tag": "standard_icon", "token": "chat_outlined"}},
		obj{"tag": "img", "img_key": "img_1", "alt": plainText("")}, obj{"tag": "img_combination", "combination_mode": "double", "img_list": []any{obj{"img_key": "img_1"}}},
		obj{"tag": "person", "user_id": w.kai.OpenID, "style": "capsule"}, obj{"tag": "person_list", "persons": []any{obj{"id": w.kai.UnionID}}},
		obj{"tag": "person_list", "persons": []any{obj{"id": "gone"}}, "drop_invalid_user_id": true},
		obj{"tag": "chart", "aspect_ratio": "16:9", "chart_spec": obj{"type": "bar", "data": obj{"values": []any{}}}},
		obj{
			"tag": "table", "page_size": 5, "columns": []any{obj{"name": "a"}, obj{"name": "n", "data_type": "number"}, obj{"name": "p", "data_type": "persons"}},
			"rows": []any{obj{"a": "x", "n": 1, "p": []any{w.kai.OpenID}}},
		},
		obj{"tag": "column_set", "flex_mode": "none", "columns": []any{obj{"tag": "column", "width": "weighted", "weight": 5, "elements": []any{md("x")}}}},
		obj{"tag": "collapsible_panel", "expanded": false, "header": obj{"title": plainText("more")}, "elements": []any{md("x")}},
		obj{"tag": "interactive_container", "behaviors": callback(obj{}), "elements": []any{md("x")}},
		named("button", "b1", obj{"text": plainText("x"), "type": "primary_filled", "size": "tiny", "width": "120px", "behaviors": callback("s"), "confirm": obj{"title": plainText("?"), "text": plainText("!")}}),
		named("overflow", "b2", obj{"options": []any{option}}),
		obj{"tag": "form", "name": "f1", "elements": []any{
			named("input", "i1", obj{"input_type": "multiline_text", "max_length": 1000, "label": plainText("l"), "required": true, "rows": 3}),
			named("select_static", "i2", obj{"options": []any{option}, "initial_option": "a"}),
			named("multi_select_static", "i3", obj{"options": []any{option}, "selected_values": []any{"a"}}),
			named("select_person", "i4", obj{"options": []any{obj{"value": w.kai.OpenID}}}), named("multi_select_person", "i5", obj{}),
			named("date_picker", "i6", obj{"initial_date": "2026-01-02"}), named("picker_time", "i7", obj{"initial_time": "09:30"}),
			named("picker_datetime", "i8", obj{"initial_datetime": "2026-01-02 09:30"}),
			named("select_img", "i9", obj{"options": []any{obj{"img_key": "img_1", "value": "a"}}, "multi_select": true}), named("checker", "i10", obj{"text": plainText("x")}),
			named("button", "i11", obj{"text": plainText("go"), "form_action_type": "submit"}), named("button", "i12", obj{"text": plainText("no"), "form_action_type": "reset"}),
		}},
	)
	card["config"] = obj{
		"update_multi": true, "width_mode": "fill", "enable_forward": false, "summary": obj{"content": "x", "i18n_content": obj{"en_us": "x"}},
		"style": obj{"color": obj{}}, "locales": []any{"zh_cn"},
	}
	card["card_link"] = obj{"url": "https://x.example"}
	card["header"] = obj{
		"title": plainText("t"), "subtitle": plainText("s"), "template": "wathet", "icon": obj{"tag": "custom_icon", "img_key": "img_1"},
		"text_tag_list": []any{obj{"tag": "text_tag", "text": plainText("new"), "color": "red"}},
	}
	if _, faults := w.check(card); len(faults) > 0 {
		t.Errorf("a card with everything is refused: %v", faults)
	}
	if found := w.Findings(); len(found) > 0 {
		t.Errorf("a card with everything has faults: %v", found)
	}
}

func TestWhatFeishuRefusesInACard(t *testing.T) {
	w := newOffice(t, nil)
	w.world.files["img_1"] = &stored{}
	input := obj{"tag": "input", "name": "i"}
	option := obj{"text": plainText("A"), "value": "a"}
	button := buttonOf("x", "b")
	behavior := func(b obj) obj { return with1(button, "behaviors", []any{b}) }
	selects := func(more obj) obj {
		return with1(with1(more, "tag", "select_static"), "name", "s")
	}
	table := func(columns, rows any) obj { return obj{"tag": "table", "columns": columns, "rows": rows} }
	for what, c := range map[string]struct {
		card any
		code int
	}{
		"stringified twice":             {string(encodeJSON(cardOf())), badCard},
		"a list":                        {[]any{}, badCard},
		"an odd schema":                 {edited(cardOf(), "schema", "3.0"), badCard},
		"a template":                    {obj{"type": "template", "data": obj{}}, overLimit},
		"elements at the root":          {edited(cardOf(), "elements", []any{}), badCard},
		"i18n_elements":                 {edited(cardOf(), "i18n_elements", obj{}), badCard},
		"fallback":                      {edited(cardOf(), "fallback", obj{}), badCard},
		"wide_screen_mode":              {edited(cardOf(), "config.wide_screen_mode", true), badCard},
		"update_multi false":            {edited(cardOf(), "config.update_multi", false), badConfig},
		"an odd width":                  {edited(cardOf(), "config.width_mode", "wide"), badCard},
		"a header without title":        {edited(cardOf(), "header", obj{"template": "blue"}), badCard},
		"an odd template":               {edited(cardOf(), "header.template", "pink"), badCard},
		"a title that is a string":      {edited(cardOf(), "header.title", "x"), badCard},
		"a link to nowhere":             {edited(cardOf(), "card_link", obj{}), badCard},
		"no elements":                   {edited(cardOf(), "body", obj{}), badCard},
		"an action":                     {cardOf(obj{"tag": "action", "actions": []any{}}), badTag},
		"a note":                        {cardOf(obj{"tag": "note", "elements": []any{}}), badTag},
		"an odd tag":                    {cardOf(obj{"tag": "marquee"}), badCard},
		"no tag":                        {cardOf(obj{"content": "x"}), badCard},
		"an unknown property":           {cardOf(with1(md("x"), "bold", true)), badCard},
		"a markdown without content":    {cardOf(obj{"tag": "markdown"}), badCard},
		"a text of mrkdwn":              {cardOf(obj{"tag": "div", "text": obj{"tag": "mrkdwn", "content": "x"}}), badCard},
		"an image nobody uploaded":      {cardOf(obj{"tag": "img", "img_key": "img_none", "alt": plainText("")}), badImage},
		"an image without alt":          {cardOf(obj{"tag": "img", "img_key": "img_1"}), badCard},
		"an image in markdown":          {cardOf(md("![x](https://x.example/a.png)")), badImage},
		"a person who is not there":     {cardOf(obj{"tag": "person", "user_id": "ou_none"}), badPerson},
		"a mention of nobody":           {cardOf(md("<at id=ou_none></at>")), badPerson},
		"a mention in lark_md":          {cardOf(obj{"tag": "div", "text": obj{"tag": "lark_md", "content": `<at id="ou_none"></at>`}}), badPerson},
		"persons who are not there":     {cardOf(obj{"tag": "person_list", "persons": []any{obj{"id": "x"}}}), badPerson},
		"an element_id with a digit":    {cardOf(with1(md("x"), "element_id", "1a")), badCard},
		"an element_id twice":           {cardOf(with1(md("x"), "element_id", "a"), with1(md("x"), "element_id", "a")), badCard},
		"a name twice":                  {cardOf(buttonOf("x", "a"), buttonOf("y", "a")), badCard},
		"a margin of 100px":             {cardOf(with1(md("x"), "margin", "100px")), badCard},
		"a chart without type":          {cardOf(obj{"tag": "chart", "chart_spec": obj{}}), badCard},
		"an empty button":               {cardOf(obj{"tag": "button"}), badCard},
		"a button of an odd type":       {cardOf(with1(button, "type", "warning")), badCard},
		"a submit outside a form":       {cardOf(with1(button, "form_action_type", "submit")), badCard},
		"a number for a value":          {cardOf(behavior(obj{"type": "callback", "value": 1})), badCard},
		"a callback without value":      {cardOf(behavior(obj{"type": "callback"})), badCard},
		"an odd behavior":               {cardOf(behavior(obj{"type": "dance"})), badCard},
		"a link with two of three":      {cardOf(behavior(obj{"type": "open_url", "pc_url": "https://a", "ios_url": "https://a"})), badCard},
		"a confirm without text":        {cardOf(with1(button, "confirm", obj{"title": plainText("?")})), badCard},
		"a form without submit":         {cardOf(obj{"tag": "form", "name": "f", "elements": []any{input}}), badCard},
		"a form without name":           {cardOf(obj{"tag": "form", "elements": []any{submitOf("x", "y")}}), badCard},
		"a form in a form":              {cardOf(formOf(obj{"tag": "form", "name": "g", "elements": []any{submitOf("x", "z")}})), badCard},
		"a form in a column":            {cardOf(nested(1, formOf(input))), badCard},
		"a table in a form":             {cardOf(formOf(table([]any{obj{"name": "a"}}, []any{}))), badCard},
		"a chart in a form":             {cardOf(formOf(obj{"tag": "chart", "chart_spec": obj{"type": "bar"}})), badCard},
		"an input without name":         {cardOf(formOf(obj{"tag": "input"})), badCard},
		"an input in a column":          {cardOf(formOf(nested(1, obj{"tag": "input"}))), badCard},
		"required outside a form":       {cardOf(with1(input, "required", true)), badCard},
		"an odd input type":             {cardOf(with1(input, "input_type", "number")), badCard},
		"an odd label position":         {cardOf(with1(input, "label_position", "right")), badCard},
		"a select without options":      {cardOf(selects(obj{"options": []any{}})), badCard},
		"a select with a number":        {cardOf(selects(obj{"options": []any{obj{"text": plainText("A"), "value": 1}}})), badCard},
		"a select with equal values":    {cardOf(selects(obj{"options": []any{option, option}})), badCard},
		"an initial that is not there":  {cardOf(selects(obj{"options": []any{option}, "initial_option": "b"})), badCard},
		"an initial index beyond":       {cardOf(selects(obj{"options": []any{option}, "initial_index": 2})), badCard},
		"a multi select outside a form": {cardOf(obj{"tag": "multi_select_static", "name": "m", "options": []any{option}}), badCard},
		"many persons outside a form":   {cardOf(obj{"tag": "multi_select_person", "name": "m"}), badCard},
		"a date with slashes":           {cardOf(obj{"tag": "date_picker", "name": "d", "initial_date": "2026/01/02"}), badCard},
		"a table in a column":           {cardOf(nested(1, table([]any{obj{"name": "a"}}, []any{}))), badCard},
		"a table without columns":       {cardOf(table([]any{}, []any{})), badColumn},
		"a column twice":                {cardOf(table([]any{obj{"name": "a"}, obj{"name": "a"}}, []any{})), badColumn},
		"a column of an odd type":       {cardOf(table([]any{obj{"name": "a", "data_type": "blob"}}, []any{})), badColumn},
		"a row of another column":       {cardOf(table([]any{obj{"name": "a"}}, []any{obj{"b": "x"}})), badRow},
		"a text for a number":           {cardOf(table([]any{obj{"name": "a", "data_type": "number"}}, []any{obj{"a": "x"}})), badRow},
		"a mention in a cell":           {cardOf(table([]any{obj{"name": "a", "data_type": "lark_md"}}, []any{obj{"a": "<at id=ou_none></at>"}})), badPerson},
		"a panel without header":        {cardOf(obj{"tag": "collapsible_panel", "elements": []any{}}), badCard},
		"a container without behavior":  {cardOf(obj{"tag": "interactive_container", "elements": []any{}, "behaviors": []any{}}), badCard},
		"a column of weight 6":          {cardOf(obj{"tag": "column_set", "columns": []any{obj{"tag": "column", "weight": 6}}}), badCard},
	} {
		if code, faults := w.check(c.card); code != c.code {
			t.Errorf("%s is answered with %d, want %d: %v", what, code, c.code, faults)
		}
	}
}

func TestEachLimitOfACardHasTwoSides(t *testing.T) {
	w := newOffice(t, nil)
	many := func(n int) []any { return times(n, func(int) any { return md("x") }) }
	tables := func(n int) []any {
		return times(n, func(int) any {
			return obj{"tag": "table", "columns": []any{obj{"name": "a"}}, "rows": []any{obj{"a": "x"}}}
		})
	}
	columns := func(n int) []any { return times(n, func(i int) any { return obj{"name": "c" + strconv.Itoa(i)} }) }
	input := func(k string, v any) []any { return []any{obj{"tag": "input", "name": "i", k: v}} }
	for what, c := range map[string]struct {
		in, out []any
		code    int
	}{
		"200 elements":        {many(199), many(200), overElements}, // and the title
		"5 tables":            {tables(5), tables(6), overLimit},
		"50 columns":          {[]any{obj{"tag": "table", "columns": columns(50), "rows": []any{}}}, []any{obj{"tag": "table", "columns": columns(51), "rows": []any{}}}, badColumn},
		"pages of 10":         {[]any{with1(tables(1)[0].(obj), "page_size", 10)}, []any{with1(tables(1)[0].(obj), "page_size", 11)}, badCard},
		"pages of 1":          {[]any{with1(tables(1)[0].(obj), "page_size", 1)}, []any{with1(tables(1)[0].(obj), "page_size", 0)}, badCard},
		"5 levels":            {[]any{nested(5, md("x"))}, []any{nested(6, md("x"))}, badCard},
		"button text":         {[]any{buttonOf(chars(100), "b")}, []any{buttonOf(chars(101), "b")}, badCard},
		"placeholder":         {input("placeholder", plainText(chars(100))), input("placeholder", plainText(chars(101))), badCard},
		"the longest input":   {input("max_length", 1000), input("max_length", 1001), badCard},
		"the shortest input":  {input("max_length", 1), input("max_length", 0), badCard},
		"element_id":          {[]any{with1(md("x"), "element_id", strings.Repeat("a", 20))}, []any{with1(md("x"), "element_id", strings.Repeat("a", 21))}, badCard},
		"a default of 1000":   {input("default_value", chars(1000)), input("default_value", chars(1001)), badCard},
		"a margin of 99px":    {[]any{with1(md("x"), "margin", "-99px 99px")}, []any{with1(md("x"), "margin", "-100px")}, badCard},
		"a width of 100px":    {[]any{with1(buttonOf("x", "b"), "width", "100px")}, []any{with1(buttonOf("x", "b"), "width", "99px")}, badCard},
		"two of three images": {[]any{}, []any{obj{"tag": "img_combination", "combination_mode": "double", "img_list": []any{}}}, badCard},
	} {
		if code, faults := w.check(cardOf(c.in...)); code != 0 {
			t.Errorf("%s: what is allowed is answered with %d %v", what, code, faults)
		}
		if code, faults := w.check(cardOf(c.out...)); code != c.code {
			t.Errorf("%s: what is not is answered with %d, want %d: %v", what, code, c.code, faults)
		}
	}
}

func TestARefusedCardSaysWhyInTheMessage(t *testing.T) {
	w := newOffice(t, nil)
	out := w.send(t, "interactive", cardOf(times(6, func(int) any { return obj{"tag": "table", "columns": []any{obj{"name": "a"}}, "rows": []any{}} })...))
	wantCode(t, "six tables", out, 230099)
	if msg, _ := out["msg"].(string); !strings.Contains(msg, "ext=ErrCode: 11310; ErrMsg: card table number over limit; ErrorValue: table;") {
		t.Errorf("the message is %q", msg)
	}
}

func TestWhatFeishuLetsPassInACardIsFound(t *testing.T) {
	w := newOffice(t, nil)
	for what, c := range map[string]struct {
		card obj
		want string
	}{
		"everybody":               {cardOf(md("<at id=all></at>")), "MUST text.at_all"},
		"everybody in lark_md":    {cardOf(obj{"tag": "div", "text": obj{"tag": "lark_md", "content": "<at id='all'>"}}), "MUST text.at_all"},
		"everybody, escaped":      {cardOf(md("&#60;at id=all&#62;")), ""},
		"everybody in plain text": {cardOf(div("<at id=all></at>")), ""},
		"a script":                {cardOf(md("[x](javascript:alert(1))")), "MUST link.script"},
		"a script in a button":    {cardOf(with1(buttonOf("x", "b"), "behaviors", []any{obj{"type": "open_url", "default_url": "javascript:x"}})), "MUST link.script"},
		"NUL":                     {cardOf(div("a\x00")), "MUST text.nul"},
		"nothing to see":          {cardOf(div("\u200b ")), "MUST text.blank"},
		"a dead button":           {cardOf(obj{"tag": "button", "text": plainText("x")}), "SHOULD card.dead_button"},
		"very long markdown":      {cardOf(md(strings.Repeat("x", 10_001))), "SHOULD card.markdown_over_10000"},
		"six charts":              {cardOf(times(6, func(int) any { return obj{"tag": "chart", "chart_spec": obj{"type": "bar"}} })...), "SHOULD card.charts_over_5"},
		"forwarded buttons":       {edited(cardOf(), "config.enable_forward_interaction", true), "SHOULD card.forwarded_works"},
		"JSON 1.0":                {obj{"elements": []any{}}, "SHOULD card.json_1"},
		"only unknown people":     {cardOf(obj{"tag": "select_person", "name": "p", "options": []any{obj{"value": "ou_none"}}}), "MUST card.person_options_all_invalid"},
	} {
		w.Reset()
		if code, faults := w.check(c.card); code != 0 {
			t.Errorf("%s is refused: %v", what, faults)
		}
		if got := strings.Join(rules(w.Findings()), ","); got != c.want {
			t.Errorf("%s is found to be %q, want %q", what, got, c.want)
		}
	}
}

// A finding tells where, never what.
func TestNoReportRepeatsATextOfTheCard(t *testing.T) {
	w := newOffice(t, nil)
	const secret = "Geheimnis"
	for _, e := range []obj{
		md("<at id=all>" + secret), md("<at id=" + secret + "></at>"), {"tag": "markdown", secret: "x"}, div(secret + "\x00"), {"tag": "img", "img_key": secret, "alt": plainText(secret)},
	} {
		_, faults := w.check(cardOf(e))
		w.mu.Lock()
		w.findFaults(faults, "x", Finding{})
		w.mu.Unlock()
	}
	for _, f := range w.Findings() {
		if strings.Contains(fmt.Sprint(f), secret) && !strings.Contains(f.Detail, "property: "+secret) {
			t.Errorf("a finding repeats the text: %+v", f)
		}
	}
}

func FuzzValidateCard(f *testing.F) {
	f.Add(encodeJSON(cardOf(md("x"), formOf(obj{"tag": "input", "name": "i"}))))
	f.Add([]byte(`{"schema":"2.0","body":{"elements":[{"tag":"table","columns":[{"name":1}],"rows":[null]}]}}`))
	f.Add([]byte(`{"schema":"2.0","header":{"text_tag_list":3},"body":{"elements":[{"tag":"select_person","options":[1]}]}}`))
	s := New(Options{AppID: testAppID, AppSecret: testSecret})
	f.Cleanup(s.Close)
	f.Fuzz(func(_ *testing.T, raw []byte) {
		v, err := decodeJSON(raw)
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.found.Clear()
		s.validateCard(v, inspection{s: s})
		controlsOf(string(raw))
	})
}
