package feishu

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// tolerance is how old, or how far ahead, a signature may be. Feishu names none; whether it signs anew what it pushes again is not
// established, so a push that comes again with its first signature is refused here from the third on (5 min, 1 h, 6 h).
const tolerance = 300 // seconds

// The headers of a signed request.
const (
	stampHeader = "X-Lark-Request-Timestamp"
	nonceHeader = "X-Lark-Request-Nonce"
	signHeader  = "X-Lark-Signature"
)

// verifier checks that Feishu sent a request and reads what it encrypted. The SDK's dispatcher checks neither time nor token, compares
// byte by byte and leaves the padding unread.
// https://open.larkoffice.com/document/ukTMukTMukTM/uYDNxYjL2QTM24iN0EjN/event-subscription-configure-/encrypt-key-encryption-configuration-case.md
type verifier struct {
	appID string
	token []byte
	key   []byte // the encrypt key as it is written; empty: nothing can be verified
	block cipher.Block
}

func newVerifier(cfg Config) verifier {
	v := verifier{appID: cfg.AppID, token: []byte(cfg.VerificationToken), key: []byte(cfg.EncryptKey)}
	hash := sha256.Sum256(v.key)
	v.block, _ = aes.NewCipher(hash[:]) // 32 bytes are always a key
	return v
}

// fresh reads when a request was signed; ok is false when the headers are not there or the time is not now.
func (v verifier) fresh(h http.Header, now time.Time) (at time.Time, ok bool) {
	stamp := h.Get(stampHeader)
	sec, err := strconv.ParseUint(stamp, 10, 63)
	if err != nil || len(stamp) != 10 || h.Get(signHeader) == "" {
		return time.Time{}, false
	}
	age := now.Unix() - int64(sec)
	return time.Unix(int64(sec), 0).UTC(), age <= tolerance && age >= -tolerance
}

// signed reports whether the signature is that of the raw body: SHA-256 over time, nonce, encrypt key and body, in small hexadecimal
// digits. It is no HMAC.
func (v verifier) signed(h http.Header, body []byte) bool {
	if len(v.key) == 0 {
		return false
	}
	sum := sha256.New()
	sum.Write([]byte(h.Get(stampHeader) + h.Get(nonceHeader)))
	sum.Write(v.key)
	sum.Write(body)
	want := make([]byte, hex.EncodedLen(sha256.Size))
	hex.Encode(want, sum.Sum(nil))
	return subtle.ConstantTimeCompare(want, []byte(h.Get(signHeader))) == 1
}

// known reports whether a token is the verification token. Without one set, the encrypt key is the proof alone.
func (v verifier) known(token string) bool {
	return len(v.token) == 0 || subtle.ConstantTimeCompare(v.token, []byte(token)) == 1
}

var errEncrypted = errors.New("not encrypted with our key")

// decrypt reads base64(IV ‖ AES-256-CBC) with the SHA-256 of the encrypt key, padded as in PKCS #7.
func (v verifier) decrypt(encrypted string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(raw) < 2*aes.BlockSize || len(raw)%aes.BlockSize != 0 || len(v.key) == 0 {
		return nil, errEncrypted
	}
	plain := make([]byte, len(raw)-aes.BlockSize)
	cipher.NewCBCDecrypter(v.block, raw[:aes.BlockSize]).CryptBlocks(plain, raw[aes.BlockSize:])
	pad := plain[len(plain)-1]
	bad := subtle.ConstantTimeByteEq(pad, 0) | (1 ^ subtle.ConstantTimeLessOrEq(int(pad), aes.BlockSize))
	for i := range aes.BlockSize {
		within := subtle.ConstantTimeLessOrEq(i+1, int(pad))
		bad |= within & (1 ^ subtle.ConstantTimeByteEq(plain[len(plain)-1-i], pad))
	}
	if bad != 0 {
		return nil, errEncrypted
	}
	return plain[:len(plain)-int(pad)], nil
}
