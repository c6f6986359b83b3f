package dingtalksim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

// Input is what a person put into one field: a text, the value of a chosen option, values of several, a date as 2006-01-02, a
// time as 15:04, both as 2006-01-02 15:04, true or false. In JSON a single string stands for a list of one.
type Input = backstage.Input

// InputErrors is why DingTalk's own client does not let a form go: by name of the field, before the bot hears of it.
type InputErrors = backstage.InputErrors

// Option is a choice of a field.
type Option struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

// Field is one field of the form component, whose list of fields is the value of a variable.
// https://open.dingtalk.com/document/development/form-variables
type Field struct {
	Name        string   `json:"name"`
	Label       string   `json:"label"`
	Type        string   `json:"type"`
	Required    bool     `json:"required,omitempty"`
	RequiredMsg string   `json:"requiredMsg,omitempty"`
	Hidden      bool     `json:"hidden,omitempty"`
	ReadOnly    bool     `json:"readOnly,omitempty"`
	Placeholder string   `json:"placeholder,omitempty"`
	Format      string   `json:"format,omitempty"`
	AddText     string   `json:"addText,omitempty"`
	MinRows     int      `json:"minRows,omitempty"`
	MaxRows     int      `json:"maxRows,omitempty"`
	Default     any      `json:"defaultValue,omitempty"` // as it was given
	Options     []Option `json:"options,omitempty"`
}

// The types of a Field.
const (
	FieldText         = "TEXT"
	FieldTextArray    = "TEXT_ARRAY"
	FieldTextArea     = "TEXT_AREA"
	FieldNumber       = "NUMBER"
	FieldSelect       = "SELECT"
	FieldMultiSelect  = "MULTI_SELECT"
	FieldDate         = "DATE"
	FieldTime         = "TIME"
	FieldDateTime     = "DATETIME"
	FieldCheckbox     = "CHECKBOX"
	FieldSwitch       = "SWITCH"
	FieldRadio        = "CHECKBOX_GROUP" // one of a list, the vendor's name notwithstanding
	FieldMultiOptions = "MULTI_CHECKBOX_GROUP"
)

// layouts are how dates and times are written.
func layouts() map[string]string {
	return map[string]string{FieldDate: time.DateOnly, FieldTime: "15:04", FieldDateTime: "2006-01-02 15:04"}
}

func choosing(kind string) bool {
	return slices.Contains([]string{FieldSelect, FieldMultiSelect, FieldRadio, FieldMultiOptions}, kind)
}

func (f Field) many() bool {
	return f.Type == FieldMultiSelect || f.Type == FieldMultiOptions || f.Type == FieldTextArray
}

// readForm reads the value of a form variable. What it refuses, the component would not show.
func readForm(value string) ([]Field, error) {
	var form struct {
		Fields []Field `json:"fields"`
	}
	d := json.NewDecoder(strings.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&form); err != nil {
		return nil, fmt.Errorf("reading a form: %w", err)
	}
	if form.Fields == nil {
		return nil, errors.New("reading a form: no fields")
	}
	types := []string{
		FieldText, FieldTextArray, FieldTextArea, FieldNumber, FieldSelect, FieldMultiSelect, FieldDate, FieldTime, FieldDateTime, FieldCheckbox,
		FieldSwitch, FieldRadio, FieldMultiOptions,
	}
	seen := map[string]bool{}
	for _, f := range form.Fields {
		values := map[string]bool{}
		for _, o := range f.Options {
			if o.Value == "" || o.Text == "" || values[o.Value] {
				return nil, fmt.Errorf("field %q has an option without value or text, or one twice", f.Name)
			}
			values[o.Value] = true
		}
		switch {
		case f.Name == "" || seen[f.Name]:
			return nil, fmt.Errorf("field %q has no name or that of another", f.Name)
		case !slices.Contains(types, f.Type):
			return nil, fmt.Errorf("field %q has the unknown type %q", f.Name, f.Type)
		case choosing(f.Type) && len(f.Options) == 0:
			return nil, fmt.Errorf("field %q has no options", f.Name)
		case f.Label == "" && !f.Hidden:
			return nil, fmt.Errorf("field %q has no label", f.Name)
		case f.Default != nil && f.start() == nil:
			return nil, fmt.Errorf("field %q has a default of the wrong shape", f.Name)
		}
		seen[f.Name] = true
	}
	return form.Fields, nil
}

// start is what stands in a field when it is first shown, nil for nothing.
func (f Field) start() Input {
	one := func(v any) (string, bool) {
		switch t := v.(type) {
		case string:
			return t, true
		case json.Number:
			return t.String(), true
		case bool:
			return strconv.FormatBool(t), true
		}
		return "", false
	}
	v := f.Default
	if o, isObject := v.(map[string]any); isObject && (f.Type == FieldSelect || f.Type == FieldMultiSelect) {
		v = o["value"]
	} else if f.Type == FieldSelect || f.Type == FieldMultiSelect {
		return nil // only {index, value} is understood
	}
	if list, isList := v.([]any); isList {
		if !f.many() {
			return nil
		}
		out := Input{}
		for _, e := range list {
			t, scalar := one(e)
			if !scalar {
				return nil
			}
			out = append(out, t)
		}
		return out
	}
	t, scalar := one(v)
	if !scalar || f.many() {
		return nil
	}
	return Input{t}
}

// Start is what stands in a field when it is first shown.
func (f Field) Start() Input { return f.start() }

// enter says what is wrong with a value, as far as the field itself would not take it.
func (f Field) enter(in Input) error {
	if !f.many() && len(in) > 1 {
		return fmt.Errorf("%s %q holds one value, not %d", f.Type, f.Name, len(in))
	}
	layout := layouts()[f.Type]
	for _, v := range in {
		known := true
		switch {
		case v == "":
		case layout != "":
			_, err := time.Parse(layout, v)
			known = err == nil
		case f.Type == FieldCheckbox || f.Type == FieldSwitch:
			known = v == "true" || v == "false"
		case f.Type == FieldNumber:
			_, err := strconv.ParseFloat(v, 64)
			known = err == nil
		case choosing(f.Type):
			known = slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v })
		}
		if !known {
			return fmt.Errorf("%s %q does not take %q", f.Type, f.Name, v)
		}
	}
	return nil
}

// refuse is what the client says about a field when its form is submitted; empty is fine.
func (f Field) refuse(in Input) string {
	if f.Required && !f.Hidden && strings.TrimSpace(strings.Join(in, "")) == "" {
		if f.RequiredMsg != "" {
			return f.RequiredMsg
		}
		return f.Label + "是必填项"
	}
	return ""
}

// sends is what a submitted field sends, and whether it sends anything: untouched fields are absent.
func (f Field) sends(in Input) (any, bool) {
	in = slices.DeleteFunc(slices.Clone(in), func(v string) bool { return v == "" })
	if len(in) == 0 {
		return nil, false
	}
	index := func(v string) int {
		return slices.IndexFunc(f.Options, func(o Option) bool { return o.Value == v })
	}
	switch f.Type {
	case FieldSelect:
		return map[string]any{"index": index(in[0]), "value": in[0]}, true
	case FieldMultiSelect:
		at := []int{}
		for _, v := range in {
			at = append(at, index(v))
		}
		return map[string]any{"index": at, "value": []string(in)}, true
	case FieldMultiOptions, FieldTextArray:
		return []string(in), true
	case FieldCheckbox, FieldSwitch:
		return in[0] == "true", true
	case FieldNumber:
		return json.Number(in[0]), true
	}
	return in[0], true
}
