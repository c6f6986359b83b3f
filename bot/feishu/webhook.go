package feishu

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"huiyin/bot"
)

// maxBody is the largest request that is read (CONTRACT: 256 KiB).
const maxBody = 256 << 10

const jsonType = "application/json; charset=utf-8"

// Routes are the addresses that Feishu calls. Either takes events and card callbacks alike; both check the signature on the raw body
// before anything else. Without an encrypt key there is nothing to check, and everything is refused.
func (f *Feishu) Routes(handle bot.Receive) map[string]http.Handler {
	h := f.door(handle)
	return map[string]http.Handler{"/feishu/events": h, "/feishu/cards": h}
}

// door is one address. Its answers: 401 without a reason for what Feishu did not sign just now or what is not for this app, 413, 405,
// 400 for what cannot be read, 503 when the product cannot be reached, and 200.
func (f *Feishu) door(handle bot.Receive) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		defer func() {
			if v := recover(); v != nil {
				_ = f.panic(ctx, v)
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, err := read(w, r)
		if err != nil {
			w.WriteHeader(unreadable(err))
			return
		}
		e, status := f.admit(ctx, r.Header, body)
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		me, err := f.self(ctx, e)
		if err != nil {
			f.cfg.Log.WarnContext(ctx, "who the bot is cannot be asked", "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		d, err := decode(e, me, f.cfg.Now())
		if errors.Is(err, errNothing) {
			f.acknowledge(w, r, answer{status: http.StatusOK})
			return
		}
		if err != nil {
			f.cfg.Log.WarnContext(ctx, "a signed request of feishu's cannot be read", "path", r.URL.Path, "type", e.Header.Type, "error", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a := f.handle(ctx, handle, d)
		f.acknowledge(w, r, a)
		f.follow(ctx, d, a)
	})
}

// admit checks that a request is Feishu's, for us and of now, and opens it. The one request that Feishu encrypts without signing asks
// whether the address is ours; being able to read it and its token are its proof.
func (f *Feishu) admit(ctx context.Context, h http.Header, body []byte) (envelope, int) {
	_, fresh := f.verifier.fresh(h, f.cfg.Now())
	signed := fresh && f.verifier.signed(h, body)
	unsigned := h.Get(signHeader) == "" && h.Get(stampHeader) == ""
	if !signed && !unsigned {
		if !fresh && f.verifier.signed(h, body) { // a replay, or Feishu pushing again what it signed at first
			f.cfg.Log.WarnContext(ctx, "a request that feishu did not sign just now is refused", "timestamp", cut(oneLine(h.Get(stampHeader)), 20))
		}
		return envelope{}, http.StatusUnauthorized
	}
	var sealed struct {
		Encrypt string `json:"encrypt"`
	}
	notOurs := http.StatusBadRequest
	if !signed {
		notOurs = http.StatusUnauthorized
	}
	if err := json.Unmarshal(body, &sealed); err != nil || sealed.Encrypt == "" {
		return envelope{}, notOurs
	}
	plain, err := f.verifier.decrypt(sealed.Encrypt)
	if err != nil {
		return envelope{}, notOurs
	}
	e, err := open(plain)
	if err != nil {
		return envelope{}, notOurs
	}
	switch {
	case e.handshake():
		if !f.verifier.known(e.Token) {
			return envelope{}, http.StatusUnauthorized
		}
	case !signed, !f.verifier.known(e.Header.Token), e.Header.AppID != f.cfg.AppID:
		return envelope{}, http.StatusUnauthorized
	}
	return e, http.StatusOK
}

// read reads a body of at most maxBody bytes.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, &http.MaxBytesError{Limit: maxBody}
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}

func unreadable(err error) int {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func (f *Feishu) acknowledge(w http.ResponseWriter, r *http.Request, a answer) {
	if a.body == nil {
		a.body = shown{} // nothing to say is {}
	}
	raw, err := bare{}.Serialize(a.body)
	if err != nil {
		f.cfg.Log.ErrorContext(r.Context(), "writing an answer to feishu", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(a.status)
	_, _ = w.Write(raw) // a Feishu that has gone cannot be told
}
