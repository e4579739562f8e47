package workspace

import (
	"html"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/web"
)

var tag = regexp.MustCompile(`<[^>]*>`)

// stripTags returns the text of HTML that the kit wrote.
func stripTags(s string) string { return html.UnescapeString(tag.ReplaceAllString(s, "")) }

// toQuestion leads back to an outcome's question.
func (v *visit) toQuestion(w http.ResponseWriter, r *http.Request, o *framework.Outcome) error {
	if r.PostForm.Get("one") == "1" {
		return back(w, r, v.to.one(v.survey.ID, o.AreaID(), o.ID))
	}
	return back(w, r, v.to.question(v.survey.ID, o.AreaID(), o.ID))
}

func (p *Pages) comment(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	if _, err := p.service.Comment(r.Context(), v.person, v.survey.ID, o.ID, r.PostForm.Get("body"), text(r.PostForm, "text")); err != nil {
		return err
	}
	return v.toQuestion(w, r, o)
}

func (p *Pages) reference(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	if id := r.PostForm.Get("remove"); id != "" {
		err = p.service.RemoveReference(r.Context(), v.person, v.survey.ID, o.ID, id)
	} else {
		err = p.addReference(r.Context(), v, assess.Reference{Outcome: o.ID, Place: text(r.PostForm, "place"), Title: text(r.PostForm, "title"), SHA256: strings.ToLower(text(r.PostForm, "sha256"))})
	}
	if err != nil {
		return err
	}
	return v.toQuestion(w, r, o)
}

func (p *Pages) contribute(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	c, err := readContribution(r.PostForm, r.PostForm.Get("body"))
	if err != nil {
		return err
	}
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	if r.PostForm.Has("confirm") { // the level that was carried over is given
		c.Carried = false
	}
	if _, err := p.service.Contribute(r.Context(), v.person, v.survey.ID, o.ID, base, c); err != nil {
		place := clashPlace{v.to.outcome(v.survey.ID, o.ID, "contribution"), one("body", c.Body), web.Link{Text: v.T("conflict.leave"), Href: v.to.under(v.survey.ID, "bodies") + "?area=" + o.AreaID() + "#" + anchor(o.ID)}}
		return clashed(p, w, v, err, place, contributionFields(v))
	}
	return back(w, r, v.to.under(v.survey.ID, "bodies")+"?area="+o.AreaID()+"#"+anchor(o.ID))
}

// historyView is every revision of an outcome's entry, the latest first.
type historyView struct {
	web.Page
	Heading   template.HTML
	ID        string
	Lead      string
	Revisions []revisionView
	Back, All web.Link // All is everything about the outcome
	Older     *web.Link
}

type revisionView struct {
	Who     string
	Chip    chip
	Changes []changeView
}

type changeView struct{ Name, Before, After string }

func (p *Pages) history(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	all, err := p.service.History(r.Context(), v.person, v.survey.ID, o.ID)
	if err != nil {
		return err
	}
	view := historyView{
		Heading: v.outcomes[o.ID].Title, ID: o.ID, Lead: v.N("history.lead", len(all)),
		Back: web.Link{Text: v.T("history.back"), Href: v.to.question(v.survey.ID, o.AreaID(), o.ID)},
		All:  web.Link{Text: v.T("history.all"), Href: v.to.under(v.survey.ID, "history") + "?outcome=" + o.ID},
	}
	until, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // 0: from the latest on
	for i := len(all) - 1; i >= 0; i-- {
		if until > 0 && int64(all[i].Rev) >= until {
			continue
		}
		if len(view.Revisions) == mostEvents {
			view.Older = &web.Link{Text: v.T("events.older"), Href: v.to.outcome(v.survey.ID, o.ID, "history") + "?before=" + itoa(all[i+1].Rev)}
			break
		}
		var before assess.Entry
		if i > 0 {
			before = all[i-1].Entry
		}
		now := all[i].Entry
		revision := revisionView{Who: v.when(all[i].Revised), Chip: v.chip(now.Level)}
		for _, f := range assess.Changed(before, now) {
			change := changeView{Name: v.T("field." + string(f)), After: v.value(f, now)}
			if i > 0 {
				change.Before = v.value(f, before)
			}
			revision.Changes = append(revision.Changes, change)
		}
		view.Revisions = append(view.Revisions, revision)
	}
	view.Page = p.page(v, v.T("history.title", "ID", o.ID), "", surveyPath(v.survey.ID)+"outcome/"+o.ID+"/history")
	p.render(w, http.StatusOK, "history", view)
	return nil
}

// checkView lists what keeps a survey from being sealed, and what deserves a second
// look.
type checkView struct {
	web.Page
	Kicker, Heading, Lead string
	Groups                []checkGroup
	Second                []checkItem
}

type checkGroup struct {
	Heading string
	Items   []checkItem
}

type checkItem struct {
	ID, Says string
	Title    template.HTML
	Href     string
}

// waiting names the bodies that have not confirmed what they gave in the cycle before, by
// outcome.
func (p *Pages) waiting(r *http.Request, v *visit) (map[string]string, error) {
	proposals, err := p.service.Proposals(r.Context(), v.person, v.survey.ID)
	if err != nil {
		return nil, err
	}
	names, err := p.bodyNames(r.Context(), v)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	for outcome, proposal := range proposals {
		var waiting []string
		for _, id := range proposal.Waiting {
			waiting = append(waiting, nameOf(names, id))
		}
		if len(waiting) > 0 {
			all[outcome] = v.List(waiting)
		}
	}
	return all, nil
}

func (p *Pages) check(w http.ResponseWriter, r *http.Request, v *visit) error {
	is, err := p.service.Sealable(r.Context(), v.person, v.survey.ID)
	if err != nil {
		return err
	}
	view := checkView{Kicker: v.kicker(), Heading: v.N("check.heading", len(is.Blockers)), Lead: v.T("check.lead")}
	if len(is.Blockers) == 0 {
		view.Heading, view.Lead = v.T("check.none"), v.T("check.noneLead")
	}
	waiting, err := p.waiting(r, v)
	if err != nil {
		return err
	}
	groups, blocked := make(map[assess.BlockerKind]int), make(map[string]bool)
	for _, b := range is.Blockers {
		i, ok := groups[b.Kind]
		if !ok {
			i = len(view.Groups)
			groups[b.Kind] = i
			view.Groups = append(view.Groups, checkGroup{})
		}
		item := checkItem{ID: b.Outcome, Href: v.to.under(v.survey.ID, "signoff"), Says: v.T("check.waits", "Name", b.Detail)}
		if o, ok := v.pack.Outcome(b.Outcome); ok {
			item.Title, item.Href, item.Says = v.outcomes[o.ID].Title, v.to.question(v.survey.ID, o.AreaID(), o.ID), ""
			switch b.Kind {
			case assess.BlockerProposal, assess.BlockerAnew:
				item.Says = v.T("check.proposes", "Level", b.Detail)
			case assess.BlockerWaiting:
				blocked[o.ID] = true
				item.Says = v.T("check.waiting", "Bodies", waiting[o.ID])
			case assess.BlockerVerified:
				item.Says, item.Href = v.T("check.verified", "Level", b.Detail), v.to.under(v.survey.ID, "verification")+"#"+anchor(o.ID)
			}
		}
		view.Groups[i].Items = append(view.Groups[i].Items, item)
		view.Groups[i].Heading = v.N("blocker."+string(b.Kind), len(view.Groups[i].Items))
	}
	references, err := p.service.References(r.Context(), v.person, v.survey.ID, "")
	if err != nil {
		return err
	}
	pieces := make(map[string]int)
	for _, ref := range references {
		pieces[ref.Outcome]++
	}
	for _, o := range v.pack.Outcomes() {
		e := is.Entries[o.ID]
		if bodies := waiting[o.ID]; bodies != "" && e.Answered() && e.Level != framework.Withheld && !blocked[o.ID] {
			view.Second = append(view.Second, checkItem{ID: o.ID, Title: v.outcomes[o.ID].Title, Href: v.to.question(v.survey.ID, o.AreaID(), o.ID), Says: v.T("check.alone", "Bodies", bodies)})
		}
		if !e.Answered() || !e.Unproven() && !e.Bare(pieces[o.ID]) {
			continue
		}
		item := checkItem{ID: o.ID, Title: v.outcomes[o.ID].Title, Href: v.to.question(v.survey.ID, o.AreaID(), o.ID), Says: v.T("check.unproven", "Level", e.Level.String())}
		if !e.Unproven() {
			item.Says = v.T("check.bare", "Level", e.Level.String())
		}
		view.Second = append(view.Second, item)
	}
	view.Page = p.page(v, v.T("nav.check"), v.to.under(v.survey.ID, "check"), surveyPath(v.survey.ID)+"check")
	p.render(w, http.StatusOK, "check", view)
	return nil
}

// kicker says which pack and cycle a page is of.
func (v *visit) kicker() string {
	return v.T("area.kicker", "Pack", v.plainPack(), "Cycle", v.survey.ID.Cycle())
}

// known returns an outcome that a form names.
func (v *visit) known(id string) (*framework.Outcome, error) {
	if o, ok := v.pack.Outcome(id); ok {
		return o, nil
	}
	return nil, errs.New(errs.NotFound, "the pack has no such outcome", "")
}
