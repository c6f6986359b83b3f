package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
)

// box is how a file looks: what is sealed under a key that is derived from the app secret and a salt of this file's own. With the file
// the salt is gone, so the app secret alone opens nothing that was carved from a disk without it.
type box struct {
	Version int    `json:"v"`
	Public  []byte `json:"public,omitempty"`
	Salt    []byte `json:"salt"`
	Sealed  []byte `json:"sealed"` // AES-256-GCM with a random nonce in front; name and public key are bound
}

// errDamaged says that a file is not what was written.
var errDamaged = errors.New("the file is damaged")

func (s *Store) aead(name string, salt []byte) (cipher.AEAD, error) {
	kek, err := hkdf.Key(sha256.New, s.secret, salt, "huiyin keystore seal 1 "+name, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (s *Store) sealBox(name string, public, plain []byte) ([]byte, error) {
	b := box{Version: 1, Public: public, Salt: make([]byte, 32)}
	_, _ = rand.Read(b.Salt) // never gives an error: it ends the program instead
	aead, err := s.aead(name, b.Salt)
	if err != nil {
		return nil, err
	}
	b.Sealed = aead.Seal(nil, nil, plain, append([]byte(name), public...))
	return json.Marshal(b)
}

func (s *Store) openBox(name string, raw []byte) (public, plain []byte, err error) {
	var b box
	if err := json.Unmarshal(raw, &b); err != nil || b.Version != 1 {
		return nil, nil, errDamaged
	}
	aead, err := s.aead(name, b.Salt)
	if err != nil {
		return nil, nil, err
	}
	if plain, err = aead.Open(nil, nil, b.Sealed, append([]byte(name), b.Public...)); err != nil {
		return nil, nil, errDamaged
	}
	return b.Public, plain, nil
}

func (s *Store) seal(name string, plain []byte) ([]byte, error) { return s.sealBox(name, nil, plain) }

func (s *Store) unseal(name string, raw []byte) ([]byte, error) {
	_, plain, err := s.openBox(name, raw)
	return plain, err
}

// inside is what the box of a key holds.
type inside struct {
	Seed  []byte `json:"seed,omitempty"`
	Wraps []wrap `json:"wraps,omitempty"`
}

// content is the file of a new key.
func (s *Store) content(ref string, public, seed []byte) ([]byte, error) {
	in := inside{Seed: seed}
	if len(s.trustees) > 0 {
		wraps, err := split(ref, seed, s.trustees)
		if err != nil {
			return nil, err
		}
		in = inside{Wraps: wraps}
	}
	plain, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	defer clear(plain)
	return s.sealBox(keyFile(ref), public, plain)
}

// parse opens the file of a key.
func (s *Store) parse(ref string, raw []byte) (key, error) {
	public, plain, err := s.openBox(keyFile(ref), raw)
	if err != nil {
		return key{}, err
	}
	defer clear(plain)
	var in inside
	if err := json.Unmarshal(plain, &in); err != nil {
		return key{}, errDamaged
	}
	return key{public: public, seed: in.Seed, wraps: in.Wraps}, nil
}

func publicOf(raw []byte) ([]byte, bool) {
	var b box
	err := json.Unmarshal(raw, &b)
	return b.Public, err == nil && len(b.Public) > 0
}
