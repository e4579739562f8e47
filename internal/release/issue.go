package release

import (
	"cmp"
	"fmt"
	"slices"

	"muster/internal/disclosure"
	"muster/internal/errs"
)

// Issued is a release as the attack takes it.
type Issued struct {
	Past
	Issue *disclosure.Issue
}

// Issues returns releases as the attack takes them, those of each framework for
// themselves and in order of time: what a member answers to one pack is tied by nothing
// to what it answers to another.
func Issues(all []Past) ([][]Issued, error) {
	ordered := slices.SortedFunc(slices.Values(all), func(a, b Past) int {
		x, y := a.Release, b.Release
		return cmp.Or(cmp.Compare(x.Framework.ID, y.Framework.ID), cmp.Compare(x.Calendar.Opens, y.Calendar.Opens), cmp.Compare(x.Cycle, y.Cycle), cmp.Compare(x.Cohort, y.Cohort))
	})
	last := make(map[[2]string]*disclosure.Issue) // by framework and cohort
	var groups [][]Issued
	for _, p := range ordered {
		r := p.Release
		key := [2]string{r.Framework.ID, r.Cohort}
		issue, err := p.Issue(last[key])
		if err != nil {
			return nil, fmt.Errorf("the release %s of %s: %w", errs.Quote(r.Cycle), errs.Quote(r.Cohort), err)
		}
		last[key] = issue
		if n := len(groups); n == 0 || groups[n-1][0].Release.Framework.ID != r.Framework.ID {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], Issued{p, issue})
	}
	return groups, nil
}
