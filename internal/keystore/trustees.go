package keystore

import (
	"context"
	"crypto/hpke"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Trustees: a key that any two of three people can open together, HR, an employee representative and the data protection officer, and
// nobody else, not even the operator of the server.
//
// The usual tool is Shamir's secret sharing over GF(256). Neither the standard library nor any module of ours has it, and field
// arithmetic of our own making is no place for a mistake. Two of three needs none: for each of the three pairs of trustees the seed is
// split by a one-time pad, r and seed xor r with a fresh random r, and one half is sealed with HPKE to each of the pair. A single
// trustee holds halves of two different pads, and each is uniformly random by itself; two trustees have one pair in common. The halves
// lie in the key's file, so the app secret is needed as well.
const trusteeCount = 3

// pairs lists who shares a pad.
func pairs() [3][2]int { return [3][2]int{{0, 1}, {0, 2}, {1, 2}} }

// wrap is one half for one trustee, in the key's file.
type wrap struct {
	Pair    int    `json:"pair"`
	Trustee int    `json:"trustee"`
	Sealed  []byte `json:"sealed"`
}

// Wrap is a half that a trustee is to open on a machine of their own.
type Wrap struct {
	Ref     string
	Pair    int // 0 to 2
	Trustee int // 0 to 2, in the order of Config.Trustees
	Sealed  []byte
}

// Share is an opened half. It does not print.
type Share struct {
	Ref           string
	Pair, Trustee int
	Half          []byte
}

// Format hides the half from every verb.
func (Share) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[share]") }

// LogValue hides the half from every log.
func (Share) LogValue() slog.Value { return slog.StringValue("[share]") }

func wrapInfo(ref string, pair, trustee int) []byte {
	return fmt.Appendf(nil, "huiyin keystore share 1\x00%s\x00%d\x00%d", ref, pair, trustee)
}

// split makes the six wraps of a seed.
func split(ref string, seed []byte, trustees []hpke.PublicKey) ([]wrap, error) {
	var out []wrap
	for pair, who := range pairs() {
		pad := make([]byte, len(seed))
		_, _ = rand.Read(pad) // never gives an error: it ends the program instead
		other := make([]byte, len(seed))
		subtle.XORBytes(other, seed, pad)
		for side, half := range [][]byte{pad, other} {
			trustee := who[side]
			sealed, err := hpke.Seal(trustees[trustee], hpke.HKDFSHA256(), hpke.AES256GCM(), wrapInfo(ref, pair, trustee), half)
			if err != nil {
				return nil, fmt.Errorf("wrapping a share: %w", err)
			}
			out = append(out, wrap{Pair: pair, Trustee: trustee, Sealed: sealed})
			clear(half)
		}
	}
	return out, nil
}

// join makes the seed of two shares of one pair.
func join(ref string, shares []Share) ([]byte, error) {
	for _, a := range shares {
		for _, b := range shares {
			if a.Ref == ref && b.Ref == ref && a.Pair == b.Pair && a.Trustee < b.Trustee && len(a.Half) == len(b.Half) {
				seed := make([]byte, len(a.Half))
				subtle.XORBytes(seed, a.Half, b.Half)
				return seed, nil
			}
		}
	}
	return nil, ErrTrustees
}

// Wraps gives the halves of a key, for the trustees to open; none when the key needs no trustees.
func (s *Store) Wraps(ctx context.Context, ref string) ([]Wrap, error) {
	if err := errors.Join(checkRef(ref), ctx.Err()); err != nil {
		return nil, err
	}
	k, err := s.load(ref)
	if err != nil {
		return nil, err
	}
	clear(k.seed)
	var out []Wrap
	for _, w := range k.wraps {
		out = append(out, Wrap{Ref: ref, Pair: w.Pair, Trustee: w.Trustee, Sealed: w.Sealed})
	}
	return out, nil
}

// OpenWrap is what a trustee does, with their private key, where nobody else is.
func OpenWrap(private hpke.PrivateKey, w Wrap) (Share, error) {
	half, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.AES256GCM(), wrapInfo(w.Ref, w.Pair, w.Trustee), w.Sealed)
	if err != nil {
		return Share{}, fmt.Errorf("opening a share of the key %s: %w", w.Ref, err)
	}
	return Share{Ref: w.Ref, Pair: w.Pair, Trustee: w.Trustee, Half: half}, nil
}

// Unlocked is a store whose Tally opens keys with trustees, given their shares.
type Unlocked struct {
	*Store
	shares []Share
}

// With takes the shares of any two trustees, whichever wraps they opened.
func (s *Store) With(shares []Share) *Unlocked { return &Unlocked{s, shares} }

// Tally is Store.Tally with the shares; ErrTrustees when they are not of two.
func (u *Unlocked) Tally(ctx context.Context, ref string, fn func(private hpke.PrivateKey) error) error {
	return u.lend(ctx, ref, u.shares, fn)
}
