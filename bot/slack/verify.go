package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// tolerance is how old, or how far ahead, a signature may be.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
const tolerance = 300 // seconds

// verifier checks that Slack signed a request. slack-go's SecretsVerifier reads the wall clock and takes capital hexadecimal digits.
type verifier struct{ secret []byte }

// fresh reads when a request was signed; ok is false when the headers are not there or the time is not now.
func (v verifier) fresh(h http.Header, now time.Time) (at time.Time, ok bool) {
	stamp := h.Get("X-Slack-Request-Timestamp")
	sec, err := strconv.ParseUint(stamp, 10, 63)
	if err != nil || len(stamp) != 10 || h.Get("X-Slack-Signature") == "" {
		return time.Time{}, false
	}
	age := now.Unix() - int64(sec)
	return time.Unix(int64(sec), 0).UTC(), age <= tolerance && age >= -tolerance
}

// signed reports whether the signature is that of the raw body.
func (v verifier) signed(h http.Header, body []byte) bool {
	if len(v.secret) == 0 {
		return false
	}
	mac := hmac.New(sha256.New, v.secret)
	mac.Write([]byte("v0:" + h.Get("X-Slack-Request-Timestamp") + ":"))
	mac.Write(body)
	want := append([]byte("v0="), make([]byte, hex.EncodedLen(sha256.Size))...)
	hex.Encode(want[3:], mac.Sum(nil))
	return hmac.Equal(want, []byte(h.Get("X-Slack-Signature")))
}
