package account

import (
	"fmt"
	"sync"
	"time"

	"muster/internal/errs"
)

// Limits bound what one source, or one person, may do. Each is a bucket: so many at
// once, and one more after every so long.
type Limits struct {
	Tries  int           // to enter: invitations that are looked at, ceremonies
	Refill time.Duration // after which one more try is there

	Requests      int // of who has entered
	RequestRefill time.Duration
}

// DefaultLimits lets a whole office behind one address sign in of a morning, and a
// person save as fast as she types; it holds back who tries tokens.
func DefaultLimits() Limits {
	return Limits{Tries: 60, Refill: 2 * time.Second, Requests: 600, RequestRefill: 50 * time.Millisecond}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.Tries == 0 || l.Refill == 0 {
		l.Tries, l.Refill = d.Tries, d.Refill
	}
	if l.Requests == 0 || l.RequestRefill == 0 {
		l.Requests, l.RequestRefill = d.Requests, d.RequestRefill
	}
	return l
}

// TooMany says that somebody has to wait. It is the cause of an error of kind
// Unavailable.
type TooMany struct{ Wait time.Duration }

func (t *TooMany) Error() string { return fmt.Sprintf("too many requests; wait %s", t.Wait) }

// maxKeys bounds how many sources and people are remembered.
const maxKeys = 1 << 14

// limiter is a bucket for each key. Of a key only when its bucket is full again is
// remembered.
type limiter struct {
	most   int
	refill time.Duration

	mu   sync.Mutex
	full map[string]time.Time // guarded by mu
}

func newLimiter(most int, refill time.Duration) *limiter {
	return &limiter{most: most, refill: refill, full: make(map[string]time.Time)}
}

// take takes one from the bucket of a key, or says after what time there is one.
func (l *limiter) take(key string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	full, known := l.full[key]
	if full.Before(now) {
		full = now
	}
	span := time.Duration(l.most) * l.refill
	if latest := now.Add(span); full.After(latest) { // the clock went back
		full = latest
	}
	full = full.Add(l.refill)
	if wait := full.Sub(now) - span; wait > 0 {
		seconds := int(wait/time.Second) + 1
		return errs.Wrap(&TooMany{Wait: wait}, errs.Unavailable, "too many tries from here", fmt.Sprintf("wait %d seconds, and try again", seconds))
	}
	if !known && len(l.full) >= maxKeys {
		l.forget(now)
	}
	l.full[key] = full
	return nil
}

// forget makes room: buckets that are full again are as if they had never been used.
// Where these are none, any is forgotten.
func (l *limiter) forget(now time.Time) {
	for key, full := range l.full {
		if !full.After(now) {
			delete(l.full, key)
		}
	}
	for key := range l.full {
		if len(l.full) < maxKeys {
			return
		}
		delete(l.full, key)
	}
}

// try counts a try to enter against its source.
func (s *Service) try(source string) error { return s.tries.take("source "+source, s.now()) }

// tryAs counts a try to enter as a person, wherever it comes from.
func (s *Service) tryAs(id PersonID) error { return s.tries.take("person "+string(id), s.now()) }

// Allow counts a request of a person who has entered. Its error has a [TooMany] as
// cause.
func (s *Service) Allow(id PersonID) error { return s.requests.take(string(id), s.now()) }
