package doctest_test

//go:generate env MUSTER_UPDATE_GOLDEN=1 go test -count=1 -run ^TestPhasesAreDrawn$ .

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/aggregate"
	"muster/internal/archtest"
	"muster/internal/coalition"
	"muster/internal/silence"
)

const phasesFile = "docs/design/phases.md"

// TestPhasesAreDrawn holds docs/design/phases.md to the tables in the code, which
// it is drawn from.
func TestPhasesAreDrawn(t *testing.T) {
	t.Parallel()
	root, err := archtest.Root()
	if err != nil {
		t.Fatal(err)
	}
	name, want := path.Join(root, phasesFile), phasesDocument()
	if os.Getenv("MUSTER_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s is not what the tables say (make generate): -want +got\n%s", phasesFile, diff)
	}
}

func phasesDocument() string {
	var b strings.Builder
	b.WriteString(`# Phases

Drawn from the tables in the code by ` + "`make generate`" + `; a test compares. Change the tables, not this page.

## Of a cycle

` + "`coalition.Transitions`" + ` is the whole table: no other step is possible. A step that leaves the main line needs a reason, which is logged.

`)
	steps := coalition.Transitions()
	diagram := []string{"[*] --> " + state(steps[0].From)}
	for _, s := range steps {
		line := fmt.Sprintf("%s --> %s", state(s.From), state(s.To))
		if s.Reason {
			line += ": with a reason"
		}
		diagram = append(diagram, line)
	}
	for _, phase := range ends(steps) {
		diagram = append(diagram, state(phase)+" --> [*]")
	}
	mermaid(&b, diagram)
	b.WriteString("\n| from | to | with a reason, to |\n|---|---|---|\n")
	var froms []coalition.Phase
	for _, s := range steps {
		if !slices.Contains(froms, s.From) {
			froms = append(froms, s.From)
		}
	}
	for _, from := range froms {
		var free, reasoned []string
		for _, s := range steps {
			switch {
			case s.From != from:
			case s.Reason:
				reasoned = append(reasoned, string(s.To))
			default:
				free = append(free, string(s.To))
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", from, strings.Join(free, ", "), strings.Join(reasoned, ", "))
	}

	b.WriteString(`
## Of a task at a host

` + "`aggregate.Phases`" + ` lists them in order; a task moves forward, and may pass over a phase; it goes back only where the hosts' lists differ and the Leader withdraws its own. Each host keeps its own, and the two may differ for a while.

`)
	rows := aggregate.Phases()
	diagram = []string{"[*] --> " + string(rows[0].Phase)}
	for i := 1; i < len(rows); i++ {
		diagram = append(diagram, fmt.Sprintf("%s --> %s", rows[i-1].Phase, rows[i].Phase))
	}
	diagram = append(diagram, fmt.Sprintf("%s --> %s: the lists differ", aggregate.PhaseClosing, aggregate.PhaseOpen))
	mermaid(&b, diagram)
	b.WriteString("\n| phase | what holds |\n|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s | %s |\n", row.Phase, row.Means)
	}
	silenceSteps(&b)
	return b.String()
}

func silenceSteps(b *strings.Builder) {
	b.WriteString(`
## Of a text under the silence procedure

` + "`silence.Steps`" + ` is the whole table. Every step is signed by the chair and names the one before it. A round ends when its time is over: no step says who broke the silence, how many did, or when.

`)
	name := func(s silence.State) string { return strings.ReplaceAll(string(s), " ", "_") }
	var diagram []string
	for _, row := range silence.Steps() {
		from := "[*]"
		if row.From != "" {
			from = name(row.From)
		}
		diagram = append(diagram, fmt.Sprintf("%s --> %s: %s", from, name(row.To), row.Act))
	}
	mermaid(b, append(diagram, name(silence.Adopted)+" --> [*]", name(silence.Withdrawn)+" --> [*]"))
	b.WriteString("\n| from | act | to | when | says why |\n|---|---|---|---|---|\n")
	for _, row := range silence.Steps() {
		why := ""
		if row.Reason {
			why = "yes"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", row.From, row.Act, row.To, row.When, why)
	}
}

// ends returns the phases that no step leads out of, in the order of the table.
func ends(steps []coalition.Transition) []coalition.Phase {
	var list []coalition.Phase
	for _, s := range steps {
		out := slices.ContainsFunc(steps, func(o coalition.Transition) bool { return o.From == s.To })
		if !out && !slices.Contains(list, s.To) {
			list = append(list, s.To)
		}
	}
	return list
}

// state returns a phase as mermaid names states: without a hyphen.
func state(p coalition.Phase) string { return strings.ReplaceAll(string(p), "-", "_") }

func mermaid(b *strings.Builder, lines []string) {
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, line := range lines {
		b.WriteString("    " + line + "\n")
	}
	b.WriteString("```\n")
}
