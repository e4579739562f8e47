//go:build unix

package main

import (
	"bytes"
	"os/exec"
	"testing"
	"time"
)

// rehearse32 runs the demonstration of 32 members over HTTPS, with two hosts as
// processes, from the program's start to the release. It returns how long that
// took, and how much of it both processors worked.
func rehearse32(t testing.TB) (wall, worked time.Duration) {
	t.Helper()
	cmd := exec.Command("muster", "demo", "--one-cycle", "--members", "32", "--json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if !bytes.Contains(stdout.Bytes(), []byte(`"submissions":30`)) {
		t.Fatalf("no release: %s", &stdout)
	}
	// Of the hosts, too: their parent has waited for them.
	return time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// TestRehearsalOf32InTime holds the budget: a rehearsal of 32 members over HTTPS
// takes less than 2 seconds. A machine that others keep busy may take longer; the
// work itself may not.
func TestRehearsalOf32InTime(t *testing.T) {
	const budget = 2 * time.Second
	var least, leastWorked time.Duration
	for try := range 5 {
		wall, worked := rehearse32(t)
		if try == 0 || wall < least {
			least = wall
		}
		if try == 0 || worked < leastWorked {
			leastWorked = worked
		}
		if least < budget {
			break
		}
	}
	t.Logf("32 members over HTTPS, from start to release: %v, of it %v of processor time", least.Round(time.Millisecond), leastWorked.Round(time.Millisecond))
	if least >= budget && leastWorked >= budget {
		t.Errorf("a rehearsal of 32 members took %v and %v of processor time; the budget is %v", least, leastWorked, budget)
	}
}

// BenchmarkRehearsal32 is the same as a benchmark, beside the one in one process
// in package rehearse.
func BenchmarkRehearsal32(b *testing.B) {
	for b.Loop() {
		rehearse32(b)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/rehearsal")
}
