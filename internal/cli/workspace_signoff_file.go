package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/workspace"
)

func newSignoffRequestCmd(env Env) *cobra.Command {
	var (
		dir, survey, step, out string
		opinion                bool
		lock                   lockFlags
	)
	cmd := &cobra.Command{
		Use:   "request --survey ID (--step N | --opinion) --out FILE",
		Short: "Write what somebody is to sign on another machine",
		Long: `Write exactly what would be sealed, with its digest, for somebody who decides on
another machine; or, with --opinion, the findings for the verifier. The file is signed
with the member's key. It holds answers for anyone who has it: carry it as you would
carry them, and destroy it when the signed decision is back.`,
		Example: `  muster workspace signoff request --dir ostmere --survey 2027/muster-core --step 2 --out request.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if survey == "" || out == "" || (step == "") == !opinion {
				return usageError(cmd, "muster workspace signoff request needs --survey, --out, and --step or --opinion")
			}
			return runSignoffRequest(cmd.Context(), env, dir, workspace.SurveyID(survey), step, out, lock)
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	flags.StringVar(&step, "step", "", "the step of the chain: its number, or its id")
	flags.BoolVar(&opinion, "opinion", false, "ask the verifier for an opinion on the findings")
	flags.StringVar(&out, "out", "", "the request to write (required)")
	lock.add(cmd)
	return cmd
}

func runSignoffRequest(ctx context.Context, env Env, dir string, id workspace.SurveyID, named, out string, lock lockFlags) (err error) {
	if exists(out) {
		return errs.New(errs.Conflict, fmt.Sprintf("there is a file %s already", strconv.Quote(out)), "give another --out")
	}
	w, err := openWorkspaceDir(ctx, env, dir, lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	member, err := openMember(dir)
	if err != nil {
		return err
	}
	var file coalition.SignedFile
	if named == "" {
		request, err := w.RequestOpinion(ctx, w.person, id)
		if err != nil {
			return err
		}
		if file, err = request.Sign(member.signer); err != nil {
			return err
		}
	} else {
		step, err := w.step(ctx, id, named)
		if err != nil {
			return err
		}
		request, err := w.RequestApproval(ctx, w.person, id, step.ID)
		if err != nil {
			return err
		}
		if file, err = request.Sign(member.signer); err != nil {
			return err
		}
	}
	if err := writeAnswers(out, file); err != nil {
		return err
	}
	warn(env, "%s holds answers that anyone who has the file can read: destroy it when the signed decision is back", out)
	say(env, "who signs compares these words with those that you read out:")
	if err := writeWords(env.Err, "muster:   ", member.signer.Public().Digest()); err != nil {
		return err
	}
	say(env, "it is signed with: muster workspace approve --request %s --key FILE --out FILE", filepath.Base(out))
	return nil
}

// writeAnswers writes a signed file that holds answers, readable by its owner alone.
func writeAnswers(out string, file coalition.SignedFile) error {
	dir, name := filepath.Split(out)
	dir = filepath.Clean(dir)
	for _, f := range []outputFile{{name + sigExt, file.Signature, 0o600}, {name, file.Body, 0o600}} {
		if err := realDisk().writeOutput(dir, []outputFile{f}, nil); err != nil {
			return placeError(err, dir, "make room there, or give another --out")
		}
	}
	return config.SyncFolder(dir)
}

func newSignoffAcceptCmd(env Env) *cobra.Command {
	var (
		dir  string
		lock lockFlags
	)
	cmd := &cobra.Command{
		Use:   "accept FILE --dir DIR",
		Short: "Take a decision or an opinion that was signed on another machine",
		Long: `Take what muster workspace approve wrote on another machine, its .sig beside it. It is
refused if it is about anything but exactly what would be sealed now, if it is another
step's turn, or if the key is not registered for the step.`,
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			file, err := readSigned(args[0], "signed decision")
			if err != nil {
				return err
			}
			kind, err := workspace.ReadDecisionFile(file.Body)
			if err != nil {
				return err
			}
			w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
			if err != nil {
				return err
			}
			defer w.close(&err)
			if kind == workspace.ApprovalKind {
				return w.accept(cmd.Context(), env, file)
			}
			id, err := w.AcceptOpinion(cmd.Context(), w.person, file)
			if err == nil {
				say(env, "the signed opinion on %s is kept", id)
			}
			return err
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	lock.add(cmd)
	return cmd
}

func newSignoffStatementCmd(env Env) *cobra.Command {
	var (
		dir, survey, out string
		lock             lockFlags
	)
	cmd := &cobra.Command{
		Use:   "statement --survey ID --out DIR",
		Short: "Write the signed approvals that count, and the opinion, as files",
		Long: `Write every signed approval of exactly what would be sealed now, and the signed opinion
if it holds, each with its note beside it. They hold digests, names, reasons and the
words of the opinion, and no answer: the digest has a salt that is in none of them.
Anybody can check with the public keys who signed. They stay with the member, TLP:RED.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if survey == "" || out == "" {
				return usageError(cmd, "muster workspace signoff statement needs --survey ID and --out DIR")
			}
			return runSignoffStatement(cmd.Context(), env, dir, workspace.SurveyID(survey), out, lock)
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	flags.StringVar(&out, "out", "", "the folder to write to (required)")
	lock.add(cmd)
	return cmd
}

func runSignoffStatement(ctx context.Context, env Env, dir string, id workspace.SurveyID, out string, lock lockFlags) (err error) {
	w, err := openWorkspaceDir(ctx, env, dir, lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	parts, err := w.Signed(ctx, w.person, id)
	if err != nil {
		return err
	}
	var files []outputFile
	for _, part := range slices.Backward(parts) { // what verifies a statement is there before it
		files = append(files, outputFile{part.Name, part.Body, 0o600})
	}
	if files == nil {
		return refused{errs.New(errs.Conflict, fmt.Sprintf("nothing of %s is signed that counts now", id), "muster workspace signoff show says who has to sign")}
	}
	if err := checkOutput("--out", out); err != nil {
		return err
	}
	if err := realDisk().writeOutput(out, files, nil); err != nil {
		return placeError(err, out, "make room there, or give another --out")
	}
	for _, part := range parts {
		if part.Of == "" {
			if _, err := fmt.Fprintln(env.Out, filepath.Join(out, part.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}
