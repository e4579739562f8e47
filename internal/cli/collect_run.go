package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	"muster/internal/rehearse"
)

const aggregateFile = "aggregate.json"

type collectRunFlags struct {
	entered                                      entering // as the command was called; zero: nothing is entered
	dir, charter, framework, cohort, out, ledger string
	wait                                         time.Duration
}

func newCollectRunCmd(env Env) *cobra.Command {
	var f collectRunFlags
	cmd := &cobra.Command{
		Use:   "run --dir DIR --charter FILE --out DIR",
		Short: "Collect the totals of a cycle, once",
		Long: `Collect the totals of a cycle, once: read the roster with its amendments at both
hosts and compare, ask the Leader, join the two sums, and check that every block
sums to the count and the count is the roster's.

It writes roster.json, the amendments, and aggregate.json, the totals before
disclosure control: single members can be recognised in them, so nobody else may
read that file. The request is kept in the folder of the coordinator before it is
asked. A command that was interrupted may be repeated: it asks the same, and gets
the same answer. Exit code 3 means that too few members took part.

With --ledger, or where coordinator.yaml names a ledger, the roster with its
amendments is entered in it at once, and that the cycle is closed and aggregated.`,
		Example: `  muster collect run --dir coordinator --charter charter.json --out collected`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var missing []string
			for _, needed := range []struct{ flag, value string }{{"--charter", f.charter}, {"--out", f.out}} {
				if needed.value == "" {
					missing = append(missing, needed.flag)
				}
			}
			if missing != nil {
				return usageError(cmd, "muster collect run needs "+strings.Join(missing, ", "))
			}
			var err error
			if f.entered, err = openEntering(f.dir, f.charter, f.ledger); err != nil {
				return err
			}
			return runCollectRun(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter, its .sig beside it (required)")
	flags.StringVar(&f.framework, "framework", "", "path of the framework pack, where this muster does not bring the charter's")
	flags.StringVar(&f.cohort, "cohort", "", "the cohort, where the charter has several")
	flags.StringVar(&f.out, "out", "", "folder for the result (required)")
	madeFlag(cmd, &f.ledger)
	waitFlag(cmd, &f.wait)
	return cmd
}

func runCollectRun(ctx context.Context, env Env, f collectRunFlags) error {
	own, err := openCoordinator(f.dir)
	if err != nil {
		return err
	}
	signed, charter, err := openCharter(f.charter)
	if err != nil {
		return err
	}
	if err := own.match(charter); err != nil {
		return err
	}
	if err := own.checkReplaced(signed.Digest()); err != nil {
		return err
	}
	cohort, err := chooseCohort(charter, f.cohort)
	if err != nil {
		return err
	}
	_, layout, err := charterPack(env, charter, f.framework)
	if err != nil {
		return err
	}
	task, err := charter.OpenTask(cohort)
	if err != nil {
		return err
	}
	collector, err := collect.New(collect.Config{Charter: charter, Cohort: cohort, HPKE: own.hpke, Layout: layout})
	if err != nil {
		return err
	}
	if err := checkOutput("--out", f.out); err != nil {
		return err
	}
	c := &collection{own: own, charter: charter, digest: signed.Digest(), task: task, collector: collector}
	aggregate, frozen, err := c.run(ctx, env, f.wait)
	if err != nil {
		return err
	}
	if err := own.remember(task.ID, filepath.Join(f.out, aggregateFile)); err != nil {
		return placeError(err, f.dir, "make room there, and run the command again")
	}
	if err := writeCollected(f.out, aggregate, frozen); err != nil {
		return placeError(err, f.out, "make room there, or give another folder, and run the command again")
	}
	say(env, "%d of %d members took part; the totals add up, and are those of the roster that both hosts signed", aggregate.Count, len(task.Cohort.Members))
	say(env, "%s can point at single members: keep it to yourself", filepath.Join(f.out, aggregateFile))
	say(env, "next: muster collect release --dir %s --charter %s --aggregate %s --out release.json", f.dir, f.charter, filepath.Join(f.out, aggregateFile))
	return f.entered.enter(ctx, env, coalition.Aggregated, filepath.Join(f.out, rosterFile))
}

// collection is one collection from the hosts' lists to the totals.
type collection struct {
	own       *coordinatorFolder
	charter   coalition.Charter
	digest    string // of the charter
	task      coalition.OpenedTask
	collector *collect.Collector
}

// run returns the totals: from the answer that was kept, or from the hosts.
func (c *collection) run(ctx context.Context, env Env, wait time.Duration) (*collect.Aggregate, coalition.FrozenRoster, error) {
	request, err := c.collector.Request()
	if err != nil {
		return nil, coalition.FrozenRoster{}, err
	}
	if err := c.own.checkCollections(c.digest); err != nil {
		return nil, coalition.FrozenRoster{}, err
	}
	answer, frozen, ok, err := c.own.keptAnswer(c.task.ID)
	if err != nil {
		return nil, frozen, err
	}
	if ok { // nothing is asked, and charter and key must be those of then
		if _, err := c.own.fixRequest(c.task, c.digest, request); err != nil {
			return nil, frozen, err
		}
		say(env, "the batch was collected before: this is the answer that was kept then")
		a, err := c.collector.Open(answer, frozen)
		return a, frozen, err
	}
	hosts, err := newParties(c.charter, c.task, &c.own.certificate, wait)
	if err != nil {
		return nil, frozen, err
	}
	defer hosts.close()
	show, done := progressLine(env)
	defer done()
	if show == nil {
		show = func(rehearse.Progress) {}
	}
	show(rehearse.Progress{Step: "reading the hosts' lists"})
	if frozen, err = c.agree(ctx, hosts); err != nil {
		return nil, frozen, err
	}
	if err := c.collector.CheckSize(frozen); errs.KindOf(err) == errs.Conflict {
		return nil, frozen, refused{err}
	} else if err != nil {
		return nil, frozen, err
	}
	show(rehearse.Progress{Step: "asking the Leader"})
	// Kept before it is asked: a machine that dies in between asks the same.
	if request, err = c.own.fixRequest(c.task, c.digest, request); err != nil {
		return nil, frozen, err
	}
	if answer, err = hosts.leader.CollectionJob(ctx, c.task.ID, request); err != nil {
		return nil, frozen, c.refusal(err)
	}
	a, err := c.collector.Open(answer, frozen)
	if err != nil {
		return nil, frozen, err
	}
	return a, frozen, c.own.keepAnswer(c.task.ID, answer, frozen)
}

// agree reads the roster with its amendments at both hosts.
func (c *collection) agree(ctx context.Context, hosts parties) (coalition.FrozenRoster, error) {
	leader, err := hosts.leader.FrozenRoster(ctx, c.task.ID)
	if err != nil {
		return leader, c.unread(c.charter.Leader.Member, "Leader", err)
	}
	helper, err := hosts.helper.FrozenRoster(ctx, c.task.ID)
	if err != nil {
		return helper, c.unread(c.charter.Helper.Member, "Helper", err)
	}
	return c.collector.Agree(leader, helper)
}

// unread says why a host's list cannot be had.
func (c *collection) unread(host coalition.MemberID, role string, err error) error {
	e, ok := errors.AsType[*errs.Error](err)
	switch {
	case errors.Is(err, &dap.Problem{Type: dap.ProblemUnrecognizedTask}):
		return errs.Wrap(err, errs.Conflict, fmt.Sprintf("%s, the %s: it does not serve this charter", host, role), "the charter may have been withdrawn: give the one that is in force")
	case ok && e.Kind == errs.Conflict:
		return errs.Wrap(err, errs.Conflict, fmt.Sprintf("%s, the %s: %s; nothing was opened", host, role, e.Message),
			fmt.Sprintf("after the deadline %s freezes with muster host freeze", c.charter.Leader.Member))
	}
	return at(host, role, err)
}

// refusal gives the Leader's refusal its place, and the exit code of a threshold.
func (c *collection) refusal(err error) error {
	placed := at(c.charter.Leader.Member, "Leader", err)
	if errors.Is(err, &dap.Problem{Type: dap.ProblemInvalidBatchSize}) {
		return refused{placed}
	}
	return placed
}

// writeCollected writes roster, amendments and totals, the totals last. Those of
// another collection are not replaced.
func writeCollected(dir string, a *collect.Aggregate, f coalition.FrozenRoster) error {
	body, err := keys.Canonical(a)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, aggregateFile)
	if kept, err := os.ReadFile(path); err == nil && !bytes.Equal(kept, body) {
		return errs.New(errs.Conflict, fmt.Sprintf("%s holds other totals", strconv.Quote(path)), "give another folder to --out; what was collected is kept, and is not asked for again")
	}
	files := append(frozenFiles(f), outputFile{aggregateFile, body, 0o600})
	if err := realDisk().writeOutput(dir, files, nil); err != nil {
		return err
	}
	return config.SyncFolder(dir)
}
