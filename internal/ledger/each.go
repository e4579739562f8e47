package ledger

import (
	"sync"
	"sync/atomic"
)

// Each calls fn for every number below n, by so many workers at a time and by one at
// least, and returns its errors by number: which of them a reader is told does not depend
// on who was first.
func Each(workers, n int, fn func(int) error) []error {
	wrong := make([]error, n)
	var wait sync.WaitGroup
	var next atomic.Int64
	for range min(max(workers, 1), n) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				wrong[i] = fn(i)
			}
		})
	}
	wait.Wait()
	return wrong
}
