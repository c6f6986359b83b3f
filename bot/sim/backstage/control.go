package backstage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
)

// ControlPath is where a simulator's control API stands; a verb follows.
const ControlPath = "/_sim/"

// maxOrder is the size of a control request.
const maxOrder = 16 << 20

// Control serves POST /_sim/{verb} with a JSON body of type O, to loopback names only: a page elsewhere must not drive the
// simulator by rebinding its own name to this machine. The answer is {ok, result} or {ok, error, fields}.
func Control[O any](verbs map[string]func(O) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		act, known := verbs[strings.TrimPrefix(r.URL.Path, ControlPath)]
		media, _, mediaErr := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch {
		case !Loopback(r.Host):
			controlError(w, http.StatusForbidden, errors.New("the control API answers to loopback names only"))
			return
		case !known:
			controlError(w, http.StatusNotFound, errors.New("no such verb"))
			return
		case r.Method != http.MethodPost:
			controlError(w, http.StatusMethodNotAllowed, errors.New("use POST"))
			return
		case mediaErr != nil || media != "application/json":
			controlError(w, http.StatusUnsupportedMediaType, errors.New("send application/json"))
			return
		}
		var o O
		if err := json.NewDecoder(io.LimitReader(r.Body, maxOrder)).Decode(&o); err != nil && !errors.Is(err, io.EOF) {
			controlError(w, http.StatusBadRequest, fmt.Errorf("reading the order: %w", err))
			return
		}
		result, err := act(o)
		if err != nil {
			controlError(w, http.StatusUnprocessableEntity, err)
			return
		}
		controlAnswer(w, http.StatusOK, map[string]any{"ok": true, "result": result})
	})
}

// Loopback says whether a Host header names this machine by an address or name that cannot be rebound.
func Loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

func controlError(w http.ResponseWriter, status int, err error) {
	body := map[string]any{"ok": false, "error": err.Error()}
	var refused InputErrors
	if errors.As(err, &refused) {
		body["fields"] = refused
	}
	controlAnswer(w, status, body)
}

func controlAnswer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(EncodeJSON(body)) //nolint:errcheck // the caller has gone away
}
