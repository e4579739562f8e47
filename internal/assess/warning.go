package assess

import (
	"fmt"

	"muster/internal/framework"
)

// Warning is something in an assessment that is allowed and deserves a second
// look. It never stops a submission.
type Warning struct {
	Outcome string // the outcome's id
	Message string // the fact, without the outcome: lower case, no full stop
}

// String returns the warning as "outcome: message".
func (w Warning) String() string { return w.Outcome + ": " + w.Message }

// Warnings returns what deserves a second look in an assessment, in the
// framework's order: a level 4 without evidence of grade E2 or E3, because 4 means
// that somebody saw it work.
func Warnings(pack *framework.Pack, a *Assessment) []Warning {
	var warnings []Warning
	for _, outcome := range pack.Outcomes() {
		answer := a.answer(outcome.ID)
		if answer == nil || answer.Level != framework.Level4 {
			continue
		}
		switch answer.Evidence {
		case framework.E2, framework.E3:
		case framework.NoEvidence:
			warnings = append(warnings, Warning{outcome.ID, "level 4 without evidence; a 4 asks for E2 or E3"})
		default:
			warnings = append(warnings, Warning{
				outcome.ID, fmt.Sprintf("level 4 with evidence %s; a 4 asks for E2 or E3", answer.Evidence),
			})
		}
	}
	return warnings
}
