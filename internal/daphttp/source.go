package daphttp

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"muster/dap"
)

// maxSources bounds how many source addresses are remembered, some 1.5 MB.
const maxSources = 1 << 14

// sources counts what each source address uploads: a bucket that holds what an
// hour allows, and fills up again within an hour. An address of IPv6 counts with
// its whole network of 64 bits, which is what one machine has.
//
// It keeps one stranger from filling a host at once. Whoever has many addresses
// is not held back by it.
type sources struct {
	perHour int

	mu    sync.Mutex                 // guards what is below
	full  map[netip.Prefix]time.Time // when an address's bucket is full again
	swept time.Time
}

func newSources(perHour int) *sources {
	return &sources{perHour: perHour, full: make(map[netip.Prefix]time.Time)}
}

// take takes n uploads from an address, or says after what time there will be as
// many. n is at most what an hour allows.
func (s *sources) take(from netip.Prefix, n int, now time.Time) (wait time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full, known := s.full[from]
	if full.Before(now) {
		full = now
	}
	if latest := now.Add(time.Hour); full.After(latest) { // the clock went back
		full = latest
	}
	full = full.Add(time.Duration(n) * (time.Hour / time.Duration(s.perHour)))
	if wait := full.Sub(now) - time.Hour; wait > 0 {
		return wait, false
	}
	if !known && len(s.full) >= maxSources {
		s.forget(now)
	}
	s.full[from] = full
	return 0, true
}

// forget makes room: the addresses whose buckets are full again are as if they
// had never been seen. Where these are none, any is forgotten.
func (s *sources) forget(now time.Time) {
	if now.Sub(s.swept) > time.Second { // it looks at all of them
		s.swept = now
		for from, full := range s.full {
			if !full.After(now) {
				delete(s.full, from)
			}
		}
	}
	for from := range s.full {
		if len(s.full) < maxSources {
			return
		}
		delete(s.full, from)
	}
}

// sourceOf returns the network that a request comes from.
func sourceOf(r *http.Request) (netip.Prefix, error) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("the address of a connection: %w", err)
	}
	addr := at.Addr().Unmap().WithZone("")
	if addr.Is4() {
		return addr.Prefix(32)
	}
	return addr.Prefix(64)
}

// admitUpload counts what a request uploads against its source address. What
// cannot be read counts as one, and is refused where it is read.
func (s *surface[H]) admitUpload(rec *recorder, r *http.Request, body []byte) error {
	from, err := sourceOf(r)
	if err != nil {
		return err
	}
	n := 1
	var req dap.UploadRequest
	if err := req.UnmarshalBinary(body); err == nil {
		n = len(req.Reports)
	}
	if wait, ok := s.sources.take(from, n, s.Now()); !ok {
		rec.limited = true
		return &refusal{
			status: http.StatusTooManyRequests, retry: wait,
			detail: fmt.Sprintf("this address has uploaded as many submissions as it may: %d, and as many again within an hour", s.sources.perHour),
		}
	}
	return nil
}
