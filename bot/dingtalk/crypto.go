package dingtalk

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // DingTalk's signature is made of it
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// envelope seals and opens what goes over an HTTP event subscription: AES-256-CBC, padded to 32 bytes, around 16 random bytes, the
// length, the message and whom it is for; signed with the SHA-1 of the sorted token, time, nonce and cipher text.
// https://open.dingtalk.com/document/orgapp/configure-event-subcription, github.com/open-dingtalk/DingTalk-Callback-Crypto
type envelope struct {
	token string
	key   []byte
	owner string
	block cipher.Block
}

// padTo is the size that messages are padded to: 32 bytes, not the 16 of an AES block.
const padTo = 32

var errEnvelope = errors.New("not an envelope of ours")

func newEnvelope(token, encodingKey, owner string) (*envelope, error) {
	key, err := base64.StdEncoding.DecodeString(encodingKey + "=")
	if err != nil || len(encodingKey) != 43 {
		// The last of the 43 characters holds two bits too many; DingTalk makes keys in which they are not nought.
		return nil, fmt.Errorf("the key has %d characters, want 43 of base64", len(encodingKey))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &envelope{token: token, key: key, owner: owner, block: block}, nil
}

// sign is the signature of a cipher text.
func (e *envelope) sign(stamp, nonce, encrypted string) string {
	parts := []string{e.token, stamp, nonce, encrypted}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// open gives the message in a cipher text. It says nothing about why it refuses one: whoever sends them must not learn.
func (e *envelope) open(encrypted string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil, errEnvelope
	}
	cipher.NewCBCDecrypter(e.block, e.key[:aes.BlockSize]).CryptBlocks(raw, raw)
	pad := int(raw[len(raw)-1])
	if pad < 1 || pad > padTo || pad > len(raw) || !bytes.Equal(raw[len(raw)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errEnvelope
	}
	raw = raw[:len(raw)-pad]
	if len(raw) < 20 {
		return nil, errEnvelope
	}
	size := binary.BigEndian.Uint32(raw[16:20])
	if uint64(size) > uint64(len(raw)-20) {
		return nil, errEnvelope
	}
	message, owner := raw[20:20+size], raw[20+size:]
	if !equal(e.owner, string(owner)) {
		return nil, errEnvelope
	}
	return message, nil
}

// seal makes a cipher text of a message.
func (e *envelope) seal(message []byte) (string, error) {
	raw := make([]byte, 20, 20+len(message)+len(e.owner)+padTo)
	if _, err := rand.Read(raw[:16]); err != nil {
		return "", fmt.Errorf("drawing random bytes: %w", err)
	}
	binary.BigEndian.PutUint32(raw[16:], uint32(len(message))) //nolint:gosec // a few bytes of ours
	raw = append(append(raw, message...), e.owner...)
	pad := padTo - len(raw)%padTo
	raw = append(raw, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(e.block, e.key[:aes.BlockSize]).CryptBlocks(raw, raw)
	return base64.StdEncoding.EncodeToString(raw), nil
}

// sealed is an answer to DingTalk.
type sealed struct {
	Signature string `json:"msg_signature"`
	Stamp     string `json:"timeStamp"`
	Nonce     string `json:"nonce"`
	Encrypt   string `json:"encrypt"`
}

// answer seals and signs an answer.
func (e *envelope) answer(text string, now time.Time) (sealed, error) {
	encrypted, err := e.seal([]byte(text))
	if err != nil {
		return sealed{}, err
	}
	nonce := strings.ReplaceAll(rand.Text(), "=", "")[:16]
	stamp := strconv.FormatInt(now.UnixMilli(), 10)
	return sealed{Signature: e.sign(stamp, nonce, encrypted), Stamp: stamp, Nonce: nonce, Encrypt: encrypted}, nil
}
