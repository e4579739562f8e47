package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/errs"
)

type postponeFlags struct {
	entered                                        entering // as the command was called; zero: nothing is entered
	dir, charter, until, reason, out, send, ledger string
	after                                          []string
	wait                                           time.Duration
}

func newCollectPostponeCmd(env Env) *cobra.Command {
	var f postponeFlags
	cmd := &cobra.Command{
		Use:   "postpone --charter FILE --until DAY --reason TEXT --out FILE",
		Short: "Postpone the deadline of a cycle",
		Long: `Write an addendum that moves the deadline of a cycle to a later day, and sign it as
the coordinator. The hosts sign it next, with muster host approve; members read its
reason. The charter and its digest stay as they are. Addenda that came before are
named with --after, in their order.

With --send a postponement that all three have signed is handed to both hosts. Each
needs it: a host that lacks it closes too early. With --ledger, or where
coordinator.yaml in --dir names a ledger, it is then entered in it, after those that
came before.`,
		Example: `  muster collect postpone --dir coordinator --charter charter.json --until 2090-10-14 --reason "a storm" --out addendum.json
  muster collect postpone --charter charter.json --send addendum.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.charter == "" {
				return usageError(cmd, "muster collect postpone needs --charter FILE")
			}
			if f.send != "" {
				if f.until != "" || f.reason != "" || f.out != "" {
					return usageError(cmd, "--send hands over what is there; --until, --reason and --out are for writing it")
				}
				var err error
				if f.entered, err = openEntering(f.dir, f.charter, f.ledger); err != nil {
					return err
				}
				return runPostponeSend(cmd.Context(), env, f)
			}
			var missing []string
			for _, needed := range []struct{ flag, value string }{{"--until", f.until}, {"--reason", f.reason}, {"--out", f.out}} {
				if needed.value == "" {
					missing = append(missing, needed.flag)
				}
			}
			if missing != nil {
				return usageError(cmd, "muster collect postpone needs "+strings.Join(missing, ", ")+", or --send")
			}
			return runPostpone(env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the coordinator")
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter, its .sig beside it (required)")
	flags.StringVar(&f.until, "until", "", "the new deadline: a day, which begins in UTC, or RFC 3339")
	flags.StringVar(&f.reason, "reason", "", "why, for members and the record; without members' names")
	flags.StringArrayVar(&f.after, "after", nil, "an addendum that came before; once for each, in order")
	flags.StringVar(&f.out, "out", "", "the addendum to write")
	madeFlag(cmd, &f.ledger)
	flags.StringVar(&f.send, "send", "", "hand this addendum, which all three have signed, to both hosts")
	waitFlag(cmd, &f.wait)
	return cmd
}

func runPostpone(env Env, f postponeFlags) error {
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
	until, err := parseTime("until", f.until)
	if err != nil {
		return err
	}
	if !env.Now().Before(until) {
		return errs.New(errs.Invalid, "the new deadline, "+dayText(until)+", is past already", "give a later --until")
	}
	var earlier []coalition.SignedAddendum
	for _, path := range f.after {
		file, err := readSigned(path, "addendum")
		if err != nil {
			return err
		}
		earlier = append(earlier, coalition.SignedAddendum(file))
		if _, err := charter.DeadlineAfter(earlier); err != nil {
			return inFile(path, err)
		}
	}
	before, err := charter.DeadlineAfter(earlier)
	if err != nil {
		return err
	}
	addendum, err := charter.Postpone(earlier, until, f.reason)
	if err != nil {
		return err
	}
	signed, err := addendum.Propose(charter, own.signer)
	if err != nil {
		return err
	}
	if kept, err := os.ReadFile(f.out); err == nil && string(kept) == string(signed.Body) {
		there, err := readSigned(f.out, "addendum")
		if err != nil {
			return err
		}
		if signed, err = coalition.SignedAddendum(there).Join(charter, signed.Signature); err != nil {
			return err
		}
	}
	other := errs.New(errs.Conflict, fmt.Sprintf("there is another addendum at %s", strconv.Quote(f.out)), "give another --out, or move it away if nobody has signed it")
	if err := keepSigned(f.out, coalition.SignedFile(signed), other); err != nil {
		return placeError(err, filepath.Dir(f.out), "make room there, or give another --out")
	}
	if err := writeAddendumPage(env, charter, addendum, signed, before); err != nil {
		return err
	}
	say(env, "send %s and %s to both hosts, who sign it with muster host approve, and read them the words", f.out, f.out+sigExt)
	say(env, "when all three have signed: muster collect postpone --charter %s --send %s", f.charter, f.out)
	return nil
}

// runPostponeSend hands a postponement to both hosts, for every cohort.
func runPostponeSend(ctx context.Context, env Env, f postponeFlags) error {
	_, charter, err := openCharter(f.charter)
	if err != nil {
		return err
	}
	file, err := readSigned(f.send, "addendum")
	if err != nil {
		return err
	}
	signed := coalition.SignedAddendum(file)
	addendum, err := signed.Read(charter)
	if err != nil {
		return inFile(f.send, err)
	}
	list, err := signed.Signatories(charter)
	if err != nil {
		return inFile(f.send, err)
	}
	if missing := missingFrom(list); missing != "" {
		return refused{errs.New(errs.Conflict, "the postponement does not count yet: it is not signed by "+missing, "each signs it with muster host approve; muster charter join puts the notes together")}
	}
	var has []string
	var failed []error
	for _, host := range []struct {
		member coalition.MemberID
		role   string
		send   func(parties, coalition.OpenedTask) error
	}{
		{charter.Leader.Member, "Leader", func(p parties, t coalition.OpenedTask) error { return p.leader.Postpone(ctx, t.ID, signed) }},
		{charter.Helper.Member, "Helper", func(p parties, t coalition.OpenedTask) error { return p.helper.Postpone(ctx, t.ID, signed) }},
	} {
		if err := eachTask(charter, f.wait, host.send); err != nil {
			failed = append(failed, at(host.member, host.role, err))
			continue
		}
		has = append(has, string(host.member))
	}
	deadline := dayText(time.Unix(addendum.Deadline, 0))
	if len(failed) == 0 {
		say(env, "both hosts have the postponement: the deadline is %s", deadline)
		return f.entered.enter(ctx, env, "", append(f.after, f.send)...)
	}
	e, ok := errors.AsType[*errs.Error](failed[0])
	if !ok {
		return errors.Join(failed...)
	}
	if len(has) == 0 {
		return errs.Wrap(errors.Join(failed...), e.Kind, e.Message+"; "+errs.Describe(failed[1]).Message, e.Hint)
	}
	return errs.Wrap(failed[0], e.Kind, fmt.Sprintf("half sent: %s has the postponement; %s", has[0], e.Message), "the same command again does no harm; until both have it, their deadlines differ")
}

// eachTask calls fn for the task of every cohort of a charter, until one fails.
func eachTask(c coalition.Charter, wait time.Duration, fn func(parties, coalition.OpenedTask) error) error {
	for _, cohort := range c.Cohorts {
		task, err := c.OpenTask(cohort.ID)
		if err != nil {
			return err
		}
		p, err := newParties(c, task, nil, wait)
		if err != nil {
			return err
		}
		err = fn(p, task)
		p.close()
		if err != nil {
			return err
		}
	}
	return nil
}
