package cascade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"muster/internal/errs"
)

// UncertainOptions say how to look at what nobody knows.
type UncertainOptions struct {
	Options     // Trials are those of one draw, 0 is 512
	Draws   int // of the parameters; 0 is 200
}

// Uncertain is what a scenario does over what is believed of the parameters. A band
// is of the expected values over the draws: a median, and the 80 per cent between a
// tenth and nine tenths. What one draw's trials leave open is in it as well.
type Uncertain struct {
	Format     string        `json:"format"`
	Engine     Engine        `json:"engine"`
	Seed       uint64        `json:"seed"`
	Draws      int           `json:"draws"`
	Planned    int           `json:"planned_draws"`
	Complete   bool          `json:"complete"` // all draws, the tornado and the stability are there
	Trials     uint64        `json:"trials_per_draw"`
	Horizon    float64       `json:"horizon_hours"`
	Graph      string        `json:"graph_digest"`
	Parameters string        `json:"parameter_digest"`
	Hash       string        `json:"result_hash"`
	Worst      Band          `json:"lost_at_worst_moment"`
	Lost       Band          `json:"lost_hours"`
	Missions   []MissionBand `json:"missions"`
	Tornado    []Swing       `json:"tornado"`
	Stability  []Stability   `json:"stability"`

	// Stability is looked for in so many of the draws. Each tries the services without
	// which most may be spared; in so many of these it is certain, in the trials of the
	// draw, that none that was not tried spares more.
	StableDraws   int `json:"stability_draws"`
	StableCertain int `json:"stability_certain_draws"`
}

// Band is a median with the 80 per cent around it.
type Band struct {
	Median float64 `json:"median"`
	P10    float64 `json:"p10"`
	P90    float64 `json:"p90"`
}

// MissionBand is what may happen to a mission.
type MissionBand struct {
	ID    string `json:"id"`
	Fails Band   `json:"fails"`
	Hours Band   `json:"hours_down"`
}

// Swing is what one parameter does to the share lost at the worst moment while the
// others stand at their medians: at its tenth, and at its nine tenths.
type Swing struct {
	Parameter string  `json:"parameter"`
	At10      float64 `json:"at_p10"`
	At90      float64 `json:"at_p90"`
}

// Stability is in what share of the draws something is among the first five.
type Stability struct {
	ID    string  `json:"id"`
	First float64 `json:"in_top_5"`
	Draws int     `json:"draws"`
}

const (
	uncertainFormat = "muster cascade uncertainty v1"
	defaultDraws    = 200
	fewestDraws     = 10 // that make a band
	stableDraws     = 40
	stableOf        = 5
	maxDraws        = 1 << 14
	tornadoBlocks   = 4
)

// uncertainty is one such look.
type uncertainty struct {
	ctx     context.Context
	outlook Outlook
	laws    Laws
	options UncertainOptions
	tables  *repairTables
	base    *runner // at the medians
	draws   [][Parameters]float64
	step    func() // says that one draw more is done
}

// steps returns a function that counts what is done, for many goroutines.
func steps(say func(done, planned int), planned int) func() {
	var (
		mu   sync.Mutex // guards done and calls of say
		done int
	)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if say != nil {
			say(done, planned)
		}
	}
}

func newUncertainty(ctx context.Context, o Outlook, l Laws, options UncertainOptions) (*uncertainty, error) {
	if options.Draws == 0 {
		options.Draws = defaultDraws
	}
	if options.Trials == 0 {
		options.Trials = Lanes
	}
	if options.Draws < fewestDraws || options.Draws > maxDraws {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("there cannot be %d draws", options.Draws), fmt.Sprintf("allowed: %d to %d, or 0 for %d", fewestDraws, maxDraws, defaultDraws))
	}
	c, err := o.Likeliest(l)
	if err != nil {
		return nil, err
	}
	base, err := newRunner(c.Graph, c.Scenario, options.Options)
	if err != nil {
		return nil, err
	}
	if _, _, err := base.objective(AtWorst); err != nil {
		return nil, err
	}
	u := &uncertainty{ctx: ctx, outlook: o, laws: l, options: options, base: base, tables: newRepairTables(), step: func() {}}
	u.options.Options = base.options
	u.options.Progress = nil
	u.draws = u.tables.hypercube(&l, options.Draws, options.Seed)
	return u, nil
}

// run returns the sums of the blocks of a case from one on.
func (u *uncertainty) run(c Case, from, blocks int) (*pairs, error) {
	r, err := newRunner(c.Graph, c.Scenario, u.options.Options)
	if err != nil {
		return nil, err
	}
	w := r.worker()
	p := &pairs{missions: make([]paired, len(r.missions))}
	var o outcomes
	for b := range blocks {
		if err := u.ctx.Err(); err != nil {
			return nil, err
		}
		w.outcomes(uint64(from+b), &o)
		p.add(&o, &o)
	}
	return p, nil
}

// Uncertainty runs a case under many draws of its parameters. Where ctx ends it early
// and ten draws are done it is of those that were, has of tornado and stability what was
// known by then, and has no hash.
func Uncertainty(ctx context.Context, o Outlook, l Laws, options UncertainOptions) (*Uncertain, error) {
	u, err := newUncertainty(ctx, o, l, options)
	if err != nil {
		return nil, err
	}
	var (
		draws  = u.options.Draws
		jobs   = draws + 2*Parameters
		sums   = make([]*pairs, jobs)
		failed = make([]error, jobs)
		blocks = u.base.blocks()
		stable int // draws that say how stable the order is
	)
	if u.options.Top > 0 {
		stable = u.stable()
	}
	u.step = steps(options.Progress, jobs+stable)
	u.base.spread(ctx, jobs, func(i int) {
		if d := i; d < draws {
			sums[i], failed[i] = u.run(u.outlook.drawn(u.tables, &u.laws, &u.draws[d], u.options.Seed, d), d*blocks, blocks)
		} else {
			// One at a time, all with the same random bits.
			x := u.tables.medians(&u.laws)
			share := uint64(tenth)
			if (i-draws)%2 == 1 {
				share = ^share
			}
			x[(i-draws)/2] = u.tables.at(u.laws[(i-draws)/2], share)
			sums[i], failed[i] = u.run(u.outlook.under(u.tables, &x, nil), 0, tornadoBlocks)
		}
		u.step()
	})
	if err := u.failure(failed); err != nil {
		return nil, fmt.Errorf("look at what is uncertain: %w", err)
	}
	// Those behind one that was not done are not taken: which are would hang on how long
	// each takes.
	done := until(draws, func(i int) bool { return sums[i] != nil })
	if done < fewestDraws {
		return nil, fmt.Errorf("look at what is uncertain: %w", ctx.Err())
	}
	list, looked, certain, err := u.stability()
	if err != nil {
		return nil, err
	}
	return u.result(sums[draws:], sums[:done], list, looked, certain), nil
}

// failure returns the first of some errors that is not that the look was ended.
func (u *uncertainty) failure(failed []error) error {
	for _, err := range failed {
		if err != nil && (u.ctx.Err() == nil || !errors.Is(err, u.ctx.Err())) {
			return err
		}
	}
	return nil
}

// until returns before which of n something is not done.
func until(n int, done func(i int) bool) int {
	for i := range n {
		if !done(i) {
			return i
		}
	}
	return n
}

func (u *uncertainty) result(swings, draws []*pairs, stable []Stability, looked, certain int) *Uncertain {
	g := u.outlook.Graph
	unit := 1 / float64(u.base.plan.total)
	res := &Uncertain{
		Format: uncertainFormat, Engine: u.base.options.Engine, Seed: u.base.options.Seed, Draws: len(draws), Planned: u.options.Draws, Trials: draws[0].worst.n,
		Horizon: u.base.options.Horizon.Hours(), Graph: g.named(), Parameters: u.digest(),
		Worst:    band(draws, func(p *pairs) float64 { return p.worst.difference(unit).Before }),
		Lost:     band(draws, func(p *pairs) float64 { return p.lost.difference(unit * float64(Always) / 60).Before }),
		Missions: []MissionBand{}, Tornado: []Swing{}, Stability: stable, StableDraws: looked, StableCertain: certain,
	}
	res.Complete = len(draws) == u.options.Draws && !slices.Contains(swings, nil) && (u.options.Top == 0 || looked == u.stable())
	for i, m := range u.base.missions {
		res.Missions = append(res.Missions, MissionBand{
			ID:    g.services[u.base.plan.service[m]].ID,
			Fails: band(draws, func(p *pairs) float64 { return float64(p.missions[i].failsNow) / float64(p.worst.n) }),
			Hours: band(draws, func(p *pairs) float64 { return p.missions[i].difference(1.0 / 60).Before }),
		})
	}
	for p := range Parameters {
		if swings[2*p] == nil || swings[2*p+1] == nil {
			continue
		}
		res.Tornado = append(res.Tornado, Swing{
			Parameter: Parameter(p).String(),
			At10:      swings[2*p].worst.difference(unit).Before, At90: swings[2*p+1].worst.difference(unit).Before,
		})
	}
	slices.SortStableFunc(res.Tornado, func(a, b Swing) int {
		return cmp.Compare(math.Abs(b.At90-b.At10), math.Abs(a.At90-a.At10))
	})
	if !res.Complete {
		return res
	}
	h := newHasher(uncertainFormat)
	h.text(res.Graph)
	h.text(res.Parameters)
	h.number(res.Seed)
	for _, p := range slices.Concat(swings, draws) {
		p.worst.hash(h)
		p.lost.hash(h)
		for i := range p.missions {
			p.missions[i].hash(h)
		}
	}
	for _, s := range stable {
		h.text(s.ID)
		h.number(math.Float64bits(s.First))
	}
	res.Hash = h.sum()
	return res
}

// band returns the band of a value over the draws.
func band(draws []*pairs, of func(*pairs) float64) Band {
	values := make([]float64, len(draws))
	for i, p := range draws {
		values[i] = of(p)
	}
	slices.Sort(values)
	at := func(share int) float64 { return values[(len(values)-1)*share/100] }
	return Band{Median: at(50), P10: at(10), P90: at(90)}
}

// stable is how many draws say how stable an order is.
func (u *uncertainty) stable() int { return min(stableDraws, len(u.draws)) }

// stability returns how often services are among the five that spare most if they
// cannot fall, of all that somebody requires, in how many draws that was looked for, and
// in how many it is certain.
func (u *uncertainty) stability() (list []Stability, looked, certain int, err error) {
	list = []Stability{}
	if u.options.Top == 0 || u.ctx.Err() != nil {
		return list, 0, 0, nil
	}
	n := len(u.base.plan.service) // ranks, the same in every draw: the order is
	sure := make([]bool, u.stable())
	first, looked, err := u.firsts(n, func(c Case, d int) ([]float64, error) {
		options := u.options.Options
		options.Threads, options.Top = 1, stableOf
		r, err := newRunner(c.Graph, c.Scenario, options)
		if err != nil {
			return nil, err
		}
		base := newBaseline(n, uint64(d), 1)
		r.worker().baseline(0, base)
		gains, _, certain := r.search(u.ctx, base)
		if err := u.ctx.Err(); err != nil {
			return nil, err
		}
		sure[d] = certain
		scores := make([]float64, n)
		for _, g := range gains {
			scores[g.rank] = float64(g.spared)
		}
		return scores, nil
	})
	if err != nil || looked < fewestDraws {
		return list, 0, 0, err
	}
	for _, yes := range sure[:looked] {
		if yes {
			certain++
		}
	}
	for v, share := range first {
		if share > 0 {
			list = append(list, Stability{u.base.graph.services[u.base.plan.service[v]].ID, share, looked})
		}
	}
	slices.SortStableFunc(list, func(a, b Stability) int { return cmp.Compare(b.First, a.First) })
	return list[:min(len(list), u.options.Top)], looked, certain, nil
}

// firsts returns in what share of some draws each of n things has one of the five
// highest scores, above 0, and how many draws these are: fewer where the look was ended.
func (u *uncertainty) firsts(n int, score func(c Case, d int) ([]float64, error)) (first []float64, looked int, err error) {
	draws := u.stable()
	scores := make([][]float64, draws)
	failed := make([]error, draws)
	u.base.spread(u.ctx, draws, func(d int) {
		scores[d], failed[d] = score(u.outlook.drawn(u.tables, &u.laws, &u.draws[d], u.options.Seed, d), d)
		u.step()
	})
	if err := u.failure(failed); err != nil {
		return nil, 0, fmt.Errorf("look at how stable it is: %w", err)
	}
	looked = until(draws, func(i int) bool { return scores[i] != nil })
	first = make([]float64, n)
	order := make([]int, n)
	for _, s := range scores[:looked] {
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s[b], s[a]) })
		for _, i := range order[:min(stableOf, n)] {
			if s[i] > 0 {
				first[i]++
			}
		}
	}
	for i := range first {
		first[i] /= float64(max(looked, 1))
	}
	return first, looked, nil
}

// digest names everything but the graph that the result depends on.
func (u *uncertainty) digest() string {
	h := newHasher("muster cascade uncertainty parameters v1")
	h.text(u.base.digest())
	h.number(uint64(u.options.Draws))
	for _, l := range u.laws {
		uniform := uint64(0)
		if l.Uniform {
			uniform = 1
		}
		h.number(math.Float64bits(l.Median), math.Float64bits(l.Low), math.Float64bits(l.High), uniform)
	}
	for _, p := range u.outlook.Scenario.Hits {
		h.number(uint64(p))
	}
	for _, p := range u.outlook.Controls {
		h.number(uint64(p))
	}
	for _, o := range u.outlook.Owner {
		h.number(uint64(o))
	}
	for _, l := range u.outlook.Levels {
		h.number(math.Float64bits(l.Resistance), math.Float64bits(l.Recovery))
	}
	if u.outlook.Crowd != nil {
		u.outlook.Crowd.hash(h)
	}
	return h.sum()
}

// Stable adds to the measures of an investment in what share of the draws of an
// outlook they are, each by itself, among the five that gain most for their cost:
// of the twelve best at the medians. Progress counts these draws.
func (v *Investment) Stable(ctx context.Context, o Outlook, l Laws, measures []Measure, options UncertainOptions) error {
	const of = 12
	u, err := newUncertainty(ctx, o, l, options)
	if err != nil {
		return err
	}
	objective, _, err := u.base.objective(v.Objective)
	if err != nil {
		return err
	}
	u.step = steps(options.Progress, u.stable())
	var list []Measure
	for i := range v.Alone[:min(of, len(v.Alone))] {
		at := slices.IndexFunc(measures, func(m Measure) bool { return m.ID == v.Alone[i].Measure })
		if at < 0 {
			return errs.New(errs.Invalid, "there is no measure "+errs.Quote(v.Alone[i].Measure), "give the measures that the investment was chosen from")
		}
		list = append(list, measures[at])
	}
	sum := func(c Case, d int) (float64, error) {
		r, err := newRunner(c.Graph, c.Scenario, u.options.Options)
		if err != nil {
			return 0, err
		}
		var x outcomes
		r.worker().outcomes(uint64(d), &x)
		total := 0.0
		for i := range Lanes {
			total += float64(objective(&x, i))
		}
		return total, u.ctx.Err()
	}
	first, looked, err := u.firsts(len(list), func(c Case, d int) ([]float64, error) {
		before, err := sum(c, d)
		if err != nil {
			return nil, err
		}
		gains := make([]float64, len(list))
		for i, m := range list {
			better, err := c.Apply(m)
			if err != nil {
				return nil, err
			}
			after, err := sum(better, d)
			if err != nil {
				return nil, err
			}
			gains[i] = (before - after) / float64(max(m.Cost, 1))
		}
		return gains, nil
	})
	if err != nil {
		return err
	}
	if looked < u.stable() {
		return fmt.Errorf("look at how stable it is: %w", ctx.Err())
	}
	h := newHasher(investmentFormat + " stability")
	h.text(v.Hash)
	h.text(u.digest())
	for i, share := range first {
		v.Alone[i].Stable = &share
		h.number(math.Float64bits(share))
	}
	v.Hash = h.sum()
	return nil
}
