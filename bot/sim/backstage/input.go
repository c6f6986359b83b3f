package backstage

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Input is what a person put into one control: the text of an input, the values of chosen options, a date as the vendor
// writes it, true or false. Empty means untouched or cleared. In JSON a single string stands for a list of one.
type Input []string

// UnmarshalJSON takes null, a string, a boolean or a list of strings.
func (in *Input) UnmarshalJSON(raw []byte) error {
	var one *string
	if err := json.Unmarshal(raw, &one); err == nil {
		*in = nil
		if one != nil {
			*in = Input{*one}
		}
		return nil
	}
	var yes bool
	if err := json.Unmarshal(raw, &yes); err == nil {
		*in = Input{strconv.FormatBool(yes)}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return fmt.Errorf("reading a control's value: %w", err)
	}
	*in = many
	return nil
}

// First is the first value, or nothing.
func (in Input) First() string {
	if len(in) == 0 {
		return ""
	}
	return in[0]
}

// InputErrors is why a vendor's own client does not let a form go: by name of the control, in English, before the bot hears
// of it.
type InputErrors map[string]string

func (e InputErrors) Error() string {
	var parts []string
	for _, n := range slices.Sorted(maps.Keys(e)) {
		parts = append(parts, n+": "+e[n])
	}
	return "the client does not submit: " + strings.Join(parts, "; ")
}
