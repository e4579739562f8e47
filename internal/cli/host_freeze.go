package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/rehearse"
)

func newHostFreezeCmd(env Env) *cobra.Command {
	var dir string
	var again bool
	cmd := &cobra.Command{
		Use:   "freeze --dir DIR",
		Short: "After the deadline: fix the roster with the other host, verify and add up",
		Long: `After the deadline, at the Leader: exchange lists with the Helper, have both sign
one roster, verify every submission on it and add up. Where the two lists differ
the members are named, and nothing is opened.

It may be interrupted and repeated, and runs beside a host that serves; one
process drives at a time. At the Helper it says what the Helper has: the Leader
drives. Exit code 3 means that too few members took part.

With --again it hands the Helper the roster and every job once more, because that
was restored from a backup and has forgotten them.`,
		Example: `  muster host freeze --dir ostmere`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runFreeze(cmd.Context(), env, dir, again) },
	}
	dirFlag(cmd, &dir, "this host")
	cmd.Flags().BoolVar(&again, "again", false, "the Helper was restored from a backup: hand it everything once more")
	return cmd
}

func runFreeze(ctx context.Context, env Env, dir string, again bool) error {
	k, err := readHost(dir)
	if err != nil {
		return err
	}
	if k.role == dap.RoleHelper {
		return k.sayHelper(ctx, env)
	}
	return drive(ctx, env, dir, func(r *runningHost) error {
		cohorts := r.cycle.charter.Cohorts
		for _, cohort := range cohorts[1:] { // all rosters are audited together before anything is added up
			if _, err := r.leader(cohort).Freeze(ctx); err != nil {
				return err
			}
		}
		var failed []error
		for _, cohort := range cohorts {
			failed = append(failed, r.freeze(ctx, env, cohort, again))
		}
		return errors.Join(failed...)
	})
}

// sayHelper says that the Leader drives, and what this host has.
func (k *knownHost) sayHelper(ctx context.Context, env Env) error {
	s, err := readStatus(ctx, env, k.dir)
	if err != nil {
		return err
	}
	if err := s.write(env, false); err != nil {
		return err
	}
	say(env, "%s is the Helper: the Leader, %s, drives, and this host answers as long as it serves", k.cfg.Member, k.peer())
	return nil
}

// drive opens a host whose command changes something, and closes it.
func drive(ctx context.Context, env Env, dir string, fn func(*runningHost) error) (err error) {
	h, err := openHost(dir)
	if err != nil {
		return err
	}
	cycle, err := h.cycle()
	if err != nil {
		return err
	}
	running, err := h.open(ctx, env, cycle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.close()) }()
	return fn(running)
}

// freeze takes one cohort from the deadline to its sums.
func (r *runningHost) freeze(ctx context.Context, env Env, cohort coalition.Cohort, again bool) error {
	leader := r.leader(cohort)
	show, done := progressLine(env)
	defer done()
	if show != nil {
		show(rehearse.Progress{Step: "exchange lists with " + string(r.cycle.charter.Helper.Member)})
		r.onProgress = func(n, total int) {
			show(rehearse.Progress{Step: "verify and add up, job", Done: min(n, total-1), Total: total})
		}
	}
	signed, err := leader.Freeze(ctx)
	if err == nil && again {
		err = leader.Again(ctx)
	}
	if err != nil {
		return err
	}
	roster, err := coalition.ParseRoster(signed.Body, leader.Task.ID)
	if err != nil {
		return err
	}
	err = leader.Aggregate(ctx)
	done()
	if _, printErr := fmt.Fprintf(env.Out, "%s: the roster has %s and is signed by both hosts: %s\n", cohort.ID,
		plural(len(roster.Entries), "1 submission", "%d submissions"), signed.Digest()); printErr != nil {
		return printErr
	}
	if errs.KindOf(err) == errs.Conflict {
		return errs.Wrap(err, errs.Conflict, errs.Describe(err).Message, fmt.Sprintf("muster host amend --dir %s strikes them from the roster, if the Helper signs, too", strconv.Quote(r.host.dir)))
	}
	if err != nil {
		return err
	}
	return r.sayAddedUp(ctx, env, cohort)
}

// sayAddedUp says what was added up, and whether it is enough.
func (r *runningHost) sayAddedUp(ctx context.Context, env Env, cohort coalition.Cohort) error {
	s, err := aggregate.ReadStatus(ctx, aggregate.StatusConfig{Charter: r.cycle.charter, Cohort: cohort.ID, Store: r.db, Now: env.Now})
	if err != nil {
		return err
	}
	n := len(s.Roster.Entries)
	if _, err := fmt.Fprintf(env.Out, "%s: %s verified and added up\n", cohort.ID, plural(n, "1 submission is", "%d submissions are")); err != nil {
		return err
	}
	if n < s.Minimum {
		return refused{errs.New(errs.Conflict, fmt.Sprintf("%d of %d members took part, and the charter collects from %d on: nothing can be opened", n, s.Members, s.Minimum),
			"the coordinator may propose a new charter")}
	}
	say(env, "the coordinator can collect %s now", cohort.ID)
	return nil
}
