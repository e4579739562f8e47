package workspace

import (
	"html/template"
	"net/http"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// verificationView is the verifier's page: what to look at and why, what was found,
// and the opinion.
type verificationView struct {
	web.Page
	Kicker, Lead string
	Action       string
	Cards        []findingView
	Others       []option // outcomes outside of the sample
	OpinionTo    string
	Digest       string
	Opinion      *opinionView
	Done         progressView
}

type findingView struct {
	*outcomeTexts
	Anchor   string
	Href     string
	Why      []string
	Claimed  chip
	Evidence string
	Note     string
	Places   []referenceView
	Rev      string
	Finding  assess.Finding
	Levels   []option
	Saved    string
	Answered bool // there is something to reply to
	Lower    bool // verified lower than claimed
}

type opinionView struct {
	Text, Who string
	Holds     bool
}

// sampleSize is how many outcomes are proposed: a quarter, eight at least.
func sampleSize(outcomes int) int { return max(8, (outcomes+3)/4) }

func (p *Pages) verification(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	s, err := p.state(ctx, v)
	if err != nil {
		return err
	}
	picks, err := p.service.Sample(ctx, v.person, id, sampleSize(len(v.pack.Outcomes())))
	if err != nil {
		return err
	}
	findings, err := p.service.Findings(ctx, v.person, id)
	if err != nil {
		return err
	}
	digest, err := p.service.FindingsDigest(ctx, v.person, id)
	if err != nil {
		return err
	}
	view := verificationView{Kicker: v.kicker(), Action: v.to.under(id, "verification", "finding"), OpinionTo: v.to.under(id, "verification", "opinion"), Digest: digest}
	why := make(map[string][]string)
	for _, pick := range picks {
		for _, reason := range pick.Why {
			why[pick.Outcome] = append(why[pick.Outcome], v.T("why."+string(reason)))
		}
	}
	extra := r.URL.Query().Get("outcome")
	progress := assess.Progress{}
	for _, o := range v.pack.Outcomes() {
		finding, found := findings[o.ID]
		reasons, picked := why[o.ID]
		if !picked && !found && o.ID != extra {
			view.Others = append(view.Others, option{Value: o.ID, Text: o.ID + " " + v.outcomes[o.ID].plainTitle})
			continue
		}
		progress.Of++
		if finding.Finding.Verified != framework.None {
			progress.Answered++
		}
		view.Cards = append(view.Cards, v.finding(o, s, finding, reasons))
	}
	view.Done = v.progress("verified", v.T("progress.verified"), progress)
	view.Lead = v.N("verify.lead", len(view.Cards), "Of", len(v.pack.Outcomes()))
	opinion, holds, err := p.service.Opinion(ctx, v.person, id)
	switch {
	case err == nil:
		view.Opinion = &opinionView{Text: opinion.Text, Holds: holds, Who: v.T("saved.by", "Name", opinion.By, "Date", v.Date(opinion.At.Unix()), "Time", opinion.At.UTC().Format("15:04"))}
	case errs.KindOf(err) != errs.NotFound:
		return err
	}
	view.Page = p.page(v, v.T("nav.verification"), v.to.under(id, "verification"), surveyPath(id)+"verification")
	p.render(w, http.StatusOK, "verification", view)
	return nil
}

func (v *visit) finding(o *framework.Outcome, s *state, saved workspace.SavedFinding, why []string) findingView {
	e := s.entries[o.ID].Entry
	f := findingView{
		outcomeTexts: v.outcomes[o.ID], Anchor: anchor(o.ID), Href: v.to.question(v.survey.ID, o.AreaID(), o.ID), Why: why,
		Claimed: v.chip(e.Level), Evidence: v.grade(e.Evidence), Note: e.Note, Rev: itoa(saved.Rev), Finding: saved.Finding, Saved: v.when(saved.Revised),
		Answered: saved.Rev != 0,
	}
	claimed, given := e.Level.Number()
	verified, is := saved.Finding.Verified.Number()
	f.Lower = given && is && verified < claimed
	f.Levels = append(f.Levels, option{"", v.T("verify.open"), saved.Finding.Verified == framework.None})
	for _, l := range assess.Levels() {
		f.Levels = append(f.Levels, option{l.String(), v.level(l), l == saved.Finding.Verified})
	}
	for _, ref := range s.references[o.ID] {
		place := referenceView{Place: ref.Place, Title: ref.Title}
		if strings.HasPrefix(strings.ToLower(ref.Place), "https://") {
			place.Link = ref.Place
		}
		f.Places = append(f.Places, place)
	}
	return f
}

func (p *Pages) putFinding(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.known(r.PostForm.Get("outcome"))
	if err != nil {
		return err
	}
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	if r.PostForm.Has("reply") {
		_, err = p.service.Reply(r.Context(), v.person, v.survey.ID, o.ID, base, text(r.PostForm, "reply"))
	} else {
		var verified framework.Level
		if verified, err = readLevel(r.PostForm.Get("verified")); err != nil {
			return err
		}
		_, err = p.service.PutFinding(r.Context(), v.person, v.survey.ID, base, assess.Finding{
			Outcome: o.ID, Seen: text(r.PostForm, "seen"), Found: text(r.PostForm, "found"), Verified: verified,
		})
	}
	if err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "verification")+"#"+anchor(o.ID))
}

func (p *Pages) putOpinion(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := p.service.PutOpinion(r.Context(), v.person, v.survey.ID, workspace.Opinion{
		Text: text(r.PostForm, "text"), Digest: r.PostForm.Get("digest"), By: v.person.Name,
	})
	if err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "verification")+"#opinion")
}

// signoffView is the chain, whose turn it is, and what was decided.
type signoffView struct {
	web.Page
	Kicker, Heading, Lead string
	Steps                 []stepView
	Digest                string
	Turn                  *stepView
	Missing               string
	CheckHref, SheetHref  string
	DecisionTo, ChainTo   string
	Chain                 []chainRow // to change, with empty rows
	Decisions             []decisionView
	Returned              *decisionView
	Person                string
}

type chainRow struct{ ID, Name, Label string }

type stepView struct {
	ID, Name, Says string
	State          string // "done", "now", "waits"
}

type decisionView struct {
	Step, Says, Who, Reason string
	Void                    bool
}

func (p *Pages) signoff(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := p.signoffView(r, v)
	if err != nil {
		return err
	}
	view.Page = p.page(v, v.T("nav.signoff"), v.to.under(v.survey.ID, "signoff"), surveyPath(v.survey.ID)+"signoff")
	p.render(w, http.StatusOK, "signoff", view)
	return nil
}

func (p *Pages) signoffView(r *http.Request, v *visit) (signoffView, error) {
	ctx, id := r.Context(), v.survey.ID
	is, err := p.service.Sealable(ctx, v.person, id)
	if err != nil {
		return signoffView{}, err
	}
	so, err := p.service.SignOff(ctx, v.person, id)
	if err != nil {
		return signoffView{}, err
	}
	view := signoffView{
		Kicker: v.kicker(), Digest: is.Digest, CheckHref: v.to.under(id, "check"), SheetHref: v.to.under(id, "signoff", "sheet"),
		DecisionTo: v.to.under(id, "signoff", "decision"), ChainTo: v.to.under(id, "signoff", "chain"), Person: v.person.Name,
	}
	missing := 0
	for _, b := range is.Blockers {
		if b.Kind != assess.BlockerSignOff {
			missing++
		}
	}
	if missing > 0 {
		view.Missing = v.N("signoff.missing", missing)
	}
	turn, waiting := so.Next(is.Digest)
	names := make(map[string]string)
	passed := waiting
	for _, step := range so.Chain {
		names[step.ID] = step.Name
		one := stepView{ID: step.ID, Name: step.Name, State: "done", Says: v.T("signoff.approved")}
		switch {
		case waiting && step.ID == turn.ID:
			one.State, one.Says, passed = "now", v.T("signoff.turn"), false
			view.Turn = &one
		case waiting && !passed:
			one.State, one.Says = "waits", v.T("signoff.waits")
		}
		view.Steps = append(view.Steps, one)
	}
	for i := len(so.Decisions) - 1; i >= 0; i-- {
		d := so.Decisions[i]
		one := decisionView{
			Step: nameOf(names, d.Step), Reason: d.Reason, Void: d.Digest != is.Digest, Says: v.T("signoff.didApprove"),
			Who: v.T("saved.by", "Name", d.By, "Date", v.Date(d.At.Unix()), "Time", d.At.UTC().Format("15:04")),
		}
		if !d.Approved {
			one.Says = v.T("signoff.didReturn")
		}
		view.Decisions = append(view.Decisions, one)
	}
	if d, returned := so.Returned(is.Digest); returned {
		view.Returned = &decisionView{Step: nameOf(names, d.Step), Reason: d.Reason}
	}
	switch {
	case len(so.Chain) == 0:
		view.Heading, view.Lead = v.T("signoff.nobody"), v.T("signoff.nobodyLead")
	case waiting:
		view.Heading, view.Lead = v.T("signoff.waitsFor", "Name", turn.Name), v.T("signoff.lead")
	default:
		view.Heading, view.Lead = v.T("signoff.all"), v.T("signoff.allLead")
	}
	for _, step := range so.Chain {
		view.Chain = append(view.Chain, chainRow{step.ID, step.Name, v.T("signoff.step", "N", len(view.Chain)+1)})
	}
	for range min(2, assess.MaxSteps-len(so.Chain)) {
		view.Chain = append(view.Chain, chainRow{Label: v.T("signoff.step", "N", len(view.Chain)+1)})
	}
	return view, nil
}

func (p *Pages) setChain(w http.ResponseWriter, r *http.Request, v *visit) error {
	ids, names := r.PostForm["step"], r.PostForm["name"]
	if len(ids) != len(names) {
		return errs.New(errs.Invalid, "the form cannot be read", "load the page again")
	}
	var chain []assess.Step
	for i, name := range names {
		name = strings.TrimSpace(name)
		if name == "" { // a row without a name is taken out
			continue
		}
		step := assess.Step{ID: ids[i], Name: name}
		if step.ID == "" {
			step.ID = freshStep(ids, chain)
		}
		chain = append(chain, step)
	}
	if err := p.service.SetChain(r.Context(), v.person, v.survey.ID, chain); err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "signoff"))
}

// freshStep returns an id that no step of the chain has.
func freshStep(ids []string, chain []assess.Step) string {
	for n := 1; ; n++ {
		id := "step-" + itoa(workspace.Revision(n))
		taken := false
		for _, other := range ids {
			taken = taken || other == id
		}
		for _, step := range chain {
			taken = taken || step.ID == id
		}
		if !taken {
			return id
		}
	}
}

func (p *Pages) decide(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := p.service.Decide(r.Context(), v.person, v.survey.ID, assess.Decision{
		Step: r.PostForm.Get("step"), Digest: r.PostForm.Get("digest"), Approved: r.PostForm.Get("decision") == "approve",
		Reason: text(r.PostForm, "reason"), By: v.person.Name,
	})
	if err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "signoff"))
}

// sheetView is the decision sheet: what is decided, on paper.
type sheetView struct {
	signoffView
	Title   template.HTML
	Member  string
	Rows    []sheetRow
	Counts  []sheetCount
	Summary string
}

type sheetRow struct {
	ID                              string
	Title                           template.HTML
	Level, Before, Target, Evidence string
	Verified                        string
}

type sheetCount struct{ Name, Text string }

func (p *Pages) sheet(w http.ResponseWriter, r *http.Request, v *visit) error {
	so, err := p.signoffView(r, v)
	if err != nil {
		return err
	}
	is, err := p.service.Sealable(r.Context(), v.person, v.survey.ID)
	if err != nil {
		return err
	}
	view := sheetView{signoffView: so, Title: v.packTitle, Member: v.member}
	counts := make(map[framework.Level]int)
	for _, o := range v.pack.Outcomes() {
		row := sheetRow{ID: o.ID, Title: v.outcomes[o.ID].Title, Level: "–", Before: "–", Target: "–", Evidence: "–", Verified: "–"}
		if is.Before != nil {
			if b, ok := is.Before.Answers[o.ID]; ok {
				row.Before = v.chip(b.Level).Text
			}
		}
		if a, ok := is.Now.Answers[o.ID]; ok {
			counts[a.Level]++
			row.Level = v.chip(a.Level).Text
			if a.Target.Given() {
				row.Target = a.Target.String()
			}
			if a.Evidence != framework.NoEvidence {
				row.Evidence = a.Evidence.String()
			}
			if a.Verified != framework.None {
				row.Verified = v.chip(a.Verified).Text
			}
		}
		view.Rows = append(view.Rows, row)
	}
	for _, l := range assess.Levels() {
		view.Counts = append(view.Counts, sheetCount{v.level(l), v.Number(counts[l])})
	}
	view.Page = p.page(v, v.T("sheet.title"), "", surveyPath(v.survey.ID)+"signoff/sheet")
	p.render(w, http.StatusOK, "sheet", view)
	return nil
}
