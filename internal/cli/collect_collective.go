package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/collective"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/workspace"
)

type collectiveFlags struct {
	dir, framework, answers, cycle, cohort, marking, out string
	workspace, survey                                    string
	lock                                                 lockFlags
}

func newCollectCollectiveCmd(env Env) *cobra.Command {
	var f collectiveFlags
	cmd := &cobra.Command{
		Use:   "collective --dir DIR (--workspace DIR --survey ID | --answers FILE --cycle NAME) --out FILE",
		Short: "Sign what the coalition says of itself",
		Long: `Sign what the coalition says of itself: its own networks and procedures, answered
once by the coordinator against a pack of their own. It is no sum of members'
answers, nothing of it is sealed, and it is shown as it is, to the members of one
cohort beside their releases.

The answers are made in a workspace of the coordinator's own, which muster workspace
load --coordinator fills with the pack, and are complete and signed off there; or they
are a CSV file with the columns outcome,level,verified,evidence,target, as a member's.`,
		Example: `  muster collect collective --dir coordinator --workspace ourselves --survey 2026/muster-collective --out collective.json
  muster collect collective --dir coordinator --answers ourselves.csv --cycle 2026 --out collective.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.out == "":
				return usageError(cmd, "muster collect collective needs --out")
			case f.workspace == "" && (f.answers == "" || f.cycle == ""):
				return usageError(cmd, "muster collect collective needs --workspace and --survey, or --answers and --cycle")
			case f.workspace != "" && (f.survey == "" || f.answers != "" || f.cycle != "" || cmd.Flags().Changed("framework")):
				return usageError(cmd, "--workspace goes with --survey, which says the cycle and the pack, and not with --answers")
			}
			return runCollective(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.framework, "framework", "muster-collective", "id or path of the framework pack")
	flags.StringVar(&f.answers, "answers", "", "the answers, a CSV file")
	flags.StringVar(&f.cycle, "cycle", "", "the name of the cycle, with --answers")
	flags.StringVar(&f.workspace, "workspace", "", "the folder of the coordinator's own workspace")
	flags.StringVar(&f.survey, "survey", "", "the survey in it, such as 2026/muster-collective")
	f.lock.addLock(cmd)
	flags.StringVar(&f.cohort, "cohort", "allies", "whose members may see it")
	flags.StringVar(&f.marking, "marking", "", "REHEARSAL or SYNTHETIC, where that is so")
	flags.StringVar(&f.out, "out", "", "the file to write (required)")
	return cmd
}

func runCollective(ctx context.Context, env Env, f collectiveFlags) error {
	own, err := openCoordinator(f.dir)
	if err != nil {
		return err
	}
	read := readCollectiveAnswers
	if f.workspace != "" {
		read = workspaceCollectiveAnswers
	}
	pack, cycle, answers, err := read(ctx, env, f)
	if err != nil {
		return err
	}
	cfg := collective.Config{
		Coalition: own.card.Coalition, Cycle: cycle, Cohort: f.cohort, Marking: f.marking, Pack: pack, Answers: make(map[string]collective.Answer, len(answers)),
	}
	for outcome, a := range answers {
		cfg.Answers[outcome] = collective.Answer{Level: a.Level, Verified: a.Verified, Target: a.Target, Evidence: a.Evidence}
	}
	made, err := collective.New(cfg)
	if err != nil {
		return err
	}
	body, err := made.Canonical()
	if err != nil {
		return err
	}
	sig, err := keys.Sign(keys.KindCollective, body, own.signer)
	if err != nil {
		return err
	}
	dir, name := filepath.Split(f.out)
	err = realDisk().writeOutput(filepath.Clean(dir), []outputFile{{name + sigExt, sig, 0o644}, {name, body, 0o644}}, nil)
	if err != nil {
		return placeError(err, f.out, "make room there, or give another --out")
	}
	say(env, "%s says what %s says of itself in %s: %s", f.out, own.card.Coalition, cycle, plural(len(answers), "1 answer", "%d answers"))
	return nil
}

// readCollectiveAnswers reads the coordinator's answers from a file.
func readCollectiveAnswers(_ context.Context, env Env, f collectiveFlags) (*framework.Pack, string, map[string]assess.Answer, error) {
	pack, err := openPack(env, f.framework)
	if err != nil {
		return nil, "", nil, err
	}
	file, err := os.Open(f.answers)
	if err != nil {
		return nil, "", nil, errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the answers %s cannot be read", strconv.Quote(f.answers)), err), "")
	}
	defer file.Close() // nothing was written
	answers, err := exchange.ReadAnswers(f.answers, file, pack)
	return pack, f.cycle, answers, err
}

// workspaceCollectiveAnswers takes them from the coordinator's own workspace, where
// nothing may be missing any more.
func workspaceCollectiveAnswers(ctx context.Context, env Env, f collectiveFlags) (pack *framework.Pack, cycle string, answers map[string]assess.Answer, err error) {
	w, err := openWorkspaceDir(ctx, env, f.workspace, f.lock)
	if err != nil {
		return nil, "", nil, err
	}
	defer w.close(&err)
	id := workspace.SurveyID(f.survey)
	is, err := w.Assessment(ctx, w.person, id)
	if err != nil {
		return nil, "", nil, err
	}
	if is.Pack.AnsweredBy != framework.ByCoordinator {
		return nil, "", nil, errs.New(errs.Invalid, errs.Quote(is.Pack.ID)+" is answered by every member for itself", "members' answers are sealed, and never signed")
	}
	return is.Pack, id.Cycle(), is.Now.Answers, nil
}
