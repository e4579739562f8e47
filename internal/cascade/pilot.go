package cascade

// smallGraph is how many dependencies a graph has at most for which the event
// engine, the reference, is always taken: it is fast enough whatever falls.
const smallGraph = 4096

// pilotTrials is how many trials a pilot follows.
const pilotTrials = 256

// What the engines' steps cost beside each other, measured (docs/design/cascade.md):
// one dependency of something that fell in the event engine, and one word of one
// slice of a requirement in the grid.
const (
	costOfEdge  = 20
	costOfSlice = 3
	costOfGroup = 24 // of a requirement in the grid, for its random bits
)

// pilot chooses between event and grid by how much falls in the first trials. It
// counts and does not look at a clock, so that the choice is the same everywhere.
func (r *runner) pilot() Engine {
	if len(r.plan.members) <= smallGraph {
		return Event
	}
	// The event engine's work is in the dependencies of what falls, the grid's in
	// all requirements, for 64 trials at once.
	grid := float64(len(r.plan.members)) * float64(costOfGroup+costOfSlice*r.options.Samples) / 64
	e := newEvent(r.plan, r.hits, r.tables, r.options.Horizon)
	work := 0
	for word := range pilotTrials / 64 {
		e.run(r.options.Seed, 0, word)
		for _, f := range e.fallen {
			work += 1 + int(r.plan.outFirst[f.rank+1]-r.plan.outFirst[f.rank])
		}
	}
	if float64(work)/pilotTrials*costOfEdge <= grid {
		return Event
	}
	return Grid
}
