package daphttp

import (
	"net/netip"
	"time"
)

// MaxSources is how many source addresses are remembered.
const MaxSources = maxSources

// Sources is what counts uploads by source address.
type Sources struct{ inner *sources }

// NewSources returns a counter of so many uploads an hour.
func NewSources(perHour int) Sources { return Sources{newSources(perHour)} }

// Take takes n uploads from an address.
func (s Sources) Take(from netip.Prefix, n int, now time.Time) (time.Duration, bool) {
	return s.inner.take(from, n, now)
}

// Len is how many addresses are remembered.
func (s Sources) Len() int { return len(s.inner.full) }
