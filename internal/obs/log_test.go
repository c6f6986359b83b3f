package obs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/fault"
)

const (
	canary  = "canary-7d21"
	han     = "金丝雀"
	botKey  = "xoxb-canary-1111-abcdef"
	private = "k3y-canary-that-is-set"
)

// pgError looks like an error of Postgres that repeats what was stored.
type pgError struct{ state, message string }

func (e pgError) Error() string    { return "ERROR: " + e.message + " (SQLSTATE " + e.state + ")" }
func (e pgError) SQLState() string { return e.state }

type nameable struct{ text string }

func (n nameable) String() string { return n.text }

type valued struct{ text string }

func (v valued) LogValue() slog.Value {
	return slog.GroupValue(slog.String("text", v.text), slog.Any("inner", nameable(v)))
}

func logged(t *testing.T, write func(*slog.Logger)) string {
	t.Helper()
	var out bytes.Buffer
	for _, format := range []string{Text, JSON} {
		write(NewLogger(&out, slog.LevelDebug, format, private))
	}
	return out.String()
}

func TestWordsAndSecretsNeverReachTheLog(t *testing.T) {
	_, number := strconv.Atoi(canary)
	_, date := time.Parse(time.DateOnly, canary)
	var syntax struct{ N int }
	decoding := json.Unmarshal([]byte(`{"N":"`+canary+`"}`), &syntax)
	errs := []error{
		fault.New(fault.Invalid, "feedback.text.long", "Text", canary).In("text"),
		fault.New(fault.Unavailable, "slack.away").Because(fmt.Errorf("posting: %w", &url.Error{Op: "Post", URL: "https://hooks.slack.com/commands/T0/1/" + canary, Err: errors.New("EOF")})),
		fmt.Errorf("saving a praise: %w", pgError{"22P02", "invalid input syntax for type uuid: " + canary}),
		fmt.Errorf("saving a praise: %w", pgError{"23505", "duplicate key " + canary}),
		fmt.Errorf("reading: %w", errors.Join(number, date, decoding)),
		fmt.Errorf("finding %q: not found", canary),
		fmt.Errorf("finding '%s': not found", canary),
		fmt.Errorf("finding %s: not found", han),
		fmt.Errorf("auth.test with %s: invalid_auth", botKey),
		fmt.Errorf("Bearer %s was refused", canary),
		fmt.Errorf("dial postgres://huiyin:%s@db:5432/huiyin: refused", canary),
		fmt.Errorf("decrypting with %s", private),
		fmt.Errorf("posting to https://hooks.slack.com/commands/%s: 404", canary),
		Panicked(canary), Panicked(fmt.Errorf("finding %q", canary)),
	}
	out := logged(t, func(log *slog.Logger) {
		for _, err := range errs {
			log.Error("answering an event", "error", err, "platform", "slack")
		}
		log.Debug("answering an event", "text", canary, "person", nameable{canary}, "bytes", []byte(canary), "list", []string{canary, "[" + canary + " /" + canary + "]"}, "id", han,
			"map", map[string]string{"text": canary}, "struct", struct{ Text string }{canary}, "valuer", valued{canary}, "name", canary,
			slog.Group("event", "text", canary, "platform", han), "url", "https://example.com/x/"+canary, "command", botKey)
		log.With("text", canary).WithGroup("g").With(slog.String("title", canary)).Warn("still here", "note", canary)
		log.Info("a message with " + private + " in it")
	})
	for _, word := range []string{canary, han, botKey, "canary"} {
		if i := strings.Index(out, word); i >= 0 {
			t.Errorf("the log has %q in it: …%s…", word, out[max(0, i-120):min(len(out), i+60)])
		}
	}
}

func TestWhatAnOperatorNeedsStaysInTheLog(t *testing.T) {
	id := uuid.MustParse("01938f3a-0000-7000-8000-000000000001")
	out := logged(t, func(log *slog.Logger) {
		log.Error("delivering", "platform", "slack", "kind", "praise.received", "attempt", 3, "took", 1500*time.Millisecond, "org", id, "held", true,
			"error", fmt.Errorf("delivering: %w", fault.New(fault.Unavailable, "slack.away").Because(&fs.PathError{Op: "open", Path: "/var/lib/huiyin", Err: fs.ErrPermission})))
		log.Error("saving", "error", fmt.Errorf("saving a praise: %w", pgError{"23505", "duplicate key value"}))
		log.Error("saving", "error", fmt.Errorf("saving: %w", pgError{"53300", "too many connections"}))
		log.Error("refused", "code", "invalid_blocks", "details", []string{"[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text]"}, "id", "Ev0PV52K21")
	})
	for _, want := range []string{
		"delivering: unavailable: slack.away: open /var/lib/huiyin: permission denied", "praise.received", "attempt=3", "1.5s", id.String(), "held=true",
		"saving a praise: SQLSTATE 23505", "too many connections (SQLSTATE 53300)",
		"code=invalid_blocks details=json-pointer:/blocks/0/text id=Ev0PV52K21",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the log does not say %q:\n%s", want, out)
		}
	}
}

func TestLongTextsAreCut(t *testing.T) {
	out := logged(t, func(log *slog.Logger) {
		log.Error("failing", "error", errors.New(strings.Repeat("word ", 1000)))
	})
	if len(out) > 2*(longest+200) {
		t.Errorf("an error of 5,000 letters makes lines of %d", len(out)/2)
	}
}
