package card

// Form asks for several values at once. The adapter chooses how (a modal, a form container in a card, a one-time web page).
type Form struct {
	Title  string // at most 24 characters on the narrowest platform
	Intro  []Block
	Fields []Field
	Submit string // the button's words
	Action Action // names the handler of the submission; carries ids, never words
}

// Field is one question of a form. The set is sealed.
type Field interface {
	field()
	// Key is the name under which the value comes back, unique in the form.
	Key() string
}

// The fields.
type (
	// TextField takes typed text of Max characters at most (1,000 on the narrowest platform).
	TextField struct {
		Name, Label, Hint, Placeholder, Value string
		Multiline, Optional                   bool
		Min, Max                              int
	}

	// PeopleField takes one or more people out of the platform's own directory. Value holds platform user ids.
	// Candidates are offered where a platform has no picker of its own.
	PeopleField struct {
		Name, Label, Hint string
		Value             []string
		Candidates        []Option
		Optional          bool
		Max               int // 1: exactly one person
	}

	// ChoiceField takes one of a few options (or several, with Many).
	ChoiceField struct {
		Name, Label, Hint string
		Options           []Option
		Value             []string
		Optional, Many    bool
	}

	// DateField takes a calendar day, written 2026-11-22.
	DateField struct {
		Name, Label, Hint, Value string
		Optional                 bool
	}
)

func (TextField) field()   {}
func (PeopleField) field() {}
func (ChoiceField) field() {}
func (DateField) field()   {}

// Key is the field's name.
func (f TextField) Key() string { return f.Name }

// Key is the field's name.
func (f PeopleField) Key() string { return f.Name }

// Key is the field's name.
func (f ChoiceField) Key() string { return f.Name }

// Key is the field's name.
func (f DateField) Key() string { return f.Name }

// Option is one choice; Value comes back, Label is read.
type Option struct{ Value, Label string }

// Values are what a person filled in, by field name. Text and date fields have one entry, people fields hold platform user ids.
type Values map[string][]string

// One is the single value of a field, or empty.
func (v Values) One(name string) string {
	if len(v[name]) == 0 {
		return ""
	}
	return v[name][0]
}
