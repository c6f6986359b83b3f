package slacksim

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"huiyin/bot/sim/backstage"
)

// upload is a file between its ticket and its completion.
type upload struct {
	file  File
	token string
	data  []byte
	done  bool
}

// FileData returns the bytes of a completed file.
func (s *Server) FileData(id string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.world.uploads[id]
	if u == nil || !u.done {
		return nil, false
	}
	return slices.Clone(u.data), true
}

func filesGetUploadURLExternal(s *Server, a args) answer {
	size, err := strconv.Atoi(a.str("length"))
	switch {
	case !a.has("filename"):
		return s.missing("filename")
	case err != nil || size <= 0:
		return fail("missing_argument")
	case size > 1<<30:
		return fail("file_upload_size_restricted")
	}
	u := &upload{
		file:  File{ID: s.world.id("F"), Name: a.str("filename"), Title: a.str("filename"), Size: size},
		token: fmt.Sprintf("%016x%016x", s.rng.Uint64(), s.rng.Uint64()),
	}
	s.world.uploads[u.file.ID] = u
	return ok(map[string]any{"upload_url": s.opts.BaseURL + "/upload/v1/" + u.token, "file_id": u.file.ID})
}

// serveUpload takes the bytes: the raw body, or the part named file of a multipart form.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	call := &Call{N: s.world.count("call"), At: s.now(), Method: "upload", Body: "bytes", Args: map[string]any{}}
	f := s.draw("upload")
	var u *upload
	for _, candidate := range s.world.uploads {
		if candidate.token == r.PathValue("token") {
			u = candidate
		}
	}
	s.mu.Unlock()
	if f.before(r.Context(), w) {
		s.record(call, answer{}, 0, f.String())
		return
	}
	refuse := func(status int, why string) {
		s.record(call, fail(why), status, f.String())
		http.Error(w, why, status)
	}
	switch {
	case f.answers():
		refuse(max(f.Status, http.StatusInternalServerError), "internal_error")
		return
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		refuse(http.StatusMethodNotAllowed, "method_not_allowed")
		return
	case u == nil:
		refuse(http.StatusNotFound, "not_found")
		return
	}
	data, err := uploaded(r, u.file.Size)
	if err != nil || len(data) != u.file.Size {
		refuse(http.StatusBadRequest, "length_mismatch")
		return
	}
	s.mu.Lock()
	u.data = data
	s.mu.Unlock()
	if f.AcceptThenDrop {
		s.record(call, answer{}, 0, f.String())
		backstage.Drop(w)
		return
	}
	s.record(call, ok(map[string]any{}), http.StatusOK, f.String())
	fmt.Fprintf(w, "OK - %d", len(data))
}

func uploaded(r *http.Request, size int) ([]byte, error) {
	from := io.Reader(r.Body)
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && media == "multipart/form-data" {
		part, _, err := r.FormFile("file")
		if err != nil {
			return nil, fmt.Errorf("reading the file part: %w", err)
		}
		from = part
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(from, int64(size)+1)); err != nil {
		return nil, fmt.Errorf("reading an upload: %w", err)
	}
	return b.Bytes(), nil
}

func filesCompleteUploadExternal(s *Server, a args) answer {
	v, err := a.value("files")
	list, isList := v.([]any)
	if err != nil || !isList || len(list) == 0 {
		return s.missing("files")
	}
	var channels []*Channel
	for _, id := range append(a.list("channel_id"), a.list("channels")...) {
		c := s.botChannel(id) // a user id is refused: this method wants a conversation
		switch {
		case c == nil && a.has("channel_id"):
			return fail("channel_not_found")
		case c == nil:
			return fail("invalid_channel")
		case !s.botIn(c):
			return fail("not_in_channel")
		}
		channels = append(channels, c)
	}
	var files []File
	for _, item := range list {
		o, _ := item.(map[string]any)
		id, _ := o["id"].(string)
		u := s.world.uploads[id]
		switch {
		case u == nil:
			return fail("file_not_found")
		case u.data == nil || u.done:
			return fail("file_update_failed")
		}
		if title, given := o["title"].(string); given && title != "" {
			u.file.Title = title
		}
		files = append(files, u.file)
	}
	for _, f := range files {
		s.world.uploads[f.ID].done = true
	}
	var after []func()
	for _, c := range channels {
		m := s.post(c.ID, draft{text: a.str("initial_comment"), thread: a.str("thread_ts")}, "")
		m.Files = files
		if echo := s.echo(m); echo != nil {
			after = append(after, echo)
		}
	}
	return answer{body: map[string]any{"files": files}, after: func() {
		for _, f := range after {
			f()
		}
	}}
}

// fileExists says whether an image block may name the file.
func (s *Server) fileExists(id string) bool {
	u := s.world.uploads[id]
	return u != nil && u.done
}
