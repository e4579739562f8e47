package exchange

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"sort"
)

// MaxGenerated is how many services a register can be generated with: the tables
// stay below what is read.
const MaxGenerated = 2_000_000

// A Synthetic register is generated, not anybody's: its rows are marked SYNTHETIC
// and its members have numbers for names. One seed gives one register.
//
// It is shaped as outages are reported: a small core of energy, telecom and cloud
// that require each other with buffers, and everything else without cycles above
// it, some suppliers far more popular than others (after Zipf), one requirement in
// four with a substitute. The missions come last.
type Synthetic struct {
	seed     uint64
	services int
}

// NewSynthetic returns a register of so many services, from 12 to [MaxGenerated].
func NewSynthetic(services int, seed uint64) Synthetic { return Synthetic{seed, services} }

// core returns how many services the cyclic core has: one in twenty, at least 6.
func (s Synthetic) core() int { return max(6, s.services/20) }

// missions returns how many missions there are: six, or fewer of few services.
func (s Synthetic) missions() int { return min(6, s.services/6) }

func (s Synthetic) sector(i int) string {
	if i < s.core() {
		return [...]string{"energy", "energy", "telecom", "telecom", "cloud"}[i%5]
	}
	if i >= s.services-s.missions() {
		return "defence"
	}
	return [...]string{"transport", "transport", "transport", "water", "health", "public", "space"}[i%7]
}

func (s Synthetic) id(i int) string {
	if i >= s.services-s.missions() {
		return fmt.Sprintf("mission-%d", i-s.services+s.missions()+1)
	}
	return fmt.Sprintf("%s-%d", s.sector(i), i+1)
}

// vendors is how many vendors share the systems that scenarios hit.
const vendors = 8

// WriteServices writes the table of services.
func (s Synthetic) WriteServices(w io.Writer) error {
	r := rand.New(rand.NewPCG(s.seed, 1))
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, ServicesHeader)
	vendor := newZipf(vendors)
	for i := range s.services {
		criticality, mission := 1+r.IntN(5), ""
		if i >= s.services-s.missions() {
			criticality, mission = 5, "yes"
		}
		restart := r.IntN(9)
		if i < s.core() {
			restart = 0 // what waits for itself with a lag would never come back
		}
		fmt.Fprintf(b, "%s,Member %02d,%s %d,,%s,%d,%s,%dh,%s,%dh,%s,vendor:v%d region:r%d,clear,medium,SYNTHETIC,\n",
			s.id(i), 1+r.IntN(32), s.sector(i), i+1, s.sector(i), criticality,
			[...]string{"1", "1", "0.6", "0.3"}[r.IntN(4)], 12*(1+r.IntN(20)), [...]string{"0.5", "0.8", "1"}[r.IntN(3)],
			restart, mission, 1+vendor.draw(r, vendors), 1+r.IntN(4))
	}
	return b.Flush()
}

// WriteRequirements writes the table of requirements, some six rows a service.
func (s Synthetic) WriteRequirements(w io.Writer) error {
	r := rand.New(rand.NewPCG(s.seed, 2))
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, RequirementsHeader)
	popular := newZipf(s.services)
	for i := range s.services {
		used := map[int]bool{i: true}
		groups := 4 + r.IntN(3)
		below := i // suppliers come before, but in the core
		if i < s.core() {
			below, groups = s.core(), 2
		}
		for g := range groups {
			size := 1
			if r.IntN(4) == 0 {
				size = 2 + r.IntN(2)
			}
			binding := [...]string{"always", "mostly", "often", "seldom", "rarely", "rarely"}[r.IntN(6)]
			buffer := [...]int{0, 0, 4, 12, 24, 48, 72}[r.IntN(7)]
			if i < s.core() {
				binding, buffer = [...]string{"often", "seldom"}[r.IntN(2)], 12+12*r.IntN(4)
			}
			for range size {
				u := popular.draw(r, below)
				if used[u] {
					continue
				}
				used[u] = true
				fmt.Fprintf(b, "%s,g%d,1,%s,%s,%dh,clear,medium,SYNTHETIC\n", s.id(i), g+1, s.id(u), binding, buffer)
			}
		}
	}
	return b.Flush()
}

// ScenarioNames are the scenarios that go with the register, in their order.
func (s Synthetic) ScenarioNames() []string { return []string{"vendor", "region", "campaign"} }

// WriteScenario writes one of them: the most popular vendor's systems, everything in
// one region, or two vendors and a little of everything else.
func (s Synthetic) WriteScenario(w io.Writer, name string) error {
	f := ScenarioFile{
		ID: name, Source: "SYNTHETIC", Synthetic: true,
	}
	switch name {
	case "vendor":
		f.Title = Words{"en": "Ransomware at a vendor that many share", "fr": "Rançongiciel chez un fournisseur partagé"}
		f.Controls, f.Repair, f.Spread = "0.6", "5d", "0.8"
		f.Exposed = []Exposure{{Select: "tag", Value: "vendor:v1", Hit: "0.3"}}
	case "region":
		f.Title = Words{"en": "A region without power and network", "fr": "Une région sans courant ni réseau"}
		f.Controls = "0.2"
		f.Exposed = []Exposure{{Select: "tag", Value: "region:r1", Hit: "0.15"}}
	default:
		f.Title = Words{"en": "A campaign against two vendors and whoever is open", "fr": "Une campagne contre deux fournisseurs et tous ceux qui sont exposés"}
		f.Controls = "0.8"
		f.Exposed = []Exposure{
			{Select: "tag", Value: "vendor:v1", Hit: "0.2", Repair: "4d", Spread: "0.8"},
			{Select: "tag", Value: "vendor:v2", Hit: "0.2", Repair: "4d", Spread: "0.8"},
			{Select: "all", Hit: "0.005"},
		}
	}
	return f.Write(w)
}

// zipf draws small numbers more often: k with a weight of 4/(k+4). Whole numbers
// alone decide, so that every processor draws the same.
type zipf struct{ sums []uint64 }

func newZipf(n int) zipf {
	z := zipf{make([]uint64, n+1)}
	for k := range n {
		z.sums[k+1] = z.sums[k] + 4<<32/uint64(k+4)
	}
	return z
}

// draw returns a number below n.
func (z zipf) draw(r *rand.Rand, n int) int {
	x := r.Uint64N(z.sums[n])
	return sort.Search(n, func(k int) bool { return z.sums[k+1] > x })
}
