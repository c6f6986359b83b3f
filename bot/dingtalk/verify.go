package dingtalk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// tolerance is how old, or how far ahead, a signature may be. https://help.dingtalk.io/open/development/receive-message
const tolerance = time.Hour

// verifier checks that whoever calls knows the app's secret.
//
// DingTalk signs the time and nothing else: base64(HMAC-SHA256(secret, timestamp + "\n" + secret)). The body is NOT covered, so one
// request overheard lets anybody forge others for an hour. Nothing can mend that from here; the Stream mode has no such hole. What is
// left is what the body itself must say (the robot, the company), that a message id counts once, and that nothing private goes where the
// body says.
type verifier struct{ secret []byte }

// messages checks a call of the robot: headers timestamp (milliseconds) and sign.
func (v verifier) messages(h http.Header, now time.Time) bool {
	return v.fresh(h.Get("timestamp"), now) && equal(v.robotSign(h.Get("timestamp")), h.Get("sign"))
}

// cards checks a card callback: base64(HMAC-SHA256(apiSecret, timestamp)), with the secret that we registered.
// https://open.dingtalk.com/document/development/event-callback-card
func (v verifier) cards(h http.Header, now time.Time) bool {
	stamp := h.Get("x-ddpaas-signature-timestamp")
	return v.fresh(stamp, now) && equal(v.mac(v.cardSecret(), stamp), h.Get("x-ddpaas-signature"))
}

func (v verifier) robotSign(stamp string) string {
	return v.mac(v.secret, stamp+"\n"+string(v.secret))
}

// cardSecret is what card callbacks are signed with. It is registered with DingTalk; taken from the app's secret it needs no setting of
// its own, and does not give that secret away.
func (v verifier) cardSecret() []byte {
	return []byte(v.mac(v.secret, "huiyin card callbacks"))
}

func (v verifier) mac(secret []byte, text string) string {
	if len(v.secret) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (v verifier) fresh(stamp string, now time.Time) bool {
	at, ok := millis(stamp)
	age := now.Sub(at)
	return ok && age <= tolerance && age >= -tolerance
}

// millis reads a time in milliseconds: thirteen digits until the year 2286.
func millis(stamp string) (time.Time, bool) {
	ms, err := strconv.ParseUint(stamp, 10, 63)
	if err != nil || len(stamp) != 13 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)).UTC(), true
}

// equal compares in constant time; nothing equals nothing.
func equal(want, got string) bool {
	return want != "" && hmac.Equal([]byte(want), []byte(got))
}
