package verify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// seenAt says that a witness had seen the first Size entries at a moment.
type seenAt struct {
	witness int // of the policy
	size    uint64
	at      time.Time
}

// note is a checkpoint of the bundle, and what the reader's policy makes of it.
type note struct {
	name string // of the part
	body []byte
	ledger.Witnessed
}

// skew is how far honest clocks may be apart.
const skew = 5 * time.Minute

// log checks the checkpoint's signatures and what came before it.
func (a *auditor) log() error {
	follows := a.earlier()
	w, err := a.cfg.Policy.Read(a.b.Checkpoint, a.cfg.Now)
	if err != nil {
		a.fails(StepLog, ledger.CheckpointName, err, "log_unsigned")
		a.unchecked(StepWitnesses, "witnesses_unsigned")
	} else {
		a.holds(StepLog, "log_signed", w.Origin, int(w.Size))
		a.notes = append(a.notes, note{ledger.CheckpointName, a.b.Checkpoint, w})
		a.witnesses(w)
	}
	a.clocks()
	for _, n := range a.notes {
		a.forged(n.name, n.Witnessed)
	}
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
	a.counts = err == nil && w.Enough() == nil && follows
	return nil
}

// keep says whether the checkpoint is one to be kept: with everything in it that
// makes one count, for the reader and for the charter.
func (a *auditor) keep() {
	wrong := slices.ContainsFunc(a.report.Findings, func(f Finding) bool {
		return f.Verdict == Fails && (f.Step == StepLog || f.Step == StepConsistency || f.Step == StepWitnesses)
	})
	switch {
	case wrong:
		a.report.Refused = a.b.Checkpoint
	case a.counts:
		a.report.Checkpoint = a.b.Checkpoint
	default:
		a.report.Unseen = true
	}
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

// earlier checks the ledger's signature on the earlier checkpoints in the bundle,
// which follow from each other: opening it has shown that. It reports whether they
// are the ledger's.
func (a *auditor) earlier() bool {
	good := true
	for _, size := range slices.Sorted(maps.Keys(a.b.Earlier)) {
		name := "checkpoints/" + strconv.FormatUint(size, 10)
		w, err := a.cfg.Policy.Read(a.b.Earlier[size], a.cfg.Now)
		if err != nil {
			a.fails(StepConsistency, name, err, "earlier_unsigned", int(size))
			good = false
			continue
		}
		a.notes = append(a.notes, note{name, a.b.Earlier[size], w})
	}
	if n := len(a.b.Earlier); n > 0 && good {
		a.holds(StepConsistency, "earlier", n)
	}
	return good
}

// forged names the witnesses whose signatures on a checkpoint do not count.
func (a *auditor) forged(place string, w ledger.Witnessed) {
	for _, c := range w.Witnesses {
		switch {
		case c.Fault == "":
		case c.Time.IsZero():
			a.fails(StepWitnesses, place, nil, "witness_forged", int(w.Size), c.Witness.Name())
		default:
			a.fails(StepWitnesses, place, nil, "witness_future", c.Witness.Name(), moment(c.Time))
		}
	}
}

// witnesses looks for who has seen the record: the checkpoint, or else an earlier one
// that has all entries of the cycle. A witness that was replaced since then has seen
// all that it was asked for.
func (a *auditor) witnesses(w ledger.Witnessed) {
	switch {
	case len(w.Witnesses) == 0:
		a.unchecked(StepWitnesses, "witness_none")
		return
	case w.Threshold == 0:
		a.unchecked(StepWitnesses, "witness_optional", w.Count(), len(w.Witnesses))
		return
	case w.Count() >= w.Threshold:
		a.witnessed = true
		a.holds(StepWitnesses, "witnessed", w.Count(), len(w.Witnesses), w.Threshold, moment(first(w)))
		return
	}
	last := a.lastOf(func(s ledger.Statement) bool { return s.Cycle == a.b.Manifest.Cycle })
	for _, n := range slices.Backward(a.notes) {
		if n.Size > uint64(last) && n.Count() >= n.Threshold {
			a.witnessed = true
			a.holds(StepWitnesses, "witnessed_cycle", n.Count(), len(n.Witnesses), n.Threshold, int(n.Size), int(w.Size), moment(first(n.Witnessed)))
			return
		}
	}
	a.fails(StepWitnesses, ledger.CheckpointName, w.Enough(), "witness_missing", w.Count(), w.Threshold)
}

// first returns when the first witness signed.
func first(w ledger.Witnessed) time.Time {
	first := time.Time{}
	for _, c := range w.Witnesses {
		if c.Signed && (first.IsZero() || c.Time.Before(first)) {
			first = c.Time
		}
	}
	return first
}

// lastOf returns the number of the last entry of a sort.
func (a *auditor) lastOf(is func(ledger.Statement) bool) int {
	last := -1
	for i, s := range a.b.Statements {
		if is(s) {
			last = i
		}
	}
	return last
}

// clocks takes down when which witness had seen how much. A witness never goes back:
// if it signed more entries at an earlier time than fewer, its clock is wrong, or its
// word, and its times say nothing of anybody else.
func (a *auditor) clocks() {
	for i := range a.cfg.Policy.Witnesses {
		var seen []seenAt
		for _, n := range a.notes { // in the order of their sizes
			c := n.Witnesses[i]
			if !c.Signed {
				continue
			}
			if len(seen) > 0 && c.Time.Add(skew).Before(seen[len(seen)-1].at) {
				before := seen[len(seen)-1]
				a.fails(StepWitnesses, n.name, nil, "witness_clock", c.Witness.Name(), int(n.Size), moment(c.Time), int(before.size), moment(before.at))
				seen = nil
				break
			}
			seen = append(seen, seenAt{i, n.Size, c.Time})
		}
		a.times = append(a.times, seen...)
	}
}

// charterWitnesses looks for the witnesses that a charter names, on any checkpoint
// that has all entries under it: whoever was replaced after that has done its part.
func (a *auditor) charterWitnesses(c *cycle) {
	want := c.charter.Witnesses
	if want.Log != "" && !want.Log.Same(a.cfg.Policy.Log) {
		a.fails(StepCharter, file(c.digest), nil, "charter_ledger", want.Log.Name())
	}
	a.impartial(c)
	if c.charter.RequireWitness() != nil {
		a.unchecked(StepWitnesses, "charter_no_witness")
	}
	if len(want.Keys) == 0 {
		return
	}
	policy := ledger.Policy{Log: a.cfg.Policy.Log, Threshold: want.Threshold, Witnesses: want.Keys}
	if err := policy.Check(); err != nil { // the record itself among its witnesses, for one
		a.fails(StepCharter, file(c.digest), err, "charter_policy")
		return
	}
	last := uint64(a.lastOf(func(s ledger.Statement) bool { return s.Charter == c.digest }))
	most, until := 0, uint64(0) // how many saw all of it, and up to where enough saw it
	for _, n := range slices.Backward(a.notes) {
		w, err := policy.Read(n.body, a.cfg.Now)
		if err != nil {
			a.fails(StepCharter, file(c.digest), err, "charter_policy")
			return
		}
		a.forged(n.name, a.unnamed(w))
		if w.Size > last {
			most = max(most, w.Count())
		}
		if w.Count() >= want.Threshold {
			until = max(until, w.Size)
		}
	}
	for _, key := range want.Keys {
		if id, err := ledger.KeyID(key); err == nil {
			a.named = append(a.named, id)
		}
	}
	switch {
	case len(a.notes) == 0: // nothing here is signed by the record
	case until > last:
		a.holds(StepWitnesses, "charter_witnessed", most, len(want.Keys), want.Threshold, int(until))
	case until > uint64(c.at) && a.witnessed:
		a.unchecked(StepWitnesses, "charter_witness_until", int(until), int(last+1))
	default:
		a.fails(StepWitnesses, ledger.CheckpointName, nil, "charter_witness_missing", most, want.Threshold)
	}
}

// unnamed returns what a checkpoint has of those that the reader's policy does not
// name: of the others it was said already.
func (a *auditor) unnamed(w ledger.Witnessed) ledger.Witnessed {
	w.Witnesses = slices.DeleteFunc(slices.Clone(w.Witnesses), func(c ledger.Cosignature) bool {
		return slices.ContainsFunc(a.cfg.Policy.Witnesses, func(own keys.Public) bool { return sameKey(own, c.Witness) })
	})
	return w
}

// sameKey reports whether two are one key, in whichever of its forms.
func sameKey(x, y keys.Public) bool {
	a, errA := x.Cosigner()
	b, errB := y.Cosigner()
	return errA == nil && errB == nil && a.Same(b)
}

// impartial finds a witness of the reader's that is the coordinator: it would vouch for
// itself.
func (a *auditor) impartial(c *cycle) {
	for _, w := range a.cfg.Policy.Witnesses {
		if sameKey(w, c.charter.Coordinator.Key) {
			a.fails(StepWitnesses, file(c.digest), nil, "witness_coordinator", w.Name())
		}
	}
}

// strangers lists the signatures on checkpoints by those whom neither the reader nor
// a charter names. They are none of the reader's concern, and not checked.
func (a *auditor) strangers() {
	where := make(map[string][]string) // the parts, by whose signature
	for _, n := range a.notes {
		for _, id := range n.Strangers {
			if !slices.Contains(a.named, id) && !slices.Contains(where[id], n.name) {
				where[id] = append(where[id], n.name)
			}
		}
	}
	for i, id := range slices.Sorted(maps.Keys(where)) {
		if i == maxListed {
			a.unchecked(StepWitnesses, "and_more")
			return
		}
		a.add(StepWitnesses, Unchecked, where[id][0], "", "witness_unknown", errs.Quote(id), len(where[id]))
	}
}

// latest returns the moment at which enough witnesses had seen an entry: as many as
// the policy wants, and one at least.
func (a *auditor) latest(number int) (time.Time, bool) {
	seen := a.seen(number)
	enough := max(a.cfg.Policy.Threshold, 1)
	if len(seen) < enough {
		return time.Time{}, false
	}
	return seen[enough-1].at, true
}

// seen returns when each witness had seen an entry, the first of them first.
func (a *auditor) seen(number int) []seenAt {
	var list []seenAt
	for _, s := range a.times {
		if s.size <= uint64(number) {
			continue
		}
		if i := slices.IndexFunc(list, func(o seenAt) bool { return o.witness == s.witness }); i < 0 {
			list = append(list, s)
		} else if s.at.Before(list[i].at) {
			list[i] = s
		}
	}
	slices.SortFunc(list, func(x, y seenAt) int { return x.at.Compare(y.at) })
	return list
}

// says names the witnesses by whose word an entry was seen when [auditor.latest] says.
func (a *auditor) says(number int) error {
	names := ""
	for i, s := range a.seen(number) {
		if i == max(a.cfg.Policy.Threshold, 1) {
			break
		}
		if i > 0 {
			names += ", "
		}
		names += a.cfg.Policy.Witnesses[s.witness].Name()
	}
	return errs.New(errs.Invalid, "by the word of "+names, "")
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
	wrong := ledger.Each(a.cfg.Attack.Workers, len(a.b.Statements), func(i int) error {
		s := a.b.Statements[i]
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
		if c := a.by[s.Charter]; c != nil && s.Cycle != c.charter.Cycle {
			code = "entry_charter"
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
		if s.Fields["digest"] == charter && s.Cycle == a.b.Manifest.Cycle {
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
