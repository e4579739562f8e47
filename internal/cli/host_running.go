package cli

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/store/hostdb"
)

// runningHost is a host with its database open: a Leader or a Helper of every
// cohort's task.
type runningHost struct {
	host    *hostFolder
	cycle   *hostCycle
	db      *hostdb.DB
	leaders map[dap.TaskID]*aggregate.Leader
	helpers map[dap.TaskID]*aggregate.Helper
}

// open opens the database and the host's part of every task. A Leader reaches
// the Helper with its certificate, and nobody else under the Helper's name.
func (h *hostFolder) open(ctx context.Context, env Env, cycle *hostCycle) (*runningHost, error) {
	db, err := hostdb.Open(ctx, hostdb.Config{Path: h.cfg.SQLite, DSNFile: h.cfg.PostgresDSN, CycleKey: cycle.key})
	if err != nil {
		return nil, err
	}
	r := &runningHost{host: h, cycle: cycle, db: db, leaders: make(map[dap.TaskID]*aggregate.Leader), helpers: make(map[dap.TaskID]*aggregate.Helper)}
	for _, cohort := range cycle.charter.Cohorts {
		if err := r.openTask(ctx, env, cohort); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return r, nil
}

func (r *runningHost) openTask(ctx context.Context, env Env, cohort coalition.Cohort) error {
	task, err := aggregate.NewTask(r.cycle.charter, cohort.ID, r.cycle.seed)
	if err != nil {
		return err
	}
	cfg := aggregate.Config{Task: task, Store: r.db, HPKE: r.cycle.hpke, Signer: r.host.signer, Now: env.Now, Workers: r.host.cfg.Limits.Jobs}
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
	r.leaders[task.ID], err = aggregate.NewLeader(ctx, cfg, peer)
	return err
}

// handler returns what this host serves, and the pins of those who may use what
// is not for everyone: the coordinator, and at a Helper the Leader.
func (r *runningHost) handler(log *slog.Logger) (http.Handler, []daphttp.Pin, error) {
	cfg := daphttp.Config{
		Endpoint: dap.URL(r.host.cfg.URL), MaxJobs: r.host.cfg.Limits.Jobs, MaxRequests: r.host.cfg.Limits.Requests, Log: log,
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
	tasks := make(map[dap.TaskID]daphttp.LeaderTask)
	for id, leader := range r.leaders {
		tasks[id] = daphttp.LeaderTask{Leader: leader, Coordinator: coordinator}
	}
	handler, err := daphttp.NewLeader(daphttp.LeaderConfig{Config: cfg, Tasks: tasks})
	return handler, []daphttp.Pin{coordinator}, err
}

// ready asks the database for the phase of every task.
func (r *runningHost) ready(ctx context.Context) error {
	for _, leader := range r.leaders {
		if _, err := leader.Phase(ctx); err != nil {
			return err
		}
	}
	for _, helper := range r.helpers {
		if _, err := helper.Phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *runningHost) close() error { return r.db.Close() }
