package feishusim

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"huiyin/bot/sim/backstage"
)

const (
	maxBody   = 1 << 20  // of an ordinary request
	maxUpload = 40 << 20 // of one with a file
)

// request is one decoded call.
type request struct {
	name     string // of the route
	path     map[string]string
	query    url.Values
	token    string
	json     map[string]any // a JSON body
	form     map[string]string
	file     []byte // the part named image or file
	fileName string
	size     int // bytes of the body
	raw      []byte
	err      *answer
	arrived  time.Time
	about    Finding
}

// read decodes query, header and body. A body must be JSON and say so; uploads must be multipart.
func (q *request) read(r *http.Request, upload bool) {
	q.query = r.URL.Query()
	if t, found := cutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		q.token = t
	}
	limit := int64(maxBody)
	if upload {
		limit = maxUpload
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil || int64(len(raw)) > limit {
		q.refuse(http.StatusRequestEntityTooLarge, 9499, "Bad Request: the body is too large")
		return
	}
	q.size = len(raw)
	if r.Method == http.MethodGet || r.Method == http.MethodDelete || len(raw) == 0 {
		return
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && upload && media == "multipart/form-data":
		q.readForm(r, raw)
	case upload:
		q.refuse(http.StatusBadRequest, codeUpload, "Invalid request param.")
	case err != nil || media != "application/json":
		q.refuse(http.StatusBadRequest, 9499, "Invalid parameter type in json: the body is not application/json")
	default:
		q.raw = raw
		v, err := decodeJSON(raw)
		object, isObject := v.(map[string]any)
		if err != nil || !isObject {
			q.refuse(http.StatusBadRequest, 9499, "Invalid parameter type in json")
			return
		}
		q.json = object
	}
}

func (q *request) readForm(r *http.Request, raw []byte) {
	r.Body = io.NopCloser(bytes.NewReader(raw))
	if err := r.ParseMultipartForm(maxUpload); err != nil {
		q.refuse(http.StatusBadRequest, codeUpload, "Invalid request param.")
		return
	}
	q.form = map[string]string{}
	for k, v := range r.MultipartForm.Value {
		q.form[k] = v[0]
	}
	for _, part := range []string{"image", "file"} {
		f, header, err := r.FormFile(part)
		if err != nil {
			continue
		}
		q.file, err = io.ReadAll(f)
		q.form[part], q.fileName = header.Filename, header.Filename
		if closing := f.Close(); err != nil || closing != nil {
			q.refuse(http.StatusBadRequest, codeUpload, "Invalid request param.")
		}
	}
}

func (q *request) refuse(status, code int, msg string) {
	q.err = &answer{status: status, code: code, msg: msg}
}

// str is a string argument of the JSON body; anything else gives nothing.
func (q request) str(name string) string {
	v, _ := q.json[name].(string)
	return v
}

// strs is a list of strings of the JSON body.
func (q request) strs(name string) []string {
	list, _ := q.json[name].([]any)
	var out []string
	for _, v := range list {
		if t, isString := v.(string); isString {
			out = append(out, t)
		}
	}
	return out
}

// recorded is the arguments for Call: query and body, secrets and file contents left out.
func (q request) recorded() map[string]any {
	out := map[string]any{}
	for k, v := range q.query {
		out[k] = v[0]
		if len(v) > 1 {
			out[k] = v
		}
	}
	for k, v := range q.path {
		out[k] = v
	}
	for k, v := range q.form {
		out[k] = v
	}
	for k, v := range q.json {
		if k != "app_secret" && k != "AppSecret" {
			out[k] = v
		}
	}
	if q.file != nil {
		out["size"] = len(q.file)
	}
	return out
}

func cutPrefix(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return "", false
}

func encodeJSON(v any) []byte { return backstage.EncodeJSON(v) }

func decodeJSON(raw []byte) (any, error) { return backstage.DecodeJSON(raw) }

// length counts characters: code points.
func length(s string) int { return backstage.Length(s) }

// millis is a moment as Feishu writes it in messages and events: Unix milliseconds in a string.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
