package dingtalksim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// eventBlock is the size to which events are padded: PKCS #7 with 32, twice the cipher's own block.
const eventBlock = 32

// SignRobot is the header sign of a robot message: base64(HMAC-SHA256(secret, timestamp + "\n" + secret)). Nothing of the
// body is in it. https://open.dingtalk.com/document/development/receive-message
func SignRobot(secret, timestamp string) string {
	return mac(secret, timestamp+"\n"+secret)
}

// SignCard is x-ddpaas-signature of a card callback over HTTP: base64(HMAC-SHA256(apiSecret, timestamp)). Nothing of the body
// is in it. https://open.dingtalk.com/document/development/event-callback-card
func SignCard(apiSecret, timestamp string) string { return mac(apiSecret, timestamp) }

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// SignEvent is the signature of an encrypted event: hex SHA-1 of token, timestamp, nonce and ciphertext, sorted and joined.
func SignEvent(token, timestamp, nonce, encrypted string) string {
	parts := []string{token, timestamp, nonce, encrypted}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// EncryptEvent encrypts for an owner (the AppKey of an internal app): base64(AES-256-CBC(random ‖ length ‖ plain ‖ owner)),
// key base64(aesKey + "="), IV the key's first 16 bytes.
// https://open.dingtalk.com/document/development/http-callback-overview
func EncryptEvent(aesKey, owner string, random [aes.BlockSize]byte, plain []byte) (string, error) {
	block, iv, err := eventCipher(aesKey)
	if err != nil {
		return "", err
	}
	text := slices.Concat(random[:], binary.BigEndian.AppendUint32(nil, uint32(len(plain))), plain, []byte(owner))
	pad := eventBlock - len(text)%eventBlock
	text = append(text, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	return base64.StdEncoding.EncodeToString(text), nil
}

// DecryptEvent is the inverse of EncryptEvent. It refuses what has the wrong length, padding or owner.
func DecryptEvent(aesKey, owner, encrypted string) ([]byte, error) {
	block, iv, err := eventCipher(aesKey)
	if err != nil {
		return nil, err
	}
	text, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil {
		return nil, fmt.Errorf("decoding base64: %w", err)
	}
	if len(text) == 0 || len(text)%eventBlock != 0 {
		return nil, errors.New("the ciphertext is not a whole number of blocks of 32")
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > eventBlock || !bytes.Equal(text[len(text)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errors.New("the padding is wrong")
	}
	text = text[:len(text)-pad]
	if len(text) < aes.BlockSize+4 {
		return nil, errors.New("the plaintext is too short")
	}
	n := int(binary.BigEndian.Uint32(text[aes.BlockSize:]))
	text = text[aes.BlockSize+4:]
	if n > len(text) {
		return nil, errors.New("the length is wrong")
	}
	if string(text[n:]) != owner {
		return nil, errors.New("it is for another owner")
	}
	return text[:n], nil
}

func eventCipher(aesKey string) (cipher.Block, []byte, error) {
	key, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil || len(key) != 32 {
		return nil, nil, errors.New("the AES key must be 43 characters of base64")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, fmt.Errorf("making the cipher: %w", err)
	}
	return block, key[:aes.BlockSize], nil
}
