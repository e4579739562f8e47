package aggregate

import "slices"

// Phase is how far a host is with a task. It only moves forward, but for a
// roster that the Helper refused: then the Leader's task opens again.
type Phase string

// The phases of a task at a host.
const (
	PhaseOpen      Phase = "open"      // uploads and receipts are taken
	PhaseClosing   Phase = "closing"   // the host has fixed its list and awaits the other's
	PhaseFrozen    Phase = "frozen"    // the roster carries both signatures
	PhaseCollected Phase = "collected" // the aggregate share has left, or may have
	PhaseWiped     Phase = "wiped"     // the submissions are deleted, or being deleted
)

// PhaseRow is one row of the table of a host's phases.
type PhaseRow struct {
	Phase Phase
	Means string // what holds in it, for a reader
}

// Phases returns the whole table, in order. A task goes from a phase to a later
// one: the Leader through all of them, the Helper from open to frozen, since it
// signs the Leader's list in the same step in which it fixes its own.
func Phases() []PhaseRow {
	return []PhaseRow{
		{PhaseOpen, "submissions and receipts are taken, and the deadline may be postponed"},
		{PhaseClosing, "the Leader has fixed its list and awaits the Helper's; where the two differ it is open again; the Helper has no such phase"},
		{PhaseFrozen, "both hosts have signed one roster; what is on it is verified and added up, and amendments may strike from it"},
		{PhaseCollected, "the sum has left for the coordinator, or may have: no further amendment, and the same bytes to whoever asks again"},
		{PhaseWiped, "the submissions are deleted, or being deleted, at the end of a cycle or because it was cancelled; what became of each report is kept, against replay"},
	}
}

// Before reports whether a task may go from phase p to phase q: both are in the
// table, q after p.
func (p Phase) Before(q Phase) bool {
	at := func(phase Phase) int {
		return slices.IndexFunc(Phases(), func(r PhaseRow) bool { return r.Phase == phase })
	}
	return at(p) >= 0 && at(p) < at(q)
}
