package disclosure

import (
	"encoding/json"
	"slices"

	"muster/internal/disclosure/attack"
	"muster/internal/framework"
)

// NoLevel is the unit of a chain that takes together every reason why there is
// no level: not applicable, withheld, and none given. One unit, because who
// prefers not to say must not stand out from whom a question does not concern.
const NoLevel = attack.NoLevel

// Chain returns the units of a block of that kind in their order, or nil for a
// kind that this version does not know. The slice is the caller's.
func Chain(k framework.Kind) []string { return attack.Chain(k) }

// unitOf returns the unit that a bucket of the layout belongs to.
func unitOf(bucket string) string {
	if bucket == framework.NotApplicable.String() || bucket == framework.Withheld.String() {
		return NoLevel
	}
	return bucket
}

// Band is neighbouring units of a chain taken together.
type Band struct {
	Units []string `json:"units"` // at least one, in the order of the chain
	Count uint64   `json:"count"` // members in any of the units
}

// BandedBlock is a block of the layout as it may be shown: its chain cut into
// bands. The zero value has none. Its counts come from the rule or from an
// accepted release and cannot be set from elsewhere.
type BandedBlock struct {
	subject string
	kind    framework.Kind
	bands   []Band
}

// Name returns the block's name in the layout, such as "A1.1/level".
func (b BandedBlock) Name() string { return b.subject + "/" + string(b.kind) }

// Subject returns the id of the outcome or area.
func (b BandedBlock) Subject() string { return b.subject }

// Kind returns what the block counts.
func (b BandedBlock) Kind() framework.Kind { return b.kind }

// Bands returns the bands in the order of the chain. The slice is the caller's.
func (b BandedBlock) Bands() []Band {
	bands := slices.Clone(b.bands)
	for i := range bands {
		bands[i].Units = slices.Clone(bands[i].Units)
	}
	return bands
}

// Shown reports whether the block has a boundary at all. One band that takes in
// the whole chain says nothing but how many members took part.
func (b BandedBlock) Shown() bool { return len(b.bands) > 1 }

// Total returns how many members the block counts.
func (b BandedBlock) Total() uint64 {
	var total uint64
	for _, band := range b.bands {
		total += band.Count
	}
	return total
}

// Count returns how many members are in the units first to last, both included,
// and whether the bands tell: no boundary, no number.
func (b BandedBlock) Count(first, last string) (uint64, bool) {
	var total uint64
	inside := false
	for _, band := range b.bands {
		if band.Units[0] == first {
			inside = true
		}
		if !inside {
			continue
		}
		total += band.Count
		if band.Units[len(band.Units)-1] == last {
			return total, true
		}
		if slices.Contains(band.Units, last) {
			return 0, false
		}
	}
	return 0, false
}

type bandedBlockJSON struct {
	Bands []Band `json:"bands"`
}

// MarshalJSON returns the bands alone: subject and kind stand around the block.
func (b BandedBlock) MarshalJSON() ([]byte, error) { return json.Marshal(bandedBlockJSON{b.bands}) }

// UnmarshalJSON reads what [BandedBlock.MarshalJSON] wrote. What it reads is of no
// subject and kind, and fits no place of a release, until [Accept] has checked it.
func (b *BandedBlock) UnmarshalJSON(text []byte) error {
	var doc bandedBlockJSON
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	*b = BandedBlock{bands: doc.Bands}
	return nil
}
