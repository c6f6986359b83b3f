package keystore

import (
	"bytes"
	"context"
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SelfTest makes a throw-away key in every directory, seals to it, opens it and destroys it, and checks that every key can be read in
// every directory. It is meant to run every minute; a failure is an alarm, not yet a lost key.
func (s *Store) SelfTest(ctx context.Context, now time.Time) error {
	ref := probePrefix + strings.ToLower(rand.Text())
	if err := s.probe(ctx, ref, now); err != nil {
		return fmt.Errorf("keystore self-test: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	names := map[string]bool{}
	for _, p := range s.places {
		refs, err := p.refs()
		if err != nil {
			return fmt.Errorf("keystore self-test: %w", err)
		}
		for _, ref := range refs {
			names[ref] = true
		}
	}
	var problems []error
	for ref := range names {
		if strings.HasPrefix(ref, probePrefix) { // another process's, or left by one that was killed
			problems = append(problems, s.sweep(ref, now))
			continue
		}
		for _, p := range s.places {
			if _, err := p.read(goneFile(ref)); err == nil {
				continue // being destroyed
			}
			raw, err := p.read(keyFile(ref))
			if err == nil {
				_, err = s.parse(ref, raw)
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("the key %s in %s: %w", ref, p.dir, err))
			}
		}
	}
	return errors.Join(problems...)
}

// probePrefix begins the names of throw-away keys.
const probePrefix = "selftest-"

// sweep removes a throw-away key that is older than any self-test runs.
func (s *Store) sweep(ref string, now time.Time) error {
	var problems []error
	for _, p := range s.places {
		info, err := p.root.Stat(keyFile(ref))
		if err == nil && now.Sub(info.ModTime()) > time.Hour {
			_, gone := p.destroy(keyFile(ref))
			problems = append(problems, gone, p.remove(goneFile(ref)))
		}
	}
	return errors.Join(problems...)
}

// probe runs a key through its whole life.
func (s *Store) probe(ctx context.Context, ref string, now time.Time) error {
	public, err := s.Create(ctx, ref)
	if err != nil {
		return err
	}
	err = s.roundTrip(ctx, ref, public)
	_, gone := s.Destroy(ctx, ref, now)
	for _, p := range s.places { // nobody has to be told of this one
		gone = errors.Join(gone, p.remove(goneFile(ref)))
	}
	return errors.Join(err, gone)
}

func (s *Store) roundTrip(ctx context.Context, ref string, public []byte) error {
	key, err := kem().NewPublicKey(public)
	if err != nil {
		return err
	}
	word := []byte(rand.Text())
	sealed, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(ref), word)
	if err != nil {
		return err
	}
	if len(s.trustees) > 0 { // only they can open it; that the file can be read is all that shows here
		_, err := s.load(ref)
		return err
	}
	return s.Tally(ctx, ref, func(private hpke.PrivateKey) error {
		opened, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(ref), sealed)
		if err != nil || !bytes.Equal(opened, word) {
			return errors.Join(errors.New("what was sealed does not open"), err)
		}
		return nil
	})
}
