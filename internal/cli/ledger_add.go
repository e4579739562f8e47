package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/release"
	"muster/internal/witness"
)

type ledgerAddFlags struct {
	ledger, dir, charter string
	cycle                string // before there is a charter
	phase, reason        string
	editions             []string
	release              string
	wait                 time.Duration
	through              coalition.Phase // the steps up to it are entered, for commands that know it
}

func newLedgerAddCmd(env Env) *cobra.Command {
	var f ledgerAddFlags
	cmd := &cobra.Command{
		Use:   "add [FILE...] --ledger DIR --dir DIR --charter FILE",
		Short: "Enter what was signed in a cycle, and publish it",
		Long: `Enter what was signed in a cycle, and publish a checkpoint once enough witnesses have
cosigned it. The charter is entered always. The files are recognised by what they
are: the steps of a silence procedure, addenda, a roster with the amendments beside
it, a release, attestations of wiping, and records of hosts (.jsonl), of which the lines about their shares and
disagreements are taken in. Every signature is checked first; what does not verify
is refused, and then nothing is entered. What is there already changes nothing, so
that a command may be repeated. Before the charter is signed, --cycle in its place
enters the steps of its silence procedure, so that witnesses see them while they are
taken, and --phase.

What everybody can read of it names no member and no time of a submission. The
signed files are kept in the folder of the ledger for bundles.

Exit code 3 means that it is entered, and that too few witnesses have seen it.`,
		Example: `  muster ledger add collected/roster.json ostmere.jsonl --ledger ledger --dir coordinator --charter charter.json
  muster ledger add coordinator/silence/ID/send/step-*.json --cycle 2026 --ledger ledger --dir coordinator
  muster ledger add --phase open --ledger ledger --dir coordinator --charter charter.json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if (f.charter == "") == (f.cycle == "") {
				return usageError(cmd, "muster ledger add needs --charter FILE, or --cycle NAME before it is signed")
			}
			if f.cycle != "" && f.release != "" {
				return usageError(cmd, "editions are entered under the charter of their cycle, --charter FILE")
			}
			if f.reason != "" && f.phase == "" {
				return usageError(cmd, "--reason belongs to --phase")
			}
			if (len(f.editions) > 0) != (f.release != "") {
				return usageError(cmd, "--edition AUDIENCE=FILE and --release FILE, from which it was drawn, belong together")
			}
			return runLedgerAdd(cmd.Context(), env, args, f)
		},
	}
	ledgerFlag(cmd, &f.ledger)
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter, its .sig beside it")
	flags.StringVar(&f.cycle, "cycle", "", "the cycle, before its charter is signed: for steps of silence procedures")
	flags.StringVar(&f.phase, "phase", "", "the phase that the cycle goes to")
	flags.StringVar(&f.reason, "reason", "", "why, where the step needs a reason")
	flags.StringArrayVar(&f.editions, "edition", nil, "what an audience gets, AUDIENCE=FILE: allied, partner or public")
	flags.StringVar(&f.release, "release", "", "the release that the editions were drawn from")
	flags.DurationVar(&f.wait, "wait", ledgerWait, "how long a witness is waited for")
	return cmd
}

func runLedgerAdd(ctx context.Context, env Env, files []string, f ledgerAddFlags) (err error) {
	folder, err := openLedger(f.ledger)
	if err != nil {
		return err
	}
	signer, err := keyFolder(f.dir).Signer() // it outlives the wipe
	if err != nil {
		return err
	}
	a, err := f.addition(env, folder, signer)
	if err != nil {
		return err
	}
	for _, path := range files {
		if err := a.file(path); err != nil {
			return inFile(path, err)
		}
	}
	if err := a.adoptions(); err != nil {
		return err
	}
	if err := a.drawn(f); err != nil {
		return err
	}
	log, err := folder.write(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close(context.WithoutCancel(ctx))) }()
	if _, a.have, err = folder.folder().Check(ctx, folder.policy, env.Now()); err != nil { // nobody else writes while log is open
		return err
	}
	if f.phase != "" {
		if err := a.phase(env, f); err != nil {
			return err
		}
	}
	if through := cmp.Or(f.through, a.implied()); through != "" && f.phase == "" {
		if err := a.advance(env, through); err != nil {
			return err
		}
	}
	if err := a.inOrder(env); err != nil {
		return err
	}
	return folder.enter(ctx, env, log, signer, a, f.wait)
}

// addition begins with the charter, or with the cycle whose charter is not signed yet.
func (f ledgerAddFlags) addition(env Env, folder *ledgerFolder, signer *keys.Signer) (*addition, error) {
	if f.cycle != "" {
		own, err := openCoordinator(f.dir)
		if err != nil {
			return nil, err
		}
		if fault := coalition.NameFault(f.cycle); fault != "" {
			return nil, errs.New(errs.Invalid, "--cycle cannot be "+errs.Quote(f.cycle)+": it "+fault, "")
		}
		return &addition{cycle: ledger.BeforeCharter(own.card, f.cycle)}, nil
	}
	signed, charter, err := openCharter(f.charter)
	if err != nil {
		return nil, err
	}
	if signer.Public() != charter.Coordinator.Key {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the signing key in %s is not the one that the charter names for the coordinator", strconv.Quote(f.dir)), "give the folder with whose card the charter was made with --dir")
	}
	if named := charter.Witnesses.Log; named != "" && named != folder.policy.Log {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the charter is entered in the ledger %s, not in %s", named.Name(), folder.policy.Log.Name()), "give the folder of that ledger with --ledger")
	}
	folder.warnWitnesses(env, charter)
	cycle, err := ledger.NewCycle(signed)
	if err != nil {
		return nil, err
	}
	a := &addition{cycle: cycle}
	return a, a.charter(env)
}

// warnWitnesses says so where the ledger asks for less than a charter wants.
func (f *ledgerFolder) warnWitnesses(env Env, c coalition.Charter) {
	for _, key := range c.Witnesses.Keys {
		wanted, err := key.Cosigner()
		if err == nil && !slices.ContainsFunc(f.policy.Witnesses, wanted.Same) {
			warn(env, "the charter names the witness %s, and %s does not", key.Name(), filepath.Join(f.dir, config.LedgerFile))
		}
	}
	if f.policy.Threshold < c.Witnesses.Threshold {
		warn(env, "the charter wants %d witnesses to have cosigned, and %s is content with %d", c.Witnesses.Threshold, filepath.Join(f.dir, config.LedgerFile), f.policy.Threshold)
	}
}

// enter signs, enters and publishes.
func (f *ledgerFolder) enter(ctx context.Context, env Env, log ledgerWriter, signer *keys.Signer, a *addition, wait time.Duration) error {
	signed := make([]ledger.Statement, len(a.statements))
	for i, s := range a.statements {
		var err error
		if signed[i], err = s.Sign(signer); err != nil {
			return err
		}
	}
	for _, body := range a.bodies { // kept before the entry names them
		if err := f.keepFile(body); err != nil {
			return err
		}
	}
	if err := log.Add(ctx, signed...); err != nil {
		return err
	}
	say(env, "entered: %s", plural(len(signed), "1 entry, if it was not there", "%d entries, those that were not there"))
	note, missed, err := log.Publish(ctx, f.asker(log.Source(), wait))
	f.warnMissed(env, missed)
	if errs.KindOf(err) == errs.Unavailable {
		return refused{err}
	}
	if err != nil {
		return err
	}
	return f.sayPublished(env, note)
}

// asker asks a witness over the network.
func (f *ledgerFolder) asker(source ledger.Source, wait time.Duration) func(context.Context, int, []byte) ([]byte, error) {
	return func(ctx context.Context, i int, note []byte) ([]byte, error) {
		at := f.cfg.Witnesses[i]
		if at.URL == "" {
			return nil, errs.Wrap(errNoFiles, errs.Unavailable, "it is reached by files: muster ledger request", "")
		}
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		client := &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		if at.Certificate != "" {
			pin, err := daphttp.ParsePin(at.Certificate)
			if err != nil {
				return nil, err
			}
			client.Transport = &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: daphttp.ClientTLS(nil, pin)}
		}
		c, err := ledger.ReadCheckpoint(note)
		if err != nil {
			return nil, err
		}
		return witness.Client{Key: at.Key, URL: at.URL, HTTP: client}.Ask(ctx, note, ledger.TileNodes(ctx, source, c.Size))
	}
}

// addition is what one call enters.
type addition struct {
	cycle      *ledger.Cycle
	statements []ledger.Statement
	bodies     [][]byte // of the files that they name
	addenda    []coalition.SignedAddendum
	steps      []coalition.SignedFile // of the silence procedure
	releases   []coalition.SignedFile
	have       []ledger.Statement // what the ledger has already
}

func (a *addition) put(list []ledger.Statement, err error, bodies ...[]byte) error {
	if err != nil {
		return err
	}
	a.statements, a.bodies = append(a.statements, list...), append(a.bodies, bodies...)
	return nil
}

func (a *addition) putOne(s ledger.Statement, err error, bodies ...[]byte) error {
	return a.put([]ledger.Statement{s}, err, bodies...)
}

// charter enters the charter, with its pack where this muster brings it.
func (a *addition) charter(env Env) error {
	list, err := a.cycle.CharterStatements()
	if err := a.put(list, err, a.cycle.Signed.Body); err != nil {
		return err
	}
	if pack, _, err := charterPack(env, a.cycle.Charter, ""); err == nil {
		a.bodies = append(a.bodies, pack.Canonical())
	}
	return nil
}

// file enters one file, by what it is.
func (a *addition) file(path string) error {
	body, err := readInput(path, "file")
	if err != nil {
		return err
	}
	if strings.HasSuffix(path, ".jsonl") && a.cycle.Signed.Body != nil {
		return a.record(body)
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return errs.Wrap(err, errs.Invalid, "this is no signed file", "give steps of the silence procedure, addenda, roster.json, release.json, wipe-attestation.json, or the record of a host (.jsonl)")
	}
	if head.Kind == "muster roster v1" && a.cycle.Signed.Body != nil {
		return a.roster(path, body)
	}
	file, err := readSigned(path, "file")
	if err != nil {
		return err
	}
	if a.cycle.Signed.Body == nil && head.Kind != "muster silence step v1" {
		return errs.New(errs.Invalid, "before the charter is signed, steps of its silence procedure are entered alone", "give this with --charter, once all three have signed it")
	}
	switch head.Kind {
	case "muster charter v1":
		if !bytes.Equal(body, a.cycle.Signed.Body) {
			return errs.New(errs.Conflict, "this is another charter than --charter names", "enter each charter by a call of its own")
		}
		return nil
	case "muster addendum v1":
		a.addenda = append(a.addenda, coalition.SignedAddendum(file))
		list, err := a.cycle.Addenda(a.addenda)
		if err != nil {
			return err
		}
		return a.put(list[len(list)-1:], nil, body)
	case release.Kind, release.KindV1:
		if _, err := release.Parse(body); err != nil {
			return err
		}
		a.releases = append(a.releases, file)
		list, err := a.cycle.Release(file)
		return a.put(list, err, body)
	case "muster wipe attestation v1":
		s, err := a.cycle.Wipe(file)
		return a.put([]ledger.Statement{s}, err, body)
	case "muster silence step v1":
		return a.step(file)
	case "muster amendment v1":
		return errs.New(errs.Invalid, "an amendment is entered with its roster", "give the roster.json beside it")
	}
	return errs.New(errs.Invalid, "a file of kind "+errs.Quote(head.Kind)+" is not entered in the ledger", "give steps of the silence procedure, addenda, roster.json, release.json, wipe-attestation.json, or the record of a host (.jsonl)")
}

// roster enters a roster with the amendments beside it.
func (a *addition) roster(path string, body []byte) error {
	var head struct {
		Task string `json:"task_id"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return err
	}
	for _, cohort := range a.cycle.Charter.Cohorts {
		if cohort.Task.ID != head.Task {
			continue
		}
		frozen, err := readFrozen(path)
		if err != nil {
			return err
		}
		bodies := [][]byte{body}
		for _, amendment := range frozen.Amendments {
			bodies = append(bodies, amendment.Body)
		}
		list, err := a.cycle.Frozen(cohort.ID, frozen)
		return a.put(list, err, bodies...)
	}
	return errs.New(errs.Invalid, "the roster belongs to no cohort of the charter", "give the charter of its cycle")
}

// record enters what the ledger takes in of a host's record.
func (a *addition) record(body []byte) error {
	taken := 0
	for line := range bytes.Lines(body) {
		s, ok, err := a.cycle.RecordLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return err
		}
		if ok {
			a.statements = append(a.statements, s)
			taken++
		}
	}
	if taken == 0 {
		return errs.New(errs.Invalid, "the record has no line that the ledger takes in", "give it once the host has handed over its share: muster host record")
	}
	return nil
}

// drawn enters the editions.
func (a *addition) drawn(f ledgerAddFlags) error {
	if f.release == "" {
		return nil
	}
	from, err := readInput(f.release, "release")
	if err != nil {
		return err
	}
	for _, edition := range f.editions {
		audience, path, ok := strings.Cut(edition, "=")
		if !ok {
			return errs.New(errs.Invalid, "--edition cannot be "+errs.Quote(edition)+"; allowed: AUDIENCE=FILE", "")
		}
		body, err := readInput(path, "edition")
		if err != nil {
			return err
		}
		s, err := a.cycle.Edition(audience, from, body)
		if err := a.put([]ledger.Statement{s}, err, body); err != nil {
			return err
		}
	}
	return nil
}

// lastPhase returns the number of the last step of the cycle that the ledger has, and
// the phase that it led to.
func (a *addition) lastPhase() (number int, at coalition.Phase) {
	at = coalition.Draft
	for _, s := range a.have {
		if s.Kind == ledger.KindPhase && s.Cycle == a.cycle.Charter.Cycle && s.Number("number") > number {
			number, at = s.Number("number"), coalition.Phase(s.Fields["to"])
		}
	}
	return number, at
}

// phase enters the step to a phase from the one that the ledger has.
func (a *addition) phase(env Env, flags ledgerAddFlags) error {
	last, from := a.lastPhase()
	if from == coalition.Phase(flags.phase) {
		say(env, "the cycle is in the phase %s already", from)
		return nil
	}
	return a.putOne(a.cycle.Phase(last+1, from, coalition.Phase(flags.phase), flags.reason))
}
