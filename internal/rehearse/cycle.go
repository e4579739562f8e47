package rehearse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	"muster/internal/store/hostdb"
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
	seed         coalition.Seed
	coordinator  *keys.Signer
	collectorKey *dap.HpkeKeypair
	hostKeys     [2]hostKeys // Leader, Helper
	memberKeys   map[coalition.MemberID]*keys.Signer
	sealed       map[coalition.MemberID]submit.Submission
	clock        *clock
}

// hostKeys is what one host keeps outside its database.
type hostKeys struct {
	database string
	signer   *keys.Signer
	hpke     *dap.HpkeKeypair
	cycleKey [hostdb.CycleKeySize]byte
	part     coalition.SeedPart
}

// clock is the rehearsal's: it stands still until it is set.
type clock struct{ unixNano atomic.Int64 }

func (c *clock) now() time.Time  { return time.Unix(0, c.unixNano.Load()).UTC() }
func (c *clock) set(t time.Time) { c.unixNano.Store(t.UnixNano()) }

// New draws all keys, holds the hosts' ceremony and signs the charter.
func New(cfg Config) (*Rehearsal, error) {
	cfg.Members = slices.SortedFunc(slices.Values(cfg.Members), func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	cfg.Variant = cmp.Or(cfg.Variant, dap.Variant18)
	if cfg.Suite == 0 {
		cfg.Suite = dap.SuiteX25519
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
	if err := c.drawSeed(); err != nil {
		return nil, err
	}
	if err := c.writeCharter(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Rehearsal) checkHosts() error {
	for _, host := range c.cfg.Hosts {
		if !slices.ContainsFunc(c.cfg.Members, func(m Member) bool { return m.ID == host }) {
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
	if c.coordinator, err = keys.Generate(c.cfg.Rand, "coordinator"); err != nil {
		return err
	}
	if c.collectorKey, err = dap.GenerateHpkeKeypair(1, c.cfg.Suite); err != nil {
		return err
	}
	for i := range c.hostKeys {
		h := &c.hostKeys[i]
		h.database = []string{"leader.db", "helper.db"}[i]
		if h.signer, err = keys.Generate(c.cfg.Rand, "host "+string(c.cfg.Hosts[i])); err != nil {
			return err
		}
		if h.hpke, err = dap.GenerateHpkeKeypair(1, c.cfg.Suite); err != nil {
			return err
		}
		if _, err = io.ReadFull(c.cfg.Rand, h.cycleKey[:]); err != nil {
			return fmt.Errorf("draw a cycle key: %w", err)
		}
	}
	for _, m := range c.cfg.Members {
		if c.memberKeys[m.ID], err = keys.Generate(c.cfg.Rand, string(m.ID)); err != nil {
			return err
		}
	}
	return nil
}

// drawSeed holds the hosts' ceremony: both commit, then both reveal.
func (c *Rehearsal) drawSeed() error {
	var commitments [2][32]byte
	for i := range c.hostKeys {
		part, err := coalition.NewSeedPart(c.cfg.Rand)
		if err != nil {
			return err
		}
		c.hostKeys[i].part, commitments[i] = part, part.Commitment()
	}
	var err error
	c.seed, err = coalition.CombineSeed(c.hostKeys[0].part, c.hostKeys[1].part, commitments[0], commitments[1])
	return err
}

func (c *Rehearsal) writeCharter() error {
	layout, err := c.layout.Canonical()
	if err != nil {
		return err
	}
	ref := c.cfg.Pack.Ref()
	opens := c.clock.now()
	proposal := coalition.Proposal{
		Coalition: c.cfg.Coalition, Cycle: c.cfg.Cycle, Marking: c.cfg.Marking,
		Framework: coalition.FrameworkRef{ID: ref.ID, Version: ref.Version, Digest: ref.Digest}, Layout: layout,
		Cohort: cohortID, Seed: c.seed.Digest(), Variant: c.cfg.Variant,
		Disclosure: c.cfg.Disclosure,
		Opens:      opens, Deadline: opens.Add(openFor), Wipe: opens.Add(openFor + keptFor),
	}
	for _, m := range c.cfg.Members {
		proposal.Members = append(proposal.Members, coalition.Member{ID: m.ID, Key: c.memberKeys[m.ID].Public()})
	}
	// No server stands behind these addresses, and no certificate: the hosts of a
	// rehearsal are in this process.
	if proposal.Leader, err = c.card(0, "https://leader.invalid/"); err != nil {
		return err
	}
	if proposal.Helper, err = c.card(1, "https://helper.invalid/"); err != nil {
		return err
	}
	if proposal.Collector, err = coalition.NewCoordinatorCard(c.cfg.Coalition, c.coordinator.Public(), c.collectorKey.Config(), ""); err != nil {
		return err
	}
	charter, err := proposal.Charter()
	if err != nil {
		return err
	}
	if c.signed, err = charter.Sign(c.coordinator, c.hostKeys[0].signer, c.hostKeys[1].signer); err != nil {
		return err
	}
	// From here on everyone uses the charter as it was signed.
	c.charter, err = c.signed.Open()
	return err
}

func (c *Rehearsal) card(i int, address string) (coalition.HostCard, error) {
	h := c.hostKeys[i]
	return coalition.NewHostCard(c.cfg.Hosts[i], address, h.signer.Public(), dap.HpkeConfigList{h.hpke.Config()}, "")
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
func (c *Rehearsal) release(ctx context.Context, hosts *hosts, result *Result) (refused, err error) {
	var declined []coalition.MemberID
	for _, m := range c.cfg.Members {
		if m.Declined && m.Now == nil {
			declined = append(declined, m.ID)
		}
	}
	result.Release, err = collect.NewRelease(collect.ReleaseConfig{
		Charter: c.charter, Cohort: cohortID, Pack: c.cfg.Pack, Aggregate: result.Aggregate,
		Frozen: coalition.FrozenRoster{Roster: result.Roster}, Declined: declined,
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
	return nil, hosts.record.Append(ctx, ledger.Entry{
		ID: "release " + cohortID + " " + c.cfg.Cycle, Kind: "release",
		Data: map[string]string{
			"release": keys.Digest(result.Release.Body), "roster": result.Roster.Digest(), "submissions": strconv.FormatUint(result.Aggregate.Count, 10),
		},
	})
}
