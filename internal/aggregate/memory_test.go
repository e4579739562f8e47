package aggregate_test

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
)

// What a batch may take more in memory, while it is added up, than one that is a
// twentieth of it (a third where the test does less), in MB. The reports of the
// larger one are several hundred.
const (
	moreHeap     = 8
	moreResident = 64
)

// headroom is how much the collector may leave beyond what is held before, in
// bytes.
const headroom = 64 << 20

// TestMemoryIsFlat: what hosts hold in memory while they add up does not grow
// with the batch, beyond the roster, which they hold before. Both hosts are this
// process, and so is SQLite. MUSTER_LONG=1 takes 10,000 reports and 200,000.
func TestMemoryIsFlat(t *testing.T) { // not parallel: the memory is the process's
	// The smaller batch has jobs enough to fill every place that a job can wait in.
	sizes, tries := []int{8 * dap.MaxJobReports, 24 * dap.MaxJobReports}, 3
	if os.Getenv("MUSTER_LONG") == "1" {
		sizes, tries = []int{10_000, 200_000}, 1
	}
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			var few, many held
			// What the collector has not come to yet counts as held, and is not: what
			// grows with the batch is there every time.
			for try := 0; try < tries && (try == 0 || many.heap-few.heap > moreHeap || many.resident-few.resident > moreResident); try++ {
				few = addUpWatched(t, engine, sizes[0])
				many = addUpWatched(t, engine, sizes[1])
			}
			if more := many.heap - few.heap; more > moreHeap {
				t.Errorf("in the middle of jobs the heap grows by %.1f MB more with %d reports than with %d", more, sizes[1], sizes[0])
			}
			if more := many.resident - few.resident; more > moreResident {
				t.Errorf("the process takes %.1f MB more with %d reports than with %d", more, sizes[1], sizes[0])
			}
		})
	}
}

// held is what adding up takes in memory beyond what was held before, in MB.
type held struct {
	heap     float64 // in use in the middle of jobs, at most
	resident float64 // of the process, at most; zero where it is not known
}

func addUpWatched(t *testing.T, engine string, n int) held {
	t.Helper()
	w := newWorld(t, n)
	if engine == "PostgreSQL" {
		w.OnPostgres()
	}
	fill(t, w.World, n, 0, aggregatetest.Blocks(), w.Databases)
	must(t, w.StartUp())
	defer w.Stop()
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	jobs := &watched{Peer: w.Helper, every: max(1, n/dap.MaxJobReports/16)}
	w.Peer = jobs
	debug.FreeOSMemory()
	before, heap := residentMemory(), heapInUse()
	// Without a limit the collector lets garbage grow as large as what is held,
	// which grows with the roster. Within it shows what is needed.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(goMemory() + headroom))
	peak := watchResident(func() { must(t, w.Leader.Aggregate(t.Context())) })
	count, _, err := w.Collected()
	must(t, err)
	if count != uint64(n) {
		t.Errorf("%d of %d reports were counted", count, n)
	}
	h := held{heap: float64(jobs.most-heap) / (1 << 20), resident: float64(peak-before) / (1 << 20)}
	t.Logf("%d reports: the heap is %d MB before and at most %.1f MB more in the middle of jobs; the process %d MB and %.1f MB more",
		n, heap>>20, h.heap, before>>20, h.resident)
	return h
}

// watchResident calls work and returns the most that the process had in memory.
func watchResident(work func()) (most int64) {
	done, seen := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		for {
			most = max(most, residentMemory())
			select {
			case <-done:
				seen <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	defer func() {
		close(done)
		most = <-seen
	}()
	work()
	return 0
}

// heapInUse returns the bytes of the heap that are in use.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// goMemory returns the bytes that the runtime has of the system, as its limit
// counts them.
func goMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

// watched looks at the heap in the middle of every so many jobs.
type watched struct {
	aggregate.Peer
	every int

	mu    sync.Mutex
	calls int
	most  int64
}

func (p *watched) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	response, err := p.Peer.AggregationJob(ctx, task, body)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls++; p.calls%p.every == 0 {
		p.most = max(p.most, heapInUse())
	}
	return response, err
}
