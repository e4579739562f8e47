package verify_test

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/release"
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

// TestCharterOfAnotherCycle: an entry goes by the name of its charter's cycle, or it would
// be no bundle's to look at.
func TestCharterOfAnotherCycle(t *testing.T) {
	t.Parallel()
	for _, kind := range []ledger.Kind{ledger.KindFramework, ledger.KindAmendment, ledger.KindRelease} {
		w := newWorld(t, 12, 1)
		place := "#" + strconv.Itoa(len(w.statements))
		s := w.statements[w.index(kind)]
		s.Cycle, s.Signature = "another", ""
		w.statements = append(w.statements, s)
		if f := fails(t, w.verify(w.config()), "entry_charter"); !strings.HasSuffix(f.Place, place) {
			t.Errorf("named is %s, not %s", f.Place, place)
		}
	}
	// The charter of another cycle in the record is no charter of this one.
	w := newWorld(t, 12, 0)
	charter := w.statements[w.index(ledger.KindCharter)]
	other := ledger.Digest([]byte("another charter"))
	charter.Cycle, charter.Charter, charter.Signature, charter.Fields = "another", other, "", maps.Clone(charter.Fields)
	charter.Fields["digest"] = other
	s := w.statements[w.index(ledger.KindFramework)]
	s.Charter, s.Signature = other, ""
	place := "#" + strconv.Itoa(len(w.statements)+1)
	w.statements = append(w.statements, charter, s)
	if f := fails(t, w.verify(w.config()), "entry_charter"); !strings.HasSuffix(f.Place, place) {
		t.Errorf("named is %s, not %s", f.Place, place)
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

// TestQuestions: the questions of the charter are the program's, or those of the bundle
// where their digest is the charter's, so that a bundle is read by a program that no
// longer brings them.
func TestQuestions(t *testing.T) {
	t.Parallel()
	pack, _ := readPack(t, harbour)
	w := newWorld(t, 12, 0)
	brings := fstest.MapFS{"harbour-lights/pack.yaml": &fstest.MapFile{Data: pack.Canonical()}}
	for _, row := range []struct {
		name    string
		do      func(*verify.Config)
		code    string
		verdict verify.Verdict
	}{
		{"neither has them", func(*verify.Config) {}, "framework_absent", verify.Unchecked},
		{"the program has them", func(cfg *verify.Config) { cfg.Packs = brings }, "framework_same", verify.Holds},
		{"the bundle has them", func(*verify.Config) {
			w.files[pack.Ref().Digest] = part{kind: ledger.KindFramework, body: pack.Canonical()}
		}, "framework_bundle", verify.Holds},
	} {
		cfg := w.config()
		row.do(&cfg)
		if r := w.verify(cfg); r.Failed() || !slices.Contains(codes(r, row.verdict), row.code) {
			t.Errorf("%s:\n%s", row.name, listing(r))
		}
	}
	// They are used: a release of other outcomes is found by them.
	w.remake(func(r *release.Release) { r.Areas[0].ID += "x" })
	fails(t, w.verify(w.config()), "release_wrong")
	// What has the digest and is no pack.
	body := []byte("these are no questions")
	w = newWorldWith(t, 12, 0, unread(t, pack, body), nil)
	w.files[keys.Digest(body)] = part{kind: ledger.KindFramework, body: body}
	fails(t, w.verify(w.config()), "framework_unread")
}

// unread is a pack whose digest is that of something else.
func unread(t *testing.T, pack *framework.Pack, body []byte) *framework.Pack {
	t.Helper()
	other := *pack
	other.Digest = sha256.Sum256(body)
	return &other
}
