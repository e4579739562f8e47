package disclosure_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
)

// firstRule applies the rule with the least batch and the release minimum given.
func firstRule(t disclosure.Totals, p disclosure.Participation, minimum int) ([]disclosure.BandedBlock, error) {
	return disclosure.FirstRule(t, p, disclosure.Thresholds{
		MinimumBatch: coalition.MinimumBatch(p.Members), ReleaseMinimum: minimum,
	})
}

// harbour returns a small pack and its layout.
func harbour(t testing.TB) (*framework.Pack, *framework.Layout) {
	t.Helper()
	f, err := os.Open("../framework/testdata/harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pack, err := framework.Read("harbour.yaml", f)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	return pack, layout
}

// totals gives every one of n members a bucket in every block: member by member,
// as sealed submissions do, with uneven odds so that small cells occur.
func totals(l *framework.Layout, n int, seed uint64) disclosure.Totals {
	rng := rand.New(rand.NewPCG(seed, 0))
	t := disclosure.Totals{Layout: l, Submissions: uint64(n), Cells: make([]uint64, l.Bits())}
	for i, b := range l.Blocks {
		favourite := rng.IntN(len(b.Buckets))
		for range n {
			bucket := favourite
			if rng.IntN(3) == 0 {
				bucket = rng.IntN(len(b.Buckets))
			}
			t.Cells[l.Offset(i)+bucket]++
		}
	}
	return t
}

func TestFirstRuleRefuses(t *testing.T) {
	t.Parallel()
	_, layout := harbour(t)
	tests := []struct {
		name    string
		p       disclosure.Participation
		minimum int
		want    string // "" where it is released
	}{
		{
			"seven besides two hosts",
			disclosure.Participation{Members: 12, Submissions: 9, Hosts: 2},
			8,
			"9 members took part, 2 of them hosts: 7 are left and a release needs 8",
		},
		{"eight besides two hosts", disclosure.Participation{Members: 12, Submissions: 10, Hosts: 2}, 8, ""},
		{"eight besides one host", disclosure.Participation{Members: 12, Submissions: 9, Hosts: 1}, 8, ""},
		{"eight, hosts from elsewhere", disclosure.Participation{Members: 12, Submissions: 8}, 8, ""},
		{
			"seven besides one host",
			disclosure.Participation{Members: 12, Submissions: 8, Hosts: 1},
			8,
			"8 members took part, 1 of them a host: 7 are left and a release needs 8",
		},
		{
			"a small cohort",
			disclosure.Participation{Members: 3, Submissions: 3, Hosts: 2},
			8,
			"3 members took part, 2 of them hosts: 1 is left and a release needs 8",
		},
		{
			"no host among seven",
			disclosure.Participation{Members: 7, Submissions: 7},
			8,
			"7 members took part, none of them a host: 7 are left and a release needs 8",
		},
		{
			"a higher minimum of the charter",
			disclosure.Participation{Members: 14, Submissions: 14, Hosts: 2},
			13,
			"14 members took part, 2 of them hosts: 12 are left and a release needs 13",
		},
		{
			"below two thirds",
			disclosure.Participation{Members: 32, Submissions: 21, Hosts: 2, Declined: 4},
			8,
			"21 of 32 members took part and nothing is opened below 22",
		},
		{"at two thirds", disclosure.Participation{Members: 32, Submissions: 22, Hosts: 2, Declined: 4}, 8, ""},
		{"nobody", disclosure.Participation{Members: 1}, 8, "0 of 1 member took part and nothing is opened below 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			blocks, err := firstRule(totals(layout, tt.p.Submissions, 1), tt.p, tt.minimum)
			if tt.want == "" {
				if err != nil || len(blocks) != len(layout.Blocks) {
					t.Fatalf("got %d blocks, %v; want all %d", len(blocks), err, len(layout.Blocks))
				}
				return
			}
			refusal, ok := errors.AsType[*disclosure.Refusal](err)
			if !ok || blocks != nil {
				t.Fatalf("got %d blocks, %v; want a refusal", len(blocks), err)
			}
			if err.Error() != tt.want {
				t.Errorf("got %q\nwant %q", err, tt.want)
			}
			if diff := cmp.Diff(tt.p, refusal.Participation); diff != "" {
				t.Errorf("participation: -want +got\n%s", diff)
			}
			if d := errs.Describe(err); d.Kind != errs.Conflict || d.Message != tt.want || !strings.Contains(d.Hint, "aggregate") {
				t.Errorf("described as %+v", d)
			}
		})
	}
}

func TestFirstRuleRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	_, layout := harbour(t)
	sound := disclosure.Participation{Members: 16, Submissions: 14, Hosts: 2, Declined: 1}
	tests := []struct {
		name    string
		change  func(*disclosure.Totals, *disclosure.Participation, *int)
		want    errs.Kind
		message string
	}{
		{"no layout", func(t *disclosure.Totals, _ *disclosure.Participation, _ *int) { t.Layout = nil }, errs.Invalid, "no layout"},
		{"a cell short", func(t *disclosure.Totals, _ *disclosure.Participation, _ *int) { t.Cells = t.Cells[1:] }, errs.Invalid, "buckets"},
		{"one vote more", func(t *disclosure.Totals, _ *disclosure.Participation, _ *int) { t.Cells[0]++ }, errs.Conflict, "do not sum"},
		{"sums past 64 bits", func(t *disclosure.Totals, _ *disclosure.Participation, _ *int) {
			t.Cells[0] += 1 << 63
			t.Cells[1] += 1 << 63
		}, errs.Conflict, "do not sum"},
		{"another roster", func(_ *disclosure.Totals, p *disclosure.Participation, _ *int) { p.Submissions-- }, errs.Conflict, "the roster has 13"},
		{"more than all", func(_ *disclosure.Totals, p *disclosure.Participation, _ *int) { p.Members = 14 }, errs.Invalid, "do not fit"},
		{"three hosts", func(_ *disclosure.Totals, p *disclosure.Participation, _ *int) { p.Hosts = 3 }, errs.Invalid, "do not fit"},
		{"less than no host", func(_ *disclosure.Totals, p *disclosure.Participation, _ *int) { p.Hosts = -1 }, errs.Invalid, "do not fit"},
		{"a lower minimum", func(_ *disclosure.Totals, _ *disclosure.Participation, m *int) { *m = 7 }, errs.Invalid, "thresholds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all, p, minimum := totals(layout, 14, 1), sound, 8
			tt.change(&all, &p, &minimum)
			blocks, err := firstRule(all, p, minimum)
			if err == nil || blocks != nil || errs.KindOf(err) != tt.want || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("got %d blocks, %v of kind %v; want %q of kind %v", len(blocks), err, errs.KindOf(err), tt.message, tt.want)
			}
			if _, ok := errors.AsType[*disclosure.Refusal](err); ok {
				t.Error("a fault passes as a refusal")
			}
		})
	}
}

// TestThresholdsCannotBeLowered: no caller talks the rule below what every
// coalition has, not by one.
func TestThresholdsCannotBeLowered(t *testing.T) {
	t.Parallel()
	_, layout := harbour(t)
	p := disclosure.Participation{Members: 14, Submissions: 14, Hosts: 2}
	least := disclosure.Thresholds{MinimumBatch: 10, ReleaseMinimum: 8}
	for name, change := range map[string]func(*disclosure.Thresholds){
		"batch":   func(t *disclosure.Thresholds) { t.MinimumBatch-- },
		"release": func(t *disclosure.Thresholds) { t.ReleaseMinimum-- },
		"none":    func(t *disclosure.Thresholds) { *t = disclosure.Thresholds{} },
	} {
		lower := least
		change(&lower)
		if blocks, err := disclosure.FirstRule(totals(layout, 14, 1), p, lower); blocks != nil || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: got %d blocks, %v", name, len(blocks), err)
		}
	}
	if _, err := disclosure.FirstRule(totals(layout, 14, 1), p, least); err != nil {
		t.Error(err)
	}
}

// unitTotals is the plain sum that bands are compared with.
func unitTotals(t disclosure.Totals, i int) map[string]uint64 {
	units := make(map[string]uint64)
	b := t.Layout.Blocks[i]
	for j, bucket := range b.Buckets {
		if bucket == "na" || bucket == "withheld" {
			bucket = "none"
		}
		units[bucket] += t.Cells[t.Layout.Offset(i)+j]
	}
	return units
}

func TestFirstRuleProperties(t *testing.T) {
	t.Parallel()
	_, layout := harbour(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(10, 200).Draw(t, "submissions")
		all := totals(layout, n, rapid.Uint64().Draw(t, "seed"))
		p := disclosure.Participation{Members: n + n/10, Submissions: n, Hosts: 2}
		blocks, err := firstRule(all, p, 8)
		if err != nil {
			t.Fatal(err)
		}
		again, err := firstRule(all, p, 8)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range blocks {
			if b.Name() != layout.Blocks[i].Name || b.Kind() != layout.Blocks[i].Kind || b.Subject() != layout.Blocks[i].Subject {
				t.Fatalf("block %d is %s, want %s", i, b.Name(), layout.Blocks[i].Name)
			}
			if diff := cmp.Diff(b.Bands(), again[i].Bands()); diff != "" {
				t.Fatalf("%s differs the second time\n%s", b.Name(), diff)
			}
			var chain []string
			units := unitTotals(all, i)
			for _, band := range b.Bands() {
				var want uint64
				for _, unit := range band.Units {
					want += units[unit]
				}
				if band.Count != want || band.Count == 1 || band.Count == 2 {
					t.Fatalf("%s: band %v holds %d, the units hold %d", b.Name(), band.Units, band.Count, want)
				}
				chain = append(chain, band.Units...)
			}
			if diff := cmp.Diff(disclosure.Chain(b.Kind()), chain); diff != "" {
				t.Fatalf("%s: bands are not the chain\n%s", b.Name(), diff)
			}
			if b.Total() != uint64(n) {
				t.Fatalf("%s: %d of %d members", b.Name(), b.Total(), n)
			}
		}
	})
}

func TestBandedBlockCount(t *testing.T) {
	t.Parallel()
	_, layout := harbour(t)
	all := totals(layout, 14, 1)
	first := layout.Blocks[0]
	copy(all.Cells, []uint64{2, 1, 4, 0, 4, 1, 2}) // 0 to 4, not applicable, withheld
	blocks, err := firstRule(all, disclosure.Participation{Members: 14, Submissions: 14, Hosts: 2}, 8)
	if err != nil {
		t.Fatal(err)
	}
	b := blocks[0]
	want := []disclosure.Band{
		{Units: []string{"none"}, Count: 3},
		{Units: []string{"0", "1"}, Count: 3},
		{Units: []string{"2"}, Count: 4},
		{Units: []string{"3"}, Count: 0},
		{Units: []string{"4"}, Count: 4},
	}
	if diff := cmp.Diff(want, b.Bands()); diff != "" {
		t.Fatalf("%s: -want +got\n%s", first.Name, diff)
	}
	tests := []struct {
		first, last string
		want        uint64
		known       bool
	}{
		{"0", "1", 3, true},
		{"none", "1", 6, true},
		{"none", "4", 14, true},
		{"3", "3", 0, true},
		{"3", "4", 4, true},
		{"0", "0", 0, false},
		{"1", "2", 0, false},
		{"1", "1", 0, false},
		{"none", "0", 0, false},
		{"4", "0", 0, false},
		{"7", "4", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.first+" to "+tt.last, func(t *testing.T) {
			t.Parallel()
			if got, known := b.Count(tt.first, tt.last); got != tt.want || known != tt.known {
				t.Errorf("got %d, %t; want %d, %t", got, known, tt.want, tt.known)
			}
		})
	}
	b.Bands()[0].Count, b.Bands()[1].Units[0] = 99, "changed"
	if !slices.EqualFunc(want, b.Bands(), func(a, b disclosure.Band) bool { return cmp.Equal(a, b) }) {
		t.Error("a caller can change the block")
	}
}
