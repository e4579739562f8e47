package cascade_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"muster/internal/cascade"
)

// plain returns n services of weight one, repaired after a day.
func plain(n int) []cascade.Service {
	services := make([]cascade.Service, n)
	for i := range services {
		services[i] = cascade.Service{ID: fmt.Sprint(i), Weight: 1, Severity: cascade.Always, Repair: cascade.Repair{Median: 1440}}
	}
	return services
}

func hitAll(n int, p cascade.Probability) cascade.Scenario {
	s := cascade.Scenario{Hits: make([]cascade.Probability, n)}
	for i := range s.Hits {
		s.Hits[i] = p
	}
	return s
}

func run(t testing.TB, g *cascade.Graph, s cascade.Scenario, o cascade.Options) *cascade.Result {
	t.Helper()
	r, err := cascade.Run(t.Context(), g, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPath: along a path the chance to fall is f = h + (1-h)·p·f of the one before.
func TestPath(t *testing.T) {
	t.Parallel()
	const n, h, p = 30, 3000, 50000
	services := plain(n)
	var requirements []cascade.Requirement
	for i := 1; i < n; i++ {
		requirements = append(requirements, cascade.Requirement{Service: int32(i), Name: "a", Need: 1, Suppliers: []int32{int32(i - 1)}, Binding: p})
	}
	f, lost := 0.0, 0.0
	hit, binds := cascade.Probability(h).Float(), cascade.Probability(p).Float()
	for range n {
		f = hit + (1-hit)*binds*f
		lost += f / n
	}
	for _, engine := range []cascade.Engine{cascade.Static, cascade.Event, cascade.Grid} {
		got := run(t, mustGraph(t, services, requirements), hitAll(n, h), cascade.Options{Trials: 1 << 17, Seed: 3, Engine: engine})
		if z := (got.Worst.Mean - lost) / (got.Worst.Error / 1.96); math.Abs(z) > 4.5 {
			t.Errorf("%s: %v lost along a path, want %v: %.1f standard errors", engine, got.Worst.Mean, lost, z)
		}
	}
}

// TestReliability: series, parallel, two of three, and the bridge, of components
// that fail with probability q.
func TestReliability(t *testing.T) {
	t.Parallel()
	const chance = 20000
	q := cascade.Probability(chance).Float()
	p := 1 - q
	group := func(service int32, name string, need int32, suppliers ...int32) cascade.Requirement {
		return cascade.Requirement{Service: service, Name: name, Need: need, Suppliers: suppliers, Binding: cascade.Always}
	}
	rows := []struct {
		name         string
		components   int
		services     int // the last is the system
		requirements []cascade.Requirement
		fails        float64
	}{
		{"series", 3, 4, []cascade.Requirement{group(3, "a", 3, 0, 1, 2)}, 1 - p*p*p},
		{"series as three", 3, 4, []cascade.Requirement{group(3, "a", 1, 0), group(3, "b", 1, 1), group(3, "c", 1, 2)}, 1 - p*p*p},
		{"parallel", 3, 4, []cascade.Requirement{group(3, "a", 1, 0, 1, 2)}, q * q * q},
		{"two of three", 3, 4, []cascade.Requirement{group(3, "a", 2, 0, 1, 2)}, 3*q*q*p + q*q*q},
		// The bridge by its minimal cuts {0,1}, {3,4}, {0,2,4}, {1,2,3}.
		{"bridge", 5, 10, []cascade.Requirement{
			group(5, "cut", 1, 0, 1), group(6, "cut", 1, 3, 4), group(7, "cut", 1, 0, 2, 4), group(8, "cut", 1, 1, 2, 3),
			group(9, "all", 4, 5, 6, 7, 8),
		}, 1 - (p*(1-q*q)*(1-q*q) + q*(1-(1-p*p)*(1-p*p)))},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			services := plain(row.services)
			services[row.services-1].Mission = true
			s := cascade.Scenario{Hits: make([]cascade.Probability, row.services)}
			for i := range row.components {
				s.Hits[i] = chance
			}
			for _, engine := range []cascade.Engine{cascade.Static, cascade.Event, cascade.Grid} {
				got := run(t, mustGraph(t, services, row.requirements), s, cascade.Options{Trials: 1 << 16, Seed: 5, Engine: engine}).Missions[0]
				if z := (got.Fails - row.fails) / (got.Error / 1.96); math.Abs(z) > 4.5 {
					t.Errorf("%s: fails with %v, want %v: %.1f standard errors", engine, got.Fails, row.fails, z)
				}
			}
		})
	}
}

// TestPoissonGraph: where everyone requires a Poisson number of others, c on the
// average, and a share h is hit, a share S = 1 - (1-h)·exp(-c·S) of a large graph
// falls. Such a graph is one large cycle.
func TestPoissonGraph(t *testing.T) {
	t.Parallel()
	n := long(10_000, 4)
	const h = 1311
	for _, c := range []float64{0.5, 1.25, 1.5, 2, 3} {
		r := rand.New(rand.NewPCG(7, uint64(c*100)))
		var requirements []cascade.Requirement
		for v := range n {
			for i := range poisson(r, c) {
				if u := r.IntN(n); u != v {
					requirements = append(requirements, cascade.Requirement{Service: int32(v), Name: fmt.Sprint(i), Need: 1, Suppliers: []int32{int32(u)}, Binding: cascade.Always})
				}
			}
		}
		want := 1.0
		for range 1000 {
			want = 1 - (1-cascade.Probability(h).Float())*math.Exp(-c*want)
		}
		got := run(t, mustGraph(t, plain(n), requirements), hitAll(n, h), cascade.Options{Trials: cascade.Lanes, Seed: 7, Engine: cascade.Static}).Worst.Mean
		// One graph, so its own deviation counts: some 1/√n of what falls.
		if math.Abs(got-want) > 3/math.Sqrt(float64(n)) {
			t.Errorf("c = %v: a share of %.4f falls, want %.4f", c, got, want)
		}
		t.Logf("c = %v: %.4f, %.4f expected", c, got, want)
	}
}

func poisson(r *rand.Rand, mean float64) int {
	n := 0
	for limit := math.Exp(-mean); ; n++ {
		if limit /= r.Float64(); limit >= 1 {
			return n
		}
	}
}

// TestMutualPercolation: of two random networks whose nodes need each other one to
// one, a mutual giant component P = (1-exp(-k·P))² is left above a mean degree k of
// 2.4554 and nothing below (Buldyrev and others 2010). Each step asks the engine
// who is connected to the best connected node that is left.
func TestMutualPercolation(t *testing.T) {
	t.Parallel()
	n := long(8_000, 5)
	for _, row := range []struct{ k, want float64 }{{2.3, 0}, {2.6, mutual(2.6)}, {3, mutual(3)}} {
		r := rand.New(rand.NewPCG(11, uint64(row.k*100)))
		networks := [2][][2]int32{randomNetwork(r, n, row.k), randomNetwork(r, n, row.k)}
		alive := make([]bool, n)
		for i := range alive {
			alive[i] = true
		}
		left := n
		for step, same := 0, 0; same < 2 && left > n/100; step++ {
			alive = connected(t, alive, networks[step%2])
			now := 0
			for _, is := range alive {
				if is {
					now++
				}
			}
			if same++; now != left {
				same = 0
			}
			left = now
		}
		got := float64(left) / float64(n)
		if math.Abs(got-row.want) > 0.03 {
			t.Errorf("mean degree %v: a share of %.3f is left, want %.3f", row.k, got, row.want)
		}
		t.Logf("mean degree %v: %.4f, %.4f expected", row.k, got, row.want)
	}
}

func mutual(k float64) float64 {
	p := 1.0
	for range 10_000 {
		x := 1 - math.Exp(-k*p)
		p = x * x
	}
	return p
}

func randomNetwork(r *rand.Rand, n int, k float64) [][2]int32 {
	edges := make([][2]int32, 0, int(float64(n)*k/2))
	for range int(float64(n) * k / 2) {
		if a, b := int32(r.IntN(n)), int32(r.IntN(n)); a != b {
			edges = append(edges, [2]int32{a, b})
		}
	}
	return edges
}

// connected returns who of alive is connected with the best connected one.
func connected(t *testing.T, alive []bool, edges [][2]int32) []bool {
	t.Helper()
	n := len(alive)
	degree := make([]int, n)
	var requirements []cascade.Requirement
	for i, e := range edges {
		if !alive[e[0]] || !alive[e[1]] {
			continue
		}
		degree[e[0]]++
		degree[e[1]]++
		for d := range 2 {
			requirements = append(requirements, cascade.Requirement{
				Service: e[d], Suppliers: []int32{e[1-d]}, Name: fmt.Sprint(2*i + d), Need: 1, Binding: cascade.Always,
			})
		}
	}
	best := 0
	for v := range degree {
		if degree[v] > degree[best] {
			best = v
		}
	}
	s := cascade.Scenario{Hits: make([]cascade.Probability, n)}
	s.Hits[best] = cascade.Always
	down, _ := cascade.DownByStatic(mustGraph(t, plain(n), requirements), s, 0, 0)
	return down[0]
}

// TestMissionInterval: missions' intervals hold the chance that the register gives in
// 19 of 20 runs or more, also where it is so small that many runs never see it.
func TestMissionInterval(t *testing.T) {
	t.Parallel()
	const runs, trials = 200, 512
	for _, row := range []struct {
		name string
		hit  cascade.Probability
	}{
		{"one in 3,000", cascade.Always / 3000},
		{"one in 300", cascade.Always / 300},
		{"one in 30", cascade.Always / 30},
		{"one half", cascade.Always / 2},
		{"all but one in 300", cascade.Always - cascade.Always/300},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			services := plain(2)
			services[1].Mission = true
			const binds = cascade.Always / 2
			g := mustGraph(t, services, []cascade.Requirement{{Service: 1, Name: "a", Need: 1, Suppliers: []int32{0}, Binding: binds}})
			h := row.hit.Float()
			want := h + (1-h)*binds.Float()*h // as along a path
			held := 0
			for seed := range uint64(runs) {
				m := run(t, g, hitAll(2, row.hit), cascade.Options{Trials: trials, Seed: seed, Threads: 1}).Missions[0]
				if math.Abs(m.Fails-want) <= m.Error {
					held++
				}
				if m.Error <= 0 || m.Worst.Error <= 0 {
					t.Fatalf("seed %d: %v ± %v", seed, m.Fails, m.Error)
				}
			}
			if held < runs*92/100 { // of 200 at 95 per cent 184 is two standard errors below
				t.Errorf("%d of %d intervals hold %.5f", held, runs, want)
			}
		})
	}
}
