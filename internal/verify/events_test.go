package verify_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/ledger"
	"muster/internal/verify"
)

// fails returns the finding that fails with a code, or ends the test.
func fails(t *testing.T, r *verify.Report, code string) verify.Finding {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f verify.Finding) bool { return f.Verdict == verify.Fails && f.Code == code })
	if i < 0 {
		t.Fatalf("%s is not found:\n%s", code, listing(r))
	}
	return r.Findings[i]
}

// TestPhases holds the phases of a cycle against what happened in it.
func TestPhases(t *testing.T) {
	t.Parallel()
	cut := func(w *world, from coalition.Phase) { // the steps of the cycle from one on
		at := w.phase(from)
		w.statements = slices.DeleteFunc(w.statements, func(s ledger.Statement) bool {
			return s.Kind == ledger.KindPhase && s.Number("number") >= w.statements[at].Number("number")
		})
	}
	for _, row := range []struct {
		name string
		do   func(*world)
		code string
		says string
	}{
		{"a list before the closing", func(w *world) { cut(w, coalition.Closing) }, "phase_missing", "(list of submissions) wants the step to closing"},
		{"a half before it is closed", func(w *world) { cut(w, coalition.Closed) }, "phase_missing", "(locked half) wants the step to closed"},
		{"a release before anything is added up", func(w *world) { cut(w, coalition.Aggregated) }, "phase_missing", "(release) wants the step to aggregated"},
		{"released, and no release", func(w *world) {
			w.statements = slices.DeleteFunc(w.statements, func(s ledger.Statement) bool {
				return slices.Contains([]ledger.Kind{ledger.KindRelease, ledger.KindApproval, ledger.KindEdition}, s.Kind)
			})
		}, "phase_missing", "(step to released) wants the release before it"},
		{"no step at all", func(w *world) { cut(w, coalition.Consultation) }, "phase_missing", "(list of submissions) wants the step to closing"},
		{"cancelled, and yet released", func(w *world) {
			at := w.phase(coalition.Open)
			cut(w, coalition.Open)
			s, err := w.l.Ledger.Phase(3, coalition.Adopted, coalition.Cancelled, "nobody wants it")
			w.must(err)
			w.statements = slices.Insert(w.statements, at, s)
		}, "disordered", "(step to cancelled) stands before entry"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, 0)
			row.do(w)
			r := w.verify(w.config())
			fails(t, r, row.code)
			if !strings.Contains(listing(r), row.says) {
				t.Errorf("%q is not said:\n%s", row.says, listing(r))
			}
		})
	}
	// Cancelled before it opened, and then wiped, is an honest end.
	w := newWorld(t, 12, 0)
	at := w.phase(coalition.Open)
	s, err := w.l.Ledger.Phase(3, coalition.Adopted, coalition.Cancelled, "nobody wants it")
	w.must(err)
	w.statements = append(w.statements[:at:at], s)
	w.receipts = nil
	if r := w.verify(w.config()); r.Failed() || !slices.Contains(codes(r, verify.Holds), "phases") {
		t.Errorf("cancelled:\n%s", listing(r))
	}
}

// TestNeverAdopted: a cycle that went on without an adoption fails, whoever reads it; one
// that is still under consultation does not.
func TestNeverAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	without := func(kinds ...ledger.Kind) {
		w.statements = slices.DeleteFunc(w.statements, func(s ledger.Statement) bool { return slices.Contains(kinds, s.Kind) })
	}
	without(ledger.KindSilence)
	if r := w.verify(w.config()); r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "adoption_bare") {
		t.Errorf("an adoption without steps:\n%s", listing(r))
	}
	without(ledger.KindAdoption)
	f := fails(t, w.verify(w.config()), "adoption_missing")
	if want := "#" + strconv.Itoa(w.phase(coalition.Adopted)); !strings.HasSuffix(f.Place, want) {
		t.Errorf("named is %s, not %s", f.Place, want)
	}
	w.statements = w.statements[:w.phase(coalition.Adopted)]
	w.receipts = nil
	if r := w.verify(w.config()); r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "adoption_none") {
		t.Errorf("under consultation:\n%s", listing(r))
	}
}

// TestTooFew: halves that were handed over although too few submissions count.
func TestTooFew(t *testing.T) {
	t.Parallel()
	pack, _ := readPack(t, harbour)
	w := newWorldWith(t, 12, 5, pack, nil)
	w.statements = slices.DeleteFunc(w.statements, func(s ledger.Statement) bool {
		return slices.Contains([]ledger.Kind{ledger.KindRelease, ledger.KindApproval, ledger.KindEdition}, s.Kind) ||
			s.Kind == ledger.KindPhase && s.Number("number") > w.statements[w.phase(coalition.Aggregated)].Number("number")
	})
	f := fails(t, w.verify(w.config()), "shares_few")
	if !strings.HasSuffix(f.Place, "#"+strconv.Itoa(w.index(ledger.KindShare))) {
		t.Errorf("named is %s", f.Place)
	}
	w.statements = slices.DeleteFunc(w.statements, func(s ledger.Statement) bool { return s.Kind == ledger.KindShare })
	if r := w.verify(w.config()); r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "roster_few") {
		t.Errorf("nothing was handed over:\n%s", listing(r))
	}
}
