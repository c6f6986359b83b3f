package slack

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"huiyin/bot"
)

// maxBody is the largest request that is read (CONTRACT: 256 KiB).
const maxBody = 256 << 10

const jsonType = "application/json; charset=utf-8"

// Routes are the addresses that Slack calls. Each takes POST alone; all check the signature on the raw body before anything else.
func (s *Slack) Routes(handle bot.Receive) map[string]http.Handler {
	interactions := s.door(handle, decodeInteractionForm)
	return map[string]http.Handler{
		"/slack/commands":     s.door(handle, decodeCommandForm),
		"/slack/interactions": interactions,
		"/slack/options":      interactions,
		"/slack/events": s.door(handle, func(body []byte, at time.Time) (delivery, error) {
			return decodeEvent(body, s.known().user, at)
		}),
	}
}

// decoder reads a checked body; at is when it was signed.
type decoder func(body []byte, at time.Time) (delivery, error)

// door is one address. Its answers: 401 without a reason for what Slack did not sign just now, 413, 405, 400 for what cannot be read,
// 503 when the product cannot be reached, and 200.
func (s *Slack) door(handle bot.Receive, decode decoder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		defer func() {
			if v := recover(); v != nil {
				_ = s.panic(ctx, v)
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		if r.Method != http.MethodPost {
			s.otherMethod(w, r)
			return
		}
		if r.ContentLength > maxBody {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		at, ok := s.verifier.fresh(r.Header, s.cfg.Now())
		if !ok {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		body, err := read(w, r)
		if err != nil {
			w.WriteHeader(unreadable(err))
			return
		}
		if !s.verifier.signed(r.Header, body) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		d, err := decode(body, at)
		if errors.Is(err, errNothing) {
			w.WriteHeader(http.StatusOK)
			return
		}
		if err != nil {
			s.cfg.Log.WarnContext(ctx, "a signed request of slack's cannot be read", "path", r.URL.Path, "error", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a := s.handle(ctx, handle, d, false)
		s.acknowledge(w, r, a)
		s.follow(ctx, d, a)
	})
}

// otherMethod answers what is not a POST. Slack looks at a command's address now and then with GET and ssl_check to see its
// certificate; it says nothing and learns nothing.
func (s *Slack) otherMethod(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Query().Get("ssl_check") == "1" {
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Allow", http.MethodPost)
	w.WriteHeader(http.StatusMethodNotAllowed)
}

// read reads a body of at most maxBody bytes.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limited := http.MaxBytesReader(w, r.Body, maxBody)
	if r.ContentLength < 0 {
		return io.ReadAll(limited)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(limited, body)
	return body, err
}

func unreadable(err error) int {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func (s *Slack) acknowledge(w http.ResponseWriter, r *http.Request, a answer) {
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	raw, err := json.Marshal(a.body)
	if err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "writing an answer to slack", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(a.status)
	_, _ = w.Write(raw) // a Slack that has gone cannot be told
}
