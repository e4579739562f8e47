package cascade

import "slices"

// ZeroDelayCycles returns the services, by index, of every cycle of requirements
// without a buffer, each cycle in the order of the graph. They are allowed: such
// services fall at one moment, and come back together where none of them has a
// restart lag.
func (g *Graph) ZeroDelayCycles() [][]int {
	sub := &Graph{services: g.services}
	for i := range g.requirements {
		if g.requirements[i].Buffer == 0 {
			sub.requirements = append(sub.requirements, g.requirements[i])
		}
	}
	return newPlan(sub).cycled()
}

// LaggingCycles returns in the same form every cycle in which somebody has a
// restart lag. Once an outage has gone around such a cycle, which it does if it
// outlasts the buffers on the way, each waits for the others and their lags, and
// what has fallen stays down until the horizon. Somebody has to start such a system
// by hand, and the model does not know how; so whoever reads a register says their
// names.
func (g *Graph) LaggingCycles() [][]int {
	return slices.DeleteFunc(g.plan.cycled(), func(cycle []int) bool {
		return !slices.ContainsFunc(cycle, func(s int) bool { return g.services[s].Restart > 0 })
	})
}

// cycled returns the services of each cycle, in order.
func (p *plan) cycled() [][]int {
	var cycles [][]int
	for _, c := range p.cycles {
		cycle := make([]int, 0, c.end-c.first)
		for _, s := range p.service[c.first:c.end] {
			cycle = append(cycle, int(s))
		}
		slices.Sort(cycle)
		cycles = append(cycles, cycle)
	}
	return cycles
}
