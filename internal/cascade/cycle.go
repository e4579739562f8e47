package cascade

// ZeroDelayCycles returns the services, by index, of every cycle of requirements
// without a buffer, each cycle in the order of the graph. They are allowed: such
// services fall at one moment, and come back together where none of them has a
// restart lag. With a lag each waits for the others, and what has fallen stays
// down until the horizon; so whoever reads a register says their names.
func (g *Graph) ZeroDelayCycles() [][]int {
	sub := &Graph{services: g.services}
	for i := range g.requirements {
		if g.requirements[i].Buffer == 0 {
			sub.requirements = append(sub.requirements, g.requirements[i])
		}
	}
	p := newPlan(sub)
	var cycles [][]int
	for _, c := range p.cycles {
		in := make([]bool, len(g.services))
		for _, s := range p.service[c.first:c.end] {
			in[s] = true
		}
		var cycle []int
		for s, is := range in {
			if is {
				cycle = append(cycle, s)
			}
		}
		cycles = append(cycles, cycle)
	}
	return cycles
}
