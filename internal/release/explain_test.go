package release_test

import (
	"strings"
	"testing"

	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
)

// TestExplainSaysWhy: of every block what the bands say, and a reason that is so:
// units that the rule never parts are not said to be too few.
func TestExplainSaysWhy(t *testing.T) {
	t.Parallel()
	seen := make(map[string]int)
	for seed := range uint64(8) {
		r := made(t, 60, seed)
		shown := blocks(r)
		for _, e := range r.Explain() {
			b := shown[e.Block]
			split, together := 0, 0 // bands of several units that the rule could part, and that it never does
			for _, band := range b.Bands() {
				if len(band.Units) == 1 {
					continue
				}
				if e.Kind == framework.KindGap || e.Kind == framework.KindChange || e.Kind == framework.KindLowest {
					together++
				} else {
					split++
				}
			}
			words, en := e.Words["en"], "are always shown together"
			switch {
			case !b.Shown():
				seen["silent"]++
				if e.Reason == "" || e.Why["fr"] == "" || len(e.Merged) > 0 || !strings.HasPrefix(words, "Not shown") {
					t.Errorf("%s: %+v", e.Block, e)
				}
			case split > 0:
				seen["merged"]++
				if e.Reason != release.TooFew || len(e.Merged) != split || strings.Contains(words, en) || !strings.Contains(words, "are shown together") {
					t.Errorf("%s: %+v", e.Block, e)
				}
			case together > 0:
				seen["always"]++
				if e.Reason != "" || e.Why != nil || len(e.Merged) != together || !strings.Contains(words, en) || !strings.Contains(e.Words["fr"], "toujours") {
					t.Errorf("%s: %+v", e.Block, e)
				}
			default:
				seen["full"]++
				if e.Reason != "" || e.Words != nil || len(e.Merged) > 0 {
					t.Errorf("%s: %+v", e.Block, e)
				}
			}
		}
	}
	for _, what := range []string{"silent", "merged", "always", "full"} {
		if seen[what] == 0 {
			t.Errorf("nothing was ever %s: %v", what, seen)
		}
	}
	for _, row := range []struct {
		kind        framework.Kind
		left, right string
		want        bool
	}{
		{framework.KindLevel, "1", "2", true},
		{framework.KindLevel, disclosure.NoLevel, "0", true},
		{framework.KindLevel, "0", "2", false},
		{framework.KindGap, "below", "met", true},
		{framework.KindGap, "unknown", "below", false},
		{framework.KindChange, "same", "better", true},
		{framework.KindLowest, "0", "1", false},
		{framework.KindLevel, "4", "none", false},
		{"shoe size", "1", "2", false},
	} {
		if got := disclosure.Tried(row.kind, row.left, row.right); got != row.want {
			t.Errorf("%s, %s|%s: tried %t", row.kind, row.left, row.right, got)
		}
	}
}
