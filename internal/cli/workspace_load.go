package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"muster/internal/framework"
	"muster/internal/workspace"
)

type workspaceLoadFlags struct {
	dir, charter, framework, cycle, before, insteadOf string
	survey                                            string
	addenda                                           []string
	coordinator                                       bool
	lock                                              lockFlags
}

func newWorkspaceLoadCmd(env Env) *cobra.Command {
	var f workspaceLoadFlags
	cmd := &cobra.Command{
		Use:   "load --dir DIR (--charter FILE | --framework PACK --cycle NAME | --survey ID --addendum FILE)",
		Short: "Open what a cycle asks, and carry over what looks unchanged",
		Long: `Open the questions of a cycle in a member's workspace. A charter says which pack is
asked and until when; where there is none yet, give the pack and the name of the
cycle, and load the charter when the coordinator has sent it.

Where the deadline was postponed, --addendum takes what coordinator and hosts signed, its
.sig beside it: with the charter, or later with --survey. The deadline counts everywhere
from then on, and what was signed off stays so.

With --before, last cycle's answers are carried over where they look unchanged.
They count for nothing until somebody confirms each.

With --coordinator it is the coordinator's own workspace, in which it answers for the
coalition; muster collect collective signs what comes of it.`,
		Example: `  muster workspace load --dir ostmere --framework muster-core --cycle 2027
  muster workspace load --dir ostmere --survey 2027/muster-core --addendum addendum.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.survey != "" && (len(f.addenda) == 0 || f.charter != "" || f.framework != "" || f.cycle != ""):
				return usageError(cmd, "--survey goes with --addendum, and with nothing else that is loaded")
			case f.survey != "":
				return runWorkspacePostpone(cmd.Context(), env, f)
			case f.charter == "" && (f.framework == "" || f.cycle == ""):
				return usageError(cmd, "muster workspace load needs --charter, or --framework and --cycle, or --survey and --addendum")
			case f.charter == "" && len(f.addenda) > 0:
				return usageError(cmd, "--addendum goes with --charter, or with --survey")
			}
			return runWorkspaceLoad(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter, its .sig beside it")
	flags.StringSliceVar(&f.addenda, "addendum", nil, "the addenda that postponed the deadline, in order, each with its .sig beside it")
	flags.StringVar(&f.survey, "survey", "", "with --addendum: a survey that is there already")
	flags.StringVar(&f.framework, "framework", "", "id or path of the pack, where there is no charter or this muster does not bring its pack")
	flags.StringVar(&f.cycle, "cycle", "", "the cycle, such as 2027, where there is no charter")
	flags.StringVar(&f.before, "before", "", "the survey of the cycle before, such as 2026/muster-core")
	flags.StringVar(&f.insteadOf, "instead-of", "", "the digest of a charter that the survey was loaded with and that was withdrawn")
	flags.BoolVar(&f.coordinator, "coordinator", false, "the coordinator answers, for the coalition as a whole")
	f.lock.add(cmd)
	return cmd
}

func runWorkspaceLoad(ctx context.Context, env Env, f workspaceLoadFlags) (err error) {
	cfg := workspace.LoadConfig{Cycle: f.cycle, Before: workspace.SurveyID(f.before), InsteadOf: f.insteadOf, Coordinator: f.coordinator}
	if f.charter != "" {
		signed, charter, err := openCharter(f.charter)
		if err != nil {
			return err
		}
		if cfg.Pack, _, err = charterPack(env, charter, f.framework); err != nil {
			return err
		}
		cfg.Charter = &signed
	} else if cfg.Pack, err = openPack(env, f.framework); err != nil {
		return err
	}
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	if cfg.Before != "" {
		settings, _, err := w.Settings(ctx, w.person)
		if err != nil {
			return err
		}
		cfg.Measure = func(ctx context.Context, place string) (string, int64, error) {
			read, err := w.piece(ctx, env, settings.Evidence, place, false)
			return read.SHA256, read.Bytes, err
		}
	}
	survey, err := w.Load(ctx, w.person, cfg)
	if err != nil {
		return err
	}
	if err := w.postpone(ctx, env, survey.ID, f.addenda); err != nil {
		return err
	}
	if survey, err = w.Survey(ctx, w.person, survey.ID); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "%s: %s\n", survey.ID, surveyText(survey)); err != nil {
		return err
	}
	if survey.Before != "" {
		changed := framework.Ref{}
		if before, err := w.Survey(ctx, w.person, survey.Before); err == nil {
			changed = before.Pack
		}
		say(env, "%s of %d look unchanged since %s: confirm each of them", plural(survey.Progress.Carried, "1", "%d"), survey.Progress.Of, changed.ID+" of "+survey.Before.Cycle())
	}
	return nil
}

// runWorkspacePostpone keeps addenda of a survey that is there.
func runWorkspacePostpone(ctx context.Context, env Env, f workspaceLoadFlags) (err error) {
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	id := workspace.SurveyID(f.survey)
	if err := w.postpone(ctx, env, id, f.addenda); err != nil {
		return err
	}
	survey, err := w.Survey(ctx, w.person, id)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%s: %s\n", id, surveyText(survey))
	return err
}
