package obs

import (
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

// named are the keys whose texts are names of ours: of a platform, a command, a job, a route. A text under any other key is dropped,
// because it may be somebody's words. Numbers, durations, times, truth values and UUIDs pass under every key.
var named = []string{
	"act", "action", "address", "attempt", "client_id", "code", "command", "component", "database", "dir", "event_kind", "fault", "file", "head", "incident",
	"job_kind", "key", "kind", "lang", "level", "listen", "method", "migration", "mode", "needed", "notice", "outcome", "panic", "part", "path", "platform", "queue", "reason", "role",
	"route", "rule", "schedule", "signal", "stage", "state", "status", "step", "subsystem", "tenant", "type", "url", "verb", "version", "zone",
}

// longest is how many runes of a text or an error are kept.
const longest = 400

type cleaner struct{ secrets []string }

func newCleaner(secrets []string) *cleaner {
	c := &cleaner{}
	for _, s := range secrets {
		if len(s) >= 6 { // shorter ones would blot out ordinary words
			c.secrets = append(c.secrets, s)
		}
	}
	return c
}

// attr is the attribute as it may be written.
func (c *cleaner) attr(a slog.Attr) slog.Attr {
	return slog.Attr{Key: a.Key, Value: c.value(a.Key, a.Value.Resolve())}
}

func (c *cleaner) value(key string, v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindGroup:
		group := slices.Clone(v.Group())
		for i := range group {
			group[i] = c.attr(group[i])
		}
		return slog.GroupValue(group...)
	case slog.KindString:
		return slog.StringValue(c.name(key, v.String()))
	case slog.KindAny:
		return c.any(key, v.Any())
	default:
		return v
	}
}

func (c *cleaner) any(key string, v any) slog.Value {
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case error:
		return slog.StringValue(c.failure(v))
	case uuid.UUID:
		return slog.StringValue(v.String())
	case time.Time:
		return slog.TimeValue(v)
	case Frames:
		return slog.StringValue(strings.Join(v, " < "))
	case []string: // what a vendor complains about: where, and not what stood there
		return slog.StringValue(strings.Join(pointers.FindAllString(strings.Join(v, " "), -1), " "))
	case fmt.Stringer:
		return slog.StringValue(c.name(key, v.String()))
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return slog.StringValue(dropped(v))
		}
		return slog.StringValue(c.name(key, string(text)))
	}
	return slog.StringValue(dropped(v))
}

func dropped(v any) string { return fmt.Sprintf("[%T not logged]", v) }

// name is a text under a key: whole when the key is one of ours, else only its length.
func (c *cleaner) name(key, text string) string {
	if key == "stack" { // functions, files and addresses
		return c.cut(text, 10*longest)
	}
	if key == "id" && identifier.MatchString(text) {
		return c.scrub(text)
	}
	if !slices.Contains(named, key) {
		return "[" + strconv.Itoa(utf8.RuneCountInString(text)) + " runes not logged]"
	}
	return c.scrub(text)
}

// message is written as it is but for secrets: messages are constants of ours (the linter sees to it), and those of libraries are.
func (c *cleaner) message(text string) string { return c.scrub(text) }

// failure is an error for the operator: what we and the libraries were doing, without the values it happened on.
func (c *cleaner) failure(err error) string {
	text := err.Error()
	for _, part := range tree(err) {
		if safe, ok := describe(part); ok && part.Error() != "" {
			text = strings.ReplaceAll(text, part.Error(), safe)
		}
	}
	return c.scrub(unquote(text))
}

// tree lists the error and everything it wraps, the outermost first.
func tree(err error) []error {
	all := []error{err}
	switch w := err.(type) { //nolint:errorlint // this walks the tree itself
	case interface{ Unwrap() error }:
		if inner := w.Unwrap(); inner != nil {
			all = append(all, tree(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range w.Unwrap() {
			all = append(all, tree(inner)...)
		}
	}
	return all
}

// describe is what may be told of an error whose own text repeats a value.
func describe(err error) (string, bool) {
	switch e := err.(type) { //nolint:errorlint // one node of the tree at a time
	case *fault.Fault: // its text has a kind and a key; a cause is a node of its own
		return "", false
	case *url.Error: // a response URL is a secret
		return e.Op + " " + host(e.URL) + ": " + e.Err.Error(), true
	case *strconv.NumError:
		return "strconv." + e.Func + ": " + e.Err.Error(), true
	case *time.ParseError:
		return "parsing a time", true
	case *fs.PathError:
		return "", false
	case interface{ SQLState() string }: // Postgres repeats values in the messages of class 22 (data) and 23 (constraints)
		state := e.SQLState()
		if strings.HasPrefix(state, "22") || strings.HasPrefix(state, "23") || strings.HasPrefix(state, "P0") {
			return "SQLSTATE " + state, true
		}
	}
	return "", false
}

func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "[address not logged]"
	}
	return u.Host
}

var (
	// quoted values are what an error happened on.
	quotes = regexp.MustCompile("\"(?:[^\"\\\\\n]|\\\\.)*\"|`[^`\n]*`|“[^”]*”|'[^'\n]{3,}'")
	// tokens are Slack's (xoxb-, xapp-), our own bearer tokens, and passwords in URLs.
	tokens   = regexp.MustCompile(`\bx(?:ox[a-z]|app)-[A-Za-z0-9.-]+|(?i:bearer)\s+\S+`)
	password = regexp.MustCompile(`://[^/\s@]*@`)
	// pointers are places in a JSON document (RFC 6901) as vendors name them.
	pointers = regexp.MustCompile(`json-pointer:[a-z_0-9/]+`)
	// identifier is the shape of the ids that vendors give to events.
	identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$`)
	// hooks are addresses that whoever knows them may write to.
	hooks = regexp.MustCompile(`(https?://[^/\s]+)/[^\s:]*`)
)

func unquote(text string) string { return quotes.ReplaceAllString(text, `"…"`) }

// scrub takes out what must not be logged even where texts are allowed: secrets, tokens, paths of addresses, anything but Latin letters (our
// names and errors are English, people's words often are not), and whatever is too long to be a name.
func (c *cleaner) scrub(text string) string { return c.cut(text, longest) }

func (c *cleaner) cut(text string, most int) string {
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, "******")
	}
	text = tokens.ReplaceAllString(text, "******")
	text = password.ReplaceAllString(text, "://")
	text = hooks.ReplaceAllString(text, "$1/…")
	var b strings.Builder
	foreign := false
	for _, r := range text {
		if r > unicode.MaxASCII && r != '…' || unicode.IsControl(r) && r != '\n' && r != '\t' {
			if !foreign {
				b.WriteRune('…')
			}
			foreign = true
			continue
		}
		foreign = false
		b.WriteRune(r)
	}
	runes := []rune(b.String())
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}

var errPanic = errors.New("panic")

// Panicked is what may be logged of a recovered value: runtime errors speak of indexes and types, anything else of whatever somebody put in.
func Panicked(value any) error {
	if err, ok := value.(error); ok {
		return fmt.Errorf("%w: %w", errPanic, err)
	}
	return fmt.Errorf("%w: %T", errPanic, value)
}
