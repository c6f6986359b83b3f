package survey

import (
	"crypto/hpke"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// SealedSize is the size of every ballot in bytes, whatever was answered: the encapsulated key of MLKEM768-X25519 (1088 bytes of
// ML-KEM-768 and 32 of X25519), PlainSize, and the 16-byte tag of AES-256-GCM. Measured with crypto/hpke of Go 1.26:
// 1088 + 32 + 4096 + 16 = 5232. Public keys are PublicSize (1184 + 32), private ones a seed of PrivateSize.
const (
	SealedSize  = 1088 + 32 + PlainSize + 16
	PublicSize  = 1184 + 32
	PrivateSize = 32
)

// Suite is how ballots are sealed: KEM MLKEM768-X25519 (X-Wing: broken only if both halves are), HKDF-SHA256, AES-256-GCM, single shot.
func Suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.MLKEM768X25519(), hpke.HKDFSHA256(), hpke.AES256GCM()
}

// Place is where a ballot belongs. It is bound into the ciphertext through HPKE's info: copied to another tenant, cycle, subject or
// rater, or opened under another form, a ballot does not open.
type Place struct {
	OrgID, Cycle, Subject, Rater uuid.UUID
	Form                         [32]byte // Cycle.Form
}

// Place gives the place of an assignment's ballot.
func (c Cycle) Place(a Assignment) Place {
	return Place{OrgID: c.OrgID, Cycle: c.ID, Subject: a.Subject, Rater: a.Rater, Form: c.Form(a.Relation)}
}

// info has parts of fixed length only, so no two places share one.
func (p Place) info() []byte {
	out := []byte("huiyin ballot 1\x00")
	for _, id := range []uuid.UUID{p.OrgID, p.Cycle, p.Subject, p.Rater} {
		out = append(out, id[:]...)
	}
	return append(out, p.Form[:]...)
}

// ErrUnopened says that a ballot does not open: it was moved, cut, changed, or sealed for something else.
var ErrUnopened = errors.New("a ballot does not open")

// Seal gives the ballot, SealedSize bytes. Errors are faults of kind Invalid about single answers, or about the key.
func Seal(public []byte, at Place, q Questionnaire, answers Answers) ([]byte, error) {
	kem, kdf, aead := Suite()
	key, err := kem.NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("reading the key of a survey: %w", err)
	}
	plain, err := encode(q, answers)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	sealed, err := hpke.Seal(key, kdf, aead, at.info(), plain)
	if err != nil {
		return nil, fmt.Errorf("sealing a ballot: %w", err)
	}
	if len(sealed) != SealedSize {
		return nil, fmt.Errorf("sealing a ballot: it has %d bytes", len(sealed))
	}
	return sealed, nil
}

// open gives the answers of a ballot that lies where it was put. The error is ErrUnopened and says nothing else: what is wrong with a
// ballot is nothing to log.
func open(private hpke.PrivateKey, at Place, q Questionnaire, sealed []byte) (Answers, error) {
	if len(sealed) != SealedSize {
		return nil, ErrUnopened
	}
	_, kdf, aead := Suite()
	plain, err := hpke.Open(private, kdf, aead, at.info(), sealed)
	if err != nil {
		return nil, ErrUnopened
	}
	defer clear(plain)
	answers, err := decode(q, plain)
	if err != nil {
		return nil, ErrUnopened
	}
	return answers, nil
}
