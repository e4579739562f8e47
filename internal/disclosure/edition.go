package disclosure

import (
	"fmt"

	"muster/internal/disclosure/attack"
	"muster/internal/errs"
)

// shown is what an edition shows of an issue.
type shown struct {
	source string
	blocks []BandedBlock
}

// Show returns the issue with what an edition shows of it besides: a file that travels
// by itself, and of which whoever attacks has a copy too. source names the edition. Show
// refuses, with kind Conflict, a block that the issue does not have, or that parts what
// its band does not, or counts otherwise: an edition only takes boundaries away.
func (i *Issue) Show(source string, blocks []BandedBlock) (*Issue, error) {
	own := make(map[blockKey]BandedBlock, len(i.blocks))
	for _, b := range i.blocks {
		own[blockKey{b.subject, b.kind}] = b
	}
	for _, b := range blocks {
		from, ok := own[blockKey{b.subject, b.kind}]
		if !ok || !b.coarsens(from) {
			return nil, errs.New(errs.Conflict, fmt.Sprintf("%s says of %s what %s does not", source, b.Name(), i.Source()), "make the edition of this release again")
		}
	}
	more := *i
	more.shown = append(append([]shown{}, i.shown...), shown{source, blocks})
	return &more, nil
}

// coarsens reports whether the block is one that [BandedBlock.Coarsen] can make of
// another.
func (b BandedBlock) coarsens(from BandedBlock) bool {
	rest := from.bands
	for _, band := range b.bands {
		units, count := 0, uint64(0)
		for len(rest) > 0 && units < len(band.Units) {
			units, count = units+len(rest[0].Units), count+rest[0].Count
			rest = rest[1:]
		}
		if units != len(band.Units) || count != band.Count {
			return false
		}
	}
	return len(rest) == 0
}

// told returns what the editions of the issue say.
func (i *Issue) told() []attack.Statement {
	var all []attack.Statement
	for _, s := range i.shown {
		for _, b := range s.blocks {
			name := attack.Block{Cycle: i.Cycle, Subject: b.subject, Kind: b.kind}
			at, units := 0, len(Chain(b.kind))
			for _, band := range b.bands {
				end := at + len(band.Units)
				if b.Shown() {
					all = append(all, attack.Count(s.source, name, i.Members, units, at, end-1, int(band.Count)))
				}
				at = end
			}
		}
	}
	return all
}
