package workspace

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// clashView shows what two people made of the same parts of something that is kept
// whole, and asks which it is. The form that comes of it is the form that clashed, with
// what was chosen, and what is kept now as its base.
type clashView struct {
	web.Page
	Kicker, Heading, Lead string
	Action                string
	Hidden                []hidden
	Parts                 []clashPart
	Back                  web.Link
}

type clashPart struct {
	N                  int
	Label              string
	Base, Mine, Theirs string
	Fields             []hidden // of both choices, under "N.mine." and "N.theirs."
}

// clashField is a part of something, as pages show it and as its form sends it.
type clashField[T any] struct {
	part, label string
	shown       func(T) string
	fields      func(T) []hidden
}

// ofBoth returns what the form sends of the n-th part that is asked about, of either side.
func (f clashField[T]) ofBoth(n int, c *workspace.Clash[T]) []hidden {
	var all []hidden
	for _, side := range []struct {
		name  string
		value T
	}{{"mine", c.Mine}, {"theirs", c.Theirs}} {
		for _, h := range f.fields(side.value) {
			all = append(all, hidden{fmt.Sprintf("%d.%s.%s", n, side.name, h.Name), h.Value})
		}
	}
	return all
}

// clashPlace says what the form is of.
type clashPlace struct {
	action string   // where the form goes
	always []hidden // what it is of
	back   web.Link
}

// clashed shows a clash of T if err is one, and returns the error otherwise.
func clashed[T any](p *Pages, w http.ResponseWriter, v *visit, err error, place clashPlace, fields []clashField[T]) error {
	c, ok := errors.AsType[*workspace.Clash[T]](err)
	if !ok {
		return err
	}
	view := clashView{
		Kicker: v.kicker(), Heading: v.T("conflict.heading"), Action: place.action, Back: place.back,
		Lead:   v.T("conflict.lead", "Name", c.Newest.By, "Date", v.Date(c.Newest.At.Unix()), "Time", c.Newest.At.UTC().Format("15:04")),
		Hidden: append([]hidden{{"rev", itoa(c.Newest.Rev)}}, place.always...),
	}
	in := make(map[string]bool)
	for _, part := range c.Parts {
		in[part] = true
	}
	for _, f := range fields {
		if !in[f.part] {
			view.Hidden = append(view.Hidden, f.fields(c.Merged)...)
			continue
		}
		n := len(view.Parts)
		view.Parts = append(view.Parts, clashPart{
			N: n, Label: f.label, Base: v.orNothing(f.shown(c.Base)), Mine: v.orNothing(f.shown(c.Mine)), Theirs: v.orNothing(f.shown(c.Theirs)), Fields: f.ofBoth(n, c),
		})
	}
	view.Page = p.page(v, view.Heading, "", surveyPath(v.survey.ID))
	p.render(w, http.StatusConflict, "clash", view)
	return nil
}

func (v *visit) orNothing(s string) string {
	if s == "" {
		return v.T("field.empty")
	}
	return s
}

// maxClash is how many parts of one form can clash.
const maxClash = assess.MaxNeeds + 1

// resolve makes of the form of a clash the form that clashed: of each part the fields
// of the side that was chosen.
func resolve(form url.Values) {
	if !form.Has("clash") {
		return
	}
	for n := range maxClash {
		choice := form.Get(fmt.Sprintf("take-%d", n))
		if choice == "" {
			return
		}
		prefix := fmt.Sprintf("%d.%s.", n, choice)
		for name, values := range form {
			if field, ok := strings.CutPrefix(name, prefix); ok {
				form[field] = values
			}
		}
	}
}

func one(name, value string) []hidden { return []hidden{{name, value}} }

func many(name string, values []string) []hidden {
	var all []hidden
	for _, value := range values {
		all = append(all, hidden{name, value})
	}
	return all
}

func tick(name string, is bool) []hidden {
	if is {
		return one(name, "1")
	}
	return nil
}

func (v *visit) yesNo(is bool) string {
	if is {
		return v.T("field.yes")
	}
	return v.T("field.no")
}

func bodyFields(v *visit) []clashField[assess.Body] {
	return []clashField[assess.Body]{
		{"name", v.T("bodies.name"), func(b assess.Body) string { return b.Name }, func(b assess.Body) []hidden { return one("name", b.Name) }},
		{"kind", v.T("bodies.kind"), func(b assess.Body) string { return b.Kind }, func(b assess.Body) []hidden { return one("kind", b.Kind) }},
		{"scope", v.T("bodies.scope"), func(b assess.Body) string { return b.Scope }, func(b assess.Body) []hidden { return one("scope", b.Scope) }},
	}
}

func sectionFields(v *visit, names map[string]string) []clashField[workspace.Section] {
	type s = workspace.Section
	return []clashField[s]{
		{"title", v.T("bodies.title"), func(x s) string { return x.Title }, func(x s) []hidden { return one("title", x.Title) }},
		{"slice", v.T("bodies.areas"), func(x s) string { return v.slice(x) }, func(x s) []hidden {
			return append(many("area", x.Areas), many("outcomes", x.Outcomes)...)
		}},
		{"bodies", v.T("bodies.who"), func(x s) string {
			var all []string
			for _, id := range x.Bodies {
				all = append(all, nameOf(names, id))
			}
			return v.List(all)
		}, func(x s) []hidden { return many("listed", x.Bodies) }},
		{"units", v.T("bodies.units"), func(x s) string {
			var all []string
			for _, id := range slices.Sorted(maps.Keys(x.Units)) {
				all = append(all, nameOf(names, id)+": "+strconv.Itoa(x.Units[id]))
			}
			return v.List(all)
		}, func(x s) []hidden {
			var all []hidden
			for _, id := range slices.Sorted(maps.Keys(x.Units)) {
				all = append(all, hidden{unitsField + id, strconv.Itoa(x.Units[id])})
			}
			return all
		}},
		{"due", v.T("bodies.due"), func(x s) string { return v.day(x.Due) }, func(x s) []hidden { return one("due", x.Due) }},
		{"contact", v.T("bodies.contact"), func(x s) string { return x.Contact }, func(x s) []hidden { return one("contact", x.Contact) }},
	}
}

func findingFields(v *visit) []clashField[assess.Finding] {
	type f = assess.Finding
	return []clashField[f]{
		{"seen", v.T("verify.seen"), func(x f) string { return x.Seen }, func(x f) []hidden { return one("seen", x.Seen) }},
		{"found", v.T("verify.found"), func(x f) string { return x.Found }, func(x f) []hidden { return one("found", x.Found) }},
		{"verified", v.T("verify.level"), func(x f) string { return v.level(x.Verified) }, func(x f) []hidden { return one("verified", levelValue(x.Verified)) }},
	}
}

func replyFields(v *visit) []clashField[assess.Finding] {
	return []clashField[assess.Finding]{
		{"reply", v.T("verify.reply"), func(x assess.Finding) string { return x.Reply }, func(x assess.Finding) []hidden { return one("reply", x.Reply) }},
	}
}

// levelValue is a level as forms send it.
func levelValue(l framework.Level) string {
	if l == framework.None {
		return ""
	}
	return l.String()
}

func actionFields(v *visit) []clashField[assess.Action] {
	type a = assess.Action
	funding := func(x a) string {
		if x.Funding == assess.FundingUnknown {
			return v.T("funding.unknown")
		}
		return v.T("funding." + string(x.Funding))
	}
	return []clashField[a]{
		{"text", v.T("plan.text"), func(x a) string { return x.Text }, func(x a) []hidden { return one("text", x.Text) }},
		{"nothing", v.T("plan.isNothing"), func(x a) string { return v.yesNo(x.Nothing) }, func(x a) []hidden { return tick("nothing", x.Nothing) }},
		{"owner", v.T("plan.owner"), func(x a) string { return x.Owner }, func(x a) []hidden { return one("owner", x.Owner) }},
		{"due", v.T("plan.due"), func(x a) string { return v.day(x.Due) }, func(x a) []hidden { return one("due", x.Due) }},
		{"cost", v.T("plan.cost"), func(x a) string { return x.Cost }, func(x a) []hidden { return one("cost", x.Cost) }},
		{"funding", v.T("plan.funding"), funding, func(x a) []hidden { return one("funding", string(x.Funding)) }},
		{"finished", v.T("plan.isFinished"), func(x a) string { return v.yesNo(x.Finished) }, func(x a) []hidden { return tick("finished", x.Finished) }},
	}
}

func contributionFields(v *visit) []clashField[assess.Contribution] {
	type c = assess.Contribution
	return []clashField[c]{
		{"level", v.T("ask.level"), func(x c) string { return v.level(x.Level) }, func(x c) []hidden {
			// Who chooses a level that nobody has confirmed does not confirm it.
			return append(one("level", levelValue(x.Level)), tick("carried", x.Carried)...)
		}},
		{"reason", v.T("field.reason"), func(x c) string { return x.Reason }, func(x c) []hidden { return one("reason", x.Reason) }},
		{"evidence", v.T("ask.evidence"), func(x c) string { return v.grade(x.Evidence) }, func(x c) []hidden { return one("evidence", gradeValue(x.Evidence)) }},
		{"place", v.T("field.place"), func(x c) string { return x.Place }, func(x c) []hidden { return one("place", x.Place) }},
		{"note", v.T("ask.note"), func(x c) string { return x.Note }, func(x c) []hidden { return one("note", x.Note) }},
	}
}

// gradeValue is a grade as a form has it.
func gradeValue(g framework.Grade) string {
	if g == framework.NoEvidence {
		return ""
	}
	return g.String()
}
