package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/keys"
)

type approveFlags struct {
	dir       string
	insteadOf string
	yes       bool
}

func newHostApproveCmd(env Env) *cobra.Command {
	var f approveFlags
	cmd := &cobra.Command{
		Use:   "approve FILE --dir DIR",
		Short: "Check a charter, a postponement or a release, and sign it",
		Long: `Check what the coordinator has signed against what this host knows, print it on one
page, ask, and add this host's signature to FILE.sig.

A charter must be about this host's own keys and url, the host with which it held
the ceremony, the seed that both drew, and times and thresholds that can be kept.
A postponement must follow from the charter and those before it; once all three
have signed, it is taken into this host's database, and the deadline moves. A
release must be of this cycle, and of the roster that this host signed.

Each counts when the coordinator and both hosts have signed it. The hosts may
sign one after the other, or each a copy: muster charter join puts two notes
together.`,
		Example: `  muster host approve charter.json --dir ostmere`,
		Args:    oneArg("FILE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runApprove(cmd.Context(), env, args[0], f) },
	}
	dirFlag(cmd, &f.dir, "this host")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "sign without asking: the page has been read")
	cmd.Flags().StringVar(&f.insteadOf, "instead-of", "", "the digest of what this host signed in its place, and that was withdrawn")
	return cmd
}

// runApprove signs a file by its kind.
func runApprove(ctx context.Context, env Env, path string, f approveFlags) error {
	file, err := readSigned(path, "file")
	if err != nil {
		return err
	}
	switch kind := kindOf(file.Body); {
	case strings.HasPrefix(kind, "muster addendum "):
		return approveAddendum(ctx, env, path, coalition.SignedAddendum(file), f)
	case strings.HasPrefix(kind, "muster release "):
		return approveRelease(ctx, env, path, file, f)
	}
	return approveCharter(env, path, f) // which says so if it is none
}

// kindOf returns the kind that a file of JSON says it is, or "".
func kindOf(body []byte) string {
	var head struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(body, &head) != nil {
		return ""
	}
	return head.Kind
}

func approveCharter(env Env, path string, f approveFlags) error {
	h, err := openHost(f.dir)
	if err != nil {
		return err
	}
	c, _, err := h.ceremony()
	if err != nil {
		return err
	}
	seed, err := h.cfg.KeyFolder().Seed()
	if errs.KindOf(err) == errs.NotFound {
		return errs.Wrap(err, errs.Conflict, "the ceremony of this host is not finished: it has no seed", "muster host ceremony finish comes first")
	}
	if err != nil {
		return err
	}
	signed, err := readCharter(path)
	if err != nil {
		return err
	}
	charter, err := signed.Read()
	if err != nil {
		return err
	}
	view := coalition.HostView{Ceremony: c, Own: h.card, Seed: seed.Digest(), Now: env.Now()}
	warnings, err := view.Check(charter)
	if err != nil {
		return err
	}
	if err := disclosure.RequireSafe(charter); err != nil {
		return errs.Wrap(err, errs.Denied, errs.Describe(err).Message, "do not sign; muster disclosure audit "+path+" says more")
	}
	if err := keys.Verify(keys.KindCharter, signed.Body, signed.Signature, charter.Coordinator.Key); err != nil {
		return errs.Wrap(err, errs.Invalid, "the charter is not signed by its coordinator", "ask the coordinator for the charter and its .sig again")
	}
	approved, err := signed.Approve(h.signer)
	if err != nil {
		return err
	}
	already := string(approved.Signature) == string(signed.Signature)
	if !already {
		if err := h.checkApproved(signed, f.insteadOf, env.Now()); err != nil {
			return err
		}
	}
	page, err := newCharterPage(env, signed, charter)
	if err != nil {
		return err
	}
	if err := page.write(env.Out); err != nil {
		return err
	}
	for _, w := range warnings {
		warn(env, "%s", w)
	}
	if already {
		say(env, "this host has signed the charter already")
		return sayStanding(env, approved)
	}
	if ok, err := agreed(env, f.yes, fmt.Sprintf("Does %s sign this?", h.card.Member), "signed"); err != nil || !ok {
		return err
	}
	// Kept before anything is signed: what may have left this host is known here.
	if err := realDisk().writeOutput(h.received(""), []outputFile{{approvedFile, signed.Body, 0o644}}, nil); err != nil {
		return err
	}
	if err := realDisk().writeOutput(filepath.Dir(path), []outputFile{{filepath.Base(path) + sigExt, approved.Signature, 0o644}}, nil); err != nil {
		return err
	}
	say(env, "%s holds the signature of %s", path+sigExt, h.card.Member)
	return sayStanding(env, approved)
}

// checkApproved refuses to sign a second charter, unless the first was withdrawn
// before it opened: two charters over one cycle would open two totals, and their
// difference can be one member's answers.
func (h *hostFolder) checkApproved(signed coalition.SignedCharter, insteadOf string, now time.Time) error {
	body, err := os.ReadFile(h.received(approvedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errs.Wrap(err, errs.Invalid, because("the charter that this host signed cannot be read", err), "")
	}
	earlier := coalition.SignedCharter{Body: body}
	if earlier.Digest() == signed.Digest() {
		return nil
	}
	c, err := earlier.Read()
	if err != nil {
		return err
	}
	if opens := time.Unix(c.Opens, 0); !now.Before(opens) {
		return errs.New(errs.Conflict, "this host signed another charter for this cycle, which opened at "+opens.UTC().Format(time.RFC3339),
			"a new charter for a cycle that has opened needs a new ceremony: muster host init another folder")
	}
	if insteadOf != earlier.Digest() {
		return errs.New(errs.Conflict, "this host signed another charter for this cycle, with the digest "+earlier.Digest(),
			"two charters over one cycle could show one member's answers; if that one was withdrawn, repeat with --instead-of "+earlier.Digest())
	}
	return nil
}

// readCharter reads a charter and the note beside it.
func readCharter(path string) (coalition.SignedCharter, error) {
	file, err := readSigned(path, "charter")
	return coalition.SignedCharter(file), err
}

// sayStanding says who has signed.
func sayStanding(env Env, signed coalition.SignedCharter) error {
	list, err := signed.Signatories()
	if err != nil {
		return err
	}
	sayWhoSigned(env, "charter", list)
	return nil
}
