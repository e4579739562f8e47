package disclosure_test

import (
	"slices"
	"testing"

	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
)

// An edition that takes boundaries away is taken in, and says of each block what its bands
// say; one that parts what the issue does not, counts otherwise or is of another block is
// refused.
func TestShow(t *testing.T) {
	t.Parallel()
	rule := disclosure.Rule{Hosts: 2}
	fine, other := tell(t, 3, layoutOf(2, 6), 60, 1, rule).issues[0], tell(t, 4, layoutOf(2, 6), 60, 1, rule).issues[0]
	blocks := fine.Blocks()
	var coarse []disclosure.BandedBlock
	for _, b := range blocks {
		coarse = append(coarse, b.Coarsen(func(left, right string) bool { return b.Kind() == framework.KindLevel && left == "1" && right == "2" }))
	}
	shown, err := fine.Show("the edition x", coarse)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shown.Show("the edition y", blocks); err != nil {
		t.Errorf("the issue's own blocks are no edition of it: %v", err)
	}
	before, err := disclosure.NewHistory(fine).Problem(0)
	if err != nil {
		t.Fatal(err)
	}
	after, err := disclosure.NewHistory(shown).Problem(0)
	if err != nil {
		t.Fatal(err)
	}
	more := 0
	for _, b := range coarse {
		if b.Shown() {
			more += len(b.Bands())
		}
	}
	if more == 0 || len(after.Statements)-len(before.Statements) != more {
		t.Errorf("%d statements more, want %d", len(after.Statements)-len(before.Statements), more)
	}
	for _, s := range after.Statements[len(before.Statements):] {
		if s.Source != "the edition x" || s.Implied {
			t.Errorf("%+v", s)
		}
	}
	refused := 0
	for _, b := range other.Blocks() {
		own := blocks[slices.IndexFunc(blocks, func(own disclosure.BandedBlock) bool { return own.Name() == b.Name() })]
		told := true // does the issue tell each count of the other's block?
		for _, band := range b.Bands() {
			n, ok := own.Count(band.Units[0], band.Units[len(band.Units)-1])
			told = told && ok && n == band.Count
		}
		_, err := fine.Show("the edition z", []disclosure.BandedBlock{b})
		if told != (err == nil) || err != nil && errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s as %v of %v: told %t, %v", b.Name(), b.Bands(), own.Bands(), told, err)
		}
		if err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}
