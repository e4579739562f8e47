package fault_test

import (
	"fmt"
	"testing"
)

// TestNetwork cuts, truncates, holds and silences what is on its way to a host
// and back, after so many bytes. What the processes do about it is their own
// business: nothing is killed.
func TestNetwork(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	l.newWorld(t, onSQLite).cycle()
	total := make(map[string]int)
	for _, host := range hostNames() {
		total[host], _ = l.proxies[host].passed()
		t.Logf("%d bytes pass between %s and others", total[host], host)
	}
	parts := 2
	if long() {
		parts = 40
	}
	for _, host := range hostNames() {
		for k, kind := range []string{cut, truncate, hold, silence} {
			for part := range parts {
				// Each kind somewhere else.
				after := total[host] * (4*part + k + 1) / (4*parts + 1)
				if !long() && part != k%parts {
					continue
				}
				cases.run(t, fmt.Sprintf("%s at %s after %d bytes", kind, host, after), func(t *testing.T) {
					w := l.newWorld(t, onSQLite)
					l.proxies[host].expect(trouble{after: after, kind: kind})
					w.cycle()
					if passed, happened := l.proxies[host].passed(); !happened {
						t.Errorf("%d bytes passed, and nothing happened", passed)
					}
				})
			}
		}
	}
}
