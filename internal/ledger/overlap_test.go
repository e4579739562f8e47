package ledger_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// TestOverlaps: of any members in any releases the overlaps name nobody, and tell who is
// in how many of them together as the lists do.
func TestOverlaps(t *testing.T) {
	t.Parallel()
	names := []coalition.MemberID{"Aldmark", "Birkland", "Corvia", "Dunmere", "Estwick", "Farrow"}
	l := ledgertest.New(t, ledgertest.Config{})
	task := l.Cycle.Task(t).ID
	rapid.Check(t, func(t *rapid.T) {
		kept, lists := make(map[string][]byte), make(map[string][]coalition.MemberID)
		canonical := func(v any) []byte {
			body, err := keys.Canonical(v)
			if err != nil {
				t.Fatal(err)
			}
			return body
		}
		for i := range rapid.IntRange(2, 4).Draw(t, "releases") {
			var entries []coalition.RosterEntry
			var list []coalition.MemberID
			for j, m := range names {
				if rapid.Bool().Draw(t, "counts") {
					list = append(list, m)
					entries = append(entries, coalition.RosterEntry{Member: m, Report: dap.ReportID{byte(i), byte(j)}.String(), Sequence: 1, Receipt: ledger.Digest([]byte{byte(i), byte(j)})})
				}
			}
			if len(list) == 0 {
				continue
			}
			roster := canonical(coalition.NewRoster(task, entries))
			release := canonical(map[string]any{"roster_digest": keys.Digest(roster), "number": i})
			kept[keys.Digest(roster)] = roster
			kept[keys.Digest(release)], lists[keys.Digest(release)] = release, list
		}
		releases := make(map[string][]byte)
		for digest := range lists {
			releases[digest] = kept[digest]
		}
		overlaps, err := ledger.OverlapsOf(releases, kept)
		if err != nil {
			t.Fatal(err)
		}
		text := string(canonical(overlaps))
		for _, m := range names {
			if strings.Contains(text, string(m)) {
				t.Fatalf("%s is named", m)
			}
		}
		m := ledger.Manifest{Overlaps: overlaps}
		for a := range lists {
			for b := range lists {
				want, got := common(lists[a], lists[b]), common(m.Counted(a), m.Counted(b))
				if want != got {
					t.Fatalf("%d members are in two releases, and it says %d: %s", want, got, text)
				}
			}
		}
	})
}

func common(a, b []coalition.MemberID) int {
	n := 0
	for _, m := range a {
		if slices.Contains(b, m) {
			n++
		}
	}
	return n
}

// TestOverlapsOfOneCycle: two releases of one cycle have members in common as two years'
// do, and a single one has none.
func TestOverlapsOfOneCycle(t *testing.T) {
	t.Parallel()
	task := ledgertest.New(t, ledgertest.Config{}).Cycle.Task(t).ID
	b := ledger.Bundle{Manifest: ledger.Manifest{Cycle: "2026"}, Files: make(map[string][]byte)}
	kept := make(map[string][]byte)
	for i, members := range [][]coalition.MemberID{{"Aldmark", "Birkland"}, {"Birkland", "Corvia", "Dunmere"}} {
		var entries []coalition.RosterEntry
		for j, m := range members {
			entries = append(entries, coalition.RosterEntry{Member: m, Report: dap.ReportID{byte(i), byte(j)}.String(), Sequence: 1, Receipt: ledger.Digest([]byte{byte(i), byte(j)})})
		}
		roster, err := keys.Canonical(coalition.NewRoster(task, entries))
		if err != nil {
			t.Fatal(err)
		}
		release, err := keys.Canonical(map[string]any{"roster_digest": keys.Digest(roster), "number": i})
		if err != nil {
			t.Fatal(err)
		}
		kept[keys.Digest(roster)], b.Files[keys.Digest(release)] = roster, release
		b.Statements = append(b.Statements, ledger.Statement{Kind: ledger.KindRelease, Cycle: "2026", Fields: map[string]string{"digest": keys.Digest(release)}})
		if err := b.PutReleases(kept); err != nil {
			t.Fatal(err)
		}
		if i == 0 && b.Manifest.Overlaps != nil {
			t.Errorf("one release alone: %v", b.Manifest.Overlaps)
		}
	}
	first, second := b.Statements[0].Fields["digest"], b.Statements[1].Fields["digest"]
	x, y := b.Manifest.Counted(first), b.Manifest.Counted(second)
	if len(x) != 2 || len(y) != 3 || common(x, y) != 1 {
		t.Errorf("%d, %d and %d in both: %v", len(x), len(y), common(x, y), b.Manifest.Overlaps)
	}
}

// TestOverlapRefusals: a manifest counts the members of releases that it has, each
// combination once.
func TestOverlapRefusals(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	members := l.Bundle(t)
	release := keys.Digest(l.Release.Body)
	for name, row := range map[string]struct {
		overlaps []ledger.Overlap
		words    string
	}{
		"one":             {[]ledger.Overlap{{Releases: []string{release}, Members: 5}}, ""},
		"of no release":   {[]ledger.Overlap{{Releases: []string{}, Members: 5}}, "of no release"},
		"one twice":       {[]ledger.Overlap{{Releases: []string{release, release}, Members: 5}}, "of one twice"},
		"nobody":          {[]ledger.Overlap{{Releases: []string{release}}}, "no members"},
		"fewer":           {[]ledger.Overlap{{Releases: []string{release}, Members: -1}}, "no members"},
		"too many":        {[]ledger.Overlap{{Releases: []string{release}, Members: 1<<20 + 1}}, "too many"},
		"the same again":  {[]ledger.Overlap{{Releases: []string{release}, Members: 5}, {Releases: []string{release}, Members: 5}}, "twice or out of order"},
		"of another file": {[]ledger.Overlap{{Releases: []string{l.Cycle.Signed.Digest()}, Members: 5}}, "that it does not have"},
	} {
		edited := slices.Clone(members)
		var m ledger.Manifest
		if err := json.Unmarshal(edited[0].Body, &m); err != nil {
			t.Fatal(err)
		}
		m.Overlaps = row.overlaps
		body, err := keys.Canonical(m)
		if err != nil {
			t.Fatal(err)
		}
		edited[0].Body = body
		_, err = ledger.OpenBundle(t.Context(), edited)
		if row.words == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if part, ok := errors.AsType[*ledger.Part](err); !ok || part.Name != "bundle.json" || !strings.Contains(errs.Describe(err).Message, row.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
