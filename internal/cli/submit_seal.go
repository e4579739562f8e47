package cli

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/submit"
)

type sealFlags struct {
	dir, charter, answers, previous string
	framework, cohort, out          string
	insteadOf                       string
	sequence                        uint64
	upload                          bool
	wait                            time.Duration
}

func newSubmitSealCmd(env Env) *cobra.Command {
	var f sealFlags
	cmd := &cobra.Command{
		Use:   "seal --charter FILE --answers FILE --out FILE",
		Short: "Seal a member's answers into one file",
		Long: `Seal a member's answers under a charter that all three have signed, into one file.
The answers are split into two locked halves, one for each host. Neither half says
anything alone, so the file may be carried by anyone, and muster submit upload
delivers it from any machine; --upload does both in one command.

The answers are a CSV file as muster rehearse takes it; --previous takes those of
the last cycle, for the change. A submission with a higher number replaces one
with a lower, until the deadline: the folder counts, and keeps the receipt of all
that was sealed in it.`,
		Example: `  muster submit seal --dir member --charter charter.json --answers Ostmere.csv --out sealed.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var missing []string
			for _, needed := range []struct{ flag, value string }{{"--charter", f.charter}, {"--answers", f.answers}, {"--out", f.out}} {
				if needed.value == "" {
					missing = append(missing, needed.flag)
				}
			}
			if missing != nil {
				return usageError(cmd, "muster submit seal needs "+strings.Join(missing, ", "))
			}
			if cmd.Flags().Changed("seq") && f.sequence == 0 {
				return usageError(cmd, "--seq cannot be 0; submissions are numbered from 1")
			}
			if err := runSubmitSeal(env, f); err != nil || !f.upload {
				return err
			}
			return runSubmitUpload(cmd.Context(), env, f.out, uploadFlags{charter: f.charter, wait: f.wait})
		},
	}
	dirFlag(cmd, &f.dir, "the member")
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter, its .sig beside it (required)")
	flags.StringVar(&f.answers, "answers", "", "this cycle's answers, a CSV file (required)")
	flags.StringVar(&f.previous, "previous", "", "the last cycle's answers, a CSV file")
	flags.StringVar(&f.framework, "framework", "", "path of the framework pack, where this muster does not bring the charter's")
	flags.StringVar(&f.cohort, "cohort", "", "the cohort, where the charter lists the member in several")
	flags.Uint64Var(&f.sequence, "seq", 0, "the number of this submission (default: the last one plus 1)")
	flags.StringVar(&f.insteadOf, "instead-of", "", "the digest of a charter for the same cycle that this folder sealed under and that was withdrawn")
	flags.StringVar(&f.out, "out", "", "the sealed file to write (required)")
	flags.BoolVar(&f.upload, "upload", false, "deliver the file at once, as muster submit upload does")
	waitFlag(cmd, &f.wait)
	return cmd
}

func runSubmitSeal(env Env, f sealFlags) (err error) {
	m, err := openMember(f.dir)
	if err != nil {
		return err
	}
	lock, err := lockSealing(m.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	signed, charter, err := openCharter(f.charter)
	if err != nil {
		return err
	}
	first, err := m.checkCharter(signed, charter, f.insteadOf)
	if err != nil {
		return err
	}
	pack, layout, err := charterPack(env, charter, f.framework)
	if err != nil {
		return err
	}
	s, err := newSealing(env, m, signed, f.cohort, layout)
	if err != nil {
		return err
	}
	now, before, err := readOwnAnswers(env, f, pack, m.member)
	if err != nil {
		return err
	}
	if err := checkSealedOut(f.out); err != nil {
		return err
	}
	last, err := m.lastSequence(s.task.ID)
	if err != nil {
		return err
	}
	sequence := f.sequence
	if sequence == 0 {
		sequence = last + 1
	}
	if sequence <= last {
		return errs.New(errs.Conflict, fmt.Sprintf("this folder has sealed submission %d already, and a number is used once", last), fmt.Sprintf("leave --seq out, or give %d or more", last+1))
	}
	sub, body, err := s.seal(now, before, sequence)
	if err != nil {
		return err
	}
	if first {
		if err := m.keepCharter(signed); err != nil {
			return placeError(err, m.dir, "make room there, and run the command again")
		}
	}
	// The number is taken before the file can leave: two files with one number
	// would keep each other out.
	if err := m.keepReceipt(s.task.ID, sequence, sub.Receipt); err != nil {
		return err
	}
	if err := writeSealed(f.out, body); err != nil {
		return err
	}
	if err := s.say(env, f.out, sequence, first); err != nil {
		return err
	}
	deadline := time.Unix(charter.Deadline, 0).UTC()
	if !env.Now().Before(deadline) {
		warn(env, "by the clock of this machine the deadline, %s, is past: the hosts take it only if the deadline was postponed", deadline.Format(pageTime))
	}
	if !f.upload {
		say(env, "next, before %s: muster submit upload %s --charter %s", deadline.Format(pageTime), f.out, f.charter)
	}
	return nil
}

// sealing is what a member seals with, under one charter.
type sealing struct {
	member  *memberFolder
	signed  coalition.SignedCharter
	charter coalition.Charter
	task    coalition.OpenedTask
	sealer  *submit.Sealer
}

// newSealing checks that the member may seal under a charter that was opened, and
// with answers to this layout.
func newSealing(env Env, m *memberFolder, signed coalition.SignedCharter, named string, layout *framework.Layout) (*sealing, error) {
	s := &sealing{member: m, signed: signed}
	var err error
	if s.charter, err = signed.Open(); err != nil {
		return nil, err
	}
	cohort, err := m.cohort(s.charter, named)
	if err != nil {
		return nil, err
	}
	if s.task, err = s.charter.OpenTask(cohort); err != nil {
		return nil, err
	}
	s.sealer, err = submit.New(submit.Config{
		Charter: s.charter, Cohort: cohort, Layout: layout, Member: m.member, Signer: m.signer, Rand: env.Rand, Now: env.Now,
	})
	return s, err
}

// seal seals in memory. It returns the sealed file, too.
func (s *sealing) seal(now, before *assess.Assessment, sequence uint64) (submit.Submission, []byte, error) {
	sub, err := s.sealer.Seal(now, before, sequence)
	if err != nil {
		return submit.Submission{}, nil, err
	}
	body, err := submit.File{Charter: s.signed.Digest(), Marking: s.charter.Marking, Submission: sub}.Encode()
	return sub, body, err
}

// checkSealedOut refuses to replace what was sealed before.
func checkSealedOut(out string) error {
	if exists(out) {
		return errs.New(errs.Conflict, fmt.Sprintf("there is a file %s already", strconv.Quote(out)), "give another --out: what was sealed before may be on its way")
	}
	return nil
}

// writeSealed puts a sealed file where it is to leave from.
func writeSealed(out string, body []byte) error {
	dir := filepath.Dir(out)
	if err := realDisk().writeOutput(dir, []outputFile{{filepath.Base(out), body, 0o644}}, nil); err != nil {
		return placeError(err, dir, "make room there, or give another --out")
	}
	return config.SyncFolder(dir)
}

// say says what was sealed; first is whether that was under this charter for the
// first time.
func (s *sealing) say(env Env, out string, sequence uint64, first bool) error {
	c := s.charter
	say(env, "sealed submission %d of %s for the cycle %s of %s", sequence, s.member.member, c.Cycle, c.Coalition)
	say(env, "%s holds two locked halves, one for %s and one for %s; neither half says anything alone", out, c.Leader.Member, c.Helper.Member)
	if !first {
		return nil
	}
	say(env, "this folder seals under this charter for the first time: before the file leaves, compare these words with what the coordinator reads out")
	return writeWords(env.Err, "muster:   ", sha256.Sum256(s.signed.Body))
}

// charterPack returns the framework pack that a charter asks, and its layout.
// Without a path it is the one of that name that this program brings.
func charterPack(env Env, c coalition.Charter, path string) (*framework.Pack, *framework.Layout, error) {
	asked := c.Framework.ID + " " + c.Framework.Version
	var pack *framework.Pack
	var err error
	if path != "" {
		pack, err = openPack(env, path)
	} else if pack, err = framework.Find(env.Packs, c.Framework.ID); errs.KindOf(err) == errs.NotFound {
		return nil, nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("the charter asks for %s, which this muster does not bring", asked), "give the path of the pack that the coordinator sent with --framework")
	}
	if err != nil {
		return nil, nil, err
	}
	layout, err := charterLayout(c, pack)
	return pack, layout, err
}

// charterLayout returns the layout of a pack if it is the one that a charter asks.
func charterLayout(c coalition.Charter, pack *framework.Pack) (*framework.Layout, error) {
	layout, err := framework.NewLayout(pack)
	if err != nil {
		return nil, err
	}
	asked := c.Framework.ID + " " + c.Framework.Version
	ref, digest := pack.Ref(), sha256.Sum256(c.Layout)
	if ref.Digest != c.Framework.Digest || layout.Digest() != digest {
		what := fmt.Sprintf("the charter asks for %s and this is %s %s", asked, ref.ID, ref.Version)
		if what == fmt.Sprintf("the charter asks for %s and this is %s", asked, asked) {
			what = fmt.Sprintf("the charter asks for %s, and this pack of that name and version has other content", asked)
		}
		return nil, errs.New(errs.Conflict, what, "give the path of the pack that the coordinator sent with --framework; its digest is "+c.Framework.Digest)
	}
	return layout, nil
}

// readOwnAnswers reads the member's answers, and those of the last cycle if there
// are some, and warns of what deserves a second look.
func readOwnAnswers(env Env, f sealFlags, pack *framework.Pack, member coalition.MemberID) (now, before *assess.Assessment, err error) {
	body, err := readInput(f.answers, "file of answers")
	if err != nil {
		return nil, nil, err
	}
	now = &assess.Assessment{Member: string(member)}
	if now.Answers, err = exchange.ReadAnswers(f.answers, bytes.NewReader(body), pack); err != nil {
		return nil, nil, err
	}
	warnOfAnswers(env, pack, []*assess.Assessment{now})
	if f.previous == "" {
		return now, nil, nil
	}
	if body, err = readInput(f.previous, "file of previous answers"); err != nil {
		return nil, nil, err
	}
	before = &assess.Assessment{Member: string(member)}
	var difference exchange.Difference
	if before.Answers, difference, err = exchange.ReadPrevious(f.previous, bytes.NewReader(body), pack); err != nil {
		return nil, nil, err
	}
	if n := len(difference.Missing); n > 0 {
		warn(env, "%s", plural(n, "1 outcome has no previous answer", "%d outcomes have no previous answer"))
	}
	if len(difference.Gone) > 0 {
		warn(env, "previous answers left aside, for the framework has no %s", someOf(difference.Gone))
	}
	return now, before, nil
}
