package collect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
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

	// What the totals are of, so that they are not taken for those of another
	// cycle with the same framework: the id of the task, and the hex SHA-256 of
	// the roster as last amended. Both are empty where nothing was collected.
	Task   string
	Roster string
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

// counts are members by subject, kind and bucket.
type counts map[string]map[framework.Kind]map[string]uint64

// document is the form of aggregate.json.
type document struct {
	Marking  string `json:"marking"`
	Task     string `json:"task_id,omitempty"`
	Roster   string `json:"roster,omitempty"`
	Count    uint64 `json:"count"`
	Outcomes counts `json:"outcomes"`
	Areas    counts `json:"areas"`
}

// MarshalJSON returns the form of aggregate.json: counts by outcome or area,
// kind and bucket, zeros included, with the charter's marking and [Marking].
func (a *Aggregate) MarshalJSON() ([]byte, error) {
	doc := document{Marking: Marking, Task: a.Task, Roster: a.Roster, Count: a.Count, Outcomes: counts{}, Areas: counts{}}
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

// maxAggregateSize bounds aggregate.json: some 40 bytes a bucket of a layout of
// the largest size.
const maxAggregateSize = 16 << 20

// ParseAggregate reads an aggregate.json over a layout. What it accepts encodes
// to the same canonical bytes, has every bucket of the layout and no other, and
// blocks that sum to the count.
func ParseAggregate(l *framework.Layout, data []byte) (*Aggregate, error) {
	refuse := func(cause error) (*Aggregate, error) {
		return nil, errs.Wrap(cause, errs.Invalid, "this is no aggregate over the charter's layout, as muster wrote it", "give the aggregate.json that muster collect run wrote, unchanged")
	}
	if len(data) > maxAggregateSize {
		return refuse(fmt.Errorf("%d bytes", len(data)))
	}
	var doc document
	if err := keys.DecodeCanonical(data, &doc); err != nil {
		return refuse(err)
	}
	a := &Aggregate{Layout: l, Count: doc.Count, Task: doc.Task, Roster: doc.Roster}
	if doc.Marking != Marking {
		var ok bool
		if a.CycleMarking, ok = strings.CutSuffix(doc.Marking, "; "+Marking); !ok {
			return refuse(errors.New("another marking"))
		}
	}
	for _, b := range l.Blocks {
		of := doc.Outcomes
		if slices.Contains(framework.AreaKinds(), b.Kind) {
			of = doc.Areas
		}
		for _, bucket := range b.Buckets {
			a.Cells = append(a.Cells, of[b.Subject][b.Kind][bucket])
		}
	}
	if _, err := NewAggregate(l, a.Count, a.Cells); err != nil {
		return nil, err
	}
	// A bucket that is missing was read as zero, and one too many not at all.
	if again, err := keys.Canonical(a); err != nil || !bytes.Equal(again, data) {
		return refuse(err)
	}
	return a, nil
}
