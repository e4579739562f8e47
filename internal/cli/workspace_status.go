package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/framework"
	"muster/internal/workspace"
)

func newWorkspaceStatusCmd(env Env) *cobra.Command {
	var (
		dir    string
		asJSON bool
		lock   lockFlags
	)
	cmd := &cobra.Command{
		Use:   "status --dir DIR [SURVEY]",
		Short: "Say how far a workspace is, and what keeps a survey from being sealed",
		Long: `Say how far the surveys of a workspace are; of one survey, list everything that keeps
it from being sealed. It shows no answer and no note.`,
		Example: `  muster workspace status --dir ostmere 2027/muster-core`,
		Args:    atMostOneArg("SURVEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWorkspaceStatus(cmd.Context(), env, dir, strings.Join(args, ""), lock, asJSON)
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	lock.add(cmd)
	return cmd
}

// workspaceStatus is what muster workspace status --json prints.
type workspaceStatus struct {
	Member  coalition.MemberID `json:"member"`
	Marking string             `json:"marking,omitempty"` // "SYNTHETIC" of an invented member
	Surveys []surveyStatus     `json:"surveys"`
}

type surveyStatus struct {
	ID       workspace.SurveyID `json:"id"`
	Pack     framework.Ref      `json:"pack"`
	State    workspace.State    `json:"state"`
	Deadline *time.Time         `json:"deadline"` // null: not known
	Charter  string             `json:"charter,omitempty"`
	Before   workspace.SurveyID `json:"before,omitempty"`
	Answered int                `json:"answered"`
	Carried  int                `json:"carried"`
	Outcomes int                `json:"outcomes"`
	Sealings int                `json:"sealings"`
	Sealed   *sealedView        `json:"sealed,omitempty"` // what was sealed last
	Blockers []blockerView      `json:"blockers"`
	Signed   []approvalView     `json:"signed,omitempty"` // approvals of exactly what would be sealed now
}

// sealedView is what was sealed last.
type sealedView struct {
	Sequence uint64 `json:"seq"`
	Digest   string `json:"file"`           // SHA-256 of the file
	Path     string `json:"path,omitempty"` // where it lies; empty if it is not in the folder
}

// lastSealed returns what was sealed last of a survey, nil if nothing was.
func (w *openWorkspace) lastSealed(ctx context.Context, id workspace.SurveyID) (*sealedView, error) {
	sealings, err := w.Sealings(ctx, w.person, id)
	if err != nil || len(sealings) == 0 {
		return nil, err
	}
	last := sealings[len(sealings)-1]
	view := &sealedView{Sequence: last.Sequence, Digest: last.File}
	if path := w.sealedPath(id, last.Sequence); exists(path) {
		view.Path = path
	}
	return view, nil
}

// approvalView is an approval that counts.
type approvalView struct {
	Step string `json:"step"` // its name
	By   string `json:"by"`
	With string `json:"with,omitempty"` // what signed; empty where nobody signed
}

// approvals returns those that count for what would be sealed now.
func (w *openWorkspace) approvals(ctx context.Context, survey workspace.Survey) ([]approvalView, error) {
	so, err := w.SignOff(ctx, w.person, survey.ID)
	if err != nil {
		return nil, err
	}
	var all []approvalView
	for i, d := range so.Standing(survey.Digest) {
		one := approvalView{Step: so.Chain[i].Name, By: d.By}
		if d.Signed() {
			one.With = signedWith(d.Approval)
		}
		all = append(all, one)
	}
	return all, nil
}

type blockerView struct {
	Kind    assess.BlockerKind `json:"kind"`
	Outcome string             `json:"outcome,omitempty"`
}

func runWorkspaceStatus(ctx context.Context, env Env, dir, only string, f lockFlags, asJSON bool) (err error) {
	w, err := openWorkspaceDir(ctx, env, dir, f)
	if err != nil {
		return err
	}
	defer w.close(&err)
	if err := w.finishSealing(ctx, env); err != nil { // of a sealing that was interrupted
		return err
	}
	var s workspaceStatus
	is, err := w.Identity(ctx)
	if err != nil {
		return err
	}
	s.Member, s.Marking = is.Member, is.Marking
	surveys, err := w.Surveys(ctx, w.person)
	if err != nil {
		return err
	}
	if only != "" {
		one, err := w.Survey(ctx, w.person, workspace.SurveyID(only))
		if err != nil {
			return err
		}
		surveys = []workspace.Survey{one}
	}
	s.Surveys = make([]surveyStatus, len(surveys))
	for i, survey := range surveys {
		blockers, err := w.Blockers(ctx, w.person, survey.ID)
		if err != nil {
			return err
		}
		s.Surveys[i] = newSurveyStatus(survey, blockers)
		if s.Surveys[i].Signed, err = w.approvals(ctx, survey); err != nil {
			return err
		}
		if s.Surveys[i].Sealed, err = w.lastSealed(ctx, survey.ID); err != nil {
			return err
		}
	}
	if asJSON {
		return json.NewEncoder(env.Out).Encode(s)
	}
	return s.write(env, surveys, only != "")
}

func newSurveyStatus(s workspace.Survey, blockers []assess.Blocker) surveyStatus {
	status := surveyStatus{
		ID: s.ID, Pack: s.Pack, State: s.State, Charter: s.Charter, Before: s.Before, Answered: s.Progress.Answered,
		Carried: s.Progress.Carried, Outcomes: s.Progress.Of, Sealings: s.Sealings, Blockers: make([]blockerView, len(blockers)),
	}
	if !s.Deadline.IsZero() {
		status.Deadline = &s.Deadline
	}
	for i, b := range blockers {
		status.Blockers[i] = blockerView{b.Kind, b.Outcome}
	}
	return status
}

func (s workspaceStatus) write(env Env, surveys []workspace.Survey, all bool) error {
	var b strings.Builder
	b.WriteString(markingLine(s.Marking))
	fmt.Fprintf(&b, "workspace of %s\n", s.Member)
	for i, survey := range surveys {
		fmt.Fprintf(&b, "%s: %s\n", survey.ID, surveyText(survey))
		blockers := s.Surveys[i].Blockers
		for _, a := range s.Surveys[i].Signed {
			with := "; nobody signed"
			if a.With != "" {
				with = "\n    " + strings.ReplaceAll(a.With, "\n", "\n    ")
			}
			fmt.Fprintf(&b, "  %s: approved by %s%s\n", a.Step, a.By, with)
		}
		if sealed := s.Surveys[i].Sealed; sealed != nil && sealed.Path != "" {
			fmt.Fprintf(&b, "  submission %d lies at %s\n", sealed.Sequence, sealed.Path)
		} else if sealed != nil {
			fmt.Fprintf(&b, "  submission %d was sealed, and its file is not in the folder\n", sealed.Sequence)
		}
		switch {
		case survey.State != workspace.StateOpen:
		case len(blockers) == 0:
			b.WriteString("  nothing keeps it from being sealed\n")
		case !all:
			fmt.Fprintf(&b, "  %s; muster workspace status %s lists them\n", plural(len(blockers), "one thing keeps it from being sealed", "%d things keep it from being sealed"), survey.ID)
		default:
			for _, blocker := range blockers {
				fmt.Fprintf(&b, "  %s\n", blocker)
			}
		}
	}
	if _, err := env.Out.Write([]byte(b.String())); err != nil {
		return err
	}
	if len(surveys) == 0 {
		say(env, "there is nothing to answer yet; next: muster workspace load")
	}
	return nil
}

// String says what has to be done.
func (b blockerView) String() string {
	words := map[assess.BlockerKind]string{
		assess.BlockerUnanswered: "is not answered",
		assess.BlockerCarried:    "has last cycle's answer, which nobody has confirmed",
		assess.BlockerReason:     "does not apply, and nobody has said why",
		assess.BlockerProposal:   "has another level than the bodies' answers give, and nobody has said why",
		assess.BlockerImpossible: "has a value that cannot be",
		assess.BlockerAnew:       "has another level than the bodies' answers give by now, and the reason is about what they gave before",
		assess.BlockerWaiting:    "is answered while bodies have not confirmed what they gave last cycle, and no reason says why it is decided without them",
		assess.BlockerVerified:   "changed after it was verified",
		assess.BlockerSignOff:    "the sign-off waits for its next step",
	}
	if b.Outcome == "" {
		return words[b.Kind]
	}
	return b.Outcome + " " + words[b.Kind]
}

// markingLine is what a text of a marked workspace begins with.
func markingLine(marking string) string {
	if marking == "" {
		return ""
	}
	return marking + "\n"
}

// surveyText says where a survey stands, in a line.
func surveyText(s workspace.Survey) string {
	text := fmt.Sprintf("%s %s, %s, %d of %d answered", s.Pack.ID, s.Pack.Version, s.State, s.Progress.Answered, s.Progress.Of)
	if s.Progress.Carried > 0 {
		text += fmt.Sprintf(", %d to confirm", s.Progress.Carried)
	}
	if !s.Deadline.IsZero() {
		text += ", until " + s.Deadline.Format(pageTime)
	}
	return text
}
