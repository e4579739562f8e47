package collect

import (
	"encoding/json"
	"fmt"
	"slices"

	"muster/internal/errs"
	"muster/internal/framework"
)

// Marking stands in every file that holds an [Aggregate], behind the charter's.
const Marking = "BEFORE DISCLOSURE CONTROL: single members can be recognised in these numbers; for the coordinator alone"

// Aggregate is the totals of one batch before disclosure control: for every
// block of the layout how many of Count members are in each bucket.
type Aggregate struct {
	Layout *framework.Layout
	Count  uint64   // members whose submissions were added up
	Cells  []uint64 // one a bucket, in the order of the layout

	// CycleMarking is the charter's marking, such as SYNTHETIC, or empty: made-up
	// totals must say so wherever the file gets to.
	CycleMarking string
}

// NewAggregate checks that the cells of every block sum to count. A sum that
// does not shows that a host changed its share, since each submission has
// exactly one bucket set in each block.
func NewAggregate(l *framework.Layout, count uint64, cells []uint64) (*Aggregate, error) {
	if len(cells) != l.Bits() {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%d cells for a layout of %d", len(cells), l.Bits()), "")
	}
	if b, wrong := l.WrongSum(cells, count); wrong {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the counts of %s do not sum to the %d submissions", b.Name, count),
			"one of the hosts changed its share; do not publish these totals")
	}
	return &Aggregate{Layout: l, Count: count, Cells: cells}, nil
}

// Block returns the cells of block i of the layout.
func (a *Aggregate) Block(i int) []uint64 {
	offset := a.Layout.Offset(i)
	return a.Cells[offset : offset+len(a.Layout.Blocks[i].Buckets)]
}

// MarshalJSON returns the form of aggregate.json: counts by outcome or area,
// kind and bucket, zeros included, with the charter's marking and [Marking].
func (a *Aggregate) MarshalJSON() ([]byte, error) {
	type counts map[string]map[framework.Kind]map[string]uint64 // subject, kind, bucket
	doc := struct {
		Marking  string `json:"marking"`
		Count    uint64 `json:"count"`
		Outcomes counts `json:"outcomes"`
		Areas    counts `json:"areas"`
	}{Marking, a.Count, counts{}, counts{}}
	if a.CycleMarking != "" {
		doc.Marking = a.CycleMarking + "; " + Marking
	}
	for i, b := range a.Layout.Blocks {
		of := doc.Outcomes
		if slices.Contains(framework.AreaKinds(), b.Kind) {
			of = doc.Areas
		}
		if of[b.Subject] == nil {
			of[b.Subject] = make(map[framework.Kind]map[string]uint64)
		}
		cells := make(map[string]uint64, len(b.Buckets))
		for j, n := range a.Block(i) {
			cells[b.Buckets[j]] = n
		}
		of[b.Subject][b.Kind] = cells
	}
	return json.Marshal(doc)
}
