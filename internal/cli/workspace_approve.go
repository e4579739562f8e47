package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/workspace"
)

type workspaceApproveFlags struct {
	dir, survey, step     string
	request, out          string
	reason, opinion       string
	yes, returns          bool
	lock                  lockFlags
	key, keyPass, keyLock string
}

func newWorkspaceApproveCmd(env Env) *cobra.Command {
	var f workspaceApproveFlags
	cmd := &cobra.Command{
		Use:   "approve (--survey ID --step N | --request FILE --out FILE) --key FILE",
		Short: "Sign exactly what will be sealed, or return it with a reason",
		Long: `Decide at a step of the chain of sign-off, with a signature: over the digest of exactly
what will be sealed, so that any change of it voids the approval. The key is the
approver's own, locked with a passphrase; muster workspace signoff key makes it, and
the lead registers its public part for a step.

On the workspace itself: --survey and --step. On another machine: --request takes
what muster workspace signoff request wrote, and --out gets the signed decision, which
muster workspace signoff accept takes back. What would be sealed is printed first.

--return sends it back with a reason. Of a request for the verifier's opinion --opinion
takes the file with its text.`,
		Example: `  muster workspace approve --dir ostmere --survey 2027/muster-core --step 1 --key hedda.key
  muster workspace approve --request request.json --key hedda.key --out approval.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.returns = cmd.Flags().Changed("return")
			switch {
			case f.key == "":
				return usageError(cmd, "muster workspace approve needs --key FILE")
			case f.request != "" && f.out == "":
				return usageError(cmd, "--request goes with --out FILE")
			case f.request == "" && (f.survey == "" || f.step == ""):
				return usageError(cmd, "muster workspace approve needs --survey and --step, or --request and --out")
			case f.request != "" && (f.survey != "" || f.step != ""):
				return usageError(cmd, "a request says survey and step: leave out --survey and --step")
			case f.request == "" && (f.out != "" || f.opinion != ""):
				return usageError(cmd, "--out and --opinion go with --request FILE")
			case f.returns && strings.TrimSpace(f.reason) == "":
				return usageError(cmd, "--return needs a reason")
			}
			if f.request != "" {
				return runApproveRequest(cmd.Context(), env, f)
			}
			return runApproveHere(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.survey, "survey", "", "the survey, such as 2027/muster-core")
	flags.StringVar(&f.step, "step", "", "the step of the chain: its number, or its id")
	flags.StringVar(&f.request, "request", "", "what the lead asks to be signed, its .sig beside it")
	flags.StringVar(&f.out, "out", "", "the signed decision to write")
	flags.StringVar(&f.reason, "return", "", "return it, with this reason")
	flags.StringVar(&f.opinion, "opinion", "", "a file with the text of the opinion, where the request asks for one")
	flags.BoolVar(&f.yes, "yes", false, "sign without asking: what is printed has been read")
	flags.StringVar(&f.key, "key", "", "the approver's key file (required)")
	flags.StringVar(&f.keyPass, "key-passphrase-file", "", "a file of mode 0600 with the passphrase of the key (default: asked on the terminal)")
	flags.StringVar(&f.keyLock, "key-identity", "", "in place of a passphrase: an age key file of mode 0600")
	f.lock.add(cmd)
	return cmd
}

// signer opens the approver's key.
func (f workspaceApproveFlags) signer(ctx context.Context, env Env) (*keys.Signer, error) {
	lock, err := keyLock(ctx, env, f.keyPass, f.keyLock, false)
	if err != nil {
		return nil, err
	}
	return config.ApproverKey(f.key, lock)
}

// keyLock returns the lock of an approver's key.
func keyLock(ctx context.Context, env Env, passphraseFile, identity string, set bool) (config.Lock, error) {
	if identity == "" && passphraseFile == "" && env.Secret == nil {
		return config.Lock{}, errs.New(errs.Invalid, "there is no terminal on which to ask for the passphrase of the key", "give a file of mode 0600 with --key-passphrase-file, or an age key file with --key-identity")
	}
	if env.Secret != nil {
		ask := env.Secret
		env.Secret = func(ctx context.Context, prompt string) (string, error) {
			return ask(ctx, strings.Replace(prompt, "of the workspace", "of the key", 1))
		}
	}
	return lockFlags{identity: identity, passphrase: passphraseFile}.lock(ctx, env, set)
}

// runApproveHere signs on the workspace itself.
func runApproveHere(ctx context.Context, env Env, f workspaceApproveFlags) (err error) {
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	id := workspace.SurveyID(f.survey)
	step, err := w.step(ctx, id, f.step)
	if err != nil {
		return err
	}
	request, err := w.RequestApproval(ctx, w.person, id, step.ID)
	if err != nil {
		return err
	}
	pack, err := w.Pack(ctx, w.person, id)
	if err != nil {
		return err
	}
	if err := writeApproval(env.Out, request, pack); err != nil {
		return err
	}
	ok, err := agreed(env, f.yes, f.question(request.StepName), "signed")
	if err != nil || !ok {
		return err
	}
	signer, err := f.signer(ctx, env)
	if err != nil {
		return err
	}
	file, err := request.Approve(signer.Public(), !f.returns, f.reason, env.Now()).Sign(signer)
	if err != nil {
		return err
	}
	return w.accept(ctx, env, file)
}

func (f workspaceApproveFlags) question(step string) string {
	if f.returns {
		return fmt.Sprintf("return it, as %s?", step)
	}
	return fmt.Sprintf("sign exactly this, as %s?", step)
}

// step finds a step of the chain by its number or its id.
func (w *openWorkspace) step(ctx context.Context, id workspace.SurveyID, named string) (assess.Step, error) {
	so, err := w.SignOff(ctx, w.person, id)
	if err != nil {
		return assess.Step{}, err
	}
	for i, step := range so.Chain {
		if step.ID == named || strconv.Itoa(i+1) == named {
			return step, nil
		}
	}
	var there []string
	for i, step := range so.Chain {
		there = append(there, fmt.Sprintf("%d %s (%s)", i+1, step.Name, step.ID))
	}
	hint := "name the chain on the page of the sign-off: muster workspace serve"
	if there != nil {
		hint = "the chain is " + strings.Join(there, ", ")
	}
	return assess.Step{}, errs.New(errs.NotFound, fmt.Sprintf("the chain of %s has no step %s", id, errs.Quote(named)), hint)
}

// accept takes a signed decision into the workspace, and says what came of it.
func (w *openWorkspace) accept(ctx context.Context, env Env, file coalition.SignedFile) error {
	id, so, err := w.AcceptApproval(ctx, w.person, file)
	if err != nil {
		return err
	}
	now, err := w.Survey(ctx, w.person, id)
	if err != nil {
		return err
	}
	last := so.Decisions[len(so.Decisions)-1]
	names := make(map[string]string)
	for _, step := range so.Chain {
		names[step.ID] = step.Name
	}
	if last.Approved {
		say(env, "%s has approved what will be sealed of %s, signed by %s", names[last.Step], id, last.By)
	} else {
		say(env, "%s has returned %s, signed by %s", names[last.Step], id, last.By)
	}
	if next, waiting := so.Next(now.Digest); waiting {
		say(env, "the sign-off waits for %s", next.Name)
	} else {
		say(env, "the sign-off is through")
	}
	return nil
}

// runApproveRequest signs on another machine.
func runApproveRequest(ctx context.Context, env Env, f workspaceApproveFlags) error {
	file, err := readSigned(f.request, "request")
	if err != nil {
		return err
	}
	if exists(f.out) {
		return errs.New(errs.Conflict, fmt.Sprintf("there is a file %s already", strconv.Quote(f.out)), "give another --out")
	}
	if kindOf(file.Body) == workspace.OpinionRequestKind {
		return runOpinionRequest(ctx, env, f, file)
	}
	request, err := workspace.ReadApprovalRequest(file.Body)
	if err != nil {
		return err
	}
	if f.opinion != "" {
		return errs.New(errs.Invalid, "the request asks for a decision and no opinion", "leave out --opinion")
	}
	if err := checkRequest(env, keys.KindApprovalRequest, file, request.Key, request.Statement.Member); err != nil {
		return err
	}
	pack := knownPack(env, request.Statement.Framework)
	if err := writeApproval(env.Out, request, pack); err != nil {
		return err
	}
	ok, err := agreed(env, f.yes, f.question(request.StepName), "signed")
	if err != nil || !ok {
		return err
	}
	signer, err := f.signer(ctx, env)
	if err != nil {
		return err
	}
	signed, err := request.Approve(signer.Public(), !f.returns, f.reason, env.Now()).Sign(signer)
	if err != nil {
		return err
	}
	return writeDecision(env, f.out, signed)
}

func runOpinionRequest(ctx context.Context, env Env, f workspaceApproveFlags, file coalition.SignedFile) error {
	request, err := workspace.ReadOpinionRequest(file.Body)
	if err != nil {
		return err
	}
	if f.opinion == "" || f.returns {
		return errs.New(errs.Invalid, "the request asks for an opinion on the findings", "write it into a file, and give that with --opinion; nothing is returned here")
	}
	body, err := readInput(f.opinion, "file with the opinion")
	if err != nil {
		return err
	}
	text := strings.TrimSpace(strings.ReplaceAll(string(body), "\r\n", "\n"))
	if text == "" {
		return errs.New(errs.Invalid, strconv.Quote(f.opinion)+" holds no opinion", "")
	}
	if err := checkRequest(env, keys.KindOpinionRequest, file, request.Key, request.Findings.Member); err != nil {
		return err
	}
	if err := writeFindings(env.Out, request, text); err != nil {
		return err
	}
	ok, err := agreed(env, f.yes, "sign this opinion, on exactly these findings?", "signed")
	if err != nil || !ok {
		return err
	}
	signer, err := f.signer(ctx, env)
	if err != nil {
		return err
	}
	signed, err := request.Give(signer.Public(), text, env.Now()).Sign(signer)
	if err != nil {
		return err
	}
	return writeDecision(env, f.out, signed)
}

// checkRequest refuses a request that was not signed by the workspace that it is of,
// and says the words of its key, for who wants to compare them.
func checkRequest(env Env, kind keys.Kind, file coalition.SignedFile, by keys.Public, member coalition.MemberID) error {
	if err := by.Check(); err != nil || by.Name() != string(member) || keys.Verify(kind, file.Body, file.Signature, by) != nil {
		return errs.New(errs.Invalid, "the request is not signed with the key of the member that it is of", "ask the lead for both files again, NAME and NAME.sig; do not sign it")
	}
	say(env, "the request is signed with the key of %s; compare its words with those that the lead reads out:", member)
	return writeWords(env.Err, "muster:   ", by.Digest())
}

// writeDecision writes a signed decision and its note.
func writeDecision(env Env, out string, file coalition.SignedFile) error {
	if err := keepSigned(out, file, nil); err != nil {
		return err
	}
	say(env, "give both %s and %s back to the lead, who takes them with: muster workspace signoff accept", out, out+sigExt)
	return nil
}

// knownPack returns a pack that this program brings, or nil.
func knownPack(env Env, ref framework.Ref) *framework.Pack {
	pack, err := framework.Find(env.Packs, ref.ID)
	if err != nil || pack.Ref() != ref {
		return nil
	}
	return pack
}

// writeApproval prints exactly what would be sealed.
func writeApproval(out io.Writer, r workspace.ApprovalRequest, pack *framework.Pack) error {
	st := r.Statement
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s, %s %s: to be decided by %s\n", workspace.NewSurveyID(st.Cycle, st.Framework.ID), st.Member, st.Framework.ID, st.Framework.Version, r.StepName)
	if u := st.Under; u != nil {
		fmt.Fprintf(&b, "one locked half for %s, one for %s, under the charter %s\n", u.Leader, u.Helper, u.Charter)
	} else {
		b.WriteString("to which hosts is not said: no charter is loaded, and loading one voids what was signed\n")
	}
	fmt.Fprintf(&b, "what would be sealed is %s\n", r.Digest)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "outcome\tbefore\tlevel\tverified\tevidence\ttarget\t")
	ids := st.Outcomes(pack)
	for _, id := range ids {
		a := st.Answers[id]
		before := "-"
		if last, ok := st.Before[id]; ok {
			before = last.Level.String()
		}
		title := ""
		if pack != nil {
			if o, ok := pack.Outcome(id); ok {
				title = o.Title.In(pack.Languages[0])
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", id, before, a.Level, a.Verified, a.Evidence, a.Target, title)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, "%s\n", plural(len(ids), "1 answer", "%d answers"))
	_, err := io.WriteString(out, b.String())
	return err
}

// writeFindings prints exactly what the opinion is about.
func writeFindings(out io.Writer, r workspace.OpinionRequest, text string) error {
	f := r.Findings
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s, %s %s: %s\n", workspace.NewSurveyID(f.Cycle, f.Framework.ID), f.Member, f.Framework.ID, f.Framework.Version, plural(len(f.Findings), "1 finding", "%d findings"))
	fmt.Fprintf(&b, "the findings are %s\n", r.Digest)
	ids := make([]string, 0, len(f.Findings))
	for id := range f.Findings {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		c := f.Findings[id]
		fmt.Fprintf(&b, "%s: claimed %s, verified %s\n", id, c.Claimed, c.Finding.Verified)
		for _, line := range []struct{ name, text string }{{"seen", c.Finding.Seen}, {"found", c.Finding.Found}, {"reply", c.Finding.Reply}} {
			if line.text != "" {
				fmt.Fprintf(&b, "  %s: %s\n", line.name, indented(line.text))
			}
		}
	}
	fmt.Fprintf(&b, "the opinion: %s\n", indented(text))
	_, err := io.WriteString(out, b.String())
	return err
}

func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n    ") }

// wordsOf returns the fingerprint of a key in words, on one line.
func wordsOf(public keys.Public) string { return strings.Join(keys.Words(public.Digest()), " ") }
