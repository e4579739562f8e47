package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"muster/dap"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/errs"
	"muster/internal/rehearse"
)

// steps is a rehearsal from the first look at the hosts to the release.
func (d *drill) steps() []step {
	return []step{
		{name: "look at the Leader", again: true, take: func(ctx context.Context) ([]string, error) { return d.look(ctx, dap.RoleLeader) }},
		{name: "look at the Helper", again: true, take: func(ctx context.Context) ([]string, error) { return d.look(ctx, dap.RoleHelper) }},
		{name: "ask as a stranger", take: d.stranger},
		{name: "seal", take: d.seal},
		{name: "deliver", take: d.deliver},
		{name: "replace one submission", take: d.replace},
		{name: "wait for the deadline", take: d.untilDeadline},
		{name: "deliver one too late", take: d.late},
		{name: "wait for the freeze", take: d.untilFrozen},
		{name: "collect", take: d.collect},
		{name: "compare with the known sum", take: d.compare},
		{name: "make the release", take: d.release},
	}
}

// replacer is the member that sends twice, lateOne the one that sends too late.
func (d *drill) replacer() string { return d.names[0] }
func (d *drill) lateOne() string  { return d.names[len(d.names)-1] }

// sealed is the file of a member's submission.
func (d *drill) sealed(name string, sequence int) string {
	return d.path(drillSealed, fmt.Sprintf("%s-%d.json", name, sequence))
}

// seal seals for every test member, as each would at home.
func (d *drill) seal(ctx context.Context) ([]string, error) {
	if err := os.MkdirAll(d.path(drillSealed), 0o700); err != nil {
		return nil, placeError(err, d.dir, "make room there, and repeat the command")
	}
	n := 0
	for _, name := range d.names {
		answers := drillAnswers
		if name == d.replacer() {
			answers = drillFirst
		}
		if err := d.sealOne(ctx, name, answers, 1); err != nil {
			return nil, err
		}
		n++
	}
	return []string{fmt.Sprintf("%d submissions sealed", n)}, d.sealOne(ctx, d.replacer(), drillAnswers, 2)
}

func (d *drill) sealOne(ctx context.Context, name, answers string, sequence int) error {
	if err := ctx.Err(); err != nil || exists(d.sealed(name, sequence)) {
		return err
	}
	f := sealFlags{
		dir: d.path(drillMembers, name), charter: d.flags.charter, framework: d.flags.framework,
		answers: d.path(answers, name+".csv"), sequence: uint64(sequence), out: d.sealed(name, sequence),
	}
	if previous := d.path(drillPrevious, name+".csv"); exists(previous) {
		f.previous = previous
	}
	if err := runSubmitSeal(d.quiet(), f); err != nil {
		return d.of(name, err)
	}
	return nil
}

// of says whose submission an error is about.
func (d *drill) of(name string, err error) error {
	if e := errs.Describe(err); e.Kind != errs.Internal {
		return errs.Wrap(err, e.Kind, name+": "+e.Message, e.Hint)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// deliver delivers all but the one that will be late.
func (d *drill) deliver(ctx context.Context) ([]string, error) {
	var slowest time.Duration
	began := time.Now()
	for _, name := range d.names {
		if name == d.lateOne() {
			continue
		}
		start := time.Now()
		if err := d.upload(ctx, name, 1); err != nil {
			return nil, err
		}
		slowest = max(slowest, time.Since(start))
	}
	n := len(d.names) - 1
	mean := time.Since(began) / time.Duration(n)
	return []string{fmt.Sprintf("%d submissions acknowledged by both hosts; %v each on average, %v the slowest", n, mean.Round(time.Millisecond), slowest.Round(time.Millisecond))}, nil
}

func (d *drill) upload(ctx context.Context, name string, sequence int) error {
	if err := runSubmitUpload(ctx, d.quiet(), d.sealed(name, sequence), uploadFlags{charter: d.flags.charter, wait: d.flags.wait}); err != nil {
		return d.of(name, err)
	}
	return nil
}

// replace sends a second submission of one member, and then the first again,
// which must count no longer.
func (d *drill) replace(ctx context.Context) ([]string, error) {
	if err := d.upload(ctx, d.replacer(), 2); err != nil {
		return nil, err
	}
	err := d.upload(ctx, d.replacer(), 1)
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "was replaced") {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the first submission of %s was replaced, and the hosts did not say so (%v)", d.replacer(), err), "")
	}
	return []string{fmt.Sprintf("submission 2 of %s counts; its first, sent again, does not", d.replacer())}, nil
}

// untilDeadline waits until both hosts take nothing more: by their own clocks,
// as they were found.
func (d *drill) untilDeadline(ctx context.Context) ([]string, error) {
	deadline := time.Unix(d.charter.Deadline, 0)
	until := deadline.Add(time.Second)
	for _, h := range d.report.Hosts {
		if behind := -time.Duration(h.Offset) * time.Millisecond; behind > 0 {
			until = later(until, deadline.Add(behind+time.Second))
		}
	}
	if d.env.Now().Before(until) {
		say(d.env, "waiting for the deadline, %s", deadline.UTC().Format(pageTime))
	}
	for d.env.Now().Before(until) {
		if !sleep(ctx, min(until.Sub(d.env.Now()), time.Second)) {
			return nil, ctx.Err()
		}
	}
	return []string{"the deadline was " + deadline.UTC().Format(pageTime)}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// late delivers what comes after the deadline, which both hosts must refuse.
func (d *drill) late(ctx context.Context) ([]string, error) {
	err := d.upload(ctx, d.lateOne(), 1)
	switch errs.KindOf(err) {
	case errs.Conflict:
		return []string{fmt.Sprintf("the submission of %s came too late and was refused", d.lateOne())}, nil
	case errs.Unavailable:
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	return nil, errs.New(errs.Conflict, fmt.Sprintf("the submission of %s came after the deadline, and both hosts took it", d.lateOne()),
		"was the deadline postponed? look at the clocks of both hosts; then prepare another rehearsal")
}

// askAgain is the pause before the hosts are asked again for what people do there.
const askAgain = time.Second

// untilFrozen waits for both hosts to sign the roster.
func (d *drill) untilFrozen(ctx context.Context) ([]string, error) {
	hosts, err := d.clients(d.own)
	if err != nil {
		return nil, err
	}
	defer hosts.close()
	collector, err := d.collector()
	if err != nil {
		return nil, err
	}
	for said := false; ; said = true {
		leader, err := hosts.leader.FrozenRoster(ctx, d.task.ID)
		var helper coalition.FrozenRoster
		if err == nil {
			helper, err = hosts.helper.FrozenRoster(ctx, d.task.ID)
		}
		if err == nil {
			frozen, err := collector.Agree(leader, helper)
			if err != nil {
				return nil, err
			}
			return d.checkRoster(frozen)
		}
		if errs.KindOf(err) != errs.Conflict {
			return nil, err
		}
		if !said {
			say(d.env, "waiting until both hosts have frozen: at %s, muster host freeze --dir FOLDER, where its host.yaml does not say freeze: at_deadline", d.charter.Leader.Member)
		}
		if !sleep(ctx, askAgain) {
			return nil, ctx.Err()
		}
	}
}

// checkRoster wants all on the roster but the one that was late, the replaced
// submission by its second.
func (d *drill) checkRoster(frozen coalition.FrozenRoster) ([]string, error) {
	roster, err := frozen.Open(d.task.ID, d.charter.Leader.Key, d.charter.Helper.Key)
	if err != nil {
		return nil, err
	}
	listed := make(map[coalition.MemberID]uint64)
	for _, e := range roster.Entries {
		listed[e.Member] = e.Sequence
	}
	for _, name := range d.names {
		want := uint64(1)
		switch name {
		case d.replacer():
			want = 2
		case d.lateOne():
			want = 0
		}
		if got := listed[coalition.MemberID(name)]; got != want {
			return nil, errs.New(errs.Conflict, fmt.Sprintf("the roster has submission %d of %s, and %d was delivered (0: none)", got, name, want), "ask both hosts for muster host status")
		}
	}
	return []string{fmt.Sprintf("both hosts signed one roster of %d submissions, %s", len(roster.Entries), frozen.Digest())}, nil
}

func (d *drill) collector() (*collect.Collector, error) {
	return collect.New(collect.Config{Charter: d.charter, Cohort: d.task.Cohort.ID, HPKE: d.own.hpke, Layout: d.layout})
}

// collect collects as muster collect run does, once the Leader has added up.
func (d *drill) collect(ctx context.Context) ([]string, error) {
	f := collectRunFlags{
		dir: d.own.dir, charter: d.flags.charter, framework: d.flags.framework, out: d.path(drillCollected), wait: d.flags.wait,
	}
	for said := false; ; said = true {
		err := runCollectRun(ctx, d.quiet(), f)
		if err == nil {
			break
		}
		if ctx.Err() != nil || errs.KindOf(err) != errs.Unavailable {
			return nil, err
		}
		if !said {
			say(d.env, "waiting until %s has added up: %s", d.charter.Leader.Member, errs.Describe(err).Message)
		}
		if !sleep(ctx, askAgain) {
			return nil, ctx.Err()
		}
	}
	digest, err := d.digest(drillCollected + "/" + aggregateFile)
	return []string{"the totals are those of the roster, and every block sums to their number", "aggregate.json has the digest " + digest}, err
}

// compare adds up what the test members answered, and wants the collected totals
// to be the same in every cell.
func (d *drill) compare(context.Context) ([]string, error) {
	body, err := readInput(d.path(drillCollected, aggregateFile), "aggregate")
	if err != nil {
		return nil, err
	}
	got, err := collect.ParseAggregate(d.layout, body)
	if err != nil {
		return nil, err
	}
	want, count, err := d.knownSum()
	if err != nil {
		return nil, err
	}
	differ := 0
	for i, n := range want {
		if got.Cells[i] != n {
			differ++
		}
	}
	if got.Count != count || differ > 0 {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the collected totals are not the known sum: %d submissions where %d were delivered, and %d of %d cells differ", got.Count, count, differ, len(want)),
			"do not open a cycle on these machines: compare the programs of both hosts, muster version, with a build from source")
	}
	d.report.Submissions = int(count)
	return []string{fmt.Sprintf("all %d cells of %d submissions are those of the known sum", len(want), count)}, nil
}

// knownSum adds up the answers that count, in clear.
func (d *drill) knownSum() (cells []uint64, count uint64, err error) {
	now, err := readAnswers(d.quiet(), d.path(drillAnswers), d.pack)
	if err != nil {
		return nil, 0, err
	}
	var before []*assess.Assessment
	if _, err := os.Stat(d.path(drillPrevious)); !errors.Is(err, fs.ErrNotExist) {
		if before, err = readPrevious(d.quiet(), d.path(drillPrevious), d.pack); err != nil {
			return nil, 0, err
		}
	}
	last := make(map[string]*assess.Assessment)
	for _, a := range before {
		last[coalition.Fold(a.Member)] = a
	}
	cells = make([]uint64, d.layout.Bits())
	for _, a := range now {
		if coalition.Fold(a.Member) == coalition.Fold(d.lateOne()) {
			continue
		}
		measurement, err := assess.Measurement(d.layout, a, last[coalition.Fold(a.Member)])
		if err != nil {
			return nil, 0, err
		}
		for block, bucket := range measurement {
			cells[d.layout.Offset(block)+int(bucket)]++
		}
		count++
	}
	return cells, count, nil
}

// release makes the release, which the hosts may then approve.
func (d *drill) release(ctx context.Context) ([]string, error) {
	err := runCollectRelease(ctx, d.quiet(), collectReleaseFlags{
		dir: d.own.dir, charter: d.flags.charter, framework: d.flags.framework,
		aggregate: d.path(drillCollected, aggregateFile), out: d.path(drillRelease),
	})
	if err != nil {
		return nil, err
	}
	digest, err := d.digest(drillRelease)
	return []string{"release.json has the digest " + digest}, err
}

// repeat says what each side does where the rehearsal did not come to its end.
func (d *drill) repeat(first string) []rehearse.Next {
	return []rehearse.Next{
		{Who: "the coordinator", What: []string{first, "then repeat: muster cycle rehearsal run " + shellWord(d.dir) + " --charter " + shellWord(d.flags.charter)}},
		{Who: fmt.Sprintf("%s and %s", d.charter.Leader.Member, d.charter.Helper.Member), What: []string{"keep muster host serve running; muster host status --dir FOLDER says where the host stands"}},
	}
}

// next says what each side does after a rehearsal that passed.
func (d *drill) next() []rehearse.Next {
	leader, helper := string(d.charter.Leader.Member), string(d.charter.Helper.Member)
	wipe := time.Unix(d.charter.Wipe, 0).UTC().Format(pageTime)
	wiping := fmt.Sprintf("muster host wipe --dir FOLDER, from %s on; at once with --cancelled --reason \"rehearsal over\"", wipe)
	both := []string{"muster host approve release.json --dir FOLDER, if a release is to be rehearsed, too", wiping, "begin the cycle itself in a new folder: the keys of the rehearsal are for it alone"}
	return []rehearse.Next{
		{Who: leader, What: both},
		{Who: helper, What: both},
		{Who: "the coordinator", What: []string{
			"send this report and its .sig to both hosts",
			"muster collect wipe --dir " + shellWord(d.own.dir) + " --charter " + shellWord(d.flags.charter) + ", from the same day on",
			"delete " + shellWord(d.dir) + " when the report is filed: nothing in it is of a real member",
		}},
	}
}
