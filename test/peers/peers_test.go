//go:build peers && unix

package peers_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"muster/internal/cascade"
)

// seconds is for how much processor time a peer runs.
const seconds = "5"

// graph is what a peer reads.
type graph struct {
	Hits    []float64 `json:"hits"`
	Weights []uint32  `json:"weights"`
	Edges   [][3]any  `json:"edges"`
}

// said is what it says.
type said struct {
	Absent  string  `json:"absent"`
	Version string  `json:"version"`
	Trials  float64 `json:"trials"`
	Seconds float64 `json:"seconds"`
	Mean    float64 `json:"mean"`
	Error   float64 `json:"error"` // standard
}

// TestPeers: others lose what we lose, and how long each of us takes.
func TestPeers(t *testing.T) {
	b := cascade.Benchmarks()[0]
	c, err := b.Case()
	if err != nil {
		t.Fatal(err)
	}
	own, rate := ours(t, c, b)
	t.Logf("%s: %d services, %d dependencies; lost %.4f ± %.4f", b.Name, b.Services, c.Graph.Dependencies(), own.Mean, own.Error)
	t.Logf("muster, static engine, one thread: %.0f trials a processor second", rate)
	input := written(t, c)
	for _, name := range []string{"networkx", "igraph", "graph-tool"} {
		t.Run(name, func(t *testing.T) {
			p := peer(t, name, input)
			t.Logf("%s %s: %.1f trials a processor second, muster is %.0f times as fast; lost %.4f, standard error %.4f in %.0f trials",
				name, p.Version, p.Trials/p.Seconds, rate/(p.Trials/p.Seconds), p.Mean, p.Error, p.Trials)
			if off := math.Abs(p.Mean - own.Mean); off > 3*math.Hypot(p.Error, own.Error/1.96) {
				t.Errorf("%s loses %.4f ± %.4f, and muster %.4f", name, p.Mean, p.Error, own.Mean)
			}
		})
	}
}

// ours returns what muster loses, and its trials a processor second.
func ours(t *testing.T, c cascade.Case, b cascade.Benchmark) (cascade.Share, float64) {
	t.Helper()
	const trials = 1 << 16
	begin := processorTime(t)
	r, err := cascade.Run(t.Context(), c.Graph, c.Scenario, cascade.Options{Trials: trials, Seed: 1, Engine: b.Engine})
	if err != nil {
		t.Fatal(err)
	}
	return r.Worst, trials / (processorTime(t) - begin).Seconds()
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// written returns a case as peers read it. Every requirement of it has one supplier.
func written(t *testing.T, c cascade.Case) []byte {
	t.Helper()
	var g graph
	for i, s := range c.Graph.Services() {
		g.Hits = append(g.Hits, c.Scenario.Hits[i].Float())
		g.Weights = append(g.Weights, s.Weight)
	}
	for _, r := range c.Graph.Requirements() {
		if len(r.Suppliers) != 1 {
			t.Fatalf("a requirement with %d suppliers", len(r.Suppliers))
		}
		g.Edges = append(g.Edges, [3]any{r.Suppliers[0], r.Service, r.Binding.Float()})
	}
	body, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// peer runs one, by the first python that has it: Debian's packages belong to
// Debian's python.
func peer(t *testing.T, name string, input []byte) said {
	t.Helper()
	var absent string
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if _, err := exec.LookPath(python); err != nil {
			absent = err.Error()
			continue
		}
		cmd := exec.CommandContext(t.Context(), python, "peer.py", name, seconds)
		cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
		cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s peer.py %s: %v", python, name, err)
		}
		var p said
		if err := json.Unmarshal(out, &p); err != nil {
			t.Fatalf("%s peer.py %s said %q: %v", python, name, out, err)
		}
		if p.Absent == "" {
			return p
		}
		absent = p.Absent
	}
	t.Skipf("%s is not there (Debian: python3-%s): %s", name, name, absent)
	return said{}
}
