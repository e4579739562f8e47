package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
	"muster/internal/workspace"
)

type workspaceCompareFlags struct {
	dir, release, survey, language string
	json, keep                     bool
	lock                           lockFlags
}

func newWorkspaceCompareCmd(env Env) *cobra.Command {
	var f workspaceCompareFlags
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Say where the member stands in a release, on this machine alone",
		Long: `Say where the member stands in a release: its own place among the bands of every
outcome, how many members are lower and higher, its change since the last cycle, and
its most urgent gaps. It is computed here from what was sealed; the coalition knows
nothing of it.

The release's signature is checked against the charter that the survey has. Without
--release it is the release that the workspace keeps of the survey, whose signature
nobody has looked at; --keep keeps one whose signature holds, for the pages and the
brief.`,
		Example: `  muster workspace compare --dir ostmere --release release.json
  muster workspace compare --dir ostmere --survey 2027/muster-core`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.keep && f.release == "" {
				return usageError(cmd, "muster workspace compare --keep needs --release FILE")
			}
			if f.release == "" && f.survey == "" {
				return usageError(cmd, "muster workspace compare needs --release FILE, or --survey ID for the release that the workspace keeps")
			}
			return runWorkspaceCompare(cmd.Context(), env, f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.release, "release", "", "the release, its .sig beside it (default: the one that the workspace keeps)")
	flags.StringVar(&f.survey, "survey", "", "the survey, such as 2027/muster-core (default: the one that the release is of)")
	flags.StringVar(&f.language, "language", "", "language of the titles (default: the pack's first)")
	flags.BoolVar(&f.keep, "keep", false, "keep the release in the workspace, for its pages and the brief")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	f.lock.add(cmd)
	return cmd
}

func runWorkspaceCompare(ctx context.Context, env Env, f workspaceCompareFlags) (err error) {
	var r *release.Release
	if f.release != "" {
		if r, err = readRelease(f.release); err != nil {
			return err
		}
	}
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	if r == nil {
		if r, _, err = w.Release(ctx, w.person, workspace.SurveyID(f.survey)); err != nil {
			return err
		}
	}
	id := workspace.SurveyID(cmp.Or(f.survey, string(workspace.NewSurveyID(r.Cycle, r.Framework.ID))))
	survey, err := w.Survey(ctx, w.person, id)
	if err != nil {
		return err
	}
	c, err := w.Compare(ctx, w.person, id, r)
	if err != nil {
		return err
	}
	if f.release == "" {
		warn(env, "nobody has checked who signed the release that is kept; --release FILE does, with its .sig beside it")
	} else if err := w.checkReleased(ctx, env, f.release, r, survey); err != nil {
		return err
	}
	if f.keep {
		body, err := readInput(f.release, "release")
		if err != nil {
			return err
		}
		if _, err := w.KeepRelease(ctx, w.person, id, body); err != nil {
			return err
		}
		say(env, "the release is kept in the workspace")
	}
	if survey.Sealings == 0 {
		warn(env, "nothing of %s was sealed here: what is compared is what is answered now, and the release may count other answers", id)
	}
	is, err := w.Identity(ctx)
	if err != nil {
		return err
	}
	v := newComparisonView(is.Member, c, r)
	v.Marking = cmp.Or(r.Marking, is.Marking)
	if f.json {
		return writeJSON(env.Out, v)
	}
	return v.write(env.Out, r, f.language)
}

// checkReleased checks whose release it is, as far as the workspace can know.
func (w *openWorkspace) checkReleased(ctx context.Context, env Env, path string, r *release.Release, survey workspace.Survey) error {
	if survey.Charter == "" {
		warn(env, "%s has no charter here, so that nobody has checked who signed the release", survey.ID)
		return nil
	}
	if r.CharterDigest != survey.Charter {
		return errs.New(errs.Conflict, fmt.Sprintf("the release is of another charter than %s", survey.ID), "ask the coordinator which release is that of the charter "+survey.Charter)
	}
	signed, err := w.Charter(ctx, w.person, survey.ID)
	if err != nil {
		return err
	}
	charter, err := signed.Open()
	if err != nil {
		return err
	}
	file, err := readSigned(path, "release")
	if err != nil {
		return err
	}
	if err := keys.Verify(keys.KindRelease, file.Body, file.Signature, charter.Coordinator.Key); err != nil {
		return err
	}
	if keys.Verify(keys.KindRelease, file.Body, file.Signature, charter.Coordinator.Key, charter.Leader.Key, charter.Helper.Key) != nil {
		warn(env, "the release is signed by the coordinator, and not yet by both hosts")
	}
	return nil
}

// comparisonView is what muster workspace compare --json prints.
type comparisonView struct {
	Survey    workspace.SurveyID `json:"survey"`
	Member    coalition.MemberID `json:"member"`
	Marking   string             `json:"marking,omitempty"` // of the release or of an invented member
	Cohort    string             `json:"cohort"`
	Urgent    []string           `json:"urgent"` // outcomes below the target, the most urgent first
	Standings []standingView     `json:"standings"`
}

type standingView struct {
	Outcome string            `json:"outcome"`
	Level   framework.Level   `json:"level"`
	Target  framework.Level   `json:"target"`
	Gap     string            `json:"gap"`
	Change  string            `json:"change"`
	Band    int               `json:"band"` // the member's own among bands; -1: nothing is shown
	Lower   uint64            `json:"lower"`
	Same    uint64            `json:"same"`
	Higher  uint64            `json:"higher"`
	Bands   []disclosure.Band `json:"bands"`
}

func newComparisonView(member coalition.MemberID, c workspace.Comparison, r *release.Release) comparisonView {
	shown := make(map[string][]disclosure.Band)
	for _, area := range r.Areas {
		for _, o := range area.Outcomes {
			if o.Level.Shown() {
				shown[o.ID] = o.Level.Bands()
			}
		}
	}
	v := comparisonView{
		Survey: c.Survey, Member: member, Cohort: c.Cohort, Urgent: append([]string{}, c.Urgent...), Standings: make([]standingView, len(c.Standings)),
	}
	for i, s := range c.Standings {
		v.Standings[i] = standingView{
			Outcome: s.Outcome, Level: s.Answer.Level, Target: s.Answer.Target, Gap: s.Gap.String(), Change: s.Move.String(),
			Band: s.Band, Lower: s.Lower, Same: s.Same, Higher: s.Higher, Bands: append([]disclosure.Band{}, shown[s.Outcome]...),
		}
	}
	return v
}

// mostUrgent is how many gaps are named before the table.
const mostUrgent = 3

func (v comparisonView) write(out io.Writer, r *release.Release, language string) error {
	titles := make(map[string]framework.Text)
	for _, area := range r.Areas {
		for _, o := range area.Outcomes {
			titles[o.ID] = o.Title
		}
	}
	if !slices.Contains(r.Framework.Languages, language) {
		language = r.Framework.Languages[0]
	}
	var b strings.Builder
	b.WriteString(markingLine(v.Marking))
	fmt.Fprintf(&b, "%s in %s, group %s\n%s\n", v.Member, title(r), v.Cohort, participation(r.Participation))
	if len(v.Urgent) > 0 {
		b.WriteString("\nmost urgent:\n")
	}
	for _, outcome := range v.Urgent[:min(len(v.Urgent), mostUrgent)] {
		i := slices.IndexFunc(v.Standings, func(s standingView) bool { return s.Outcome == outcome })
		s := v.Standings[i]
		further := "how far others are is not shown"
		if s.Band >= 0 {
			further = plural(int(s.Higher), "1 member is", "%d members are") + " surely further"
		}
		fmt.Fprintf(&b, "  %s %s: level %s, target %s; %s\n", s.Outcome, titles[outcome].In(language), s.Level, s.Target, further)
	}
	b.WriteString("\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "outcome\tlevel\ttarget\tgap\tchange\tlower\tsame\thigher\tmembers at each level, [] is where this member is")
	for _, s := range v.Standings {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Outcome, s.Level, s.Target, s.Gap, moveWords(s.Change), s.places())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	b.WriteString("\nthis was computed here: nobody else knows it\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func moveWords(change string) string {
	if change == assess.MoveNotComparable.String() {
		return "-"
	}
	return change
}

// places is how many are lower, in the same band and higher, and the strip.
func (s standingView) places() string {
	if len(s.Bands) == 0 {
		return "-\t-\t-\tnot shown"
	}
	var strip []string
	for i, band := range s.Bands {
		text := fmt.Sprintf("%s: %d", bandWords(band), band.Count)
		if i == s.Band {
			text = "[" + text + "]"
		}
		strip = append(strip, text)
	}
	counts := "-\t-\t-"
	if _, given := s.Level.Number(); given {
		counts = fmt.Sprintf("%d\t%d\t%d", s.Lower, s.Same, s.Higher)
	}
	return counts + "\t" + strings.Join(strip, "  ")
}

// bandWords names a band by its first and last level.
func bandWords(band disclosure.Band) string {
	first, last := band.Units[0], band.Units[len(band.Units)-1]
	if first == disclosure.NoLevel {
		first = "no level"
	}
	switch {
	case len(band.Units) == 1:
		return first
	case first == "no level":
		return first + " to " + last
	}
	return first + "-" + last
}
