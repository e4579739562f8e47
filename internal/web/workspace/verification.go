package workspace

import (
	"maps"
	"net/http"
	"slices"
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
	Passkey      *passkeyView // nil where nobody signs with passkeys
	May          mayView
	Done         progressView
	Evidence     web.Link
	Request      string // the command that asks for a signed opinion
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
	Shown    string // the level that is claimed, as the form sends it
	Finding  assess.Finding
	Levels   []option
	Saved    string
	Answered bool // there is something to reply to
	Lower    bool // verified lower than claimed
	Same     bool // who found it has answered it herself
}

type opinionView struct {
	Text, Who string
	Signed    string
	Holds     bool
	Same      string // that who gives it has answered herself
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
	view := verificationView{Kicker: v.kicker(), Action: v.to.under(id, "verification", "finding"), OpinionTo: v.to.under(id, "verification", "opinion"), Digest: digest, Passkey: p.passkey(v, "verification"), May: v.may("verification")}
	why := make(map[string][]string)
	for _, pick := range picks {
		for _, reason := range pick.Why {
			why[pick.Outcome] = append(why[pick.Outcome], v.T("why."+string(reason)))
		}
	}
	extra := r.URL.Query().Get("outcome")
	opinion, holds, opinionErr := p.service.Opinion(ctx, v.person, id)
	given := opinionErr == nil
	if !given && errs.KindOf(opinionErr) != errs.NotFound {
		return opinionErr
	}
	answerers := make(map[string]string)
	if of := heldAgainst(findings, given); given || len(of) > 0 { // an opinion is held against whoever answered anything
		if answerers, err = p.service.Answerers(ctx, v.person, id, of...); err != nil {
			return err
		}
	}
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
		card := v.finding(o, s, finding, reasons)
		card.Same = found && samePerson(finding.Finding.By, answerers[o.ID])
		view.Cards = append(view.Cards, card)
	}
	view.Done = v.progress("verified", v.T("progress.verified"), progress)
	view.Lead = v.N("verify.lead", len(view.Cards), "Of", len(v.pack.Outcomes()))
	if given {
		view.Opinion = &opinionView{Text: opinion.Text, Holds: holds, Who: v.T("saved.by", "Name", opinion.By, "Date", v.Date(opinion.At.Unix()), "Time", opinion.At.UTC().Format("15:04")), Signed: v.signedOpinion(opinion)}
		view.Opinion.Same = v.sameOpinion(answerers, opinion)
	}
	view.Evidence = web.Link{Text: v.T("evidence.title"), Href: v.to.under(id, "evidence")}
	view.Request = "muster workspace signoff request --survey " + string(id) + " --opinion --out request.json"
	view.Page = p.page(v, v.T("nav.verification"), v.to.under(id, "verification"), surveyPath(id)+"verification")
	p.render(w, http.StatusOK, "verification", view)
	return nil
}

// sameOpinion says that an opinion is by somebody who has answered herself, or nothing.
func (v *visit) sameOpinion(answerers map[string]string, o workspace.Opinion) string {
	for _, name := range answerers {
		if samePerson(name, o.By) {
			return v.T("verify.sameOpinion")
		}
	}
	return ""
}

// heldAgainst returns the outcomes of whose answers a name is asked: those that have a finding, or none, which is all, where an opinion
// is given on them.
func heldAgainst(findings map[string]workspace.SavedFinding, opinion bool) []string {
	if opinion {
		return nil
	}
	return slices.Sorted(maps.Keys(findings))
}

// samePerson reports whether two names are one.
func samePerson(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// signedOpinion says who signed an opinion, or that nobody did.
func (v *visit) signedOpinion(o workspace.Opinion) string {
	return v.signedBy(assess.Decision{By: o.By, Approval: o.Approval, Lapsed: o.Lapsed})
}

func (v *visit) finding(o *framework.Outcome, s *state, saved workspace.SavedFinding, why []string) findingView {
	e := s.entries[o.ID].Entry
	f := findingView{
		outcomeTexts: v.outcomes[o.ID], Anchor: anchor(o.ID), Href: v.to.question(v.survey.ID, o.AreaID(), o.ID), Why: why,
		Claimed: v.chip(e.Level), Evidence: v.grade(e.Evidence), Note: e.Note, Rev: itoa(saved.Rev), Shown: levelValue(e.Level), Finding: saved.Finding, Saved: v.when(saved.Revised),
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
	of := one("outcome", o.ID)
	if r.PostForm.Has("reply") {
		_, err = p.service.Reply(r.Context(), v.person, v.survey.ID, o.ID, base, text(r.PostForm, "reply"))
	} else {
		if !r.PostForm.Has("claimed") {
			return errs.New(errs.Invalid, "the form does not say which level was looked at", "load the page again")
		}
		of = append(of, hidden{"claimed", r.PostForm.Get("claimed")})
		var claimed, verified framework.Level
		if claimed, err = readLevel(r.PostForm.Get("claimed")); err != nil {
			return err
		}
		if verified, err = readLevel(r.PostForm.Get("verified")); err != nil {
			return err
		}
		_, err = p.service.PutFinding(r.Context(), v.person, v.survey.ID, base, assess.Finding{
			Outcome: o.ID, Seen: text(r.PostForm, "seen"), Found: text(r.PostForm, "found"), Verified: verified, Claimed: claimed,
		})
	}
	if err != nil {
		place := clashPlace{v.to.under(v.survey.ID, "verification", "finding"), of, web.Link{Text: v.T("conflict.leave"), Href: v.to.under(v.survey.ID, "verification") + "#" + anchor(o.ID)}}
		if r.PostForm.Has("reply") {
			return clashed(p, w, v, err, place, replyFields(v))
		}
		return clashed(p, w, v, err, place, findingFields(v))
	}
	return back(w, r, v.to.under(v.survey.ID, "verification")+"#"+anchor(o.ID))
}

func (p *Pages) putOpinion(w http.ResponseWriter, r *http.Request, v *visit) error {
	if p.team != nil {
		return errUnsigned()
	}
	err := p.service.PutOpinion(r.Context(), v.person, v.survey.ID, workspace.Opinion{
		Text: text(r.PostForm, "text"), Digest: r.PostForm.Get("digest"), By: v.person.Name,
	})
	if err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "verification")+"#opinion")
}
