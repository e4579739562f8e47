package coalition_test

import (
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// phases are all phases there are; the main line first.
func phases() []coalition.Phase {
	return []coalition.Phase{
		coalition.Draft, coalition.Consultation, coalition.Adopted, coalition.Open, coalition.Closing, coalition.Closed, coalition.Aggregated, coalition.Review,
		coalition.Released, coalition.Conference, coalition.Commitments, coalition.FollowUp, coalition.Archived, coalition.Postponed, coalition.Cancelled,
	}
}

// table is what a cycle may do, drawn by hand: . without a reason, r with one.
const table = `
              draft consultation adopted open closing closed aggregated review released conference commitments follow-up archived postponed cancelled
draft         -     .            -       -    -       -      -          -      -        -          -           -         -        -         r
consultation  r     -            .       -    -       -      -          -      -        -          -           -         -        -         r
adopted       -     -            -       .    -       -      -          -      -        -          -           -         -        r         r
open          -     -            -       -    .       -      -          -      -        -          -           -         -        r         r
closing       -     -            -       -    -       .      -          -      -        -          -           -         -        -         r
closed        -     -            -       -    -       -      .          -      -        -          -           -         -        -         r
aggregated    -     -            -       -    -       -      -          .      -        -          -           -         -        -         r
review        -     -            -       -    -       -      -          -      .        -          -           -         -        -         r
released      -     -            -       -    -       -      -          -      -        .          -           -         -        -         -
conference    -     -            -       -    -       -      -          -      -        -          .           -         -        -         -
commitments   -     -            -       -    -       -      -          -      -        -          -           .         -        -         -
follow-up     -     -            -       -    -       -      -          -      -        -          -           -         .        -         -
archived      -     -            -       -    -       -      -          -      -        -          -           -         -        -         -
postponed     -     r            -       r    -       -      -          -      -        -          -           -         -        -         r
cancelled     -     -            -       -    -       -      -          -      -        -          -           -         -        -         -
`

func TestStep(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns := strings.Fields(lines[0])
	if len(columns) != len(phases()) || len(lines) != len(phases())+1 {
		t.Fatalf("the table has %d columns and %d lines", len(columns), len(lines))
	}
	seen := make(map[coalition.Phase]bool)
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		from := coalition.Phase(cells[0])
		seen[from] = true
		for i, cell := range cells[1:] {
			to := coalition.Phase(columns[i])
			bare, blank, reasoned := coalition.Step(from, to, ""), coalition.Step(from, to, " \t\n"), coalition.Step(from, to, "the port is closed")
			what := string(from) + " to " + string(to)
			switch cell {
			case ".":
				if bare != nil || reasoned != nil {
					t.Errorf("%s: %v; with a reason %v", what, bare, reasoned)
				}
			case "r":
				wantKind(t, what+" without a reason", bare, errs.Invalid)
				wantKind(t, what+" with a blank reason", blank, errs.Invalid)
				if reasoned != nil {
					t.Errorf("%s with a reason: %v", what, reasoned)
				}
			default:
				wantKind(t, what, bare, errs.Conflict)
				wantKind(t, what+" with a reason", reasoned, errs.Conflict)
			}
		}
	}
	for _, phase := range phases() {
		if !seen[phase] {
			t.Errorf("phase %s is not in the table", phase)
		}
	}
	wantKind(t, "an unknown phase", coalition.Step("", coalition.Draft, "reason"), errs.Conflict)
	wantKind(t, "to an unknown phase", coalition.Step(coalition.Draft, "wiped", "reason"), errs.Conflict)
}

// reachable returns the phases that can be reached from one without passing through another.
func reachable(from, avoiding coalition.Phase) map[coalition.Phase]bool {
	found := map[coalition.Phase]bool{}
	queue := []coalition.Phase{from}
	for len(queue) > 0 {
		phase := queue[0]
		queue = queue[1:]
		if found[phase] || phase == avoiding {
			continue
		}
		found[phase] = true
		for _, step := range coalition.Transitions() {
			if step.From == phase {
				queue = append(queue, step.To)
			}
		}
	}
	return found
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	all := reachable(coalition.Draft, "")
	for _, phase := range phases() {
		if !all[phase] {
			t.Errorf("phase %s cannot be reached", phase)
		}
		if final := phase == coalition.Archived || phase == coalition.Cancelled; final != (len(reachable(phase, "")) == 1) {
			t.Errorf("phase %s: final is %v", phase, !final)
		}
		if ends := reachable(phase, ""); !ends[coalition.Archived] && !ends[coalition.Cancelled] {
			t.Errorf("phase %s never ends", phase)
		}
	}
	// Each phase of the main line stands on the one before: nothing is added up
	// that was not closed, nothing opens without an adopted charter.
	line := phases()[:13]
	for i := 1; i < len(line)-1; i++ {
		around := reachable(coalition.Draft, line[i])
		for _, later := range line[i+1:] {
			if around[later] {
				t.Errorf("%s can be reached without %s", later, line[i])
			}
		}
	}
	steps := make(map[[2]coalition.Phase]bool)
	for _, step := range coalition.Transitions() {
		pair := [2]coalition.Phase{step.From, step.To}
		if steps[pair] {
			t.Errorf("the step from %s to %s is listed twice", step.From, step.To)
		}
		steps[pair] = true
		if aside := step.To == coalition.Postponed || step.To == coalition.Cancelled; aside && !step.Reason {
			t.Errorf("the step from %s to %s needs no reason", step.From, step.To)
		}
	}
}
