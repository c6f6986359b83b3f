package chat

import (
	"net/http"
	"net/url"
	"slices"
)

// pictureAddress is where the page finds an image that was uploaded to a platform, relative to the page.
func pictureAddress(platform, key string) string {
	return "picture/" + platform + "/" + url.PathEscape(key)
}

// servePicture gives an uploaded image, if it is one: anything else that was uploaded must not be opened by a browser.
func (s *site) servePicture(w http.ResponseWriter, r *http.Request) {
	p, known := s.named(r.PathValue("platform"))
	if !known {
		http.NotFound(w, r)
		return
	}
	data, there := p.picture(r.PathValue("key"))
	kind := http.DetectContentType(data)
	if !there || !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, kind) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(data) //nolint:errcheck // a browser that has gone away cannot be told
}
