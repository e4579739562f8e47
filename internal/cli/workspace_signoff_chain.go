package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/workspace"
)

func newSignoffChainCmd(env Env) *cobra.Command {
	var (
		dir, survey string
		signed      bool
		again       bool
		lock        lockFlags
	)
	cmd := &cobra.Command{
		Use:   "chain --survey ID [--signed] STEP=NAME...",
		Short: "Define who signs off, in their order",
		Long: `Define the chain of sign-off of a survey: each step by a short id and the name that pages
and statements show, the first that decides first. With --signed every step approves
with a signature only; on the page each step may choose. Whoever changes the chain
begins it anew. Without steps nobody has to approve.

One person approves at one step. --same-person allows who has approved at an earlier
step to approve at every other, too; on the page each step may choose.`,
		Example: `  muster workspace signoff chain --dir ostmere --survey 2027/muster-core --signed head="Head of the authority" minister=Minister`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if survey == "" {
				return usageError(cmd, "muster workspace signoff chain needs --survey ID")
			}
			chain := make([]assess.Step, len(args))
			for i, arg := range args {
				id, name, ok := strings.Cut(arg, "=")
				if !ok {
					return errs.New(errs.Invalid, errs.Quote(arg)+" is no step", "a step is an id, =, and a name, such as head=\"Head of the authority\"")
				}
				chain[i] = assess.Step{ID: id, Name: name, Signed: signed, Again: again && i > 0}
			}
			w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
			if err != nil {
				return err
			}
			defer w.close(&err)
			if err := w.SetChain(cmd.Context(), w.person, workspace.SurveyID(survey), chain); err != nil {
				return err
			}
			say(env, "%s", plural(len(chain), "1 step has to approve", "%d steps have to approve"))
			return nil
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().StringVar(&survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	cmd.Flags().BoolVar(&again, "same-person", false, "who has approved at an earlier step may approve again")
	cmd.Flags().BoolVar(&signed, "signed", false, "every step approves with a signature only")
	lock.add(cmd)
	return cmd
}
