package workspace

import (
	"html/template"
	"strings"
	"time"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// textKey names a pack in a language.
type textKey struct {
	digest [32]byte
	lang   string
}

// packTexts is what of a pack is the same in every request: its words in one
// language, escaped once.
type packTexts struct {
	packTitle, summary template.HTML
	scale              scaleView
	areas              map[string]template.HTML
	outcomes           map[string]*outcomeTexts

	gradeOptions  map[framework.Grade]string // the options of a list by the one that is chosen, as HTML
	targetOptions map[framework.Level]string
	noReferences  string // what stands over an empty list, as HTML
	noComments    string

	chips                       map[framework.Level]string // as HTML
	looksUnchanged, isUnchanged string
}

type outcomeTexts struct {
	ID                                  string
	Title, Question, Measure, Asks, Why template.HTML
	NotApplicable                       template.HTML // empty if the pack does not say
	Levels                              []levelText
	NameNA, NameWithheld                string
	Crosswalk                           string
	EvidenceHead, WhyHead, MeasureHead  string
	plainTitle                          string
}

type levelText struct {
	Value, Class string
	Text         template.HTML
}

// scaleView is the meaning of the five levels, with the house rule.
type scaleView struct {
	Heading string
	Levels  []levelText
	Rule    template.HTML
}

// textsOf returns the words of a pack. A workspace has few packs, which never
// change, so they are kept.
func (p *Pages) textsOf(pack *framework.Pack, lang string) *packTexts {
	key := textKey{pack.Digest, lang}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.texts[key]; t != nil {
		return t
	}
	printer := p.kit.Printer(lang)
	show := func(t framework.Text) template.HTML {
		return printer.Show(web.Text{In: t, First: pack.Languages[0]})
	}
	levels := func(texts [framework.Descriptors]framework.Text) []levelText {
		all := make([]levelText, len(texts))
		for i, text := range texts {
			level, _ := framework.LevelOf(i)
			all[i] = levelText{Value: level.String(), Class: web.FillClass("level", i+1, i+1), Text: show(text)}
		}
		return all
	}
	t := &packTexts{
		packTitle: show(pack.Title), summary: show(pack.Summary),
		scale:    scaleView{printer.T("scale.heading"), levels(pack.Scale.Levels), show(pack.Scale.HouseRule)},
		areas:    make(map[string]template.HTML),
		outcomes: make(map[string]*outcomeTexts),

		gradeOptions: gradeOptions(printer), targetOptions: targetOptions(printer),
		noReferences: template.HTMLEscapeString(printer.N("ask.references", 0)), noComments: template.HTMLEscapeString(printer.N("ask.comments", 0)),
		chips: make(map[framework.Level]string),

		looksUnchanged: template.HTMLEscapeString(printer.T("ask.unchanged")), isUnchanged: template.HTMLEscapeString(printer.T("ask.confirm")),
	}
	for _, l := range assess.VerifiedLevels() {
		c := (&visit{Printer: printer}).chip(l)
		title := template.HTMLEscapeString(c.Title)
		t.chips[l] = `<span class="chip ` + c.Class + `" title="` + title + `"><span aria-hidden="true">` + template.HTMLEscapeString(c.Text) + `</span><span class="away">` + title + `</span></span>`
	}
	for i := range pack.Areas {
		area := &pack.Areas[i]
		t.areas[area.ID] = show(area.Title)
		for j := range area.Outcomes {
			o := &area.Outcomes[j]
			t.outcomes[o.ID] = &outcomeTexts{
				ID: o.ID, Title: show(o.Title), Question: show(o.Question), Measure: show(o.Measure), Asks: show(o.Evidence), Why: show(o.Why),
				NotApplicable: show(o.NotApplicable), Levels: levels(pack.Levels(o)),
				NameNA: printer.T("level.na"), NameWithheld: printer.T("level.withheld"),
				EvidenceHead: printer.T("ask.counts"), WhyHead: printer.T("ask.why"), MeasureHead: printer.T("ask.measure"),
				plainTitle: printer.Plain(web.Text{In: o.Title, First: pack.Languages[0]}),
			}
		}
	}
	p.texts[key] = t
	return t
}

// options writes the options of a list.
func options(all []option) string {
	var b strings.Builder
	for _, o := range all {
		b.WriteString(`<option value="` + template.HTMLEscapeString(o.Value) + `"`)
		if o.Selected {
			b.WriteString(" selected")
		}
		b.WriteString(">" + template.HTMLEscapeString(o.Text) + "</option>")
	}
	return b.String()
}

func gradeOptions(printer *web.Printer) map[framework.Grade]string {
	grades := []framework.Grade{framework.NoEvidence, framework.E0, framework.E1, framework.E2, framework.E3}
	lists := make(map[framework.Grade]string)
	for _, chosen := range grades {
		var all []option
		for _, g := range grades {
			value := ""
			if g != framework.NoEvidence {
				value = g.String()
			}
			all = append(all, option{value, gradeName(printer, g), g == chosen})
		}
		lists[chosen] = options(all)
	}
	return lists
}

func targetOptions(printer *web.Printer) map[framework.Level]string {
	lists := make(map[framework.Level]string)
	for _, chosen := range assess.Targets() {
		all := []option{{"", printer.T("target.none"), chosen == framework.None}}
		for _, l := range assess.Targets() {
			if l.Given() {
				all = append(all, option{l.String(), l.String(), l == chosen})
			}
		}
		lists[chosen] = options(all)
	}
	return lists
}

func gradeName(printer *web.Printer, g framework.Grade) string {
	return printer.T("grade." + strings.ToLower(g.String()))
}

// level names a level in words.
func (v *visit) level(l framework.Level) string {
	if n, ok := l.Number(); ok {
		return v.Number(n)
	}
	return v.T("level." + l.String())
}

// levelClass returns the fill of a level's chip.
func levelClass(l framework.Level) string {
	if n, ok := l.Number(); ok {
		return web.FillClass("level", n+1, n+1)
	}
	return web.FillClass("level", 0, 0)
}

func (v *visit) grade(g framework.Grade) string { return gradeName(v.Printer, g) }

// chip is a level in short: a number or two letters, with its fill.
type chip struct {
	Class, Text, Title string
}

func (v *visit) chip(l framework.Level) chip {
	c := chip{Class: levelClass(l), Title: v.level(l)}
	switch {
	case l.Given():
		c.Text, c.Title = l.String(), v.T("level.number", "N", l.String())
	case l == framework.NotApplicable:
		c.Text = v.T("chip.na")
	case l == framework.Withheld:
		c.Text = v.T("chip.withheld")
	default:
		c.Text = "·"
	}
	return c
}

// day writes a day that is kept as 2006-01-02, or nothing.
func (v *visit) day(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return v.Date(at.Unix())
}

// when says who kept something and when, or nothing if nobody did.
func (v *visit) when(r workspace.Revised) string {
	if r.Rev == 0 {
		return ""
	}
	return v.T("saved.by", "Name", r.By, "Date", v.Date(r.At.Unix()), "Time", r.At.UTC().Format("15:04"))
}

// progressView is how far a set of outcomes is, for a native bar.
type progressView struct {
	ID    string // of the texts that the script renews
	Value int
	Max   int
	Text  string
	Label string
	Done  bool
}

func (v *visit) progress(id, label string, p assess.Progress) progressView {
	view := progressView{ID: id, Value: p.Answered, Max: max(p.Of, 1), Label: label, Done: p.Of > 0 && p.Open() == 0}
	view.Text = v.T("progress.of", "N", p.Answered, "Of", p.Of)
	return view
}

func belowTarget(e assess.Entry) bool {
	return e.Answered() && e.Answer(framework.None).Gap() == assess.GapBelow
}
