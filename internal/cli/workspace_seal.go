package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/workspace"
)

type workspaceSealFlags struct {
	dir, survey, charter, cohort, out string
	addenda                           []string
	dryRun, json                      bool
	lock                              lockFlags
}

func newWorkspaceSealCmd(env Env) *cobra.Command {
	var f workspaceSealFlags
	cmd := &cobra.Command{
		Use:   "seal --survey ID --out FILE",
		Short: "Seal the answers to a survey into one file",
		Long: `Seal the answers to a survey of a workspace, under its charter, into one file, as
muster submit seal does. The change since the last cycle comes from what the
workspace has of it. Nothing is sealed while something is missing or the sign-off
waits, nor after the deadline; what keeps it back is listed.

The receipt is kept before the file is written, and the file stays in the folder of the
workspace, too: muster workspace status says where. Sealed again, the answers get the
next number, and the file with the higher number replaces the other at the hosts,
until the deadline. --dry-run prints what would be sealed and writes nothing.`,
		Example: `  muster workspace seal --dir ostmere --survey 2027/muster-core --dry-run
  muster workspace seal --dir ostmere --survey 2027/muster-core --out sealed.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.survey == "":
				return usageError(cmd, "muster workspace seal needs --survey ID")
			case f.out == "" && !f.dryRun:
				return usageError(cmd, "muster workspace seal needs --out FILE, or --dry-run")
			case f.json && !f.dryRun:
				return usageError(cmd, "--json goes with --dry-run")
			}
			return runWorkspaceSeal(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.survey, "survey", "", "the survey, such as 2027/muster-core (required)")
	flags.StringVar(&f.out, "out", "", "the sealed file to write")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be sealed, and write nothing")
	flags.BoolVar(&f.json, "json", false, "with --dry-run: print JSON")
	flags.StringVar(&f.charter, "charter", "", "the charter, its .sig beside it, where the survey was loaded without")
	flags.StringSliceVar(&f.addenda, "addendum", nil, "the addenda that postponed the deadline, in order, where the workspace has none yet")
	flags.StringVar(&f.cohort, "cohort", "", "the cohort, where the charter lists the member in several")
	f.lock.add(cmd)
	return cmd
}

func runWorkspaceSeal(ctx context.Context, env Env, f workspaceSealFlags) (err error) {
	if f.out != "" && !f.dryRun {
		if err := checkSealedOut(f.out); err != nil {
			return err
		}
	}
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	id := workspace.SurveyID(f.survey)
	now, err := w.Sealable(ctx, w.person, id)
	if err != nil {
		return err
	}
	if f.dryRun {
		return w.drySeal(ctx, env, f, now)
	}
	if f.charter != "" { // it is the survey's, or becomes it: what is signed off names it
		signed, err := w.sealCharter(ctx, f, now.Pack)
		if err != nil {
			return err
		}
		if err := w.mayAdopt(ctx, env, f, now, signed); err != nil {
			return err
		}
		if _, err := w.Load(ctx, w.person, workspace.LoadConfig{Pack: now.Pack, Charter: &signed}); err != nil {
			return err
		}
	}
	if f.charter != "" || len(f.addenda) > 0 {
		if err := w.postpone(ctx, env, id, f.addenda); err != nil {
			return err
		}
		if now, err = w.Sealable(ctx, w.person, id); err != nil {
			return err
		}
	}
	if len(now.Blockers) > 0 {
		for _, b := range now.Blockers {
			say(env, "%s", blockerView{b.Kind, b.Outcome})
		}
		return refused{now.Refuse()}
	}
	signed, err := w.sealCharter(ctx, f, now.Pack)
	if err != nil {
		return err
	}
	f.addenda = nil // they are kept by now
	s, deadline, err := w.newSealing(ctx, env, f, now, signed)
	if err != nil {
		return err
	}
	if !env.Now().Before(deadline) {
		return errLate(id, deadline)
	}
	return w.seal(ctx, env, f, s, now, deadline)
}

// mayAdopt refuses a charter that the survey does not have yet and that nothing could be
// sealed under, before it is kept: after its deadline, or where approvals stand that it
// would void.
func (w *openWorkspace) mayAdopt(ctx context.Context, env Env, f workspaceSealFlags, now workspace.Sealable, signed coalition.SignedCharter) error {
	adopted, err := now.Adopting(signed)
	if err != nil || adopted.Digest == now.Digest {
		return err
	}
	_, deadline, err := w.newSealing(ctx, env, f, now, signed)
	if err != nil {
		return err
	}
	if !env.Now().Before(deadline) {
		return errLate(now.Survey, deadline)
	}
	if n := now.Approved(); n > 0 {
		return refused{errs.New(errs.Conflict, fmt.Sprintf("%s without this charter, which says who gets what is sealed", plural(n, "1 approval was given", "%d approvals were given")),
			"have it signed off under the charter; this loads it, and voids what was approved: muster workspace load --charter FILE")}
	}
	return nil
}

// sealCharter returns the charter to seal under: the survey's, or the one that is
// given where it has none.
func (w *openWorkspace) sealCharter(ctx context.Context, f workspaceSealFlags, pack *framework.Pack) (coalition.SignedCharter, error) {
	kept, err := w.Charter(ctx, w.person, workspace.SurveyID(f.survey))
	if f.charter == "" {
		if errs.KindOf(err) == errs.NotFound {
			err = errs.Wrap(err, errs.NotFound, errs.Describe(err).Message, "give it with --charter, when the coordinator has sent it")
		}
		return kept, err
	}
	given, charter, err := openCharter(f.charter)
	if err != nil {
		return coalition.SignedCharter{}, err
	}
	if _, err := charterLayout(charter, pack); err != nil {
		return coalition.SignedCharter{}, err
	}
	if kept.Body != nil && kept.Digest() != given.Digest() {
		return coalition.SignedCharter{}, errs.New(errs.Conflict, fmt.Sprintf("%s was loaded with another charter, with the digest %s", f.survey, kept.Digest()),
			"ask the coordinator which one is in force; if that one was withdrawn: muster workspace load --charter FILE --instead-of "+kept.Digest())
	}
	return given, nil
}

// newSealing returns what seals the survey, and the deadline that is in force.
func (w *openWorkspace) newSealing(ctx context.Context, env Env, f workspaceSealFlags, now workspace.Sealable, signed coalition.SignedCharter) (*sealing, time.Time, error) {
	m, err := openMember(w.folder.Dir)
	if err != nil {
		return nil, time.Time{}, err
	}
	charter, err := signed.Open()
	if err != nil {
		return nil, time.Time{}, err
	}
	layout, err := charterLayout(charter, now.Pack)
	if err != nil {
		return nil, time.Time{}, err
	}
	s, err := newSealing(env, m, signed, f.cohort, layout)
	if err != nil {
		return nil, time.Time{}, err
	}
	addenda, err := w.Addenda(ctx, w.person, now.Survey)
	if err != nil {
		return nil, time.Time{}, err
	}
	for _, path := range f.addenda { // of a dry run, which keeps none
		file, err := readSigned(path, "addendum")
		if err != nil {
			return nil, time.Time{}, err
		}
		given := coalition.SignedAddendum(file)
		if !slices.ContainsFunc(addenda, func(a coalition.SignedAddendum) bool { return a.Digest() == given.Digest() }) {
			addenda = append(addenda, given)
		}
	}
	deadline, err := charter.DeadlineAfter(addenda)
	return s, deadline.UTC(), err
}

// postpone keeps the addenda of files in a workspace, in their order.
func (w *openWorkspace) postpone(ctx context.Context, env Env, id workspace.SurveyID, paths []string) error {
	for _, path := range paths {
		file, err := readSigned(path, "addendum")
		if err != nil {
			return err
		}
		survey, err := w.Postpone(ctx, w.person, id, coalition.SignedAddendum(file))
		if err != nil {
			return inFile(path, err)
		}
		say(env, "the deadline of %s is %s", id, survey.Deadline.Format(pageTime))
	}
	return nil
}

// number returns the number of the next submission, and whether it is the first
// that is sealed under the charter.
func (w *openWorkspace) number(ctx context.Context, s *sealing, id workspace.SurveyID) (sequence uint64, first bool, err error) {
	last, err := s.member.lastSequence(s.task.ID)
	if err != nil {
		return 0, false, err
	}
	sealings, err := w.Sealings(ctx, w.person, id)
	if err != nil {
		return 0, false, err
	}
	first = last == 0
	if n := len(sealings); n > 0 {
		last = max(last, sealings[n-1].Sequence)
	}
	return last + 1, first, nil
}

func (w *openWorkspace) seal(ctx context.Context, env Env, f workspaceSealFlags, s *sealing, now workspace.Sealable, deadline time.Time) (err error) {
	lock, err := w.lockSealing()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := w.finishLocked(ctx, env); err != nil {
		return err
	}
	if _, err := w.sealInto(ctx, env, w.person, s, now, f.out); err != nil {
		return err
	}
	say(env, "next, before %s: muster workspace upload %s --dir %s", deadline.Format(pageTime), f.out, f.dir)
	return nil
}

// drySealing is what muster workspace seal --dry-run --json prints.
type drySealing struct {
	Survey   workspace.SurveyID       `json:"survey"`
	Member   string                   `json:"member"`
	Pack     framework.Ref            `json:"pack"`
	Digest   string                   `json:"digest"` // of what would be sealed
	Charter  string                   `json:"charter,omitempty"`
	Cohort   string                   `json:"cohort,omitempty"`
	Sequence uint64                   `json:"seq,omitempty"`
	Deadline *time.Time               `json:"deadline,omitempty"`
	Hosts    []coalition.MemberID     `json:"hosts,omitempty"`
	Blockers []blockerView            `json:"blockers"`
	Answers  map[string]assess.Answer `json:"answers"`
	Before   map[string]assess.Answer `json:"before,omitempty"`
}

// drySeal says what would be sealed, and refuses as sealing would.
func (w *openWorkspace) drySeal(ctx context.Context, env Env, f workspaceSealFlags, now workspace.Sealable) error {
	signed, err := w.sealCharter(ctx, f, now.Pack)
	without := f.charter == "" && errs.KindOf(err) == errs.NotFound
	if err != nil && !without {
		return err
	}
	var refuses error // a charter that is not kept yet
	if !without {
		if f.charter != "" {
			if refuses = w.mayAdopt(ctx, env, f, now, signed); refuses != nil && errs.KindOf(refuses) != errs.Conflict {
				return refuses
			}
		}
		if now, err = now.Adopting(signed); err != nil {
			return err
		}
	}
	d := drySealing{
		Survey: now.Survey, Member: now.Now.Member, Pack: now.Pack.Ref(), Digest: now.Digest,
		Blockers: make([]blockerView, len(now.Blockers)), Answers: now.Now.Answers,
	}
	for i, b := range now.Blockers {
		d.Blockers[i] = blockerView{b.Kind, b.Outcome}
	}
	if now.Before != nil {
		d.Before = now.Before.Answers
	}
	if !without {
		s, deadline, err := w.newSealing(ctx, env, f, now, signed)
		if err != nil {
			return err
		}
		if d.Sequence, _, err = w.number(ctx, s, now.Survey); err != nil {
			return err
		}
		d.Charter, d.Cohort, d.Deadline = signed.Digest(), s.task.Cohort.ID, &deadline
		d.Hosts = []coalition.MemberID{s.charter.Leader.Member, s.charter.Helper.Member}
	}
	write := d.write
	if f.json {
		write = func(out io.Writer, _ *framework.Pack) error { return json.NewEncoder(out).Encode(d) }
	}
	if err := write(env.Out, now.Pack); err != nil {
		return err
	}
	switch {
	case refuses != nil:
		return refused{refuses}
	case len(d.Blockers) > 0:
		return refused{now.Refuse()}
	case without:
		return refused{errs.New(errs.Conflict, fmt.Sprintf("the survey %s has no charter yet", now.Survey), "give it with --charter, when the coordinator has sent it")}
	case !env.Now().Before(*d.Deadline):
		return refused{errLate(now.Survey, *d.Deadline)}
	}
	say(env, "this is a dry run: nothing was sealed, nothing was written")
	return nil
}

func (d drySealing) write(out io.Writer, pack *framework.Pack) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s: %s %s\n", d.Survey, d.Member, d.Pack.ID, d.Pack.Version)
	if d.Charter != "" {
		fmt.Fprintf(&b, "submission %d in the cohort %s, until %s\n", d.Sequence, d.Cohort, d.Deadline.Format(pageTime))
		fmt.Fprintf(&b, "one locked half for %s, one for %s\n", d.Hosts[0], d.Hosts[1])
	}
	fmt.Fprintf(&b, "what would be sealed is %s\n\n", d.Digest)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "outcome\tlevel\tverified\tevidence\ttarget\tbefore")
	for _, o := range pack.Outcomes() {
		a, ok := d.Answers[o.ID]
		if !ok {
			continue
		}
		before := "-"
		if last, ok := d.Before[o.ID]; ok {
			before = last.Level.String()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, a.Level, a.Verified, a.Evidence, a.Target, before)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	b.WriteString("\nnotes, reasons, names and the evidence itself stay in the workspace\n")
	for _, blocker := range d.Blockers {
		fmt.Fprintf(&b, "%s\n", blocker)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func newWorkspaceUploadCmd(env Env) *cobra.Command {
	var (
		f    uploadFlags
		dir  string
		lock lockFlags
	)
	cmd := &cobra.Command{
		Use:   "upload SEALED --dir DIR",
		Short: "Deliver a sealed file to both hosts",
		Long: `Deliver a file that muster workspace seal wrote to both hosts, as muster submit
upload does, under the charter that the workspace has. A machine that is on the
network and has no workspace does the same with muster submit upload and the
charter.`,
		Example: `  muster workspace upload sealed.json --dir ostmere`,
		Args:    oneArg("SEALED"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWorkspaceUpload(cmd.Context(), env, args[0], dir, lock, f)
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().BoolVar(&f.json, "json", false, "print what the hosts said as JSON")
	waitFlag(cmd, &f.wait)
	lock.add(cmd)
	return cmd
}

func runWorkspaceUpload(ctx context.Context, env Env, path, dir string, lock lockFlags, f uploadFlags) error {
	body, file, err := readSealed(path)
	if err != nil {
		return err
	}
	charter, err := workspaceCharterOf(ctx, env, path, keys.Digest(body), file.Charter, dir, lock)
	if err != nil {
		return err
	}
	return deliverSealed(ctx, env, path, file, charter, f)
}

// workspaceCharterOf returns the charter under which a workspace sealed a file. The
// workspace is closed again before anything is sent.
func workspaceCharterOf(ctx context.Context, env Env, path, digest, under, dir string, lock lockFlags) (c coalition.Charter, err error) {
	w, err := openWorkspaceDir(ctx, env, dir, lock)
	if err != nil {
		return c, err
	}
	defer w.close(&err)
	surveys, err := w.Surveys(ctx, w.person)
	if err != nil {
		return c, err
	}
	for _, survey := range surveys {
		sealings, err := w.Sealings(ctx, w.person, survey.ID)
		if err != nil {
			return c, err
		}
		for i, s := range sealings {
			if s.File != digest {
				continue
			}
			if survey.Charter != under {
				return c, errs.New(errs.Conflict, fmt.Sprintf("%s was sealed under the charter %s, and %s has another by now", strconv.Quote(path), under, survey.ID), "seal the answers again")
			}
			if i < len(sealings)-1 {
				warn(env, "%s is submission %d, and submission %d was sealed later: that one is to count", path, s.Sequence, sealings[len(sealings)-1].Sequence)
			}
			signed, err := w.Charter(ctx, w.person, survey.ID)
			if err != nil {
				return c, err
			}
			return signed.Open()
		}
	}
	return c, errs.New(errs.NotFound, fmt.Sprintf("this workspace did not seal %s", strconv.Quote(path)), "deliver what another sealed with: muster submit upload SEALED --charter FILE")
}
