package dap

import (
	"fmt"
	"math"
)

// A Time is a number of units of the task's time_precision since the Unix
// epoch, leap seconds not counted (section 4.1.1). Times of tasks with different
// precision must not be compared.
type Time uint64

// A Duration is a number of units of the task's time_precision.
type Duration uint64

// An Interval is half-open: Start is inside, Start + Duration is not.
type Interval struct {
	Start    Time
	Duration Duration
}

// TimeFromUnix returns the unit in which the moment lies: seconds since the
// epoch, divided by precision (in seconds) and rounded down. The caller reads
// its own clock.
func TimeFromUnix(seconds int64, precision uint64) (Time, error) {
	if precision == 0 {
		return 0, fmt.Errorf("dap: time precision of 0 seconds")
	}
	if seconds < 0 {
		return 0, fmt.Errorf("dap: time %d lies before 1970", seconds)
	}
	return Time(uint64(seconds) / precision), nil
}

// Unix returns the first second of the unit, since the epoch, or an error if
// it lies beyond what an int64 holds.
func (t Time) Unix(precision uint64) (int64, error) {
	if precision == 0 {
		return 0, fmt.Errorf("dap: time precision of 0 seconds")
	}
	if uint64(t) > math.MaxInt64/precision {
		return 0, fmt.Errorf("dap: time %d of precision %d s overflows", t, precision)
	}
	return int64(uint64(t) * precision), nil
}

// Add returns t + d, or an error if that overflows.
func (t Time) Add(d Duration) (Time, error) {
	if uint64(d) > math.MaxUint64-uint64(t) {
		return 0, fmt.Errorf("dap: time %d + %d overflows", t, d)
	}
	return t + Time(d), nil
}

// NewInterval returns the interval from start to end, end excluded.
func NewInterval(start, end Time) (Interval, error) {
	if end < start {
		return Interval{}, fmt.Errorf("dap: interval ends at %d, before its start at %d", end, start)
	}
	return Interval{Start: start, Duration: Duration(end - start)}, nil
}

// End returns the first time after the interval, or an error if it overflows.
// The intervals in decoded messages never do.
func (i Interval) End() (Time, error) { return i.Start.Add(i.Duration) }

// Compare returns -1 if t is before the interval, 0 if inside and +1 if after.
// A time at the start of an interval without duration is after it.
func (i Interval) Compare(t Time) int {
	switch {
	case t < i.Start:
		return -1
	case uint64(t-i.Start) < uint64(i.Duration):
		return 0
	}
	return +1
}

// Contains says whether t is inside the interval.
func (i Interval) Contains(t Time) bool { return i.Compare(t) == 0 }

// ContainsInterval says whether other starts not before i and ends not after
// it, as a batch selector must with its query (section 5.1.2).
func (i Interval) ContainsInterval(other Interval) bool {
	if other.Start < i.Start {
		return false
	}
	skipped := uint64(other.Start - i.Start)
	return skipped <= uint64(i.Duration) && uint64(other.Duration) <= uint64(i.Duration)-skipped
}

// Extend returns the smallest interval that contains both i and t; an interval
// without duration counts as empty, wherever it starts. It returns an error if
// the end overflows.
func (i Interval) Extend(t Time) (Interval, error) {
	end, err := t.Add(1)
	if err != nil {
		return Interval{}, err
	}
	if i.Duration == 0 {
		return Interval{Start: t, Duration: 1}, nil
	}
	oldEnd, err := i.End()
	if err != nil {
		return Interval{}, err
	}
	return NewInterval(min(i.Start, t), max(oldEnd, end))
}

func (i Interval) write(w *writer) {
	if _, err := i.End(); err != nil {
		w.fail(ErrMalformed, "duration", "the interval's end overflows")
	}
	w.u64(uint64(i.Start))
	w.u64(uint64(i.Duration))
}

func (i *Interval) read(r *reader) {
	i.Start = Time(r.u64("start"))
	i.Duration = Duration(r.u64("duration"))
	if _, err := i.End(); err != nil && r.err == nil {
		r.fail(ErrMalformed, "duration", "the interval's end overflows")
	}
}
