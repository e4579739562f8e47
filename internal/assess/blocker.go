package assess

import (
	"strings"

	"muster/internal/framework"
)

// BlockerKind says why an outcome, or the assessment, may not be sealed yet.
type BlockerKind string

// The kinds of blockers, in the order in which they are listed.
const (
	BlockerUnanswered BlockerKind = "unanswered" // nobody answered
	BlockerCarried    BlockerKind = "carried"    // last cycle's answer, which nobody confirmed
	BlockerReason     BlockerKind = "reason"     // not applicable without a reason
	BlockerProposal   BlockerKind = "proposal"   // another level than the bodies' answers give, without a reason
	BlockerAnew       BlockerKind = "anew"       // so, and the reason is about what the bodies gave before
	BlockerWaiting    BlockerKind = "waiting"    // bodies have not confirmed, and no reason says why it is decided without them
	BlockerVerified   BlockerKind = "verified"   // another level than the one that was verified
	BlockerImpossible BlockerKind = "impossible" // a value that cannot be
	BlockerSignOff    BlockerKind = "sign_off"   // somebody in the chain has not approved exactly this
)

// Blocker is one thing that has to be done before sealing.
type Blocker struct {
	Kind    BlockerKind
	Outcome string // empty for the assessment as a whole
	Detail  string // what cannot be, what is proposed, or who has not signed or confirmed; may be empty
}

// Blockers returns everything that keeps an assessment from being sealed, in the
// framework's order. proposals has what the bodies' answers give, for outcomes to
// which any contributed, findings what the verifier found. The sign-off is for [SignOff.Blocker].
func Blockers(pack *framework.Pack, entries map[string]Entry, proposals map[string]Proposal, findings map[string]Finding) []Blocker {
	var all []Blocker
	for _, o := range pack.Outcomes() {
		e := entries[o.ID]
		proposal, contributed := proposals[o.ID]
		switch {
		case e.Carried:
			all = append(all, Blocker{BlockerCarried, o.ID, ""})
		case e.Level == framework.None:
			all = append(all, Blocker{BlockerUnanswered, o.ID, ""})
		case e.Level == framework.NotApplicable && e.Reason == "":
			all = append(all, Blocker{BlockerReason, o.ID, ""})
		case !contributed || e.Level == framework.Withheld:
		case len(proposal.Waiting) > 0:
			if e.Reason == "" || !proposal.Meant(e.About) {
				all = append(all, Blocker{BlockerWaiting, o.ID, strings.Join(proposal.Waiting, ", ")})
			}
		case proposal.Level == framework.None || proposal.Level == e.Level:
		case e.Reason == "":
			all = append(all, Blocker{BlockerProposal, o.ID, proposal.Level.String()})
		case !proposal.Meant(e.About):
			all = append(all, Blocker{BlockerAnew, o.ID, proposal.Level.String()})
		}
		if f := findings[o.ID]; e.Answered() && f.Verified != framework.None && !f.Of(e) {
			all = append(all, Blocker{BlockerVerified, o.ID, f.Claimed.String()})
		}
		if err := e.Check(); err != nil {
			all = append(all, Blocker{BlockerImpossible, o.ID, err.Error()})
		}
	}
	return all
}

// Progress is how far a set of outcomes is.
type Progress struct {
	Answered int // in this cycle
	Carried  int // taken over and not confirmed
	Of       int
}

// ProgressOf counts the outcomes. It is the one place where this is counted.
func ProgressOf(outcomes []*framework.Outcome, entries map[string]Entry) Progress {
	p := Progress{Of: len(outcomes)}
	for _, o := range outcomes {
		e := entries[o.ID]
		switch {
		case e.Carried:
			p.Carried++
		case e.Answered():
			p.Answered++
		}
	}
	return p
}

// Open returns how many outcomes wait for an answer or a confirmation.
func (p Progress) Open() int { return p.Of - p.Answered }
