package obs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huiyin/bot"
	"huiyin/internal/fault"
	"huiyin/internal/notice"
)

func get(t *testing.T, h http.Handler, path string, edit ...func(*http.Request)) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.RemoteAddr = "127.0.0.1:5000"
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func clock() func() time.Time {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		at = at.Add(10 * time.Millisecond)
		return at
	}
}

func TestReadinessGivesTheReasonOfEveryFailedCheck(t *testing.T) {
	reasons := map[string]string{}
	ask := func(name string) Check {
		return Check{name, func(context.Context) string { return reasons[name] }}
	}
	h := Readyz(ask("database"), ask("migrations"))
	if code, body := get(t, h, "/readyz"); code != 200 || !strings.Contains(body, `"ready"`) {
		t.Errorf("all is well and the answer is %d %s", code, body)
	}
	reasons["migrations"] = "2 pending"
	code, body := get(t, h, "/readyz")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("the answer is no JSON: %v", err)
	}
	want := map[string]any{"status": "not ready", "reasons": map[string]any{"migrations": "2 pending"}}
	if diff := cmp.Diff(want, got); code != 503 || diff != "" {
		t.Errorf("status %d, want 503 (-want +got):\n%s", code, diff)
	}
	if code, _ := get(t, Healthz(), "/healthz"); code != 200 {
		t.Errorf("a process that lives but is not ready answers %d on /healthz, want 200", code)
	}
}

func TestACheckThatHangsCountsAsAFailedOneWithinASecond(t *testing.T) {
	h := Readyz(Check{"database", func(ctx context.Context) string {
		<-ctx.Done()
		return "no answer"
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _ := get(t, h, "/readyz", func(r *http.Request) { *r = *r.WithContext(ctx) })
	if code != 503 {
		t.Errorf("a database that does not answer gives %d, want 503", code)
	}
}

func TestMetricsAreForThisMachineOnly(t *testing.T) {
	h := LoopbackOnly(NewMetrics().Handler())
	cases := map[string]struct {
		edit func(*http.Request)
		want int
	}{
		"from this machine":         {func(*http.Request) {}, 200},
		"from this machine, IPv6":   {func(r *http.Request) { r.RemoteAddr = "[::1]:5000" }, 200},
		"from elsewhere":            {func(r *http.Request) { r.RemoteAddr = "192.0.2.7:5000" }, 404},
		"passed on by a proxy here": {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") }, 404},
		"from nowhere":              {func(r *http.Request) { r.RemoteAddr = "@" }, 404},
	}
	for name, c := range cases {
		if code, _ := get(t, h, "/metrics", c.edit); code != c.want {
			t.Errorf("asked %s the metrics answer %d, want %d", name, code, c.want)
		}
	}
}

func TestEventsDeliveriesAndRequestsAreCounted(t *testing.T) {
	m := NewMetrics()
	var fail error
	receive := m.Receive(func(context.Context, bot.Event) (bot.Reply, error) { return bot.Reply{}, fail }, func(e bot.Event) string { return e.Command.Name }, clock())
	for _, err := range []error{nil, fault.New(fault.Unavailable, "x"), errors.New("x")} {
		fail = err
		if _, got := receive(t.Context(), bot.Event{Platform: "slack", Command: &bot.Command{Name: "praise"}}); !errors.Is(got, err) {
			t.Errorf("measuring changed the outcome: %v became %v", err, got)
		}
	}
	m.Sent(notice.PraiseReceived, "slack", 300*time.Millisecond)
	m.Dead(notice.PraiseReceived, "slack", "refused")
	m.WatchPool("postgres", func() Pool { return Pool{Total: 3, Idle: 2, Max: 4} })
	m.WatchDeliveries(t.Context(), func(context.Context) (notice.Stats, error) {
		return notice.Stats{Waiting: 7, Oldest: 2 * time.Second}, nil
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /people/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	get(t, m.HTTP(mux, slog.New(slog.DiscardHandler), clock()), "/people/canary")

	_, body := get(t, m.Handler(), "/metrics")
	for _, want := range []string{
		`huiyin_commands_total{command="praise",outcome="ok",platform="slack"} 1`,
		`huiyin_commands_total{command="praise",outcome="unavailable",platform="slack"} 1`,
		`huiyin_ack_seconds_count{event="command",outcome="internal",platform="slack"} 1`,
		`huiyin_deliveries_total{kind="praise.received",outcome="dead",platform="slack",reason="refused"} 1`,
		`huiyin_delivery_seconds_sum{kind="praise.received",platform="slack"} 0.3`,
		`huiyin_pool_connections{pool="postgres"} 3`,
		`huiyin_outbox{state="waiting"} 7`,
		`huiyin_outbox_oldest_seconds 2`,
		`huiyin_http_request_seconds_count{code="418",route="GET /people/{id}"} 1`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics do not have the line %s", want)
		}
	}
	if strings.Contains(body, "canary") {
		t.Error("the path of a request became a label")
	}
}

func TestAPanicIsOneLineOfTheLogAndA500(t *testing.T) {
	m := NewMetrics()
	var out bytes.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { panic(canary) })
	code, body := get(t, m.HTTP(mux, NewLogger(&out, slog.LevelDebug, Text), clock()), "/")
	if code != 500 || strings.Contains(body, canary) {
		t.Errorf("a panic was answered with %d %s", code, body)
	}
	if text := out.String(); strings.Contains(text, canary) || !strings.Contains(text, "panic: string") || !strings.Contains(text, "obs.TestAPanic") {
		t.Errorf("the log should name the place of the panic and not its value: %s", text)
	}
}
