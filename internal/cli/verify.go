package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/verify"
)

type verifyFlags struct {
	policy, log       string
	witnesses         []string
	threshold         int
	seen              string
	keep              bool
	charter, history  string
	acknowledgements  []string
	receipts          []string
	acknowledged      []string
	records           []string
	collectorKey      string
	lang              string
	asJSON            bool
	thresholdIsChosen bool
}

func newVerifyCmd(env Env) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify BUNDLE (--log KEY | --policy FILE)",
		Short: "Check a whole cycle by its bundle, trusting nobody",
		Long: `Check a cycle by its bundle, one file or a folder, without a network. You bring what
you trust: the key of the record, --log, and which witnesses must have seen it,
--witness and --threshold; or a file with all of it, --policy. Everything else is in
the bundle and is checked: signatures, that nothing was changed or taken out, the
charter and its adoption, receipts against the list of submissions, counts and
thresholds, the release by its own rule, and whether from all releases somebody's
answer can be worked out. Then it says what nobody can prove.

--seen names the file of the checkpoint that an earlier run kept, and --keep keeps
this one in its place, so that a record that was turned back is found. --receipt
gives receipts of your own submissions, --acknowledged what the hosts signed when they
took them in (SEALED.acknowledged.json), --record a host's own record, which says what
it set aside, --acknowledgement what a chair acknowledged when you broke a silence,
--history the folder of all that was released before.
--charter gives the charter that you have, or its digest as somebody whom you know
read it to you: without it nothing shows whose the keys in the charter are.

--collector-key is for an auditor whom the coordinator admits until the wipe: the
coordinator's folder, of which keys/hpke.key and collections are read. The totals
that it opens show small cells to whoever does it; nothing of them is printed.

Exit code 3 means that something fails.`,
		Example: `  muster verify cycle-2026.bundle --policy policy.json --seen checkpoint --keep
  muster verify cycle-2026.bundle --log ledger.example+1f2e… --witness ostmere.example+9a0b… --lang fr`,
		Args: oneArg("BUNDLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.thresholdIsChosen = cmd.Flags().Changed("threshold")
			switch {
			case (f.policy == "") == (f.log == ""):
				return usageError(cmd, "muster verify needs one of --log KEY and --policy FILE: whom you trust is not in the bundle")
			case f.policy != "" && (f.witnesses != nil || f.thresholdIsChosen):
				return usageError(cmd, "--witness and --threshold go with --log; a policy file has them")
			case f.keep && f.seen == "":
				return usageError(cmd, "--keep needs --seen FILE: where the checkpoint is kept")
			case f.lang != "en" && f.lang != "fr":
				return usageError(cmd, "--lang cannot be "+errs.Quote(f.lang)+"; allowed: en, fr")
			}
			return runVerify(cmd.Context(), env, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.policy, "policy", "", "whom you trust, a JSON file")
	flags.StringVar(&f.log, "log", "", "the key of the record, or a file with it")
	flags.StringArrayVar(&f.witnesses, "witness", nil, "the key of a witness, or a file with it; once for each")
	flags.IntVar(&f.threshold, "threshold", 0, "how many witnesses must have seen the record (default: 1, if any is named)")
	flags.StringVar(&f.seen, "seen", "", "the checkpoint that an earlier run kept")
	flags.BoolVar(&f.keep, "keep", false, "keep the checkpoint of this run in the file of --seen")
	flags.StringVar(&f.charter, "charter", "", "the charter as you have it, a file, or its digest or sixteen words as somebody read them to you")
	flags.StringVar(&f.history, "history", "", "the folder with everything that was released before")
	flags.StringArrayVar(&f.acknowledgements, "acknowledgement", nil, "what a chair acknowledged; may be repeated")
	flags.StringArrayVar(&f.receipts, "receipt", nil, "a receipt of your own submission; may be repeated")
	flags.StringArrayVar(&f.acknowledged, "acknowledged", nil, "what the hosts acknowledged of such a submission; may be repeated")
	flags.StringArrayVar(&f.records, "record", nil, "the record of a host, as muster host record prints it: it says what was set aside; may be repeated")
	flags.StringVar(&f.collectorKey, "collector-key", "", "the coordinator's folder, where it admits you to the totals")
	flags.StringVar(&f.lang, "lang", "en", "the language: en or fr")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON, with both languages")
	return cmd
}

func runVerify(ctx context.Context, env Env, path string, f verifyFlags) error {
	cfg, err := f.config(env)
	if err != nil {
		return err
	}
	report, err := verifyBundle(ctx, path, cfg)
	if err != nil {
		return err
	}
	if f.asJSON {
		err = writeJSON(env.Out, report)
	} else {
		err = writeVerdicts(env.Out, report, f.lang)
	}
	if err != nil {
		return err
	}
	if report.Note != nil {
		warn(env, "%s", report.Note.In(f.lang))
	}
	if f.keep {
		if err := f.keepCheckpoint(env, report); err != nil {
			return err
		}
	}
	if !report.Failed() {
		return nil
	}
	n := report.Count(verify.Fails)
	return refused{errs.New(errs.Conflict, plural(n, "1 thing fails", "%d things fail")+" in "+strconv.Quote(path), "keep this bundle as it is; ask for another copy, compare both, and show the coalition what differs")}
}

// verifyBundle checks a bundle that is one file or a folder.
func verifyBundle(ctx context.Context, path string, cfg verify.Config) (*verify.Report, error) {
	var report *verify.Report
	err := readBundle(path, func(source ledger.Source) (err error) {
		report, err = verify.Folder(ctx, source, cfg)
		return err
	}, func(body []byte) (err error) {
		report, err = verify.Archive(ctx, body, cfg)
		return err
	})
	return report, err
}

// readBundle reads a bundle as the folder or the one file that it is. Of a folder
// nothing is read that is outside it.
func readBundle(path string, folder func(ledger.Source) error, file func(body []byte) error) (err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.Wrap(err, errs.NotFound, "there is no bundle at "+errs.Quote(path), "give the file or folder that muster ledger export made")
	}
	cannot := "the bundle " + strconv.Quote(path) + " cannot be read"
	if err != nil {
		return errs.Wrap(err, errs.Invalid, because(cannot, err), "")
	}
	if info.IsDir() {
		root, openErr := os.OpenRoot(path)
		if openErr != nil {
			return errs.Wrap(openErr, errs.Invalid, because(cannot, openErr), "")
		}
		defer func() { err = errors.Join(err, root.Close()) }()
		return folder(ledger.FS(root.FS()))
	}
	const maxBundle = 1 << 30
	if !info.Mode().IsRegular() || info.Size() > maxBundle {
		return errs.New(errs.Invalid, strconv.Quote(path)+" is no bundle: it is no regular file, or too large", "muster ledger export writes one")
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return errs.Wrap(err, errs.Invalid, because(cannot, err), "")
	}
	return file(body)
}

// config reads everything that the flags name.
func (f *verifyFlags) config(env Env) (verify.Config, error) {
	cfg := verify.Config{Now: env.Now(), Packs: env.Packs, Attack: attack.Options{Workers: runtime.GOMAXPROCS(0)}}
	var err error
	if cfg.Policy, err = f.readPolicy(); err != nil {
		return cfg, err
	}
	if f.seen != "" {
		body, err := readInput(f.seen, "checkpoint")
		if err != nil && (!f.keep || errs.KindOf(err) != errs.NotFound) {
			return cfg, err
		}
		cfg.Seen = body
	}
	if cfg.Charter, err = f.knownCharter(); err != nil {
		return cfg, err
	}
	for _, path := range f.acknowledgements {
		file, err := readSigned(path, "acknowledgement")
		if err != nil {
			return cfg, err
		}
		cfg.Acknowledgements = append(cfg.Acknowledgements, file)
	}
	for _, path := range f.receipts {
		file, err := readSigned(path, "receipt")
		if err != nil {
			return cfg, err
		}
		cfg.Receipts = append(cfg.Receipts, coalition.SignedReceipt(file))
	}
	for _, path := range f.acknowledged {
		held, err := readAcknowledged(path)
		if err != nil {
			return cfg, err
		}
		cfg.Held = append(cfg.Held, held...)
	}
	for _, path := range f.records {
		body, err := readInput(path, "record of a host")
		if err != nil {
			return cfg, err
		}
		cfg.Records = append(cfg.Records, body)
	}
	if f.history != "" {
		if cfg.History, err = readHistory(f.history); err != nil {
			return cfg, err
		}
	}
	if f.collectorKey != "" {
		cfg.Collector, err = readCollector(f.collectorKey)
	}
	return cfg, err
}

// digestForm is a digest as it is written and read out.
var digestForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// knownCharter returns the digest of the charter that the reader has, or the words for
// it: of its file, or as somebody read it out.
func (f *verifyFlags) knownCharter() (string, error) {
	read := strings.Fields(strings.ToLower(f.charter))
	switch digest := strings.Join(read, ""); {
	case f.charter == "":
		return "", nil
	case digestForm.MatchString(digest):
		return digest, nil
	case len(read) == keys.FingerprintWords:
		return strings.Join(read, " "), nil
	}
	signed, _, err := openCharter(f.charter)
	if err != nil {
		return "", err
	}
	return signed.Digest(), nil
}

// readPolicy reads whom the reader trusts.
func (f *verifyFlags) readPolicy() (ledger.Policy, error) {
	if f.policy != "" {
		body, err := readInput(f.policy, "policy")
		if err != nil {
			return ledger.Policy{}, err
		}
		p, err := ledger.ParsePolicy(body)
		return p, inFileIf(f.policy, err)
	}
	var p ledger.Policy
	var err error
	if p.Log, err = readPublicKey(f.log, "the record"); err != nil {
		return p, err
	}
	for _, named := range f.witnesses {
		key, err := readPublicKey(named, "a witness")
		if err != nil {
			return p, err
		}
		p.Witnesses = append(p.Witnesses, key)
	}
	if p.Threshold = f.threshold; !f.thresholdIsChosen && len(p.Witnesses) > 0 {
		p.Threshold = 1
	}
	return p, p.Check()
}

// readPublicKey returns a key that a flag gives, or the file that has it.
func readPublicKey(named, of string) (keys.Public, error) {
	if _, err := keys.Public(named).Cosigner(); err == nil {
		return keys.Public(named), nil
	}
	body, err := readInput(named, "key of "+of)
	if err != nil {
		return "", err
	}
	key := keys.Public(strings.TrimRight(string(body), "\r\n"))
	if _, err := key.Cosigner(); err != nil {
		return "", errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s holds no key of %s", strconv.Quote(named), of), "a key reads NAME+HASH+KEY, on one line")
	}
	return key, nil
}

// readCollector reads what the coordinator gives an auditor: the collector key and
// the answers of the collections.
func readCollector(dir string) (*verify.Collector, error) {
	pairs, err := keyFolder(dir).HPKE()
	if err != nil {
		return nil, err
	}
	c := &verify.Collector{HPKE: pairs[0], Answers: make(map[string][]byte)}
	paths, err := filepath.Glob(filepath.Join(filepath.Clean(dir), collectionsFolder, "*.answer.json"))
	if err != nil {
		return nil, err
	}
	folder := &coordinatorFolder{dir: dir}
	for _, path := range paths {
		id := strings.TrimSuffix(filepath.Base(path), ".answer.json")
		task, err := dap.ParseTaskID(id)
		if err != nil {
			continue
		}
		answer, _, ok, err := folder.keptAnswer(task)
		if err != nil {
			return nil, err
		}
		if ok {
			c.Answers[id] = answer
		}
	}
	if len(c.Answers) == 0 {
		return nil, errs.New(errs.NotFound, fmt.Sprintf("%s has no answer of a collection", strconv.Quote(filepath.Join(dir, collectionsFolder))), "muster collect run keeps it there; ask the coordinator for the folder")
	}
	return c, nil
}

// refusedName is the name beside a kept checkpoint for one that did not count: with its
// size and the beginning of its digest, so that no evidence takes another's place.
func refusedName(kept string, entries uint64, note []byte) string {
	return fmt.Sprintf("%s.refused-%d-%s", kept, entries, keys.Digest(note)[:16])
}

// keepCheckpoint puts the checkpoint in the place of the one that was kept.
func (f *verifyFlags) keepCheckpoint(env Env, report *verify.Report) error {
	dir := filepath.Dir(f.seen)
	file := outputFile{filepath.Base(f.seen), report.Checkpoint, 0o644}
	switch {
	case report.Checkpoint != nil:
	case report.Unseen:
		say(env, "%s stays as it is: too few of your witnesses have seen what the record has behind the cycle; check again when they have, or name who took a witness's place with --witness, or in your policy", f.seen)
		return nil
	case report.Refused == nil:
		say(env, "%s stays as it is: the bundle is not as it was made, and a checkpoint from it is not kept; keep the bundle itself as evidence", f.seen)
		return nil
	default:
		path := refusedName(f.seen, report.Entries, report.Refused)
		say(env, "%s stays as it is: this checkpoint does not count; it is kept as evidence in %s", f.seen, path)
		if exists(path) { // from an earlier run, by its name the same
			return nil
		}
		file = outputFile{filepath.Base(path), report.Refused, 0o644}
	}
	if err := realDisk().writeOutput(dir, []outputFile{file}, nil); err != nil {
		return placeError(err, dir, "make room there, or give another --seen")
	}
	return config.SyncFolder(dir)
}
