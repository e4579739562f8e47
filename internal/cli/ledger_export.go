package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
)

type ledgerExportFlags struct {
	ledger, out, receipts string
	public, auditor       bool
	remote                remoteFlags
	files                 string // with an address: the signed files that the reader has
}

func newLedgerExportCmd(env Env) *cobra.Command {
	var f ledgerExportFlags
	cmd := &cobra.Command{
		Use:   "export CYCLE (--ledger DIR | URL --files DIR) --out PATH",
		Short: "Write the bundle of a cycle, to check it without a network",
		Long: `Write the bundle of a cycle: the whole ledger as it was published last, its
checkpoints, and the signed files that entries of the cycle name. A path that ends
in .tar becomes one file, any other a folder; both hold the same.

Every bundle has the charter, which names all members. The roster says who submitted.
With --public it stays out, and with it amendments, which say what was struck, receipts,
and the steps of the silence procedure, which name its parties; and so does the release,
which is for the coalition, with all editions but those for the public that were
adopted. With --auditor roster, amendments, receipts and steps stay out as well, and
release and editions go in, for somebody outside whom the coalition lets see them, with
the earlier releases that this one reckons with and how many members count in several of
them. What is there is checked all the same. With --receipts, members' receipts go in
for a reader who was admitted to them: they say when each member submitted.

A reader who has the address of a served ledger alone makes a bundle of it: every byte
is read and compared with a checkpoint that counts for --log and --witness, or for
--policy, as for muster verify. A server has no signed files; those that the reader has,
the charter before all, lie in the folder --files, and go in where an entry names them.
What is missing is named, and cannot be checked with that bundle.`,
		Example: `  muster ledger export 2026 --ledger ledger --out 2026.tar
  muster ledger export 2026 --ledger ledger --public --out 2026-public.tar
  muster ledger export 2026 --ledger ledger --auditor --out 2026-auditor.tar
  muster ledger export 2026 https://ledger.example.org --policy policy.json --files received --out 2026.tar`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError(cmd, "muster ledger export needs CYCLE, and the address of the ledger where it is not --ledger")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			address := ""
			if len(args) == 2 {
				address = args[1]
			}
			if err := f.remote.check(cmd, address); err != nil {
				return err
			}
			switch {
			case len(args) == 2 && !isAddress(address):
				return usageError(cmd, "the second argument is the address of a ledger, https://…; its folder is --ledger DIR")
			case address != "" && cmd.Flags().Changed("ledger"):
				return usageError(cmd, "--ledger and an address are two ledgers")
			case address != "" && f.files == "":
				return usageError(cmd, "muster ledger export URL needs --files DIR: a server has no signed files, and without the charter a bundle cannot be checked")
			case address == "" && f.files != "":
				return usageError(cmd, "--files goes with an address; the folder of a ledger has its own")
			case f.out == "":
				return usageError(cmd, "muster ledger export needs --out PATH")
			case f.public && f.auditor:
				return usageError(cmd, "--public leaves out what --auditor would put in")
			case (f.public || f.auditor) && f.receipts != "":
				return usageError(cmd, "--public and --auditor leave out what --receipts would put in")
			}
			return runLedgerExport(cmd.Context(), env, args[0], address, f)
		},
	}
	ledgerFlag(cmd, &f.ledger)
	f.remote.register(cmd)
	cmd.Flags().StringVar(&f.files, "files", "", "with an address: a folder with the signed files that you have")
	cmd.Flags().StringVar(&f.out, "out", "", "the file (.tar) or folder to write (required)")
	cmd.Flags().BoolVar(&f.public, "public", false, "for everybody: leave out who submitted, what was struck and who was party, the release, and what is not adopted for the public")
	cmd.Flags().BoolVar(&f.auditor, "auditor", false, "for an auditor who may see release and editions: leave out who submitted, what was struck and who was party")
	cmd.Flags().StringVar(&f.receipts, "receipts", "", "a folder of receipts, NAME.json with NAME.json.sig, for a reader who was admitted to them")
	return cmd
}

func runLedgerExport(ctx context.Context, env Env, cycle, address string, f ledgerExportFlags) error {
	if exists(f.out) {
		return errs.New(errs.Conflict, fmt.Sprintf("there is something at %s already", errs.Quote(f.out)), "give another --out")
	}
	read := func() (*bundleParts, error) { return f.remote.parts(ctx, env, address, f.files) }
	if address == "" {
		folder, err := openLedger(f.ledger)
		if err != nil {
			return err
		}
		read = func() (*bundleParts, error) { return folder.parts(ctx, env) }
	}
	parts, err := read()
	if err != nil {
		return err
	}
	members, err := parts.bundle(env, cycle, f)
	if err != nil {
		return err
	}
	if err := placeError(writeBundle(f.out, members), filepath.Dir(f.out), "make room there, or give another --out"); err != nil {
		return err
	}
	say(env, "%s holds the cycle %s with the whole ledger around it, %d parts", f.out, cycle, len(members))
	switch {
	case f.public:
		say(env, "it has the charter, and so names all members; who submitted, what was struck and who was party is not in it")
	case f.auditor:
		say(env, "it has the charter, and so names all members; who submitted, what was struck and who was party is not in it")
		say(env, "it holds the release, the earlier ones that it reckons with, and every edition, whoever they are for: give it to nobody but whom the coalition lets see them; --public leaves that out")
	default:
		say(env, "it says who submitted: give it to the coalition alone, and to auditors whom it admits; --public leaves that out")
	}
	return nil
}

// writeBundle writes a bundle as one file or as a folder.
func writeBundle(out string, members []ledger.Member) error {
	if strings.HasSuffix(out, ".tar") {
		archive, err := ledger.EncodeArchive(members)
		if err != nil {
			return err
		}
		return realDisk().writeOutput(filepath.Dir(out), []outputFile{{filepath.Base(out), archive, 0o600}}, nil)
	}
	for _, m := range members {
		path := filepath.Join(out, filepath.FromSlash(m.Name))
		if err := realDisk().writeOutput(filepath.Dir(path), []outputFile{{filepath.Base(path), m.Body, 0o600}}, nil); err != nil {
			return err
		}
	}
	return nil
}

// bundleParts is a ledger, read whole, and what is kept beside it.
type bundleParts struct {
	note       []byte // its checkpoint
	view       *ledger.View
	statements []ledger.Statement
	earlier    map[uint64][]byte // checkpoints, by size
	kept       map[string][]byte // signed files, by digest
	folder     string            // where they are kept
}

// parts reads the ledger.
func (f *ledgerFolder) parts(ctx context.Context, env Env) (*bundleParts, error) {
	p := &bundleParts{folder: filepath.Join(f.dir, filesFolder)}
	var err error
	if p.note, err = f.folder().Published(); err != nil {
		return nil, err
	}
	w, err := f.policy.Verify(p.note, env.Now())
	if err != nil {
		return nil, err
	}
	if p.view, err = ledger.ReadView(ctx, f.folder().Source(), w.Checkpoint); err != nil {
		return nil, err
	}
	if p.statements, err = p.view.Statements(); err != nil {
		return nil, err
	}
	p.kept = f.keptFiles(p.statements)
	p.earlier, err = f.folder().Earlier()
	return p, err
}

// bundle puts the bundle of a cycle together.
func (p *bundleParts) bundle(env Env, cycle string, flags ledgerExportFlags) (_ []ledger.Member, err error) {
	b := ledger.Bundle{Manifest: ledger.Manifest{Cycle: cycle}, Checkpoint: p.note, View: p.view, Statements: p.statements, Files: make(map[string][]byte), Earlier: p.earlier}
	if !slices.ContainsFunc(p.statements, func(s ledger.Statement) bool { return s.Cycle == cycle }) {
		return nil, errs.New(errs.NotFound, "the ledger has nothing of the cycle "+errs.Quote(cycle), "muster ledger show lists what it has")
	}
	delete(b.Earlier, p.view.Checkpoint.Size)
	if err := p.putFiles(env, &b, flags); err != nil {
		return nil, err
	}
	if flags.receipts != "" {
		if b.Receipts, err = readReceipts(&b, flags.receipts); err != nil {
			return nil, err
		}
	}
	return ledger.WriteBundle(b)
}

// putFiles puts the signed files that entries of the cycle name into a bundle.
func (p *bundleParts) putFiles(env Env, b *ledger.Bundle, flags ledgerExportFlags) error {
	for _, kind := range append([]ledger.Kind{ledger.KindFramework}, keptKinds()...) {
		for _, s := range b.Of(kind) {
			digest := s.Fields["digest"]
			if !flags.lets(b, s) {
				continue
			}
			body, ok := p.kept[digest]
			if !ok && kind != ledger.KindFramework {
				warn(env, "the %s %s is not in %s, and not in the bundle", kind, digest, p.folder)
			}
			if !ok || b.Files[digest] != nil {
				continue
			}
			b.Files[digest] = body
			b.Manifest.Files = append(b.Manifest.Files, ledger.ManifestFile{Digest: digest, Kind: kind})
		}
	}
	switch {
	case flags.public:
	case flags.auditor: // what the releases reckon with, and in place of names how many are in several
		return b.PutReleases(p.kept)
	default:
		b.PutHistory(p.kept)
		if n := b.EarlierRosters(); n > 0 {
			say(env, "rosters of earlier cycles, with which its release reckons, are in it, too: %d; they say who submitted then", n)
		}
	}
	return nil
}

// lets reports whether the file of a statement may go into the bundle that is asked
// for. Whatever leaves the coalition was adopted before.
func (f ledgerExportFlags) lets(b *ledger.Bundle, s ledger.Statement) bool {
	if !f.public && !f.auditor {
		return true
	}
	switch s.Kind {
	case ledger.KindFramework, ledger.KindCharter, ledger.KindAddendum, ledger.KindWipe:
		return true
	case ledger.KindRelease:
		return f.auditor
	case ledger.KindEdition:
		return f.auditor || s.Fields["audience"] == "public" && adopted(b, s.Fields["digest"])
	}
	return false
}

// adopted reports whether the ledger says last of an edition that it was adopted, and
// enters it as nobody else's.
func adopted(b *ledger.Bundle, digest string) bool {
	for _, s := range b.Of(ledger.KindEdition) {
		if s.Fields["digest"] == digest && s.Fields["audience"] != "public" {
			return false
		}
	}
	of := slices.DeleteFunc(slices.Clone(b.Statements), func(s ledger.Statement) bool { return s.Cycle != b.Manifest.Cycle })
	return ledger.LastWord(of, "edition", digest).Outcome == "adopted"
}

// readReceipts reads the receipts of the rosters in a bundle from a folder.
func readReceipts(b *ledger.Bundle, dir string) (map[string][]coalition.SignedReceipt, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the folder of receipts "+errs.Quote(dir)+" cannot be read", "")
	}
	byDigest := make(map[string]coalition.SignedReceipt)
	for _, path := range paths {
		file, err := readSigned(path, "receipt")
		if err != nil {
			return nil, err
		}
		byDigest[coalition.SignedReceipt(file).Digest()] = coalition.SignedReceipt(file)
	}
	all := make(map[string][]coalition.SignedReceipt)
	for _, s := range b.Of(ledger.KindRoster) {
		task, err := dap.ParseTaskID(s.Fields["task_id"])
		if err != nil {
			return nil, err
		}
		file, ok := b.Signed(s)
		if !ok {
			continue
		}
		roster, err := coalition.ParseRoster(file.Body, task)
		if err != nil {
			return nil, err
		}
		for _, e := range roster.Entries {
			receipt, ok := byDigest[e.Receipt]
			if !ok {
				return nil, errs.New(errs.NotFound, fmt.Sprintf("the receipt of %s is not in %s", e.Member, errs.Quote(dir)), "every receipt of a roster, or none: ask the hosts, or the member")
			}
			all[task.String()] = append(all[task.String()], receipt)
		}
	}
	return all, nil
}
