// Package rehearse runs a whole cycle in one process, with the code, the
// cryptography and the databases of the real thing: keys and charter, sealing,
// both hosts, collection and the first release.
//
// A staff officer rehearses with real or invented answers before members are
// asked; the demonstration does the same with a synthetic coalition. Nothing in
// it is simulated but the distances: one process plays every part, its clock
// jumps to the deadline, and its keys are thrown away. So a rehearsal shows what
// a cycle does, and protects nobody's answers from the machine it runs on.
package rehearse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/ledger"
	"muster/internal/release"
	"muster/internal/store"
	"muster/internal/store/hostdb"
	"muster/internal/submit"
)

// Member is one member of the cohort and what it does this cycle.
type Member struct {
	ID       coalition.MemberID
	Now      *assess.Assessment // nil if the member is late or declined
	Before   *assess.Assessment // of the previous cycle, or nil
	Declined bool
}

// Config is a rehearsal. Dir must exist and be empty; the databases and the
// record are left there.
type Config struct {
	Coalition  string
	Cycle      string
	Marking    string // "SYNTHETIC" or "REHEARSAL"
	Pack       *framework.Pack
	Members    []Member // the cohort; their number is N
	Hosts      [2]coalition.MemberID
	Suite      dap.Suite            // zero: X25519
	Disclosure coalition.Disclosure // the zero value is the usual choice
	Opened     []coalition.MemberID // who showed answers to others by choice
	History    []release.Past       // what was released before
	Variant    dap.Variant          // zero: dap-18
	Dir        string
	Rand       io.Reader
	Now        func() time.Time
	Progress   func(Progress) // may be nil
	Fault      store.Fault    // for tests; nil otherwise
}

// Progress says how far a rehearsal is.
type Progress struct {
	Step  string // "seal and deliver", in a person's words
	Done  int
	Total int
}

// Result is what a rehearsal produced. Aggregate is nil if too few members took
// part to open anything, and Release if too few for a release; Refused says why.
type Result struct {
	Charter   coalition.SignedCharter
	Roster    coalition.SignedRoster
	Aggregate *collect.Aggregate
	Release   *collect.SignedRelease
	Ledger    []byte
	Refused   error
}

// cohortID is the one cohort of a rehearsal.
const cohortID = "members"

// Run rehearses a cycle. Members that sent nothing are late.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	r, err := New(cfg)
	if err != nil {
		return nil, err
	}
	return r.Run(ctx)
}

// Run takes the cycle from its charter to its release. If it was interrupted it
// may be called again: it opens the databases anew and goes on where they stand.
func (c *Rehearsal) Run(ctx context.Context) (*Result, error) {
	hosts, err := c.openHosts(ctx)
	if err != nil {
		return nil, err
	}
	result, err := c.run(ctx, hosts)
	return result, errors.Join(err, hosts.close())
}

func (c *Rehearsal) run(ctx context.Context, hosts *hosts) (*Result, error) {
	result := &Result{Charter: c.signed}
	if deadline := time.Unix(c.charter.Deadline, 0); c.clock.now().Before(deadline) {
		if err := c.deliver(ctx, hosts); err != nil {
			return nil, err
		}
		c.clock.set(deadline)
	}
	c.progress("freeze the roster", 0, 1)
	roster, err := hosts.leader.Freeze(ctx)
	if err != nil {
		return nil, err
	}
	result.Roster = roster
	if result.Refused = c.checkBatch(); result.Refused == nil {
		if result.Refused, err = c.openTotals(ctx, hosts, result); err != nil {
			return nil, err
		}
	}
	if result.Ledger, err = os.ReadFile(c.ledgerPath()); err != nil {
		return nil, fmt.Errorf("read the record: %w", err)
	}
	return result, nil
}

// checkBatch refuses before anything is verified what the hosts would refuse
// to hand over.
func (c *Rehearsal) checkBatch() error {
	n := 0
	for _, m := range c.cfg.Members {
		if m.Now != nil {
			n++
		}
	}
	if minimum := c.charter.Cohorts[0].MinimumBatch; n < minimum {
		return errs.New(errs.Conflict,
			fmt.Sprintf("%d of %d members took part; the charter opens totals from %d on, so nothing was opened", n, len(c.cfg.Members), minimum),
			"a cohort is opened when two thirds of it have taken part")
	}
	return nil
}

// openTotals verifies, collects and releases. It returns why there is no
// release if that is so.
func (c *Rehearsal) openTotals(ctx context.Context, hosts *hosts, result *Result) (refused, err error) {
	c.progress("verify and add up", 0, 1)
	if err := hosts.leader.Aggregate(ctx); err != nil {
		return nil, err
	}
	c.progress("collect", 0, 1)
	collector, err := collect.New(collect.Config{Charter: c.charter, Cohort: cohortID, HPKE: c.collectorKey, Layout: c.layout})
	if err != nil {
		return nil, err
	}
	if result.Aggregate, err = collector.Collect(ctx, hosts.leader, coalition.FrozenRoster{Roster: result.Roster}); err != nil {
		return nil, err
	}
	c.progress("release", 0, 1)
	return c.release(ctx, hosts, result)
}

// deliver seals and delivers every member's submission.
func (c *Rehearsal) deliver(ctx context.Context, hosts *hosts) error {
	var sending []int
	for i, m := range c.cfg.Members {
		if m.Now != nil {
			sending = append(sending, i)
		}
	}
	for done, i := range sending {
		c.progress("seal and deliver", done, len(sending))
		m := c.cfg.Members[i]
		sealer, err := submit.New(submit.Config{
			Charter: c.charter, Cohort: cohortID, Layout: c.layout, Member: m.ID, Signer: c.memberKeys[m.ID],
			Rand: c.cfg.Rand, Now: c.clock.now,
		})
		if err != nil {
			return err
		}
		sealed, ok := c.sealed[m.ID]
		if !ok { // a member seals once, however often it has to deliver
			if sealed, err = sealer.Seal(m.Now, m.Before, 1); err != nil {
				return err
			}
			c.sealed[m.ID] = sealed
		}
		if err := sealer.Deliver(ctx, sealed, hosts.leader, hosts.helper); err != nil {
			return fmt.Errorf("submission of %s: %w", m.ID, err)
		}
	}
	return nil
}

func (c *Rehearsal) progress(step string, done, total int) {
	if c.cfg.Progress != nil {
		c.cfg.Progress(Progress{Step: step, Done: done, Total: total})
	}
}

// hosts are the two hosts, each with a database and keys of its own, and the
// record that they and the coordinator write.
type hosts struct {
	leader    *aggregate.Leader
	helper    *aggregate.Helper
	record    *ledger.File
	databases []*hostdb.DB
	file      *os.File
}

func (h *hosts) close() error {
	var failed []error
	for _, db := range h.databases {
		failed = append(failed, db.Close())
	}
	if h.file != nil {
		failed = append(failed, h.file.Close())
	}
	return errors.Join(failed...)
}

func (c *Rehearsal) ledgerPath() string { return filepath.Join(c.cfg.Dir, "ledger.jsonl") }

// openHosts opens the hosts' databases and the record; what an interrupted run
// left there goes on.
func (c *Rehearsal) openHosts(ctx context.Context) (*hosts, error) {
	h := &hosts{}
	err := c.connect(ctx, h)
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (c *Rehearsal) connect(ctx context.Context, h *hosts) error {
	var err error
	if h.file, err = os.OpenFile(c.ledgerPath(), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return fmt.Errorf("open the record: %w", err)
	}
	var length int64
	if h.record, length, err = ledger.Open(h.file, fileSink{h.file}, c.coordinator); err != nil {
		return err
	}
	if err := h.file.Truncate(length); err != nil {
		return fmt.Errorf("cut the record: %w", err)
	}
	if _, err := h.file.Seek(length, io.SeekStart); err != nil {
		return fmt.Errorf("open the record: %w", err)
	}
	if err := h.record.Append(ctx, c.charterEntry()); err != nil {
		return err
	}
	var configs [2]aggregate.Config
	for i, host := range c.hostKeys {
		db, err := hostdb.Open(ctx, hostdb.Config{
			Path: filepath.Join(c.cfg.Dir, host.database), CycleKey: host.cycleKey, Fault: c.cfg.Fault,
		})
		if err != nil {
			return err
		}
		h.databases = append(h.databases, db)
		task, err := aggregate.NewTask(c.charter, cohortID, c.seed)
		if err != nil {
			return err
		}
		configs[i] = aggregate.Config{
			Task: task, Store: db, HPKE: []*dap.HpkeKeypair{host.hpke}, Signer: host.signer, Log: h.record, Now: c.clock.now,
		}
	}
	if h.helper, err = aggregate.NewHelper(ctx, configs[1]); err != nil {
		return err
	}
	h.leader, err = aggregate.NewLeader(ctx, configs[0], h.helper)
	return err
}

// fileSink makes every line durable before it is acknowledged.
type fileSink struct{ file *os.File }

func (s fileSink) Append(b []byte) error {
	if _, err := s.file.Write(b); err != nil {
		return err
	}
	return s.file.Sync()
}
