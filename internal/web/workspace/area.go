package workspace

import (
	"context"
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

// areaView is the page on which an area is answered.
type areaView struct {
	web.Page
	Kicker    string
	Heading   template.HTML
	AreaID    string
	Area      progressView
	Index     []indexArea
	Scale     scaleView
	Questions template.HTML
	One       bool // one question at a time
	Tab       string
	Toggle    web.Link
	Keys      string
	Previous  web.Link // empty if there is none
	Next      web.Link
	May       mayView
}

// indexArea is an area in the side index.
type indexArea struct {
	ID       string
	Title    template.HTML
	Href     string
	Progress progressView
	Outcomes template.HTML // of the area that is in sight, one li each
}

// state is everything about a survey's outcomes, read once a page.
type state struct {
	entries       map[string]workspace.Saved
	before        map[string]workspace.Saved
	references    map[string][]workspace.SavedReference
	comments      map[string][]workspace.Comment
	contributions map[string][]workspace.SavedContribution
	proposals     map[string]assess.Proposal
	bodies        map[string]string // names by id
	fault         *questionFault    // why an answer was not kept; nil else
}

func (s *state) plain() map[string]assess.Entry {
	all := make(map[string]assess.Entry, len(s.entries))
	for outcome, saved := range s.entries {
		all[outcome] = saved.Entry
	}
	return all
}

// state reads what pages of questions show.
func (p *Pages) state(ctx context.Context, v *visit) (*state, error) {
	id := v.survey.ID
	s := &state{references: make(map[string][]workspace.SavedReference), contributions: make(map[string][]workspace.SavedContribution), bodies: make(map[string]string)}
	var err error
	if s.entries, err = p.service.Entries(ctx, v.person, id); err != nil {
		return nil, err
	}
	if v.survey.Before != "" {
		if s.before, err = p.service.Entries(ctx, v.person, v.survey.Before); err != nil {
			return nil, err
		}
	}
	references, err := p.service.References(ctx, v.person, id, "")
	if err != nil {
		return nil, err
	}
	for _, ref := range references {
		s.references[ref.Outcome] = append(s.references[ref.Outcome], ref)
	}
	if s.comments, err = p.service.AllComments(ctx, v.person, id); err != nil {
		return nil, err
	}
	contributions, err := p.service.Contributions(ctx, v.person, id, "")
	if err != nil {
		return nil, err
	}
	for _, c := range contributions {
		s.contributions[c.Outcome] = append(s.contributions[c.Outcome], c)
	}
	if s.proposals, err = p.service.Proposals(ctx, v.person, id); err != nil {
		return nil, err
	}
	bodies, err := p.service.Bodies(ctx, v.person)
	for _, body := range bodies {
		s.bodies[body.ID] = body.Name
	}
	return s, err
}

func (p *Pages) area(w http.ResponseWriter, r *http.Request, v *visit) error {
	area, ok := v.pack.Area(r.PathValue("area"))
	if !ok {
		return errs.New(errs.NotFound, "the pack has no such area", "")
	}
	var err error
	if v.survey, err = p.service.Brief(r.Context(), v.person, v.survey.ID); err != nil {
		return err
	}
	s, err := p.state(r.Context(), v)
	if err != nil {
		return err
	}
	return p.drawArea(w, r, v, s, area, r.URL.Query().Get("one"), http.StatusOK)
}

// drawArea draws the questions of an area, or of its one outcome that is named.
func (p *Pages) drawArea(w http.ResponseWriter, r *http.Request, v *visit, s *state, area *framework.Area, one string, status int) (err error) {
	entries := s.plain()
	view := areaView{
		Kicker: v.T("area.kicker", "Pack", v.plainPack(), "Cycle", v.survey.Cycle), Heading: v.areas[area.ID], AreaID: area.ID, Scale: v.scale,
		Area: v.progress("area-"+area.ID, v.T("progress.area", "ID", area.ID), assess.ProgressOf(outcomesOf(area), entries)),
		Keys: v.T("area.keys"), May: v.may("area"), Tab: v.tab,
	}
	asked := outcomesOf(area)
	rest := surveyPath(v.survey.ID) + "area/" + area.ID
	if one != "" {
		i := slices.IndexFunc(asked, func(o *framework.Outcome) bool { return o.ID == one })
		if i < 0 {
			return errs.New(errs.NotFound, "the area has no such outcome", "")
		}
		view.One, asked = true, asked[i:i+1]
		rest += "?one=" + one
		view.Toggle = web.Link{Text: v.T("area.all"), Href: v.to.question(v.survey.ID, area.ID, one)}
	} else {
		first := asked[0]
		if open := nextOpen(asked, entries, ""); open != nil {
			first = open
		}
		view.Toggle = web.Link{Text: v.T("area.single"), Href: v.to.one(v.survey.ID, area.ID, first.ID)}
	}
	if view.Questions, err = p.questions(v, asked, s, view.One); err != nil {
		return err
	}
	view.Index = v.index(area, entries, one)
	view.Previous, view.Next = v.neighbours(area, one)
	view.Page = p.page(v, area.ID+" "+plainText(v.areas[area.ID]), "", rest)
	p.render(w, status, "area", view)
	return nil
}

func outcomesOf(area *framework.Area) []*framework.Outcome {
	all := make([]*framework.Outcome, len(area.Outcomes))
	for i := range area.Outcomes {
		all[i] = &area.Outcomes[i]
	}
	return all
}

func (v *visit) plainPack() string {
	return v.Plain(web.Text{In: v.pack.Title, First: v.pack.Languages[0]})
}

// plainText returns a text of the pack for an attribute or a title: it has no markup
// but, where the pack lacks the page's language, an element that says which it is in.
func plainText(t template.HTML) string { return stripTags(string(t)) }

// index is the side index: every area with its progress, and the outcomes of one.
func (v *visit) index(in *framework.Area, entries map[string]assess.Entry, one string) []indexArea {
	var all []indexArea
	for i := range v.pack.Areas {
		area := &v.pack.Areas[i]
		outcomes := outcomesOf(area)
		a := indexArea{
			ID: area.ID, Title: v.areas[area.ID], Href: v.to.area(v.survey.ID, area.ID),
			Progress: v.progress("index-"+area.ID, v.T("progress.area", "ID", area.ID), assess.ProgressOf(outcomes, entries)),
		}
		if area == in {
			a.Outcomes = v.indexOutcomes(outcomes, entries, one)
		}
		all = append(all, a)
	}
	return all
}

// indexOutcomes writes the outcomes of an area, which may be hundreds, for the index.
func (v *visit) indexOutcomes(outcomes []*framework.Outcome, entries map[string]assess.Entry, one string) template.HTML {
	says := map[string]string{}
	for _, state := range []string{"open", "carried", "done"} {
		says[state] = template.HTMLEscapeString(v.T("state." + state))
	}
	var b strings.Builder
	for _, o := range outcomes {
		state, id := stateOf(entries[o.ID]), template.HTMLEscapeString(o.ID)
		href := "#" + anchor(o.ID)
		if one != "" {
			href = v.to.one(v.survey.ID, o.AreaID(), o.ID)
		}
		b.WriteString(`<li class="` + state + `" data-index="` + id + `"><a href="` + template.HTMLEscapeString(href) + `"`)
		if o.ID == one {
			b.WriteString(` aria-current="true"`)
		}
		b.WriteString(`><span class="id">` + id + `</span> ` + string(v.outcomes[o.ID].Title) + `<span class="away"> (` + says[state] + `)</span></a></li>`)
	}
	return template.HTML(b.String())
}

// stateOf says in a word whether an entry waits for somebody.
func stateOf(e assess.Entry) string {
	switch {
	case e.Carried:
		return "carried"
	case e.Answered():
		return "done"
	}
	return "open"
}

func (v *visit) neighbours(area *framework.Area, one string) (previous, next web.Link) {
	if one != "" {
		all := v.pack.Outcomes()
		i := slices.IndexFunc(all, func(o *framework.Outcome) bool { return o.ID == one })
		link := func(o *framework.Outcome) web.Link {
			return web.Link{Text: o.ID + " " + v.outcomes[o.ID].plainTitle, Href: v.to.one(v.survey.ID, o.AreaID(), o.ID)}
		}
		if i > 0 {
			previous = link(all[i-1])
		}
		if i+1 < len(all) {
			next = link(all[i+1])
		}
		return previous, next
	}
	i := slices.IndexFunc(v.pack.Areas, func(a framework.Area) bool { return a.ID == area.ID })
	link := func(a *framework.Area) web.Link {
		return web.Link{Text: a.ID + " " + plainText(v.areas[a.ID]), Href: v.to.area(v.survey.ID, a.ID)}
	}
	if i > 0 {
		previous = link(&v.pack.Areas[i-1])
	}
	if i+1 < len(v.pack.Areas) {
		next = link(&v.pack.Areas[i+1])
	}
	return previous, next
}

// nextOpen returns the first outcome after one, in a ring, that waits for an answer
// or a confirmation; nil if none does.
func nextOpen(outcomes []*framework.Outcome, entries map[string]assess.Entry, after string) *framework.Outcome {
	at := slices.IndexFunc(outcomes, func(o *framework.Outcome) bool { return o.ID == after })
	for i := range outcomes {
		o := outcomes[(at+1+i)%len(outcomes)]
		if o.ID != after && !entries[o.ID].Answered() {
			return o
		}
	}
	return nil
}

// nextPlace is where somebody goes on after an outcome: the next that waits, or the
// completeness check where none does.
func (v *visit) nextPlace(entries map[string]assess.Entry, after string, one bool) string {
	o := nextOpen(v.pack.Outcomes(), entries, after)
	switch {
	case o == nil:
		return v.to.under(v.survey.ID, "check")
	case one:
		return v.to.one(v.survey.ID, o.AreaID(), o.ID)
	}
	return v.to.question(v.survey.ID, o.AreaID(), o.ID)
}

func itoa(r workspace.Revision) string { return strconv.FormatInt(int64(r), 10) }
