package feishu

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"
	"time"
)

func testVerifier() verifier {
	return newVerifier(Config{AppID: "cli_1", EncryptKey: "test key", VerificationToken: "vtoken"})
}

func signedHeader(at, nonce, signature string) http.Header {
	return http.Header{"X-Lark-Request-Timestamp": {at}, "X-Lark-Request-Nonce": {nonce}, "X-Lark-Signature": {signature}}
}

// The vectors are those of the vendor's documents and of its SDK's formula.
func TestTheVendorsVectorsHold(t *testing.T) {
	v := testVerifier()
	const sealed = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
	plain, err := v.decrypt(sealed)
	if err != nil || string(plain) != "hello world" {
		t.Errorf("the vector decrypts to %q, %v", plain, err)
	}
	body := []byte(`{"encrypt":"` + sealed + `"}`)
	h := signedHeader("1700000000", "nonce-1", "002a272a435d056759149cce18e88064ff320d38d91a09432445c344c4296949")
	if at, ok := v.fresh(h, time.Unix(1700000000, 0)); !ok || at.Unix() != 1700000000 || !v.signed(h, body) {
		t.Error("the vector's signature is refused")
	}
	if v.signed(h, append(body, ' ')) {
		t.Error("a body with a space more has the same signature")
	}
	if none := newVerifier(Config{}); none.signed(h, body) {
		t.Error("without a key something is signed")
	}
}

func TestTimestampsAreOfTenDigitsAndOfNow(t *testing.T) {
	v, now := testVerifier(), time.Unix(1700000000, 0)
	for at, want := range map[string]bool{
		"1700000000": true, "1699999700": true, "1700000300": true, "1699999699": false, "1700000301": false, "01700000000": false, "170000000": false,
		"": false, "+170000000": false, "1700000000 ": false, "1.70000000": false, "-170000000": false, "1700000000000": false, "１７００００００００": false,
	} {
		if _, ok := v.fresh(signedHeader(at, "n", "s"), now); ok != want {
			t.Errorf("the timestamp %q is fresh: %v", at, ok)
		}
	}
	if _, ok := v.fresh(signedHeader("1700000000", "n", ""), now); ok {
		t.Error("a request without signature is fresh")
	}
}

// seal encrypts blocks whose padding is given as it is.
func seal(tb testing.TB, key string, padded []byte) string {
	tb.Helper()
	sum := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		tb.Fatal(err)
	}
	out := make([]byte, aes.BlockSize+len(padded))
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(out[aes.BlockSize:], padded)
	return base64.StdEncoding.EncodeToString(out)
}

func TestOnlyWholePaddedBlocksAreDecrypted(t *testing.T) {
	v := testVerifier()
	block := func(pad ...byte) []byte {
		b := []byte("0123456789abcdef")
		copy(b[len(b)-len(pad):], pad)
		return b
	}
	for what, c := range map[string]struct {
		sealed string
		want   string
		ok     bool
	}{
		"one byte of padding":          {seal(t, "test key", block(1)), "0123456789abcde", true},
		"a block of padding":           {seal(t, "test key", append(block(), bytesOf(16, 16)...)), "0123456789abcdef", true},
		"nothing but padding":          {seal(t, "test key", bytesOf(16, 16)), "", true},
		"padding of nothing":           {seal(t, "test key", block(0)), "", false},
		"padding of more than a block": {seal(t, "test key", block(17)), "", false},
		"padding of 255":               {seal(t, "test key", block(255)), "", false},
		"padding that disagrees":       {seal(t, "test key", block(2, 3, 3)), "", false},
		"another key":                  {seal(t, "another", block(1)), "", false},
		"nothing":                      {"", "", false},
		"an IV alone":                  {base64.StdEncoding.EncodeToString(make([]byte, 16)), "", false},
		"half a block":                 {base64.StdEncoding.EncodeToString(make([]byte, 40)), "", false},
		"no base64":                    {"@@@@", "", false},
	} {
		got, err := v.decrypt(c.sealed)
		if (err == nil) != c.ok || string(got) != c.want {
			t.Errorf("%s decrypts to %q, %v", what, got, err)
		}
	}
}

func bytesOf(b byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

// FuzzVerify: no request but the one that was signed is taken.
func FuzzVerify(f *testing.F) {
	const good = `{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}`
	f.Add("1700000000", "nonce-1", "002a272a435d056759149cce18e88064ff320d38d91a09432445c344c4296949", good)
	f.Add("1700000000", "", "", good)
	f.Add("", "", "", "")
	v, now := testVerifier(), time.Unix(1700000000, 0)
	f.Fuzz(func(t *testing.T, at, nonce, signature, body string) {
		h := signedHeader(at, nonce, signature)
		_, fresh := v.fresh(h, now)
		if fresh && v.signed(h, []byte(body)) && (body != good || at+nonce != "1700000000nonce-1") {
			t.Errorf("signed at %q with nonce %q: %q", at, nonce, body)
		}
	})
}

// FuzzDecrypt: whatever comes, nothing breaks, and what is decrypted is shorter than what came.
func FuzzDecrypt(f *testing.F) {
	f.Add("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=")
	f.Add(seal(f, "test key", bytesOf(16, 16)))
	f.Add("")
	v := testVerifier()
	f.Fuzz(func(t *testing.T, sealed string) {
		if plain, err := v.decrypt(sealed); err == nil && len(plain) >= len(sealed) {
			t.Errorf("%d bytes of %d", len(plain), len(sealed))
		}
	})
}
