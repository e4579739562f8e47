package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/collective"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/keys"
)

type collectiveFlags struct {
	dir, framework, answers, cycle, cohort, marking, out string
}

func newCollectCollectiveCmd(env Env) *cobra.Command {
	var f collectiveFlags
	cmd := &cobra.Command{
		Use:   "collective --dir DIR --answers FILE --cycle NAME --out FILE",
		Short: "Sign what the coalition says of itself",
		Long: `Sign what the coalition says of itself: its own networks and procedures, answered
once by the coordinator against a pack of their own. It is no sum of members'
answers, nothing of it is sealed, and it is shown as it is, to the members of one
cohort beside their releases.

The answers are a CSV file with the columns outcome,level,verified,evidence,target,
as a member's are.`,
		Example: `  muster collect collective --dir coordinator --answers ourselves.csv --cycle 2026 --out collective.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, needed := range []struct{ flag, value string }{{"--answers", f.answers}, {"--cycle", f.cycle}, {"--out", f.out}} {
				if needed.value == "" {
					return usageError(cmd, "muster collect collective needs "+needed.flag)
				}
			}
			return runCollective(env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.framework, "framework", "muster-collective", "id or path of the framework pack")
	flags.StringVar(&f.answers, "answers", "", "the answers, a CSV file (required)")
	flags.StringVar(&f.cycle, "cycle", "", "the name of the cycle (required)")
	flags.StringVar(&f.cohort, "cohort", "allies", "whose members may see it")
	flags.StringVar(&f.marking, "marking", "", "REHEARSAL or SYNTHETIC, where that is so")
	flags.StringVar(&f.out, "out", "", "the file to write (required)")
	return cmd
}

func runCollective(env Env, f collectiveFlags) error {
	own, err := openCoordinator(f.dir)
	if err != nil {
		return err
	}
	pack, err := openPack(env, f.framework)
	if err != nil {
		return err
	}
	file, err := os.Open(f.answers)
	if err != nil {
		return errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the answers %s cannot be read", strconv.Quote(f.answers)), err), "")
	}
	defer file.Close() // nothing was written
	answers, err := exchange.ReadAnswers(f.answers, file, pack)
	if err != nil {
		return err
	}
	cfg := collective.Config{
		Coalition: own.card.Coalition, Cycle: f.cycle, Cohort: f.cohort, Marking: f.marking, Pack: pack, Answers: make(map[string]collective.Answer, len(answers)),
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
	say(env, "%s says what %s says of itself in %s: %s", f.out, own.card.Coalition, f.cycle, plural(len(answers), "1 answer", "%d answers"))
	return nil
}
