package keystore

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Evidence is what can be said about a destruction, for the audit log and for those who answered.
type Evidence struct {
	Ref         string
	Fingerprint string // of the public key, hex
	At          time.Time
	Copies      []CopyEvidence
	MAC         string // over all of it under the app secret, hex
}

// CopyEvidence is what was done in one directory.
type CopyEvidence struct {
	Found       bool // false: there was none
	Overwritten int  // bytes, with random ones, flushed before the file was removed
}

// Detail is the evidence as the audit log takes it.
func (e Evidence) Detail() map[string]string {
	d := map[string]string{"key": e.Ref, "fingerprint": e.Fingerprint, "at": e.At.UTC().Format(time.RFC3339), "mac": e.MAC}
	for i, c := range e.Copies {
		did := "absent"
		if c.Found {
			did = fmt.Sprintf("overwritten %d bytes, removed", c.Overwritten)
		}
		d[fmt.Sprintf("copy_%d", i+1)] = did
	}
	return d
}

// Destroy overwrites, removes and flushes every copy, leaves a note without any key, and gives the evidence (Evidence.Detail). Done
// again it gives what the note says. What a disk keeps of overwritten blocks stays sealed under the app secret.
func (s *Store) Destroy(ctx context.Context, ref string, now time.Time) (map[string]string, error) {
	if err := errors.Join(checkRef(ref), ctx.Err()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := Evidence{Ref: ref, At: now.UTC().Truncate(time.Second), Copies: make([]CopyEvidence, len(s.places))}
	for i, p := range s.places { // the notes first: from here on no copy is lent any more, even if we are killed
		raw, err := p.read(keyFile(ref))
		if err == nil && e.Fingerprint == "" {
			if public, ok := publicOf(raw); ok {
				e.Fingerprint = fingerprint(public)
			}
		}
		e.Copies[i].Found = err == nil
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("destroying the key %s: %w", ref, err)
		}
	}
	if before, ok := s.note(ref); ok && !e.someFound() {
		return before.Detail(), nil
	}
	if err := s.putNote(e); err != nil {
		return nil, err
	}
	for i, p := range s.places {
		n, err := p.destroy(keyFile(ref))
		if err != nil {
			return nil, fmt.Errorf("destroying the key %s: %w", ref, err)
		}
		e.Copies[i].Overwritten = n
	}
	if err := s.putNote(e); err != nil {
		return nil, err
	}
	done, _ := s.note(ref)
	return done.Detail(), nil
}

func (e Evidence) someFound() bool {
	for _, c := range e.Copies {
		if c.Found {
			return true
		}
	}
	return false
}

// putNote writes, into every directory, that a key is or is about to be destroyed.
func (s *Store) putNote(e Evidence) error {
	e.MAC = hex.EncodeToString(s.MAC("evidence", []byte(e.body())))
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding a note: %w", err)
	}
	for _, p := range s.places {
		if err := p.write(goneFile(e.Ref), raw); err != nil {
			return err
		}
	}
	return nil
}

// note reads what putNote wrote, from the first directory that has it.
func (s *Store) note(ref string) (Evidence, bool) {
	for _, p := range s.places {
		var e Evidence
		raw, err := p.read(goneFile(ref))
		if err == nil && json.Unmarshal(raw, &e) == nil {
			return e, true
		}
	}
	return Evidence{}, false
}

// body is what the MAC of the evidence covers.
func (e Evidence) body() string {
	e.MAC = ""
	d := e.Detail()
	parts := []string{d["key"], d["fingerprint"], d["at"]}
	for i := range e.Copies {
		parts = append(parts, d[fmt.Sprintf("copy_%d", i+1)])
	}
	return strings.Join(parts, "\n")
}
