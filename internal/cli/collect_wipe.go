package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
)

type collectWipeFlags struct {
	entered              entering // as the command was called; zero: nothing is entered
	dir, charter, reason string
	ledger               string
	aggregates           []string
	cancelled, yes       bool
}

func newCollectWipeCmd(env Env) *cobra.Command {
	var f collectWipeFlags
	cmd := &cobra.Command{
		Use:   "wipe --dir DIR --charter FILE [--cancelled --reason TEXT]",
		Short: "End the cycle at the coordinator: the collector key and the totals",
		Long: `End the cycle at the coordinator, from the charter's day of wiping on: destroy the
collector key, the hosts' answers that were kept, and every aggregate.json that
muster collect run wrote, where it wrote it, and sign wipe-attestation.json. Totals
that were moved or copied are named with --aggregate. What stays is the signing
key, the roster and the release.

It is stated, not proven: copies elsewhere are for you to destroy. It may be
interrupted and repeated. With --ledger, or where coordinator.yaml names a ledger,
the attestation is entered in it. With --cancelled it ends a cycle that the coalition has
cancelled, at any time.`,
		Example: `  muster collect wipe --dir coordinator --charter charter.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.charter == "" {
				return usageError(cmd, "muster collect wipe needs --charter FILE")
			}
			if f.cancelled != (strings.TrimSpace(f.reason) != "") {
				return usageError(cmd, "--cancelled and --reason TEXT belong together")
			}
			var err error
			if f.entered, err = openEntering(f.dir, f.charter, f.ledger); err != nil {
				return err
			}
			return runCollectWipe(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter, its .sig beside it (required)")
	flags.StringArrayVar(&f.aggregates, "aggregate", nil, "totals to destroy that lie elsewhere than muster collect run wrote them; once for each")
	flags.BoolVar(&f.cancelled, "cancelled", false, "the coalition has cancelled the cycle")
	flags.StringVar(&f.reason, "reason", "", "why it was cancelled")
	madeFlag(cmd, &f.ledger)
	flags.BoolVar(&f.yes, "yes", false, "wipe without asking: the page has been read")
	return cmd
}

func runCollectWipe(ctx context.Context, env Env, f collectWipeFlags) error {
	_, charter, err := openCharter(f.charter)
	if err != nil {
		return err
	}
	folder := keyFolder(f.dir)
	signer, err := folder.Signer()
	if err != nil {
		return err
	}
	if signer.Public() != charter.Coordinator.Key {
		return errs.New(errs.Conflict, fmt.Sprintf("the signing key in %s is not the one that the charter names for the coordinator", strconv.Quote(f.dir)), "give the folder with whose card the charter was made with --dir")
	}
	w := &coordinatorWipe{o: &coordinatorFolder{dir: f.dir}, charter: charter}
	for _, cohort := range charter.Cohorts {
		task, err := charter.OpenTask(cohort.ID)
		if err != nil {
			return err
		}
		w.tasks = append(w.tasks, task.ID)
	}
	if !f.cancelled {
		if err := w.requireOver(env); err != nil {
			return err
		}
	}
	if err := w.findTotals(env, f.aggregates); err != nil {
		return err
	}
	if err := w.writePage(env, f); err != nil {
		return err
	}
	if ok, err := agreed(env, f.yes, fmt.Sprintf("Does the coordinator wipe the cycle %s?", charter.Cycle), "wiped"); err != nil || !ok {
		return err
	}
	if err := w.destroy(env); err != nil {
		return err
	}
	ending := coalition.EndingOver
	if f.cancelled {
		ending = coalition.EndingCancelled
	}
	if err := w.attest(env, signer, ending); err != nil {
		return err
	}
	return f.entered.enter(ctx, env, "", filepath.Join(f.dir, attestationFile))
}

// coordinatorWipe is the end of a cycle at the coordinator.
type coordinatorWipe struct {
	o       *coordinatorFolder
	charter coalition.Charter
	tasks   []dap.TaskID
	totals  []string // the files of totals that are there
}

// requireOver refuses before the day, and before the collection: what is wiped
// then can never be collected.
func (w *coordinatorWipe) requireOver(env Env) error {
	if day := time.Unix(w.charter.Wipe, 0); env.Now().Before(day) {
		return errs.New(errs.Conflict, "the charter wipes at "+dayText(day), "a cycle that was cancelled is wiped at any time")
	}
	if _, err := keyFolder(w.o.dir).HPKE(); errs.KindOf(err) == errs.NotFound {
		return nil // an earlier wipe was interrupted
	}
	for i, task := range w.tasks {
		if !exists(w.o.collection(task, ".answer.json")) {
			return errs.New(errs.Conflict, fmt.Sprintf("the totals of %s were not collected", w.charter.Cohorts[i].ID), "what is wiped now can never be collected; cancel the cycle if that is meant")
		}
	}
	return nil
}

// findTotals finds the files of totals: those that were written, where they were
// written, and those that are named.
func (w *coordinatorWipe) findTotals(env Env, named []string) error {
	for _, path := range named {
		switch ours, err := w.isTotals(path); {
		case err != nil:
			return err
		case !ours:
			return errs.New(errs.Invalid, fmt.Sprintf("%s holds no totals of this cycle", strconv.Quote(path)), "give an aggregate.json that was collected under this charter")
		}
		w.totals = append(w.totals, path)
	}
	for _, task := range w.tasks {
		written, err := w.o.written(task)
		if err != nil {
			return err
		}
		for _, path := range written {
			switch ours, err := w.isTotals(path); {
			case errs.KindOf(err) == errs.NotFound:
				warn(env, "there are no totals at %s any more: if they were moved, name them with --aggregate", strconv.Quote(path))
			case err != nil:
				return err
			case !ours:
				warn(env, "%s holds something else now and stays", strconv.Quote(path))
			case !slices.Contains(w.totals, path):
				w.totals = append(w.totals, path)
			}
		}
	}
	return nil
}

// isTotals reports whether a file holds totals of one of the charter's tasks. It
// need not be whole: what was damaged can still point at somebody.
func (w *coordinatorWipe) isTotals(path string) (bool, error) {
	body, err := readInput(path, "aggregate")
	if err != nil {
		return false, err
	}
	var head struct {
		Marking string `json:"marking"`
		Task    string `json:"task_id"`
	}
	return json.Unmarshal(body, &head) == nil && strings.HasSuffix(head.Marking, collect.Marking) && slices.ContainsFunc(w.tasks, func(id dap.TaskID) bool { return id.String() == head.Task }), nil
}

func (w *coordinatorWipe) writePage(env Env, f collectWipeFlags) error {
	why := "its day has come"
	if f.cancelled {
		why = "it was cancelled: " + oneLine(f.reason)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "The cycle %s of %s ends at the coordinator: %s.\n\n  destroyed  the collector key, and the hosts' answers that were kept\n", w.charter.Cycle, w.charter.Coalition, why)
	for _, path := range w.totals {
		fmt.Fprintf(&b, "             %s\n", path)
	}
	b.WriteString("  stays      the signing key, the roster and the release\n\nThe totals can never be opened again, by nobody's mistake and by nobody's order.\nCopies that lie elsewhere are yours to destroy.\n")
	_, err := env.Out.Write([]byte(b.String()))
	return err
}

// destroy begins with the key: without it the answers say nothing, whatever
// happens next.
func (w *coordinatorWipe) destroy(env Env) error {
	destroyed, err := keyFolder(w.o.dir).DestroyCycle()
	if err != nil {
		return err
	}
	for _, name := range destroyed {
		say(env, "destroyed %s in %s", name, keyFolder(w.o.dir).Dir)
	}
	paths := slices.Clone(w.totals)
	for _, task := range w.tasks {
		paths = append(paths, w.o.collection(task, ".answer.json"))
	}
	for _, path := range paths {
		switch was, err := config.Destroy(path); {
		case err != nil:
			return err
		case was:
			say(env, "destroyed %s", path)
		}
	}
	return nil
}

// destroyedByCoordinator is what the coordinator's attestation says.
var destroyedByCoordinator = [...]string{"collector key", "answers of the hosts", "totals before disclosure control"}

func (w *coordinatorWipe) attest(env Env, signer *keys.Signer, ending string) error {
	path := filepath.Join(w.o.dir, attestationFile)
	if !exists(path) {
		a, err := coalition.NewWipeAttestation(w.charter, "coordinator", ending, "", destroyedByCoordinator[:], env.Now())
		if err != nil {
			return err
		}
		file, err := a.Sign(signer)
		if err != nil {
			return err
		}
		if err := keepSigned(path, file, errs.New(errs.Conflict, strconv.Quote(path)+" is there already", "")); err != nil {
			return err
		}
	}
	file, err := readSigned(path, "wipe attestation")
	if err != nil {
		return err
	}
	a, err := coalition.OpenWipeAttestation(file, w.charter)
	if err != nil {
		return err
	}
	if err := writeAttestation(env, a, file); err != nil {
		return err
	}
	say(env, "%s and its .sig go to both hosts", path)
	return nil
}

// written returns where totals of a task were written.
func (o *coordinatorFolder) written(task dap.TaskID) ([]string, error) {
	path := o.collection(task, ".written")
	body, err := readInput(path, "list of written totals")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []string
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s is not as muster wrote it", strconv.Quote(path)), "name the totals with --aggregate, and move this file away")
	}
	return list, nil
}

// remember keeps where totals are about to be written, so that the wipe finds
// them.
func (o *coordinatorFolder) remember(task dap.TaskID, path string) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	list, err := o.written(task)
	if err != nil || slices.Contains(list, absolute) {
		return err
	}
	body, err := json.Marshal(append(list, absolute))
	if err != nil {
		return err
	}
	at := o.collection(task, ".written")
	return realDisk().writeOutput(filepath.Dir(at), []outputFile{{filepath.Base(at), body, 0o600}}, nil)
}
