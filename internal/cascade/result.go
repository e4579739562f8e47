package cascade

import (
	"context"
	"math"
)

// A Result is what a run found. Shares are of the weight of all services; each
// comes with the half width of its 95 per cent interval where it is a mean.
type Result struct {
	Format   string       `json:"format"`
	Engine   Engine       `json:"engine"`
	Seed     uint64       `json:"seed"`
	Trials   uint64       `json:"trials"`
	Planned  uint64       `json:"planned_trials"`
	Complete bool         `json:"complete"` // all planned trials were done
	Horizon  float64      `json:"horizon_hours"`
	Graph    string       `json:"graph_digest"`
	Scenario string       `json:"parameter_digest"` // of everything else that the result depends on
	Hash     string       `json:"result_hash,omitempty"`
	Worst    Share        `json:"lost_at_worst_moment"`
	Restored Delay        `json:"hours_to_90_percent_restored"`
	Bound    float64      `json:"input_output_bound"` // the expected loss is never above it; the mean of some trials can be
	Curve    []Moment     `json:"curve"`
	Missions []Mission    `json:"missions"`
	Top      []Dependency `json:"top_dependencies"`
	Tried    int          `json:"dependencies_tried"`   // how many services were run without, to find the top
	Certain  bool         `json:"no_other_spares_more"` // in these trials, of those that were not tried
}

// Share is a share lost, over the trials.
type Share struct {
	Mean  float64 `json:"mean"`
	Error float64 `json:"half_width"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"` // one trial in twenty loses at least that
}

// Delay is a length of time in hours, over the trials. A quantile that more trials than
// it leaves out never reach is censored: P95 where Never is above 0.05, and P50 where it
// is above 0.5, are the horizon, and say only that the time is longer.
type Delay struct {
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	Never float64 `json:"never"` // the share of trials in which it lies beyond the horizon
}

// Moment is a sample time.
type Moment struct {
	Hours float64 `json:"hours"`
	Mean  float64 `json:"mean"`
	P95   float64 `json:"p95"`
}

// Mission is what happens to a mission.
type Mission struct {
	ID    string  `json:"id"`
	Fails float64 `json:"fails"`                // the share of trials in which it is down at some time
	Error float64 `json:"half_width"`           // holds Wilson's interval, and is above 0 where it never fails
	Worst Share   `json:"lost_at_worst_moment"` // of its own weight
	Mean  float64 `json:"mean_hours_down"`
	P50   float64 `json:"p50_hours_down"`
	P95   float64 `json:"p95_hours_down"`
}

// Dependency is a service on which others hang. All of it is of the mean share lost at
// the worst moment.
type Dependency struct {
	ID     string  `json:"id"`
	Falls  float64 `json:"falls"`  // the share of trials in which it is down at some time
	Spared float64 `json:"spared"` // what is lost less if it cannot be down
	Error  float64 `json:"half_width"`

	// Birnbaum's importance: what is lost more when it is hit than when it is not.
	Birnbaum      float64 `json:"birnbaum"`
	BirnbaumError float64 `json:"birnbaum_half_width"`

	// Criticality importance: of what is lost, the share that goes back to its being
	// hit: the chance of that times Birnbaum's importance, by the mean lost.
	Criticality      float64 `json:"criticality"`
	CriticalityError float64 `json:"criticality_half_width"`
}

// resultFormat names the form of a result.
const resultFormat = "muster cascade result v1"

// z95 is how many standard errors on either side hold 95 per cent of a normal law.
const z95 = 1.959963984540054

func (r *runner) result(ctx context.Context, t *tally) *Result {
	total := float64(r.plan.total)
	n := float64(t.trials)
	res := &Result{
		Format: resultFormat, Engine: r.options.Engine, Seed: r.options.Seed, Trials: t.trials,
		Planned: uint64(r.blocks()) * Lanes, Horizon: r.options.Horizon.Hours(),
		Graph: r.graph.digest, Scenario: r.digest(), Bound: Bound(r.graph, r.scenario),
		Curve: []Moment{}, Missions: []Mission{}, Top: []Dependency{},
	}
	res.Complete = res.Trials == res.Planned
	res.Worst = Share{
		Mean:  t.worst.float() / n / total,
		Error: z95 * deviation(t.worst.float(), t.squares.float(), n) / math.Sqrt(n) / total,
		P50:   float64(quantileBin(t.shares, t.trials, 50)) / shareBins,
		P95:   float64(quantileBin(t.shares, t.trials, 95)) / shareBins,
	}
	step := r.slice.Hours()
	if r.options.Engine != Static {
		res.Restored = Delay{
			P50:   float64(quantileBin(t.restored, t.trials, 50)) * step,
			P95:   float64(quantileBin(t.restored, t.trials, 95)) * step,
			Never: float64(t.restored[len(t.restored)-1]) / n,
		}
		for i := range t.curve {
			bins := t.bins[i*(curveBins+1) : (i+1)*(curveBins+1)]
			res.Curve = append(res.Curve, Moment{
				Hours: float64(float64(i) * step), Mean: t.curve[i].float() / n / total,
				P95: float64(quantileBin(bins, t.trials, 95)) / curveBins,
			})
		}
	}
	for i := range t.missions {
		res.Missions = append(res.Missions, r.mission(&t.missions[i], t, step))
	}
	if r.options.Top > 0 && res.Complete {
		res.Top, res.Tried, res.Certain = r.top(ctx, t)
		res.Complete = ctx.Err() == nil
	}
	if res.Complete {
		res.Hash = res.hash(t)
	}
	return res
}

func (r *runner) mission(m *mission, t *tally, step float64) Mission {
	s := &r.graph.services[r.plan.service[m.rank]]
	n := float64(t.trials)
	fails := float64(t.falls[m.rank]) / n
	severity := s.Severity.Float()
	half := wilson(fails, n)
	at := func(percent uint64) float64 { // of a loss that is the severity or nothing
		if 100*(t.trials-t.falls[m.rank]) >= percent*t.trials {
			return 0
		}
		return severity
	}
	res := Mission{
		ID: s.ID, Fails: fails, Error: half,
		Worst: Share{Mean: fails * severity, Error: half * severity, P50: at(50), P95: at(95)},
	}
	if r.options.Engine != Static {
		res.Mean = float64(t.minutes[m.rank]) / n / 60
		res.P50 = float64(quantileBin(m.minutes, t.trials, 50)) * step
		res.P95 = float64(quantileBin(m.minutes, t.trials, 95)) * step
	}
	return res
}

// wilson returns how far Wilson's 95 per cent interval of a share reaches from it, on
// the side where it reaches further. What never or always came in n trials does not have
// no width: of 0 in n it is 3.8 in n, about.
func wilson(share, n float64) float64 {
	z2 := float64(z95 * z95)
	half := z95 * math.Sqrt(float64(share*(1-share))/n+z2/float64(4*float64(n*n)))
	shift := float64(z2/n) * math.Abs(0.5-share) // of the interval's middle, to one half
	return (half + shift) / (1 + z2/n)
}

// deviation returns the standard deviation of n values from their sum and that of
// their squares.
func deviation(sum, squares, n float64) float64 {
	mean := sum / n
	return math.Sqrt(max(0, squares/n-float64(mean*mean)))
}

// quantileBin returns the first bin up to which there are percent of n counts.
func quantileBin[T uint32 | uint64](bins []T, n uint64, percent uint64) int {
	seen := uint64(0)
	for i, c := range bins {
		if seen += uint64(c); 100*seen >= percent*n {
			return i
		}
	}
	return len(bins) - 1
}

// digest names everything but the graph that a result depends on.
func (r *runner) digest() string {
	h := newHasher("muster cascade parameters v1")
	h.text(string(r.options.Engine))
	h.number(uint64(r.blocks()), uint64(r.options.Horizon), uint64(r.options.Samples), uint64(r.options.Top))
	h.number(uint64(len(r.scenario.Hits)))
	for _, p := range r.scenario.Hits {
		h.number(uint64(p))
	}
	for i, law := range r.scenario.Repair {
		if law.Median > 0 {
			h.number(uint64(i), uint64(law.Median), uint64(law.Spread))
		}
	}
	return h.sum()
}

// hash covers seed, digests and every sum and count that the result is drawn
// from, all of them whole numbers, and the dependencies.
func (res *Result) hash(t *tally) string {
	h := newHasher(resultFormat)
	h.text(res.Graph)
	h.text(res.Scenario)
	h.number(res.Seed, t.trials, t.worst.hi, t.worst.lo, t.squares.hi, t.squares.lo)
	h.number(t.shares...)
	h.number(t.restored...)
	for i := range t.curve {
		h.number(t.curve[i].hi, t.curve[i].lo)
	}
	for _, n := range t.bins {
		h.number(uint64(n))
	}
	h.number(t.falls...)
	h.number(t.minutes...)
	for i := range t.missions {
		h.number(t.missions[i].minutes...)
	}
	for _, d := range res.Top {
		h.text(d.ID)
		for _, x := range []float64{d.Falls, d.Spared, d.Error, d.Birnbaum, d.BirnbaumError, d.Criticality, d.CriticalityError} {
			h.number(math.Float64bits(x))
		}
	}
	return h.sum()
}
