package survey

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func id(n byte) uuid.UUID {
	return uuid.UUID{0: 0x01, 6: 0x70, 8: 0x80, 15: n}
}

func mustKey(t interface{ Fatalf(string, ...any) }) hpke.PrivateKey {
	kem, _, _ := Suite()
	key, err := kem.GenerateKey()
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	return key
}

func TestEveryBallotHasTheSameSize(t *testing.T) {
	key := mustKey(t)
	public := key.PublicKey().Bytes()
	if seed, err := key.Bytes(); err != nil || len(seed) != PrivateSize || len(public) != PublicSize {
		t.Errorf("a private key has %d bytes and a public one %d, want %d and %d (%v)", len(seed), len(public), PrivateSize, PublicSize, err)
	}
	if SealedSize != 5232 {
		t.Errorf("SealedSize is %d, the schema checks for 5232", SealedSize)
	}
	rapid.Check(t, func(t *rapid.T) {
		q := anyQuestionnaire(t)
		sealed, err := Seal(public, Place{OrgID: id(1)}, q, anyAnswers(t, q))
		if err != nil || len(sealed) != SealedSize {
			t.Fatalf("a ballot has %d bytes, want %d (%v)", len(sealed), SealedSize, err)
		}
	})
}

func TestABallotOpensOnlyWhereItWasPut(t *testing.T) {
	key, q := mustKey(t), ask(Score)
	home := Place{OrgID: id(1), Cycle: id(2), Subject: id(3), Rater: id(4), Form: [32]byte{5}}
	sealed, err := Seal(key.PublicKey().Bytes(), home, q, Answers{{Score: 4}})
	if err != nil {
		t.Fatal(err)
	}
	if answers, err := open(key, home, q, sealed); err != nil || answers[0].Score != 4 {
		t.Fatalf("at home it does not open: %v", err)
	}
	again, err := Seal(key.PublicKey().Bytes(), home, q, Answers{{Score: 4}})
	if err != nil || bytes.Equal(sealed, again) {
		t.Errorf("the same answers sealed twice look alike (%v)", err)
	}
	for what, at := range map[string]Place{
		"another firm":                {id(9), home.Cycle, home.Subject, home.Rater, home.Form},
		"another cycle":               {home.OrgID, id(9), home.Subject, home.Rater, home.Form},
		"another subject":             {home.OrgID, home.Cycle, id(9), home.Rater, home.Form},
		"another rater":               {home.OrgID, home.Cycle, home.Subject, id(9), home.Form},
		"another form":                {home.OrgID, home.Cycle, home.Subject, home.Rater, [32]byte{6}},
		"subject and rater exchanged": {home.OrgID, home.Cycle, home.Rater, home.Subject, home.Form},
	} {
		if _, err := open(key, at, q, sealed); !errors.Is(err, ErrUnopened) {
			t.Errorf("moved to %s it gives %v, want ErrUnopened", what, err)
		}
	}
	flip := func(i int) []byte {
		b := slices.Clone(sealed)
		b[i] ^= 1
		return b
	}
	for what, ballot := range map[string][]byte{
		"nothing": nil, "cut": sealed[:SealedSize-1], "lengthened": append(slices.Clone(sealed), 0), "a changed key part": flip(0),
		"a changed X25519 part": flip(1088), "a changed text": flip(2000), "a changed tag": flip(SealedSize - 1), "zeros": make([]byte, SealedSize),
	} {
		if _, err := open(key, home, q, ballot); !errors.Is(err, ErrUnopened) {
			t.Errorf("%s gives %v, want ErrUnopened", what, err)
		}
	}
	if _, err := open(mustKey(t), home, q, sealed); !errors.Is(err, ErrUnopened) {
		t.Errorf("another key gives %v, want ErrUnopened", err)
	}
	if _, err := Seal([]byte("short"), home, q, nil); err == nil {
		t.Error("a ballot was sealed to something that is no key")
	}
}

// Whatever HR or a database administrator changes after the open changes the form, so no ballot opens under it.
func TestTheFormBindsPolicyRelationAndRoster(t *testing.T) {
	policy := DefaultPolicy(Review, ask(Score, Comment))
	policy.Roster = Roster{{Subject: id(1), Rater: id(2), Relation: Peer}}.Sum()
	form := func(p Policy, r Relation) [32]byte {
		sum, err := p.Sum()
		if err != nil {
			t.Fatal(err)
		}
		return Cycle{Policy: p, PolicySum: sum}.Form(r)
	}
	home := form(policy, Peer)
	if form(policy, Peer) != home {
		t.Fatal("the same policy has two forms")
	}
	if form(policy, Manager) == home {
		t.Error("a peer who was made a manager has the same form")
	}
	for what, change := range map[string]func(*Policy){
		"a lower k":      func(p *Policy) { p.K-- },
		"a histogram":    func(p *Policy) { p.Histogram = true },
		"no comments":    func(p *Policy) { p.Comments = false },
		"an early close": func(p *Policy) { p.EarlyClose = true },
		"no roll-ups":    func(p *Policy) { p.RollUps = false },
		"noise":          func(p *Policy) { p.Noise = true },
		"other rules":    func(p *Policy) { p.Rules++ },
		"other words":    func(p *Policy) { p.Questionnaire = ask(Score, Score) },
		"one rater more": func(p *Policy) {
			p.Roster = Roster{{Subject: id(1), Rater: id(2), Relation: Peer}, {Subject: id(1), Rater: id(3), Relation: Peer}}.Sum()
		},
		"another department": func(p *Policy) {
			p.Roster = Roster{{Subject: id(1), Rater: id(2), Relation: Peer, Unit: "x"}}.Sum()
		},
	} {
		changed := policy
		change(&changed)
		if form(changed, Peer) == home {
			t.Errorf("with %s the form is the same", what)
		}
	}
	a := Roster{{Relation: "ab", Unit: "c"}}.Sum()
	if b := (Roster{{Relation: "a", Unit: "bc"}}).Sum(); a == b {
		t.Error("two rosters whose fields run together have one sum")
	}
}
