package chat

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// sheetWithin is how long a page may take to say whether it lets itself be shown within another.
const sheetWithin = 2 * time.Second

// framed says whether a page lets itself be shown within ours, by its headers. Pages of other machines are not asked: the page of the
// demo fetches nothing from anywhere.
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Headers/Content-Security-Policy/frame-ancestors
func framed(ctx context.Context, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || !loopback(u.Host) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, sheetWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return false
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK && res.Header.Get("X-Frame-Options") == "" &&
		!strings.Contains(res.Header.Get("Content-Security-Policy"), "frame-ancestors")
}
