package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/logserver"
)

func newLedgerCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Keep the coalition's shared record, or look at it",
		Long: `Keep the ledger, the record of a coalition that is the same for all: one log to which
entries are only ever added. The coordinator keeps it; witnesses that members run
see to it that nothing in it changes; everybody can check it.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newLedgerInitCmd(env), newLedgerAddCmd(env), newLedgerServeCmd(env), newLedgerShowCmd(env), newLedgerFsckCmd(env),
		newLedgerExportCmd(env), newLedgerRequestCmd(env), newLedgerCosignCmd(env))
	return cmd
}

func newLedgerInitCmd(env Env) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "init DIR --name ORIGIN",
		Short: "Make the folder of a ledger: key and configuration",
		Long: `Make the folder of a ledger with its key and ledger.yaml, which names the witnesses.
The name is that of the ledger in every checkpoint, for good: one such as
ledger.example.org, without spaces. A command that was interrupted may be repeated.`,
		Example: `  muster ledger init ledger --name ledger.sea-of-lights.example`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if name == "" {
				return usageError(cmd, "muster ledger init needs --name ORIGIN")
			}
			return runLedgerInit(env, args[0], name)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the name of the ledger in checkpoints (required)")
	return cmd
}

func runLedgerInit(env Env, dir, name string) error {
	signer, pin, err := initNamed(env, dir, name, config.LedgerFile, config.LedgerYAML())
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "%s\n", signer.Public()); err != nil {
		return err
	}
	say(env, "this is the key of the ledger: it belongs into the charter, and into the configuration of every witness")
	say(env, "its server shows a TLS key with the pin %s", pin)
	say(env, "name the witnesses in %s, none of them run by the coordinator", filepath.Join(dir, config.LedgerFile))
	return nil
}

// initNamed makes a folder with a signing key under a name, a certificate and a
// configuration, those that are there already staying as they are.
func initNamed(env Env, dir, name, configName string, configuration []byte) (*keys.Signer, string, error) {
	folder := keyFolder(dir)
	signer, err := folder.MakeNamedSigner(env.Rand, name)
	if err != nil {
		return nil, "", err
	}
	if signer.Public().KeyName() != name {
		return nil, "", errs.New(errs.Conflict, fmt.Sprintf("the folder %s holds the key of %s", strconv.Quote(dir), errs.Quote(signer.Public().KeyName())), "give another folder")
	}
	cert, err := folder.MakeCertificate(func() (tls.Certificate, error) {
		return daphttp.NewCertificate(daphttp.CertificateConfig{Name: name, Now: env.Now(), Rand: env.Rand})
	})
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(dir, configName)
	if !exists(path) {
		if err := config.Replace(path, configuration); err != nil {
			return nil, "", err
		}
	}
	return signer, coalition.Pin(cert.Leaf.RawSubjectPublicKeyInfo), nil
}

// ledgerFolder is a ledger's folder as muster ledger init made it.
type ledgerFolder struct {
	dir    string
	cfg    *config.Ledger
	signer *keys.Signer
	policy ledger.Policy
}

func openLedger(dir string) (*ledgerFolder, error) {
	path := filepath.Join(dir, config.LedgerFile)
	cfg, err := config.ReadLedger(path)
	if errs.KindOf(err) == errs.NotFound {
		return nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("%s is no folder of a ledger: it has no %s", strconv.Quote(dir), config.LedgerFile), "give the folder that muster ledger init made")
	}
	if err != nil {
		return nil, err
	}
	f := &ledgerFolder{dir: dir, cfg: cfg}
	if f.signer, err = (config.KeyFolder{Dir: cfg.Keys}).Signer(); err != nil {
		return nil, err
	}
	f.policy = ledger.Policy{Log: f.signer.Public(), Threshold: cfg.Threshold, Witnesses: []keys.Public{}}
	for _, w := range cfg.Witnesses {
		f.policy.Witnesses = append(f.policy.Witnesses, w.Key)
	}
	return f, f.policy.Check()
}

func (f *ledgerFolder) folder() logserver.Folder { return logserver.Folder{Dir: f.dir} }

// filesFolder holds the signed files that entries name. Rosters with names are among
// them, so nobody else may read it.
const filesFolder = "files"

// keepFile keeps a signed file for bundles.
func (f *ledgerFolder) keepFile(body []byte) error {
	dir := filepath.Join(f.dir, filesFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), err), "")
	}
	path := filepath.Join(dir, keys.Digest(body))
	if exists(path) {
		return nil
	}
	return placeError(config.CreateSecret(path, body), dir, "make room there, and run the command again")
}

// ledgerFlag is the flag that names the folder of a ledger.
func ledgerFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "ledger", "ledger", "the folder of the ledger")
}

// ledgerWriter is a ledger that is open for writing.
type ledgerWriter interface {
	Add(ctx context.Context, statements ...ledger.Statement) error
	Publish(ctx context.Context, ask func(ctx context.Context, witness int, note []byte) ([]byte, error)) (note []byte, missed map[int]error, err error)
	Source() ledger.Source
	Close(ctx context.Context) error
}

func newLedgerRequestCmd(env Env) *cobra.Command {
	var dir, out, witness string
	seen := int64(-1)
	cmd := &cobra.Command{
		Use:   "request --ledger DIR --witness NAME --out FILE",
		Short: "Write what a witness without a network has to sign",
		Long: `Write the request for the cosignature of a witness that is never on a network: the
newest checkpoint, and the proof that it follows from what the witness has signed
before. The witness answers with muster witness cosign, and muster ledger cosign
takes the answer in.`,
		Example: `  muster ledger request --ledger ledger --witness witness.ostmere.example --out request`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" || witness == "" {
				return usageError(cmd, "muster ledger request needs --witness NAME and --out FILE")
			}
			return runLedgerRequest(cmd.Context(), env, dir, witness, seen, out)
		},
	}
	ledgerFlag(cmd, &dir)
	cmd.Flags().StringVar(&witness, "witness", "", "the name of the witness (required)")
	cmd.Flags().Int64Var(&seen, "seen", -1, "how many entries the witness has seen, where it says another number than the ledger knows")
	cmd.Flags().StringVar(&out, "out", "", "the request to write (required)")
	return cmd
}

func runLedgerRequest(ctx context.Context, env Env, dir, name string, seen int64, out string) error {
	f, err := openLedger(dir)
	if err != nil {
		return err
	}
	place := -1
	for i, w := range f.policy.Witnesses {
		if w.KeyName() == name {
			place = i
		}
	}
	if place < 0 {
		return errs.New(errs.NotFound, "the ledger has no witness "+errs.Quote(name), "its witnesses stand in "+filepath.Join(dir, config.LedgerFile))
	}
	folder := f.folder()
	note, err := folder.Pending()
	if err == nil && note == nil {
		note, err = folder.Published()
	}
	if err != nil {
		return err
	}
	c, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return err
	}
	request := ledger.CosignRequest{Checkpoint: note}
	if seen >= 0 {
		request.Old = uint64(seen)
	} else if request.Old, err = lastSeen(env, f, place, c.Size); err != nil {
		return err
	}
	if request.Old > c.Size {
		return errs.New(errs.Conflict, fmt.Sprintf("the witness has seen %d entries, and the ledger has %d", request.Old, c.Size), "the ledger was restored from an old backup: restore one that has all entries")
	}
	if request.Proof, err = ledger.ProveConsistency(ledger.TileNodes(ctx, folder.Source(), c.Size), request.Old, c.Size); err != nil {
		return err
	}
	if err := placeError(config.Replace(out, request.Encode()), filepath.Dir(out), "make room there, or give another --out"); err != nil {
		return err
	}
	say(env, "%s asks for the cosignature of %d entries, after the %d that %s has signed; carry it there, then: muster witness cosign %s --out cosignature", out, c.Size, request.Old, name, filepath.Base(out))
	return nil
}

// lastSeen returns the size that a witness signed last, as far as the ledger knows.
func lastSeen(env Env, f *ledgerFolder, place int, below uint64) (uint64, error) {
	notes, err := f.folder().Earlier()
	if err != nil {
		return 0, err
	}
	last := uint64(0)
	for size, note := range notes {
		w, err := f.policy.Read(note, env.Now())
		if err != nil {
			return 0, err
		}
		if w.Witnesses[place].Signed && size <= below {
			last = max(last, size)
		}
	}
	return last, nil
}

func newLedgerCosignCmd(env Env) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "cosign FILE --ledger DIR",
		Short:   "Take in the cosignature of a witness without a network",
		Long:    `Take in the answer of a witness that is never on a network, and publish the checkpoint if enough witnesses have cosigned it now.`,
		Example: `  muster ledger cosign cosignature --ledger ledger`,
		Args:    oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := openLedger(dir)
			if err != nil {
				return err
			}
			lines, err := readInput(args[0], "cosignature")
			if err != nil {
				return err
			}
			note, err := f.folder().Join(f.policy, lines, env.Now())
			if errs.KindOf(err) == errs.Unavailable {
				return refused{err}
			}
			if err != nil {
				return err
			}
			return f.sayPublished(env, note)
		},
	}
	ledgerFlag(cmd, &dir)
	return cmd
}

func (f *ledgerFolder) sayPublished(env Env, note []byte) error {
	w, err := f.policy.Read(note, env.Now())
	if err != nil {
		return err
	}
	say(env, "published: %s, seen by %d of %d witnesses", plural(int(w.Size), "1 entry", "%d entries"), w.Count(), len(w.Witnesses))
	if len(w.Witnesses) == 0 {
		warn(env, "nobody witnesses this ledger: it could be shown to two readers in two ways")
	}
	return nil
}

// names of the witnesses that did not cosign, with the reasons.
func (f *ledgerFolder) warnMissed(env Env, missed map[int]error) {
	for i, w := range f.policy.Witnesses {
		if err, ok := missed[i]; ok {
			d := errs.Describe(err)
			message := d.Message
			if d.Kind == errs.Internal {
				message = err.Error()
			}
			warn(env, "%s has not cosigned: %s", w.Name(), strings.TrimSpace(message))
		}
	}
}

var errNoFiles = errors.New("no way to it but files")
