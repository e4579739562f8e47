package workspace

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// signoffView is the chain, whose turn it is, and what was decided.
type signoffView struct {
	web.Page
	Kicker, Heading, Lead string
	Steps                 []stepView
	Digest                string
	Hosts                 string // who gets the halves of what is decided
	Turn                  *stepView
	Missing               string
	CheckHref, SheetHref  string
	DecisionTo, ChainTo   string
	Chain                 []chainRow // to change, with empty rows
	Decisions             []decisionView
	Returned              *decisionView
	Person                string
	Keys                  []keyView
	KeyTo                 string
	Commands              []string // that sign where it is the turn of a step that asks for it
	Opinion               *opinionView
	Passkey               *passkeyView // nil where nobody signs with passkeys
	Decides               bool         // at the step whose turn it is
	Twice                 string       // that she has approved at an earlier step, which keeps her from this one
	May                   mayView
	Statements            []web.Link // the signed files that count now
}

type chainRow struct {
	ID, Name, Label string
	N               int
	Signed, Again   bool
}

type stepView struct {
	ID, Name, Says string
	State          string // "done", "now", "waits"
	Signed         string // who signed, or that nobody did; of a step that has approved
	Asks           bool   // for a signature
}

type decisionView struct {
	Step, Says, Who, Reason string
	Signed                  string
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
	if u := is.Under(); u != nil {
		view.Hosts = v.T("signoff.hosts", "Leader", string(u.Leader), "Helper", string(u.Helper), "Date", v.Date(u.Deadline), "Charter", u.Charter[:12])
	} else if is.Pack.AnsweredBy != framework.ByCoordinator {
		view.Hosts = v.T("signoff.noHosts")
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
	registered, err := p.service.Approvers(ctx, v.person)
	if err != nil {
		return signoffView{}, err
	}
	view.Keys, view.KeyTo = v.keys(registered, so.Chain), v.to.under(id, "signoff", "key")
	view.Passkey, view.May = p.passkey(v, "signoff"), v.may("signoff")
	turn, waiting := so.Next(is.Digest)
	view.Decides = waiting && v.person.DecidesAt(turn.ID)
	if earlier, twice := so.Twice(assess.Decision{Step: turn.ID, Digest: is.Digest, By: v.person.Name}); twice && view.Decides {
		view.Twice = v.T("signoff.twice", "Name", earlier.Name)
	}
	standing := so.Standing(is.Digest)
	names := make(map[string]string)
	passed := waiting
	for i, step := range so.Chain {
		names[step.ID] = step.Name
		one := stepView{ID: step.ID, Name: step.Name, State: "done", Says: v.T("signoff.approved"), Asks: step.Signed}
		if i < len(standing) {
			one.Signed = v.signedBy(standing[i])
		}
		switch {
		case waiting && step.ID == turn.ID:
			one.State, one.Says, passed = "now", v.T("signoff.turn"), false
			view.Turn = &one
			if step.Signed && p.team == nil {
				view.Commands = []string{
					fmt.Sprintf("muster workspace approve --survey %s --step %d --key KEYFILE", id, i+1),
					fmt.Sprintf("muster workspace signoff request --survey %s --step %d --out request.json", id, i+1),
				}
			}
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
		if one.Signed = v.signedBy(d); !d.Approved {
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
		view.Chain = append(view.Chain, chainRow{step.ID, step.Name, v.T("signoff.step", "N", len(view.Chain)+1), len(view.Chain), step.Signed, step.Again})
	}
	for range min(2, assess.MaxSteps-len(so.Chain)) {
		view.Chain = append(view.Chain, chainRow{Label: v.T("signoff.step", "N", len(view.Chain)+1), N: len(view.Chain)})
	}
	parts, err := p.service.Signed(ctx, v.person, id)
	if err != nil {
		return signoffView{}, err
	}
	for _, part := range parts {
		view.Statements = append(view.Statements, web.Link{Text: part.Name, Href: v.to.under(id, "signoff", "statement", part.Name)})
	}
	opinion, holds, err := p.service.Opinion(ctx, v.person, id)
	switch {
	case err == nil:
		view.Opinion = &opinionView{Text: opinion.Text, Holds: holds, Who: opinion.By, Signed: v.signedOpinion(opinion)}
		answerers, err := p.service.Answerers(ctx, v.person, id)
		if err != nil {
			return signoffView{}, err
		}
		view.Opinion.Same = v.sameOpinion(answerers, opinion)
	case errs.KindOf(err) != errs.NotFound:
		return signoffView{}, err
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
		step := assess.Step{ID: ids[i], Name: name, Signed: slices.Contains(r.PostForm["signed"], strconv.Itoa(i)), Again: len(chain) > 0 && slices.Contains(r.PostForm["again"], strconv.Itoa(i))}
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
	approve := r.PostForm.Get("decision") == "approve"
	if approve && p.team != nil {
		return errUnsigned()
	}
	if so, err := p.service.SignOff(r.Context(), v.person, v.survey.ID); err != nil {
		return err
	} else if approve && slices.ContainsFunc(so.Chain, func(s assess.Step) bool { return s.ID == r.PostForm.Get("step") && s.Signed }) {
		return errSigned()
	}
	_, err := p.service.Decide(r.Context(), v.person, v.survey.ID, assess.Decision{
		Step: r.PostForm.Get("step"), Digest: r.PostForm.Get("digest"), Approved: approve,
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
	Alone                           string // without which bodies it is decided
	Same                            bool   // who verified it has answered it herself
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
	waiting, err := p.waiting(r, v)
	if err != nil {
		return err
	}
	findings, err := p.service.Findings(r.Context(), v.person, v.survey.ID)
	if err != nil {
		return err
	}
	answerers, err := p.service.Answerers(r.Context(), v.person, v.survey.ID)
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
			if bodies := waiting[o.ID]; bodies != "" {
				row.Alone = v.T("sheet.alone", "Bodies", bodies)
			}
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
				row.Same = samePerson(findings[o.ID].Finding.By, answerers[o.ID])
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
