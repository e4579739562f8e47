package workspace

import (
	"context"
	"errors"
	"html/template"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/brief"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/web"
	"muster/internal/workspace"
)

// standingView is the page after the release: the member's own dot on every strip.
type standingView struct {
	web.Page
	Kicker, Lead string
	Stamp        string // the marking of the release
	Action       string
	Given        bool
	Notices      []string
	Counts       []sheetCount
	Urgent       []urgentView
	UrgentNone   string
	UrgentRule   string
	Bodies       []web.Link // each one's own part
	Brief        web.Link
	Areas        []standingArea
	Scale        scaleView
	Rests, Kept  string // what the numbers rest on; who gave the release
	May          mayView
}

// urgentView is one of the gaps that matter most.
type urgentView struct {
	ID, Href          string
	Title             template.HTML
	Says, Further, To string
	Steps             template.HTML
}

type standingArea struct {
	ID                string
	Title             template.HTML
	Sign, Own, Others string // how it moved since the year before: this member, and the coalition
	Rows              []standingRow
}

// standingRow is an outcome with its strip.
type standingRow struct {
	ID, Href string
	Title    template.HTML
	Strip    template.HTML
	Hidden   template.HTML // why there is no strip
	Chip     *chip         // nil where nothing was answered
	Place    string        // how many are lower and higher
	Target   string
	Below    bool
	Move     string // sign
	MoveSays string
}

func (p *Pages) standing(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	if err := p.describe(ctx, v); err != nil {
		return err
	}
	view := standingView{Kicker: v.kicker(), Action: v.to.under(id, "standing"), May: v.may("standing")}
	released, kept, err := p.service.Release(ctx, v.person, id)
	switch {
	case errs.KindOf(err) == errs.NotFound:
		view.Lead = v.T("standing.empty", "Cycle", v.survey.Cycle)
	case err != nil:
		return err
	default:
		c, err := p.service.Compare(ctx, v.person, id, released)
		if err != nil {
			return err
		}
		view.Given = true
		view.Kept = v.T("standing.kept", "When", v.when(kept))
		v.compared(&view, c, released)
		view.Brief = web.Link{Text: v.T("next.brief"), Href: v.to.under(id, "brief")}
		if view.Bodies, err = p.contributors(ctx, v); err != nil {
			return err
		}
	}
	view.Page = p.page(v, v.T("nav.standing"), v.to.under(id, "standing"), surveyPath(id)+"standing")
	p.render(w, http.StatusOK, "standing", view)
	return nil
}

// compared fills in where the member stands.
func (v *visit) compared(view *standingView, c workspace.Comparison, r *release.Release) {
	part := r.Participation
	view.Lead = v.N("standing.lead", part.Submissions, "Of", part.Members, "Coalition", r.Coalition)
	view.Stamp, view.Scale = r.Marking, v.scale
	view.Rests = v.source(r)
	if v.survey.Sealings == 0 {
		view.Notices = append(view.Notices, v.T("standing.unsealed"))
	}
	if !r.Status.Publishable {
		view.Notices = append(view.Notices, v.T("standing.unpublishable"))
	}
	standings := make(map[string]workspace.Standing, len(c.Standings))
	for _, s := range c.Standings {
		standings[s.Outcome] = s
	}
	view.Counts = v.standingCounts(c)
	for _, outcome := range c.Urgent[:min(len(c.Urgent), brief.Named)] {
		view.Urgent = append(view.Urgent, v.urgent(standings[outcome]))
	}
	if view.UrgentRule = v.T("brief.rule"); len(c.Urgent) == 0 {
		view.UrgentNone, view.UrgentRule = v.T("standing.noGap"), ""
	}
	levels := levelsOf(r)
	facts := brief.New(brief.Config{Pack: v.pack, Release: r, Comparison: c})
	for i := range v.pack.Areas { // and not those of the release, which is a file from elsewhere
		a := &v.pack.Areas[i]
		area := standingArea{ID: a.ID, Title: v.areas[a.ID]}
		v.areaMoved(&area, facts.Areas[i])
		for j := range a.Outcomes {
			o := v.outcomes[a.Outcomes[j].ID]
			standing, answered := standings[o.ID]
			row := standingRow{ID: o.ID, Title: o.Title, Href: v.to.question(v.survey.ID, a.ID, o.ID)}
			own := -1
			if answered {
				own = standing.Band
				v.own(&row, standing)
			} else {
				row.Place = v.T("standing.unanswered")
			}
			v.stripOf(&row, o, levels[o.ID], own, r)
			area.Rows = append(area.Rows, row)
		}
		view.Areas = append(view.Areas, area)
	}
}

// areaMoved says how an area moved since the year before: this member, and the
// coalition where that is shown.
func (v *visit) areaMoved(area *standingArea, moved brief.Area) {
	if moved.Own != assess.ChangeNotComparable {
		area.Sign, area.Own = changeSign(moved.Own), v.T("brief.change."+moved.Own.String())
	}
	area.Others = v.othersMoved(moved)
}

// contributors links to each body's own part, of those that contributed.
func (p *Pages) contributors(ctx context.Context, v *visit) ([]web.Link, error) {
	given, err := p.service.Contributions(ctx, v.person, v.survey.ID, "")
	if err != nil {
		return nil, err
	}
	bodies, err := p.service.Bodies(ctx, v.person)
	if err != nil {
		return nil, err
	}
	var links []web.Link
	for _, body := range bodies {
		if slices.ContainsFunc(given, func(c workspace.SavedContribution) bool { return c.Body == body.ID && c.Given() != framework.None }) {
			links = append(links, web.Link{Text: body.Name, Href: v.to.under(v.survey.ID, "standing", "body", body.ID)})
		}
	}
	return links, nil
}

// standingCounts says how targets and changes stand, over all outcomes.
func (v *visit) standingCounts(c workspace.Comparison) []sheetCount {
	var met, aimed, rose, fell, compared int
	for _, s := range c.Standings {
		switch s.Gap {
		case assess.GapMet:
			met, aimed = met+1, aimed+1
		case assess.GapBelow:
			aimed++
		}
		switch s.Move {
		case assess.MoveNotComparable:
			continue
		case assess.MoveRose:
			rose++
		case assess.MoveFell:
			fell++
		}
		compared++
	}
	counts := []sheetCount{{v.T("standing.targets"), v.T("count.of", "N", met, "Of", aimed)}}
	if compared == 0 {
		return append(counts, sheetCount{v.T("standing.change"), v.T("standing.noChange")})
	}
	return append(counts,
		sheetCount{v.T("standing.rose"), v.T("count.of", "N", rose, "Of", compared)},
		sheetCount{v.T("standing.fell"), v.T("count.of", "N", fell, "Of", compared)},
	)
}

func (v *visit) urgent(s workspace.Standing) urgentView {
	o := v.outcomes[s.Outcome]
	at, _ := s.Answer.Level.Number()
	target, _ := s.Answer.Target.Number()
	u := urgentView{
		ID: s.Outcome, Title: o.Title, Href: v.to.under(v.survey.ID, "plan"), To: v.T("next.plan"),
		Says: v.T("standing.gap", "Level", v.level(s.Answer.Level), "Target", v.level(s.Answer.Target)), Further: v.T("standing.furtherUnknown"),
	}
	u.Steps = web.Steps{Title: o.ID + " " + o.plainTitle + ": " + u.Says, Steps: 5, At: at, Target: target}.SVG()
	if s.Band >= 0 {
		u.Further = v.N("standing.further", int(s.Higher))
	}
	return u
}

// own fills in the member's own side of a row.
func (v *visit) own(row *standingRow, s workspace.Standing) {
	c := v.chip(s.Answer.Level)
	row.Chip = &c
	if s.Band >= 0 && s.Answer.Level.Given() {
		row.Place = strings.Join([]string{
			v.N("standing.lower", int(s.Lower)), v.N("standing.same", int(s.Same)), v.N("standing.higher", int(s.Higher)),
		}, ", ")
	}
	switch s.Gap {
	case assess.GapBelow:
		row.Target, row.Below = v.T("standing.below", "Level", v.level(s.Answer.Target)), true
	case assess.GapMet:
		row.Target = v.T("standing.met", "Level", v.level(s.Answer.Target))
	}
	switch s.Move {
	case assess.MoveRose:
		row.Move, row.MoveSays = "▲", v.T("move.rose", "Level", v.level(s.Before))
	case assess.MoveFell:
		row.Move, row.MoveSays = "▼", v.T("move.fell", "Level", v.level(s.Before))
	case assess.MoveSame:
		row.Move, row.MoveSays = "=", v.T("standing.still")
	}
}

// strip draws how many members are at which levels, and a dot over the band of this
// one, whom who names; own is -1 where it is in none.
func (v *visit) strip(subject string, block disclosure.BandedBlock, own int, marking, who string) template.HTML {
	stack := web.Stack{Scale: "level", Title: subject}
	if marking != "" {
		stack.Title = marking + ". " + subject
	}
	var says []string
	at := 0
	for i, band := range block.Bands() {
		n := int(band.Count)
		segment := web.Segment{First: at, Last: at + len(band.Units) - 1, Count: n, Label: bandSign(band), Own: i == own}
		at += len(band.Units)
		stack.Segments = append(stack.Segments, segment)
		says = append(says, v.T("standing.band", "Band", v.bandWords(band), "Count", n))
		if segment.Own {
			says[i] += " (" + who + ")"
		}
	}
	stack.Desc = strings.Join(says, ", ")
	return stack.SVG()
}

// bandSign writes the levels of a band in short: "0–2", "–", "–,0".
func bandSign(band disclosure.Band) string {
	units, sign := band.Units, ""
	if units[0] == disclosure.NoLevel {
		if units, sign = units[1:], "–"; len(units) == 0 {
			return sign
		}
		sign += ","
	}
	if len(units) > 1 {
		return sign + units[0] + "–" + units[len(units)-1]
	}
	return sign + units[0]
}

// bandWords names the levels of a band: "no level, level 0 or level 1".
func (v *visit) bandWords(band disclosure.Band) string {
	var words []string
	for _, unit := range band.Units {
		if unit == disclosure.NoLevel {
			words = append(words, v.T("standing.noLevel"))
		} else {
			words = append(words, v.T("standing.level", "N", unit))
		}
	}
	return v.Either(words)
}

var errNoRelease = errs.New(errs.Invalid, "the file is larger than any release", "give release.json as the coordinator published it")

// maxEnvelope is what may stand around the file in a form.
const maxEnvelope = 16 << 10

// keepRelease keeps the release that a form brings, or the body itself.
func (p *Pages) keepRelease(w http.ResponseWriter, r *http.Request, v *visit) error {
	r.Body = http.MaxBytesReader(w, r.Body, release.MaxSize+maxEnvelope)
	body, err := releaseFile(r)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), len(body) > release.MaxSize:
		return errNoRelease
	case err != nil:
		return errs.New(errs.Invalid, "the form cannot be read", "load the page again, and choose release.json")
	}
	if _, err := p.service.KeepRelease(r.Context(), v.person, v.survey.ID, body); err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "standing"))
}

// releaseFile reads the file of a form, or a body of JSON.
func releaseFile(r *http.Request) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	if kind == "application/json" {
		return io.ReadAll(r.Body)
	}
	files, err := filesOf(r)
	if err == nil && files["release"] == nil {
		err = errNoFile
	}
	return files["release"], err
}

var errNoFile = errs.New(errs.Invalid, "the form has no file", "")
