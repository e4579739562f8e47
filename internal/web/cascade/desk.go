package cascade

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"muster/internal/errs"
)

// The limits of what somebody can ask for.
const (
	maxTrials = 1 << 17
	maxTime   = 2 * time.Minute  // for a run or a comparison
	briefTime = 10 * time.Minute // for a page for who decides, which is some ten runs
	maxKept   = 40               // of what was asked for: the oldest is forgotten
)

// state is how far a job is.
type state string

const (
	waiting state = "waiting"
	running state = "running"
	done    state = "done"
	ended   state = "ended" // by who asked for it
	tooLong state = "tooLong"
	failed  state = "failed"
)

// job is one thing to work out. What stands in front of mu does not change, but for
// prepared, which the desk's mu guards.
type job struct {
	id       string
	prepared bool      // nobody asked for it yet
	scenario string    // whose page for who decides it is of; empty for another job
	budget   uint32    // that was asked for, for such a page
	requests []request // of a run, or of both sides of a comparison
	work     func(ctx context.Context, say func(stage string, share float64)) (any, error)

	mu     sync.Mutex
	state  state
	stage  string  // what is being done, an id of a message
	share  float64 // of the whole, 0 to 1
	result any     // of a job that is done, or was ended with something known
	err    error
	cancel context.CancelFunc // of a running job
	again  bool               // it makes way, and is begun again later
}

// now is how far a job is at a moment.
type now struct {
	State  state
	Stage  string
	Share  float64
	Result any
	Err    error
}

func (j *job) now() now {
	j.mu.Lock()
	defer j.mu.Unlock()
	return now{j.state, j.stage, j.share, j.result, j.err}
}

func (j *job) over() bool {
	s := j.now().State
	return s != waiting && s != running
}

// desk works one job after the other, those that somebody asked for first.
type desk struct {
	end  context.CancelFunc
	over chan struct{}

	mu     sync.Mutex
	wake   chan struct{}
	at     *job // that is being worked out
	queue  []*job
	jobs   map[string]*job
	asked  []*job // by somebody, oldest first
	number int
}

func newDesk(ctx context.Context) *desk {
	ctx, end := context.WithCancel(ctx)
	d := &desk{end: end, over: make(chan struct{}), wake: make(chan struct{}, 1), jobs: make(map[string]*job)}
	go d.run(ctx) // ends with close
	return d
}

func (d *desk) close() {
	d.end()
	<-d.over
}

func (d *desk) run(ctx context.Context) {
	defer close(d.over)
	for ctx.Err() == nil {
		j := d.next()
		if j == nil {
			select {
			case <-d.wake:
			case <-ctx.Done():
			}
			continue
		}
		j.run(ctx)
		d.after(j)
	}
}

// after puts a job that made way for another at the end.
func (d *desk) after(j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = nil
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.again && j.state == ended {
		j.state, j.share, j.stage, j.err, j.again = waiting, 0, "", nil, false
		d.queue = append(d.queue, j)
	}
}

func (d *desk) next() *job {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = nil
	for len(d.queue) > 0 {
		j := d.queue[0]
		d.queue = d.queue[1:]
		if !j.over() { // it may have been ended while it waited
			d.at = j
			return j
		}
	}
	return nil
}

// run works the job out. A fault of the work is the job's.
func (j *job) run(parent context.Context) {
	limit := maxTime
	if j.scenario != "" {
		limit = briefTime
	}
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	j.mu.Lock()
	if j.state != waiting {
		j.mu.Unlock()
		return
	}
	j.state, j.cancel = running, cancel
	j.mu.Unlock()
	result, err := j.work(ctx, func(stage string, share float64) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.stage, j.share = stage, share
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.result, j.err, j.cancel = result, err, nil
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		j.state = tooLong
	case ctx.Err() != nil:
		j.state = ended
	case err != nil:
		j.state = failed
	default:
		j.state, j.share = done, 1
	}
}

// prepare takes a job that nobody asked for yet. It comes last.
func (d *desk) prepare(j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	j.prepared = true
	d.take(j, len(d.queue))
}

func (d *desk) take(j *job, at int) {
	j.state = waiting
	d.jobs[j.id] = j
	d.queue = slices.Insert(d.queue, at, j)
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// ask takes a job, with a number of its own in front of which name stands; or one
// whose id says what it is, where name is empty. It refuses, with kind Conflict and
// with the job that is in the way, while another that was asked for is not over.
func (d *desk) ask(name string, j *job) (*job, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, ok := d.jobs[j.id]; ok && name == "" {
		if s := old.now().State; s == done || s == running {
			return old, nil
		}
		if i := slices.Index(d.queue, old); i >= 0 && old.now().State == waiting { // it was to be worked out anyway: now
			d.queue = slices.Insert(slices.Delete(d.queue, i, i+1), 0, old)
			old.prepared = false
			d.makeWay()
			return old, nil
		}
	}
	for _, other := range d.asked {
		if !other.over() {
			return other, errs.New(errs.Conflict, "something is being worked out already", "wait for it, or end it")
		}
	}
	if name != "" {
		d.number++
		j.id = name + "-" + strconv.Itoa(d.number)
	}
	d.asked = append(d.asked, j)
	if len(d.asked) > maxKept {
		delete(d.jobs, d.asked[0].id)
		d.asked = d.asked[1:]
	}
	d.take(j, 0)
	d.makeWay()
	return j, nil
}

// makeWay ends what nobody asked for yet; it is begun again later.
func (d *desk) makeWay() {
	if j := d.at; j != nil && j.prepared {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.cancel != nil {
			j.again = true
			j.cancel()
		}
	}
}

// find returns a job by its id.
func (d *desk) find(id string) *job {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.jobs[id]
}

// list returns what was asked for, newest first.
func (d *desk) list() []*job {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := slices.Clone(d.asked)
	slices.Reverse(all)
	return all
}

// stop ends a job; what is known by then is kept.
func (j *job) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch j.state {
	case waiting:
		j.state = ended
	case running:
		j.cancel()
	}
}

// resultOf returns what a job found as a T, or nil.
func resultOf[T any](j *job) *T {
	if j == nil {
		return nil
	}
	r, _ := j.now().Result.(*T)
	return r
}

// errNothing is of a job that was ended before anything was known.
var errNothing = fmt.Errorf("nothing was known yet: %w", context.Canceled)
