package feishusim

import "cmp"

// The severities of a Finding.
const (
	Must   = "MUST"   // a fault: the run that has one has failed
	Should = "SHOULD" // against a recommendation
)

// Finding is a fault in something the bot sent that Feishu itself lets pass, or an answer Feishu could not use. It tells
// where and how long, never what: texts do not belong in reports.
type Finding struct {
	N        int    `json:"n"`
	Severity string `json:"severity"`
	Rule     string `json:"rule"`              // such as text.at_all
	Pointer  string `json:"pointer,omitempty"` // JSON pointer into the content or the answer
	Length   int    `json:"length,omitempty"`  // characters of the offending string
	Detail   string `json:"detail,omitempty"`  // a name or number of ours, never user text
	Method   string `json:"method,omitempty"`
	Call     int    `json:"call,omitempty"`     // Call.N
	Delivery int    `json:"delivery,omitempty"` // Delivery.N, when the fault is in an answer of the bot
}

// Findings returns the faults found so far.
func (s *Server) Findings() []Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Finding(nil), s.world.findings...)
}

// MustFindings returns those that fail a run.
func (s *Server) MustFindings() []Finding {
	var out []Finding
	for _, f := range s.Findings() {
		if f.Severity == Must {
			out = append(out, f)
		}
	}
	return out
}

// find records one finding. s.mu is held.
func (s *Server) find(f Finding) {
	f.N = s.world.count("finding")
	f.Severity = cmp.Or(f.Severity, Must)
	s.world.findings = append(s.world.findings, f)
	s.changeLocked(Change{Kind: ChangeFinding, N: f.N})
}
