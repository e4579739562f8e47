package workspace

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"muster/internal/brief"
	"muster/internal/web"
	"muster/internal/workspace"
)

// pointsForm is where a person makes the speaking points her own.
type pointsForm struct {
	Action, Rev string
	Saved       string // who kept them last; empty for the draft
	Points      []pointEdit
	Figures     []sheetCount // what a point can refer to, and what it is now
	Forget      bool         // they can be drafted anew
}

type pointEdit struct {
	N                int
	Label            string
	Rule, Text       string
	Public           bool
	Preview          string
	Missing, Numbers string // what is not so well
}

// drafted makes points of the rules that apply.
func (v *visit) drafted(b *brief.Brief) workspace.Words {
	var words workspace.Words
	for _, rule := range b.Rules()[:min(len(b.Rules()), workspace.MaxPoints)] {
		point := workspace.Point{Rule: rule.ID}
		if rule.N < 0 {
			point.Text = v.T("point." + rule.ID)
		} else {
			point.Text = v.N("point."+rule.ID, rule.N)
		}
		words.Points = append(words.Points, point)
	}
	return words
}

// figures returns what a reference stands for, in the language of the visit.
func (v *visit) figures(b *brief.Brief) ([]sheetCount, func(string) (string, bool)) {
	var list []sheetCount
	values := make(map[string]string)
	for _, value := range b.Values() {
		text := v.Number(value.Number)
		if value.Text != nil {
			text = v.Plain(web.Text{In: value.Text, First: v.pack.Languages[0]})
		}
		list = append(list, sheetCount{"{" + value.ID + "}", text})
		values[value.ID] = text
	}
	return list, func(id string) (string, bool) {
		text, ok := values[id]
		return text, ok
	}
}

// briefSayings fills the figures into the points, and puts beside them what may be
// said in public. A point that refers to what there is not is left out: its sentence
// is about nothing.
func (v *visit) briefSayings(t *briefText, b *brief.Brief, words workspace.Words) {
	_, value := v.figures(b)
	var own []briefSaying
	for _, point := range words.Points {
		text, missing := brief.Fill(point.Text, value)
		if len(missing) > 0 {
			continue
		}
		t.Points = append(t.Points, text)
		if point.Public {
			own = append(own, briefSaying{text, true})
		}
	}
	for _, s := range b.Public() {
		t.Public = append(t.Public, briefSaying{Text: v.Plain(web.Text{In: s.Text, First: "en"})})
	}
	t.Public = append(t.Public, own...)
	switch {
	case len(t.Public) == 0 && b.Release == nil:
		t.PublicNone = v.T("brief.publicAlone")
	case len(t.Public) == 0:
		t.PublicNone = v.T("brief.publicNothing")
	case len(own) == 0:
		t.PublicNone = v.T("brief.publicNone")
	default:
		t.PublicWarns = v.T("brief.publicWarns")
	}
}

// pointsForm is the form for the points as they are.
func (v *visit) pointsForm(made *composed) *pointsForm {
	list, value := v.figures(made.facts)
	f := &pointsForm{Action: v.to.under(v.survey.ID, "brief", "points"), Rev: itoa(made.revised.Rev), Figures: list, Forget: made.kept}
	if made.kept {
		f.Saved = v.when(made.revised)
	}
	points := slices.Clone(made.words.Points)
	for len(points) < workspace.MaxPoints {
		points = append(points, workspace.Point{})
	}
	for i, point := range points {
		e := pointEdit{N: i + 1, Label: v.T("points.point", "N", i+1), Rule: point.Rule, Text: point.Text, Public: point.Public}
		preview, missing := brief.Fill(point.Text, value)
		switch {
		case len(missing) > 0:
			e.Missing = v.T("points.missing", "Names", v.List(missing))
		case preview != point.Text:
			e.Preview = preview
		}
		if brief.Typed(point.Text) {
			e.Numbers = v.T("points.typed")
		}
		f.Points = append(f.Points, e)
	}
	return f
}

// putPoints keeps the points of a form, or drafts them anew.
func (p *Pages) putPoints(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	to := v.to.under(id, "brief") + "#points"
	if r.PostForm.Has("forget") {
		if err := p.service.ForgetWords(ctx, v.person, id, v.Lang, base); err != nil {
			return err
		}
		return back(w, r, to)
	}
	var words workspace.Words
	texts, rules := r.PostForm["text"], r.PostForm["rule"]
	for i, text := range texts {
		text = strings.Join(strings.Fields(text), " ")
		if text == "" {
			continue
		}
		point := workspace.Point{Text: text, Public: slices.Contains(r.PostForm["public"], strconv.Itoa(i+1))}
		if i < len(rules) && brief.IsRule(rules[i]) {
			point.Rule = rules[i]
		}
		words.Points = append(words.Points, point)
	}
	if err := brief.Check(words.Points); err != nil {
		return err
	}
	if _, err := p.service.PutWords(ctx, v.person, id, v.Lang, base, words); err != nil {
		return err
	}
	return back(w, r, to)
}
