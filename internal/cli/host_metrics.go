package cli

import (
	"context"
	"log/slog"
	"strings"

	"muster/internal/aggregate"
	"muster/internal/daphttp"
	"muster/internal/httpd"
)

// observe makes the metrics of a host that serves.
func (r *runningHost) observe(env Env, log *slog.Logger) {
	cfg := httpd.HostMetricsConfig{
		Role: strings.ToLower(roleName(r.cycle.role)), Version: readVersion().Version, Now: env.Now, Log: log,
		Read: func(ctx context.Context) (httpd.HostState, error) { return r.state(ctx, env) },
	}
	for _, row := range aggregate.Phases() {
		cfg.Phases = append(cfg.Phases, string(row.Phase))
	}
	r.metrics = httpd.NewHostMetrics(cfg)
}

// count counts a request.
func (r *runningHost) count(o daphttp.Observation) {
	r.metrics.Request(o.Route, o.Method, o.Status, o.Duration, o.In, o.Out)
	if o.Limited {
		r.metrics.Limited()
	}
}

// state reads what the metrics show of the database.
func (r *runningHost) state(ctx context.Context, env Env) (httpd.HostState, error) {
	var state httpd.HostState
	for _, cohort := range r.cycle.charter.Cohorts {
		s, err := aggregate.ReadNumbers(ctx, aggregate.StatusConfig{Charter: r.cycle.charter, Cohort: cohort.ID, Store: r.db, Now: env.Now})
		if err != nil {
			return httpd.HostState{}, err
		}
		n := s.Counts
		state.Cohorts = append(state.Cohorts, httpd.CohortState{
			Cohort: cohort.ID, Phase: string(s.Phase), Deadline: s.Deadline, Wipe: s.Wipe, Members: s.Members, Minimum: s.Minimum,
			Receipts: n.Receipts, Delivered: n.Members, Complete: n.Complete, Uploads: n.Reports, Unclaimed: n.Unclaimed, SetAside: n.SetAside,
			Jobs: n.Jobs, JobsDone: n.JobsDone, Accepted: n.Accepted, Rejected: n.Rejected,
			Collection: string(s.Collection), Driven: s.Driver != nil,
		})
	}
	tail, err := r.db.RecordTail(ctx)
	state.Record = tail.Lines
	return state, err
}
