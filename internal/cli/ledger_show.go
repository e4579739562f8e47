package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/ledger"
)

func newLedgerShowCmd(env Env) *cobra.Command {
	var cycle, lang string
	var asJSON bool
	var remote remoteFlags
	cmd := &cobra.Command{
		Use:   "show (PATH | URL)",
		Short: "List what is in a ledger, or in a bundle",
		Long: `List the entries of a ledger, by its folder, or of a bundle, by its file or folder,
each with what it says in plain words. Everything is read and compared with the
checkpoint first; who signed what is for muster ledger fsck, and for a bundle's
reader with keys of its own, to check.

A ledger that is served elsewhere is read by its address, every byte compared with a
checkpoint that counts for whom you trust: --log and --witness, or --policy, as for
muster verify. A server that shows a certificate of its own is known by the pin that
muster ledger init printed, --certificate.`,
		Example: `  muster ledger show ledger --cycle 2026
  muster ledger show https://ledger.example.org --policy policy.json`,
		Args: oneArg("PATH or URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lang != "en" && lang != "fr" {
				return usageError(cmd, "--lang cannot be "+errs.Quote(lang)+"; allowed: en, fr")
			}
			if err := remote.check(cmd, args[0]); err != nil {
				return err
			}
			statements, err := readStatements(cmd.Context(), env, args[0], remote)
			if err != nil {
				return err
			}
			return writeStatements(env.Out, statements, cycle, lang, asJSON)
		},
	}
	cmd.Flags().StringVar(&cycle, "cycle", "", "this cycle alone")
	cmd.Flags().StringVar(&lang, "lang", "en", "the language of what entries mean: en, fr")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one entry a line")
	remote.register(cmd)
	return cmd
}

// readStatements reads the entries of a ledger's folder, of a bundle, or of a ledger
// over the network.
func readStatements(ctx context.Context, env Env, path string, remote remoteFlags) ([]ledger.Statement, error) {
	if isAddress(path) {
		r, err := remote.read(ctx, env, path)
		if err != nil {
			return nil, err
		}
		return r.statements, nil
	}
	if exists(filepath.Join(path, config.LedgerFile)) {
		f, err := openLedger(path)
		if err != nil {
			return nil, err
		}
		_, statements, err := f.folder().Check(ctx, f.policy, env.Now())
		return statements, err
	}
	b, err := openBundle(ctx, path)
	if err != nil {
		return nil, err
	}
	return b.Statements, nil
}

// openBundle reads a bundle, a file or a folder.
func openBundle(ctx context.Context, path string) (*ledger.Bundle, error) {
	var b *ledger.Bundle
	err := readBundle(path, func(source ledger.Source) (err error) {
		b, err = ledger.OpenBundle(ctx, source)
		return err
	}, func(body []byte) (err error) {
		if b, err = ledger.OpenArchive(ctx, body); err != nil {
			return inFile(path, err)
		}
		return nil
	})
	return b, err
}

// shownStatement is an entry as muster ledger show --json prints it.
type shownStatement struct {
	Number  int               `json:"number"`
	Kind    ledger.Kind       `json:"kind"`
	Cycle   string            `json:"cycle"`
	Charter string            `json:"charter,omitempty"`
	Fields  map[string]string `json:"fields"`
	Means   string            `json:"means"`
}

func writeStatements(w io.Writer, statements []ledger.Statement, cycle, lang string, asJSON bool) error {
	means := make(map[ledger.Kind]ledger.Row)
	for _, row := range ledger.Rows() {
		means[row.Kind] = row
	}
	receipts := 0
	for i, s := range statements {
		if cycle != "" && s.Cycle != cycle {
			continue
		}
		row := means[s.Kind]
		if asJSON {
			if err := writeJSON(w, shownStatement{i, s.Kind, s.Cycle, s.Charter, s.Fields, row.Text(lang)}); err != nil {
				return err
			}
			continue
		}
		// Hundreds of receipts would push what matters off the screen.
		if s.Kind == ledger.KindReceipt {
			receipts++
			if receipts > maxWarnings {
				continue
			}
		}
		if _, err := fmt.Fprintf(w, "%6d  %-12s  %s  %s\n        %s\n", i, s.Kind, s.Cycle, fieldsText(row, s), row.Text(lang)); err != nil {
			return err
		}
	}
	if receipts > maxWarnings {
		_, err := fmt.Fprintf(w, "        and %d more receipts; --json lists all\n", receipts-maxWarnings)
		return err
	}
	return nil
}

// fieldsText returns the fields of an entry on one line, digests as their beginning.
func fieldsText(row ledger.Row, s ledger.Statement) string {
	var parts []string
	for _, f := range row.Fields {
		value := s.Fields[f.Name]
		if value == "" {
			continue
		}
		if slices.Contains([]ledger.Form{ledger.FormDigest, ledger.FormTask, ledger.FormPseudonym}, f.Form) {
			value = value[:12] + "…"
		}
		parts = append(parts, f.Name+" "+oneLine(value))
	}
	return strings.Join(parts, ", ")
}

func newLedgerFsckCmd(env Env) *cobra.Command {
	var dir string
	var remote remoteCheck
	cmd := &cobra.Command{
		Use:   "fsck (--ledger DIR | URL)",
		Short: "Check every byte of a ledger",
		Long: `Read the whole ledger and check it: every entry and tile against the newest
checkpoint, that it follows from every checkpoint that was published, the
signatures of the ledger and of its witnesses, those of each entry by the keys that
its charter names, or the last one of its cycle where it came before, and that each
signed file that an entry names is kept and is that one; only questions may be absent.
What is wrong is named, and how many entries have no charter to check them by.

Who has the address of a served ledger alone checks what a server shows: every entry
and tile against a checkpoint that counts for --log and --witness, or for --policy, as
for muster verify; that it follows from the checkpoint that was kept, --seen, which
--keep replaces; and with --charter the signatures of the entries under it.`,
		Example: `  muster ledger fsck --ledger ledger
  muster ledger fsck https://ledger.example.org --policy policy.json --seen checkpoint --keep`,
		Args: atMostOneArg("URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			address := strings.Join(args, "")
			if err := remote.check(cmd, address); err != nil {
				return err
			}
			switch {
			case address != "" && !isAddress(address):
				return usageError(cmd, "an argument is the address of a ledger, https://…; its folder is --ledger DIR")
			case address != "" && cmd.Flags().Changed("ledger"):
				return usageError(cmd, "--ledger and an address are two ledgers")
			case address != "":
				return remote.run(cmd.Context(), env, address)
			}
			f, err := openLedger(dir)
			if err != nil {
				return err
			}
			return f.fsck(cmd.Context(), env)
		},
	}
	ledgerFlag(cmd, &dir)
	remote.register(cmd)
	return cmd
}

func (f *ledgerFolder) fsck(ctx context.Context, env Env) error {
	view, statements, err := f.folder().Check(ctx, f.policy, env.Now())
	if err != nil {
		return err
	}
	kept := f.keptFiles(statements)
	for digest, body := range kept {
		if ledger.Digest(body) != digest {
			return errs.New(errs.Invalid, fmt.Sprintf("%s is not the file that an entry names", errs.Quote(filepath.Join(f.dir, filesFolder, digest))), "restore it from a backup; the ledger itself is whole")
		}
	}
	charters, err := keptCharters(statements, kept)
	if err != nil {
		return err
	}
	_, unknown, err := checkSigned(statements, charters)
	if err != nil {
		return err
	}
	if unknown > 0 {
		say(env, "who signed %s was not checked: the charter that says who may is not in the ledger, or its file is not kept", plural(unknown, "1 entry", "%d entries"))
	}
	if err := f.absent(statements, kept); err != nil {
		return err
	}
	notes, err := f.folder().Earlier()
	if err != nil {
		return err
	}
	for _, size := range slices.Sorted(maps.Keys(notes)) {
		w, err := f.policy.Read(notes[size], env.Now())
		if err != nil {
			return err
		}
		if w.Count() < w.Threshold {
			warn(env, "the published checkpoint of %d entries has been seen by %d of the witnesses in %s, and %d are wanted: were they others then?", size, w.Count(), config.LedgerFile, w.Threshold)
		}
	}
	_, err = fmt.Fprintf(env.Out, "%s, whole; it follows from %s that were published; %s kept and as entered\nroot %v\n",
		plural(int(view.Checkpoint.Size), "1 entry", "%d entries"), plural(len(notes), "1 checkpoint", "%d checkpoints"), plural(len(kept), "1 signed file", "%d signed files"), view.Checkpoint.Root)
	return err
}

// keptKinds are the entries whose file is kept, always.
func keptKinds() []ledger.Kind {
	return []ledger.Kind{
		ledger.KindCharter, ledger.KindAddendum, ledger.KindRoster, ledger.KindAmendment,
		ledger.KindRelease, ledger.KindEdition, ledger.KindWipe, ledger.KindSilence,
	}
}

// absent names the entries whose file must be kept and is not.
func (f *ledgerFolder) absent(statements []ledger.Statement, kept map[string][]byte) error {
	var names []string
	for i, s := range statements {
		if slices.Contains(keptKinds(), s.Kind) && kept[s.Fields["digest"]] == nil {
			names = append(names, fmt.Sprintf("entry %d (%s of %s)", i, s.Kind, s.Cycle))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return errs.New(errs.NotFound, fmt.Sprintf("%s which must be in %s: %s", plural(len(names), "1 entry lacks its signed file,", "%d entries lack their signed files,"), errs.Quote(filepath.Join(f.dir, filesFolder)), strings.Join(names, ", ")),
		"restore them from a backup, or give the same files to muster ledger add again; the entries themselves are whole")
}

// keptCharters returns the charters that were entered and whose files are kept, by
// their digests.
func keptCharters(statements []ledger.Statement, kept map[string][]byte) (map[string]coalition.Charter, error) {
	charters := make(map[string]coalition.Charter)
	for _, s := range statements {
		if s.Kind != ledger.KindCharter || kept[s.Charter] == nil {
			continue
		}
		c, err := coalition.SignedCharter{Body: kept[s.Charter], Signature: []byte(s.Note)}.Open()
		if err != nil {
			return nil, err
		}
		charters[s.Charter] = c
	}
	return charters, nil
}

// checkSigned checks who signed each entry, by the keys that its charter names, or for
// one that came before there was a charter the last of its cycle. It counts those that
// it looked at, and those whose charter is not at hand.
func checkSigned(statements []ledger.Statement, charters map[string]coalition.Charter) (signed, unknown int, err error) {
	last := make(map[string]string)
	for _, s := range statements {
		if s.Kind == ledger.KindCharter {
			last[s.Cycle] = s.Charter
		}
	}
	for i, s := range statements {
		by := s.Charter
		if by == "" {
			by = last[s.Cycle]
		}
		c, ok := charters[by]
		if !ok {
			unknown++
			continue
		}
		if err := s.Verify(ledger.PartiesOf(c)); err != nil {
			return signed, unknown, errs.Wrap(err, errs.Invalid, fmt.Sprintf("entry %d: %s", i, errs.Describe(err).Message), "it was entered like this: ask the coordinator")
		}
		signed++
	}
	return signed, unknown, nil
}

// keptFiles returns the signed files of entries that are kept, by the digest in their
// entry. A file that was never kept is not there.
func (f *ledgerFolder) keptFiles(statements []ledger.Statement) map[string][]byte {
	files := make(map[string][]byte)
	for _, s := range statements {
		digest := s.Fields["digest"]
		if digest == "" {
			continue
		}
		if body, err := os.ReadFile(filepath.Join(f.dir, filesFolder, digest)); err == nil {
			files[digest] = body
		}
	}
	return files
}
