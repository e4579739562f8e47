package release_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"muster/internal/errs"
	"muster/internal/release"
)

// provisional is a release of the provisional form, as an earlier muster wrote it.
func provisional(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/v1.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestParseReadsTheProvisionalForm: what it showed may be known to somebody, so
// its bands must be read, and it must never pass for more than it was.
func TestParseReadsTheProvisionalForm(t *testing.T) {
	t.Parallel()
	r, err := release.Parse(provisional(t))
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != release.KindV1 || r.Status.Publishable || !slices.Contains(r.Status.Reasons, release.Provisional) {
		t.Errorf("a %s, status %+v", r.Kind, r.Status)
	}
	if r.Marking != "SYNTHETIC" || r.Participation.Submissions != 30 || len(r.Areas) != 8 {
		t.Errorf("%s, %d submissions, %d areas", r.Marking, r.Participation.Submissions, len(r.Areas))
	}
	for name, b := range blocks(r) {
		if b.Total() != 30 {
			t.Errorf("%s counts %d", name, b.Total())
		}
	}
	if got := blocks(r)["A8.6/level"].Bands(); len(got) != 1 {
		t.Errorf("A8.6 shows %v", got)
	}
	for _, reason := range []release.Reason{release.Provisional, release.TooFew} {
		if r.Reasons[reason]["fr"] == "" {
			t.Errorf("no words for %s", reason)
		}
	}
	if _, err := r.Canonical(); err == nil {
		t.Error("the provisional form is written again")
	}
}

func TestParseRefusesProvisionalForms(t *testing.T) {
	t.Parallel()
	sound := string(provisional(t))
	for _, row := range []struct{ name, old, new, message string }{
		{"a bolder status", "NOT PUBLISHABLE: ", "PUBLISHABLE: ", "not enough to publish"},
		{"another rule", `"rule":"first"`, `"rule":"none"`, "rule"},
		{"smaller bands", `"minimum_band":3`, `"minimum_band":2`, "least band"},
		{"a field of the later form", `{"areas":`, `{"asked":"","areas":`, "cannot be read"},
		{"white space", `{"areas":`, `{"areas": `, "cannot be read"},
		{"more submissions", `"submissions":30`, `"submissions":31`, "do not sum"},
		{"a lower threshold", `"release_minimum":8`, `"release_minimum":7`, "thresholds"},
		{"nothing left out", `"not_shown":[`, `"not_shown":[],"x":[`, "cannot be read"},
		{"one less left out", `[{"block":"A8.6/level","reason":"too few to show without pointing at someone"}]`, "[]", "does not list"},
		{"no method", `"method":{"en":"`, `"method":{"de":"`, "how it was made"},
		{"a control character", `"coalition":"Hithe"`, `"coalition":"\u001b[2J"`, "cannot be printed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(sound, row.old, row.new, 1)
			if changed == sound {
				t.Fatalf("the release has no %s", row.old)
			}
			r, err := release.Parse([]byte(changed))
			if err == nil || r != nil || errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.message) {
				t.Errorf("got %v of kind %v, want %q", err, errs.KindOf(err), row.message)
			}
		})
	}
}
