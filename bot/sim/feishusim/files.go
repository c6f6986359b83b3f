package feishusim

import (
	"bytes"
	"image"
	_ "image/gif"  // the dimensions of what is uploaded
	_ "image/jpeg" // the same
	_ "image/png"  // the same
	"net/http"
	"slices"
	"strings"
)

const (
	codeUpload = 234001
	imageLimit = 10 << 20
	fileLimit  = 30 << 20
	gifSide    = 2000
	imageSide  = 12000
)

// stored is an uploaded image or file.
type stored struct {
	name string
	data []byte
}

// Stored returns an upload's name and bytes by its image_key or file_key.
func (s *Server) Stored(key string) (name string, data []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.world.files[key]
	if u == nil {
		return "", nil, false
	}
	return u.name, slices.Clone(u.data), true
}

// imageCreate takes an image for messages: at most 10 MB, 12,000 pixels a side, a GIF 2,000.
// https://open.feishu.cn/document/server-docs/im-v1/image/create
func imageCreate(s *Server, q request) answer {
	if t := q.form["image_type"]; t != "message" && t != "avatar" {
		return fail(codeUpload, "Invalid request param.")
	}
	if q.form["image"] == "" && q.file == nil {
		return fail(codeUpload, "Invalid request param.")
	}
	media := http.DetectContentType(q.file)
	side := imageSide
	if media == "image/gif" {
		side = gifSide
	}
	switch {
	case len(q.file) == 0:
		return fail(234010, "File's size can't be 0.")
	case len(q.file) > imageLimit:
		return fail(234006, "The file size exceed the max value.")
	case !strings.HasPrefix(media, "image/"):
		return fail(234011, "Can't regonnize the image format.") // the vendor's spelling
	}
	if c, _, err := image.DecodeConfig(bytes.NewReader(q.file)); err == nil && (c.Width > side || c.Height > side) {
		return fail(234039, "Image's resolution exceeds the limit.")
	}
	key := "img_v3_02" + hexID("image", s.world.count("image")) + "g"
	s.world.files[key] = &stored{name: q.fileName, data: q.file}
	return ok(map[string]any{"image_key": key})
}

// fileCreate takes a file: at most 30 MB, of a type that Feishu names; anything else is a stream.
// https://open.feishu.cn/document/server-docs/im-v1/file/create
func fileCreate(s *Server, q request) answer {
	types := []string{"opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"}
	switch {
	case !slices.Contains(types, q.form["file_type"]), q.form["file_name"] == "", q.form["file"] == "" && q.file == nil:
		return fail(codeUpload, "Invalid request param.")
	case len(q.file) == 0:
		return fail(234010, "File's size can't be 0.")
	case len(q.file) > fileLimit:
		return fail(234006, "The file size exceed the max value.")
	}
	key := "file_v3_00" + hexID("file", s.world.count("file")) + "g"
	s.world.files[key] = &stored{name: q.form["file_name"], data: q.file}
	return ok(map[string]any{"file_key": key})
}
