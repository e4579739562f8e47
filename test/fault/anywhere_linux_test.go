package fault_test

import (
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// TestKilledAnywhere kills hosts where no plan says: so long after a step has
// begun, and, where there is time and strace, at the n-th write and at the n-th
// wait for the disk of one of its threads.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	delays := []time.Duration{7 * time.Millisecond}
	if long() {
		delays = nil
		for d := time.Duration(0); d < 120*time.Millisecond; d += 9 * time.Millisecond {
			delays = append(delays, d)
		}
	}
	for i, step := range []string{"upload", "freeze", "amend", "collect"} {
		for _, host := range hostNames() {
			if !long() && (i%2 == 0) == (host == leaderHost) {
				continue
			}
			for _, delay := range delays {
				cases.run(t, fmt.Sprintf("%s, %v into %s", host, delay, step), func(t *testing.T) {
					w := l.newWorld(t, onSQLite)
					done := make(chan struct{})
					w.before[step] = func() {
						time.AfterFunc(delay, func() {
							defer close(done)
							w.hosts[host].kill()
						})
					}
					w.cycle()
					<-done
				})
			}
		}
	}
	if !long() {
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed here (Debian: apt-get install strace)")
	}
	if out, err := exec.Command(strace, "-D", "-f", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("this machine lets nobody trace: %v %s", err, out)
	}
	for _, host := range hostNames() {
		for _, call := range []string{"pwrite64", "fdatasync,fsync", "ftruncate"} {
			for n := 1; n <= 28; n += 3 {
				if call == "ftruncate" && n > 4 {
					continue
				}
				cases.run(t, fmt.Sprintf("%s, %s %d of a thread", host, call, n), func(t *testing.T) {
					w := l.newWorld(t, onSQLite)
					w.under[host] = []string{strace, "-D", "-f", "-q", "-o", "/dev/null", "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n)}
					w.cycle()
					t.Logf("it died %d times", w.hosts[host].deaths)
				})
			}
		}
		// A disk without room, as the system says it: some writes fail, and later none.
		for n := 2; n <= 20; n += 6 {
			cases.run(t, fmt.Sprintf("%s, no space at write %d of a thread", host, n), func(t *testing.T) {
				w := l.newWorld(t, onSQLite)
				w.under[host] = []string{strace, "-D", "-f", "-q", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", fmt.Sprintf("inject=pwrite64:error=ENOSPC:when=%d..%d", n, n+2)}
				w.mayEnd = true // whoever finds no room at the start does not serve
				w.cycle()
			})
		}
	}
}
