package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

func newHostAmendCmd(env Env) *cobra.Command {
	var dir string
	var yes bool
	cmd := &cobra.Command{
		Use:   "amend --dir DIR",
		Short: "Strike from the roster, with the other host, what could not be added up",
		Long: `At the Leader, after muster host freeze: show which submissions were not accepted,
ask, and have both hosts sign an amendment that strikes them from the roster. A
submission that was not accepted says nothing of the member's diligence: either
host alone can bring it about.

The Helper signs only if it, too, has not added up what is struck, and if enough
is left. Once the batch is collected nothing is amended any more. It may be
interrupted and repeated.`,
		Example: `  muster host amend --dir ostmere`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runAmend(cmd.Context(), env, dir, yes) },
	}
	dirFlag(cmd, &dir, "this host")
	cmd.Flags().BoolVar(&yes, "yes", false, "sign without asking: the page has been read")
	return cmd
}

func runAmend(ctx context.Context, env Env, dir string, yes bool) error {
	k, err := readHost(dir)
	if err != nil {
		return err
	}
	if k.role == dap.RoleHelper {
		return errs.New(errs.Conflict, fmt.Sprintf("%s is the Helper: the Leader, %s, proposes amendments, and this host signs as long as it serves", k.cfg.Member, k.peer()),
			"muster host status says what was not accepted here")
	}
	return drive(ctx, env, dir, func(r *runningHost) error {
		var failed []error
		for _, cohort := range r.cycle.charter.Cohorts {
			failed = append(failed, r.amend(ctx, env, cohort, yes))
		}
		return errors.Join(failed...)
	})
}

func (r *runningHost) amend(ctx context.Context, env Env, cohort coalition.Cohort, yes bool) error {
	leader := r.leader(cohort)
	struck, left, err := leader.NotAccepted(ctx)
	if err != nil {
		return err
	}
	if len(struck) > 0 {
		if err := writeAmendmentPage(env, cohort, struck, left); err != nil {
			return err
		}
		if ok, err := agreed(env, yes, fmt.Sprintf("Does %s strike them, if %s signs, too?", r.host.cfg.Member, r.cycle.charter.Helper.Member), "struck"); err != nil || !ok {
			return err
		}
	}
	// Also where nothing is to be struck: an interruption may have come between
	// the last amendment and its entry in the record.
	frozen, err := leader.Amend(ctx)
	if err != nil {
		return err
	}
	if len(struck) == 0 {
		say(env, "%s: every submission on the roster was accepted; there is nothing to strike", cohort.ID)
		return nil
	}
	if _, err := fmt.Fprintf(env.Out, "%s: amendment %d is signed by both hosts: %s\n", cohort.ID, len(frozen.Amendments), frozen.Digest()); err != nil {
		return err
	}
	return r.sayAddedUp(ctx, env, cohort)
}

func writeAmendmentPage(env Env, cohort coalition.Cohort, struck []coalition.Strike, left int) error {
	page := fmt.Sprintf("Not accepted, and to be struck from the roster of %s:\n\n", cohort.ID)
	for _, s := range struck {
		page += fmt.Sprintf("  the submission of %s (%s)\n", s.Member, s.Reason)
	}
	page += fmt.Sprintf("\n%s on the roster; the charter collects from %d on.\n", plural(left, "1 submission is left", "%d submissions are left"), cohort.MinimumBatch)
	_, err := env.Out.Write([]byte(page))
	return err
}

func newHostSetAsideCmd(env Env) *cobra.Command {
	var dir string
	var yes bool
	cmd := &cobra.Command{
		Use:   "set-aside MEMBER SEQ --dir DIR",
		Short: "Make one submission count for nothing, so that the hosts' lists can agree",
		Long: `Make one submission of a member count for nothing at this host, for good. It is how
the hosts' people settle a difference of their lists when the member cannot, for
instance a delivery that reached one host only; the decision is entered in the
record. Where an earlier submission is complete at both hosts, that one counts
again. It is refused once the list is fixed.`,
		Example: `  muster host set-aside Brannmark 2 --dir ostmere`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, "muster host set-aside needs MEMBER and SEQ, which muster host status shows")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSetAside(cmd.Context(), env, dir, args[0], args[1], yes)
		},
	}
	dirFlag(cmd, &dir, "this host")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking: the page has been read")
	return cmd
}

func runSetAside(ctx context.Context, env Env, dir, name, number string, yes bool) error {
	member, err := coalition.ParseMemberID(name)
	if err != nil {
		return err
	}
	sequence, err := parseSequence(number)
	if err != nil {
		return err
	}
	return drive(ctx, env, dir, func(r *runningHost) error {
		for _, cohort := range r.cycle.charter.Cohorts {
			for _, m := range cohort.Members {
				if m.ID == member {
					return r.setAside(ctx, env, cohort, member, sequence, yes)
				}
			}
		}
		return errs.New(errs.NotFound, errs.Quote(name)+" is no member of a cohort of this cycle", "muster host status --members names them")
	})
}

func (r *runningHost) setAside(ctx context.Context, env Env, cohort coalition.Cohort, member coalition.MemberID, sequence uint64, yes bool) error {
	other := r.cycle.charter.Helper.Member
	if r.cycle.role == dap.RoleHelper {
		other = r.cycle.charter.Leader.Member
	}
	_, err := fmt.Fprintf(env.Out, "Submission %d of %s, in %s, will count for nothing at %s, for good. Its last earlier one\ncounts again, if there is one. %s does not hear of it by itself: tell its engineer, and\nthe member. The decision stands in this host's record.\n",
		sequence, member, cohort.ID, r.host.cfg.Member, other)
	if err != nil {
		return err
	}
	if ok, err := agreed(env, yes, "Set it aside?", "set aside"); err != nil || !ok {
		return err
	}
	if err := r.part(cohort).SetAside(ctx, member, sequence); err != nil {
		return err
	}
	say(env, "submission %d of %s is set aside at %s", sequence, member, r.host.cfg.Member)
	return nil
}

// parseSequence reads the number of a submission.
func parseSequence(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != text {
		return 0, errs.New(errs.Invalid, errs.Quote(text)+" is no number of a submission", "a whole number from 1 on, which muster host status shows")
	}
	return n, nil
}

// keyOf is the key with which a host signs.
func keyOf(c coalition.Charter, role dap.Role) keys.Public {
	if role == dap.RoleLeader {
		return c.Leader.Key
	}
	return c.Helper.Key
}
