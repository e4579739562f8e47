package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/keys"
)

type collectReleaseFlags struct {
	dir, charter, aggregate, roster string
	framework, cohort, out          string
	declined                        []string
}

func newCollectReleaseCmd(env Env) *cobra.Command {
	var f collectReleaseFlags
	cmd := &cobra.Command{
		Use:   "release --dir DIR --charter FILE --aggregate FILE --out FILE",
		Short: "Make the release: what may be shown of the totals",
		Long: `Take collected totals through disclosure control and sign what comes out. The hosts
sign it next, with muster host approve.

The totals are an aggregate.json as muster collect run wrote it, with roster.json
and the amendments beside it. Exit code 3 means that too few took part: then there
are only the totals, and they stay with the coordinator.`,
		Example: `  muster collect release --dir coordinator --charter charter.json --aggregate collected/aggregate.json --out release.json`,
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
			return runCollectRelease(env, f)
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
	flags.StringVar(&f.out, "out", "", "the release to write (required)")
	return cmd
}

func runCollectRelease(env Env, f collectReleaseFlags) error {
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
	release, err := collect.NewRelease(collect.ReleaseConfig{
		Charter: charter, Cohort: cohort, Pack: pack, Aggregate: aggregate, Frozen: frozen, Declined: declined,
	}, own.signer)
	if _, ok := errors.AsType[*disclosure.Refusal](err); ok {
		return refused{err}
	}
	if err != nil {
		return err
	}
	file := coalition.SignedFile{Body: release.Body, Signature: release.Signature}
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
	if err := drawPicture(env.Out, release.Release, terminalPicture(env)); err != nil {
		return err
	}
	say(env, "%s is signed by the coordinator: send it and its .sig to both hosts, who sign it with muster host approve", f.out)
	return nil
}
