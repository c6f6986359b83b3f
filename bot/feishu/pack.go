package feishu

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
)

// A form's definition travels in the value of its button, packed: no process has to remember which forms are open, and the one that
// gets the submission need not be the one that sent the form.

// rawJSON is a drawn element on its way.
type rawJSON = json.RawMessage

// pack writes the definition without what was filled in, which comes back with the submission.
func (q question) pack() (string, error) {
	q.Drawn = nil
	for _, e := range q.Intro {
		q.Drawn = append(q.Drawn, rawJSON(e))
	}
	raw, err := bare{}.Serialize(q)
	if err != nil {
		return "", fmt.Errorf("writing a form: %w", err)
	}
	if len(raw) > maxForm {
		return "", nil
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return "", fmt.Errorf("packing a form: %w", err)
	}
	if _, err := w.Write(raw); err != nil {
		return "", fmt.Errorf("packing a form: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("packing a form: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes()), nil
}

// unpack reads a definition; ok is false when there is none or it is none.
func unpack(packed string) (q question, ok bool) {
	if packed == "" {
		return question{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil {
		return question{}, false
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxForm+1))
	if err != nil || len(plain) > maxForm || json.Unmarshal(plain, &q) != nil || len(q.Fields) == 0 {
		return question{}, false
	}
	for _, e := range q.Drawn {
		q.Intro = append(q.Intro, drawn(e))
	}
	return q, true
}
