package cascade

import (
	"cmp"
	"slices"
)

// plan is a graph in the order in which engines go through it: every service
// behind its suppliers, but for those of one cycle, which stand together
// (strongly connected components, condensed). One visit of each service is then
// enough outside of cycles. A service's place is its rank.
type plan struct {
	service []uint32 // rank to index in the graph
	rank    []uint32 // index in the graph to rank

	groups  []group  // the requirements, ordered by their service's rank
	first   []uint32 // those of rank v are groups[first[v]:first[v+1]]
	members []uint32 // the suppliers' ranks, group by group

	outFirst []uint32 // the groups that rank u supplies are out[outFirst[u]:outFirst[u+1]]
	out      []uint32

	component []uint32 // rank to the first rank of its component
	cycles    []cycle  // the components of two services or more, in order

	class   []uint16  // rank to its class of cost
	costs   []uint64  // class to what is lost while such a service is down: weight times severity
	count   []uint32  // class to how many services it has
	total   uint64    // what is lost when all weight is lost
	repair  []repair  // rank to its law of repair
	restart []Minutes // rank to its restart lag
}

// cycle is a component: the ranks from first until end.
type cycle struct{ first, end uint32 }

// group is one requirement.
type group struct {
	service  uint32      // rank of who requires
	supplier uint32      // rank of the first supplier
	members  uint32      // where its suppliers begin in plan.members
	size     uint32      // how many they are
	fails    uint32      // how many of them must be down for it to fail
	edge     uint32      // its index in the graph, which names its random bits
	binding  Probability // see [Requirement]
	buffer   Minutes
}

func newPlan(g *Graph) *plan {
	n := len(g.services)
	starts, order := byService(n, g.requirements)
	p := &plan{service: make([]uint32, 0, n), rank: make([]uint32, n), component: make([]uint32, n)}
	p.condense(g, starts, order)

	p.groups = make([]group, 0, len(g.requirements))
	p.first = make([]uint32, n+1)
	p.members = make([]uint32, 0, g.Dependencies())
	p.outFirst = make([]uint32, n+2)
	for v, s := range p.service {
		for _, i := range order[starts[s]:starts[s+1]] {
			r := &g.requirements[i]
			p.groups = append(p.groups, group{
				service: uint32(v), members: uint32(len(p.members)), size: uint32(len(r.Suppliers)),
				supplier: p.rank[r.Suppliers[0]],
				fails:    uint32(len(r.Suppliers)) - uint32(r.Need) + 1, edge: i, binding: r.Binding, buffer: r.Buffer,
			})
			for _, u := range r.Suppliers {
				p.members = append(p.members, p.rank[u])
				p.outFirst[p.rank[u]+2]++
			}
		}
		p.first[v+1] = uint32(len(p.groups))
	}
	p.turn()
	p.weigh(g)
	return p
}

// turn fills out from members: who is supplied, from who supplies.
func (p *plan) turn() {
	for u := 2; u < len(p.outFirst); u++ {
		p.outFirst[u] += p.outFirst[u-1]
	}
	p.out = make([]uint32, len(p.members))
	for i := range p.groups {
		g := &p.groups[i]
		for _, u := range p.members[g.members : g.members+g.size] {
			next := &p.outFirst[u+1]
			p.out[*next] = uint32(i)
			*next++
		}
	}
	p.outFirst = p.outFirst[:len(p.service)+1]
}

// weigh sorts the services into classes of equal cost, the costliest first.
func (p *plan) weigh(g *Graph) {
	cost := func(s *Service) uint64 { return uint64(s.Weight) * uint64(s.Severity) }
	for i := range g.services {
		p.total += uint64(g.services[i].Weight) * uint64(Always)
		p.costs = append(p.costs, cost(&g.services[i]))
	}
	slices.SortFunc(p.costs, func(a, b uint64) int { return cmp.Compare(b, a) })
	p.costs = slices.Clone(slices.Compact(p.costs))
	index := make(map[uint64]uint16, len(p.costs))
	for i, c := range p.costs {
		index[c] = uint16(i)
	}
	p.count = make([]uint32, len(p.costs))
	p.class = make([]uint16, len(p.service))
	p.repair = make([]repair, len(p.service))
	p.restart = make([]Minutes, len(p.service))
	for v, s := range p.service {
		p.class[v] = index[cost(&g.services[s])]
		p.count[p.class[v]]++
		p.repair[v] = newRepair(g.services[s].Repair)
		p.restart[v] = g.services[s].Restart
	}
}

// condense orders the services by Tarjan's algorithm (1972), written without
// recursion: it goes from a service to its suppliers, so that a component is
// complete only after all that it requires.
func (p *plan) condense(g *Graph, starts, order []uint32) {
	const unseen = 0
	n := len(g.services)
	var (
		number  = make([]uint32, n) // when the service was first seen, from 1; done is beyond all
		low     = make([]uint32, n) // the lowest number that it reaches
		stack   []uint32            // seen and in no component yet
		path    []step              // from a root to where the search stands
		counter uint32
	)
	done := uint32(n + 1)
	for root := range n {
		if number[root] != unseen {
			continue
		}
		path = append(path[:0], step{service: uint32(root), group: starts[root]})
		for len(path) > 0 {
			at := &path[len(path)-1]
			s := at.service
			if number[s] == unseen {
				counter++
				number[s], low[s] = counter, counter
				stack = append(stack, s)
			}
			if next, ok := at.next(g, starts, order); ok {
				switch {
				case number[next] == unseen:
					path = append(path, step{service: next, group: starts[next]})
				case number[next] != done:
					low[s] = min(low[s], number[next])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				above := path[len(path)-1].service
				low[above] = min(low[above], low[s])
			}
			if low[s] == number[s] {
				stack = p.close(stack, s, number, done)
			}
		}
	}
}

// close takes the component whose first seen service is s off the stack and
// gives its services their ranks, in the order in which they were seen.
func (p *plan) close(stack []uint32, s uint32, number []uint32, done uint32) []uint32 {
	from := len(stack) - 1
	for stack[from] != s {
		from--
	}
	first := uint32(len(p.service))
	// Who was seen last is nearest to what the component requires.
	for i := len(stack) - 1; i >= from; i-- {
		t := stack[i]
		number[t] = done
		p.rank[t] = uint32(len(p.service))
		p.component[len(p.service)] = first
		p.service = append(p.service, t)
	}
	if end := uint32(len(p.service)); end-first > 1 {
		p.cycles = append(p.cycles, cycle{first, end})
	}
	return stack[:from]
}

// step is a service on the path of the search, and how far its suppliers were
// followed.
type step struct {
	service, group, supplier uint32
}

// next returns the next supplier.
func (s *step) next(g *Graph, starts, order []uint32) (uint32, bool) {
	for s.group < starts[s.service+1] {
		suppliers := g.requirements[order[s.group]].Suppliers
		if int(s.supplier) < len(suppliers) {
			s.supplier++
			return uint32(suppliers[s.supplier-1]), true
		}
		s.group++
		s.supplier = 0
	}
	return 0, false
}

// suppliers returns the ranks of a group's suppliers.
func (p *plan) suppliers(g *group) []uint32 { return p.members[g.members : g.members+g.size] }
