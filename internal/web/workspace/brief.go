package workspace

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/brief"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/web"
	"muster/internal/workspace"
)

// BriefMarkings are the markings that a national brief can have, the usual one first.
// It holds a member's raw answers, and whoever knows those can take them off from what
// the coalition released: they count as opened. So it is for those to whom it is handed
// and nobody else, or at most for those of the member's own house who need it.
func BriefMarkings() []string { return []string{"TLP:RED", "TLP:AMBER+STRICT"} }

// briefView is the national brief: two pages of A4, and below them what the person can
// do with it.
type briefView struct {
	web.Page
	briefText
	Edit      *pointsForm // nil for who may not
	Table     []briefRow
	Downloads []web.Link
	Why       string // it is marked as it is
	SurveyID  string // for the command
	May       mayView
}

// briefText is everything that a brief says, in one language: what the page, the file
// and the document for a word processor are drawn from.
type briefText struct {
	Member, Cycle         string
	Synthetic             string // the marking of an invented member or a rehearsal
	Stamp, StampClass     string // the marking of the brief
	Handling              string
	Kicker, Heading, Lead string
	Cautions              []string
	Figures               []sheetCount
	Own                   template.HTML // the member's own levels, where there is nothing to stand beside
	OwnSays               string
	Gaps                  []briefGap
	GapRule               string
	NoGap                 string
	Points                []string
	Public                []briefSaying
	PublicNone            string
	PublicWarns           string
	Areas                 []briefArea
	Columns               bool // the outcomes fit on the page, in columns
	Standing, Legend      string
	Changes               []string
	Promised              []sheetCount
	Promises              []briefPromise
	PromisesMore          string
	Funding               []sheetCount
	FundingSays           string
	House                 scaleView
	Rests, Made           string
}

type briefSaying struct {
	Text string
	Own  bool // the member's own choice, and not the release's words
}

type briefGap struct {
	ID, Title           string
	Says, Further, Plan string
	Late                bool
	Steps, Strip        template.HTML
	Bands               string
	block               disclosure.BandedBlock
	own                 int
}

// briefArea is an area with how it moved and, where they fit, its outcomes.
type briefArea struct {
	ID, Title         string
	Sign, Own, Others string
	Rows              []briefRow
}

// briefRow is an outcome beside the coalition's strip.
type briefRow struct {
	ID, Title             string
	Chip                  chip
	Strip                 template.HTML
	Bands, Short          string // in words, and in signs
	Lower, Same, Higher   string
	Target                string
	Below                 bool
	Sign, Move, Unshowing string
}

type briefPromise struct {
	State, Class         string
	Text, Who, Due, More string
}

// How much of what has no bounds a brief takes. The rest is counted.
const (
	briefOutcomes = 48 // in columns on one page
	briefPromises = 5  // by name
	briefLetters  = 90 // of an action
)

func (p *Pages) brief(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	marking, err := briefMarking(r.URL.Query().Get("marking"))
	if err != nil {
		return err
	}
	if err := p.describe(ctx, v); err != nil {
		return err
	}
	made, err := p.compose(ctx, v, marking)
	if err != nil {
		return err
	}
	view := briefView{briefText: made.briefText, Why: v.T("brief.why"), SurveyID: string(id), May: v.may("brief")}
	for _, a := range made.Areas {
		view.Table = append(view.Table, a.Rows...)
	}
	if view.May.Plan {
		view.Edit = v.pointsForm(made)
	}
	here := v.to.under(id, "brief")
	query := ""
	if marking != BriefMarkings()[0] {
		query = "?marking=" + strings.ReplaceAll(marking, "+", "%2B")
	}
	view.Downloads = []web.Link{{Text: v.T("brief.asWord"), Href: v.to.under(id, "brief", "brief.docx") + query}, {Text: v.T("brief.asPage"), Href: v.to.under(id, "brief", "brief.html") + query}}
	view.Page = p.page(v, v.T("nav.brief"), here, surveyPath(id)+"brief"+query)
	choice := web.Switch{Label: v.T("brief.marking")}
	for _, m := range BriefMarkings() {
		choice.Links = append(choice.Links, web.Link{Text: m, Href: here + "?marking=" + strings.ReplaceAll(m, "+", "%2B"), Current: m == marking})
	}
	view.Switches = append([]web.Switch{choice}, view.Switches...)
	p.render(w, http.StatusOK, "brief", view)
	return nil
}

// briefMarking returns the marking that somebody chose, or the usual one.
func briefMarking(chosen string) (string, error) {
	if chosen == "" {
		return BriefMarkings()[0], nil
	}
	if !slices.Contains(BriefMarkings(), chosen) {
		return "", errs.New(errs.Invalid, fmt.Sprintf("a national brief cannot be marked %s: it holds raw answers", errs.Quote(chosen)), "allowed: "+strings.Join(BriefMarkings(), ", "))
	}
	return chosen, nil
}

// composed is a brief in words, with what it was made of.
type composed struct {
	briefText
	facts   *brief.Brief
	words   workspace.Words
	revised workspace.Revised // who kept the words last
	kept    bool              // the words are a person's, and no draft
}

// compose gathers what a brief is made of and puts it into words. The survey of the
// visit has been described.
func (p *Pages) compose(ctx context.Context, v *visit, marking string) (*composed, error) {
	id := v.survey.ID
	cfg := brief.Config{Member: v.member, Cycle: v.survey.Cycle, Pack: v.pack, Sealed: v.survey.Sealings > 0, Today: p.now()}
	released, _, err := p.service.Release(ctx, v.person, id)
	switch {
	case err == nil:
		cfg.Release = released
	case errs.KindOf(err) != errs.NotFound:
		return nil, err
	}
	if cfg.Comparison, err = p.service.Compare(ctx, v.person, id, cfg.Release); err != nil {
		return nil, err
	}
	if cfg.Plan, err = p.service.Actions(ctx, v.person, id); err != nil {
		return nil, err
	}
	if v.survey.Before != "" {
		if cfg.Before, err = p.service.Promises(ctx, v.person, v.survey.Before); err != nil {
			return nil, err
		}
	}
	made := &composed{facts: brief.New(cfg)}
	made.words, made.revised, err = p.service.Words(ctx, v.person, id, v.Lang)
	switch {
	case err == nil:
		made.kept = true
	case errs.KindOf(err) == errs.NotFound:
		made.words = v.drafted(made.facts)
	default:
		return nil, err
	}
	made.briefText = *v.briefText(made.facts, made.words, marking)
	made.Synthetic = v.marking
	if cfg.Release != nil && cfg.Release.Marking != "" {
		made.Synthetic = cfg.Release.Marking
	}
	made.Made = v.T("brief.made", "Date", v.Date(p.now().Unix()))
	return made, nil
}

// briefText puts a brief into words.
func (v *visit) briefText(b *brief.Brief, words workspace.Words, marking string) *briefText {
	t := &briefText{
		Member: v.member, Cycle: v.survey.Cycle, Stamp: marking, StampClass: "tlp-red", Handling: v.T("brief.handling"),
		Kicker: v.kicker(), Heading: v.T("brief.title", "Member", v.member, "Cycle", v.survey.Cycle), House: v.scale,
	}
	if marking != BriefMarkings()[0] {
		t.StampClass, t.Handling = "tlp-amber", v.T("brief.handlingStrict")
	}
	levels := make(map[string]disclosure.BandedBlock)
	if r := b.Release; r != nil {
		t.Lead = v.N("brief.lead", r.Participation.Submissions, "Of", r.Participation.Members, "Coalition", r.Coalition)
		t.Rests = v.T("standing.source", "Coalition", r.Coalition, "Cycle", r.Cycle, "Cohort", b.Comparison.Cohort, "Pack", r.Framework.ID, "Version", r.Framework.Version, "N", r.Participation.Submissions, "Of", r.Participation.Members)
		t.Standing = v.T("brief.standing")
		t.Legend = v.T("brief.legend") + " " + v.T("standing.legend")
		if !b.Sealed {
			t.Cautions = append(t.Cautions, v.T("standing.unsealed"))
		}
		if !r.Status.Publishable {
			t.Cautions = append(t.Cautions, v.T("standing.unpublishable"))
		}
		for _, a := range r.Areas {
			for _, o := range a.Outcomes {
				levels[o.ID] = o.Level
			}
		}
	} else {
		t.Lead = v.T("brief.alone", "Cycle", v.survey.Cycle)
		t.Rests = v.T("brief.aloneRests", "Pack", v.pack.ID, "Version", v.pack.Version, "N", b.Answered, "Of", b.Outcomes)
		t.Standing, t.Legend = v.T("brief.standingAlone"), v.T("brief.aloneLegend")
		t.Own, t.OwnSays = v.ownLevels(b)
	}
	v.briefFigures(t, b)
	for _, g := range b.Gaps {
		one := v.briefGap(g, levels[g.Outcome])
		if b.Release == nil {
			one.Further = ""
		}
		t.Gaps = append(t.Gaps, one)
	}
	if len(t.Gaps) == 0 {
		t.NoGap = v.T("standing.noGap")
	} else if t.GapRule = v.T("brief.rule"); b.Release == nil {
		t.GapRule = v.T("brief.ruleAlone")
	}
	v.briefSayings(t, b, words)
	v.briefAreas(t, b, levels)
	v.briefPlan(t, b)
	return t
}

// briefFigures are the four numbers that stand first.
func (v *visit) briefFigures(t *briefText, b *brief.Brief) {
	t.Figures = []sheetCount{{v.T("standing.targets"), v.T("count.of", "N", b.TargetsMet, "Of", b.Targets)}}
	if compared := b.Compared(); compared > 0 {
		t.Figures = append(t.Figures, sheetCount{v.T("standing.rose"), v.T("count.of", "N", b.Rose, "Of", compared)}, sheetCount{v.T("standing.fell"), v.T("count.of", "N", b.Fell, "Of", compared)})
	} else {
		t.Figures = append(t.Figures, sheetCount{v.T("brief.noChange"), "–"})
	}
	if n := len(b.Promises); n > 0 {
		t.Figures = append(t.Figures, sheetCount{v.T("brief.kept"), v.T("count.of", "N", b.Promised[brief.StateKept], "Of", n)})
	} else {
		t.Figures = append(t.Figures, sheetCount{v.T("brief.answered"), v.T("count.of", "N", b.Answered, "Of", b.Outcomes)})
	}
}

// ownLevels draws how many of the member's own answers are at each level.
func (v *visit) ownLevels(b *brief.Brief) (template.HTML, string) {
	stack := web.Stack{Scale: "level", Title: v.T("brief.own")}
	var says []string
	add := func(at, n int, label, words string) {
		stack.Segments = append(stack.Segments, web.Segment{First: at, Last: at, Count: n, Label: label})
		says = append(says, v.T("standing.band", "Band", words, "Count", n))
	}
	add(0, b.Other, "–", v.T("standing.noLevel"))
	for level, n := range b.Levels {
		add(level+1, n, v.Number(level), v.T("standing.level", "N", level))
	}
	stack.Desc = strings.Join(says, ", ")
	return stack.SVG(), stack.Desc
}

func (v *visit) briefGap(g brief.Gap, block disclosure.BandedBlock) briefGap {
	o := v.outcomes[g.Outcome]
	one := briefGap{
		ID: g.Outcome, Title: o.plainTitle, Says: v.T("standing.gap", "Level", v.level(g.Answer.Level), "Target", v.level(g.Answer.Target)), Further: v.T("standing.furtherUnknown"),
		Plan: v.T("brief.noLine"), block: block, own: g.Band,
	}
	one.Steps = web.Steps{Title: o.ID + " " + o.plainTitle + ": " + one.Says, Steps: 5, At: g.Level, Target: g.Target}.SVG()
	if g.Band >= 0 {
		one.Further = v.N("standing.further", int(g.Higher))
		one.Strip, one.Bands = v.strip(o.ID+" "+o.plainTitle, block, g.Band, "", v.T("standing.own")), v.bandsInWords(block, g.Band)
	}
	if a := g.Action; a != nil {
		parts := []string{shortened(a.Text, briefLetters)}
		switch {
		case a.Nothing:
			parts[0] = v.T("plan.nothing") + ": " + parts[0]
		case a.Finished:
			parts = append(parts, v.T("plan.finished"))
		default:
			if a.Owner != "" {
				parts = append(parts, a.Owner)
			}
			if due := v.day(a.Due); due != "" {
				parts = append(parts, due)
			}
			parts = append(parts, v.T("funding."+fundingName(a.Funding)))
		}
		one.Plan = v.T("brief.line", "Line", strings.Join(parts, " · "))
	}
	return one
}

func fundingName(f assess.Funding) string {
	if f == assess.FundingUnknown {
		return "unknown"
	}
	return string(f)
}

// bandsInWords says how many members are in each band, and which is the own.
func (v *visit) bandsInWords(block disclosure.BandedBlock, own int) string {
	var says []string
	for i, band := range block.Bands() {
		one := v.T("standing.band", "Band", v.bandWords(band), "Count", int(band.Count))
		if i == own {
			one += " (" + v.T("brief.us") + ")"
		}
		says = append(says, one)
	}
	return strings.Join(says, ", ")
}

// shortened cuts a text between words to so many letters, on one line.
func shortened(s string, letters int) string {
	words := strings.Fields(s)
	s = strings.Join(words, " ")
	if len([]rune(s)) <= letters {
		return s
	}
	cut := string([]rune(s)[:letters])
	if at := strings.LastIndexByte(cut, ' '); at > letters/2 {
		cut = cut[:at]
	}
	return strings.TrimRight(cut, " ,;:.") + " …"
}
