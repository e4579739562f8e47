// Package collect is the coordinator's end of a task: it asks the Leader for
// the batch, opens both hosts' aggregate shares with the collector key, adds
// them up and checks what can be checked.
//
// The result is an [Aggregate]: the totals before disclosure control. They can
// point at single members, so they stay with the coordinator; package
// disclosure turns them into what may be shown.
//
// Neither host is trusted with more than it must be. Totals whose blocks do not
// sum to the number of submissions, or whose number is not the roster's, are
// refused. A host that moves counts within a block stays unseen.
package collect

import (
	"bytes"
	"context"
	"fmt"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/vdaf"
)

// Leader is the Leader as the coordinator reaches it. The same body again has
// the same answer. It is not trusted.
type Leader interface {
	// CollectionJob takes a CollectionJobReq and returns the CollectionJobResp.
	CollectionJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
}

// Config is what a collection needs.
type Config struct {
	Charter coalition.Charter
	Cohort  string
	HPKE    *dap.HpkeKeypair // the collector key
	Layout  *framework.Layout
}

// Collector collects the task of one cohort.
type Collector struct {
	cfg   Config
	task  coalition.OpenedTask
	prio3 *vdaf.Prio3
}

// New returns the collector of a cohort's task. It refuses a layout and a
// collector key that are not the charter's.
func New(cfg Config) (*Collector, error) {
	task, err := cfg.Charter.OpenTask(cfg.Cohort)
	if err != nil {
		return nil, err
	}
	prio3, err := vdaf.FromConfig(2, vdaf.ID(task.Configuration.VdafType), task.Configuration.VdafConfiguration)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the charter's VDAF configuration cannot be read", "")
	}
	if digest := cfg.Layout.Digest(); string(digest[:]) != string(task.Configuration.TaskInfo) {
		return nil, errs.New(errs.Invalid, "the layout is not the charter's", "")
	}
	if prio3.OutputLen() != cfg.Layout.Bits() {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the task sums %d cells and the layout has %d", prio3.OutputLen(), cfg.Layout.Bits()), "")
	}
	own, err := dap.Encode(task.Variant, cfg.HPKE.Config())
	if err != nil {
		return nil, err
	}
	listed, err := dap.Encode(task.Variant, task.CollectorHPKE)
	if err != nil {
		return nil, err
	}
	// Now, and not when the batch is collected and its shares do not open.
	if !bytes.Equal(own, listed) {
		return nil, errs.New(errs.Invalid, "this collector key is not the one that the charter names", "the hosts seal their shares to the charter's key")
	}
	return &Collector{cfg: cfg, task: task, prio3: prio3}, nil
}

// Request returns the one request that a batch is collected with, encoded. It
// has the same bytes whenever it is made.
func (c *Collector) Request() ([]byte, error) {
	req, err := c.request()
	if err != nil {
		return nil, err
	}
	return dap.Encode(c.task.Variant, req)
}

func (c *Collector) request() (dap.CollectionJobReq, error) {
	query, err := dap.NewTimeIntervalQuery(c.task.Interval)
	return dap.CollectionJobReq{Query: query}, err
}

// Collect asks the Leader for the batch and returns the totals, see [Collector.Open].
func (c *Collector) Collect(ctx context.Context, leader Leader, frozen coalition.FrozenRoster) (*Aggregate, error) {
	if _, err := openFrozen(c.cfg.Charter, c.task, frozen); err != nil {
		return nil, err
	}
	body, err := c.Request()
	if err != nil {
		return nil, err
	}
	answer, err := leader.CollectionJob(ctx, c.task.ID, body)
	if err != nil {
		return nil, fmt.Errorf("the Leader: %w", err)
	}
	return c.Open(answer, frozen)
}

// Open opens the Leader's answer to [Collector.Request] and returns the totals,
// checked against the roster and its amendments, all of which both hosts signed.
func (c *Collector) Open(answer []byte, frozen coalition.FrozenRoster) (*Aggregate, error) {
	roster, err := openFrozen(c.cfg.Charter, c.task, frozen)
	if err != nil {
		return nil, err
	}
	req, err := c.request()
	if err != nil {
		return nil, err
	}
	resp, err := dap.Decode[dap.CollectionJobResp](c.task.Variant, answer)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the Leader's answer cannot be read; nothing was opened", "the same request gets the same answer again")
	}
	if err := c.checkAnswer(resp, len(roster.Entries)); err != nil {
		return nil, err
	}
	cells, err := c.open(req, resp)
	if err != nil {
		return nil, err
	}
	a, err := NewAggregate(c.cfg.Layout, resp.ReportCount, cells)
	if err != nil {
		return nil, err
	}
	a.CycleMarking, a.Task, a.Roster = c.cfg.Charter.Marking, c.task.ID.String(), frozen.Digest()
	return a, nil
}

// checkAnswer holds the answer against roster and charter before it is opened.
func (c *Collector) checkAnswer(resp dap.CollectionJobResp, roster int) error {
	switch {
	case resp.ReportCount != uint64(roster):
		return errs.New(errs.Conflict, fmt.Sprintf("the hosts added up %d submissions and the roster has %d; nothing was opened", resp.ReportCount, roster), "")
	case resp.ReportCount < c.task.Configuration.MinBatchSize:
		return errs.New(errs.Conflict, fmt.Sprintf("the hosts added up %d submissions and the charter wants %d; nothing was opened",
			resp.ReportCount, c.task.Configuration.MinBatchSize), "")
	case !c.task.Interval.ContainsInterval(resp.Interval):
		return errs.New(errs.Conflict, "the hosts added up submissions from outside the cycle; nothing was opened", "")
	}
	return nil
}

// open decrypts both shares and adds them up.
func (c *Collector) open(req dap.CollectionJobReq, resp dap.CollectionJobResp) ([]uint64, error) {
	taskAad, err := dap.NewTaskAad(c.task.Variant, c.task.ID, c.task.Configuration)
	if err != nil {
		return nil, err
	}
	aad, err := taskAad.Collection(req)
	if err != nil {
		return nil, err
	}
	var shares []*vdaf.Aggregate
	for _, part := range []struct {
		name       string
		role       dap.Role
		ciphertext dap.HpkeCiphertext
	}{{"Leader", dap.RoleLeader, resp.LeaderEncryptedAggShare}, {"Helper", dap.RoleHelper, resp.HelperEncryptedAggShare}} {
		encoded, err := aad.Open(c.cfg.HPKE, part.role, part.ciphertext)
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("the share of the %s does not open", part.name),
				"it was sealed for another key, task or request")
		}
		share, err := c.prio3.DecodeAggregate(encoded)
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("the share of the %s cannot be read", part.name), "")
		}
		shares = append(shares, share)
	}
	cells, err := c.prio3.Unshard(shares, resp.ReportCount)
	if err != nil {
		return nil, errs.Wrap(err, errs.Conflict, "the shares do not add up to counts", "one of the hosts changed its share; the record has the digests of both")
	}
	return cells, nil
}
