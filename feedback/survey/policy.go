package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"

	"huiyin/internal/fault"
)

// Rules is the version of the release rules in this package. It is part of every policy: a program with other rules cannot open the
// ballots that were sealed under these.
const Rules = 1

// Policy is everything that decides what will be shown. It freezes when the cycle opens and is bound into every ballot: whoever
// changes any of it later, or the roster, makes the ballots impossible to open. There is no code path that changes it.
type Policy struct {
	Rules         int           `json:"rules"`
	K             int           `json:"k"`           // least people in an anonymous figure
	Comments      bool          `json:"comments"`    // whether comment questions are asked where the group is large enough
	Histogram     bool          `json:"histogram"`   // distributions in tenths, from HistogramPeople on
	RollUps       bool          `json:"roll_ups"`    // a 360's figures by department of the subjects
	Noise         bool          `json:"noise"`       // Laplace noise on the firm's figure of a pulse, from NoisePeople on
	EarlyClose    bool          `json:"early_close"` // HR may close by hand before the date; raters are told so
	Questionnaire Questionnaire `json:"questionnaire"`
	Roster        string        `json:"roster"` // SHA-256 of the frozen roster, in hex; empty: a draft
}

// DefaultPolicy is what a cycle of that kind gets unless HR says otherwise.
func DefaultPolicy(kind Kind, q Questionnaire) Policy {
	return Policy{Rules: Rules, K: DefaultK, Comments: true, RollUps: kind == Review, Questionnaire: q}
}

// Check gives a fault of kind Invalid with every problem.
func (p Policy) Check(kind Kind) error {
	var low, version *fault.Fault
	if p.K < FloorK || p.K > MostK {
		low = fault.New(fault.Invalid, "survey.policy.k", "Least", FloorK, "Most", MostK).In("k")
	}
	if p.Rules != Rules {
		version = fault.New(fault.Conflict, "survey.policy.rules")
	}
	var questions *fault.Fault
	if err := p.Questionnaire.Check(kind); err != nil {
		questions, _ = fault.Of(err)
	}
	return fault.Join(low, version, questions)
}

// Sum identifies the policy. It does not depend on how a store orders the keys of JSON.
func (p Policy) Sum() ([32]byte, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return [32]byte{}, fmt.Errorf("encoding a policy: %w", err)
	}
	return sha256.Sum256(raw), nil
}

// Form identifies what a rater of that relation was shown and promised: questions, thresholds, who else is asked, and whether their
// answers are shown with their relation. It is the form version that a ballot is bound to.
func (c Cycle) Form(r Relation) [32]byte {
	h := sha256.New()
	h.Write([]byte("huiyin survey form 1\x00"))
	h.Write(c.PolicySum[:])
	h.Write([]byte(r))
	return [32]byte(h.Sum(nil))
}

// intact tells whether the policy is the one that was frozen.
func (c Cycle) intact() error {
	sum, err := c.Policy.Sum()
	if err != nil {
		return err
	}
	if sum != c.PolicySum || c.Policy.Rules != Rules {
		return &TamperedError{What: "policy"}
	}
	return nil
}

// TamperedError says that something frozen is not what it was. The cycle is void.
type TamperedError struct{ What string }

func (e *TamperedError) Error() string {
	return "the " + e.What + " of a survey was changed after it opened"
}

// rosterSum hashes assignments that come in order of subject and rater. Fields of varying length carry their length, so that no two
// rosters read the same.
type rosterSum struct{ h hash.Hash }

func newRosterSum() rosterSum { return rosterSum{sha256.New()} }

func (s rosterSum) add(a Assignment) {
	s.h.Write(a.Subject[:])
	s.h.Write(a.Rater[:])
	fmt.Fprintf(s.h, "%d:%s%d:%s", len(a.Relation), a.Relation, len(a.Unit), a.Unit)
}

func (s rosterSum) String() string { return hex.EncodeToString(s.h.Sum(nil)) }
