// Package aggregate is the work of the two hosts: they take submissions and
// receipts, freeze one roster, verify and add up the reports on it, and give
// their encrypted aggregate shares to the coordinator, once.
//
// A host is a [Leader] or a [Helper]. Each is a state machine whose state is in
// its [Store] alone: every step is one transaction, a step that was interrupted
// is repeated, and a repeated step has the same result. The Leader reaches the
// Helper through [Peer], which carries DAP messages; who stands behind it is not
// trusted:
//
//   - A Leader that adds, drops or exchanges reports meets a Helper that refuses
//     what is not on the roster it has signed, or has another digest than the
//     member's receipt.
//   - A Helper that answers with other reports, or twice differently, meets a
//     Leader that abandons the job or the collection.
//   - Either can falsify its own share of the totals. The block sums show crude
//     forgery only.
//
// The package knows tasks, opaque member ids and ciphertexts. It knows no
// framework, no outcome and no answer.
package aggregate

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/vdaf"
)

// MaxSkew is how far the clocks of a client and a host may differ.
const MaxSkew = 300 * time.Second

// Log is the coalition's shared record. Append is durable when it returns nil;
// an entry with an id that is in the log already is no error and changes
// nothing, so an interrupted step may append again.
type Log interface {
	Append(ctx context.Context, e ledger.Entry) error
}

// Task is what a host needs to know of a cohort's task.
type Task struct {
	coalition.OpenedTask
	VDAF      *vdaf.Prio3
	Leader    keys.Public
	Helper    keys.Public
	charter   coalition.Charter
	members   map[coalition.MemberID]keys.Public
	verifyKey [vdaf.VerifyKeySize]byte
}

// NewTask returns the task of a cohort as the signed charter defines it. The
// seed is the one that the hosts drew; its digest stands in the charter.
func NewTask(charter coalition.Charter, cohortID string, seed coalition.Seed) (*Task, error) {
	opened, err := charter.OpenTask(cohortID)
	if err != nil {
		return nil, err
	}
	if digest := seed.Digest(); fmt.Sprintf("%x", digest) != charter.SeedDigest {
		return nil, errs.New(errs.Invalid, "the seed is not the one that the charter names", "both hosts keep the seed of the ceremony that came before the charter")
	}
	prio3, err := vdaf.FromConfig(2, vdaf.ID(opened.Configuration.VdafType), opened.Configuration.VdafConfiguration)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the charter's VDAF configuration cannot be read", "")
	}
	key, err := dap.VerifyKey(seed[:], opened.ID)
	if err != nil {
		return nil, err
	}
	members := make(map[coalition.MemberID]keys.Public, len(opened.Cohort.Members))
	for _, m := range opened.Cohort.Members {
		members[m.ID] = m.Key
	}
	return &Task{
		OpenedTask: opened, VDAF: prio3, Leader: charter.Leader.Key, Helper: charter.Helper.Key,
		charter: charter, members: members, verifyKey: key,
	}, nil
}

// Admission says whether a task may be opened beside the other tasks of its
// charter. Both hosts ask, each its own, before anything is added up and before a
// share is handed over: the difference of two totals can be one member's answers.
type Admission interface {
	// Admit returns nil where the task may be opened. It refuses with kind
	// Unavailable while the roster of another cohort is not frozen, and with kind
	// Conflict for good. It is called often, also concurrently, and outside of
	// transactions.
	Admit(ctx context.Context, task dap.TaskID) error
}

// Config is what a Leader or a Helper is made of. Log may be nil where nothing
// is logged, Workers zero for one verifier a processor, and Lease nil where one
// process alone can drive the task, as in a rehearsal; the rest is needed.
type Config struct {
	Task    *Task
	Store   Store
	HPKE    []*dap.HpkeKeypair // its private keys for input shares
	Signer  *keys.Signer       // signs rosters
	Log     Log
	Now     func() time.Time
	Workers int    // reports verified at the same time
	Lease   *Lease // of a Leader; a Helper drives nothing

	Admission Admission // needed where the charter has several cohorts

	// Progress is told how many of the aggregation jobs are done, by the Leader
	// that does them; it may be called concurrently. Nil: nobody is told.
	Progress func(done, total int)
}

// host is what Leader and Helper share.
type host struct {
	Config
	role    dap.Role
	opener  opener
	context []byte // the VDAF's application context
	last    *lastRoster
	turn    *sync.Mutex // of jobs to commit: all change the same sums
	memory  *memory
}

func newHost(ctx context.Context, cfg Config, role dap.Role) (*host, error) {
	switch {
	case cfg.Task == nil, cfg.Store == nil, cfg.Signer == nil, cfg.Now == nil, len(cfg.HPKE) == 0:
		return nil, fmt.Errorf("aggregate: a %v needs a task, a store, HPKE keys, a signer and a clock", role)
	case cfg.Admission == nil && len(cfg.Task.charter.Cohorts) > 1:
		return nil, fmt.Errorf("aggregate: a %v of one of several cohorts needs an admission", role)
	case cfg.Lease != nil && (cfg.Lease.Holder == "" || cfg.Lease.TTL <= 0):
		return nil, fmt.Errorf("aggregate: a lease needs a holder and a time")
	}
	own := map[dap.Role]keys.Public{dap.RoleLeader: cfg.Task.Leader, dap.RoleHelper: cfg.Task.Helper}[role]
	if cfg.Signer.Public() != own {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("this key is not the charter's %v", role), "")
	}
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	h := &host{Config: cfg, role: role, context: cfg.Task.Variant.VdafContext(cfg.Task.ID), last: new(lastRoster), turn: new(sync.Mutex), memory: new(memory)}
	var err error
	if h.opener, err = newOpener(cfg.Task, role, cfg.HPKE); err != nil {
		return nil, err
	}
	err = cfg.Store.InTx(ctx, "create task", func(tx Tx) error { return tx.CreateTask(cfg.Task.ID, role) })
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Phase returns how far the host is with its task.
func (h *host) Phase(ctx context.Context) (Phase, error) {
	var phase Phase
	err := h.Store.InTx(ctx, "read phase", func(tx Tx) (err error) {
		phase, err = tx.Phase(h.Task.ID)
		return err
	})
	return phase, err
}

func (h *host) append(ctx context.Context, e ledger.Entry) error {
	if h.Log == nil {
		return nil
	}
	if err := h.Log.Append(ctx, e); err != nil {
		return fmt.Errorf("log %s: %w", e.Kind, err)
	}
	return nil
}
