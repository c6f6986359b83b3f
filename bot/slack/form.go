package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot"
	"huiyin/bot/card"
)

// inputID is the action id of every field's element; the field's name is the id of the block around it.
const inputID = "value"

// RenderForm draws a form as a modal. from is where the form was asked for; it comes back with the submission. The error is for a
// form that no person could have caused: no fields, a name twice, options that Slack cannot carry.
// https://docs.slack.dev/reference/views/modal-views
func RenderForm(f card.Form, from bot.Place) (slackapi.ModalViewRequest, error) {
	view, err := renderForm(f, from)
	if err != nil {
		return slackapi.ModalViewRequest{}, fmt.Errorf("rendering form %s: %w", f.Action.Name, err)
	}
	return view, nil
}

func renderForm(f card.Form, from bot.Place) (slackapi.ModalViewRequest, error) {
	var none slackapi.ModalViewRequest
	if err := checkAction(f.Action); err != nil {
		return none, err
	}
	if len(f.Fields) == 0 || len(f.Fields) > maxViewBlocks/2 {
		return none, fmt.Errorf("%d fields; 1 to %d can be shown", len(f.Fields), maxViewBlocks/2)
	}
	metadata, err := encodeOrigin(f.Action, from)
	if err != nil {
		return none, err
	}
	inputs := make([]slackapi.Block, 0, len(f.Fields))
	seen := map[string]bool{}
	for _, field := range f.Fields {
		if field == nil {
			return none, errors.New("a field is nil")
		}
		name := field.Key()
		if name == "" || len(name) > maxID || seen[name] {
			return none, fmt.Errorf("field name %q is empty, too long or there twice", name)
		}
		seen[name] = true
		input, err := renderField(field)
		if err != nil {
			return none, fmt.Errorf("field %s: %w", name, err)
		}
		inputs = append(inputs, input)
	}
	intro, err := draw(card.Card{Blocks: f.Intro}, false, maxViewBlocks-len(inputs), maxMessageUnits)
	if err != nil {
		return none, err
	}
	view := slackapi.ModalViewRequest{
		Type: slackapi.VTModal, Title: caption(f.Title, "•", maxViewTitle), Submit: caption(f.Submit, "✓", maxViewTitle),
		Blocks: slackapi.Blocks{BlockSet: slices.Concat(intro, inputs)}, CallbackID: f.Action.Name, PrivateMetadata: metadata,
	}
	raw, err := json.Marshal(view)
	if err != nil {
		return none, fmt.Errorf("writing the view: %w", err)
	}
	if len(raw) > maxViewBytes {
		return none, fmt.Errorf("a view of %d bytes; Slack takes %d", len(raw), maxViewBytes)
	}
	return view, nil
}

func renderField(field card.Field) (*slackapi.InputBlock, error) {
	switch f := field.(type) {
	case card.TextField:
		return input(f.Name, f.Label, f.Hint, f.Optional, textInput(f)), nil
	case card.PeopleField:
		return input(f.Name, f.Label, f.Hint, f.Optional, peopleInput(f)), nil
	case card.ChoiceField:
		e, err := choiceInput(f)
		if err != nil {
			return nil, err
		}
		return input(f.Name, f.Label, f.Hint, f.Optional, e), nil
	case card.DateField:
		return input(f.Name, f.Label, f.Hint, f.Optional, dateInput(f)), nil
	default:
		return nil, fmt.Errorf("no drawing for %T", field)
	}
}

func input(name, title, hint string, optional bool, e slackapi.BlockElement) *slackapi.InputBlock {
	return slackapi.NewInputBlock(name, caption(title, name, maxLabel), maybe(hint, maxHint), e).WithOptional(optional)
}

// https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
func textInput(f card.TextField) slackapi.BlockElement {
	e := slackapi.NewPlainTextInputBlockElement(maybe(f.Placeholder, maxPlaceholder), inputID)
	e.Multiline = f.Multiline
	e.MaxLength = min(max(f.Max, 0), maxInput)
	limit := e.MaxLength
	if limit == 0 {
		limit = maxInput
	}
	e.MinLength = min(max(f.Min, 0), limit)
	value := tidy(f.Value)
	if !f.Multiline {
		value = strings.ReplaceAll(value, "\n", " ")
	}
	e.InitialValue = clip(value, limit) // no ellipsis: what stands here is sent back as the person's own words
	return e
}

// https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#users_select
func peopleInput(f card.PeopleField) slackapi.BlockElement {
	var chosen []string
	for _, id := range f.Value {
		if account(id) && !slices.Contains(chosen, id) {
			chosen = append(chosen, id)
		}
	}
	if f.Max == 1 {
		e := slackapi.NewOptionsSelectBlockElement(slackapi.OptTypeUser, nil, inputID)
		if len(chosen) > 0 {
			e.InitialUser = chosen[0]
		}
		return e
	}
	e := slackapi.NewOptionsMultiSelectBlockElement(slackapi.MultiOptTypeUser, nil, inputID)
	if f.Max > 1 {
		e = e.WithMaxSelectedItems(f.Max)
		chosen = chosen[:min(len(chosen), f.Max)]
	}
	e.InitialUsers = chosen
	return e
}

// choiceInput draws few options open and many as a menu; a choice that may be left empty is a menu too, for a radio button once
// pressed cannot be released.
func choiceInput(f card.ChoiceField) (slackapi.BlockElement, error) {
	options, err := choices(f.Options)
	if err != nil {
		return nil, err
	}
	var chosen []*slackapi.OptionBlockObject
	for _, o := range options {
		if slices.Contains(f.Value, o.Value) {
			chosen = append(chosen, o)
		}
	}
	var first *slackapi.OptionBlockObject
	if len(chosen) > 0 {
		first = chosen[0]
	}
	switch {
	case f.Many && len(options) <= maxBoxes:
		e := slackapi.NewCheckboxGroupsBlockElement(inputID, options...)
		e.InitialOptions = chosen
		return e, nil
	case f.Many:
		e := slackapi.NewOptionsMultiSelectBlockElement(slackapi.MultiOptTypeStatic, nil, inputID)
		e.Options, e.OptionGroups = grouped(options)
		e.InitialOptions = chosen
		return e, nil
	case !f.Optional && len(options) <= maxFewOptions:
		e := slackapi.NewRadioButtonsBlockElement(inputID, options...)
		e.InitialOption = first
		return e, nil
	}
	e := slackapi.NewOptionsSelectBlockElement(slackapi.OptTypeStatic, nil, inputID)
	e.Options, e.OptionGroups = grouped(options)
	e.InitialOption = first
	return e, nil
}

func choices(options []card.Option) ([]*slackapi.OptionBlockObject, error) {
	if len(options) == 0 || len(options) > maxOptions*maxGroups {
		return nil, fmt.Errorf("%d options; 1 to %d can be shown", len(options), maxOptions*maxGroups)
	}
	out := make([]*slackapi.OptionBlockObject, 0, len(options))
	for _, o := range options {
		if o.Value == "" || units(o.Value) > maxOptionValue {
			return nil, fmt.Errorf("an option's value has %d characters; 1 to %d can be carried", units(o.Value), maxOptionValue)
		}
		out = append(out, slackapi.NewOptionBlockObject(o.Value, caption(o.Label, o.Value, maxOptionText), nil))
	}
	return out, nil
}

// grouped puts more options than one menu holds into groups headed by their numbers.
func grouped(options []*slackapi.OptionBlockObject) ([]*slackapi.OptionBlockObject, []*slackapi.OptionGroupBlockObject) {
	if len(options) <= maxOptions {
		return options, nil
	}
	var groups []*slackapi.OptionGroupBlockObject
	first := 1
	for chunk := range slices.Chunk(options, maxOptions) {
		heading := strconv.Itoa(first) + " – " + strconv.Itoa(first+len(chunk)-1)
		groups = append(groups, slackapi.NewOptionGroupBlockElement(plain(heading), chunk...))
		first += len(chunk)
	}
	return nil, groups
}

// https://docs.slack.dev/reference/block-kit/block-elements/date-picker-element
func dateInput(f card.DateField) slackapi.BlockElement {
	e := slackapi.NewDatePickerBlockElement(inputID)
	if _, err := time.Parse(time.DateOnly, f.Value); err == nil {
		e.InitialDate = f.Value
	}
	return e
}

// caption is a short plain text in one line that is never blank.
func caption(s, otherwise string, limit int) *slackapi.TextBlockObject {
	line := oneLine(s)
	return plain(cut(orElse(line, orElse(otherwise, "•")), limit))
}

// maybe is a caption, or nothing when it would be blank.
func maybe(s string, limit int) *slackapi.TextBlockObject {
	if blank(tidy(s)) {
		return nil
	}
	return caption(s, "", limit)
}
