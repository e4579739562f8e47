package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/release"
)

type collectReleaseFlags struct {
	entered                         entering // as the command was called; zero: nothing is entered
	dir, charter, aggregate, roster string
	framework, cohort, out, ledger  string
	history, opened                 string
	declined, addenda, others       []string
	first                           bool
}

func newCollectReleaseCmd(env Env) *cobra.Command {
	var f collectReleaseFlags
	cmd := &cobra.Command{
		Use:   "release --dir DIR --charter FILE --aggregate FILE --out FILE",
		Short: "Make the release: what may be shown of the totals",
		Long: `Take collected totals through disclosure control and sign what comes out. The hosts
sign it next, with muster host approve.

The totals are an aggregate.json as muster collect run wrote it, with roster.json
and the amendments beside it. What would be published is attacked together with
everything that was released before: --history names the folder that holds it, each
release.json in a folder of its own with its charter.json and roster.json. --first
says that nothing was.

With --ledger, or where coordinator.yaml names a ledger, the release is entered in
it at once; the same command again, once the hosts have signed, enters their
approvals.

Exit code 3 means that too few took part, or that somebody's answers could have been
worked out: then there are only the totals, and they stay with the coordinator.`,
		Example: `  muster collect release --dir coordinator --charter charter.json --aggregate collected/aggregate.json --history releases --out release.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var missing []string
			for _, needed := range []struct{ flag, value string }{{"--charter", f.charter}, {"--aggregate", f.aggregate}, {"--out", f.out}} {
				if needed.value == "" {
					missing = append(missing, needed.flag)
				}
			}
			if missing != nil {
				return usageError(cmd, "muster collect release needs "+strings.Join(missing, ", "))
			}
			if (f.history == "") != f.first {
				return usageError(cmd, "muster collect release needs either --history, the folder with all earlier releases, or --first, where there is none")
			}
			var err error
			if f.entered, err = openEntering(f.dir, f.charter, f.ledger); err != nil {
				return err
			}
			return runCollectRelease(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter, its .sig beside it (required)")
	flags.StringVar(&f.aggregate, "aggregate", "", "the collected totals (required)")
	flags.StringVar(&f.roster, "roster", "", "the roster, its amendments beside it (default: roster.json beside the totals)")
	flags.StringVar(&f.framework, "framework", "", "path of the framework pack, where this muster does not bring the charter's")
	flags.StringVar(&f.cohort, "cohort", "", "the cohort, where the charter has several")
	flags.StringSliceVar(&f.declined, "declined", nil, "members that said they take no part this year; a name with a comma in quotes")
	flags.StringVar(&f.history, "history", "", "the folder with everything that was released before")
	flags.BoolVar(&f.first, "first", false, "nothing was released before, of any cohort")
	flags.StringVar(&f.opened, "opened", "", "members that showed answers to others by choice, a CSV file with the header member: their answers count as known")
	flags.StringSliceVar(&f.addenda, "addendum", nil, "the addenda that postponed the deadline, in order")
	flags.StringSliceVar(&f.others, "roster-of", nil, "the roster of another cohort of the charter, COHORT=FILE")
	flags.StringVar(&f.out, "out", "", "the release to write (required)")
	madeFlag(cmd, &f.ledger)
	return cmd
}

func runCollectRelease(ctx context.Context, env Env, f collectReleaseFlags) error {
	own, err := openCoordinator(f.dir)
	if err != nil {
		return err
	}
	_, charter, err := openCharter(f.charter)
	if err != nil {
		return err
	}
	if err := own.match(charter); err != nil {
		return err
	}
	cohort, err := chooseCohort(charter, f.cohort)
	if err != nil {
		return err
	}
	pack, layout, err := charterPack(env, charter, f.framework)
	if err != nil {
		return err
	}
	body, err := readInput(f.aggregate, "aggregate")
	if err != nil {
		return err
	}
	aggregate, err := collect.ParseAggregate(layout, body)
	if err != nil {
		return inFile(f.aggregate, err)
	}
	roster := f.roster
	if roster == "" {
		roster = filepath.Join(filepath.Dir(f.aggregate), rosterFile)
	}
	frozen, err := readFrozen(roster)
	if err != nil {
		return err
	}
	var declined []coalition.MemberID
	for _, name := range f.declined {
		id, err := coalition.ParseMemberID(name)
		if err != nil {
			return err
		}
		declined = append(declined, id)
	}
	cfg := collect.ReleaseConfig{
		Charter: charter, Cohort: cohort, Pack: pack, Aggregate: aggregate, Frozen: frozen, Declined: declined,
		Attack: attack.Options{Workers: runtime.GOMAXPROCS(0)},
	}
	if err := f.readContext(&cfg); err != nil {
		return err
	}
	made, err := collect.NewRelease(cfg, own.signer)
	if tooFew(err) {
		return refused{err}
	}
	if err != nil {
		return err
	}
	file := coalition.SignedFile{Body: made.Body, Signature: made.Signature}
	if kept, err := os.ReadFile(f.out); err == nil && string(kept) == string(file.Body) {
		// The hosts may have signed it by now: no signature is lost.
		there, err := readSigned(f.out, "release")
		if err != nil {
			return err
		}
		if file, _, err = charter.JoinFile(keys.KindRelease, there, file.Signature); err != nil {
			return err
		}
	}
	if err := keepSigned(f.out, file, errs.New(errs.Conflict, fmt.Sprintf("there is another release at %s", strconv.Quote(f.out)), "give another --out, or move it away if nobody has signed it")); err != nil {
		return placeError(err, filepath.Dir(f.out), "make room there, or give another --out")
	}
	if err := drawPicture(env.Out, made.Release, terminalPicture(env)); err != nil {
		return err
	}
	phase := approved(charter, file)
	if phase == coalition.Review {
		say(env, "%s is signed by the coordinator: send it and its .sig to both hosts, who sign it with muster host approve", f.out)
	} else {
		say(env, "%s is signed by the coordinator and both hosts", f.out)
	}
	return f.entered.enter(ctx, env, phase, append([]string{roster, f.out}, f.addenda...)...)
}

// tooFew reports whether an error is a refusal to release: too few took part, or
// somebody's answers could have been worked out.
func tooFew(err error) bool {
	_, few := errors.AsType[*disclosure.Refusal](err)
	_, unsafe := errors.AsType[*release.Unsafe](err)
	return few || unsafe
}

// readContext reads what the release is made with besides the totals.
func (f collectReleaseFlags) readContext(cfg *collect.ReleaseConfig) (err error) {
	for _, path := range f.addenda {
		file, err := readSigned(path, "addendum")
		if err != nil {
			return err
		}
		cfg.Addenda = append(cfg.Addenda, coalition.SignedAddendum(file))
	}
	cfg.Others = make(map[string]coalition.FrozenRoster)
	for _, other := range f.others {
		cohort, path, ok := strings.Cut(other, "=")
		if !ok || cohort == cfg.Cohort {
			return errs.New(errs.Invalid, "--roster-of cannot be "+errs.Quote(other)+"; allowed: COHORT=FILE, of another cohort", "")
		}
		if cfg.Others[cohort], err = readFrozen(path); err != nil {
			return err
		}
	}
	if f.history != "" {
		if cfg.History, err = readHistory(f.history); err != nil {
			return err
		}
	}
	if f.opened == "" {
		return nil
	}
	task, err := cfg.Charter.OpenTask(cfg.Cohort)
	if err != nil {
		return err
	}
	var members []coalition.MemberID
	for _, m := range task.Cohort.Members {
		members = append(members, m.ID)
	}
	cfg.Opened, err = readOpened(f.opened, members)
	return err
}
