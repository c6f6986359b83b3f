package feishusim

import (
	"crypto/sha1"
	"encoding/hex"
	"testing"
)

// The vendor's own vector for decryption, and the signature computed over its ciphertext.
const (
	vendorCipher = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
	vendorBody   = `{"encrypt":"` + vendorCipher + `"}`
	vendorSign   = "002a272a435d056759149cce18e88064ff320d38d91a09432445c344c4296949"
)

func TestTheVendorsVectorsHold(t *testing.T) {
	plain, err := Decrypt(testKey, vendorCipher)
	if err != nil || string(plain) != "hello world" {
		t.Errorf("the vendor's ciphertext decrypts to %q, %v; want hello world", plain, err)
	}
	if got := Sign("1700000000", "nonce-1", testKey, []byte(vendorBody)); got != vendorSign {
		t.Errorf("the signature is %s, want %s", got, vendorSign)
	}
	legacy := sha1.Sum([]byte("1700000000nonce-1vtoken" + `{"a":1}`))
	if got := hex.EncodeToString(legacy[:]); got != "7d509545103dc16ca8ef7bd877bb37f5d43e4dd8" {
		t.Errorf("the legacy card signature is %s", got)
	}
}

func TestWhatIsEncryptedDecryptsAndNothingElseDoes(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 1000} {
		plain := []byte(chars(n))
		got, err := Decrypt(testKey, Encrypt(testKey, [16]byte{1, 2, 3}, plain))
		if err != nil || string(got) != string(plain) {
			t.Errorf("%d characters do not survive encryption: %v", n, err)
		}
	}
	for what, cipher := range map[string]string{
		"no base64": "%%%", "too short": "P37w+VZImNgPEO1RBhJ6Rg==", "no whole blocks": vendorCipher[:40] + "GA==",
	} {
		if plain, err := Decrypt(testKey, cipher); err == nil {
			t.Errorf("a ciphertext with %s decrypts to %q", what, plain)
		}
	}
	if plain, err := Decrypt("another key", vendorCipher); err == nil {
		t.Errorf("another key decrypts to %q", plain)
	}
}

func TestASignatureCoversEveryPart(t *testing.T) {
	for what, got := range map[string]string{
		"timestamp": Sign("1700000001", "nonce-1", testKey, []byte(vendorBody)),
		"nonce":     Sign("1700000000", "nonce-2", testKey, []byte(vendorBody)),
		"key":       Sign("1700000000", "nonce-1", "test kez", []byte(vendorBody)),
		"body":      Sign("1700000000", "nonce-1", testKey, []byte(vendorBody+" ")),
	} {
		if got == vendorSign {
			t.Errorf("another %s gives the same signature", what)
		}
	}
}
