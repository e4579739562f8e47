package attack_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"muster/internal/disclosure/attack"
	"muster/internal/framework"
)

func newRand(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(h.Sum64(), 0))
}

// randomProblem draws a world and says true things of it: counts of units over
// all members or some, now and then as a range.
func randomProblem(rng *rand.Rand, blocks []attack.Block, chain func(framework.Kind) []string, members int) attack.Problem {
	p := attack.Problem{Blocks: blocks, Rosters: make(map[string][]string), Chain: chain}
	var all []string
	for i := range members {
		all = append(all, fmt.Sprint("m", i))
	}
	for _, b := range blocks {
		if slices.Contains(p.Cycles, b.Cycle) {
			continue
		}
		p.Cycles = append(p.Cycles, b.Cycle)
		p.Rosters[b.Cycle] = all
		if rng.IntN(4) == 0 && members > 2 { // somebody joined or left
			p.Rosters[b.Cycle] = slices.Delete(slices.Clone(all), 0, 1)
		}
	}
	world := make([][]int, members)
	for m := range world {
		world[m] = slices.Repeat([]int{-1}, len(blocks))
		for i, b := range blocks {
			if !derived(b.Kind) && slices.Contains(p.Rosters[b.Cycle], all[m]) {
				world[m][i] = rng.IntN(len(chain(b.Kind)))
			}
		}
		for i, b := range blocks {
			if derived(b.Kind) && slices.Contains(p.Rosters[b.Cycle], all[m]) {
				world[m][i] = derive(p, blocks, world[m], i)
			}
		}
	}
	for i, b := range blocks {
		units := len(chain(b.Kind))
		for range 1 + rng.IntN(4) {
			roster := slices.Clone(p.Rosters[b.Cycle])
			if rng.IntN(3) == 0 {
				roster = slices.Delete(roster, 0, 1)
			}
			first := rng.IntN(units)
			last := first + rng.IntN(units-first)
			n := 0
			for m, name := range all {
				if u := world[m][i]; slices.Contains(roster, name) && u >= first && u <= last {
					n++
				}
			}
			s := attack.Count("random", b, roster, units, first, last, n)
			switch rng.IntN(4) {
			case 0:
				s.Allowed = attack.Between(n-rng.IntN(2), n+rng.IntN(2))
			case 1:
				s.Allowed = attack.ValuesWhere(0, members, func(v int) bool { return v == n || (v+n)%2 == 1 })
			}
			p.Statements = append(p.Statements, s)
		}
	}
	if rng.IntN(2) == 0 {
		i := rng.IntN(len(blocks))
		m := rng.IntN(members)
		if u := world[m][i]; u >= 0 {
			p.Facts = append(p.Facts, attack.Fact{Member: all[m], Block: blocks[i], Unit: chain(blocks[i].Kind)[u]})
		}
	}
	return p
}
