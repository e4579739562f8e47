package workspace

import (
	"html/template"
	"strings"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
)

// questionView is one outcome with everything that is kept about it.
type questionView struct {
	*outcomeTexts
	T            func(string, ...any) string
	One          bool
	Action       string
	Anchor       string
	Rev          string
	State        string
	Carried      bool
	Level        string // the value of the level that is given; empty for none
	Reason       string
	Evidence     string
	Target       string
	TargetDate   string
	Note         string
	Assignee     string
	Flagged      bool
	Grades       []option
	Targets      []option
	Saved        string // who and when
	History      string
	Last         *lastView
	Proposal     *proposalView
	References   []referenceView
	Comments     []commentView
	RefsHead     string
	CommentsHead string
	Unproven     bool
	Differs      bool
	ShowReason   bool
	ReasonLabel  string
	ConfirmLabel string
}

// option is a choice of a list.
type option struct {
	Value, Text string
	Selected    bool
}

// lastView is what was answered in the cycle before.
type lastView struct {
	Says string
	Chip chip
	Note string
}

type referenceView struct {
	ID, Place, Title, Link, Digest string
	Saved                          string
}

type commentView struct {
	Text, Who string
}

// proposalView is what the bodies contributed, and what the pack's rule makes of it.
type proposalView struct {
	Heading string
	Bodies  []bodyAnswer
	Says    string
	Rule    template.HTML
	Chip    chip
	Lowest  chip
	Value   string
}

type bodyAnswer struct {
	ID, Name string
	Chip     chip
	Note     string
	Said     bool
	Low      bool // below what is proposed
}

// question draws one outcome.
func (v *visit) question(o *framework.Outcome, s *state, one bool) *questionView {
	saved := s.entries[o.ID]
	e := saved.Entry
	q := &questionView{
		outcomeTexts: v.outcomes[o.ID], T: v.T, One: one, Action: v.to.outcome(v.survey.ID, o.ID), Anchor: anchor(o.ID), Rev: itoa(saved.Rev),
		State: stateOf(e), Carried: e.Carried, Reason: e.Reason, TargetDate: e.TargetDate, Note: e.Note, Assignee: e.Assignee, Flagged: e.Flagged,
		Saved: v.when(saved.Revised), History: v.to.outcome(v.survey.ID, o.ID, "history"), Unproven: unproven(e),
	}
	if e.Level != framework.None {
		q.Level = e.Level.String()
	}
	if e.Evidence != framework.NoEvidence {
		q.Evidence = e.Evidence.String()
	}
	if e.Target != framework.None {
		q.Target = e.Target.String()
	}
	q.Grades = v.grades(e.Evidence)
	q.Targets = v.targets(e.Target)
	q.Last = v.last(s.before[o.ID], e)
	q.Proposal = v.proposal(o, s)
	q.Differs = q.Proposal != nil && s.proposals[o.ID].Level != framework.None && e.Answered() && e.Level != s.proposals[o.ID].Level
	q.ShowReason = e.Level == framework.NotApplicable || e.Reason != "" || q.Differs
	q.ReasonLabel = v.T("ask.reason")
	q.ConfirmLabel = v.T("ask.confirm")
	for _, ref := range s.references[o.ID] {
		view := referenceView{ID: ref.ID, Place: ref.Place, Title: ref.Title, Saved: v.when(ref.Revised), Digest: ref.SHA256}
		if strings.HasPrefix(strings.ToLower(ref.Place), "https://") {
			view.Link = ref.Place
		}
		q.References = append(q.References, view)
	}
	for _, c := range s.comments[o.ID] {
		view := commentView{Text: c.Text, Who: v.when(c.Revised)}
		if name := s.bodies[c.Body]; name != "" {
			view.Who += " · " + name
		}
		q.Comments = append(q.Comments, view)
	}
	q.RefsHead = v.N("ask.references", len(q.References))
	q.CommentsHead = v.N("ask.comments", len(q.Comments))
	return q
}

func (v *visit) grades(selected framework.Grade) []option {
	var all []option
	for _, g := range []framework.Grade{framework.NoEvidence, framework.E0, framework.E1, framework.E2, framework.E3} {
		value := ""
		if g != framework.NoEvidence {
			value = g.String()
		}
		all = append(all, option{value, v.grade(g), g == selected})
	}
	return all
}

func (v *visit) targets(selected framework.Level) []option {
	all := []option{{"", v.T("target.none"), selected == framework.None}}
	for _, l := range assess.Targets() {
		if l.Given() {
			all = append(all, option{l.String(), l.String(), l == selected})
		}
	}
	return all
}

// last says what was answered in the cycle before, and whether it looks unchanged.
func (v *visit) last(before workspace.Saved, now assess.Entry) *lastView {
	if before.Rev == 0 || before.Entry.Level == framework.None {
		return nil
	}
	e := before.Entry
	view := &lastView{Chip: v.chip(e.Level), Note: e.Note}
	var words []string
	if !e.Level.Given() { // a number stands in the chip
		words = append(words, v.level(e.Level))
	}
	if e.Evidence != framework.NoEvidence {
		words = append(words, v.T("last.evidence", "Grade", e.Evidence.String()))
	}
	if e.Target != framework.None {
		words = append(words, v.T("last.target", "Level", e.Target.String()))
	}
	view.Says = strings.Join(words, " · ")
	if now.Note == e.Note { // it stands in the form already
		view.Note = ""
	}
	return view
}

// proposal puts the bodies side by side, with what the pack's rule makes of them.
func (v *visit) proposal(o *framework.Outcome, s *state) *proposalView {
	contributions := s.contributions[o.ID]
	if len(contributions) == 0 {
		return nil
	}
	p, spoke := s.proposals[o.ID]
	view := &proposalView{Heading: v.N("bodies.said", len(contributions)), Rule: v.ruleText(), Chip: v.chip(p.Level), Lowest: v.chip(p.Lowest), Value: p.Level.String()}
	number, _ := p.Level.Number()
	for _, c := range contributions {
		n, given := c.Level.Number()
		view.Bodies = append(view.Bodies, bodyAnswer{
			ID: c.Body, Name: nameOf(s.bodies, c.Body), Chip: v.chip(c.Level), Note: c.Note, Said: c.Level != framework.None,
			Low: p.Level.Given() && (!given && c.Level != framework.NotApplicable || given && n < number),
		})
	}
	for _, silent := range p.Silent {
		listed := false
		for _, c := range contributions {
			listed = listed || c.Body == silent
		}
		if !listed {
			view.Bodies = append(view.Bodies, bodyAnswer{ID: silent, Name: nameOf(s.bodies, silent), Chip: v.chip(framework.None), Low: p.Level.Given() && number > 0})
		}
	}
	switch {
	case !spoke || p.Level == framework.None:
		view.Says = v.T("proposal.none")
	case p.Level == framework.NotApplicable:
		view.Says = v.T("proposal.na")
	default:
		view.Says = v.T("proposal.is", "Level", p.Level.String(), "N", p.Reached, "Of", p.Of, "Lowest", v.level(p.Lowest))
		if n := len(p.Silent); n > 0 {
			view.Says += " " + v.N("proposal.silent", n)
		}
	}
	return view
}

func nameOf(names map[string]string, id string) string {
	if name := names[id]; name != "" {
		return name
	}
	return id
}
