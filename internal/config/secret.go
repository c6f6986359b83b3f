package config

import (
	"fmt"
	"io"
	"log/slog"
)

// stars is all that anybody sees of a secret.
const stars = "******"

// Secret is a value that does not print: not by any verb of fmt, not in JSON and not in a log. Reveal is the one way to it, and
// easy to search for. The value sits behind a pointer because fmt cannot call methods of what lies in an unexported field and
// would print the bytes instead.
type Secret struct{ value *string }

// Hide makes a secret. The empty text is the secret that is not set.
func Hide(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal is the value itself, for whoever must send or verify it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Set reports whether there is a value.
func (s Secret) Set() bool { return s.value != nil }

// String is stars, or nothing when the secret is not set.
func (s Secret) String() string {
	if s.Set() {
		return stars
	}
	return ""
}

// GoString is what %#v prints.
func (s Secret) GoString() string { return s.String() }

// Format prints stars for every verb and flag.
func (s Secret) Format(to fmt.State, _ rune) {
	_, _ = io.WriteString(to, s.String()) // fmt gives its callers no way to hear of this error either
}

// LogValue is what slog writes.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the value out of XML, of the keys of JSON objects and of every other text encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON keeps the value out of JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }
