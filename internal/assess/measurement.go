package assess

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/errs"
	"muster/internal/framework"
)

// maxNamed is how many outcomes a refusal names before it says how many more.
const maxNamed = 10

// Measurement returns what is sealed of an assessment: one bucket index per block
// of the layout, in the layout's order. before is last cycle's assessment, or nil;
// an outcome that it does not answer is not comparable.
//
// An error of kind Invalid names every outcome of the layout that now does not
// answer (up to ten), every answer to an outcome that the layout does not have, or
// a value that an answer may not have. A layout that this version does not
// understand is refused as well: a block is never left out.
func Measurement(l *framework.Layout, now, before *Assessment) ([]uint64, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	areas, outcomes, err := subjects(l)
	if err != nil {
		return nil, err
	}
	if err := complete(outcomes, now); err != nil {
		return nil, err
	}
	for _, a := range []*Assessment{now, before} {
		if err := possible(outcomes, a); err != nil {
			return nil, err
		}
	}

	measurement := make([]uint64, len(l.Blocks))
	for i := range l.Blocks {
		block := &l.Blocks[i]
		bucket := bucketName(block, areas, now, before)
		index, ok := block.Bucket(bucket)
		if !ok {
			return nil, fmt.Errorf("layout block %s has no bucket %q", errs.Quote(block.Name), bucket)
		}
		measurement[i] = uint64(index)
	}
	return measurement, nil
}

// bucketName returns the name of the bucket of block that the assessment falls
// into. The block's kind and subject have been checked by [subjects].
func bucketName(block *framework.Block, areas map[string][]string, now, before *Assessment) string {
	switch block.Kind {
	case framework.KindLowest:
		return lowestOf(areas[block.Subject], now).String()
	case framework.KindChange:
		return changeOf(areas[block.Subject], now, before).String()
	}
	answer := now.answer(block.Subject)
	switch block.Kind {
	case framework.KindLevel:
		return answer.Level.String()
	case framework.KindVerified:
		return answer.Verified.String()
	case framework.KindTarget:
		return answer.Target.String()
	case framework.KindGap:
		return answer.Gap().String()
	case framework.KindEvidence:
		return answer.Evidence.String()
	}
	panic("assess: block kind " + string(block.Kind) + " was not checked")
}

// subjects returns what the layout's blocks speak of: the outcomes in order, and
// for every area the outcomes that it holds. An outcome belongs to the area whose
// id stands before its first dot, as in [framework.Outcome.AreaID].
func subjects(l *framework.Layout) (areas map[string][]string, outcomes []string, err error) {
	areas = make(map[string][]string)
	seen := make(map[string]bool)
	for i := range l.Blocks {
		block := &l.Blocks[i]
		switch block.Kind {
		case framework.KindLowest, framework.KindChange:
			if _, ok := areas[block.Subject]; !ok {
				areas[block.Subject] = nil
			}
		case framework.KindLevel, framework.KindVerified, framework.KindTarget, framework.KindGap, framework.KindEvidence:
			if !seen[block.Subject] {
				seen[block.Subject] = true
				outcomes = append(outcomes, block.Subject)
			}
		default: // [framework.Layout.Check] knows a kind that this package does not
			return nil, nil, fmt.Errorf("block %s: assess cannot measure its kind", errs.Quote(block.Name))
		}
	}
	for _, id := range outcomes {
		area, _, _ := strings.Cut(id, ".")
		if _, ok := areas[area]; !ok {
			return nil, nil, errs.New(errs.Invalid,
				fmt.Sprintf("outcome %s belongs to no area of the layout", errs.Quote(id)), "")
		}
		areas[area] = append(areas[area], id)
	}
	return areas, outcomes, nil
}

// complete refuses an assessment that does not answer exactly the outcomes.
func complete(outcomes []string, now *Assessment) error {
	if now == nil {
		return errs.New(errs.Invalid, "there is no assessment", "")
	}
	var missing []string
	for _, id := range outcomes {
		if _, ok := now.Answers[id]; !ok {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return errs.New(errs.Invalid,
			fmt.Sprintf("%s has no answer to %s", errs.Quote(now.Member), list(missing)),
			`answer every outcome; "withheld" is an answer`)
	}
	if len(now.Answers) == len(outcomes) {
		return nil
	}
	var extra []string
	for id := range now.Answers {
		if !slices.Contains(outcomes, id) {
			extra = append(extra, errs.Quote(id))
		}
	}
	slices.Sort(extra)
	return errs.New(errs.Invalid,
		fmt.Sprintf("%s answers %s, which the layout does not have", errs.Quote(now.Member), list(extra)),
		"use the framework that the cycle was opened with")
}

// possible refuses an answer that has a value it may not have; a may be nil.
func possible(outcomes []string, a *Assessment) error {
	for _, id := range outcomes {
		answer := a.answer(id)
		if answer == nil {
			continue
		}
		if err := answer.Check(); err != nil {
			return errs.New(errs.Invalid, fmt.Sprintf("%s, outcome %s: %s", errs.Quote(a.Member), id, err), "")
		}
	}
	return nil
}

// list joins the first names, and says how many more there are.
func list(names []string) string {
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}
