// Package obs is how an operator sees that the bot is well: logs that carry no words of people and no secrets, metrics, and health. It
// does not know what is measured or checked beyond names, counts and durations, and it never sees a person.
package obs

import (
	"context"
	"io"
	"log/slog"
)

// The formats of log lines.
const (
	Text = "text"
	JSON = "json"
)

// NewLogger writes lines of at least the level to w, redacted. Every logger of the program comes from here. secrets are values that must
// not appear whatever an error says.
func NewLogger(w io.Writer, level slog.Leveler, format string, secrets ...string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, options)
	if format == JSON {
		h = slog.NewJSONHandler(w, options)
	}
	return slog.New(Redact(h, secrets...))
}

// Redact gives a handler that drops everything which may carry words or secrets before next sees it: see clean.
func Redact(next slog.Handler, secrets ...string) slog.Handler {
	return redacting{next: next, clean: newCleaner(secrets)}
}

type redacting struct {
	next  slog.Handler
	clean *cleaner
}

func (h redacting) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h redacting) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, h.clean.message(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(h.clean.attr(a))
		return true
	})
	return h.next.Handle(ctx, out)
}

func (h redacting) WithAttrs(attrs []slog.Attr) slog.Handler {
	cleaned := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		cleaned[i] = h.clean.attr(a)
	}
	return redacting{next: h.next.WithAttrs(cleaned), clean: h.clean}
}

func (h redacting) WithGroup(name string) slog.Handler {
	return redacting{next: h.next.WithGroup(name), clean: h.clean}
}
