package fault_test

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// long reports whether all cases are wanted, and not a sample.
func long() bool { return os.Getenv("MUSTER_LONG") == "1" }

// limit is how many cases of a kind there are at most; a run of some of them by
// name finds no end by itself.
func limit(sample []int) int {
	if long() {
		return 200
	}
	return len(sample)
}

// tally counts the cases of a test and prints how many there were.
type tally struct{ n atomic.Int32 }

func newTally(t *testing.T) *tally {
	c := new(tally)
	t.Cleanup(func() {
		if c.n.Load() == 0 {
			t.Error("no case was run")
		}
		fmt.Printf("%s: %d cases\n", t.Name(), c.n.Load())
	})
	return c
}

// run runs one case.
func (c *tally) run(t *testing.T, name string, fn func(t *testing.T)) {
	t.Helper()
	c.n.Add(1)
	t.Run(name, fn)
}

// TestUndisturbed is the cycle in which nothing happens, on both engines: the
// release is what it has to be, and the same.
func TestUndisturbed(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	for _, engine := range []string{onSQLite, onPostgres} {
		cases.run(t, engine, func(t *testing.T) { l.newWorld(t, engine).cycle() })
	}
}

// TestKilled kills each process that has a database before, after and within its
// transactions. A sample takes a few of them, MUSTER_LONG=1 every single one.
func TestKilled(t *testing.T) {
	t.Parallel()
	cases := newTally(t)
	sample := map[string]map[string][]int{
		leaderHost: {beforeCommit: {2, 31}, afterCommit: {1, 20}, withinWrite: {10}},
		helperHost: {beforeCommit: {19}, afterCommit: {12}, withinWrite: {30}},
		"freeze":   {beforeCommit: {4, 8}, afterCommit: {3, 6}, withinWrite: {9}},
		"amend":    {beforeCommit: {5}, afterCommit: {2}},
	}
	for process, points := range sample {
		t.Run(process, func(t *testing.T) {
			t.Parallel()
			l := newLane(t)
			steps := make(map[string]bool)
			for _, point := range []string{beforeCommit, afterCommit, withinWrite} {
				list := points[point]
				for i, more := 0, true; more && i < limit(list); i++ {
					n := i + 1
					if !long() {
						n = list[i]
					}
					cases.run(t, fmt.Sprintf("%s %d", point, n), func(t *testing.T) {
						w := l.newWorld(t, onSQLite)
						w.death[process] = fmt.Sprintf("%s %d", point, n)
						w.cycle()
						at := w.died()
						steps[point+" of "+at] = true
						more = at != ""
						if !more && (i == 0 || !long()) {
							t.Errorf("%s has not %d such points", process, n)
						}
						t.Log(at)
					})
				}
			}
			t.Log(steps)
			if long() && process != "amend" && len(steps) < 6 {
				t.Errorf("it died at %v only", steps)
			}
		})
	}
}

// TestKilledOnPostgres kills the hosts around their commits, where the server
// has not heard of the commit, or has done it and the host does not know.
func TestKilledOnPostgres(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	sample := map[string]map[string][]int{
		leaderHost: {beforeCommit: {12}, afterCommit: {36}},
		helperHost: {beforeCommit: {24}, afterCommit: {22}},
	}
	for _, name := range hostNames() {
		for _, point := range []string{beforeCommit, afterCommit} {
			list := sample[name][point]
			for i, more := 0, true; more && i < limit(list); i++ {
				n := i + 1
				if !long() {
					n = list[i]
				}
				cases.run(t, fmt.Sprintf("%s %s %d", name, point, n), func(t *testing.T) {
					w := l.newWorld(t, onPostgres)
					proxy, dsn := newPGProxy(t)
					w.dsn[name] = dsn
					check(t, os.WriteFile(w.at(name, "dsn"), []byte(dsn), 0o600))
					proxy.expect(point, n, func() { w.kill(name) })
					w.cycle()
					more = proxy.died()
					if !more && (i == 0 || !long()) {
						t.Errorf("%s has not %d commits", name, n)
					}
				})
			}
		}
	}
}

// TestKilledInTransit kills processes while they wait for each other: at so many
// bytes between them.
func TestKilledInTransit(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	// Of each command the number of bytes at a host after which it is killed.
	sample := map[string][]int{"upload": {6_000}, "freeze": {20_000}, "amend": {9_000}, "collect": {6_000}}
	for process, list := range sample {
		if long() {
			list = nil
			for n := 500; n < 40_000; n += 1_500 {
				list = append(list, n)
			}
		}
		for _, host := range hostNames() {
			if host == leaderHost && (process == "freeze" || process == "amend") {
				continue // they do not speak to the Leader
			}
			var kills atomic.Int32 // of all cases: a command need not come to the last number of bytes
			for _, n := range list {
				cases.run(t, strings.Join([]string{process, "after", fmt.Sprint(n), "bytes at", host}, " "), func(t *testing.T) {
					w := l.newWorld(t, onSQLite)
					w.inHere[process] = false
					w.before[process] = func() {
						w.proxies[host].expect(trouble{after: n, kind: cut, how: func() {
							if p := w.running.Load(); p != nil {
								if p.Kill() == nil {
									kills.Add(1)
								}
							}
						}})
					}
					w.cycle()
				})
			}
			if kills.Load() == 0 {
				t.Errorf("%s was not killed in any case at %s", process, host)
			}
		}
	}
}
