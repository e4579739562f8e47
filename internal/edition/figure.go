package edition

import (
	"fmt"
	"slices"

	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
)

// keeps is the table of coarsening: which boundary of a block of that kind an edition of
// that detail keeps. It asks nothing of counts.
func (d Detail) keeps(k framework.Kind, left, right string) bool {
	at := left + "|" + right
	switch d {
	case Full:
		return true
	case Coarse:
		switch k {
		case framework.KindLevel, framework.KindVerified, framework.KindTarget, framework.KindLowest:
			return at == "1|2"
		case framework.KindEvidence:
			return at == "E1|E2"
		case framework.KindGap:
			return at == "below|met"
		case framework.KindChange:
			return at == "same|better"
		}
	case Plain:
		return k == framework.KindLevel && at == "1|2" || k == framework.KindChange && at == "same|better"
	}
	return false
}

// coarsen returns a block of the release as the edition has it.
func (d Detail) coarsen(b disclosure.BandedBlock) disclosure.BandedBlock {
	return b.Coarsen(func(left, right string) bool { return d.keeps(b.Kind(), left, right) })
}

// cut returns the figures of a release for an edition: of the areas that are named, or
// of all.
func cut(r *release.Release, d Detail, areas []string) []Area {
	all := []Area{}
	for i := range r.Areas {
		from := &r.Areas[i]
		if len(areas) > 0 && !slices.Contains(areas, from.ID) {
			continue
		}
		a := Area{ID: from.ID, Title: from.Title, Lowest: d.coarsen(from.Lowest), Change: d.coarsen(from.Change), Outcomes: []Outcome{}}
		for j := range from.Outcomes {
			o := &from.Outcomes[j]
			a.Outcomes = append(a.Outcomes, Outcome{
				ID: o.ID, Title: o.Title, Level: d.coarsen(o.Level), Verified: d.coarsen(o.Verified), Target: d.coarsen(o.Target), Gap: d.coarsen(o.Gap), Evidence: d.coarsen(o.Evidence),
			})
		}
		all = append(all, a)
	}
	return all
}

// Figure is a block with what it is of, for whoever draws or writes them all.
type Figure struct {
	Area, Outcome string // ids; Outcome is empty for the area's own
	Title         framework.Text
	Kind          framework.Kind
	Block         disclosure.BandedBlock
}

// Figures returns every block of the edition: of each area its own, then those of its
// outcomes.
func (d *Document) Figures() []Figure {
	var all []Figure
	for i := range d.Areas {
		all = append(all, d.Areas[i].figures()...)
		for j := range d.Areas[i].Outcomes {
			all = append(all, d.Areas[i].Outcomes[j].figures(d.Areas[i].ID)...)
		}
	}
	return all
}

func (a *Area) figures() []Figure {
	return []Figure{{a.ID, "", a.Title, framework.KindLowest, a.Lowest}, {a.ID, "", a.Title, framework.KindChange, a.Change}}
}

func (o *Outcome) figures(area string) []Figure {
	return []Figure{
		{area, o.ID, o.Title, framework.KindLevel, o.Level},
		{area, o.ID, o.Title, framework.KindVerified, o.Verified},
		{area, o.ID, o.Title, framework.KindTarget, o.Target},
		{area, o.ID, o.Title, framework.KindGap, o.Gap},
		{area, o.ID, o.Title, framework.KindEvidence, o.Evidence},
	}
}

// drawn returns the figures of the edition as the release that it was drawn from gives
// them, and refuses, with kind Conflict, an edition that says anything else.
func (d *Document) drawn(r *release.Release) ([]disclosure.BandedBlock, error) {
	ids := make([]string, len(d.Areas))
	for i, a := range d.Areas {
		ids[i] = a.ID
	}
	again := Document{Areas: cut(r, detailFor(circlesOf(d.For)), ids)}
	own, all := d.Figures(), again.Figures()
	same := len(ids) > 0 && slices.EqualFunc(own, all, func(a, b Figure) bool {
		return a.Area == b.Area && a.Outcome == b.Outcome && slices.EqualFunc(a.Block.Bands(), b.Block.Bands(), func(a, b disclosure.Band) bool {
			return a.Count == b.Count && slices.Equal(a.Units, b.Units)
		})
	})
	if !same {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the edition %s %d of %s says what its release does not", d.Edition, d.Number, d.Cycle), "somebody changed the database past this program; compare it with a backup")
	}
	blocks := make([]disclosure.BandedBlock, len(all))
	for i, f := range all {
		blocks[i] = f.Block
	}
	return blocks, nil
}
