package release_test

import (
	stdcmp "cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
)

var (
	charterDigest = strings.Repeat("c0", 32)
	rosterDigest  = strings.Repeat("40", 32)
)

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

// totals adds up n members' answers, each with a favourite level of its own. What
// a member computes from its answers is computed here, so that the blocks of an
// area fit each other as those of real submissions do.
func totals(l *framework.Layout, n int, seed uint64) disclosure.Totals {
	rng := rand.New(rand.NewPCG(seed, 0))
	t := disclosure.Totals{Layout: l, Submissions: uint64(n), Cells: make([]uint64, l.Bits())}
	count := func(subject string, kind framework.Kind, bucket string) {
		i, _ := l.Index(subject, kind)
		at, ok := l.Blocks[i].Bucket(bucket)
		if !ok {
			panic(bucket)
		}
		t.Cells[l.Offset(i)+at]++
	}
	number := func(level string) int { return strings.Index("01234", level) }
	for range n {
		capability := rng.NormFloat64() + 2.3
		level := func() string {
			if rng.IntN(9) == 0 {
				return []string{"na", "withheld"}[rng.IntN(2)]
			}
			return strconv.Itoa(min(max(int(capability+rng.NormFloat64()), 0), 4))
		}
		lowest := make(map[string]string)
		for _, b := range l.Blocks {
			if b.Kind != framework.KindLevel {
				continue
			}
			given, target := level(), strconv.Itoa(2+rng.IntN(3))
			count(b.Subject, framework.KindLevel, given)
			count(b.Subject, framework.KindVerified, []string{given, "none"}[rng.IntN(2)])
			count(b.Subject, framework.KindTarget, target)
			count(b.Subject, framework.KindEvidence, []string{"none", "E0", "E1", "E2", "E3"}[rng.IntN(5)])
			area, _, _ := strings.Cut(b.Subject, ".")
			switch {
			case number(given) < 0:
				count(b.Subject, framework.KindGap, "unknown")
				continue
			case number(given) < number(target):
				count(b.Subject, framework.KindGap, "below")
			default:
				count(b.Subject, framework.KindGap, "met")
			}
			if old, ok := lowest[area]; !ok || number(given) < number(old) {
				lowest[area] = given
			}
		}
		for _, b := range l.Blocks {
			if b.Kind == framework.KindLowest {
				count(b.Subject, framework.KindLowest, stdcmp.Or(lowest[b.Subject], "none"))
				count(b.Subject, framework.KindChange, "not_comparable")
			}
		}
	}
	return t
}

// roster is n members of which two host.
func roster(n int) []coalition.MemberID {
	members := []coalition.MemberID{"Ostmere", "Calverra"}
	for i := range n - 2 {
		members = append(members, coalition.MemberID(fmt.Sprintf("member %03d", i)))
	}
	return members
}

func config(t testing.TB, n int, seed uint64) release.Config {
	t.Helper()
	pack, layout := harbour(t)
	return release.Config{
		Coalition: "Hithe", Cycle: "2031", Cohort: "members", Marking: "SYNTHETIC",
		Pack: pack, Totals: totals(layout, n, seed),
		CohortSize: n + 2, Declined: 1, Members: roster(n),
		HostedBy: [2]coalition.MemberID{"Ostmere", "Calverra"},
		Calendar: release.Calendar{
			Opens: 1_930_000_000, Deadline: 1_933_000_000,
			Postponed: []release.Postponement{{Deadline: 1_933_000_000, Reason: "the storm of the third week"}},
		},
		CharterDigest: charterDigest, RosterDigest: rosterDigest,
	}
}

func made(t testing.TB, n int, seed uint64) *release.Release {
	t.Helper()
	r, err := release.New(config(t, n, seed))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// blocks returns every block of a release by name.
func blocks(r *release.Release) map[string]disclosure.BandedBlock {
	all := make(map[string]disclosure.BandedBlock)
	for _, a := range r.Areas {
		for _, b := range []disclosure.BandedBlock{a.Lowest, a.Change} {
			all[b.Name()] = b
		}
		for _, o := range a.Outcomes {
			for _, b := range []disclosure.BandedBlock{o.Level, o.Verified, o.Target, o.Gap, o.Evidence} {
				all[b.Name()] = b
			}
		}
	}
	return all
}

// second is the release of the year after made(t, 31, 7), with one member more,
// something not shown, and every optional field.
func second(t testing.TB) *release.Release {
	t.Helper()
	cfg := secondConfig(t)
	r, err := release.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func secondConfig(t testing.TB) release.Config {
	t.Helper()
	first := made(t, 31, 7)
	cfg := config(t, 32, 8)
	// One member gave no level, another gave 4, all others 2: no boundary holds.
	copy(cfg.Totals.Cells, []uint64{0, 0, 30, 0, 1, 1, 0})
	cfg.Cycle = "2032"
	cfg.Calendar = release.Calendar{Opens: 1_960_000_000, Deadline: 1_963_000_000, Postponed: []release.Postponement{{Deadline: 1_963_000_000, Reason: "an election"}}}
	cfg.Groups = []release.Group{
		{Cohort: "coast", Members: 29, Dropped: release.GroupDifferent},
		{Cohort: "members", Members: 32},
	}
	cfg.Opened = []coalition.MemberID{"member 003", "Ostmere", "nobody"}
	cfg.History = []release.Past{{Release: first, Digest: keys.Digest(canonical(t, first)), Members: roster(31)}}
	return cfg
}

func canonical(t testing.TB, r *release.Release) []byte {
	t.Helper()
	b, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
