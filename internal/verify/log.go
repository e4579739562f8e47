package verify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
)

// seenAt says that a witness had seen the first Size entries at a moment.
type seenAt struct {
	size uint64
	at   time.Time
}

// skew is how far honest clocks may be apart.
const skew = 5 * time.Minute

// log checks the checkpoint's signatures and what came before it.
func (a *auditor) log() error {
	signed := false
	w, err := a.cfg.Policy.Read(a.b.Checkpoint, a.cfg.Now)
	if err != nil {
		a.fails(StepLog, ledger.CheckpointName, err, "log_unsigned")
		a.unchecked(StepWitnesses, "witnesses_unsigned")
	} else {
		signed = true
		a.holds(StepLog, "log_signed", w.Origin, int(w.Size))
		a.witnesses(w)
	}
	follows := a.earlier()
	if a.cfg.Seen != nil {
		seen, err := a.cfg.Policy.Read(a.cfg.Seen, a.cfg.Now)
		if err != nil {
			return errs.Wrap(err, errs.Invalid, "the checkpoint that was kept is not of this ledger: "+errs.Describe(err).Message, "give the file that an earlier run kept, and the policy of its ledger")
		}
		if err := a.b.View.Consistent(seen.Checkpoint); err != nil {
			follows = false
			a.fails(StepConsistency, ledger.CheckpointName, err, "rewound", int(seen.Size), int(a.b.View.Checkpoint.Size))
		} else {
			a.holds(StepConsistency, "follows_seen", int(seen.Size), int(a.b.View.Checkpoint.Size))
		}
	} else {
		a.unchecked(StepConsistency, "nothing_seen")
	}
	if signed && follows {
		a.report.Checkpoint = a.b.Checkpoint
	}
	return nil
}

// ahead sets the reader's clock to the last moment of a cycle that is marked: who
// rehearses a month in a minute has a clock that runs ahead, and claims nothing. A
// charter that is not signed as it should be is found later.
func (a *auditor) ahead() {
	marking := ""
	for _, s := range a.b.Of(ledger.KindCharter) {
		if file, ok := a.b.Signed(s); ok {
			if c, err := coalition.SignedCharter(file).Read(); err == nil {
				marking = c.Marking
			}
		}
	}
	if marking == "" {
		return
	}
	late := a.cfg.Now
	for _, note := range append(slices.Collect(maps.Values(a.b.Earlier)), a.b.Checkpoint) {
		w, err := a.cfg.Policy.Read(note, time.Unix(maxTime, 0))
		if err != nil {
			continue // that is said of it elsewhere
		}
		for _, c := range w.Witnesses {
			if c.Signed && c.Time.After(late) {
				late = c.Time
			}
		}
	}
	if late.After(a.cfg.Now.Add(skew)) {
		a.cfg.Now = late
		a.unchecked(StepTimes, "time_ahead", marking)
	}
}

// maxTime is the end of the year 9999, in seconds since 1970.
const maxTime = 253_402_300_799

// earlier checks the signatures of the earlier checkpoints in the bundle, which
// follow from each other: opening it has shown that. It reports whether they are
// the ledger's.
func (a *auditor) earlier() bool {
	good := true
	for _, size := range slices.Sorted(maps.Keys(a.b.Earlier)) {
		name := "checkpoints/" + strconv.FormatUint(size, 10)
		w, err := a.cfg.Policy.Read(a.b.Earlier[size], a.cfg.Now)
		if err == nil {
			err = faults(w)
		}
		if err != nil {
			a.fails(StepConsistency, name, err, "earlier_unsigned", int(size))
			good = false
			continue
		}
		a.saw(w)
	}
	if n := len(a.b.Earlier); n > 0 && good {
		a.holds(StepConsistency, "earlier", n)
	}
	return good
}

// faults returns what is wrong with the signatures of a checkpoint, however many
// witnesses there are.
func faults(w ledger.Witnessed) error {
	w.Threshold = 0
	return w.Enough()
}

func (a *auditor) saw(w ledger.Witnessed) {
	for _, c := range w.Witnesses {
		if c.Signed {
			a.times = append(a.times, seenAt{w.Size, c.Time})
		}
	}
}

// witnesses checks who has seen the checkpoint.
func (a *auditor) witnesses(w ledger.Witnessed) {
	err := w.Enough()
	switch {
	case faults(w) != nil:
		a.fails(StepWitnesses, ledger.CheckpointName, faults(w), "witness_forged")
	case err != nil:
		a.fails(StepWitnesses, ledger.CheckpointName, err, "witness_missing", w.Count(), w.Threshold)
	case w.Threshold == 0:
		a.unchecked(StepWitnesses, "witness_none")
	default:
		a.saw(w)
		first := time.Time{}
		for _, c := range w.Witnesses {
			if c.Signed && (first.IsZero() || c.Time.Before(first)) {
				first = c.Time
			}
		}
		a.holds(StepWitnesses, "witnessed", w.Count(), len(w.Witnesses), w.Threshold, moment(first))
	}
}

// charterWitnesses holds the checkpoint to the witnesses that a charter names, if
// the reader's policy asks for less.
func (a *auditor) charterWitnesses(c *cycle) {
	want := c.charter.Witnesses
	if want.Log != "" && !want.Log.Same(a.cfg.Policy.Log) {
		a.fails(StepCharter, file(c.digest), nil, "charter_ledger", want.Log.Name())
	}
	if len(want.Keys) == 0 {
		if c.charter.Marking == "" {
			a.unchecked(StepWitnesses, "charter_no_witness")
		}
		return
	}
	policy := ledger.Policy{Log: a.cfg.Policy.Log, Threshold: want.Threshold, Witnesses: want.Keys}
	w, err := policy.Read(a.b.Checkpoint, a.cfg.Now)
	if err != nil {
		return // it was said already that the ledger has not signed it
	}
	if n := w.Count(); n < want.Threshold {
		a.fails(StepWitnesses, ledger.CheckpointName, nil, "charter_witness_missing", n, want.Threshold)
		return
	}
	a.holds(StepWitnesses, "charter_witnessed", w.Count(), want.Threshold)
}

// latest returns the earliest moment at which a witness had seen an entry.
func (a *auditor) latest(number int) (time.Time, bool) {
	var first time.Time
	for _, s := range a.times {
		if s.size > uint64(number) && (first.IsZero() || s.at.Before(first)) {
			first = s.at
		}
	}
	return first, !first.IsZero()
}

// place names an entry: the part of the bundle that it stands in, and its number.
func (a *auditor) place(number int) string {
	width := min(ledger.TileWidth, len(a.b.Statements)-number/ledger.TileWidth*ledger.TileWidth)
	return fmt.Sprintf("%s#%d", ledger.EntriesName(uint64(number/ledger.TileWidth), width), number)
}

// file names a signed file of the bundle.
func file(digest string) string { return "files/" + digest }

// entries checks who signed each entry.
func (a *auditor) entries() {
	good, foreign, resting, bad := 0, 0, 0, 0
	wrong := each(a.cfg.Attack.Workers, a.b.Statements, func(_ int, s ledger.Statement) error {
		if c := a.speaks(s); c != nil {
			return s.Verify(ledger.PartiesOf(c.charter))
		}
		return nil
	})
	for number, s := range a.b.Statements {
		ours, code := s.Cycle == a.b.Manifest.Cycle, "entry_unsigned"
		err := wrong[number]
		if ours && s.Charter != "" && a.by[s.Charter] == nil && !a.entered(s.Charter) {
			err, code = errs.New(errs.Invalid, "no entry of the cycle is of this charter: "+s.Charter, ""), "entry_charter"
		}
		switch {
		case err != nil && bad == maxListed:
			continue
		case err != nil:
			bad++
			a.fails(StepEntries, a.place(number), err, code, number, what(s))
			if bad == maxListed {
				a.fails(StepEntries, "", nil, "and_more")
			}
		case a.speaks(s) != nil:
			good++
		case ours:
			resting++
		default:
			foreign++
		}
	}
	if resting > 0 {
		a.unchecked(StepEntries, "entries_resting", resting)
	}
	if bad == 0 && resting == 0 && good > 0 {
		a.holds(StepEntries, "entries_signed", good)
	}
	if foreign > 0 {
		a.unchecked(StepEntries, "entries_foreign", foreign)
	}
}

// entered reports whether the record has a charter of this digest for the cycle.
func (a *auditor) entered(charter string) bool {
	for _, s := range a.b.Of(ledger.KindCharter) {
		if s.Fields["digest"] == charter {
			return true
		}
	}
	return false
}

// maxListed is how many findings of one sort are listed before it is said that there
// are more.
const maxListed = 20

// speaks returns the cycle whose charter says who may sign a statement: its own, or
// for one that came before there was a charter the cycle's last.
func (a *auditor) speaks(s ledger.Statement) *cycle {
	if s.Charter != "" {
		return a.by[s.Charter]
	}
	if s.Cycle == a.b.Manifest.Cycle {
		return a.last()
	}
	return nil
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func seconds(at int64) string { return moment(time.Unix(at, 0)) }

// each calls check for every item, several at a time, and returns its errors by their
// places.
func each[T any](workers int, items []T, check func(int, T) error) []error {
	wrong := make([]error, len(items))
	var wait sync.WaitGroup
	var next atomic.Int64
	for range min(max(workers, 1), max(len(items), 1)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(items); i = int(next.Add(1)) - 1 {
				wrong[i] = check(i, items[i])
			}
		})
	}
	wait.Wait()
	return wrong
}
