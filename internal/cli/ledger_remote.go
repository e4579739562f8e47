package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/logserver"
)

// How long a ledger over the network is waited for: one resource, and all of it.
const (
	remoteWait = 30 * time.Second
	remoteAll  = 10 * time.Minute
)

// remoteFlags say how a ledger over the network is reached, and whom its reader trusts.
type remoteFlags struct {
	policy, log, certificate string
	witnesses                []string
}

func (f *remoteFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.policy, "policy", "", "with an address: whom you trust, a JSON file")
	flags.StringVar(&f.log, "log", "", "with an address: the key of the ledger")
	flags.StringArrayVar(&f.witnesses, "witness", nil, "with an address: the key of a witness, one of which must have cosigned; once for each")
	flags.StringVar(&f.certificate, "certificate", "", "with an address: the pin of the server's TLS key")
}

// check refuses a call that does not say whom the reader of an address trusts, or says
// so of a ledger that is not read by one.
func (f *remoteFlags) check(cmd *cobra.Command, address string) error {
	switch {
	case isAddress(address) && (f.policy == "") == (f.log == ""):
		return usageError(cmd, cmd.CommandPath()+" URL needs one of --log KEY and --policy FILE: whom you trust, a server does not say")
	case isAddress(address) && f.policy != "" && f.witnesses != nil:
		return usageError(cmd, "--witness goes with --log; a policy file has them")
	case !isAddress(address) && (f.policy != "" || f.log != "" || f.certificate != "" || f.witnesses != nil):
		return usageError(cmd, "--log, --witness, --policy and --certificate are for a ledger that is read by its address")
	}
	return nil
}

// isAddress reports whether a path is an address of the network.
func isAddress(path string) bool {
	return strings.HasPrefix(path, "https://") || strings.HasPrefix(path, "http://")
}

// remoteLedger is a whole ledger that was read over the network.
type remoteLedger struct {
	note       []byte // its checkpoint
	witnessed  ledger.Witnessed
	policy     ledger.Policy
	view       *ledger.View
	statements []ledger.Statement
}

// read reads a whole ledger over the network, every byte compared with a checkpoint
// that the reader's policy accepts.
func (f *remoteFlags) read(ctx context.Context, env Env, address string) (*remoteLedger, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errs.Wrap(err, errs.Invalid, errs.Quote(address)+" is no address of a ledger", "give https://HOST[:PORT], and a path where it is under one")
	}
	r := new(remoteLedger)
	if r.policy, err = (&verifyFlags{policy: f.policy, log: f.log, witnesses: f.witnesses}).readPolicy(); err != nil {
		return nil, err
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, ResponseHeaderTimeout: remoteWait, MaxResponseHeaderBytes: 64 << 10}
	defer transport.CloseIdleConnections()
	if f.certificate != "" {
		pin, err := daphttp.ParsePin(f.certificate)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = daphttp.ClientTLS(nil, pin)
	}
	ctx, cancel := context.WithTimeout(ctx, remoteAll)
	defer cancel()
	source := logserver.Client{URL: strings.TrimSuffix(address, "/"), HTTP: &http.Client{
		Transport: transport, Timeout: remoteWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if r.note, err = source.Resource(ctx, ledger.CheckpointName, ledger.MaxCheckpoint); err != nil {
		return nil, err
	}
	if r.witnessed, err = r.policy.Verify(r.note, env.Now()); err != nil {
		return nil, err
	}
	if r.view, err = ledger.ReadView(ctx, source, r.witnessed.Checkpoint); err != nil {
		return nil, err
	}
	r.statements, err = r.view.Statements()
	return r, err
}

// parts reads a ledger over the network for a bundle, with the signed files in a folder.
func (f *remoteFlags) parts(ctx context.Context, env Env, address, files string) (*bundleParts, error) {
	r, err := f.read(ctx, env, address)
	if err != nil {
		return nil, err
	}
	p := &bundleParts{note: r.note, view: r.view, statements: r.statements, earlier: make(map[uint64][]byte), kept: make(map[string][]byte), folder: files}
	if err := filesIn(files, p.kept); err != nil {
		return nil, err
	}
	for _, body := range slices.Collect(maps.Values(p.kept)) { // the questions, where this muster brings those of a charter
		if c, err := (coalition.SignedCharter{Body: body}).Read(); err == nil {
			if pack, _, err := charterPack(env, c, ""); err == nil {
				p.kept[c.Framework.Digest] = pack.Canonical()
			}
		}
	}
	return p, nil
}

// What is read of a folder of signed files: none is longer, and there are no more.
const (
	maxFileGiven  = 64 << 20
	maxFilesGiven = 10_000
)

// filesIn reads the files of a folder, and of those in it, by their digests. Which of them
// the ledger names is looked at later.
func filesIn(dir string, into map[string][]byte) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder of signed files %s cannot be read", strconv.Quote(dir)), err), "give the folder with --files")
	}
	defer root.Close() // nothing was written
	n := 0
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return errs.Wrap(err, errs.Invalid, because(strconv.Quote(filepath.Join(dir, path))+" cannot be read", err), "")
		}
		if !entry.Type().IsRegular() || strings.HasSuffix(path, sigExt) {
			return nil // the signatures stand in the ledger
		}
		if n++; n > maxFilesGiven {
			return errs.New(errs.Invalid, fmt.Sprintf("%s has more than %d files", strconv.Quote(dir), maxFilesGiven), "give the folder that has the signed files of the cycle, and no other")
		}
		info, err := entry.Info()
		if err != nil || info.Size() > maxFileGiven {
			return nil // no signed file is as long
		}
		body, err := fs.ReadFile(root.FS(), path)
		if err != nil {
			return errs.Wrap(err, errs.Invalid, because(strconv.Quote(filepath.Join(dir, path))+" cannot be read", err), "")
		}
		into[ledger.Digest(body)] = body
		return nil
	})
}

// remoteCheck are the flags of a check of a ledger by its address.
type remoteCheck struct {
	remoteFlags
	seen     string
	keep     bool
	charters []string
}

func (f *remoteCheck) register(cmd *cobra.Command) {
	f.remoteFlags.register(cmd)
	cmd.Flags().StringVar(&f.seen, "seen", "", "with an address: the checkpoint that an earlier run kept")
	cmd.Flags().BoolVar(&f.keep, "keep", false, "with an address: keep the checkpoint of this run in the file of --seen")
	cmd.Flags().StringArrayVar(&f.charters, "charter", nil, "with an address: a charter that you have, its .sig beside it, whose entries' signatures are checked; once for each")
}

func (f *remoteCheck) check(cmd *cobra.Command, address string) error {
	if !isAddress(address) && (f.seen != "" || f.keep || f.charters != nil) {
		return usageError(cmd, "--seen, --keep and --charter are for a ledger that is read by its address; its folder has them")
	}
	if f.keep && f.seen == "" {
		return usageError(cmd, "--keep needs --seen FILE: where the checkpoint is kept")
	}
	return f.remoteFlags.check(cmd, address)
}

// run checks a whole ledger over the network: all that its tiles and entries show.
func (f *remoteCheck) run(ctx context.Context, env Env, address string) error {
	charters := make(map[string]coalition.Charter)
	for _, path := range f.charters {
		signed, c, err := openCharter(path)
		if err != nil {
			return err
		}
		charters[signed.Digest()] = c
	}
	var seen []byte
	if f.seen != "" {
		var err error
		if seen, err = readInput(f.seen, "checkpoint"); err != nil && (!f.keep || errs.KindOf(err) != errs.NotFound) {
			return err
		}
	}
	r, err := f.read(ctx, env, address)
	if err != nil {
		return err
	}
	if err := f.follows(env, r, seen); err != nil {
		return err
	}
	signed, unknown, err := checkSigned(r.statements, charters)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "%s, whole: every byte is what the checkpoint says, seen by %d of %d witnesses that you name\nroot %v\n",
		plural(len(r.statements), "1 entry", "%d entries"), r.witnessed.Count(), len(r.witnessed.Witnesses), r.view.Checkpoint.Root); err != nil {
		return err
	}
	if signed > 0 {
		say(env, "%s signed by those whom the charters that you gave name", plural(signed, "1 entry is", "%d entries are"))
	}
	if unknown > 0 {
		say(env, "who signed %s is not looked at: it shows with their charters, --charter", plural(unknown, "1 entry", "%d entries"))
	}
	if len(r.witnessed.Witnesses) == 0 {
		warn(env, "you name no witness: this ledger could be shown to you alone")
	}
	say(env, "a server has neither the signed files nor the checkpoints that were published before: they are in the ledger's folder, and in its bundles")
	if !f.keep {
		return nil
	}
	file := outputFile{filepath.Base(f.seen), r.note, 0o644}
	dir := filepath.Dir(f.seen)
	if err := realDisk().writeOutput(dir, []outputFile{file}, nil); err != nil {
		return placeError(err, dir, "make room there, or give another --seen")
	}
	return config.SyncFolder(dir)
}

// follows holds the ledger to the checkpoint that the reader kept. One that does not
// follow is evidence, and is kept beside it.
func (f *remoteCheck) follows(env Env, r *remoteLedger, seen []byte) error {
	if seen == nil {
		return nil
	}
	before, err := r.policy.Read(seen, env.Now())
	if err != nil {
		return errs.Wrap(err, errs.Invalid, "the checkpoint that was kept is not of this ledger: "+errs.Describe(err).Message, "give the file that an earlier run kept, and the policy of its ledger")
	}
	wrong := r.view.Consistent(before.Checkpoint)
	if wrong == nil {
		say(env, "it follows from the %s that you had seen", plural(int(before.Size), "1 entry", "%d entries"))
		return nil
	}
	if !f.keep {
		return wrong
	}
	path := refusedName(f.seen, r.witnessed.Size, r.note)
	say(env, "%s stays as it is: this checkpoint does not follow from it; it is kept as evidence in %s", f.seen, path)
	if exists(path) {
		return wrong
	}
	return errors.Join(wrong, realDisk().writeOutput(filepath.Dir(path), []outputFile{{filepath.Base(path), r.note, 0o644}}, nil))
}
