package release_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/release"
)

// TestNewRefusesWhatTheAttackBreaks: a second cohort without one member of the
// first. The totals differ by that member's answers, and nothing is released.
func TestNewRefusesWhatTheAttackBreaks(t *testing.T) {
	t.Parallel()
	first := config(t, 40, 3)
	all, err := release.New(first)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t, 39, 3) // the first 39 of the same members, with the same answers
	cfg.Cohort = "in time"
	if _, err := release.New(cfg); err != nil {
		t.Fatalf("by itself: %v", err)
	}
	cfg.History = []release.Past{{Release: all, Digest: keys.Digest(canonical(t, all)), Members: roster(40)}}
	r, err := release.New(cfg)
	unsafe, ok := errors.AsType[*release.Unsafe](err)
	if !ok || r != nil {
		t.Fatalf("got %v, %v; want a refusal", r, err)
	}
	late := string(roster(40)[39])
	if !slices.ContainsFunc(unsafe.Result.Findings, func(f attack.Finding) bool { return slices.Contains(f.Members, late) }) {
		t.Errorf("nothing is found of %s: %+v", late, unsafe.Result.Findings)
	}
	d := errs.Describe(err)
	if d.Kind != errs.Conflict || !strings.Contains(d.Message, "narrows members' answers") || !strings.Contains(d.Hint, "nothing is released") {
		t.Errorf("described as %+v", d)
	}
	for _, text := range []string{err.Error(), d.Message, d.Hint} {
		if strings.Contains(text, late) || strings.Contains(text, "A1") {
			t.Errorf("the refusal says of whom or of what: %q", text)
		}
	}
}
