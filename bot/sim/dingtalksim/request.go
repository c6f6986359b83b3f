package dingtalksim

import (
	"bytes"
	"encoding/json"
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
	maxUpload = 24 << 20 // of one with a file
)

// request is one decoded call.
type request struct {
	name     string // of the route
	query    url.Values
	token    string
	json     map[string]any    // a JSON body
	form     map[string]string // a form's fields
	file     []byte            // the part named media
	fileName string
	raw      []byte
	fault    Fault
	err      *answer
	arrived  time.Time
	about    Finding
}

// read decodes query, header and body. The new API takes JSON only, the old one forms as well, uploads must be multipart.
func (q *request) read(r *http.Request, rt route) {
	q.query = r.URL.Query()
	q.token = r.Header.Get("X-Acs-Dingtalk-Access-Token")
	if rt.old {
		q.token = q.query.Get("access_token")
	}
	limit := int64(maxBody)
	if rt.upload {
		limit = maxUpload
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil || int64(len(raw)) > limit {
		q.refuse(answer{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", errcode: 40035, msg: "the body is too large", hard: true})
		return
	}
	q.raw = raw
	if r.Method == http.MethodGet || len(raw) == 0 {
		return
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && rt.upload && media == "multipart/form-data":
		q.readForm(r, raw)
	case rt.upload:
		q.refuse(answer{code: "InvalidParameter", errcode: 43004, msg: "无效的HTTP HEADER Content-Type"})
	case err == nil && media == "application/json":
		v, err := backstage.DecodeJSON(raw)
		object, isObject := v.(map[string]any)
		if err != nil || !isObject {
			q.refuse(answer{code: "InvalidParameter", errcode: 40035, msg: "不合法的参数: the body is no JSON object"})
			return
		}
		q.json = object
	case err == nil && rt.old && rt.directory && media == "application/x-www-form-urlencoded":
		v, err := url.ParseQuery(string(raw))
		if err != nil {
			q.refuse(answer{errcode: 40035, msg: "不合法的参数"})
			return
		}
		q.json = map[string]any{}
		for k := range v {
			q.json[k] = v.Get(k)
		}
	default:
		q.refuse(answer{code: "UnsupportedMediaType", errcode: 43004, msg: "无效的HTTP HEADER Content-Type"})
	}
}

func (q *request) readForm(r *http.Request, raw []byte) {
	r.Body = io.NopCloser(bytes.NewReader(raw))
	if err := r.ParseMultipartForm(maxUpload); err != nil {
		q.refuse(answer{errcode: 40035, msg: "不合法的参数"})
		return
	}
	q.form = map[string]string{}
	for k, v := range r.MultipartForm.Value {
		q.form[k] = v[0]
	}
	f, header, err := r.FormFile("media")
	if err != nil {
		return // the method says that it is missing
	}
	q.file, err = io.ReadAll(f)
	q.fileName = header.Filename
	if closing := f.Close(); err != nil || closing != nil {
		q.refuse(answer{errcode: 40035, msg: "不合法的参数"})
	}
}

func (q *request) refuse(a answer) { q.err = &a }

// str is a string argument of the body; anything else gives nothing.
func (q request) str(name string) string {
	v, _ := q.json[name].(string)
	return v
}

// strs is a list of strings of the body; ok is false for anything else.
func strs(v any) (out []string, ok bool) {
	list, isList := v.([]any)
	for _, v := range list {
		t, isString := v.(string)
		if !isString {
			return nil, false
		}
		out = append(out, t)
	}
	return out, isList
}

// integer is a whole number of the body, given as a number or, as forms do, in a string; ok is false for anything else.
func (q request) integer(name string) (n int64, ok bool) {
	var text string
	switch v := q.json[name].(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// recorded is the arguments for Call: query and body, secrets and file contents left out.
func (q request) recorded() map[string]any {
	out := map[string]any{}
	for k, v := range q.query {
		if k != "access_token" && k != "appsecret" {
			out[k] = v[0]
		}
	}
	for k, v := range q.form {
		out[k] = v
	}
	for k, v := range q.json {
		if k != "appSecret" && k != "clientSecret" && k != "apiSecret" {
			out[k] = v
		}
	}
	if q.file != nil {
		out["size"], out["file"] = len(q.file), q.fileName
	}
	return out
}

// millis is a moment as DingTalk writes it: Unix milliseconds.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
