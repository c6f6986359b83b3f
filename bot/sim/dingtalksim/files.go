package dingtalksim

import (
	"path"
	"slices"
	"strings"

	"huiyin/bot/sim/backstage"
)

// stored is an uploaded file.
type stored struct {
	kind, name string
	data       []byte
}

// uploads are the types of media/upload: their endings and sizes. A file can be no csv.
// https://open.dingtalk.com/document/development/upload-media-files
func uploads() map[string]struct {
	endings []string
	limit   int
	code    int
} {
	type of = struct {
		endings []string
		limit   int
		code    int
	}
	return map[string]of{
		"image": {[]string{"jpg", "jpeg", "gif", "png", "bmp"}, 20 << 20, 40009},
		"voice": {[]string{"amr", "mp3", "wav"}, 2 << 20, 40010},
		"video": {[]string{"mp4"}, 20 << 20, 40011},
		"file":  {[]string{"doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar"}, 20 << 20, 40006},
	}
}

// Stored returns an upload's name and bytes by its media_id.
func (s *Server) Stored(mediaID string) (name string, data []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.world.files[mediaID]
	if u == nil {
		return "", nil, false
	}
	return u.name, slices.Clone(u.data), true
}

// mediaUpload takes the part named media; type stands in the query or in the form.
func mediaUpload(s *Server, q request) answer {
	kind := q.query.Get("type")
	if kind == "" {
		kind = q.form["type"]
	}
	rule, known := uploads()[kind]
	ending := strings.ToLower(strings.TrimPrefix(path.Ext(q.fileName), "."))
	switch {
	case !known:
		return deny(40004, "不合法的媒体文件类型")
	case q.file == nil:
		return deny(40035, "缺少参数 media")
	case len(q.file) == 0:
		return deny(40006, "不合法的文件大小")
	case !slices.Contains(rule.endings, ending):
		return deny(40005, "不合法的文件类型")
	case len(q.file) > rule.limit:
		return deny(rule.code, "不合法的文件大小")
	}
	id := "@lA" + backstage.HexID("media", s.world.count("media"))[:24]
	s.world.files[id] = &stored{kind: kind, name: q.fileName, data: q.file}
	return ok(map[string]any{"type": kind, "media_id": id, "created_at": s.Now().UnixMilli()})
}
