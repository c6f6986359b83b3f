package dingtalk

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The robot's signature, computed by the formula of https://help.dingtalk.io/open/development/receive-message
const (
	vectorSecret = "this is a secret"
	vectorStamp  = "1577262236757"
	vectorSign   = "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="
)

func signed(stamp, sign string) http.Header {
	h := http.Header{}
	h.Set("timestamp", stamp)
	h.Set("sign", sign)
	return h
}

func TestTheRobotsSignatureIsVerified(t *testing.T) {
	v := verifier{secret: []byte(vectorSecret)}
	at, _ := millis(vectorStamp)
	if got := v.robotSign(vectorStamp); got != vectorSign {
		t.Fatalf("the signature is %s, want %s", got, vectorSign)
	}
	for _, c := range []struct {
		name        string
		stamp, sign string
		now         time.Time
		want        bool
	}{
		{"the vector", vectorStamp, vectorSign, at, true},
		{"an hour old", vectorStamp, vectorSign, at.Add(time.Hour), true},
		{"an hour and a millisecond old", vectorStamp, vectorSign, at.Add(time.Hour + time.Millisecond), false},
		{"an hour ahead", vectorStamp, vectorSign, at.Add(-time.Hour), true},
		{"an hour and a millisecond ahead", vectorStamp, vectorSign, at.Add(-time.Hour - time.Millisecond), false},
		{"30 days old", vectorStamp, vectorSign, at.AddDate(0, 0, 30), false},
		{"no sign", vectorStamp, "", at, false},
		{"no time", "", vectorSign, at, false},
		{"a time in seconds", "1577262236", vectorSign, at, false},
		{"a time with a sign", "+577262236757", vectorSign, at, false},
		{"another case", vectorStamp, strings.ToUpper(vectorSign), at, false},
		{"a space after it", vectorStamp, vectorSign + " x", at, false},
		{"half of it", vectorStamp, vectorSign[:22], at, false},
	} {
		if got := v.messages(signed(c.stamp, c.sign), c.now); got != c.want {
			t.Errorf("%s: verified is %v, want %v", c.name, got, c.want)
		}
	}
	if (verifier{}).messages(signed(vectorStamp, (verifier{}).robotSign(vectorStamp)), at) {
		t.Error("without a secret something is verified")
	}
}

func TestNoFlippedBitIsVerified(t *testing.T) {
	v := verifier{secret: []byte(vectorSecret)}
	at, _ := millis(vectorStamp)
	card := v.mac(v.cardSecret(), vectorStamp)
	cards := func(stamp, sign string) bool {
		h := http.Header{}
		h.Set("x-ddpaas-signature-timestamp", stamp)
		h.Set("x-ddpaas-signature", sign)
		return v.cards(h, at)
	}
	if !cards(vectorStamp, card) {
		t.Fatal("the signature of a card callback is refused")
	}
	if cards(vectorStamp, v.robotSign(vectorStamp)) || v.messages(signed(vectorStamp, card), at) {
		t.Error("a signature of one kind opens the door of the other")
	}
	for _, flip := range flips(vectorStamp) {
		if v.messages(signed(flip, vectorSign), at) || cards(flip, card) {
			t.Errorf("time %q is verified", flip)
		}
	}
	for _, flip := range flips(vectorSign) {
		if v.messages(signed(vectorStamp, flip), at) {
			t.Errorf("signature %q is verified", flip)
		}
	}
	for _, flip := range flips(card) {
		if cards(vectorStamp, flip) {
			t.Errorf("card signature %q is verified", flip)
		}
	}
}

// flips are all texts that differ from s in one bit.
func flips(s string) []string {
	var out []string
	for i := range len(s) {
		for bit := range 8 {
			b := []byte(s)
			b[i] ^= 1 << bit
			out = append(out, string(b))
		}
	}
	return out
}

// The vectors of github.com/open-dingtalk/DingTalk-Callback-Crypto: their paddings have 27 and 31 bytes.
var vectors = []struct{ token, key, owner, signature, stamp, nonce, encrypt, plain string }{
	{
		"tokenxxxx", "o1w0aum42yaptlz8alnhwikjd3jenzt9cb9wmzptgus", "dingxxxxxx", "f36f4ba5337d426c7d4bca0dbcb06b3ddc1388fc", "1605695694141", "WelUQl6bCqcBa2fM",
		"X1VSe9cTJUMZu60d3kyLYTrBq5578ZRJtteU94wG0Q4Uk6E/wQYeJRIC0/UFW5Wkya1Ihz9oXAdLlyC9TRaqsQ==", "success",
	},
	{
		"mryue", "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7", "ding6ccabc44d2c8d38b", "03044561471240d4a14bb09372dfcfd4fd0e40cb", "1608001896814", "WL4PK6yA",
		"0vJiX6vliEpwG3U45CtXqi+m8PXbQRARJ8p8BbDuD1EMTDf0jKpQ79QS93qEk7XHpP6u+oTTrd15NRPvNvmBKyDCYxxOK+HZeKju4yhELOFchzNukR+t8SB/qk4ROMu3", `{"EventType":"check_url"}`,
	},
}

func TestDingTalksOwnEnvelopesAreOpened(t *testing.T) {
	for i, v := range vectors {
		e, err := newEnvelope(v.token, v.key, v.owner)
		if err != nil {
			t.Fatalf("vector %d: %v", i, err)
		}
		if got := e.sign(v.stamp, v.nonce, v.encrypt); got != v.signature {
			t.Errorf("vector %d: the signature is %s, want %s", i, got, v.signature)
		}
		if got, err := e.open(v.encrypt); err != nil || string(got) != v.plain {
			t.Errorf("vector %d: opened %q, %v; want %q", i, got, err, v.plain)
		}
		other, err := newEnvelope(v.token, v.key, v.owner+"x")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := other.open(v.encrypt); err == nil {
			t.Errorf("vector %d: somebody else opened %q", i, got)
		}
		for _, flip := range flips(v.encrypt) {
			if equal(v.signature, e.sign(v.stamp, v.nonce, flip)) {
				t.Errorf("vector %d: cipher text %q has the same signature", i, flip)
			}
			if _, err := e.open(flip); err != nil && err.Error() != errEnvelope.Error() {
				t.Errorf("vector %d: opening %q says %v; whoever sends it must not learn why", i, flip, err)
			}
		}
	}
}

func TestEnvelopesThatAreNoneAreRefused(t *testing.T) {
	e, err := newEnvelope(vectors[1].token, vectors[1].key, vectors[1].owner)
	if err != nil {
		t.Fatal(err)
	}
	// sealed encrypts bytes as they are, so that every padding can be tried.
	sealed := func(raw []byte) string {
		out := make([]byte, len(raw))
		cipher.NewCBCEncrypter(e.block, e.key[:aes.BlockSize]).CryptBlocks(out, raw)
		return base64.StdEncoding.EncodeToString(out)
	}
	padded := func(pad byte, size uint32, owner string) []byte {
		raw := make([]byte, 20)
		binary.BigEndian.PutUint32(raw[16:], size)
		raw = append(append(raw, "hi"...), owner...)
		raw = append(raw, bytes.Repeat([]byte{pad}, int(pad))...)
		for len(raw)%aes.BlockSize != 0 {
			raw = append(raw, pad)
		}
		return raw
	}
	right := padTo - (20+2+len(e.owner))%padTo
	if got, err := e.open(sealed(padded(byte(right), 2, e.owner))); err != nil || string(got) != "hi" {
		t.Fatalf("the positive control opens %q, %v", got, err)
	}
	for name, encrypted := range map[string]string{
		"nothing":               "",
		"no base64":             "!!!!",
		"seven bytes":           base64.StdEncoding.EncodeToString([]byte("0123456")),
		"padding 0":             sealed(padded(0, 2, e.owner)),
		"padding 33":            sealed(padded(33, 2, e.owner)),
		"padding 255":           sealed(padded(255, 2, e.owner)),
		"a length past its end": sealed(padded(byte(right), 1<<31, e.owner)),
		"another owner":         sealed(padded(byte(right), 2, strings.Repeat("x", len(e.owner)))),
		"no owner":              sealed(padded(padTo-22%padTo, 2, "")),
	} {
		if got, err := e.open(encrypted); err == nil {
			t.Errorf("%s is opened: %q", name, got)
		}
	}
	for _, key := range []string{"", "short", strings.Repeat("x", 44), strings.Repeat("!", 43)} {
		if _, err := newEnvelope("t", key, "o"); err == nil {
			t.Errorf("the key %q is taken", key)
		}
	}
}

func TestAnswersComeBackTheWayTheyWent(t *testing.T) {
	e, err := newEnvelope(vectors[1].token, vectors[1].key, vectors[1].owner)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 70 {
		text := strings.Repeat("x", n)
		a, err := e.answer(text, signedAt)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.open(a.Encrypt); err != nil || string(got) != text || a.Signature != e.sign(a.Stamp, a.Nonce, a.Encrypt) || a.Stamp != fmt.Sprint(signedAt.UnixMilli()) {
			t.Errorf("an answer of %d bytes comes back as %q, %v (%+v)", n, got, err, a)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	e, err := newEnvelope(vectors[1].token, vectors[1].key, vectors[1].owner)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(vectors[0].encrypt)
	f.Add(vectors[1].encrypt)
	f.Add("")
	f.Add(strings.Repeat("A", 64))
	f.Fuzz(func(t *testing.T, encrypted string) {
		got, err := e.open(encrypted)
		if err != nil {
			return
		}
		again, err := e.seal(got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := e.open(again); err != nil || string(back) != string(got) {
			t.Errorf("%q comes back as %q, %v", got, back, err)
		}
	})
}

func FuzzEventSignature(f *testing.F) {
	e, err := newEnvelope(vectors[1].token, vectors[1].key, vectors[1].owner)
	if err != nil {
		f.Fatal(err)
	}
	v := vectors[1]
	f.Add(v.stamp, v.nonce, v.encrypt, v.signature)
	f.Add("", "", "", "")
	f.Add(v.nonce, v.stamp, v.encrypt, v.signature)
	f.Fuzz(func(t *testing.T, stamp, nonce, encrypted, signature string) {
		if equal(e.sign(stamp, nonce, encrypted), signature) && encrypted != v.encrypt {
			t.Errorf("a forged event is verified: %q %q %q", stamp, nonce, encrypted)
		}
	})
}
