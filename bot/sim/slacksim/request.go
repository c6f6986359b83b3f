package slacksim

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"huiyin/bot/sim/backstage"
)

// maxBody bounds what one request may carry; a view of 250 kB in form encoding fits three times.
const maxBody = 1 << 20

// args are the decoded arguments of one call, or the content of one answer, without the token: strings from forms, any
// JSON value from JSON bodies. about says where they came from, for findings.
type args struct {
	v     map[string]any
	about Finding
}

// request is one decoded call.
type request struct {
	name  string
	body  string // json, form, multipart, query, none
	token string
	args  args
	raw   []byte
	warn  []string
	err   string
}

// readRequest decodes a call the three ways that Slack does: form or multipart, query, and JSON where it is read.
func readRequest(r *http.Request, readsJSON bool) request {
	req := request{name: r.PathValue("method"), body: "none", args: args{v: map[string]any{}}}
	if t, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		req.token = strings.TrimSpace(t)
	}
	req.take(r.URL.Query(), "query")
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(raw) > maxBody {
		req.err = "invalid_form_data"
		return req
	}
	req.raw = raw
	if r.Method != http.MethodPost || len(raw) == 0 && r.Header.Get("Content-Type") == "" {
		return req
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		req.err = "missing_post_type"
		return req
	}
	switch media {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			req.err = "invalid_form_data"
			return req
		}
		req.take(form, "form")
		if params["charset"] != "" {
			req.warn = append(req.warn, "superfluous_charset")
		}
	case "multipart/form-data":
		r.Body = io.NopCloser(bytes.NewReader(raw))
		if err := r.ParseMultipartForm(maxBody); err != nil {
			req.err = "invalid_form_data"
			return req
		}
		req.take(r.MultipartForm.Value, "multipart")
	case "application/json":
		req.body = "json"
		if params["charset"] == "" {
			req.warn = append(req.warn, "missing_charset")
		}
		if !readsJSON || len(raw) == 0 {
			return req
		}
		v, err := decodeJSON(raw)
		if err != nil {
			req.err = "invalid_json"
			return req
		}
		object, isObject := v.(map[string]any)
		if !isObject {
			req.err = "json_not_object"
			return req
		}
		maps.Copy(req.args.v, object)
		delete(req.args.v, "token") // in a JSON body a token is not read: it belongs in the header
	default:
		req.err = "invalid_post_type"
	}
	return req
}

func (q *request) take(v url.Values, body string) {
	for k, vs := range v {
		if k == "token" {
			if q.token == "" {
				q.token = vs[0]
			}
			continue
		}
		q.args.v[k] = vs[0]
	}
	if len(v) > 0 || body != "query" {
		q.body = body
	}
}

// str is a scalar argument as a string; objects and arrays give nothing.
func (a args) str(name string) string {
	switch v := a.v[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (a args) flag(name string) bool {
	v := a.str(name)
	return v == "true" || v == "1"
}

// list is a comma-separated argument, or a JSON array of strings.
func (a args) list(name string) []string {
	if vs, isList := a.v[name].([]any); isList {
		var out []string
		for _, v := range vs {
			if t, isString := v.(string); isString {
				out = append(out, t)
			}
		}
		return out
	}
	var out []string
	for v := range strings.SplitSeq(a.str(name), ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// value is a structured argument, given as JSON or as a string of JSON. Absent and empty give nil.
func (a args) value(name string) (any, error) {
	t, isString := a.v[name].(string)
	if !isString {
		return a.v[name], nil
	}
	if t == "" {
		return nil, nil
	}
	return decodeJSON([]byte(t))
}

func (a args) has(name string) bool {
	v, there := a.v[name]
	return there && v != nil && v != ""
}

func encodeJSON(v any) []byte { return backstage.EncodeJSON(v) }

func decodeJSON(raw []byte) (any, error) { return backstage.DecodeJSON(raw) }

// length counts characters: code points.
func length(s string) int { return backstage.Length(s) }
