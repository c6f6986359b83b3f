package chat

import "encoding/json"

// outcome is what a person sees of something that they did.
type outcome struct {
	deed  deed
	toast *toast
	sheet *sheet
}

// toast is a line that shows for a moment.
type toast struct {
	Kind string `json:"kind"` // info, success, error, warning
	Text string `json:"text"`
}

// sheet is a page of the bot's that the platform's client opens beside the conversation.
type sheet struct {
	URL    string `json:"url"`
	Framed bool   `json:"framed"` // the page lets itself be shown within another
}

// deed is what somebody has done on the page, for the tour to notice.
type deed struct {
	Kind  string `json:"kind"` // say, command, press, submit
	User  string `json:"user"`
	To    string `json:"to,omitempty"`    // the first person whom it names
	Name  string `json:"name,omitempty"`  // of the command, without its slash
	Whole bool   `json:"whole,omitempty"` // the command had words, or the form was taken
}

// refusal is why something could not be done, in words for the person: as a whole, and by name of the fields.
type refusal struct {
	key    string
	args   []any
	fields map[string]string
}

func (r refusal) Error() string { return r.key }

func refuse(key string, args ...any) error { return refusal{key: key, args: args} }

// answered is what the script of the page is told.
type answered struct {
	Notice string            `json:"notice,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	HTML   string            `json:"html"`
	Toast  *toast            `json:"toast,omitempty"`
	Sheet  *sheet            `json:"sheet,omitempty"`
}

func (a answered) encode() []byte {
	raw, err := json.Marshal(a)
	if err != nil { // it has nothing in it that JSON has not
		return []byte("{}")
	}
	return raw
}
