package disclosure

import (
	"fmt"
	"slices"

	"muster/internal/errs"
	"muster/internal/framework"
)

// Check refuses, with a [*Refusal], what is below a threshold, and with kind
// Invalid numbers that no cohort has and thresholds lower than those that every
// coalition has.
func Check(p Participation, t Thresholds) error {
	if err := p.check(); err != nil {
		return err
	}
	if err := t.check(p); err != nil {
		return err
	}
	return refuse(p, t)
}

// Accept returns a block that was read from a file as the block of that subject
// and kind. It refuses, with kind Invalid, what no rule with that least band
// makes of n submissions: the bands are the whole chain of the kind, in order;
// each holds nobody or at least as many members as the rule wants; together
// they count everybody. The message begins with a verb, for a sentence about the
// block.
func Accept(b BandedBlock, subject string, kind framework.Kind, n, least int) (BandedBlock, error) {
	invalid := func(format string, args ...any) (BandedBlock, error) {
		return BandedBlock{}, errs.New(errs.Invalid, fmt.Sprintf(format, args...), "")
	}
	if b.subject != "" && (b.subject != subject || b.kind != kind) {
		return invalid("is the block %s", errs.Quote(b.Name()))
	}
	rest := Chain(kind)
	left := uint64(n)
	for _, band := range b.bands {
		if units := len(band.Units); units == 0 || units > len(rest) || !slices.Equal(band.Units, rest[:units]) {
			return invalid("has bands that are not its units in order")
		}
		rest = rest[len(band.Units):]
		if band.Count > 0 && band.Count < uint64(least) {
			return invalid("has a band of %d", band.Count)
		}
		if band.Count > left {
			return invalid("has counts that do not sum to the %d submissions", n)
		}
		left -= band.Count
	}
	if len(rest) != 0 {
		return invalid("has bands that are not its units in order")
	}
	if left != 0 {
		return invalid("has counts that do not sum to the %d submissions", n)
	}
	b.subject, b.kind = subject, kind
	return b, nil
}
