package aggregate_test

import (
	"context"
	"os"
	"runtime"
	"testing"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
)

// TestMemoryIsFlat: what a host holds in memory while it works does not grow
// from job to job, beyond the roster that it holds anyway.
func TestMemoryIsFlat(t *testing.T) { // not parallel: the heap is the process's
	sizes := []int{4 * dap.MaxJobReports, 16 * dap.MaxJobReports}
	if os.Getenv("MUSTER_LONG") == "1" {
		sizes = []int{10_000, 200_000}
	}
	var grown []float64
	for _, n := range sizes {
		w := newWorld(t, n)
		fill(t, w.World, n, 0, aggregatetest.Blocks(), w.Databases)
		must(t, w.StartUp())
		w.Now.Store(deadline)
		_, err := w.Leader.Freeze(t.Context())
		must(t, err)
		watch := &watched{Peer: w.Helper, every: max(1, n/dap.MaxJobReports/16)}
		w.Peer = watch
		must(t, w.Leader.Aggregate(t.Context()))
		grown = append(grown, float64(watch.most-watch.first)/(1<<20))
		t.Logf("%d reports: %.1f MB are held in the first job, at most %.1f MB more later", n, float64(watch.first)/(1<<20), grown[len(grown)-1])
		w.Stop()
	}
	if more := grown[1] - grown[0]; more > 8 {
		t.Errorf("with %d times as many reports the jobs hold %.1f MB more", sizes[1]/sizes[0], more)
	}
}

// watched looks at the heap in the middle of jobs.
type watched struct {
	aggregate.Peer
	every, calls int
	first, most  uint64 // bytes that are in use
}

func (p *watched) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	response, err := p.Peer.AggregationJob(ctx, task, body)
	if p.calls++; p.calls%p.every == 1%p.every {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if p.first == 0 {
			p.first = m.HeapAlloc
		}
		p.most = max(p.most, m.HeapAlloc)
	}
	return response, err
}
