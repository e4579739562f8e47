package assess

import (
	"cmp"
	"slices"

	"muster/internal/framework"
)

// Finding is what the member's verifier found about one outcome.
type Finding struct {
	Outcome  string          `json:"outcome"`
	Seen     string          `json:"seen,omitempty"`    // what was looked at
	Found    string          `json:"found,omitempty"`   // what it showed
	Reply    string          `json:"reply,omitempty"`   // of who answered
	Verified framework.Level `json:"verified,omitzero"` // what it is worth; none while the work goes on
	By       string          `json:"by,omitempty"`
	Claimed  framework.Level `json:"claimed,omitzero"` // the level of the answer that was looked at
}

// Of reports whether the finding is about the answer that an entry has: whether its
// level is the one that was looked at. Else what was verified does not count. A finding
// of an earlier version does not say what it is about, and counts.
func (f Finding) Of(e Entry) bool { return f.Claimed == framework.None || f.Claimed == e.Level }

// Why is a reason to look at an outcome.
type Why string

// The reasons, and what each weighs. A level that was claimed without the evidence
// that it asks for weighs most.
const (
	WhyUnproven  Why = "unproven"  // 3 or 4 without the evidence that it asks for
	WhyUnnamed   Why = "unnamed"   // 3 or 4, and nothing says where the evidence lies
	WhyHigh      Why = "high"      // 4: an outsider saw it
	WhyRose      Why = "rose"      // by two levels or more since last cycle
	WhyDiffers   Why = "differs"   // another level than the bodies' answers give
	WhyFlagged   Why = "flagged"   // somebody asked for another look
	WhyUnchecked Why = "unchecked" // never verified
	WhyAreaAlone Why = "area"      // else nothing of its area would be looked at
)

func (w Why) weight() int {
	switch w {
	case WhyUnproven:
		return 6
	case WhyRose, WhyDiffers, WhyUnnamed:
		return 4
	case WhyHigh, WhyFlagged:
		return 3
	}
	return 1
}

// Pick is an outcome that the verifier should look at, with the reasons.
type Pick struct {
	Outcome string
	Why     []Why
}

// Sample proposes size outcomes to verify: those that weigh most, at least one of
// every area that has a level, ties broken in the framework's order. pieces is how many
// pieces of evidence are named for each outcome. before and findings may be nil; findings
// are those of last cycle.
func Sample(pack *framework.Pack, now, before map[string]Entry, proposals map[string]Proposal, findings map[string]Finding, pieces map[string]int, size int) []Pick {
	type candidate struct {
		Pick
		area   string
		weight int
		order  int
	}
	var all []candidate
	for i, o := range pack.Outcomes() {
		e := now[o.ID]
		level, given := e.Level.Number()
		if !given || e.Carried {
			continue
		}
		c := candidate{Pick: Pick{Outcome: o.ID}, area: o.AreaID(), order: i}
		note := func(w Why, holds bool) {
			if holds {
				c.Why = append(c.Why, w)
				c.weight += w.weight()
			}
		}
		note(WhyUnproven, e.Unproven())
		note(WhyUnnamed, !e.Unproven() && e.Bare(pieces[o.ID])) // one or the other
		last, was := before[o.ID].Level.Number()
		note(WhyRose, was && level >= last+2)
		p, contributed := proposals[o.ID]
		note(WhyDiffers, contributed && p.Level.Given() && p.Level != e.Level)
		note(WhyHigh, level == 4)
		note(WhyFlagged, e.Flagged)
		f, looked := findings[o.ID]
		note(WhyUnchecked, !looked || f.Verified == framework.None)
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.weight, a.weight) })
	chosen := all[:min(max(size, 0), len(all))]
	covered := make(map[string]bool)
	for _, c := range chosen {
		covered[c.area] = true
	}
	if size > 0 {
		for _, c := range all[len(chosen):] {
			if !covered[c.area] {
				covered[c.area] = true
				c.Why = append(slices.Clone(c.Why), WhyAreaAlone)
				chosen = append(slices.Clip(chosen), c)
			}
		}
	}
	slices.SortFunc(chosen, func(a, b candidate) int { return cmp.Compare(a.order, b.order) })
	picks := make([]Pick, len(chosen))
	for i, c := range chosen {
		picks[i] = c.Pick
	}
	return picks
}
