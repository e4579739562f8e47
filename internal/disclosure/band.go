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

// UnmarshalJSON reads what [BandedBlock.MarshalJSON] wrote. Only [ParseRelease]
// knows the subject and kind and checks the bands; a block read otherwise has
// neither.
func (b *BandedBlock) UnmarshalJSON(text []byte) error {
	var doc bandedBlockJSON
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	*b = BandedBlock{bands: doc.Bands}
	return nil
}

// band cuts one block of the layout into bands by the first rule.
func band(b framework.Block, cells []uint64) BandedBlock {
	chain := Chain(b.Kind)
	counts := make([]uint64, len(chain))
	for i, bucket := range b.Buckets {
		counts[slices.Index(chain, unitOf(bucket))] += cells[i]
	}
	banded := BandedBlock{subject: b.Subject, kind: b.Kind}
	start := 0
	for _, end := range Merge(counts, preferred(chain)) {
		var total uint64
		for _, n := range counts[start:end] {
			total += n
		}
		banded.bands = append(banded.bands, Band{Units: chain[start:end:end], Count: total})
		start = end
	}
	return banded
}

// preferred returns the position in the chain before which a boundary is worth
// most: between levels 1 and 2, where what is written and approved begins. It
// is 0, where every chain has a boundary, for chains without levels.
func preferred(chain []string) int { return max(slices.Index(chain, "2"), 0) }

// Merge cuts the counts of a chain into bands as [FirstRule] says and returns
// the end of each band: [1 3] for the first count alone and the next two
// together. Of equally many bands it prefers a boundary before position prefer,
// unless that is 0. It returns nil if there is no way: all counts together are
// one or two.
func Merge(counts []uint64, prefer int) []int {
	// From the right: best[i] is the best way to cut counts[i:], next its first end.
	type score struct {
		bands     int
		preferred bool // a boundary of counts[i:] lies before position prefer
		next      int
	}
	n := len(counts)
	best := make([]*score, n+1)
	best[n] = &score{}
	for i := n - 1; i >= 0; i-- {
		var sum uint64
		for end := i + 1; end <= n; end++ {
			sum += counts[end-1]
			rest := best[end]
			if rest == nil || sum > 0 && sum < MinimumBand {
				continue
			}
			s := score{bands: rest.bands + 1, preferred: rest.preferred || end == prefer, next: end}
			// Strictly better only: among equals the shortest first band stays.
			if old := best[i]; old == nil || s.bands > old.bands || s.bands == old.bands && s.preferred && !old.preferred {
				best[i] = &s
			}
		}
	}
	if best[0] == nil {
		return nil
	}
	var ends []int
	for i := 0; i < n; i = best[i].next {
		ends = append(ends, best[i].next)
	}
	return ends
}
