package cascade

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/cascade"
)

// What is worked out, how much of it.
const (
	topOf         = 5       // dependencies that are confirmed, as many as muster cascade run names
	watchTrials   = 1 << 12 // at most, in which every service is looked at
	briefTrials   = 1 << 14
	restTrials    = 1 << 13 // that say what rests on whose word
	chooseTrials  = 1 << 12
	briefSeed     = 1
	defaultTrials = 1 << 14
	horizon       = cascade.Minutes(30 * 24 * 60)
)

// budgets are what a page for who decides tries, in this order, until what can be
// had for it takes away half of the loss.
var budgets = [...]uint32{4, 10, 30}

// request is what a run was asked for.
type request struct {
	scenario int
	measures []int // sorted
	trials   int
	seed     uint64
}

// run is what became of it.
type run struct {
	request
	result *cascade.Result
	falls  []fall // by service; nil where the run was ended
}

// fall is what happens to one service.
type fall struct {
	share float64 // of the trials in which it is down at some time
	hours float64 // for which it is down, on average
}

// brief is what the page for who decides is drawn from.
type brief struct {
	scenario   int
	budget     uint32
	asked      bool // the budget was asked for, and not found
	run        run
	rests      *rests // nil where no supplier was asked
	today      *cascade.Uncertain
	investment *cascade.Investment // nil where there are no measures, or none can be afforded
	chosen     []int               // numbers of measures, in the order of the steps
	then       *cascade.Uncertain  // with those that were chosen; nil if none was
	after      *cascade.Result     // the same
}

// comparison is two runs beside each other.
type comparison struct {
	a, b   request
	trials int
	seed   uint64
	result *cascade.Comparison
}

type say func(stage string, share float64)

// within returns a say for a part of the work, and a function for the engine's
// progress in it.
func (s say) within(stage string, from, to float64) func(done, planned int) {
	s(stage, from)
	return func(done, planned int) {
		if planned > 0 {
			s(stage, from+(to-from)*float64(done)/float64(planned))
		}
	}
}

func (p *Pages) options(trials int, seed uint64, progress func(done, planned int)) cascade.Options {
	return cascade.Options{Trials: trials, Seed: seed, Threads: max(1, p.Threads), Horizon: horizon, Progress: progress}
}

// caseOf returns a scenario with measures taken, on its graph or on the one in which
// every service is watched.
func (p *Pages) caseOf(g *cascade.Graph, scenario int, measures []int) (cascade.Case, error) {
	c := cascade.Case{Graph: g, Scenario: p.Scenarios[scenario].shock().Scenario}
	return c.Apply(p.pick(measures)...)
}

func (p *Pages) pick(measures []int) (list []cascade.Measure) {
	for _, m := range measures {
		list = append(list, p.Measures[m].Measure)
	}
	return list
}

// untouched returns the case as the register has it: its digest, and so the hash of
// its result, are those of muster cascade run. Where something is known of owners, or
// the medians of the parameters change something, it is that at these medians.
func (p *Pages) untouched(scenario int, measures []int) (cascade.Case, error) {
	c := p.Scenarios[scenario].shock()
	if len(measures) == 0 && c.Graph == p.Register.Graph {
		return c, nil
	}
	c, err := p.caseOf(c.Graph, scenario, measures)
	if err == nil { // with a digest of its own
		c.Graph, err = cascade.NewGraph(c.Graph.Services(), c.Graph.Requirements())
	}
	return c, err
}

// simulate runs a request. Where ctx ends it early it returns what is known by then.
func (p *Pages) simulate(ctx context.Context, r request, s say, to float64) (*run, error) {
	c, err := p.untouched(r.scenario, r.measures)
	if err != nil {
		return nil, err
	}
	o := p.options(r.trials, r.seed, s.within("simulate", 0, 0.8*to))
	o.Top = topOf
	result, err := cascade.Run(ctx, c.Graph, c.Scenario, o)
	if err != nil {
		return nil, err
	}
	if !result.Complete {
		return &run{request: r, result: result}, nil
	}
	falls, err := p.falls(ctx, r, s.within("watch", 0.8*to, to))
	if err != nil {
		return nil, err
	}
	return &run{r, result, falls}, nil
}

// falls runs the first of the same trials again and looks at every service.
func (p *Pages) falls(ctx context.Context, r request, progress func(done, planned int)) ([]fall, error) {
	c, err := p.caseOf(p.watched[r.scenario], r.scenario, r.measures)
	if err != nil {
		return nil, err
	}
	result, err := cascade.Run(ctx, c.Graph, c.Scenario, p.options(min(r.trials, watchTrials), r.seed, progress))
	if err != nil || !result.Complete {
		return nil, err
	}
	falls := make([]fall, len(result.Missions))
	for i, m := range result.Missions {
		falls[i] = fall{m.Fails, m.Mean}
	}
	return falls, nil
}

func (p *Pages) runJob(r request) *job {
	return &job{requests: []request{r}, work: func(ctx context.Context, s func(string, float64)) (any, error) {
		found, err := p.simulate(ctx, r, s, 1)
		if err != nil {
			return nil, err
		}
		return found, nil
	}}
}

func (p *Pages) compareJob(a, b request) *job {
	return &job{requests: []request{a, b}, work: func(ctx context.Context, s func(string, float64)) (any, error) {
		before, err := p.untouched(a.scenario, a.measures)
		if err != nil {
			return nil, err
		}
		after, err := p.untouched(b.scenario, b.measures)
		if err != nil {
			return nil, err
		}
		// With one seed and as many trials, or the two could not be laid side by side.
		c := &comparison{a: a, b: b, trials: min(a.trials, b.trials), seed: a.seed}
		c.result, err = cascade.Compare(ctx, before, after, p.options(c.trials, c.seed, say(s).within("compare", 0, 1)))
		if err != nil {
			return nil, err
		}
		return c, nil
	}}
}

// briefID names the page for who decides: of a scenario, with the budget found, or
// asked for.
func (p *Pages) briefID(scenario int, budget uint32) string {
	if budget == 0 {
		return "brief-" + p.Scenarios[scenario].ID
	}
	return fmt.Sprintf("brief-%s-%d", p.Scenarios[scenario].ID, budget)
}

func (p *Pages) briefJob(scenario int, budget uint32) *job {
	return &job{id: p.briefID(scenario, budget), scenario: p.Scenarios[scenario].ID, budget: budget, work: func(ctx context.Context, s func(string, float64)) (any, error) {
		b := &brief{scenario: scenario, budget: budget, asked: budget > 0}
		if err := p.workOut(ctx, b, s); err != nil {
			return nil, err
		}
		return b, nil
	}}
}

func (p *Pages) workOut(ctx context.Context, b *brief, s say) error {
	r := request{scenario: b.scenario, trials: briefTrials, seed: briefSeed}
	first, err := p.simulate(ctx, r, s, 0.08)
	if err != nil {
		return err
	}
	if !first.result.Complete {
		return errNothing
	}
	b.run = *first
	if b.rests, err = p.rest(ctx, r, s.within("rest", 0.08, 0.1)); err != nil {
		return err
	}
	outlook := p.Scenarios[b.scenario].Outlook
	if b.today, err = p.uncertain(ctx, outlook, topOf, s.within("uncertain", 0.1, 0.4)); err != nil {
		return err
	}
	if err := p.invest(ctx, b, s); err != nil || b.investment == nil {
		return err
	}
	if len(b.chosen) == 0 {
		return nil
	}
	after, err := p.untouched(b.scenario, slices.Sorted(slices.Values(b.chosen)))
	if err != nil {
		return err
	}
	if b.after, err = cascade.Run(ctx, after.Graph, after.Scenario, p.options(briefTrials, briefSeed, s.within("simulate", 0.85, 0.88))); err != nil {
		return err
	}
	// What is known of owners comes in with each draw.
	if outlook.Case, err = outlook.Apply(p.pick(slices.Sorted(slices.Values(b.chosen)))...); err != nil {
		return err
	}
	if outlook.Graph, err = cascade.NewGraph(outlook.Graph.Services(), outlook.Graph.Requirements()); err != nil {
		return err
	}
	b.then, err = p.uncertain(ctx, outlook, 0, s.within("uncertain", 0.88, 1))
	return err
}

func (p *Pages) uncertain(ctx context.Context, o cascade.Outlook, top int, progress func(done, planned int)) (*cascade.Uncertain, error) {
	options := cascade.UncertainOptions{Options: p.options(0, briefSeed, progress)}
	options.Top = top
	u, err := cascade.Uncertainty(ctx, o, p.Parameters.Laws, options)
	if err == nil && !u.Complete {
		return nil, errNothing // a page for who decides is whole, or not there
	}
	return u, err
}

// invest looks for what to do first: for the budget that was asked for, or for the
// least of some that takes away half.
func (p *Pages) invest(ctx context.Context, b *brief, s say) error {
	if len(p.Measures) == 0 {
		return nil
	}
	all := make([]int, len(p.Measures))
	for i := range all {
		all[i] = i
	}
	list := p.pick(all)
	try := budgets[:]
	if b.asked {
		try = []uint32{b.budget}
	}
	c, err := p.untouched(b.scenario, nil)
	if err != nil {
		return err
	}
	for i, budget := range try {
		s("invest", 0.4+0.3*float64(i)/float64(len(try)))
		o := cascade.InvestOptions{Options: p.options(chooseTrials, briefSeed, nil), Budget: budget, Objective: cascade.AtWorst, Owners: p.Register.Owners}
		v, err := cascade.Invest(ctx, c, list, o)
		if err != nil {
			return err
		}
		b.investment, b.budget = v, budget
		if n := len(v.Steps); n > 0 && 2*v.Steps[n-1].Joint.After <= v.Before {
			break
		}
	}
	s("stable", 0.7)
	options := cascade.UncertainOptions{Options: p.options(0, briefSeed, nil)}
	if err := b.investment.Stable(ctx, p.Scenarios[b.scenario].Outlook, p.Parameters.Laws, list, options); err != nil {
		return err
	}
	for _, step := range b.investment.Steps {
		b.chosen = append(b.chosen, slices.IndexFunc(p.Measures, func(m Measure) bool { return m.ID == step.Measure }))
	}
	return nil
}
