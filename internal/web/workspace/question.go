package workspace

import (
	"bytes"
	"html/template"
	"strings"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
)

// option is a choice of a list.
type option struct {
	Value, Text string
	Selected    bool
}

type referenceView struct {
	ID, Place, Title, Link, Digest string
	Saved                          string
}

type commentView struct {
	Text, Who string
}

// keptView is the pieces of evidence, or the comments, of a question.
type keptView struct {
	T          func(string, ...any) string
	One        bool
	Answers    bool // references may be taken away
	Action     string
	References []referenceView
	Comments   []commentView
}

// proposalView is what the bodies contributed, and what the pack's rule makes of it.
type proposalView struct {
	T       func(string, ...any) string
	Heading string
	Bodies  []bodyAnswer
	Says    string
	Given   bool   // there is a level to take, by who may
	Anew    string // that the reason was written about something else, to who may say it again
	Mark    string // what it would be about
}

type bodyAnswer struct {
	Name string
	Chip chip
	Note string
	Says string // that it waits for the body, its reason, its evidence
}

// questions draws the questions of some outcomes.
func (p *Pages) questions(v *visit, outcomes []*framework.Outcome, s *state, one bool) (template.HTML, error) {
	var b strings.Builder
	for _, o := range outcomes {
		f, err := p.frameOf(v, o, one)
		if err != nil {
			return "", err
		}
		with, err := p.fill(v, o, s, one)
		if err != nil {
			return "", err
		}
		if err := f.write(&b, with); err != nil {
			return "", err
		}
	}
	return template.HTML(b.String()), nil
}

// frameKey names a frame: an address is in it, so the survey is, too.
type frameKey struct {
	survey  workspace.SurveyID
	digest  [32]byte
	lang    string
	outcome string
	one     bool
	answers bool // the person may answer
	remarks bool // the person may comment
}

func (p *Pages) frameOf(v *visit, o *framework.Outcome, one bool) (*frame, error) {
	key := frameKey{v.survey.ID, v.pack.Digest, v.Lang, o.ID, one, v.person.May(workspace.DoAnswer), v.person.May(workspace.DoRemark)}
	p.mu.Lock()
	f := p.frames[key]
	p.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, err := newFrame(p.templates["area"], frameView{
		outcomeTexts: v.outcomes[o.ID], T: v.T, One: one, Action: v.to.outcome(v.survey.ID, o.ID), Anchor: anchor(o.ID), Of: unsentOf(v.survey.ID, o.ID, ""),
		Answers: key.answers, Remarks: key.remarks,
	})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames[key] = f
	return f, nil
}

// fill says what goes into the frame of an outcome.
func (p *Pages) fill(v *visit, o *framework.Outcome, s *state, one bool) (filling, error) {
	saved := s.entries[o.ID]
	e, proposal := saved.Entry, s.proposals[o.ID]
	with := make(filling, 40)
	v.fillAnswer(o, e, with)
	with.text("rev", itoa(saved.Rev))
	with.text("state", stateOf(e))
	with.text("reason", e.Reason)
	with.text("date", e.TargetDate)
	with.text("note", e.Note)
	with.text("assignee", e.Assignee)
	with.text("saved", v.when(saved.Revised))
	with.attr("dot", " · ", saved.Rev != 0)
	with.attr("carried", "1", e.Carried)
	for _, l := range assess.Levels() {
		with.attr("level "+l.String(), "checked", l == e.Level)
	}
	differs := s.proposes(o.ID) && e.Answered() && e.Level != proposal.Level
	alone := e.Answered() && len(proposal.Waiting) > 0 // decided without bodies
	with.attr("reason shown", " shown", e.Level == framework.NotApplicable || e.Reason != "" || differs || alone)
	with.attr("evidence shown", " shown", e.Evidence != framework.NoEvidence)
	with.attr("proven", "hidden", !e.Unproven())
	with.attr("flagged", "checked", e.Flagged)
	with["grades"] = v.gradeOptions[e.Evidence]
	with["targets"] = v.targetOptions[e.Target]
	with.attr("proposal", "", false)
	v.fillLast(o, s.before[o.ID], e, with)
	if bodies := v.proposal(o, s); bodies != nil {
		if err := p.part(with, "proposal", bodies); err != nil {
			return nil, err
		}
	}
	if err := p.fillFault(o, s, with); err != nil {
		return nil, err
	}
	return with, p.fillKept(v, o, s, one, with)
}

// fillAnswer fills in what is read by who may not answer.
func (v *visit) fillAnswer(o *framework.Outcome, e assess.Entry, with filling) {
	with["answer chip"], with["answer says"], with["answer more"] = v.chips[e.Level], "", ""
	for _, l := range v.outcomes[o.ID].Levels {
		if l.Value == e.Level.String() {
			with["answer says"] = string(l.Text)
		}
	}
	if !e.Level.Given() {
		with.text("answer says", v.level(e.Level))
	}
	var b strings.Builder
	add := func(id, value string) {
		if value != "" {
			b.WriteString("<div><dt>" + template.HTMLEscapeString(v.T(id)) + "</dt><dd>" + template.HTMLEscapeString(value) + "</dd></div>")
		}
	}
	add("ask.reason", e.Reason)
	if e.Evidence != framework.NoEvidence {
		add("ask.evidence", v.grade(e.Evidence))
	}
	if e.Target.Given() {
		add("ask.target", v.level(e.Target))
	}
	add("ask.by", v.day(e.TargetDate))
	add("ask.note", e.Note)
	add("ask.assignee", e.Assignee)
	if e.Flagged {
		add("ask.flag", v.T("may.yes"))
	}
	if b.Len() > 0 {
		with["answer more"] = `<dl class="about">` + b.String() + "</dl>"
	}
}

// fillKept fills in evidence and comments.
func (p *Pages) fillKept(v *visit, o *framework.Outcome, s *state, one bool, with filling) error {
	kept := keptView{T: v.T, One: one, Answers: v.person.May(workspace.DoAnswer), Action: v.to.outcome(v.survey.ID, o.ID)}
	for _, ref := range s.references[o.ID] {
		view := referenceView{ID: ref.ID, Place: ref.Place, Title: ref.Title, Saved: v.when(ref.Revised), Digest: ref.SHA256}
		if strings.HasPrefix(strings.ToLower(ref.Place), "https://") {
			view.Link = ref.Place
		}
		kept.References = append(kept.References, view)
	}
	for _, c := range s.comments[o.ID] {
		view := commentView{Text: c.Text, Who: v.when(c.Revised)}
		if name := s.bodies[c.Body]; name != "" {
			view.Who += " · " + name
		}
		kept.Comments = append(kept.Comments, view)
	}
	with["references"], with["comments"] = "", ""
	with.attr("references open", "open", len(kept.References) > 0)
	with.attr("comments open", "open", len(kept.Comments) > 0)
	with["references head"], with["comments head"] = v.noReferences, v.noComments
	if n := len(kept.References); n > 0 {
		with.text("references head", v.N("ask.references", n))
		if err := p.part(with, "references", kept); err != nil {
			return err
		}
	}
	if n := len(kept.Comments); n > 0 {
		with.text("comments head", v.N("ask.comments", n))
		return p.part(with, "comments", kept)
	}
	return nil
}

// part fills a gap with what a template of the same name draws.
func (p *Pages) part(with filling, name string, view any) error {
	return p.partAs(with, name, name, view)
}

// partAs fills a gap with what a template draws.
func (p *Pages) partAs(with filling, gap, name string, view any) error {
	var b bytes.Buffer
	if err := p.templates["area"].ExecuteTemplate(&b, name, view); err != nil {
		return err
	}
	with[gap] = b.String()
	return nil
}

// proposes reports whether the bodies' answers to an outcome give a level.
func (s *state) proposes(outcome string) bool {
	p, ok := s.proposals[outcome]
	return ok && p.Level != framework.None
}

// fillLast says what was answered in the cycle before, and whether it looks unchanged.
func (v *visit) fillLast(o *framework.Outcome, before workspace.Saved, now assess.Entry, with filling) {
	e := before.Entry
	was := before.Rev != 0 && e.Level != framework.None
	with.attr("no last", "hidden", !was)
	with["last chip"], with["last says"], with["unchanged"] = "", "", ""
	if !was {
		return
	}
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
	with["last chip"] = v.chips[e.Level]
	with.text("last says", strings.Join(words, " · "))
	if now.Carried && v.person.May(workspace.DoAnswer) {
		with["unchanged"] = `<span class="unchanged"><span class="looks">` + v.looksUnchanged + `</span> <button type="submit" class="little" formaction="` +
			template.HTMLEscapeString(v.to.outcome(v.survey.ID, o.ID, "confirm")) + `" name="from" value="form" data-confirm>` + v.isUnchanged + `</button></span>`
	}
}

// proposal puts the bodies side by side, with what the pack's rule makes of them.
func (v *visit) proposal(o *framework.Outcome, s *state) *proposalView {
	contributions := s.contributions[o.ID]
	if len(contributions) == 0 {
		return nil
	}
	p := s.proposals[o.ID]
	view := &proposalView{T: v.T, Heading: v.N("bodies.said", len(contributions)), Given: s.proposes(o.ID)}
	said := make(map[string]bool)
	for _, c := range contributions {
		said[c.Body] = true
		body := bodyAnswer{Name: nameOf(s.bodies, c.Body), Chip: v.chip(c.Level), Note: c.Note}
		var says []string
		if c.Carried {
			says = append(says, v.T("proposal.lastYear"))
		}
		switch {
		case c.Reason != "":
			says = append(says, c.Reason)
		case c.Level == framework.NotApplicable:
			says = append(says, v.T("proposal.noReason"))
		}
		if c.Evidence != framework.NoEvidence {
			says = append(says, v.T("last.evidence", "Grade", c.Evidence.String()))
		}
		if c.Place != "" {
			says = append(says, c.Place)
		}
		if c.Entry().Unproven() {
			says = append(says, v.T("row.unproven"))
		}
		body.Says = strings.Join(says, " · ")
		view.Bodies = append(view.Bodies, body)
	}
	for _, silent := range p.Silent {
		if !said[silent] {
			view.Bodies = append(view.Bodies, bodyAnswer{Name: nameOf(s.bodies, silent), Chip: v.chip(framework.None)})
		}
	}
	switch n := len(p.Waiting); {
	case n > 0:
		view.Says = v.N("proposal.waiting", n, "Of", p.Asked)
	case !view.Given:
		view.Says = v.T("proposal.none")
	case p.Level == framework.NotApplicable:
		view.Says = v.T("proposal.na")
	default:
		view.Says = v.T("proposal.is", "Level", p.Level.String(), "N", p.Reached, "Of", p.Of, "Lowest", v.level(p.Lowest))
		if n := len(p.Silent); n > 0 {
			view.Says += " " + v.N("proposal.silent", n)
		}
	}
	view.Given = view.Given && v.person.May(workspace.DoAnswer)
	if e := s.entries[o.ID].Entry; v.person.May(workspace.DoAnswer) && e.Reason != "" && !p.Meant(e.About) && p.Mark() != "" && e.Level != p.Level {
		view.Anew, view.Mark = v.T("proposal.anew"), p.Mark()
	}
	return view
}

func nameOf(names map[string]string, id string) string {
	if name := names[id]; name != "" {
		return name
	}
	return id
}
