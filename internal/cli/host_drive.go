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

// The pauses of a host that serves.
const (
	lookAgain  = 2 * time.Second  // at the clock and the phase
	firstPause = 10 * time.Second // after a freeze that did not succeed; doubled with each
	lastPause  = 10 * time.Minute
)

// drive freezes and adds up by itself once the deadline has passed, where the
// configuration says so, and returns when ctx ends.
func (r *runningHost) drive(ctx context.Context, env Env, log *slog.Logger) error {
	var wg sync.WaitGroup
	for _, cohort := range r.cycle.charter.Cohorts {
		if leader := r.leader(cohort); leader != nil && r.host.cfg.Freeze == config.FreezeAtDeadline {
			wg.Go(func() { r.driveTask(ctx, env, log.With(slog.String("cohort", cohort.ID)), cohort, leader) })
		}
	}
	wg.Wait()
	<-ctx.Done()
	return nil
}

// driveTask takes one task from the deadline to its sums, however long it takes.
// The words of a refusal name members, so the log has its kind alone: muster host
// freeze says them.
func (r *runningHost) driveTask(ctx context.Context, env Env, log *slog.Logger, cohort coalition.Cohort, leader *aggregate.Leader) {
	pause := firstPause
	for r.untilDeadline(ctx, env, log, cohort) {
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
		result := httpd.FreezeRefused
		attrs := []slog.Attr{slog.String("kind", errs.KindOf(err).String()), slog.Duration("again_in", pause)}
		if kind := errs.KindOf(err); kind == errs.Unavailable || kind == errs.Internal {
			attrs, result = append(attrs, slog.Any("cause", err)), httpd.FreezeFailed
		}
		r.metrics.Freeze(result)
		log.LogAttrs(ctx, slog.LevelWarn, "the freeze did not succeed; muster host freeze says why", attrs...)
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// untilDeadline waits for the deadline that is in force, and returns false where
// there is nothing to drive: ctx ended, or the batch was collected or wiped.
func (r *runningHost) untilDeadline(ctx context.Context, env Env, log *slog.Logger, cohort coalition.Cohort) bool {
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
		if !sleep(ctx, lookAgain) {
			return false
		}
	}
}

func (r *runningHost) phaseOf(ctx context.Context, env Env, cohort coalition.Cohort) (aggregate.Standing, error) {
	return aggregate.ReadStanding(ctx, aggregate.StatusConfig{Charter: r.cycle.charter, Cohort: cohort.ID, Store: r.db, Now: env.Now})
}

// untilWiped returns when every task is wiped: then another process has
// destroyed the keys of the cycle, which this one still has in its memory.
func (r *runningHost) untilWiped(ctx context.Context, env Env) error {
	for sleep(ctx, lookAgain) {
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
