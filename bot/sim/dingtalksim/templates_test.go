package dingtalksim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestATemplateIsReadStrictly(t *testing.T) {
	good := `{"id":"a.schema","variables":{"title":"string","list":"list","form":"form","on":"bool"},"components":[
		{"kind":"text","text":"${title}"},{"kind":"form","fields":"form","text":"Go"},
		{"kind":"button","each":"list","id":"${item.id}","text":"${item.text}","if":"${on}","params":{"a":"${item.b}"},"confirm":{"text":"${title}?"}}]}`
	if _, err := ParseTemplate([]byte(good)); err != nil {
		t.Errorf("a good template is refused: %v", err)
	}
	for what, change := range map[string][2]string{
		"an unknown property": {`"text":"Go"`, `"label":"Go"`}, "an unknown kind": {`"kind":"text"`, `"kind":"title"`}, "an unknown type": {`"bool"`, `"boolean"`},
		"no list": {`"each":"list"`, `"each":"title"`}, "no form": {`"fields":"form"`, `"fields":"list"`}, "no variable": {`"${on}"`, `"${off}"`},
		"an item outside": {`"text":"${title}"}`, `"text":"${item.a}"}`}, "an undeclared question": {`"${title}?"`, `"${sure}?"`}, "half of it": {`]}`, ``},
	} {
		if _, err := ParseTemplate([]byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("a template with %s is read", what)
		}
	}
}

func TestComponentsShowTheirVariables(t *testing.T) {
	template := Template{
		Variables: map[string]string{"title": TypeString, "on": TypeBool, "n": TypeNumber, "list": TypeList, "o": TypeObject, "form": TypeForm},
		Components: []Component{
			{Kind: TextComponent, Text: "${title} ${n} ${none}"},
			{Kind: DividerComponent, If: "${on}"},
			{Kind: FormComponent, Fields: "form", Text: "Go"},
			{
				Kind: ButtonComponent, Each: "list", ID: "b", Text: "${item.text}", If: "${item.text}", Disabled: "${item.off}",
				Params: map[string]string{"whole": "${o}", "part": "n=${n}", "item": "${item.v}", "gone": "${none}"}, Confirm: &Confirm{Text: "${item.text}?", Yes: "Y"},
			},
		},
	}
	got := template.parts(map[string]string{
		"title": "T", "on": "false", "n": "4", "o": `{"a":[1]}`, "form": `{"fields":[]}`, "list": `[{"text":"one","v":true},{"text":"two","off":true},{"v":1},7]`,
	})
	whole, no := obj{"a": []any{json.Number("1")}}, []Part{{Kind: TextComponent, Text: "T 4 "}}
	want := append(no,
		Part{Kind: ButtonComponent, ID: "b", Text: "one", Params: obj{"whole": whole, "part": "n=4", "item": true}, Confirm: &Confirm{Text: "one?", Yes: "Y"}},
		Part{Kind: ButtonComponent, ID: "b", Text: "two", Params: obj{"whole": whole, "part": "n=4"}, Disabled: true, Confirm: &Confirm{Text: "two?", Yes: "Y"}},
	)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the card shows:\n%s", diff)
	}
}
