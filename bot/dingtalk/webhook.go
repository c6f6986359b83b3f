package dingtalk

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"huiyin/bot"
)

// maxBody is the largest request that is read (CONTRACT: 256 KiB).
const maxBody = 256 << 10

// The addresses that DingTalk calls.
const (
	pathMessages = "/dingtalk/messages"
	pathEvents   = "/dingtalk/events"
	pathCards    = "/dingtalk/cards"
)

// Routes are the addresses that DingTalk calls in webhook mode; in stream mode there are none, for what nobody calls nobody can forge.
func (s *DingTalk) Routes(handle bot.Receive) map[string]http.Handler {
	if s.cfg.Mode != ModeWebhook {
		return nil
	}
	return map[string]http.Handler{
		pathMessages: s.door(s.messages(handle)),
		pathEvents:   s.door(s.events(handle)),
		pathCards:    s.door(s.cards(handle)),
	}
}

// errForged is for a request that is not what it says it is. Nothing is said about why.
var errForged = errors.New("a request that dingtalk did not make")

// step checks and reads one request and answers it. Errors are errForged, errNothing, and everything else for what cannot be read.
type step func(w http.ResponseWriter, r *http.Request, body func() ([]byte, error)) error

// door is one address. Its answers: 401 without a reason for what DingTalk did not sign just now, 413, 405, 400 for what cannot be read,
// 503 when the product cannot be reached, and 200.
func (s *DingTalk) door(do step) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		defer func() {
			if v := recover(); v != nil {
				_ = s.panic(ctx, v)
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if r.ContentLength > maxBody {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		err := do(w, r, func() ([]byte, error) { return read(w, r) })
		var large *http.MaxBytesError
		switch {
		case err == nil:
		case errors.Is(err, errNothing):
			w.WriteHeader(http.StatusOK)
		case errors.Is(err, errForged):
			w.WriteHeader(http.StatusUnauthorized)
		case errors.As(err, &large):
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		default:
			s.cfg.Log.WarnContext(ctx, "a request of dingtalk's cannot be read", "path", r.URL.Path, "error", err)
			w.WriteHeader(http.StatusBadRequest)
		}
	})
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

// messages takes what people write to the robot. The signature does not cover the body (see verifier), so the body must at least name
// our robot and our company, and the answer to one person goes to their conversation by the API: an address in the body may be anybody's.
func (s *DingTalk) messages(handle bot.Receive) step {
	return func(w http.ResponseWriter, r *http.Request, body func() ([]byte, error)) error {
		if !s.verifier.messages(r.Header, s.cfg.Now()) {
			return errForged
		}
		raw, err := body()
		if err != nil {
			return err
		}
		d, err := decodeMessage(raw, s.cfg.Now())
		if err != nil {
			return err
		}
		if d.robot != s.cfg.RobotCode || d.corp == "" || !s.ours(d.corp) {
			s.cfg.Log.WarnContext(r.Context(), "a signed message is for another robot or another company")
			return errForged
		}
		a := s.handle(r.Context(), handle, d)
		w.WriteHeader(a.status)
		s.follow(r.Context(), d, a)
		return nil
	}
}

// events takes what DingTalk tells of the company, sealed and signed, and answers in the same way.
func (s *DingTalk) events(handle bot.Receive) step {
	return func(w http.ResponseWriter, r *http.Request, body func() ([]byte, error)) error {
		q := r.URL.Query()
		stamp := orElse(q.Get("timestamp"), q.Get("timeStamp"))
		if s.envelope == nil || !s.verifier.fresh(stamp, s.cfg.Now()) {
			return errForged
		}
		raw, err := body()
		if err != nil {
			return err
		}
		var outer struct {
			Encrypt string `json:"encrypt"`
		}
		if err := json.Unmarshal(raw, &outer); err != nil || outer.Encrypt == "" {
			return errForged
		}
		signature := orElse(q.Get("signature"), q.Get("msg_signature"))
		if !equal(s.envelope.sign(stamp, q.Get("nonce"), outer.Encrypt), signature) {
			return errForged
		}
		inner, err := s.envelope.open(outer.Encrypt)
		if err != nil {
			return errForged
		}
		d, err := decodeEvent(eventHead{}, inner, s.cfg.Now())
		if err != nil && !errors.Is(err, errNothing) {
			return err
		}
		a := answer{status: http.StatusOK}
		if err == nil {
			s.vouch(d.corp)
			a = s.handle(r.Context(), handle, d)
		}
		sealed, err := s.envelope.answer("success", s.cfg.Now())
		if err != nil {
			return err
		}
		s.write(w, r, a.status, sealed)
		s.follow(r.Context(), d, a)
		return nil
	}
}

// cards takes presses on cards and answers with what becomes of them.
func (s *DingTalk) cards(handle bot.Receive) step {
	return func(w http.ResponseWriter, r *http.Request, body func() ([]byte, error)) error {
		if !s.verifier.cards(r.Header, s.cfg.Now()) {
			return errForged
		}
		raw, err := body()
		if err != nil {
			return err
		}
		d, err := decodeCard(raw, s.cfg.Now())
		if err != nil {
			return err
		}
		if !s.ours(d.corp) {
			s.cfg.Log.WarnContext(r.Context(), "a signed press is of another company")
			return errForged
		}
		a := s.handle(r.Context(), handle, d)
		s.write(w, r, a.status, a.body())
		s.follow(r.Context(), d, a)
		return nil
	}
}

func (s *DingTalk) write(w http.ResponseWriter, r *http.Request, status int, v any) {
	raw, err := encode(v)
	if err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "writing an answer to dingtalk", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(status)
	_, _ = w.Write(raw) // a DingTalk that has gone cannot be told
}
