package disclosure

import (
	"muster/internal/framework"
)

// A derived block follows from blocks of which bands are shown, so it says
// something of them. It is shown only with counts for which, whatever those who
// are known answered, every unit of every band stays possible. Which counts these
// are follows from bands that are published already, so that holding a derived
// block back says only that its count was another.
//
// A derived block is cut once at most, and no part of it may be empty.

// band returns the count of exactly those units, and whether they are a band.
func (b BandedBlock) band(first, end int) (int, bool) {
	at := 0
	for _, band := range b.bands {
		if at == first && at+len(band.Units) == end {
			return int(band.Count), true
		}
		at += len(band.Units)
	}
	return 0, false
}

// gapRange returns which cuts of a gap leave everything possible: left are those
// below or unknown, right those that met their target.
//
// Targets are not shown, so a level that is given can go with any gap except the
// highest, which is never below. Those who gave no level are all unknown, and
// must find room on the left whatever the known members answered; and somebody
// must be able to be below.
func (e *engine) gapRange(key blockKey) func(left, right int) bool {
	level, ok := e.blocks[blockKey{key.subject, framework.KindLevel}]
	if !ok {
		return nil
	}
	silent, _ := level.band(0, 1)
	last := len(Chain(framework.KindLevel)) - 1
	canBeBelow := false
	at := 0
	for _, b := range level.bands {
		end := at + len(b.Units)
		if b.Count > 0 && end-at+min(at, 1) > 1 && at < last { // neither silent alone nor the highest alone
			canBeBelow = true
		}
		at = end
	}
	if !canBeBelow {
		return nil
	}
	room := silent + e.rule.Known() + 1
	return func(left, right int) bool { return right > 0 && left >= room }
}

// lowestRange returns which cuts of an area's lowest level leave everything
// possible.
func (e *engine) lowestRange(blockKey) func(left, right int) bool { return nil }

// changeRange returns which cuts of an area's change leave everything possible.
func (e *engine) changeRange(blockKey) func(left, right int) bool { return nil }
