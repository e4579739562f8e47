package fault_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRequestsTwice sends every request to a host several times, and after each
// phase all that it ever got once more, in another order: uploads after the
// freeze, old rosters after the amendment, jobs after the collection.
func TestRequestsTwice(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	seeds := uint64(1)
	if long() {
		seeds = 8
	}
	for seed := range seeds {
		for _, host := range hostNames() {
			cases.run(t, fmt.Sprintf("%s, order %d", host, seed), func(t *testing.T) {
				w := l.newWorld(t, onSQLite)
				random := rand.New(rand.NewPCG(seed, 7))
				r := w.turn(host)
				r.times = 2 + int(seed%2)
				again := func() {
					n, err := r.replay(random)
					check(t, err)
					if n < 12 {
						t.Errorf("%d requests are known", n)
					}
				}
				w.open()
				w.deliver()
				again()
				w.before["amend"] = again
				w.before["collect"] = again
				w.before["release"] = again
				w.finish()
				again()
				w.verify()
			})
		}
	}
}
