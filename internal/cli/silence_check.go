package cli

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/silence"
)

type checkFlags struct {
	chair, text     string
	acknowledgement []string
	asJSON          bool
}

func newSilenceCheckCmd(env Env) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check STEPS... --chair KEY",
		Short: "Check the steps of a procedure, and an acknowledgement against them",
		Long: `Check the steps that a chair sent, a folder or files: form, order, signatures, and
that each was allowed when it was taken; then print where the text stands. It needs
the chair's key and no network.

--acknowledgement gives what the chair answered to who broke the silence: exit code
3 means that it contradicts the steps. Show it to the coalition then: it names
nobody. --text gives the text itself; exit code 3 means that another one was put.`,
		Example: `  muster silence check from-chair --chair coordinator-card.json --text charter.json
  muster silence check from-chair --chair coordinator-card.json --acknowledgement acknowledgement.json`,
		Args: someArgs("STEPS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "chair"); err != nil {
				return err
			}
			return runSilenceCheck(env, args, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.chair, "chair", "", "the chair's key, or a file that has it: the coordinator's card, a charter (required)")
	flags.StringVar(&f.text, "text", "", "the text, to see that it is the one")
	flags.StringArrayVar(&f.acknowledgement, "acknowledgement", nil, "what the chair acknowledged; may be repeated")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func runSilenceCheck(env Env, paths []string, f checkFlags) error {
	chair, err := readChairKey(f.chair)
	if err != nil {
		return err
	}
	t, err := readTravelled(paths)
	if err != nil {
		return err
	}
	p, err := silence.Replay(chair, t.steps)
	if err != nil {
		return err
	}
	v, err := newSilenceView(chair, p, t.steps, t.comments)
	if err != nil {
		return err
	}
	v.Due = p.State == silence.UnderSilence && env.Now().Unix() >= p.Until
	if f.asJSON {
		err = json.NewEncoder(env.Out).Encode(v)
	} else {
		err = v.write(env.Out)
	}
	if err != nil {
		return err
	}
	if f.text != "" {
		digest, err := fileDigest(f.text)
		if err != nil {
			return err
		}
		if digest != p.Subject.Digest {
			return refused{errs.New(errs.Conflict, fmt.Sprintf("%s is not the text that is %s", strconv.Quote(f.text), p.State), "ask the chair for the text with the digest above")}
		}
		say(env, "%s is the text that is %s", f.text, p.State)
	}
	for _, path := range f.acknowledgement {
		file, err := readSigned(path, "acknowledgement")
		if err != nil {
			return err
		}
		if err := p.CheckAcknowledgement(chair, file); err != nil {
			if err = inFile(path, err); errs.KindOf(err) == errs.Conflict {
				return refused{err}
			}
			return err
		}
		a, err := silence.ReadAcknowledgement(file, chair)
		if err != nil {
			return err
		}
		say(env, "%s: the chair received the break %s, and nothing in the steps contradicts it", path, a.Counts)
	}
	return nil
}
