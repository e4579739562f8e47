package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/workspace"
)

// passkeyExt is what the file with a passkey's signature has after the name of what it
// signed.
const passkeyExt = workspace.PasskeyExt

func newSignoffVerifyCmd(env Env) *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "Check what a passkey signed, without the workspace and without a network",
		Long: `Check that the passkey in FILE.passkey signed exactly what is in FILE, as muster
workspace signoff statement wrote both, and print what was signed and by whom. That
the passkey is that person's is what the workspace says: compare the digest of its
public key with what another file of hers prints.`,
		Example: `  muster workspace signoff verify signed/step-1.json`,
		Args:    oneArg("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			return runSignoffVerify(env, args[0])
		},
	}
}

// maxPasskeyFile is how many bytes of each of the two files are read.
const maxPasskeyFile = 256 << 10

func runSignoffVerify(env Env, path string) error {
	statement, err := readSmall(path)
	if err != nil {
		return err
	}
	passkey, err := readSmall(path + passkeyExt)
	if err != nil {
		return err
	}
	if !json.Valid(passkey) {
		return errs.New(errs.Invalid, strconv.Quote(path+passkeyExt)+" is no signature of a passkey", "give the two files as muster workspace signoff statement wrote them")
	}
	signed, err := workspace.VerifyPasskey(&assess.Approval{Kind: assess.ApprovalPasskey, Statement: statement, Passkey: passkey})
	if err != nil {
		return err
	}
	st, err := workspace.ReadPasskeyStatement(statement)
	if err != nil {
		return err
	}
	what := "opinion about the findings"
	if st.Step != "" {
		what = "approval at the step " + st.Step + " of"
	}
	_, err = fmt.Fprintf(env.Out, "%s of %s, cycle %s, %s %s\n%s %s\nby %s, %s\nwith the passkey %s of %s, public key %s\n",
		st.Kind, st.Member, st.Cycle, st.Framework.ID, st.Framework.Version, what, st.Digest, st.By, time.Unix(st.Time, 0).UTC().Format("2006-01-02 15:04 UTC"),
		strconv.Quote(signed.Name), signed.Site, keys.Digest(signed.PublicKey))
	return err
}

func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, errs.New(errs.NotFound, "there is no file "+strconv.Quote(path), "give FILE, with FILE.passkey beside it")
	}
	if info.Size() > maxPasskeyFile {
		return nil, errs.New(errs.Invalid, strconv.Quote(path)+" is too large to be one", "")
	}
	return os.ReadFile(path)
}
