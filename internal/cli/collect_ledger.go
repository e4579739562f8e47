package cli

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
)

// ledgerWait is how long a witness is waited for unless a command says otherwise.
const ledgerWait = 10 * time.Second

// madeFlag is the flag of the coordinator's commands that names the ledger.
func madeFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "ledger", "", "the folder of the ledger, in which this is entered (default: the one in "+config.CollectFile+", if there is one)")
}

// entering enters what a command of the coordinator has made.
type entering struct {
	dir, charter string // the coordinator's folder, and the charter's file
	cycle        string // in place of a charter, before it is signed
	ledger       string // the ledger's folder; empty: nothing is entered

	phase, reason string // a step of the cycle that somebody decided, or none
}

// openEntering reads which ledger is meant, before anything is done: the flag, or what
// the coordinator's configuration says.
func openEntering(dir, charter, ledger string) (entering, error) {
	if ledger == "" {
		cfg, err := config.ReadCollect(dir)
		if err != nil {
			return entering{}, err
		}
		ledger = cfg.Ledger
	}
	return entering{dir: dir, charter: charter, ledger: ledger}, nil
}

// enter enters files that are there and durable, and the steps of the cycle up to a
// phase, or none. What was made stays whatever becomes of that: the error says what is
// still to be entered, and the command that does it.
func (e entering) enter(ctx context.Context, env Env, to coalition.Phase, files ...string) error {
	if e.ledger == "" {
		return nil
	}
	err := runLedgerAdd(ctx, env, files, ledgerAddFlags{ledger: e.ledger, dir: e.dir, charter: e.charter, cycle: e.cycle, phase: e.phase, reason: e.reason, wait: ledgerWait, through: to})
	if err == nil || ctx.Err() != nil {
		return err
	}
	again := e.command(files)
	if r, ok := errors.AsType[refused](err); ok {
		// Not this command's exit code for a threshold: that one is of another thing.
		return errs.Wrap(r.error, errs.Unavailable, "all is made and entered, and not published yet: "+errs.Describe(r).Message, "this asks the witnesses again: "+again)
	}
	d := errs.Describe(err)
	message := d.Message
	if faults, ok := errors.AsType[errs.Faults](err); ok {
		message = faults[0].String()
	} else if d.Kind == errs.Internal {
		message = err.Error()
	}
	return errs.Wrap(err, errs.Unavailable, "nothing is lost, and not entered in the ledger yet: "+message, strings.TrimPrefix(d.Hint+"; ", "; ")+"then enter it: "+again)
}

// command is the command line that enters files.
func (e entering) command(files []string) string {
	args := append([]string{"muster", "ledger", "add"}, files...)
	args = append(args, "--ledger", e.ledger, "--dir", e.dir)
	if e.cycle != "" {
		args = append(args, "--cycle", e.cycle)
	} else {
		args = append(args, "--charter", e.charter)
	}
	for _, flag := range [][2]string{{"--phase", e.phase}, {"--reason", e.reason}} {
		if flag[1] != "" {
			args = append(args, flag[:]...)
		}
	}
	for i, a := range args {
		if strings.ContainsAny(a, " \t\n'\"$&;()<>|*?#\\`") {
			args[i] = strconv.Quote(a)
		}
	}
	return strings.Join(args, " ")
}

// straight is the way of a cycle that opens and is not postponed.
func straight() []coalition.Phase {
	return []coalition.Phase{coalition.Open, coalition.Closing, coalition.Closed, coalition.Aggregated, coalition.Review, coalition.Released}
}

// advance enters the steps of the cycle up to a phase, from where the ledger has it. It
// never claims that a cycle was adopted, or opened: that is entered by who decides it.
func (a *addition) advance(env Env, to coalition.Phase) error {
	number, from := a.lastPhase()
	way := straight()
	at, end := slices.Index(way, from), slices.Index(way, to)
	if at < 0 {
		if !slices.Contains([]coalition.Phase{coalition.Conference, coalition.Commitments, coalition.FollowUp, coalition.Archived}, from) {
			warn(env, "the ledger has the cycle at %s, so the step to %s is not entered: enter what came before with muster ledger add --phase", from, to)
		}
		return nil
	}
	for ; at < end; at++ {
		number++
		s, err := a.cycle.Phase(number, way[at], way[at+1], "")
		if err := a.putOne(s, err); err != nil {
			return err
		}
	}
	return nil
}

// approved returns the phase that a release brings: released once both hosts have
// signed it.
func approved(c coalition.Charter, file coalition.SignedFile) coalition.Phase {
	if keys.Verify(keys.KindRelease, file.Body, file.Signature, c.Leader.Key, c.Helper.Key) == nil {
		return coalition.Released
	}
	return coalition.Review
}
