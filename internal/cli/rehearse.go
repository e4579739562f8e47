package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/demo"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/rehearse"
)

// rehearseFlags are the flags of muster rehearse.
type rehearseFlags struct {
	framework string
	answers   string
	previous  string
	out       string
	hosts     []string
	members   int
	cycle     string
	history   string
	opened    string
	json      bool
	inProcess bool
}

func newRehearseCmd(env Env) *cobra.Command {
	var f rehearseFlags
	cmd := &cobra.Command{
		Use:   "rehearse --answers DIR --out DIR",
		Short: "Run a whole cycle on a folder of members' answers, on this machine",
		Long: `Run a whole cycle on this machine: seal every member's answers, let both hosts
verify and add them up, collect, and make the first release. Each host is a
process of its own with keys, database and certificate that are thrown away,
reached over TLS on an address of this machine alone; this process plays members
and coordinator. With --in-process it plays the hosts, too.

The folder has one file a member, MEMBER.csv, with the columns
  outcome,level,verified,evidence,target
where level is 0 to 4, na or withheld; verified is the same or empty; evidence
is E0 to E3 or empty; target is 0 to 4 or empty. A member without a file is late:
give the size of the cohort with --members. Late members are called as in the
folder of --previous if they all are in it, else "late member 1" and so on.
In that folder an outcome without a row has no previous answer, and rows of
outcomes that the framework no longer has are left aside; both are pointed out.

It writes charter.json, roster.json, aggregate.json (before disclosure control:
it can point at single members) and release.json to the output folder, their
signatures as .sig beside them, the records of coordinator (ledger.jsonl) and
hosts (leader-record.jsonl, helper-record.jsonl), and bundle.tar, the coalition's
ledger with everything to check the cycle, ledger-policy.json saying by whose keys.
It prints the coalition's picture. Bad input is listed with every place; then
nothing is sealed and nothing written. Exit code 3 means that too few members took part.`,
		Example: `  muster rehearse --answers answers --out result
  muster rehearse --answers answers --previous last-year --out result --members 32 --hosts Ostmere,Calverra`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.answers == "" && f.out == "":
				return usageError(cmd, "muster rehearse needs --answers DIR and --out DIR")
			case f.answers == "":
				return usageError(cmd, "muster rehearse needs --answers DIR, the folder with one MEMBER.csv a member")
			case f.out == "":
				return usageError(cmd, "muster rehearse needs --out DIR, the folder for the result")
			}
			if cmd.Flags().Changed("members") && f.members < 1 {
				return usageError(cmd, fmt.Sprintf("--members cannot be %d; allowed: the members of the cohort, late ones included", f.members))
			}
			return runRehearse(cmd.Context(), env, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.framework, "framework", defaultPack, "id or path of the framework pack")
	flags.StringVar(&f.answers, "answers", "", "folder with one MEMBER.csv a member (required)")
	flags.StringVar(&f.previous, "previous", "", "folder with last cycle's answers, for the change")
	flags.StringVar(&f.out, "out", "", "folder for the result (required)")
	flags.StringSliceVar(&f.hosts, "hosts", nil, "the two hosts A,B, a name with a comma in quotes (default: the first two by name of those with answers)")
	flags.IntVar(&f.members, "members", 0, "members of the cohort (default: the number of files)")
	flags.StringVar(&f.cycle, "cycle", "", "the name of the cycle (default: the year)")
	flags.StringVar(&f.history, "history", "", "folder with results of earlier rehearsals, each in a folder of its own: the release is attacked together with theirs")
	flags.StringVar(&f.opened, "opened", "", "members that showed answers to others by choice, a CSV file with the header member: their answers count as known")
	flags.BoolVar(&f.json, "json", false, "print the release alone, as JSON")
	inProcessFlag(cmd, &f.inProcess)
	return cmd
}

func runRehearse(ctx context.Context, env Env, f rehearseFlags) error {
	hosts, err := parseHosts(f.hosts)
	if err != nil {
		return err
	}
	pack, err := openPack(env, f.framework)
	if err != nil {
		return err
	}
	now, before, err := readBoth(env, f, pack)
	if err != nil {
		return err
	}
	members, err := cohort(now, before, f.members, hosts)
	if err != nil {
		return err
	}
	chosen, err := chooseHosts(members, hosts)
	if err != nil {
		return err
	}
	if err := checkOutput("--out", f.out, f.answers, f.previous); err != nil {
		return err
	}
	// Its notice would be untrue of this result, and must not be lost either.
	if _, err := os.Lstat(filepath.Join(f.out, syntheticFile)); err == nil {
		return errs.New(errs.Invalid, fmt.Sprintf("the folder %s holds a demonstration", errs.Quote(f.out)), "give another folder to --out")
	}
	warnOfAnswers(env, pack, now)
	sayWhoIsMissing(env, members, before)
	cfg := rehearse.Config{
		Coalition: "rehearsal", Cycle: cmp.Or(f.cycle, strconv.Itoa(env.Now().Year())), Marking: coalition.MarkingRehearsal,
		Pack: pack, Members: members, Hosts: chosen,
	}
	if err := readBefore(&cfg, f); err != nil {
		return err
	}
	result, err := rehearseInto(ctx, env, cfg, staging{inProcess: f.inProcess}, f.out)
	if err != nil {
		return err
	}
	return showResult(env, result, f.json)
}

// readBefore reads what was released before, and who showed answers to others.
func readBefore(cfg *rehearse.Config, f rehearseFlags) (err error) {
	if f.history != "" {
		if cfg.History, err = readHistory(f.history); err != nil {
			return err
		}
	}
	if f.opened != "" {
		var members []coalition.MemberID
		for _, m := range cfg.Members {
			members = append(members, m.ID)
		}
		cfg.Opened, err = readOpened(f.opened, members)
	}
	return err
}

// readBoth reads this cycle's answers and, if asked to, those of the last, and
// returns the faults of both: who mends one folder wants to mend the other too.
func readBoth(env Env, f rehearseFlags, pack *framework.Pack) (now, before []*assess.Assessment, err error) {
	now, err = readAnswers(env, f.answers, pack)
	if f.previous == "" {
		return now, nil, err
	}
	faults, ok := errors.AsType[errs.Faults](err)
	if err != nil && !ok {
		return nil, nil, err
	}
	before, err = readPrevious(env, f.previous, pack)
	more, ok := errors.AsType[errs.Faults](err)
	if err != nil && !ok {
		return nil, nil, err
	}
	return now, before, slices.Concat(faults, more).Err()
}

// warnOfAnswers prints what deserves a second look, kind by kind, with a line for
// each member.
func warnOfAnswers(env Env, pack *framework.Pack, now []*assess.Assessment) {
	var kinds []string
	lines := make(map[string][]string) // by kind
	for _, a := range now {
		var messages []string
		outcomes := make(map[string][]string)
		for _, w := range assess.Warnings(pack, a) {
			if outcomes[w.Message] == nil {
				messages = append(messages, w.Message)
			}
			outcomes[w.Message] = append(outcomes[w.Message], w.Outcome)
		}
		for _, message := range messages {
			if lines[message] == nil {
				kinds = append(kinds, message)
			}
			lines[message] = append(lines[message], fmt.Sprintf("%s: %s: %s", a.Member, someOf(outcomes[message]), message))
		}
	}
	for _, kind := range kinds {
		warnEach(env, lines[kind], "member: "+kind, "members: "+kind)
	}
}

// rehearseInto runs a rehearsal and writes the result to out, unless that is empty.
func rehearseInto(ctx context.Context, env Env, cfg rehearse.Config, hosts staging, out string) (*rehearse.Result, error) {
	result, err := rehearseInScratch(ctx, env, cfg, hosts)
	if err != nil || out == "" {
		return result, err
	}
	if err := realDisk().writeResult(out, cfg.Marking, result); err != nil {
		return nil, placeError(err, out, "make room there, or give another folder")
	}
	say(env, "the result is in %s", errs.Quote(out))
	return result, nil
}

// showResult prints the picture or the release, or returns why there is none.
// Nothing may be left to clear away when it is called: a reader that closes the
// pipe ends the program.
func showResult(env Env, result *rehearse.Result, asJSON bool) error {
	if result.Refused != nil {
		return refused{result.Refused}
	}
	if !asJSON {
		return drawPicture(env.Out, result.Release.Release, terminalPicture(env))
	}
	body := result.Release.Body // the signed bytes and nothing else
	if _, terminal := env.Terminal(env.Out); terminal {
		body = append(slices.Clone(body), '\n')
	}
	_, err := env.Out.Write(body)
	return err
}

// noScratch is the error of a machine without a place for temporary files.
func noScratch(err error) error {
	return errs.Wrap(err, errs.Unavailable, because("no scratch folder can be created", err), scratchHint)
}

const scratchHint = "name a folder that can be written in TMPDIR (on Windows in TMP), with room for the databases"

// rehearseInScratch runs a rehearsal in a folder that is gone afterwards.
func rehearseInScratch(ctx context.Context, env Env, cfg rehearse.Config, hosts staging) (_ *rehearse.Result, err error) {
	scratch, err := os.MkdirTemp("", "muster-rehearsal-*")
	if err != nil {
		return nil, noScratch(err)
	}
	defer func() {
		if removeErr := os.RemoveAll(scratch); err == nil && removeErr != nil {
			err = fmt.Errorf("remove the scratch folder: %w", removeErr)
		}
	}()
	show, done := progressLine(env)
	defer done()
	cfg.Dir, cfg.Rand, cfg.Now, cfg.Progress = scratch, env.Rand, env.Now, show
	result, err := hosts.run(ctx, env, cfg)
	return result, placeError(err, filepath.Dir(scratch), scratchHint)
}

// writeResult writes what there is, the release last: where it is, all is. What an
// earlier run published or counted goes first.
func (d disk) writeResult(dir, marking string, r *rehearse.Result) error {
	bundle, err := ledger.EncodeArchive(r.Bundle)
	if err != nil {
		return err
	}
	policy, err := keys.Canonical(r.Policy)
	if err != nil {
		return err
	}
	files := []outputFile{
		{bundleFile, bundle, 0o600}, // it names members, and when they submitted
		{policyFile, policy, 0o644},
		{"charter.json", r.Charter.Body, 0o644},
		{"charter.json.sig", r.Charter.Signature, 0o644},
		{"roster.json", r.Roster.Body, 0o644},
		{"roster.json.sig", r.Roster.Signature, 0o644},
		{"ledger.jsonl", r.Ledger, 0o644},
	}
	stale := []string{"release.json", "release.json.sig", "aggregate.json", recordFile("leader"), recordFile("helper")}
	for _, record := range r.Records {
		files = append(files, outputFile{recordFile(record.Keeper), record.Body, 0o644})
	}
	if marking == demo.Synthetic {
		files = append(files, outputFile{syntheticFile, []byte(syntheticNotice), 0o644})
	}
	if r.Aggregate != nil {
		body, err := keys.Canonical(r.Aggregate)
		if err != nil {
			return err
		}
		files = append(files, outputFile{"aggregate.json", body, 0o600})
	}
	if r.Release != nil {
		files = append(files, outputFile{"release.json.sig", r.Release.Signature, 0o644}, outputFile{"release.json", r.Release.Body, 0o644})
	}
	return d.writeOutput(dir, files, stale)
}

// The bundle of a rehearsal, and whom its reader trusts.
const (
	bundleFile = "bundle.tar"
	policyFile = "ledger-policy.json"
)

// recordFile is where the record of a host is written.
func recordFile(keeper string) string { return keeper + "-record.jsonl" }

// readAnswers reads a folder of answers and warns of what it left aside, also if
// there are faults: a mistyped extension may be why a folder has no answers.
func readAnswers(env Env, dir string, pack *framework.Pack) ([]*assess.Assessment, error) {
	root, err := openAnswers(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() // nothing was written
	assessments, ignored, err := exchange.ReadFolder(root.FS(), dir, pack)
	warnOfIgnored(env, dir, ignored)
	return assessments, err
}

// readPrevious reads a folder of last cycle's answers, and warns as readAnswers
// does and of what cannot be compared because the outcomes are others.
func readPrevious(env Env, dir string, pack *framework.Pack) ([]*assess.Assessment, error) {
	root, err := openAnswers(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() // nothing was written
	previous, err := exchange.ReadPreviousFolder(root.FS(), dir, pack)
	warnOfIgnored(env, dir, previous.Ignored)
	var missing, gone []string
	for _, d := range previous.Differences {
		if n := len(d.Missing); n > 0 {
			missing = append(missing, d.Member+": "+plural(n, "1 outcome has no previous answer", "%d outcomes have no previous answer"))
		}
		if len(d.Gone) > 0 {
			gone = append(gone, fmt.Sprintf("%s: previous answers left aside, for the framework has no %s", d.Member, someOf(d.Gone)))
		}
	}
	warnEach(env, missing, "member with outcomes that have no previous answer", "members with outcomes that have no previous answer")
	warnEach(env, gone, "member with previous answers left aside", "members with previous answers left aside")
	return previous.Assessments, err
}

func openAnswers(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the folder %s cannot be opened", errs.Quote(dir)), err), "give a folder with one MEMBER.csv a member")
	}
	return root, nil
}

func warnOfIgnored(env Env, dir string, ignored []string) {
	var lines []string
	for _, name := range ignored {
		lines = append(lines, errs.Quote(filepath.Join(dir, name))+" is left aside: answers are in files named MEMBER.csv")
	}
	warnEach(env, lines, "entry left aside", "entries left aside")
}
