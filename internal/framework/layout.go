package framework

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/gowebpki/jcs"

	"muster/internal/errs"
)

// The limits of what one submission may hold; both hosts enforce them too.
const (
	MaxLayoutBits   = 20_000 // buckets of all blocks together: the length of the sealed vector
	MaxLayoutBlocks = 4_096
)

// LayoutFormat is the version of the layout's canonical form.
const LayoutFormat = "muster-layout/1"

// Kind says what a block counts.
type Kind string

// The kinds. The first five are per outcome, the last two per area.
const (
	KindLevel    Kind = "level"    // the member's own level
	KindVerified Kind = "verified" // the level that the member's verifier confirmed
	KindTarget   Kind = "target"   // the level that the member aims at
	KindGap      Kind = "gap"      // level against target, computed by the member
	KindEvidence Kind = "evidence" // the evidence grade
	KindLowest   Kind = "lowest"   // the lowest level given in the area
	KindChange   Kind = "change"   // the area against the previous cycle, computed by the member
)

// OutcomeKinds returns the kinds of block that every outcome has, in layout order.
func OutcomeKinds() []Kind {
	return []Kind{KindLevel, KindVerified, KindTarget, KindGap, KindEvidence}
}

// AreaKinds returns the kinds of block that every area has, in layout order.
func AreaKinds() []Kind { return []Kind{KindLowest, KindChange} }

// Buckets returns the names of the kind's buckets in order, or nil for a kind
// that this version does not know. The slice is the caller's.
func (k Kind) Buckets() []string {
	switch k {
	case KindLevel:
		return []string{"0", "1", "2", "3", "4", "na", "withheld"}
	case KindVerified:
		return []string{"0", "1", "2", "3", "4", "na", "withheld", "none"}
	case KindTarget, KindLowest:
		return []string{"0", "1", "2", "3", "4", "none"}
	case KindGap:
		return []string{"below", "met", "unknown"}
	case KindEvidence:
		return []string{"E0", "E1", "E2", "E3", "none"}
	case KindChange:
		return []string{"worse", "mixed", "same", "better", "not_comparable"}
	}
	return nil
}

// Block is one question of which exactly one bucket is set in a submission.
type Block struct {
	Name    string   `json:"name"`    // subject and kind, such as "A1.1/level"; unique in its layout
	Subject string   `json:"subject"` // the outcome's or area's id
	Kind    Kind     `json:"kind"`
	Buckets []string `json:"buckets"` // in order; the bucket's index is what is sealed
}

// Bucket returns the index of the bucket with that name, and whether there is one.
func (b Block) Bucket(name string) (int, bool) {
	i := slices.Index(b.Buckets, name)
	return max(i, 0), i >= 0
}

// Layout is what a submission holds: blocks in order. It is part of the charter
// as JSON; its digest enters every host's task configuration.
type Layout struct {
	Format    string  `json:"format"` // [LayoutFormat]
	Framework Ref     `json:"framework"`
	Blocks    []Block `json:"blocks"`
}

// NewLayout returns the layout of pack p, kind by kind so that runs of blocks of
// equal size merge in the sealed form: all levels, all verified levels, and so
// on, then the areas' kinds. It refuses with kind Invalid, and the numbers, a
// pack that exceeds [MaxLayoutBits] or [MaxLayoutBlocks], and one of which nothing
// is sealed because the coordinator answers it.
func NewLayout(p *Pack) (*Layout, error) {
	if p.AnsweredBy == ByCoordinator {
		return nil, errs.New(errs.Invalid, "pack "+p.ID+" is answered once, by the coordinator, so there is nothing to seal or to add up",
			"take a pack that members answer")
	}
	l := &Layout{Format: LayoutFormat, Framework: p.Ref()}
	for _, kind := range OutcomeKinds() {
		for _, o := range p.Outcomes() {
			l.add(o.ID, kind)
		}
	}
	for _, kind := range AreaKinds() {
		for i := range p.Areas {
			l.add(p.Areas[i].ID, kind)
		}
	}
	if err := l.Check(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Layout) add(subject string, kind Kind) {
	l.Blocks = append(l.Blocks, Block{Name: blockName(subject, kind), Subject: subject, Kind: kind, Buckets: kind.Buckets()})
}

func blockName(subject string, kind Kind) string { return subject + "/" + string(kind) }

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Check refuses, with kind Invalid, a layout that this version cannot seal: of
// another format, over the limits, with a repeated name, with a block whose name
// is not its subject and kind, of an unknown kind, or whose buckets are not those
// of its kind. What [NewLayout] returned passes; what came out of a file has to.
func (l *Layout) Check() error {
	switch {
	case l.Format != LayoutFormat:
		return errs.New(errs.Invalid, "layout format "+errs.Quote(l.Format)+" is unknown", "allowed: "+LayoutFormat)
	case !hexDigest.MatchString(l.Framework.Digest):
		return errs.New(errs.Invalid, "the layout's framework digest is not 64 lower-case hexadecimal digits", "")
	case len(l.Blocks) == 0:
		return errs.New(errs.Invalid, "the layout has no blocks", "")
	case len(l.Blocks) > MaxLayoutBlocks:
		return errs.New(errs.Invalid, fmt.Sprintf("the layout has %d blocks; at most %d can be sealed", len(l.Blocks), MaxLayoutBlocks),
			"split the pack in two")
	}
	seen := make(map[string]bool, len(l.Blocks))
	for _, b := range l.Blocks {
		switch {
		case b.Name != blockName(b.Subject, b.Kind):
			return errs.New(errs.Invalid, "block "+errs.Quote(b.Name)+" is not named after its subject and kind", "")
		case seen[b.Name]:
			return errs.New(errs.Invalid, "block "+errs.Quote(b.Name)+" appears twice", "")
		case b.Kind.Buckets() == nil:
			return errs.New(errs.Invalid, "block "+errs.Quote(b.Name)+" is of a kind that this version does not know", "upgrade muster")
		case !slices.Equal(b.Buckets, b.Kind.Buckets()):
			return errs.New(errs.Invalid, "the buckets of block "+errs.Quote(b.Name)+" are not those of its kind", "")
		}
		seen[b.Name] = true
	}
	if bits := l.Bits(); bits > MaxLayoutBits {
		return errs.New(errs.Invalid, fmt.Sprintf("the layout has %d buckets; at most %d can be sealed", bits, MaxLayoutBits),
			"split the pack in two")
	}
	return nil
}

// Sizes returns the number of buckets of each block, in order.
func (l *Layout) Sizes() []uint16 {
	sizes := make([]uint16, len(l.Blocks))
	for i, b := range l.Blocks {
		sizes[i] = uint16(len(b.Buckets))
	}
	return sizes
}

// Bits returns the number of buckets of all blocks: the length of the sealed vector.
func (l *Layout) Bits() int { return l.Offset(len(l.Blocks)) }

// Offset returns the number of buckets before block i, 0 <= i <= len(l.Blocks).
func (l *Layout) Offset(i int) int {
	bits := 0
	for _, b := range l.Blocks[:i] {
		bits += len(b.Buckets)
	}
	return bits
}

// WrongSum returns the first block whose cells do not sum to count, and whether
// there is one. cells holds a number for each bucket in order, [Layout.Bits] of
// them. Every submission has exactly one bucket set in each block, so totals with
// a wrong sum are of no batch. A sum that exceeds 64 bits is wrong.
func (l *Layout) WrongSum(cells []uint64, count uint64) (Block, bool) {
	for _, b := range l.Blocks {
		rest := count
		for _, n := range cells[:len(b.Buckets)] {
			if n > rest {
				return b, true
			}
			rest -= n
		}
		if rest != 0 {
			return b, true
		}
		cells = cells[len(b.Buckets):]
	}
	return Block{}, false
}

// Index returns the index of the block of that subject and kind, and whether
// there is one.
func (l *Layout) Index(subject string, kind Kind) (int, bool) {
	i := slices.IndexFunc(l.Blocks, func(b Block) bool { return b.Subject == subject && b.Kind == kind })
	return max(i, 0), i >= 0
}

// Canonical returns the layout as RFC 8785 JSON: the framework with its digest,
// and of every block the name, subject, kind and buckets in order.
func (l *Layout) Canonical() ([]byte, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("marshal layout: %w", err)
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		return nil, fmt.Errorf("canonical layout: %w", err)
	}
	return canonical, nil
}

// Digest returns SHA-256 over [Layout.Canonical]: the task_info of the cycle's
// DAP task.
func (l *Layout) Digest() [32]byte {
	canonical, err := l.Canonical()
	if err != nil {
		panic(err) // strings and lists of strings always have a canonical form
	}
	return sha256.Sum256(canonical)
}
