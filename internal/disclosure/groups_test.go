package disclosure_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
)

// plan is a charter as the audit reads it: hosts and cohorts.
func plan(cohorts map[string][]coalition.MemberID) coalition.Charter {
	c := coalition.Charter{Leader: coalition.Host{Member: "a00"}, Helper: coalition.Host{Member: "a01"}}
	for id, members := range cohorts {
		cohort := coalition.Cohort{ID: id, ReleaseMinimum: coalition.ReleaseMinimum}
		for _, m := range members {
			cohort.Members = append(cohort.Members, coalition.Member{ID: m})
		}
		c.Cohorts = append(c.Cohorts, cohort)
		c.Releases = append(c.Releases, id)
	}
	slices.SortFunc(c.Cohorts, func(a, b coalition.Cohort) int { return strings.Compare(a.ID, b.ID) })
	return c
}

// ids returns the members prefix+from to prefix+(to-1).
func ids(prefix string, from, to int) []coalition.MemberID {
	var all []coalition.MemberID
	for i := from; i < to; i++ {
		all = append(all, coalition.MemberID(fmt.Sprintf("%s%02d", prefix, i)))
	}
	return all
}

func TestRequireSafe(t *testing.T) {
	t.Parallel()
	type cohorts = map[string][]coalition.MemberID
	for _, row := range []struct {
		name      string
		cohorts   cohorts
		colluders int
		want      string // empty: it passes
	}{
		{"one cohort with both hosts", cohorts{"all": ids("a", 0, 10)}, 0, ""},
		{"one less", cohorts{"all": ids("a", 0, 9)}, 0, `the cohort "all" has 9 members; it can never be released`},
		{"guests apart", cohorts{"all": ids("a", 0, 12), "partners": ids("p", 0, 8)}, 0, ""},
		{"too few guests", cohorts{"all": ids("a", 0, 12), "partners": ids("p", 0, 7)}, 0, `the cohort "partners" has 7 members`},
		{"all, and all but one", cohorts{"all": ids("a", 0, 32), "most": ids("a", 0, 31)}, 0, "isolates 1 member"},
		{"all, and all but seven", cohorts{"all": ids("a", 0, 32), "most": ids("a", 0, 25)}, 0, "isolates 7 members"},
		{"all, and all but eight", cohorts{"all": ids("a", 0, 32), "most": ids("a", 0, 24)}, 0, ""},
		{"all, and all but eight, one of whom may tell", cohorts{"all": ids("a", 0, 32), "most": ids("a", 0, 24)}, 1, "isolates 8 members"},
		{"all, and all but the hosts", cohorts{"all": ids("a", 0, 32), "others": ids("a", 2, 32)}, 0, ""},
		{"one member in both", cohorts{"all": ids("a", 0, 12), "partners": slices.Concat(ids("a", 5, 6), ids("p", 0, 9))}, 0, ""},
		{"regions", cohorts{"all": ids("a", 0, 34), "north": ids("a", 0, 10), "east": ids("a", 10, 18), "south": ids("a", 18, 26)}, 0, ""},
		{"regions that leave three", cohorts{"all": ids("a", 0, 29), "north": ids("a", 0, 10), "east": ids("a", 10, 18), "south": ids("a", 18, 26)}, 0, "isolates 3 members"},
		{"one member under two spellings", cohorts{"all": ids("a", 0, 32), "most": append(ids("a", 0, 30), "A30")}, 0, "isolates 1 member"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := plan(row.cohorts)
			c.Disclosure.Colluders = row.colluders
			err := disclosure.RequireSafe(c)
			switch {
			case row.want == "" && err != nil:
				t.Errorf("got %v", err)
			case row.want != "" && (errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v, want %q", err, row.want)
			}
			for _, marking := range []string{coalition.MarkingSynthetic, coalition.MarkingRehearsal} {
				c.Marking = marking
				if err := disclosure.RequireSafe(c); err != nil {
					t.Errorf("marked %s: %v", marking, err)
				}
			}
		})
	}
}

func TestAuditRostersDropsTheSmallest(t *testing.T) {
	t.Parallel()
	c := plan(map[string][]coalition.MemberID{"all": ids("a", 0, 32), "coast": ids("a", 0, 20), "ports": ids("a", 0, 12)})
	if err := disclosure.RequireSafe(c); err != nil {
		t.Fatalf("as planned: %v", err)
	}
	// Five of those outside the coast are late: seven are left between the two.
	rosters := map[string][]coalition.MemberID{"all": ids("a", 0, 27), "coast": ids("a", 0, 20), "ports": ids("a", 0, 12)}
	got, err := disclosure.AuditRosters(c, rosters)
	if err != nil {
		t.Fatal(err)
	}
	var dropped []string
	for _, d := range got {
		if d.Dropped {
			dropped = append(dropped, d.Cohort)
			if len(d.Because) == 0 || !strings.Contains(d.Because[0].String(), "isolates 7 members") {
				t.Errorf("%s is dropped because %v", d.Cohort, d.Because)
			}
		}
	}
	if diff := cmp.Diff([]string{"coast"}, dropped); diff != "" {
		t.Errorf("dropped: -want +got\n%s", diff)
	}
	shares := []disclosure.Shared{{Cohort: "coast", Members: 20}, {Cohort: "ports", Members: 12}}
	if diff := cmp.Diff(shares, got[0].Shares); diff != "" {
		t.Errorf("with whom %s shares members: -want +got\n%s", got[0].Cohort, diff)
	}
	delete(rosters, "ports")
	if _, err := disclosure.AuditRosters(c, rosters); errs.KindOf(err) != errs.Invalid {
		t.Errorf("without the roster of one cohort: %v", err)
	}
}

// TestAuditRostersLeavesNobodyAlone tries all small sums over the groups that are
// left, and that both hosts decide the same whatever order their lists have.
func TestAuditRostersLeavesNobodyAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(12, 40).Draw(t, "members")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		rosters := map[string][]coalition.MemberID{"all": ids("a", 0, n)}
		for i := range rapid.IntRange(1, 3).Draw(t, "groups") {
			for _, m := range rosters["all"] {
				if rng.IntN(4) > 0 {
					id := fmt.Sprintf("group %d", i)
					rosters[id] = append(rosters[id], m)
				}
			}
		}
		c := plan(rosters)
		got, err := disclosure.AuditRosters(c, rosters)
		if err != nil {
			t.Fatal(err)
		}
		for _, members := range rosters {
			rng.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		}
		other, err := disclosure.AuditRosters(c, rosters)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, other); diff != "" {
			t.Fatalf("another order, another decision:\n%s", diff)
		}
		var left []string
		for _, d := range got {
			if !d.Dropped {
				left = append(left, d.Cohort)
			}
		}
		times := make([]int, len(left))
		for i := range times {
			times[i] = -2
		}
		for {
			used := 0
			sum := make(map[coalition.MemberID]int)
			for i, id := range left {
				if times[i] != 0 {
					used++
				}
				for _, m := range rosters[id] {
					sum[m] += times[i]
				}
			}
			alone := 0
			for m, x := range sum {
				if x != 0 && m != "a00" && m != "a01" {
					alone++
				}
			}
			if used > 1 && alone > 0 && alone < coalition.ReleaseMinimum && !inTime(left, rosters, times) {
				t.Fatalf("%v times %v isolates %d members of %v", times, left, alone, rosters)
			}
			at := 0
			for at < len(times) && times[at] == 2 {
				times[at] = -2
				at++
			}
			if at == len(times) {
				return
			}
			times[at]++
		}
	})
}

// inTime reports whether a sum takes apart groups that are too small by
// themselves: these are not released, and not dropped either.
func inTime(left []string, rosters map[string][]coalition.MemberID, times []int) bool {
	for i, id := range left {
		others := 0
		for _, m := range rosters[id] {
			if m != "a00" && m != "a01" {
				others++
			}
		}
		if times[i] != 0 && others < coalition.ReleaseMinimum {
			return true
		}
	}
	return false
}
