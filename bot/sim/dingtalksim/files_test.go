package dingtalksim

import (
	"bytes"
	"mime/multipart"
	"testing"
)

// send uploads a file and returns the answer.
func (w *office) send(t *testing.T, kind, name string, data []byte) obj {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	if name != "" {
		part, err := form.CreateFormFile("media", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, raw, err := w.try(t, "POST", "/media/upload?type="+kind, form.FormDataContentType(), b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, raw)
}

func (w *office) upload(t *testing.T, kind, name, data string) string {
	t.Helper()
	out := w.send(t, kind, name, []byte(data))
	wantCode(t, "uploading "+name, out, 0)
	id, _ := out["media_id"].(string)
	return id
}

func TestUploadsHaveTypesEndingsAndSizes(t *testing.T) {
	w := newOffice(t, nil)
	two := 2 << 20
	for what, c := range map[string]struct {
		kind, name string
		size, code int
	}{
		"a picture":            {"image", "a.PNG", 10, 0},
		"a picture as a file":  {"file", "a.png", 10, 40005},
		"a table":              {"file", "a.xlsx", 10, 0},
		"a csv":                {"file", "a.csv", 10, 40005},
		"nothing":              {"file", "a.pdf", 0, 40006},
		"no part":              {"file", "", 0, 40035},
		"an unknown type":      {"folder", "a.pdf", 10, 40004},
		"two megabytes":        {"voice", "a.mp3", two, 0},
		"a byte more":          {"voice", "a.mp3", two + 1, 40010},
		"twenty megabytes":     {"file", "a.zip", 20 << 20, 0},
		"a byte more than 20M": {"file", "a.zip", 20<<20 + 1, 40006},
	} {
		wantCode(t, what, w.send(t, c.kind, c.name, make([]byte, c.size)), c.code)
	}
	id := w.upload(t, "file", "a.pdf", "text")
	if name, data, found := w.Stored(id); !found || name != "a.pdf" || string(data) != "text" {
		t.Errorf("what is stored is %q, %q, %v", name, data, found)
	}
	_, _, raw, err := w.try(t, "POST", "/media/upload?type=file", "application/json", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "JSON", decoded(t, raw), 43004)
}
