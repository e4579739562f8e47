// Package rehearse runs a whole cycle with the code, the cryptography and the
// databases of the real thing: keys and charter, sealing, both hosts, collection
// and the first release. It plays members and coordinator; the hosts stand on a
// [Stage], in this process or elsewhere.
//
// A staff officer rehearses with real or invented answers before members are
// asked; the demonstration does the same with a synthetic coalition. Nothing in
// it is simulated but the distances: one machine has every part, its clock jumps
// to the deadline, and its keys are thrown away. So a rehearsal shows what a cycle
// does, and protects nobody's answers from the machine it runs on.
//
// A rehearsal on the machines of a coalition is another thing: there people and
// hosts do what they will do, and this package has its [Report].
package rehearse

import (
	"context"
	"errors"
	"io"
	"time"

	"muster/dap"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/release"
	"muster/internal/store"
)

// Member is one member of the cohort and what it does this cycle.
type Member struct {
	ID       coalition.MemberID
	Now      *assess.Assessment // nil if the member is late or declined
	Before   *assess.Assessment // of the previous cycle, or nil
	Declined bool
}

// Config is a rehearsal. Dir must exist and be empty; the record is left there,
// and the databases of hosts in this process.
type Config struct {
	Coalition  string
	Cycle      string
	Marking    string // "SYNTHETIC" or "REHEARSAL"
	Pack       *framework.Pack
	Cohort     string   // its id; empty: "members"
	Members    []Member // the cohort; their number is N
	Hosts      [2]coalition.MemberID
	Guests     bool                 // the cohort is of guests: the hosts are members of another
	Postponed  []Postponement       // once everyone has delivered, by addenda
	Signer     *keys.Signer         // the coordinator's; nil: drawn for this rehearsal
	Suite      dap.Suite            // zero: X25519
	Disclosure coalition.Disclosure // the zero value is the usual choice
	Opened     []coalition.MemberID // who showed answers to others by choice
	History    []release.Past       // what was released before
	Kept       map[string][]byte    // files of earlier cycles by digest, those of History and their rosters among them, for the bundle
	Variant    dap.Variant          // zero: dap-18
	Dir        string
	Stage      Stage // where the hosts stand; nil: in this process
	// Ledger opens the coalition's ledger; nil: it is in the memory of this process, as
	// it has to be where the log server does not run. What it opens is closed by Run.
	Ledger   func(ctx context.Context, key *keys.Signer, policy ledger.Policy) (Ledger, error)
	AtOnce   int // how many members deliver at the same time; zero: one
	Rand     io.Reader
	Now      func() time.Time
	Progress func(Progress) // may be nil
	Fault    store.Fault    // of hosts in this process, for tests; nil otherwise
}

// Postponement moves the deadline, for a reason that members read.
type Postponement struct {
	By     time.Duration
	Reason string
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
	Addenda   []coalition.SignedAddendum
	Roster    coalition.SignedRoster
	Aggregate *collect.Aggregate
	Release   *collect.SignedRelease
	Ledger    []byte                 // the coordinator's record
	Records   []Record               // those of the hosts, up to the release
	Wipes     []coalition.SignedFile // by whom the cycle's keys were destroyed; none if nothing was opened
	Bundle    []ledger.Member        // the cycle with the coalition's ledger around it
	Policy    ledger.Policy          // with which it is checked: its keys were drawn for this rehearsal
	Refused   error
}

// defaultCohort is the one cohort of a rehearsal unless it has another name.
const defaultCohort = "members"

// Run rehearses a cycle. Members that sent nothing are late.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	r, err := New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return r.Run(ctx)
}

// Run takes the cycle from its charter to its release. If it was interrupted it
// may be called again: it opens the hosts anew and goes on where they stand.
func (c *Rehearsal) Run(ctx context.Context) (_ *Result, err error) {
	record, err := c.openRecord(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, record.close()) }()
	if err := c.shared.open(ctx, c.cfg.Ledger); err != nil {
		return nil, err
	}
	if c.cfg.Ledger != nil {
		defer func() {
			err = errors.Join(err, c.shared.log.Close(context.WithoutCancel(ctx)))
			c.shared.log = nil
		}()
	}
	if c.outcome == nil { // else it is at its end, and the hosts may have wiped
		if err := c.enterCharter(ctx); err != nil {
			return nil, err
		}
		c.progress("start both hosts", 0, 1)
		hosts, err := c.cfg.Stage.Open(ctx, World{Now: c.clock.now, Record: record})
		if err != nil {
			return nil, err
		}
		result, err := c.run(ctx, record, hosts)
		if err := errors.Join(err, hosts.Close()); err != nil {
			return nil, err
		}
		c.outcome = result
	}
	if err := c.wipe(ctx); err != nil {
		return nil, err
	}
	c.outcome.Bundle, err = c.bundle(ctx, c.outcome)
	return c.outcome, err
}

// run takes the cycle up to its release.
func (c *Rehearsal) run(ctx context.Context, record *record, hosts Hosts) (*Result, error) {
	result := &Result{Charter: c.signed, Policy: c.shared.policy}
	if c.clock.now().Before(time.Unix(c.charter.Deadline, 0)) {
		if err := c.deliver(ctx, hosts); err != nil {
			return nil, err
		}
	}
	deadline, err := c.postpone(ctx, record, hosts)
	if err != nil {
		return nil, err
	}
	result.Addenda = c.addenda
	if c.clock.now().Before(deadline) {
		c.clock.set(deadline)
	}
	if err := hosts.SetClock(ctx); err != nil {
		return nil, err
	}
	c.progress("freeze the roster", 0, 1)
	leader, helper, err := hosts.Freeze(ctx)
	if err != nil {
		return nil, err
	}
	frozen, err := c.collector.Agree(leader, helper)
	if err != nil {
		return nil, err
	}
	c.frozen, result.Roster = frozen, frozen.Roster
	if err := errors.Join(c.logRoster(ctx, record, frozen.Roster), c.enterFrozen(ctx, frozen)); err != nil {
		return nil, err
	}
	if result.Refused, err = c.openTotals(ctx, record, hosts, frozen, result); err != nil {
		return nil, err
	}
	if result.Ledger, err = record.read(); err != nil {
		return nil, err
	}
	if result.Records, err = hosts.Records(); err != nil {
		return nil, err
	}
	if err := c.enterRecords(ctx, result.Records); err != nil {
		return nil, err
	}
	if result.Aggregate != nil {
		return result, c.enterRelease(ctx, hosts, result)
	}
	return result, nil
}

// openTotals verifies, collects and releases. It returns why there is no
// release if that is so.
func (c *Rehearsal) openTotals(ctx context.Context, record *record, hosts Hosts, frozen coalition.FrozenRoster, result *Result) (refused, err error) {
	if err := c.collector.CheckSize(frozen); errs.KindOf(err) == errs.Conflict {
		return err, nil
	} else if err != nil {
		return nil, err
	}
	c.progress("verify and add up", 0, 1)
	if err := hosts.AddUp(ctx); err != nil {
		return nil, err
	}
	c.progress("collect", 0, 1)
	if result.Aggregate, err = c.collector.Collect(ctx, hosts.Leader(), frozen); err != nil {
		return nil, err
	}
	c.progress("release", 0, 1)
	return c.release(ctx, record.File, frozen, result)
}

func (c *Rehearsal) progress(step string, done, total int) {
	if c.cfg.Progress != nil {
		c.cfg.Progress(Progress{Step: step, Done: done, Total: total})
	}
}
