package verify_test

import (
	"slices"
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/release"
	"muster/internal/release/releasetest"
	"muster/internal/verify"
)

// lastYear is what was released a year before a world's cycle, with the list that it is
// of, and its entries in the record.
type lastYear struct {
	earlier         release.Earlier
	release, roster []byte
	entries         []ledger.Statement
}

func (w *world) lastYear() lastYear {
	w.Helper()
	const year = 365 * 86400
	pack, layout := readPack(w, harbour)
	c := w.l.Cycle
	roster, err := coalition.ParseRoster(w.l.Frozen.Roster.Body, c.Task(w).ID)
	w.must(err)
	for i := range roster.Entries {
		roster.Entries[i].Receipt = ledger.Digest([]byte(roster.Entries[i].Member))
	}
	var y lastYear
	y.roster, err = keys.Canonical(roster)
	w.must(err)
	r := releasetest.New(w, releasetest.Config{
		Coalition: c.Charter.Coalition, Cycle: "2025", Cohort: coalitiontest.Cohort, Marking: c.Charter.Marking, Pack: pack, Cells: cells(layout, 12),
		Members: 12, Submissions: 12, Calendar: release.Calendar{Opens: c.Charter.Opens - year, Deadline: c.Charter.Deadline - year},
	})
	charter := ledger.Digest([]byte("last year's charter"))
	r.CharterDigest, r.RosterDigest = charter, keys.Digest(y.roster)
	w.must(r.Complete())
	y.release, err = r.Canonical()
	w.must(err)
	y.earlier = release.Earlier{Cycle: "2025", Cohort: coalitiontest.Cohort, Framework: r.Framework.ID, Release: keys.Digest(y.release)}
	for _, kind := range []ledger.Kind{ledger.KindCharter, ledger.KindRelease} {
		s := w.statements[w.index(kind)]
		fields := make(map[string]string)
		for name, value := range s.Fields {
			fields[name] = value
		}
		fields["digest"] = map[ledger.Kind]string{ledger.KindCharter: charter, ledger.KindRelease: y.earlier.Release}[kind]
		y.entries = append(y.entries, ledger.Statement{Version: 1, Kind: kind, Cycle: "2025", Charter: charter, Fields: fields, Note: "signed by others"})
	}
	return y
}

// TestHistory: the bundle brings what its release reckons with, and all of it is attacked
// together and held to the record.
func TestHistory(t *testing.T) {
	t.Parallel()
	type year = lastYear
	put := func(w *world, y year) {
		w.files[y.earlier.Release] = part{ledger.KindRelease, y.release, true}
		w.files[keys.Digest(y.roster)] = part{ledger.KindRoster, y.roster, true}
	}
	enter := func(w *world, y year) { w.statements = append(slices.Clone(y.entries), w.statements...) }
	reckon := func(w *world, y year) {
		w.remake(func(r *release.Release) { r.History = []release.Earlier{y.earlier} })
	}
	for _, row := range []struct {
		name    string
		do      func(*world, year)
		code    string
		verdict verify.Verdict
	}{
		{"entered, and here", func(w *world, y year) { reckon(w, y); put(w, y); enter(w, y) }, "attacked", verify.Holds},
		{"in another record", func(w *world, y year) { reckon(w, y); put(w, y) }, "history_elsewhere", verify.Unchecked},
		{"not here", func(w *world, y year) { reckon(w, y); enter(w, y) }, "attack_absent", verify.Unchecked},
		{"its list is not here", func(w *world, y year) { reckon(w, y); put(w, y); delete(w.files, keys.Digest(y.roster)) }, "attack_absent", verify.Unchecked},
		{"another than was entered", func(w *world, y year) {
			reckon(w, y)
			put(w, y)
			y.entries[1].Fields["digest"] = ledger.Digest([]byte("another"))
			enter(w, y)
		}, "history_other", verify.Fails},
		{"entered and not reckoned with", enter, "history_forgot", verify.Fails},
		{"of a rehearsal, and not reckoned with", func(w *world, y year) {
			y.entries[0].Fields["marking"] = "REHEARSAL"
			enter(w, y)
		}, "attacked", verify.Holds},
		{"said to be of another cycle", func(w *world, y year) {
			y.earlier.Cycle = "2024"
			reckon(w, y)
			put(w, y)
		}, "history_wrong", verify.Fails},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, 0)
			row.do(w, w.lastYear())
			r := w.verify(w.config())
			if !slices.Contains(codes(r, row.verdict), row.code) || (row.verdict != verify.Fails) == r.Failed() {
				t.Errorf("%s is not found:\n%s", row.code, listing(r))
			}
			if row.name == "entered, and here" && !strings.Contains(listing(r), "releases: 2.") {
				t.Errorf("the earlier release was not attacked with it:\n%s", listing(r))
			}
		})
	}
}

// TestOverlaps: an auditor's bundle has earlier releases without their lists, and how many
// members count in several: rule and attack are run all the same, and what the release
// says of who joined is held to it.
func TestOverlaps(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name           string
		joined         int // as the release says
		edit           func(*ledger.Bundle)
		says           string
		verdict        verify.Verdict
		attacked, left bool
	}{
		{"as they are", 0, func(*ledger.Bundle) {}, "attack_overlaps", verify.Unchecked, true, false},
		{"none", 0, func(b *ledger.Bundle) { b.Manifest.Overlaps = nil }, "attack_previous", verify.Unchecked, false, false},
		{"too few", 0, func(b *ledger.Bundle) { b.Manifest.Overlaps[0].Members-- }, "overlaps_wrong", verify.Fails, false, false},
		{"of another number in the earlier one", 0, func(b *ledger.Bundle) {
			b.Manifest.Overlaps[0].Members--
			b.Manifest.Overlaps = append(b.Manifest.Overlaps, ledger.Overlap{Releases: []string{b.Of(ledger.KindRelease)[0].Fields["digest"]}, Members: 1})
			slices.SortFunc(b.Manifest.Overlaps, func(x, y ledger.Overlap) int { return slices.Compare(x.Releases, y.Releases) })
		}, "history_wrong", verify.Fails, false, false},
		{"somebody else than the release says", 1, func(*ledger.Bundle) {}, "turnover_wrong", verify.Fails, true, false},
		{"the list says it, too", 1, func(*ledger.Bundle) {}, "turnover_wrong", verify.Fails, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12, 0)
			y := w.lastYear()
			w.remake(func(r *release.Release) {
				r.History = []release.Earlier{y.earlier}
				r.Turnover = &release.Turnover{Since: "2025", Joined: row.joined, Left: row.joined}
				w.must(r.Complete())
			})
			w.statements = append(slices.Clone(y.entries), w.statements...)
			kept := map[string][]byte{y.earlier.Release: y.release, keys.Digest(y.roster): y.roster}
			for digest, p := range w.files {
				kept[digest] = p.body
			}
			if !row.left {
				w.without(ledger.KindRoster, ledger.KindAmendment, ledger.KindSilence)
				w.receipts = nil
			}
			b := w.parts()
			var err error
			b.Statements, err = b.View.Statements()
			w.must(err)
			if row.left {
				b.PutHistory(kept)
			} else {
				w.must(b.PutReleases(kept))
			}
			row.edit(&b)
			members, err := ledger.WriteBundle(b)
			w.must(err)
			r, err := verify.Folder(t.Context(), ledger.Members(members), w.config())
			w.must(err)
			if !slices.Contains(codes(r, row.verdict), row.says) || (row.verdict == verify.Fails) != r.Failed() {
				t.Errorf("%s is not said:\n%s", row.says, listing(r))
			}
			if got := strings.Contains(listing(r), "releases: 2."); got != row.attacked {
				t.Errorf("both were attacked: %t\n%s", got, listing(r))
			}
		})
	}
}

// TestUnknownOverlaps: several releases are attacked together only where it is known who
// counts in more than one of them.
func TestUnknownOverlaps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	y := w.lastYear()
	w.remake(func(r *release.Release) { r.History = []release.Earlier{y.earlier} })
	w.statements = append(slices.Clone(y.entries), w.statements...)
	w.files[y.earlier.Release] = part{ledger.KindRelease, y.release, true}
	w.files[keys.Digest(y.roster)] = part{ledger.KindRoster, y.roster, true}
	if r := w.verify(w.config()); r.Failed() || !slices.Contains(codes(r, verify.Holds), "attacked") {
		t.Fatalf("with names:\n%s", listing(r))
	}
	w.outside()
	w.files[keys.Digest(y.roster)] = part{ledger.KindRoster, y.roster, true}
	r := w.verify(w.config())
	if r.Failed() || !slices.Contains(codes(r, verify.Unchecked), "attack_names") || slices.Contains(codes(r, verify.Holds), "attacked") {
		t.Errorf("without this year's:\n%s", listing(r))
	}
}

// TestOverlapBytes: of what a bundle says of who is in several releases no byte can be
// changed unseen.
func TestOverlapBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	y := w.lastYear()
	w.remake(func(r *release.Release) {
		r.History = []release.Earlier{y.earlier}
		r.Turnover = &release.Turnover{Since: "2025"}
		w.must(r.Complete())
	})
	w.statements = append(slices.Clone(y.entries), w.statements...)
	kept := map[string][]byte{y.earlier.Release: y.release, keys.Digest(y.roster): y.roster}
	for digest, p := range w.files {
		kept[digest] = p.body
	}
	w.without(ledger.KindRoster, ledger.KindAmendment, ledger.KindSilence)
	w.receipts = nil
	b := w.parts()
	var err error
	b.Statements, err = b.View.Statements()
	w.must(err)
	w.must(b.PutReleases(kept))
	members, err := ledger.WriteBundle(b)
	w.must(err)
	manifest := members[0].Body
	first := strings.Index(string(manifest), `"overlaps"`)
	last := first + strings.IndexByte(string(manifest[first:]), ']') // of the first list of releases
	last += strings.IndexByte(string(manifest[last+1:]), ']') + 2
	if first < 0 || !strings.Contains(string(manifest[first:last]), `"members":12`) && !strings.Contains(string(manifest[first:last]), `"members": 12`) {
		t.Fatalf("%s", manifest[first:last])
	}
	for i := first; i < last; i++ {
		edited := slices.Clone(members)
		edited[0].Body = slices.Clone(manifest)
		edited[0].Body[i] ^= 1
		r, err := verify.Folder(t.Context(), ledger.Members(edited), w.config())
		w.must(err)
		if !r.Failed() {
			t.Errorf("byte %d of the manifest, %q, can be changed:\n%s", i, manifest[i], listing(r))
		}
	}
}

// TestEarlierRosters: whoever hands a bundle on is told how many lists of earlier cycles
// it has.
func TestEarlierRosters(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"the first year": 0, "the second": 1} {
		w := newWorld(t, 12, 0)
		if want > 0 {
			y := w.lastYear()
			w.files[y.earlier.Release] = part{ledger.KindRelease, y.release, true}
			w.files[keys.Digest(y.roster)] = part{ledger.KindRoster, y.roster, true}
			w.statements = append(slices.Clone(y.entries), w.statements...)
			w.remake(func(r *release.Release) { r.History = []release.Earlier{y.earlier} })
		}
		b, err := ledger.OpenBundle(t.Context(), w.bundle())
		w.must(err)
		if got := b.EarlierRosters(); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// TestStrangeFile: what no entry names and no release reckons with has no place in a
// bundle.
func TestStrangeFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	y := w.lastYear()
	w.files[y.earlier.Release] = part{ledger.KindRelease, y.release, true}
	if _, err := ledger.WriteBundle(w.parts()); err == nil {
		t.Error("it is taken")
	}
}
