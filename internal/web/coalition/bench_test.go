package coalition_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"
)

// longestPage is what a page may take in the 95th of 100 requests, with ten
// cycles of every pack.
const longestPage = 50 * time.Millisecond

// draw serves every page of the world n times and returns how long each took.
func draw(b testing.TB, w *world, n int) map[string][]time.Duration {
	took := make(map[string][]time.Duration)
	for _, p := range w.Paths("fr") {
		for range n {
			r := httptest.NewRequest(http.MethodGet, p.Path, nil)
			rec := httptest.NewRecorder()
			start := time.Now()
			w.handler.ServeHTTP(rec, r)
			took[p.Name] = append(took[p.Name], time.Since(start))
		}
	}
	for name := range took {
		slices.Sort(took[name])
	}
	return took
}

// BenchmarkPages draws pages of ten cycles, in French, and reports the 95th of
// 100 requests of the slowest beside what it may take. On two shared cores with
// seven processes at work: 41 ms for the 36 outcomes of a pack, 30 for the year,
// 4 for an outcome.
func BenchmarkPages(b *testing.B) {
	w := open(b, "ten-cycles")
	var slowest time.Duration
	for b.Loop() {
		for name, took := range draw(b, w, 100) {
			p95 := took[len(took)*95/100]
			slowest = max(slowest, p95)
			b.ReportMetric(float64(p95.Microseconds())/1000, unit(name)+"-p95-ms")
		}
	}
	b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-p95-ms")
	b.ReportMetric(float64(longestPage.Microseconds())/1000, "limit-ms")
}

func unit(name string) string {
	bytes := []byte(name)
	for i, c := range bytes {
		if c == ' ' || c == ',' {
			bytes[i] = '-'
		}
	}
	return string(bytes)
}

// A page takes less than a reader notices. Where much other work runs beside, even
// the fastest of the requests takes several times what it costs, so the limit binds
// in the long run, on a machine that is quiet; else ten times as much fails.
func TestPagesAreFast(t *testing.T) {
	long := os.Getenv("MUSTER_LONG") == "1"
	w := open(t, "ten-cycles")
	for name, took := range draw(t, w, 20) {
		what, d, limit := "the fastest request", took[0], 10*longestPage
		if long {
			what, d, limit = "the 95th of 100 requests", took[len(took)*95/100], longestPage
		}
		if d > limit {
			t.Errorf("%s: %s took %v, want at most %v", name, what, d, limit)
		}
	}
}
