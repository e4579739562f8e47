package cli

import (
	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/cycle"
	"muster/internal/errs"
)

// recordEntry says where what the staff decides of a cycle is entered.
type recordEntry struct{ ledger, dir string }

func (f *recordEntry) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.ledger, "ledger", "", "the folder of the ledger, in which this is entered (default: the one in the "+config.CollectFile+" of --dir, if there is one)")
	cmd.Flags().StringVar(&f.dir, "dir", "", "the folder of the coordinator, whose key signs what is entered")
}

// entering returns where it is entered, before anything is done.
func (f recordEntry) entering(charter, cycle string) (entering, error) {
	if f.dir == "" {
		if f.ledger != "" {
			return entering{}, errs.New(errs.Invalid, "--ledger needs --dir: the coordinator's key signs what is entered", "")
		}
		return entering{}, nil
	}
	e, err := openEntering(f.dir, charter, f.ledger)
	if err != nil || e.ledger == "" {
		return e, err
	}
	e.cycle = cycle
	if _, err := openCoordinator(f.dir); err != nil {
		return e, err
	}
	_, err = openLedger(e.ledger)
	return e, err
}

func newCycleAdoptCmd(env Env) *cobra.Command {
	var path string
	var steps []string
	var record recordEntry
	cmd := &cobra.Command{
		Use:   "adopt CYCLE CHARTER --steps FOLDER",
		Short: "Keep the charter that was signed and adopted",
		Long: `Keep the charter that coordinator and hosts have signed, with its .sig beside it, and
that was adopted by silence: --steps is the folder or the files that the chair sent.
It is refused unless it says what was planned, and lists exactly who is invited, each
with the key that two people enrolled. A charter that is marked SYNTHETIC or REHEARSAL
needs no steps.

With --ledger the charter, the steps and how the procedure ended are entered in the
ledger, those that are not there.`,
		Example: `  muster coordinator cycle adopt 2031 charter.json --config year/coordinator.yaml --steps from-chair --ledger ledger --dir coordinator`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, "muster coordinator cycle adopt needs CYCLE and CHARTER")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			signed, _, err := openSignedCharter(args[1])
			if err != nil {
				return err
			}
			a := cycle.Adoption{Charter: signed}
			if len(steps) > 0 {
				t, err := readTravelled(steps)
				if err != nil {
					return err
				}
				a.Steps = t.steps
			}
			to, err := record.entering(args[1], "")
			if err != nil {
				return err
			}
			files, err := stepFiles(steps)
			if err != nil {
				return err
			}
			err = coordinate(cmd.Context(), env, path, func(c *coordination) error {
				if err := c.Adopt(cmd.Context(), c.person, cycle.ID(args[0]), a); err != nil {
					return err
				}
				say(env, "the charter %s is kept; the cycle's dates are its own", signed.Digest())
				return nil
			})
			if err != nil {
				return err
			}
			return to.enter(cmd.Context(), env, "", files...)
		},
	}
	configFlag(cmd, &path)
	record.register(cmd)
	cmd.Flags().StringArrayVar(&steps, "steps", nil, "the steps of the silence procedure, a folder or files; may be repeated")
	return cmd
}

func newCycleStepCmd(env Env) *cobra.Command {
	var path, reason string
	var record recordEntry
	cmd := &cobra.Command{
		Use:   "step CYCLE PHASE",
		Short: "Go on to a phase, postpone, or open again",
		Long: `Go on to a phase, postpone, or open again. With --ledger the step is entered in the
ledger, too, from the phase that the ledger has the cycle at; the steps that muster
collect enters by itself are there already.`,
		Example: `  muster coordinator cycle step 2031 consultation --config year/coordinator.yaml --ledger ledger --dir coordinator`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, "muster coordinator cycle step needs CYCLE and PHASE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := record.entering("", args[0])
			if err != nil {
				return err
			}
			to.phase, to.reason = args[1], reason
			err = coordinate(cmd.Context(), env, path, func(c *coordination) error {
				if err := c.Step(cmd.Context(), c.person, cycle.ID(args[0]), coalition.Phase(args[1]), reason); err != nil {
					return err
				}
				say(env, "the cycle %s is %s", args[0], args[1])
				return nil
			})
			if err != nil {
				return err
			}
			return to.enter(cmd.Context(), env, "")
		},
	}
	configFlag(cmd, &path)
	record.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for all to read; where the step needs one")
	return cmd
}
