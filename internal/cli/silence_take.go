package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/silence"
)

func newSilenceTakeCmd(env Env) *cobra.Command {
	var dir, identity, out string
	cmd := &cobra.Command{
		Use:   "take FILE",
		Short: "Take in a comment or a break that a party sent",
		Long: `Take in what a party sent: a signed comment, or a break of the silence, which is
sealed and opens with --identity. A break is acknowledged with a signed file, --out,
for the party alone; the same break again gives the same acknowledgement. One that
comes after the silence ended is acknowledged as late.

Take in all that has come before the silence ends: what counts is when this command
sees it.`,
		Example: `  muster silence take comment.json --dir coordinator
  muster silence take break.age --dir coordinator --identity chair-identity.txt --out acknowledgement.json`,
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := openChair(env, dir)
			if err != nil {
				return err
			}
			body, err := readInput(args[0], "file")
			if err != nil {
				return err
			}
			if !isAge(body) && kindOf(body) != "" {
				return c.takeComment(cmd.Context(), env, args[0])
			}
			if out == "" {
				return usageError(cmd, "a break is acknowledged: say with --out where the acknowledgement is to be written")
			}
			return c.takeBreak(cmd.Context(), env, args[0], body, identity, out)
		},
	}
	dirFlag(cmd, &dir, "the chair")
	cmd.Flags().StringVar(&identity, "identity", "", "the age key file that opens breaks")
	cmd.Flags().StringVar(&out, "out", "", "the acknowledgement to write, where FILE is a break")
	return cmd
}

// about returns the procedure that a file of a party is about, if the folder has it.
func (c *chairFolder) about(body []byte) (string, error) {
	var head struct {
		Procedure string `json:"procedure"`
	}
	ids, err := c.store.procedures()
	if err != nil {
		return "", err
	}
	if json.Unmarshal(body, &head) != nil || !slices.Contains(ids, head.Procedure) {
		return "", errs.New(errs.NotFound, fmt.Sprintf("it is about no procedure of %s", strconv.Quote(c.dir)), "muster silence show lists them; give the folder of the chair that proposed it with --dir")
	}
	return head.Procedure, nil
}

func (c *chairFolder) takeComment(ctx context.Context, env Env, path string) error {
	file, err := readSigned(path, "comment")
	if err != nil {
		return err
	}
	id, err := c.about(file.Body)
	if err != nil {
		return inFile(path, err)
	}
	refusal := c.chair.Comment(ctx, id, file)
	if err := c.send(ctx, id); err != nil {
		return err
	}
	if refusal != nil {
		return inFile(path, refusal)
	}
	say(env, "the comment is taken in, and with the files for all parties in %s", c.sendFolder(id))
	return nil
}

func (c *chairFolder) takeBreak(ctx context.Context, env Env, path string, body []byte, identity, out string) error {
	if isAge(body) {
		if identity == "" {
			return errs.New(errs.Invalid, strconv.Quote(path)+" is sealed", "name the key file that opens it with --identity")
		}
		open, err := openSealed(identity)
		if err != nil {
			return err
		}
		if body, err = open(body); err != nil {
			return inFile(path, err)
		}
	}
	file, err := silence.DecodeBreak(body)
	if err != nil {
		return inFile(path, err)
	}
	id, err := c.about(file.Body)
	if err != nil {
		return inFile(path, err)
	}
	acknowledged, refusal := c.chair.Break(ctx, id, file)
	if err := c.send(ctx, id); err != nil {
		return err
	}
	if refusal != nil {
		return inFile(path, refusal)
	}
	other := errs.New(errs.Conflict, strconv.Quote(out)+" is another file", "give another --out; the break is taken in, and the same command gives the acknowledgement again")
	if err := keepSigned(out, acknowledged, other); err != nil {
		return placeError(err, filepath.Dir(out), "the break is taken in; the same command gives the acknowledgement again")
	}
	a, err := silence.ReadAcknowledgement(acknowledged, c.signer.Public())
	if err != nil {
		return err
	}
	say(env, "the break is taken in, %s; send %s and %s to the party, and to nobody else", a.Counts, out, out+sigExt)
	say(env, "whether the silence was broken is stated when its time is over")
	return nil
}

type breakLine struct {
	Member   coalition.MemberID `json:"member"`
	Received string             `json:"received"`
	Counts   string             `json:"counts"`
	Round    string             `json:"round"`
	Reason   string             `json:"reason"`
}

func newSilenceBreaksCmd(env Env) *cobra.Command {
	var f chairFlags
	var identity string
	cmd := &cobra.Command{
		Use:   "breaks --identity FILE",
		Short: "Print who broke the silence and why, for the chair alone",
		Long: `Print who broke the silence and why. It is for the chair alone, who holds the key
file; nobody else is ever told, and no other command says it.`,
		Example: `  muster silence breaks --dir coordinator --identity chair-identity.txt`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := missingFlags(cmd, "identity"); err != nil {
				return err
			}
			return runSilenceBreaks(cmd.Context(), env, f, identity)
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&identity, "identity", "", "the age key file that opens breaks (required)")
	return cmd
}

func runSilenceBreaks(ctx context.Context, env Env, f chairFlags, identity string) error {
	c, err := openChair(env, f.dir)
	if err != nil {
		return err
	}
	id, err := c.procedure(f.procedure)
	if err != nil {
		return err
	}
	open, err := openSealed(identity)
	if err != nil {
		return err
	}
	list, err := c.chair.Breaks(ctx, id, open)
	if err != nil {
		return err
	}
	lines := []breakLine{}
	for _, o := range list {
		lines = append(lines, breakLine{o.Break.Member, rfc3339(o.Acknowledgement.Received), o.Acknowledgement.Counts, o.Break.Round, o.Break.Reason})
	}
	if f.asJSON {
		return json.NewEncoder(env.Out).Encode(lines)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(env.Out, "%s  %s, %s: %s\n", l.Received, l.Member, l.Counts, oneLine(l.Reason)); err != nil {
			return err
		}
	}
	say(env, "%s; for the chair alone", plural(len(lines), "1 break was received", "%d breaks were received"))
	return nil
}

func newSilenceShowCmd(env Env) *cobra.Command {
	var f chairFlags
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print where the procedures of a chair stand",
		Long: `Print where one procedure stands, with its steps and comments, or, where the folder
has several and none is named, a line for each. It settles nothing: where a silence
is over and its outcome is not stated yet, it says so.`,
		Example: `  muster silence show --dir coordinator`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSilenceShow(cmd.Context(), env, f)
		},
	}
	f.register(cmd)
	return cmd
}

func runSilenceShow(ctx context.Context, env Env, f chairFlags) error {
	c, err := openChair(env, f.dir)
	if err != nil {
		return err
	}
	ids, err := c.store.procedures()
	if err != nil {
		return err
	}
	if f.procedure != "" || len(ids) == 1 {
		id, err := c.procedure(f.procedure)
		if err != nil {
			return err
		}
		v, err := c.view(ctx, id)
		if err != nil {
			return err
		}
		if f.asJSON {
			return json.NewEncoder(env.Out).Encode(v)
		}
		return v.write(env.Out)
	}
	views := []*silenceView{}
	for _, id := range ids {
		v, err := c.view(ctx, id)
		if err != nil {
			return fmt.Errorf("procedure %s: %w", id, err)
		}
		views = append(views, v)
	}
	if f.asJSON {
		return json.NewEncoder(env.Out).Encode(views)
	}
	for _, v := range views {
		if _, err := fmt.Fprintf(env.Out, "%s  %-13s  %s\n", v.Procedure, v.State, v.Text.Name); err != nil {
			return err
		}
	}
	return nil
}
