package cascade

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// A Benchmark is a graph of a known shape, so that rates of different machines and
// programs can be set beside each other. It is in layers, without cycles: each
// service requires some of the three layers before it.
type Benchmark struct {
	Name     string
	Engine   Engine
	Services int
	Layers   int
	Degree   float64 // suppliers of a service, on average
	Binding  float64 // mean probability that a requirement binds; uniform from 0 to twice as much
	Hit      float64 // probability of every service
	Timed    bool    // with restart lags, buffers and substitutes
	Trials   int     // enough for a second or so
}

// Benchmarks returns the ones that docs/design/cascade.md reports of, the large one
// last.
func Benchmarks() []Benchmark {
	return []Benchmark{
		{"static-10k", Static, 10_000, 20, 9.45, 0.10, 0.02, false, 8 * Lanes},
		{"static-10k,p=0.3", Static, 10_000, 20, 9.45, 0.30, 0.02, false, 8 * Lanes},
		{"static-10k,p=0.03", Static, 10_000, 20, 9.45, 0.03, 0.02, false, 8 * Lanes},
		{"event-2k", Event, 2_000, 20, 7.5, 0.10, 0.02, true, 32 * Lanes},
		{"grid-2k", Grid, 2_000, 20, 7.5, 0.10, 0.02, true, 4 * Lanes},
		{"event-2k,p=0.3", Event, 2_000, 20, 7.5, 0.30, 0.02, true, 16 * Lanes},
		{"grid-2k,p=0.3", Grid, 2_000, 20, 7.5, 0.30, 0.02, true, 4 * Lanes},
		{"event-10k", Event, 10_000, 20, 9.45, 0.10, 0.02, true, 2 * Lanes},
		{"grid-10k", Grid, 10_000, 20, 9.45, 0.10, 0.02, true, Lanes},
		{"static-1M", Static, 1_000_000, 50, 10, 0.10, 0.002, false, Lanes},
	}
}

// Case returns the graph, the same everywhere, and a scenario that can hit every
// service.
func (b Benchmark) Case() (Case, error) {
	r := rand.New(rand.NewPCG(1, 2))
	hit, err := Chance(b.Hit)
	if err != nil {
		return Case{}, err
	}
	var (
		per          = b.Services / b.Layers
		services     = make([]Service, b.Services)
		requirements = make([]Requirement, 0, int(float64(b.Services)*b.Degree))
		suppliers    = make([]int32, 0, int(float64(b.Services)*(b.Degree+1)))
		s            Scenario
	)
	for v := range services {
		services[v] = Service{
			ID: fmt.Sprint(v), Weight: uint32(1 + r.IntN(5)), Severity: Always,
			Repair: Repair{Median: Minutes(1440 * (1 + r.IntN(7))), Spread: 1 << 15},
		}
		if b.Timed {
			services[v].Restart = Minutes(60 * r.IntN(13))
		}
		s.Hits = append(s.Hits, hit)
		layer := v / per
		if layer == 0 {
			continue
		}
		first := max(0, layer-3) * per
		n := int(b.Degree*float64(b.Layers)/float64(b.Layers-1) + r.Float64())
		for i := 0; i < n; i++ {
			q := Requirement{
				Service: int32(v), Name: fmt.Sprint(i), Need: 1,
				Binding: Probability(r.Float64() * 2 * b.Binding * float64(Always)),
			}
			size := 1
			if b.Timed {
				q.Buffer = Minutes(60 * []int{0, 4, 12, 24, 48}[r.IntN(5)])
				if i%5 == 4 && i+2 < n { // one in five needs one of three
					size = 3
					i += 2
				}
			}
			from := len(suppliers)
			for len(suppliers) < from+size {
				u := int32(first + r.IntN(layer*per-first))
				if !slices.Contains(suppliers[from:], u) {
					suppliers = append(suppliers, u)
				}
			}
			q.Suppliers = suppliers[from:len(suppliers):len(suppliers)]
			requirements = append(requirements, q)
		}
	}
	g, err := NewGraph(services, requirements)
	return Case{g, s}, err
}

// RandomWords draws so many words of random bits, eight at a time as the engines do,
// and returns something of them so that nothing is optimised away. It is the limit
// that engines are measured by: see [WordsOf].
func RandomWords(n int) uint64 {
	var a, b, c, d uint64
	state := uint64(1)
	for range n / 4 {
		a ^= mix(state)
		b ^= mix(state + golden)
		c ^= mix(state + golden2)
		d ^= mix(state + golden3)
		state += golden4
	}
	return a ^ b ^ c ^ d
}

// WordsOf returns how many random words a trial of the graph takes if every
// dependency is drawn for 64 trials at once until all are decided: log2(64) and 1.3.
// An engine that asks only for trials in which something fell may take fewer.
func WordsOf(g *Graph) float64 { return 7.3 * float64(g.Dependencies()) / 64 }
