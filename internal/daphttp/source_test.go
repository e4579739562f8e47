package daphttp_test

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/daphttp"
)

// TestUploadsOfOneAddress: an address that has uploaded what an hour allows is
// put off until there is room again; others are not, and nothing of it is kept.
func TestUploadsOfOneAddress(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(1_790_000_000)
	var seen []daphttp.Observation
	var mu sync.Mutex
	n := newNetwork(t, setup{
		members: 3,
		front: func(_ string, h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = r.Header.Get("Test-From")
				h.ServeHTTP(w, r)
			})
		},
		surface: func(c *daphttp.Config) {
			c.UploadsPerHour, c.Now = 100, func() time.Time { return time.Unix(clock.Load(), 0) }
			c.Observe = func(o daphttp.Observation) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, o)
			}
		},
	})
	report := n.Seal(aggregatetest.Member(0), 1, aggregatetest.Answers(0)).Report
	next := uint32(0)
	upload := func(from string, reports int) response {
		t.Helper()
		var req dap.UploadRequest
		for range reports {
			next++
			r := report
			binary.BigEndian.PutUint32(r.ReportMetadata.ReportID[:], next)
			req.Reports = append(req.Reports, r)
		}
		body, err := dap.Encode(dap.Variant18, req)
		must(t, err)
		got, err := n.raw(exchange{method: "POST", url: string(n.leaderURL) + "/tasks/" + n.Task().ID.String() + "/reports", header: http.Header{"Content-Type": {string(dap.MediaUploadRequest)}, "Test-From": {from}}, body: bytes.NewReader(body)})
		must(t, err)
		return got
	}
	wants := func(name, from string, reports, status int, after string) {
		t.Helper()
		got := upload(from, reports)
		if got.status != status || got.header.Get("Retry-After") != after {
			t.Errorf("%s: %d, Retry-After %q; want %d, %q\n%s", name, got.status, got.header.Get("Retry-After"), status, after, got.body)
		}
	}
	stored := func() (count int) {
		t.Helper()
		must(t, n.Leader.Store.InTx(t.Context(), "count", func(tx aggregate.Tx) (err error) {
			count, err = tx.ReportCount(n.Task().ID)
			return err
		}))
		return count
	}
	wants("the first", "198.51.100.7:1", 60, 200, "")
	wants("more than is left", "198.51.100.7:2", 41, 429, "36")
	wants("what is left", "198.51.100.7:3", 40, 200, "")
	wants("one too many", "[::ffff:198.51.100.7]:4", 1, 429, "36")
	wants("another address", "198.51.100.8:1", 100, 200, "")
	wants("a network of IPv6", "[2001:db8:1:2::1]:1", 99, 200, "")
	wants("the same network", "[2001:db8:1:2:ffff::9]:1", 2, 429, "36")
	wants("another network", "[2001:db8:1:3::1]:1", 1, 200, "")
	if got := stored(); got != 60+40+100+99+1 {
		t.Errorf("%d uploads are stored", got)
	}
	clock.Add(36)
	wants("after the pause", "198.51.100.7:5", 1, 200, "")
	wants("no longer", "198.51.100.7:5", 1, 429, "36")
	clock.Add(-3600)
	wants("a clock that went back", "198.51.100.7:5", 1, 429, "36")
	clock.Add(2 * 3600)
	wants("after an hour", "198.51.100.7:5", 100, 200, "") // and no more than that
	wants("and no more", "198.51.100.7:5", 100, 429, "3600")

	// Whoever sends what cannot be read is held back as well.
	for i := range 101 {
		got, err := n.raw(exchange{method: "POST", url: string(n.leaderURL) + "/tasks/" + n.Task().ID.String() + "/reports", header: http.Header{"Content-Type": {string(dap.MediaUploadRequest)}, "Test-From": {"192.0.2.1:1"}}, body: bytes.NewReader([]byte("x"))})
		must(t, err)
		if want := map[bool]int{true: 400, false: 429}[i < 100]; got.status != want {
			t.Fatalf("garbage %d: %d, want %d", i, got.status, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	limited := slices.DeleteFunc(slices.Clone(seen), func(o daphttp.Observation) bool { return !o.Limited })
	if len(limited) != 7 || limited[0].Status != 429 || limited[0].Method != "POST" || limited[0].Route != "POST /tasks/{task}/reports" || limited[0].In == 0 || limited[0].Out == 0 {
		t.Errorf("%d of %d observed as limited: %+v", len(limited), len(seen), limited)
	}
}

// However many addresses come, no more are remembered than there is room for, and
// none gets more than its own hour allows as long as it is remembered.
func TestSourcesAreBounded(t *testing.T) {
	t.Parallel()
	s := daphttp.NewSources(100)
	now := time.Unix(1_790_000_000, 0)
	at := func(i uint32) netip.Prefix {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], i)
		return netip.PrefixFrom(netip.AddrFrom4(b), 32)
	}
	for i := range uint32(3 * daphttp.MaxSources) {
		if _, ok := s.Take(at(i), 1, now); !ok {
			t.Fatalf("address %d is put off", i)
		}
		if s.Len() > daphttp.MaxSources {
			t.Fatalf("%d addresses are remembered", s.Len())
		}
	}
	// Those that are full again make room for those that are not.
	late := now.Add(time.Hour)
	s.Take(at(1<<30), 100, late)
	if s.Len() != 1 {
		t.Errorf("%d addresses are remembered, want the last one", s.Len())
	}
	if _, ok := s.Take(at(1<<30), 1, late); ok {
		t.Error("an address was forgotten that has nothing left")
	}
}

// In any hour an address gets at most what is in a full bucket and what flows in
// within that hour.
func TestSourcesProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := daphttp.NewSources(100)
		from := netip.MustParsePrefix("192.0.2.1/32")
		start := time.Unix(1_790_000_000, 0)
		now, took := start, 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
			n := rapid.IntRange(1, 100).Draw(t, "uploads")
			wait, ok := s.Take(from, n, now)
			if ok {
				took += n
			} else if again, ok := s.Take(from, n, now.Add(wait)); !ok {
				t.Fatalf("put off for %v, and then again for %v", wait, again)
			} else {
				now, took = now.Add(wait), took+n
			}
		}
		if allowed := 100 + now.Sub(start).Hours()*100; float64(took) > allowed+1e-6 {
			t.Fatalf("%d in %v, allowed %f", took, now.Sub(start), allowed)
		}
	})
}
