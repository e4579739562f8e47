package verify_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/internal/ledger"
	"muster/internal/verify"
)

// TestUnknownCharter: entries of the cycle under a charter that the record does not have
// are nobody else's to check.
func TestUnknownCharter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	first := len(w.statements)
	for i, kind := range []ledger.Kind{ledger.KindRoster, ledger.KindRelease} {
		s := w.statements[w.index(kind)]
		fields := make(map[string]string)
		for name, value := range s.Fields {
			fields[name] = value
		}
		fields["digest"] = ledger.Digest([]byte{byte(i)})
		w.statements = append(w.statements, ledger.Statement{Version: 1, Kind: kind, Cycle: s.Cycle, Charter: ledger.Digest([]byte("unknown")), Fields: fields, Note: "garbage"})
	}
	r := w.verify(w.config())
	if f := fails(t, r, "entry_charter"); !strings.HasSuffix(f.Place, "#"+strconv.Itoa(first)) || len(codes(r, verify.Fails)) < 2 || slices.Contains(codes(r, verify.Unchecked), "entries_foreign") {
		t.Errorf("named is %s:\n%s", f.Place, listing(r))
	}
	// Another cycle's are for its own bundle.
	w = newWorld(t, 12, 0)
	s := w.statements[w.index(ledger.KindFramework)]
	s.Cycle, s.Charter, s.Signature = "another", ledger.Digest([]byte("unknown")), ""
	w.statements = append(w.statements, s)
	if r := w.verify(w.config()); r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "entries_foreign") {
		t.Errorf("of another cycle:\n%s", listing(r))
	}
}

// TestLeftOut: a bundle without its charter fails, and does not say that the record has
// nothing; one with the list of names lacks no release.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 1)
	w.without(ledger.KindCharter, ledger.KindRoster, ledger.KindAmendment)
	w.receipts = nil
	r := w.verify(w.config())
	if f := fails(t, r, "charter_absent"); !strings.HasSuffix(f.Place, "#"+strconv.Itoa(w.index(ledger.KindCharter))) {
		t.Errorf("named is %s", f.Place)
	}
	if open := codes(r, verify.Unchecked); slices.Contains(open, "nothing") || slices.Contains(open, "entries_foreign") || !slices.Contains(open, "entries_resting") || !slices.Contains(open, "rests") {
		t.Errorf("it says that the record has nothing:\n%s", listing(r))
	}
	w = newWorld(t, 12, 1)
	w.without(ledger.KindRelease)
	fails(t, w.verify(w.config()), "release_left_out")
	w.without(ledger.KindRoster, ledger.KindAmendment, ledger.KindSilence)
	w.receipts = nil
	if r := w.verify(w.config()); r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "release_absent") {
		t.Errorf("for the public:\n%s", listing(r))
	}
}
