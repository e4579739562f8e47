// Package releasetest makes releases for tests of what draws, reads or compares
// them: of any totals, also of such that no members' answers give, because nothing
// attacks what it makes. What a release shows is cut by the real rule.
package releasetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
)

// Config is what a release for a test is made from. Zero fields are filled in:
// a cohort of those who submitted, two hosts among them, cycle 2031 of Hithe.
type Config struct {
	Coalition string
	Cycle     string
	Cohort    string
	Marking   string
	Pack      *framework.Pack
	Cells     []uint64 // members in each bucket, in the order of the layout

	Members     int // of the cohort
	Submissions int
	NoHosts     int // of the two hosts, how many are not among the submissions
	Declined    int

	Rule     disclosure.Preference
	Calendar release.Calendar
	Turnover *release.Turnover
	Groups   []release.Group
	History  []release.Earlier
}

// New returns the release.
func New(t testing.TB, cfg Config) *release.Release {
	t.Helper()
	layout, err := framework.NewLayout(cfg.Pack)
	if err != nil {
		t.Fatal(err)
	}
	n := cfg.Submissions
	rule := disclosure.Rule{Hosts: 2 - cfg.NoHosts, Prefer: cfg.Rule}
	p := disclosure.Participation{Members: max(cfg.Members, n), Submissions: n, Hosts: rule.Hosts, Declined: cfg.Declined}
	thresholds := disclosure.Thresholds{MinimumBatch: coalition.MinimumBatch(p.Members), ReleaseMinimum: coalition.ReleaseMinimum}
	blocks, err := disclosure.Application{
		Rule: rule, Totals: disclosure.Totals{Layout: layout, Submissions: uint64(n), Cells: cfg.Cells},
		Participation: p, Thresholds: thresholds, Members: names(n),
	}.Apply()
	if err != nil {
		t.Fatal(err)
	}
	r, err := release.Blank(cfg.Pack)
	if err != nil {
		t.Fatal(err)
	}
	r.Show(blocks)
	r.Coalition, r.Cycle, r.Cohort, r.Marking = or(cfg.Coalition, "Hithe"), or(cfg.Cycle, "2031"), or(cfg.Cohort, "members"), cfg.Marking
	r.HostedBy = []coalition.MemberID{"Ostmere", "Calverra"}
	if r.Calendar = cfg.Calendar; r.Calendar.Deadline == 0 {
		r.Calendar = release.Calendar{Opens: 1_930_000_000, Deadline: 1_933_000_000}
	}
	if r.Calendar.Postponed == nil {
		r.Calendar.Postponed = []release.Postponement{}
	}
	r.CharterDigest, r.RosterDigest = strings.Repeat("c0", 32), strings.Repeat("40", 32)
	r.Participation, r.Thresholds, r.Turnover = p, thresholds, cfg.Turnover
	r.Rule = release.Rule{ID: release.RuleCuts, MinimumBand: rule.Least(), Known: rule.Known(), Prefer: rule.Prefer}
	if r.Groups = cfg.Groups; r.Groups == nil {
		r.Groups = []release.Group{{Cohort: r.Cohort, Members: n}}
	}
	if r.History = slices.Clone(cfg.History); r.History == nil {
		r.History = []release.Earlier{}
	}
	if err := r.Complete(); err != nil {
		t.Fatal(err)
	}
	return r
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("member %06d", i)
	}
	return all
}
