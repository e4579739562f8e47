package cascade

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// spread calls do for 0 until n on the run's threads, until ctx ends.
func (r *runner) spread(ctx context.Context, n int, do func(i int)) {
	var (
		next atomic.Int64
		wait sync.WaitGroup
	)
	for range min(r.options.Threads, n) {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wait.Wait()
}

// series is what became of the trials of a result with some measures.
type series struct {
	values   []uint64 // the objective, by trial
	missions []uint64 // Σ of minutes, by mission
}

// series runs the trials of the result, which come behind those that chose.
func (s *search) series(set []int, owner *string) (*series, error) {
	r, err := s.taken(set, owner)
	if err != nil {
		return nil, err
	}
	w := r.worker()
	x := &series{missions: make([]uint64, len(r.missions)), values: make([]uint64, 0, r.blocks()*Lanes)}
	var o outcomes
	for b := range r.blocks() {
		if s.ctx.Err() != nil {
			return nil, s.ctx.Err()
		}
		w.outcomes(uint64(s.blocks+b), &o)
		for i := range Lanes {
			x.values = append(x.values, s.of(&o, i))
			for m := range x.missions {
				x.missions[m] += uint64(o.missions[m][i])
			}
		}
	}
	return x, nil
}

func (x *series) against(before *series, scale float64) Difference {
	var p paired
	for i, v := range x.values {
		p.add(before.values[i], v)
	}
	return p.difference(scale)
}

// ladder orders a choice by gain per cost on the trials that chose.
func (s *search) ladder(chosen []int) [][]int {
	steps := [][]int{{}}
	for left := slices.Clone(chosen); len(left) > 0; {
		set := steps[len(steps)-1]
		s.evaluate(s.singles(set, left))
		now := s.value(set)
		best, most := left[0], math.Inf(-1)
		for _, i := range left {
			if x := (now - s.value(with(set, i))) / float64(max(s.measures[i].Cost, 1)); x > most {
				best, most = i, x
			}
		}
		steps = append(steps, with(set, best))
		left = without(left, best)
	}
	return steps
}

// result measures a choice on fresh trials.
func (s *search) result(chosen []int) (*Investment, error) {
	v, all, err := s.measure(s.ladder(chosen), s.tried, s.owners(chosen))
	if err != nil {
		return nil, err
	}
	v.Complete = true
	v.Hash = s.hash(v, all)
	return v, nil
}

// unfinished is what is known when ctx has ended: the best set that was tried, in
// the order of what its measures gained alone, on one block of fresh trials. Who
// stops a search waits for no more.
func (s *search) unfinished() (*Investment, error) {
	if s.best == nil {
		return nil, fmt.Errorf("invest: %w", s.ctx.Err())
	}
	last := *s
	last.ctx = context.WithoutCancel(s.ctx)
	last.options.Trials = Lanes
	order := slices.Clone(s.best)
	if nothing, ok := s.values[key(nil)]; ok && s.values[key(s.best)] >= nothing {
		order = nil
	}
	alone := func(i int) float64 {
		if x, ok := s.values[key([]int{i})]; ok {
			return x
		}
		return math.Inf(1)
	}
	slices.SortStableFunc(order, func(a, b int) int { return compareFloat(alone(a), alone(b)) })
	ladder := [][]int{{}}
	for _, i := range order {
		ladder = append(ladder, with(ladder[len(ladder)-1], i))
	}
	v, _, err := last.measure(ladder, order, nil)
	return v, err
}

// measure measures the steps of a ladder, measures alone, and owners alone with the
// ladder's end.
func (s *search) measure(ladder [][]int, singles []int, owners []string) (*Investment, []*series, error) {
	chosen := ladder[len(ladder)-1]
	sets := slices.Clone(ladder)
	for _, i := range singles {
		sets = append(sets, []int{i})
	}
	all := make([]*series, len(sets)+len(owners))
	failed := make([]error, len(all))
	s.base.spread(s.ctx, len(all), func(i int) {
		if i < len(sets) {
			all[i], failed[i] = s.series(sets[i], nil)
		} else {
			all[i], failed[i] = s.series(chosen, &owners[i-len(sets)])
		}
	})
	for i, err := range append(failed, s.ctx.Err()) {
		if err != nil {
			return nil, nil, fmt.Errorf("measure choice %d: %w", i, err)
		}
	}
	base := all[0]
	v := &Investment{
		Format: investmentFormat, Engine: s.base.options.Engine, Seed: s.base.options.Seed, Trials: uint64(len(base.values)),
		Horizon: s.base.options.Horizon.Hours(), Graph: s.base.graph.named(), Parameters: s.digest(),
		Objective: s.options.Objective, Budget: s.options.Budget, Measures: len(s.measures), Confirmed: len(s.tried), Tried: len(s.values),
		Steps: []Step{}, Alone: []Gain{},
	}
	v.Before = base.against(base, s.scale).Before
	alone := make(map[int]*series)
	for k, i := range singles {
		alone[i] = all[len(ladder)+k]
		v.Alone = append(v.Alone, Gain{Measure: s.measures[i].ID, Cost: s.measures[i].Cost, Gain: alone[i].against(base, s.scale)})
	}
	slices.SortStableFunc(v.Alone, func(a, b Gain) int { return cmp.Compare(a.perCost(), b.perCost()) })
	for k := 1; k < len(ladder); k++ {
		i := slices.IndexFunc(ladder[k], func(i int) bool { return !slices.Contains(ladder[k-1], i) })
		m := ladder[k][i]
		v.Steps = append(v.Steps, Step{
			Measure: s.measures[m].ID, Cost: s.measures[m].Cost, Total: uint32(s.cost(ladder[k])),
			Gain: all[k].against(all[k-1], s.scale), Joint: all[k].against(base, s.scale), Reason: s.reason(m, base, alone[m]),
		})
	}
	if len(owners) > 1 {
		v.Dividend = s.dividend(owners, base, all[len(ladder)-1], all[len(sets):])
	}
	return v, all, nil
}

func (g Gain) perCost() float64 { return g.Gain.Change / float64(max(g.Cost, 1)) }

// touched calls do for every service that a measure does something for.
func (s *search) touched(m int, do func(service int32)) {
	for i := range s.measures[m].Actions {
		a := &s.measures[m].Actions[i]
		for _, v := range a.Services {
			do(v)
		}
		for _, q := range a.Requirements {
			do(s.c.Graph.requirements[q].Service)
		}
	}
}

// owners returns whose services a choice touches, sorted.
func (s *search) owners(chosen []int) []string {
	seen := make(map[string]bool)
	for _, m := range chosen {
		s.touched(m, func(v int32) {
			if s.options.Owners != nil {
				seen[s.options.Owners[v]] = true
			}
		})
	}
	var list []string
	for o := range seen {
		list = append(list, o)
	}
	slices.Sort(list)
	return list
}

func (s *search) reason(m int, base, alone *series) Reason {
	services, owners := make(map[int32]bool), make(map[string]bool)
	s.touched(m, func(v int32) {
		services[v] = true
		if s.options.Owners != nil {
			owners[s.options.Owners[v]] = true
		}
	})
	r := Reason{Services: len(services), Owners: len(owners)}
	if d := alone.against(base, s.scale); d.Before > 0 {
		r.Share = (0 - d.Change) / d.Before
	}
	for i, rank := range s.base.missions {
		if alone.missions[i] >= base.missions[i] {
			continue
		}
		hours := float64(base.missions[i]-alone.missions[i]) / float64(len(base.values)) / 60
		if hours > r.Hours {
			r.Hours, r.Mission = hours, s.base.graph.services[s.base.plan.service[rank]].ID
		}
	}
	return r
}

func (s *search) dividend(owners []string, base, joint *series, single []*series) *Dividend {
	d := &Dividend{Joint: 0 - joint.against(base, s.scale).Change}
	for i, o := range owners {
		x := single[i].against(base, s.scale)
		d.Owner = append(d.Owner, OwnersGain{Owner: o, Gain: 0 - x.Change, Error: x.Error})
		d.Sum -= x.Change
	}
	// Trial by trial: what the joint choice gains less what the single ones do.
	sum, squares := 0.0, 0.0
	for t := range base.values {
		extra := float64(base.values[t]) - float64(joint.values[t])
		for i := range owners {
			extra -= float64(base.values[t]) - float64(single[i].values[t])
		}
		sum += extra
		squares += float64(extra * extra)
	}
	n := float64(len(base.values))
	d.Extra = sum / n * s.scale
	d.Error = z95 * deviation(sum, squares, n) / math.Sqrt(n) * s.scale
	return d
}

// digest names everything but the graph that the choice depends on.
func (s *search) digest() string {
	h := newHasher("muster cascade investment parameters v1")
	h.text(s.base.digest())
	h.text(string(s.options.Objective))
	h.number(uint64(s.options.Budget), uint64(s.options.Confirm), uint64(len(s.measures)))
	list := func(l []int32) {
		h.number(uint64(len(l)))
		for _, i := range l {
			h.number(uint64(i))
		}
	}
	for i := range s.measures {
		h.text(s.measures[i].ID)
		h.number(uint64(s.measures[i].Cost), uint64(len(s.measures[i].Actions)))
		for j := range s.measures[i].Actions {
			a := &s.measures[i].Actions[j]
			list(a.Services)
			h.number(math.Float64bits(a.Ratio), math.Float64bits(a.Repair), uint64(a.Severity))
			list(a.Requirements)
			h.number(uint64(a.Buffer))
			list(a.Substitutes)
		}
	}
	for _, o := range s.options.Owners {
		h.text(o)
	}
	return h.sum()
}

// hash covers the choice and every value of the objective that it rests on.
func (s *search) hash(v *Investment, all []*series) string {
	h := newHasher(investmentFormat)
	h.text(v.Graph)
	h.text(v.Parameters)
	h.number(v.Seed)
	for _, step := range v.Steps {
		h.text(step.Measure)
	}
	for _, x := range all {
		h.number(x.values...)
		h.number(x.missions...)
	}
	return h.sum()
}
