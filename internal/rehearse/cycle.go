package rehearse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/release"
	"muster/internal/submit"
)

// The times of a rehearsed cycle.
const (
	openFor = 28 * 24 * time.Hour
	keptFor = 365 * 24 * time.Hour // from the deadline to the wipe
)

// Rehearsal is a cycle whose charter is signed. It plays every part.
type Rehearsal struct {
	cfg          Config
	layout       *framework.Layout
	charter      coalition.Charter
	signed       coalition.SignedCharter
	task         dap.TaskID
	collector    *collect.Collector
	coordinator  *keys.Signer
	collectorKey *dap.HpkeKeypair
	memberKeys   map[coalition.MemberID]*keys.Signer
	sealed       map[coalition.MemberID]submit.Submission
	addenda      []coalition.SignedAddendum
	clock        *clock
	shared       *shared
	cycle        *ledger.Cycle
	adopted      adopted
	frozen       coalition.FrozenRoster
	outcome      *Result // once there is nothing to do but to wipe
}

// clock is the rehearsal's: it stands still until it is set.
type clock struct{ unixNano atomic.Int64 }

func (c *clock) now() time.Time  { return time.Unix(0, c.unixNano.Load()).UTC() }
func (c *clock) set(t time.Time) { c.unixNano.Store(t.UnixNano()) }

// New draws all keys, holds the hosts' ceremony and has all three sign the charter.
func New(ctx context.Context, cfg Config) (*Rehearsal, error) {
	cfg.Members = slices.SortedFunc(slices.Values(cfg.Members), func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	cfg.Cohort = cmp.Or(cfg.Cohort, defaultCohort)
	cfg.Variant = cmp.Or(cfg.Variant, dap.Variant18)
	if cfg.Suite == 0 {
		cfg.Suite = dap.SuiteX25519
	}
	if cfg.Stage == nil {
		cfg.Stage = &InProcess{Dir: cfg.Dir, Suite: cfg.Suite, Rand: cfg.Rand, Fault: cfg.Fault}
	}
	layout, err := framework.NewLayout(cfg.Pack)
	if err != nil {
		return nil, err
	}
	c := &Rehearsal{
		cfg: cfg, layout: layout, clock: new(clock),
		memberKeys: make(map[coalition.MemberID]*keys.Signer), sealed: make(map[coalition.MemberID]submit.Submission),
	}
	c.clock.set(cfg.Now().Truncate(time.Second))
	if err := c.checkHosts(); err != nil {
		return nil, err
	}
	if err := c.drawKeys(); err != nil {
		return nil, err
	}
	c.progress("hold the key ceremony", 0, 1)
	hosts, err := cfg.Stage.Prepare(ctx, Cast{Cycle: cfg.Cycle, Hosts: cfg.Hosts})
	if err != nil {
		return nil, err
	}
	return c, c.signCharter(ctx, hosts)
}

func (c *Rehearsal) checkHosts() error {
	for _, host := range c.cfg.Hosts {
		if !c.cfg.Guests && !slices.ContainsFunc(c.cfg.Members, func(m Member) bool { return m.ID == host }) {
			return errs.New(errs.Invalid, fmt.Sprintf("the host %s is not a member of the cohort", errs.Quote(string(host))), "two members of the cohort host the cycle")
		}
	}
	if c.cfg.Hosts[0] == c.cfg.Hosts[1] {
		return errs.New(errs.Invalid, fmt.Sprintf("%s cannot be both hosts", c.cfg.Hosts[0]), "one honest host of two is what keeps the answers secret; choose another member as second")
	}
	return nil
}

func (c *Rehearsal) drawKeys() error {
	var err error
	if c.shared, err = newShared(c.cfg.Rand); err != nil {
		return err
	}
	if c.coordinator = c.cfg.Signer; c.coordinator == nil {
		if c.coordinator, err = keys.Generate(c.cfg.Rand, "coordinator"); err != nil {
			return err
		}
	}
	if c.collectorKey, err = dap.GenerateHpkeKeypair(1, c.cfg.Suite); err != nil {
		return err
	}
	for _, m := range c.cfg.Members {
		if c.memberKeys[m.ID], err = keys.Generate(c.cfg.Rand, string(m.ID)); err != nil {
			return err
		}
	}
	return nil
}

// signCharter writes the charter and has coordinator and hosts sign it.
func (c *Rehearsal) signCharter(ctx context.Context, hosts Introduction) error {
	layout, err := c.layout.Canonical()
	if err != nil {
		return err
	}
	ref := c.cfg.Pack.Ref()
	opens := c.clock.now()
	proposal := coalition.Proposal{
		Coalition: c.cfg.Coalition, Cycle: c.cfg.Cycle, Marking: c.cfg.Marking,
		Framework: coalition.FrameworkRef{ID: ref.ID, Version: ref.Version, Digest: ref.Digest}, Layout: layout,
		Cohort: c.cfg.Cohort, Leader: hosts.Leader, Helper: hosts.Helper, Seed: hosts.Seed, Variant: c.cfg.Variant,
		Disclosure: c.cfg.Disclosure, Witnesses: coalition.WitnessPolicy{Threshold: c.shared.policy.Threshold, Keys: c.shared.policy.Witnesses, Log: c.shared.policy.Log},
		Opens: opens, Deadline: opens.Add(openFor), Wipe: opens.Add(openFor + keptFor),
	}
	for _, m := range c.cfg.Members {
		proposal.Members = append(proposal.Members, coalition.Member{ID: m.ID, Key: c.memberKeys[m.ID].Public()})
	}
	proposal.Collector, err = coalition.NewCoordinatorCard(c.cfg.Coalition, c.coordinator.Public(), c.collectorKey.Config(), hosts.Coordinator)
	if err != nil {
		return err
	}
	charter, err := proposal.Charter()
	if err != nil {
		return err
	}
	proposed, err := charter.Propose(c.coordinator)
	if err != nil {
		return err
	}
	if c.signed, err = c.cfg.Stage.Approve(ctx, proposed); err != nil {
		return err
	}
	// From here on everyone uses the charter as it was signed.
	if c.charter, err = c.signed.Open(); err != nil {
		return err
	}
	if c.cycle, err = ledger.NewCycle(c.signed); err != nil {
		return err
	}
	task, err := c.charter.OpenTask(c.cfg.Cohort)
	if err != nil {
		return err
	}
	c.task = task.ID
	c.collector, err = collect.New(collect.Config{Charter: c.charter, Cohort: c.cfg.Cohort, HPKE: c.collectorKey, Layout: c.layout})
	return err
}

func (c *Rehearsal) charterEntry() ledger.Entry {
	return ledger.Entry{
		ID: "charter " + c.cfg.Cycle, Kind: "charter",
		Data: map[string]string{
			"charter": c.signed.Digest(), "framework": c.charter.Framework.Digest, "members": strconv.Itoa(len(c.cfg.Members)),
			"marking": c.charter.Marking,
		},
	}
}

// release decides what may be shown, signs and logs.
func (c *Rehearsal) release(ctx context.Context, record *ledger.File, frozen coalition.FrozenRoster, result *Result) (refused, err error) {
	var declined []coalition.MemberID
	for _, m := range c.cfg.Members {
		if m.Declined && m.Now == nil {
			declined = append(declined, m.ID)
		}
	}
	result.Release, err = collect.NewRelease(collect.ReleaseConfig{
		Charter: c.charter, Addenda: c.addenda, Cohort: c.cfg.Cohort, Pack: c.cfg.Pack, Aggregate: result.Aggregate,
		Frozen: frozen, Declined: declined,
		Opened: c.cfg.Opened, History: c.cfg.History, Attack: attack.Options{Workers: runtime.GOMAXPROCS(0)},
	}, c.coordinator)
	if refusal, ok := errors.AsType[*disclosure.Refusal](err); ok {
		return refusal, nil
	}
	if unsafe, ok := errors.AsType[*release.Unsafe](err); ok {
		return unsafe, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, record.Append(ctx, ledger.Entry{
		ID: "release " + c.cfg.Cohort + " " + c.cfg.Cycle, Kind: "release",
		Data: map[string]string{
			"release": keys.Digest(result.Release.Body), "roster": result.Roster.Digest(), "submissions": strconv.FormatUint(result.Aggregate.Count, 10),
		},
	})
}
