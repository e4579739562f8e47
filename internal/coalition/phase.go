package coalition

import (
	"fmt"
	"strings"

	"muster/internal/errs"
)

// Phase is where a cycle stands.
type Phase string

// The phases of a cycle, in order; postponed and cancelled stand aside.
const (
	Draft        Phase = "draft"
	Consultation Phase = "consultation"
	Adopted      Phase = "adopted"
	Open         Phase = "open"
	Closing      Phase = "closing"
	Closed       Phase = "closed"
	Aggregated   Phase = "aggregated"
	Review       Phase = "review"
	Released     Phase = "released"
	Conference   Phase = "conference"
	Commitments  Phase = "commitments"
	FollowUp     Phase = "follow-up"
	Archived     Phase = "archived"
	Postponed    Phase = "postponed"
	Cancelled    Phase = "cancelled"
)

// Transition is one row of the table of phases.
type Transition struct {
	From, To Phase
	Reason   bool // whether the step needs a logged reason
}

// Transitions returns the whole table, which docs/design/phases.md is drawn
// from. A charter that drew objections goes back to draft; a postponed cycle
// opens, or is consulted anew; a cycle can be cancelled until it is released. No
// way leads to open but through adopted.
func Transitions() []Transition {
	table := []Transition{
		{Draft, Consultation, false},
		{Consultation, Draft, true},
		{Consultation, Adopted, false},
		{Adopted, Open, false},
		{Open, Closing, false},
		{Closing, Closed, false},
		{Closed, Aggregated, false},
		{Aggregated, Review, false},
		{Review, Released, false},
		{Released, Conference, false},
		{Conference, Commitments, false},
		{Commitments, FollowUp, false},
		{FollowUp, Archived, false},
	}
	// Before its charter is adopted a cycle has no date that could be postponed.
	for _, from := range []Phase{Adopted, Open} {
		table = append(table, Transition{from, Postponed, true})
	}
	table = append(table, Transition{Postponed, Consultation, true}, Transition{Postponed, Open, true})
	for _, from := range []Phase{Draft, Consultation, Adopted, Open, Closing, Closed, Aggregated, Review, Postponed} {
		table = append(table, Transition{from, Cancelled, true})
	}
	return table
}

// Step checks the move of a cycle from one phase to another.
func Step(from, to Phase, reason string) error {
	for _, t := range Transitions() {
		if t.From != from || t.To != to {
			continue
		}
		if t.Reason && strings.TrimSpace(reason) == "" {
			return errs.New(errs.Invalid, fmt.Sprintf("the step from %s to %s needs a reason", from, to), "")
		}
		return nil
	}
	return errs.New(errs.Conflict, fmt.Sprintf("a cycle cannot go from %s to %s", from, to), "")
}
