package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/rehearse"
	"muster/internal/submit"
)

type uploadFlags struct {
	charter string
	wait    time.Duration
	json    bool
}

// defaultWait is for how long a host that does not answer is asked.
const defaultWait = time.Minute

func waitFlag(cmd *cobra.Command, wait *time.Duration) {
	cmd.Flags().DurationVar(wait, "wait", defaultWait, "for how long a host that does not answer is asked again")
}

func newSubmitUploadCmd(env Env) *cobra.Command {
	var f uploadFlags
	cmd := &cobra.Command{
		Use:   "upload SEALED --charter FILE",
		Short: "Deliver a sealed file to both hosts",
		Long: `Deliver a sealed file to both hosts. It needs neither answers nor a key: any machine
that reaches both hosts can do it, and learns no more than that this member
submits. The file is checked against the charter before anything is sent, and both
hosts by the TLS keys that the charter pins.

The submission counts when both hosts have acknowledged it. What they said is kept
beside the file as SEALED.acknowledged.json. The command may be repeated as often
as is wanted: what is there already stays as it is, and what a host once signed stays
in that file, whatever it says later.`,
		Example: `  muster submit upload sealed.json --charter charter.json`,
		Args:    oneArg("SEALED"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.charter == "" {
				return usageError(cmd, "muster submit upload needs --charter FILE")
			}
			return runSubmitUpload(cmd.Context(), env, args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.charter, "charter", "", "the charter, its .sig beside it (required)")
	cmd.Flags().BoolVar(&f.json, "json", false, "print what the hosts said as JSON")
	waitFlag(cmd, &f.wait)
	return cmd
}

func runSubmitUpload(ctx context.Context, env Env, path string, f uploadFlags) error {
	_, file, err := readSealed(path)
	if err != nil {
		return err
	}
	_, charter, err := openCharter(f.charter)
	if err != nil {
		return err
	}
	return deliverSealed(ctx, env, path, file, charter, f)
}

// readSealed reads a sealed file, and returns its bytes, too.
func readSealed(path string) ([]byte, submit.File, error) {
	body, err := readInput(path, "sealed file")
	if err != nil {
		return nil, submit.File{}, err
	}
	file, err := submit.ReadFile(body)
	if err != nil {
		return nil, submit.File{}, inFile(path, err)
	}
	return body, file, nil
}

// deliverSealed delivers the sealed file at path to the hosts of its charter.
func deliverSealed(ctx context.Context, env Env, path string, file submit.File, charter coalition.Charter, f uploadFlags) error {
	opened, err := file.Open(charter)
	if err != nil {
		return inFile(path, err)
	}
	hosts, err := newParties(charter, opened.Task, nil, f.wait)
	if err != nil {
		return err
	}
	defer hosts.close()
	show, done := progressLine(env)
	if show != nil {
		show(rehearse.Progress{Step: fmt.Sprintf("delivering to %s and %s", charter.Leader.Member, charter.Helper.Member)})
	}
	delivery, failed := submit.Deliver(ctx, opened.Task, opened.Submission, hosts.leader, hosts.helper)
	done()
	a := newAcknowledged(env, file.Charter, charter, opened, delivery)
	if delivery.Leader != nil {
		if err := a.keep(path, charter, opened); err != nil {
			warn(env, "what the hosts said could not be kept: %s", errs.Describe(placeError(err, filepath.Dir(path), "")).Message)
		}
	}
	if failed != nil {
		return undelivered(charter, opened, delivery, failed)
	}
	if err := signedByBoth(charter, opened, delivery); err != nil {
		return err
	}
	if err := replaced(charter, opened, delivery); err != nil {
		return err
	}
	if f.json {
		out, err := keys.Canonical(a)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Out, "%s\n", out)
		return err
	}
	say(env, "%s and %s have acknowledged submission %d of %s: it counts, unless a later one replaces it", charter.Leader.Member, charter.Helper.Member, opened.Receipt.Sequence, opened.Receipt.Member)
	return nil
}

// inFile says in which file something was refused.
func inFile(path string, err error) error {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return errs.Wrap(err, e.Kind, strconv.Quote(path)+": "+e.Message, e.Hint)
	}
	return fmt.Errorf("%s: %w", strconv.Quote(path), err)
}

// undelivered says what did and what did not arrive, and what can be done.
func undelivered(c coalition.Charter, o submit.Opened, d submit.Delivery, err error) error {
	what := fmt.Sprintf("submission %d of %s", o.Receipt.Sequence, o.Receipt.Member)
	host, role := c.Leader.Member, "Leader"
	if d.Leader != nil {
		host, role = c.Helper.Member, "Helper"
	}
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return at(host, role, err)
	}
	message, hint := e.Message, e.Hint
	if errors.Is(err, &dap.Problem{Type: dap.ProblemUnrecognizedTask}) {
		message, hint = "it does not serve this charter", "the charter may have been withdrawn: ask the coordinator which one is in force, and seal the answers again under it"
	}
	again := "the same command again does no harm"
	if d.Leader != nil {
		again = fmt.Sprintf("it counts when %s has it too: run the same command again before the deadline; if that has passed, only a postponement helps: ask the coordinator", host)
		return errs.Wrap(err, e.Kind, fmt.Sprintf("%s is half delivered and does not count yet: %s has it; %s, the %s: %s", what, c.Leader.Member, host, role, message), again)
	}
	if hint == "" {
		hint = again
	}
	return errs.Wrap(err, e.Kind, fmt.Sprintf("%s was not delivered: %s, the %s: %s", what, host, role, message), hint)
}

// replaced refuses to call that delivered which does not count.
func replaced(c coalition.Charter, o submit.Opened, d submit.Delivery) error {
	own := o.Receipt.Sequence
	leader, helper := d.Leader.Last, d.Helper.Last
	what := fmt.Sprintf("submission %d of %s", own, o.Receipt.Member)
	switch last := max(leader, helper); {
	case leader == own && helper == own:
		return nil
	case leader < own || helper < own:
		host := c.Leader.Member
		if helper < own {
			host = c.Helper.Member
		}
		return errs.New(errs.Conflict, fmt.Sprintf("%s was set aside by %s and does not count", what, host), "ask that host why, and seal the answers again: a later number counts")
	case leader == helper:
		return errs.New(errs.Conflict, fmt.Sprintf("%s was replaced: submission %d is at both hosts and counts", what, last), "nothing is to be done, unless another file was meant; answers that are sealed again get a higher number")
	case last == leader:
		return halfReplaced(what, last, c.Leader.Member, c.Helper.Member)
	default:
		return halfReplaced(what, last, c.Helper.Member, c.Leader.Member)
	}
}

func halfReplaced(what string, last uint64, has, lacks coalition.MemberID) error {
	return errs.New(errs.Conflict, fmt.Sprintf("%s was replaced at %s by submission %d, which %s lacks: the hosts' lists would differ", what, has, last, lacks),
		fmt.Sprintf("deliver the file of submission %d before the deadline", last))
}

// signedByBoth refuses acknowledgements that nobody could show later: a host signs what
// it holds, unless it has set it aside.
func signedByBoth(c coalition.Charter, o submit.Opened, d submit.Delivery) error {
	for _, host := range []struct {
		role   string
		member coalition.MemberID
		ack    *coalition.Acknowledgement
	}{{"leader", c.Leader.Member, d.Leader}, {"helper", c.Helper.Member, d.Helper}} {
		file, signed, err := host.ack.Signed()
		if err == nil && signed {
			var held coalition.Held
			if held, err = c.OpenHeld(file, o.Receipt, o.Submission.Receipt.Digest()); err == nil && held.Host != host.role {
				err = errs.New(errs.Invalid, "it is the other host's", "")
			}
		} else if err == nil && host.ack.Last >= o.Receipt.Sequence {
			err = errs.New(errs.Invalid, "it is not signed", "")
		}
		if err != nil {
			return errs.Wrap(err, errs.Unavailable, fmt.Sprintf("what %s says of submission %d of %s cannot be shown to anybody: %s", host.member, o.Receipt.Sequence, o.Receipt.Member, errs.Describe(err).Message),
				"it may hold the submission all the same; run the same command again, and ask that host which version of muster it runs")
		}
	}
	return nil
}

const acknowledgedKind = "muster acknowledgements v1"

// acknowledged is what the hosts said of a submission, as it is kept beside the
// file. Each host signed its own word, with which the member shows that it had it.
type acknowledged struct {
	Kind     string             `json:"kind"`
	Charter  string             `json:"charter"`
	Task     string             `json:"task_id"`
	Member   coalition.MemberID `json:"member"`
	Sequence uint64             `json:"seq"`
	Report   string             `json:"report_id"`
	Receipt  string             `json:"receipt"` // hex SHA-256
	At       int64              `json:"at"`      // seconds since 1970, by this machine's clock
	Leader   *hostWord          `json:"leader,omitempty"`
	Helper   *hostWord          `json:"helper,omitempty"`
	Counts   bool               `json:"counts"` // both have acknowledged it, and it is the member's last
}

// hostWord is one host's acknowledgement.
type hostWord struct {
	Member coalition.MemberID `json:"member"`
	Last   uint64             `json:"last_seq"`

	Held      string `json:"acknowledgement,omitempty"` // base64url of what it signed
	Signature string `json:"signature,omitempty"`
}

// readAcknowledged reads what the hosts signed of a submission.
func readAcknowledged(path string) ([]coalition.SignedFile, error) {
	body, err := readInput(path, "file of acknowledgements")
	if err != nil {
		return nil, err
	}
	a, err := parseAcknowledged(body)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, strconv.Quote(path)+" is no file of acknowledgements as muster wrote it", "muster submit upload writes it beside the sealed file, SEALED.acknowledged.json")
	}
	var files []coalition.SignedFile
	for _, word := range []*hostWord{a.Leader, a.Helper} {
		if word == nil {
			continue
		}
		file, signed, err := (coalition.Acknowledgement{Held: word.Held, Signature: word.Signature}).Signed()
		if err != nil {
			return nil, inFile(path, err)
		}
		if signed {
			files = append(files, file)
		}
	}
	if files == nil {
		return nil, errs.New(errs.Invalid, "the acknowledgements in "+strconv.Quote(path)+" are signed by no host", "deliver the same file again with muster submit upload: hosts acknowledge it at any time, and sign it unless they have set it aside")
	}
	return files, nil
}

func newAcknowledged(env Env, charterDigest string, c coalition.Charter, o submit.Opened, d submit.Delivery) acknowledged {
	a := acknowledged{
		Kind: acknowledgedKind, Charter: charterDigest, Task: o.Task.ID.String(), Member: o.Receipt.Member, Sequence: o.Receipt.Sequence,
		Report: o.Receipt.Report, Receipt: o.Submission.Receipt.Digest(), At: env.Now().Unix(),
	}
	if d.Leader != nil {
		a.Leader = &hostWord{c.Leader.Member, d.Leader.Last, d.Leader.Held, d.Leader.Signature}
	}
	if d.Helper != nil {
		a.Helper = &hostWord{c.Helper.Member, d.Helper.Last, d.Helper.Held, d.Helper.Signature}
	}
	a.Counts = d.Complete() && d.Leader.Last == a.Sequence && d.Helper.Last == a.Sequence
	return a
}
