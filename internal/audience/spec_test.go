package audience_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"muster/internal/audience"
	"muster/internal/cycle"
)

const spec = "../../docs/spec/audience.md"

func specText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSpecHasTheTable holds the table of docs/spec/audience.md to the one in the code.
func TestSpecHasTheTable(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| | code | if she or it is | seen | she may know of it | in words |\n|---|---|---|---|---|---|\n")
	for i, r := range audience.Rules() {
		holds, sees, knows := "always", "no", "yes"
		if r.If != 0 {
			holds = r.If.String()
		}
		if r.Sees {
			sees = "yes"
		}
		if r.Knows != 0 {
			knows = "if " + r.Knows.String()
		}
		fmt.Fprintf(&b, "| %d | `%s` | %s | %s | %s | %s |\n", i+1, r.Code, holds, sees, knows, r.Says)
	}
	if !strings.Contains(specText(t), "\n\n"+b.String()+"\n") {
		t.Errorf("%s has another table than the code:\n%s", spec, &b)
	}
}

// TestSpecHasTheLabels: every label stands there as it is written, and nothing else
// that looks like one.
func TestSpecHasTheLabels(t *testing.T) {
	t.Parallel()
	text := specText(t)
	for _, label := range written {
		if !strings.Contains(text, "\n| `"+label+"` |") {
			t.Errorf("%s has no row for %s", spec, label)
		}
	}
	for _, part := range strings.Split(text, "`") {
		if _, err := audience.ParseTLP(part); strings.HasPrefix(part, "TLP:") && err != nil {
			t.Errorf("%s has %q: %v", spec, part, err)
		}
	}
}

// TestRolesAreThoseOfTheYear: the coordinator's roles are all known here by their
// names, each as one of its own.
func TestRolesAreThoseOfTheYear(t *testing.T) {
	t.Parallel()
	var all audience.Role
	for _, name := range cycle.Roles() {
		r := audience.RoleOf(string(name))
		if r == 0 || all&r != 0 {
			t.Errorf("the role %s is %d", name, r)
		}
		all |= r
	}
	if want := audience.Coordinator | audience.Engineer | audience.Officer | audience.Delegate | audience.Auditor; all != want {
		t.Errorf("the roles together are %d, want %d", all, want)
	}
	for _, name := range []string{"", "Officer", "chair"} {
		if r := audience.RoleOf(name); r != 0 {
			t.Errorf("%q is the role %d", name, r)
		}
	}
}
