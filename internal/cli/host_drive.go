package cli

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/httpd"
)

// pace is the pauses of a host that serves.
type pace struct {
	look  time.Duration // before it looks at the clock and the phase again
	first time.Duration // after a freeze that did not succeed; doubled with each
	last  time.Duration
}

// drive freezes and adds up by itself once the deadline has passed, where the
// configuration says so, and returns when ctx ends.
func (r *runningHost) drive(ctx context.Context, env Env, log *slog.Logger, p pace) error {
	var wg sync.WaitGroup
	for _, cohort := range r.cycle.charter.Cohorts {
		if leader := r.leader(cohort); leader != nil && r.host.cfg.Freeze == config.FreezeAtDeadline {
			wg.Go(func() { r.driveTask(ctx, env, log.With(slog.String("cohort", cohort.ID)), p, cohort, leader) })
		}
	}
	wg.Wait()
	<-ctx.Done()
	return nil
}

// driveTask takes one task from the deadline to its sums, however long it takes.
// The words of a refusal name members, and may be the other host's, so the log has its kind alone: muster host
// freeze says them.
func (r *runningHost) driveTask(ctx context.Context, env Env, log *slog.Logger, p pace, cohort coalition.Cohort, leader *aggregate.Leader) {
	pause := p.first
	for r.untilDeadline(ctx, env, log, p, cohort) {
		signed, err := leader.Freeze(ctx)
		if err == nil {
			log.LogAttrs(ctx, slog.LevelInfo, "the roster is frozen", slog.String("roster", signed.Digest()))
			err = leader.Aggregate(ctx)
		}
		if err == nil {
			log.LogAttrs(ctx, slog.LevelInfo, "every submission on the roster is added up")
			r.metrics.Freeze(httpd.FreezeDone)
			return
		}
		result, kind := httpd.FreezeRefused, errs.KindOf(err)
		if kind == errs.Unavailable || kind == errs.Internal {
			result = httpd.FreezeFailed
		}
		r.metrics.Freeze(result)
		log.LogAttrs(ctx, slog.LevelWarn, "the freeze did not succeed; muster host freeze says why", slog.String("kind", kind.String()), slog.Duration("again_in", pause))
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, p.last)
	}
}

// untilDeadline waits for the deadline that is in force, and returns false where
// there is nothing to drive: ctx ended, or the batch was collected or wiped.
func (r *runningHost) untilDeadline(ctx context.Context, env Env, log *slog.Logger, p pace, cohort coalition.Cohort) bool {
	for {
		s, err := r.phaseOf(ctx, env, cohort)
		switch {
		case err != nil:
			log.LogAttrs(ctx, slog.LevelWarn, "the database does not answer", slog.Any("cause", err))
		case s.Phase == aggregate.PhaseCollected, s.Phase == aggregate.PhaseWiped:
			return false
		case s.Over:
			return ctx.Err() == nil
		}
		if !sleep(ctx, p.look) {
			return false
		}
	}
}

func (r *runningHost) phaseOf(ctx context.Context, env Env, cohort coalition.Cohort) (aggregate.Standing, error) {
	return aggregate.ReadStanding(ctx, aggregate.StatusConfig{Charter: r.cycle.charter, Cohort: cohort.ID, Store: r.db, Now: env.Now})
}

// untilWiped returns when every task is wiped: then another process has
// destroyed the keys of the cycle, which this one still has in its memory.
func (r *runningHost) untilWiped(ctx context.Context, env Env, p pace) error {
	for sleep(ctx, p.look) {
		if r.wiped(ctx) {
			say(env, "the cycle is wiped: this process ends, since it has its keys in memory")
			return nil
		}
	}
	return nil
}

// wiped reports whether every task is known to be wiped.
func (r *runningHost) wiped(ctx context.Context) bool {
	for _, host := range r.hosts() {
		if phase, err := host.Phase(ctx); err != nil || phase != aggregate.PhaseWiped {
			return false
		}
	}
	return true
}

// sleep returns false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
