package feishusim

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"mime/multipart"
	"strings"
	"testing"
)

func (w *office) upload(t *testing.T, path, part string, form map[string]string, data []byte) obj {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, v := range form {
		if err := m.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if part != "" {
		f, err := m.CreateFormFile(part, "a.bin")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, raw, err := w.try(t, "POST", path, m.FormDataContentType(), b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	v, err := decodeJSON(raw)
	out, isObject := v.(obj)
	if err != nil || !isObject {
		t.Fatalf("uploading answered %q", raw)
	}
	return out
}

func pngOf(t *testing.T, width int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, width, 1), color.Palette{color.Black})); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gifOf(t *testing.T, width int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewPaletted(image.Rect(0, 0, width, 1), color.Palette{color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImagesAreUploadedOnceTheyAreImages(t *testing.T) {
	w := newOffice(t, nil)
	const path = "/open-apis/im/v1/images"
	message := map[string]string{"image_type": "message"}
	out := w.upload(t, path, "image", message, pngOf(t, 12000))
	wantCode(t, "an image of 12,000 pixels", out, 0)
	key, _ := at(out, "data", "image_key").(string)
	if _, data, found := w.Stored(key); !found || !bytes.Equal(data, pngOf(t, 12000)) {
		t.Errorf("the image %q is not kept", key)
	}
	wantCode(t, "sending it", w.send(t, "image", obj{"image_key": key}), 0)
	wantCode(t, "showing it", w.send(t, "interactive", cardOf(obj{"tag": "img", "img_key": key, "alt": plainText("图")})), 0)
	wantCode(t, "one pixel more", w.upload(t, path, "image", message, pngOf(t, 12001)), 234039)
	wantCode(t, "a GIF of 2,000 pixels", w.upload(t, path, "image", message, gifOf(t, 2000)), 0)
	wantCode(t, "one pixel more", w.upload(t, path, "image", message, gifOf(t, 2001)), 234039)
	wantCode(t, "no image", w.upload(t, path, "image", message, []byte("text")), 234011)
	wantCode(t, "nothing", w.upload(t, path, "image", message, nil), 234010)
	wantCode(t, "no part", w.upload(t, path, "", message, nil), 234001)
	wantCode(t, "an odd type", w.upload(t, path, "image", map[string]string{"image_type": "poster"}, pngOf(t, 1)), 234001)
	wantCode(t, "a JSON body", w.call(t, "POST", path, obj{}), 234001)
	ten := append(pngOf(t, 1), make([]byte, imageLimit)...)
	wantCode(t, "10 MB", w.upload(t, path, "image", message, ten[:imageLimit]), 0)
	wantCode(t, "one byte more", w.upload(t, path, "image", message, ten[:imageLimit+1]), 234006)
}

func TestFilesAreUploadedUpTo30MB(t *testing.T) {
	w := newOffice(t, nil)
	const path = "/open-apis/im/v1/files"
	stream := map[string]string{"file_type": "stream", "file_name": "people.csv"}
	out := w.upload(t, path, "file", stream, []byte("a,b\n"))
	wantCode(t, "a CSV", out, 0)
	key, _ := at(out, "data", "file_key").(string)
	if name, data, found := w.Stored(key); !found || name != "people.csv" || string(data) != "a,b\n" {
		t.Errorf("the file is kept as %q %q", name, data)
	}
	wantCode(t, "sending it", w.send(t, "file", obj{"file_key": key}), 0)
	wantCode(t, "an empty file", w.upload(t, path, "file", stream, nil), 234010)
	wantCode(t, "a type of its own", w.upload(t, path, "file", map[string]string{"file_type": "csv", "file_name": "x"}, []byte("x")), 234001)
	wantCode(t, "no name", w.upload(t, path, "file", map[string]string{"file_type": "stream"}, []byte("x")), 234001)
	big := []byte(strings.Repeat("x", fileLimit+1))
	wantCode(t, "30 MB", w.upload(t, path, "file", stream, big[:fileLimit]), 0)
	wantCode(t, "one byte more", w.upload(t, path, "file", stream, big), 234006)
}
