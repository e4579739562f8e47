package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/httpd"
	"muster/internal/ledger"
	"muster/internal/store/hostdb"
)

// runningHost is a host with its database open: a Leader or a Helper of every
// cohort's task.
type runningHost struct {
	host    *hostFolder
	cycle   *hostCycle
	db      *hostdb.DB
	record  *hostdb.Record
	lease   *aggregate.Lease
	leaders map[dap.TaskID]*aggregate.Leader
	helpers map[dap.TaskID]*aggregate.Helper

	metrics    *httpd.HostMetrics    // of a host that serves
	onProgress func(done, total int) // of a driving command; set before it drives
}

func (r *runningHost) progress(done, total int) {
	if r.onProgress != nil {
		r.onProgress(done, total)
	}
}

// helper returns the Helper of a cohort's task, or nil at a Leader.
func (r *runningHost) helper(cohort coalition.Cohort) *aggregate.Helper {
	for id, helper := range r.helpers {
		if id.String() == cohort.Task.ID {
			return helper
		}
	}
	return nil
}

// leader returns the Leader of a cohort's task, or nil at a Helper.
func (r *runningHost) leader(cohort coalition.Cohort) *aggregate.Leader {
	for id, leader := range r.leaders {
		if id.String() == cohort.Task.ID {
			return leader
		}
	}
	return nil
}

// open opens the database and the host's part of every task. A Leader reaches
// the Helper with its certificate, and nobody else under the Helper's name.
func (h *hostFolder) open(ctx context.Context, env Env, cycle *hostCycle) (*runningHost, error) {
	db, err := hostdb.Open(ctx, hostdb.Config{Path: h.cfg.SQLite, DSNFile: h.cfg.PostgresDSN, CycleKey: cycle.key})
	if err != nil {
		return nil, err
	}
	r := &runningHost{
		host: h, cycle: cycle, db: db, record: db.Record(h.signer),
		leaders: make(map[dap.TaskID]*aggregate.Leader), helpers: make(map[dap.TaskID]*aggregate.Helper),
	}
	if r.lease, err = newLease(env); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	for _, cohort := range cycle.charter.Cohorts {
		if err := r.openTask(ctx, env, cohort); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if err := r.record.Append(ctx, charterEntry(cycle.signed, cycle.charter)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := r.reconcile(ctx, env); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

// leaseTime is how long a process that drove and was killed keeps others from
// driving, besides [aggregate.LeaseDrift].
const leaseTime = 30 * time.Second

// newLease returns a lease in the name of this process.
func newLease(env Env) (*aggregate.Lease, error) {
	machine, err := os.Hostname()
	if err != nil {
		machine = "unknown"
	}
	var once [4]byte // a process of another container may have the same number
	if _, err := io.ReadFull(env.Rand, once[:]); err != nil {
		return nil, fmt.Errorf("name this process: %w", err)
	}
	return &aggregate.Lease{Holder: fmt.Sprintf("process %d on %s (%x)", os.Getpid(), machine, once), TTL: leaseTime}, nil
}

// charterEntry begins a host's record: under which charter it serves.
func charterEntry(signed coalition.SignedCharter, c coalition.Charter) ledger.Entry {
	members := 0
	for _, cohort := range c.Cohorts {
		members += len(cohort.Members)
	}
	return ledger.Entry{
		ID: "charter " + c.Cycle, Kind: "charter",
		Data: map[string]string{"charter": signed.Digest(), "framework": c.Framework.Digest, "members": strconv.Itoa(members), "marking": c.Marking},
	}
}

func (r *runningHost) openTask(ctx context.Context, env Env, cohort coalition.Cohort) error {
	task, err := aggregate.NewTask(r.cycle.charter, cohort.ID, r.cycle.seed)
	if err != nil {
		return err
	}
	cfg := aggregate.Config{
		Task: task, Store: r.db, HPKE: r.cycle.hpke, Signer: r.host.signer, Log: r.record, Now: env.Now, Workers: r.host.cfg.Limits.Jobs,
		Progress: r.progress, Admission: admission{charter: r.cycle.charter, rosters: r},
	}
	if r.cycle.role == dap.RoleHelper {
		r.helpers[task.ID], err = aggregate.NewHelper(ctx, cfg)
		return err
	}
	pin, err := daphttp.ParsePin(r.cycle.charter.Helper.Certificate)
	if err != nil {
		return err
	}
	peer, err := daphttp.NewHelperClient(daphttp.ClientConfig{
		Endpoint: task.Configuration.HelperAggregatorEndpoint, TLS: daphttp.ClientTLS(&r.cycle.certificate, pin),
	})
	if err != nil {
		return err
	}
	cfg.Lease = r.lease
	r.leaders[task.ID], err = aggregate.NewLeader(ctx, cfg, peer)
	return err
}

// handler returns what this host serves, and the pins of those who may use what
// is not for everyone: the coordinator and the other host.
func (r *runningHost) handler(log *slog.Logger) (http.Handler, []daphttp.Pin, error) {
	cfg := daphttp.Config{
		Endpoint: dap.URL(r.host.cfg.URL), MaxJobs: r.host.cfg.Limits.Jobs, MaxRequests: r.host.cfg.Limits.Requests, Log: log,
		UploadsPerHour: r.host.cfg.Limits.Uploads, Observe: r.count,
	}
	for _, pair := range r.cycle.hpke {
		cfg.HPKE = append(cfg.HPKE, pair.Config())
	}
	coordinator, err := daphttp.ParsePin(r.cycle.charter.Coordinator.Certificate)
	if err != nil {
		return nil, nil, err
	}
	if r.cycle.role == dap.RoleHelper {
		leader, err := daphttp.ParsePin(r.cycle.charter.Leader.Certificate)
		if err != nil {
			return nil, nil, err
		}
		tasks := make(map[dap.TaskID]daphttp.HelperTask)
		for id, helper := range r.helpers {
			tasks[id] = daphttp.HelperTask{Helper: helper, Leader: leader, Coordinator: coordinator}
		}
		handler, err := daphttp.NewHelper(daphttp.HelperConfig{Config: cfg, Tasks: tasks})
		return handler, []daphttp.Pin{leader, coordinator}, err
	}
	helper, err := daphttp.ParsePin(r.cycle.charter.Helper.Certificate)
	if err != nil {
		return nil, nil, err
	}
	tasks := make(map[dap.TaskID]daphttp.LeaderTask)
	for id, leader := range r.leaders {
		tasks[id] = daphttp.LeaderTask{Leader: leader, Coordinator: coordinator, Helper: helper}
	}
	handler, err := daphttp.NewLeader(daphttp.LeaderConfig{Config: cfg, Tasks: tasks})
	return handler, []daphttp.Pin{helper, coordinator}, err
}

// ready asks the database for the phase of every task.
func (r *runningHost) ready(ctx context.Context) error {
	for _, host := range r.hosts() {
		if _, err := host.Phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// taskHost is what a Leader and a Helper have in common.
type taskHost interface {
	Phase(ctx context.Context) (aggregate.Phase, error)
	SetAside(ctx context.Context, member coalition.MemberID, sequence uint64) error
	Postpone(ctx context.Context, a coalition.SignedAddendum) error
}

// hosts returns this host's part of every task, in the order of the cohorts.
func (r *runningHost) hosts() []taskHost {
	var list []taskHost
	for _, cohort := range r.cycle.charter.Cohorts {
		list = append(list, r.part(cohort))
	}
	return list
}

// part returns this host's part of a cohort's task.
func (r *runningHost) part(cohort coalition.Cohort) taskHost {
	if leader := r.leader(cohort); leader != nil {
		return leader
	}
	return r.helper(cohort) // no cohort is without a task: open has made them
}

func (r *runningHost) close() error { return r.db.Close() }
