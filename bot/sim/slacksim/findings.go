package slacksim

import "huiyin/bot/sim/backstage"

// The severities of a Finding.
const (
	Must   = backstage.Must   // a fault: the run that has one has failed
	Should = backstage.Should // against a recommendation
)

// Finding is a fault in something the bot sent that Slack itself lets pass, or an answer Slack could not use. It tells
// where and how long, never what: texts do not belong in reports.
type Finding = backstage.Finding

// Findings returns the faults found so far.
func (s *Server) Findings() []Finding { return s.found.All() }

// MustFindings returns those that fail a run.
func (s *Server) MustFindings() []Finding { return s.found.Musts() }

// find records one finding.
func (s *Server) find(f Finding) { s.change(Change{Kind: ChangeFinding, N: s.found.Add(f)}) }
