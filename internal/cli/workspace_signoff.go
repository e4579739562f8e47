package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/workspace"
)

func newWorkspaceSignoffCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signoff",
		Short: "Keys of those who sign off, and what they sign on other machines",
		Long: `The member defines who decides, in their order (chain, or on the page). A step may ask
for a signature. Whoever decides there makes a key (key), and the lead registers its public part after comparing its words (register).
Then it signs on the workspace (muster workspace approve), or on another machine: what
is to be signed goes out as a file (request) and the signed decision comes back (accept).`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newSignoffChainCmd(env), newSignoffKeyCmd(env), newSignoffRegisterCmd(env), newSignoffRemoveCmd(env), newSignoffShowCmd(env),
		newSignoffRequestCmd(env), newSignoffAcceptCmd(env), newSignoffStatementCmd(env), newSignoffVerifyCmd(env))
	return cmd
}

func newSignoffKeyCmd(env Env) *cobra.Command {
	var name, out, passphrase, identity string
	cmd := &cobra.Command{
		Use:   "key --name NAME --out FILE",
		Short: "Make the key of somebody who signs off",
		Long: `Draw a signing key and write it to a file of mode 0600, locked with a passphrase or for
an age key file. The public part is printed, and written beside it as FILE.pub: the lead
registers it, after both have compared the words on the telephone. Nobody can sign
without file and passphrase, and nobody can bring them back.`,
		Example: `  muster workspace signoff key --name "Hedda Lind" --out hedda.key`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(name) == "" || out == "" {
				return usageError(cmd, "muster workspace signoff key needs --name NAME and --out FILE")
			}
			return runSignoffKey(cmd.Context(), env, name, out, passphrase, identity)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&name, "name", "", "the name that statements show (required)")
	flags.StringVar(&out, "out", "", "the key file to write (required)")
	flags.StringVar(&passphrase, "passphrase-file", "", "a file of mode 0600 with the passphrase (default: asked on the terminal)")
	flags.StringVar(&identity, "identity", "", "in place of a passphrase: an age key file of mode 0600")
	return cmd
}

func runSignoffKey(ctx context.Context, env Env, name, out, passphrase, identity string) error {
	if exists(out) {
		return errs.New(errs.Conflict, fmt.Sprintf("there is a file %s already", strconv.Quote(out)), "keys are not replaced; give another --out")
	}
	signer, err := keys.Generate(env.Rand, name)
	if err != nil {
		return err
	}
	if err := workspace.CheckApproverName(signer.Public()); err != nil {
		return err
	}
	lock, err := keyLock(ctx, env, passphrase, identity, true)
	if err != nil {
		return err
	}
	if err := config.CreateApproverKey(out, lock, signer); err != nil {
		return err
	}
	dir, file := filepath.Split(out)
	dir = filepath.Clean(dir)
	if err := realDisk().writeOutput(dir, []outputFile{{file + ".pub", []byte(signer.Public() + "\n"), 0o644}}, nil); err != nil {
		return placeError(err, dir, "the line below is its public part")
	}
	if _, err := fmt.Fprintln(env.Out, signer.Public()); err != nil {
		return err
	}
	say(env, "%s signs as %s; send %s.pub to the lead, and read these words out on the telephone:", out, errs.Quote(name), out)
	return writeWords(env.Err, "muster:   ", signer.Public().Digest())
}

type signoffRegisterFlags struct {
	dir, id            string
	public, publicFile string
	steps              []string
	verifier, yes      bool
	lock               lockFlags
}

func newSignoffRegisterCmd(env Env) *cobra.Command {
	var f signoffRegisterFlags
	cmd := &cobra.Command{
		Use:   "register --id ID --public KEY (--at STEP | --verifier)",
		Short: "Register a key for steps of the chain, or for the verifier",
		Long: `Register the public key of somebody who signs off, for the steps of the chain at which
it signs, by their ids, or for the verifier's opinion. Compare the words on the
telephone first: words that came with the key prove nothing. The same --id again
replaces what was registered; what another key signed counts no longer.`,
		Example: `  muster workspace signoff register --dir ostmere --id hedda --at step-2 --public KEY`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.id == "" || (f.public == "") == (f.publicFile == "") || len(f.steps) == 0 && !f.verifier {
				return usageError(cmd, "muster workspace signoff register needs --id, --public or --public-file, and --at or --verifier")
			}
			return runSignoffRegister(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.id, "id", "", "a short name for the key: letters, digits, hyphens (required)")
	flags.StringVar(&f.public, "public", "", "the public key, as muster workspace signoff key printed it")
	flags.StringVar(&f.publicFile, "public-file", "", "a file with the public key")
	flags.StringSliceVar(&f.steps, "at", nil, "the steps at which it signs, by their ids")
	flags.BoolVar(&f.verifier, "verifier", false, "it signs the verifier's opinion")
	flags.BoolVar(&f.yes, "yes", false, "register without asking: the words have been compared")
	f.lock.add(cmd)
	return cmd
}

func runSignoffRegister(ctx context.Context, env Env, f signoffRegisterFlags) (err error) {
	if f.publicFile != "" {
		body, err := readInput(f.publicFile, "file with the public key")
		if err != nil {
			return err
		}
		f.public = string(body)
	}
	public := keys.Public(strings.TrimSpace(f.public))
	if err := public.Check(); err != nil {
		return err
	}
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	say(env, "the key of %s:", errs.Quote(public.Name()))
	if err := writeWords(env.Err, "muster:   ", public.Digest()); err != nil {
		return err
	}
	ok, err := agreed(env, f.yes, "are these the words that were read out to you?", "registered")
	if err != nil || !ok {
		return err
	}
	there, err := w.Approvers(ctx, w.person)
	if err != nil {
		return err
	}
	base := workspace.Revision(0)
	for _, a := range there {
		if a.ID == f.id {
			base = a.Rev
		}
	}
	if _, err := w.PutApprover(ctx, w.person, base, workspace.Approver{ID: f.id, Key: public, Steps: f.steps, Verifier: f.verifier}); err != nil {
		return err
	}
	say(env, "%s is registered as %s", errs.Quote(public.Name()), f.id)
	return nil
}

func newSignoffRemoveCmd(env Env) *cobra.Command {
	var (
		dir  string
		lock lockFlags
	)
	cmd := &cobra.Command{
		Use:   "remove ID --dir DIR",
		Short: "Take a key off the register: what it signed counts no longer",
		Args:  oneArg("ID"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
			if err != nil {
				return err
			}
			defer w.close(&err)
			there, err := w.Approvers(cmd.Context(), w.person)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(there, func(a workspace.SavedApprover) bool { return a.ID == args[0] })
			if i < 0 {
				return errs.New(errs.NotFound, "no key is registered as "+errs.Quote(args[0]), "muster workspace signoff show lists them")
			}
			if err := w.RemoveApprover(cmd.Context(), w.person, there[i].Rev, args[0]); err != nil {
				return err
			}
			say(env, "%s is registered no longer", args[0])
			return nil
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	lock.add(cmd)
	return cmd
}

// signoffStatus is what muster workspace signoff show --json prints.
type signoffStatus struct {
	Survey  workspace.SurveyID `json:"survey,omitempty"`
	Digest  string             `json:"digest,omitempty"` // of what would be sealed now
	Chain   []signoffStep      `json:"chain,omitempty"`
	Opinion *signoffOpinion    `json:"opinion,omitempty"`
	Keys    []signoffKey       `json:"keys"`
}

type signoffStep struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Asks     bool   `json:"asks_signature"`
	Approved bool   `json:"approved"`
	By       string `json:"by,omitempty"`
	Signed   bool   `json:"signed"`
	Words    string `json:"words,omitempty"` // of the key that signed
}

type signoffOpinion struct {
	By     string `json:"by"`
	Holds  bool   `json:"holds"`
	Signed bool   `json:"signed"`
}

type signoffKey struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Key      keys.Public `json:"key"`
	Words    string      `json:"words"`
	Steps    []string    `json:"steps"`
	Verifier bool        `json:"verifier"`
}

func newSignoffShowCmd(env Env) *cobra.Command {
	var (
		dir, survey string
		asJSON      bool
		lock        lockFlags
	)
	cmd := &cobra.Command{
		Use:   "show --dir DIR [--survey ID]",
		Short: "Say which keys are registered, and who has signed what",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
			if err != nil {
				return err
			}
			defer w.close(&err)
			s, err := w.signoffStatus(cmd.Context(), workspace.SurveyID(survey))
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(env.Out).Encode(s)
			}
			_, err = io.WriteString(env.Out, s.text())
			return err
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().StringVar(&survey, "survey", "", "a survey, such as 2027/muster-core: its chain, too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	lock.add(cmd)
	return cmd
}

func (w *openWorkspace) signoffStatus(ctx context.Context, id workspace.SurveyID) (signoffStatus, error) {
	s := signoffStatus{Survey: id, Keys: []signoffKey{}}
	registered, err := w.Approvers(ctx, w.person)
	if err != nil {
		return s, err
	}
	for _, a := range registered {
		s.Keys = append(s.Keys, signoffKey{a.ID, a.Name(), a.Key, wordsOf(a.Key), append([]string{}, a.Steps...), a.Verifier})
	}
	if id == "" {
		return s, nil
	}
	survey, err := w.Survey(ctx, w.person, id)
	if err != nil {
		return s, err
	}
	so, err := w.SignOff(ctx, w.person, id)
	if err != nil {
		return s, err
	}
	s.Digest = survey.Digest
	standing := so.Standing(survey.Digest)
	for i, step := range so.Chain {
		one := signoffStep{ID: step.ID, Name: step.Name, Asks: step.Signed}
		if i < len(standing) {
			d := standing[i]
			one.Approved, one.By, one.Signed = true, d.By, d.Signed()
			if d.Signed() {
				one.Words = signedWith(d.Approval)
			}
		}
		s.Chain = append(s.Chain, one)
	}
	o, holds, err := w.Opinion(ctx, w.person, id)
	switch {
	case err == nil:
		s.Opinion = &signoffOpinion{By: o.By, Holds: holds, Signed: o.Signed()}
	case errs.KindOf(err) != errs.NotFound:
		return s, err
	}
	return s, nil
}

// signedWith says what signed: the words of a key, or a passkey whose signature is
// checked again here, without a network.
func signedWith(a *assess.Approval) string {
	if a.Kind == assess.ApprovalKey {
		return wordsOf(a.Key)
	}
	signed, err := workspace.VerifyPasskey(a)
	if err != nil {
		return "what is kept as a signature does not verify: it counts for nothing"
	}
	return fmt.Sprintf("with the passkey %s of %s; the signature verifies", strconv.Quote(signed.Name), signed.Site)
}

func (s signoffStatus) text() string {
	var b strings.Builder
	for i, step := range s.Chain {
		fmt.Fprintf(&b, "step %d, %s (%s): ", i+1, step.Name, step.ID)
		switch {
		case step.Approved && step.Signed:
			fmt.Fprintf(&b, "approved, signed by %s\n  %s\n", step.By, step.Words)
		case step.Approved:
			fmt.Fprintf(&b, "approved by %s, not signed\n", step.By)
		case step.Asks:
			b.WriteString("waits for a signature\n")
		default:
			b.WriteString("waits\n")
		}
	}
	if o := s.Opinion; o != nil {
		words := map[bool]string{true: "signed", false: "not signed"}
		fmt.Fprintf(&b, "opinion by %s, %s", o.By, words[o.Signed])
		if !o.Holds {
			b.WriteString("; the findings have changed since")
		}
		b.WriteString("\n")
	}
	if len(s.Keys) == 0 {
		b.WriteString("no key is registered\n")
	}
	for _, k := range s.Keys {
		fmt.Fprintf(&b, "key %s, %s: ", k.ID, k.Name)
		for i, step := range k.Steps {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(step)
		}
		if k.Verifier {
			if len(k.Steps) > 0 {
				b.WriteString(", ")
			}
			b.WriteString("the verifier's opinion")
		}
		fmt.Fprintf(&b, "\n  %s\n", k.Words)
	}
	return b.String()
}
