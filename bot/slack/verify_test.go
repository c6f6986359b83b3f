package slack

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huiyin/bot"
	"huiyin/bot/card/cardtest"
	"huiyin/internal/i18n"
)

// The example of https://docs.slack.dev/authentication/verifying-requests-from-slack
const (
	vectorSecret    = "8f742231b10e8888abcd99yyyzzz85a5"
	vectorTime      = 1531420618
	vectorBody      = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	vectorSignature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
)

func headers(stamp, signature string) http.Header {
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("X-Slack-Signature", signature)
	return h
}

// verified is both checks, as the door makes them.
func verified(secret string, h http.Header, body string, now int64) bool {
	v := verifier{secret: []byte(secret)}
	_, ok := v.fresh(h, time.Unix(now, 0))
	return ok && v.signed(h, []byte(body))
}

func TestSlacksOwnExampleIsVerified(t *testing.T) {
	if !verified(vectorSecret, headers("1531420618", vectorSignature), vectorBody, vectorTime) {
		t.Error("the signature of Slack's documentation is refused")
	}
}

func TestWhatSlackDidNotSignJustNowIsRefused(t *testing.T) {
	stamp := fmt.Sprint(vectorTime)
	reordered := strings.Join(append(strings.Split(vectorBody, "&")[1:], strings.Split(vectorBody, "&")[0]), "&")
	for _, c := range []struct {
		name, secret, stamp, signature, body string
		now                                  int64
		want                                 bool
	}{
		{"300 s old", vectorSecret, stamp, vectorSignature, vectorBody, vectorTime + 300, true},
		{"301 s old", vectorSecret, stamp, vectorSignature, vectorBody, vectorTime + 301, false},
		{"300 s ahead", vectorSecret, stamp, vectorSignature, vectorBody, vectorTime - 300, true},
		{"301 s ahead", vectorSecret, stamp, vectorSignature, vectorBody, vectorTime - 301, false},
		{"no secret", "", stamp, vectorSignature, vectorBody, vectorTime, false},
		{"another secret", vectorSecret + "x", stamp, vectorSignature, vectorBody, vectorTime, false},
		{"no timestamp", vectorSecret, "", vectorSignature, vectorBody, vectorTime, false},
		{"no signature", vectorSecret, stamp, "", vectorBody, vectorTime, false},
		{"capital digits", vectorSecret, stamp, "v0=" + strings.ToUpper(vectorSignature[3:]), vectorBody, vectorTime, false},
		{"capital prefix", vectorSecret, stamp, "V0=" + vectorSignature[3:], vectorBody, vectorTime, false},
		{"no prefix", vectorSecret, stamp, vectorSignature[3:], vectorBody, vectorTime, false},
		{"another version", vectorSecret, stamp, "v1=" + vectorSignature[3:], vectorBody, vectorTime, false},
		{"half a signature", vectorSecret, stamp, vectorSignature[:40], vectorBody, vectorTime, false},
		{"last byte changed", vectorSecret, stamp, vectorSignature[:len(vectorSignature)-1] + "4", vectorBody, vectorTime, false},
		{"last byte of the body changed", vectorSecret, stamp, vectorSignature, vectorBody[:len(vectorBody)-1] + "d", vectorTime, false},
		{"fields in another order", vectorSecret, stamp, vectorSignature, reordered, vectorTime, false},
		{"body written anew", vectorSecret, stamp, vectorSignature, strings.ReplaceAll(vectorBody, "%2F", "/"), vectorTime, false},
		{"timestamp with a sign", vectorSecret, "+531420618", vectorSignature, vectorBody, vectorTime, false},
		{"timestamp with a space", vectorSecret, " 531420618", vectorSignature, vectorBody, vectorTime, false},
		{"timestamp of 11 digits", vectorSecret, "01531420618", vectorSignature, vectorBody, vectorTime, false},
		{"timestamp in milliseconds", vectorSecret, "1531420618000", vectorSignature, vectorBody, vectorTime, false},
	} {
		if got := verified(c.secret, headers(c.stamp, c.signature), c.body, c.now); got != c.want {
			t.Errorf("%s: verified = %v, want %v", c.name, got, c.want)
		}
	}
}

// sign is Slack's side, written anew.
func sign(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

func TestAnyFlippedBitIsRefused(t *testing.T) {
	stamp := fmt.Sprint(vectorTime)
	parts := map[string][]byte{"body": []byte(vectorBody), "signature": []byte(vectorSignature), "timestamp": []byte(stamp)}
	for name, part := range parts {
		for bit := range len(part) * 8 {
			flipped := bytes.Clone(part)
			flipped[bit/8] ^= 1 << (bit % 8)
			all := map[string][]byte{"body": parts["body"], "signature": parts["signature"], "timestamp": parts["timestamp"]}
			all[name] = flipped
			if verified(vectorSecret, headers(string(all["timestamp"]), string(all["signature"])), string(all["body"]), vectorTime) {
				t.Fatalf("a request with bit %d of its %s flipped is taken", bit, name)
			}
		}
	}
}

func TestWhatSlackSignsIsTaken(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		secret := rapid.StringN(1, 40, 80).Draw(rt, "secret")
		body := rapid.SliceOf(rapid.Byte()).Draw(rt, "body")
		now := rapid.Int64Range(1_000_000_000, 9_999_999_000).Draw(rt, "now")
		stamp := fmt.Sprint(now + rapid.Int64Range(-300, 300).Draw(rt, "skew"))
		if len(stamp) != 10 {
			return
		}
		if !verified(secret, headers(stamp, sign(secret, stamp, body)), string(body), now) {
			rt.Errorf("a signed body is refused")
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add(fmt.Sprint(vectorTime), vectorSignature, []byte(vectorBody))
	f.Add("", "", []byte{})
	f.Add("-531420618", "v0=", []byte("x"))
	f.Fuzz(func(t *testing.T, stamp, signature string, body []byte) {
		h := http.Header{"X-Slack-Request-Timestamp": {stamp}, "X-Slack-Signature": {signature}}
		v := verifier{secret: []byte(vectorSecret)}
		_, fresh := v.fresh(h, time.Unix(vectorTime, 0))
		if v.signed(h, body) != (signature == sign(vectorSecret, stamp, body)) {
			t.Errorf("signed disagrees with Slack's side for timestamp %q and signature %q", stamp, signature)
		}
		if fresh && len(stamp) != 10 {
			t.Errorf("timestamp %q is taken", stamp)
		}
	})
}

func BenchmarkSignedPraise(b *testing.B) {
	body := []byte("token=x&team_id=T1&team_domain=d&channel_id=C1&channel_name=general&user_id=U1&user_name=lin&command=%2Fpraise&text=%3C%40U012ABCDEF%7Ckai%3E+Thank+you+for+the+clear+handover+%23customer&api_app_id=A1&is_enterprise_install=false&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1%2F1%2Fx&trigger_id=1.2.3")
	stamp := fmt.Sprint(vectorTime)
	h := headers(stamp, sign(vectorSecret, stamp, body))
	v := verifier{secret: []byte(vectorSecret)}
	b.ReportAllocs()
	for b.Loop() {
		at, ok := v.fresh(h, time.Unix(vectorTime, 0))
		if !ok || !v.signed(h, body) {
			b.Fatal("refused")
		}
		if _, err := decodeCommandForm(body, at); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWebhook(b *testing.B) {
	catalog, err := i18n.Load()
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(Config{
		SigningSecret: vectorSecret, BotToken: "xoxb", Now: func() time.Time { return time.Unix(vectorTime, 0) }, Log: slog.New(slog.DiscardHandler), Catalog: catalog,
	})
	if err != nil {
		b.Fatal(err)
	}
	answer := cardtest.Corpus().Cards[4].Card
	door := s.Routes(reply(bot.Reply{Card: &answer}))["/slack/commands"]
	stamp := fmt.Sprint(vectorTime)
	signature := sign(vectorSecret, stamp, []byte(vectorBody))
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/slack/commands", strings.NewReader(vectorBody))
		req.Header = headers(stamp, signature)
		w := httptest.NewRecorder()
		door.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
