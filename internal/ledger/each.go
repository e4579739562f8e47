package ledger

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// each calls fn for every number below n, on all processors, and returns its errors by
// number: which of them a reader is told does not depend on who was first.
func each(n int, fn func(int) error) []error {
	wrong := make([]error, n)
	var wait sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				wrong[i] = fn(i)
			}
		})
	}
	wait.Wait()
	return wrong
}
