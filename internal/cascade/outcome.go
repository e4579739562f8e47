package cascade

import (
	"fmt"
	"math/bits"
	"strings"

	"muster/internal/errs"
)

// An Objective is what of a trial counts.
type Objective string

// The objectives. "mission:" and an id is the time for which that mission is down.
const (
	AtWorst   Objective = "worst" // the share lost at the worst moment
	LostHours Objective = "hours" // for how many hours all that is critical would have to be down to lose as much

	missionObjective = "mission:"
)

// outcomes are what became of the trials of a block.
type outcomes struct {
	worst    [Lanes]uint64   // what is lost at the worst moment
	lost     [Lanes]uint64   // Σ of minutes times what is lost, in units of weight
	missions [][Lanes]uint32 // minutes down, in the order of the runner's missions
}

// outcomes runs the trials of a block. Timed engines only.
func (w *worker) outcomes(block uint64, o *outcomes) {
	if o.missions == nil {
		o.missions = make([][Lanes]uint32, len(w.missions))
	}
	for word := range blockWords {
		if w.grid != nil {
			w.grid.run(w.options.Seed, block, word)
			w.gridOutcomes(word*64, o)
			continue
		}
		w.event.run(w.options.Seed, block, word)
		for lane := range 64 {
			w.eventOutcome(lane, word*64+lane, o)
		}
	}
}

func (w *worker) eventOutcome(lane, at int, o *outcomes) {
	e, p := w.event, w.plan
	peak, _ := w.eventPeak(lane)
	o.worst[at] = uint64(peak)
	lost := uint64(0)
	for _, f := range e.lane(lane) {
		lost += uint64(e.minutes(f)) * p.costs[p.class[f.rank]]
	}
	o.lost[at] = lost >> digits
	for i, m := range w.missions {
		o.missions[i][at] = 0
		if n := &e.nodes[m]; n.lanes>>lane&1 != 0 {
			o.missions[i][at] = uint32(e.minutes(fall{m, n.sets + uint32(bits.OnesCount64(n.lanes&(1<<lane-1)))}))
		}
	}
}

func (w *worker) gridOutcomes(at int, o *outcomes) {
	e := w.grid
	lost, peaks := w.gridPeaks()
	copy(o.worst[at:], peaks[:])
	for lane := range 64 {
		sum := uint64(0)
		for i := range e.slices {
			sum += lost[i*64+lane]
		}
		o.lost[at+lane] = sum * uint64(e.slice) >> digits
		for i, m := range w.missions {
			slices := uint32(0)
			for _, word := range e.at(m) {
				slices += uint32(word >> lane & 1)
			}
			o.missions[i][at+lane] = slices * uint32(e.slice)
		}
	}
}

// objective returns what of outcomes counts, by trial, and what it has to be
// multiplied by: shares, or hours.
func (r *runner) objective(o Objective) (of func(*outcomes, int) uint64, scale float64, err error) {
	switch {
	case r.options.Engine == Static:
		return nil, 0, errs.New(errs.Invalid, "the engine static knows no time", "allowed: event, grid")
	case o == AtWorst || o == "":
		return func(x *outcomes, i int) uint64 { return x.worst[i] }, 1 / float64(r.plan.total), nil
	case o == LostHours:
		return func(x *outcomes, i int) uint64 { return x.lost[i] }, float64(Always) / float64(r.plan.total) / 60, nil
	}
	id, ok := strings.CutPrefix(string(o), missionObjective)
	for i, m := range r.missions {
		if ok && r.graph.services[r.plan.service[m]].ID == id {
			return func(x *outcomes, at int) uint64 { return uint64(x.missions[i][at]) }, 1.0 / 60, nil
		}
	}
	return nil, 0, errs.New(errs.Invalid, fmt.Sprintf("%s is nothing to aim at", errs.Quote(string(o))), "allowed: worst, hours, or mission: and the id of a mission")
}
