package framework

import (
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
)

//go:embed pack.html
var pageFS embed.FS

// page is what pack.html shows, in one language. Texts are lists of paragraphs.
type page struct {
	Lang, Title, Marking, Name, Digest string
	Licence                            string
	Summary                            []string
	Remark                             string // may be empty
	HouseRule                          []string
	Scale                              []pageLevel
	RollUp                             []string
	Crosswalks                         []pageCrosswalk
	Areas                              []pageArea
	Outcomes                           int
	Label                              pageLabels
	Sheet                              sheet
}

// sheet is what stands at the edges of every printed page, as CSS strings.
type sheet struct{ Title, Marking, Name, Page template.CSS }

type pageLevel struct {
	Number int
	Title  string   // of the scale
	Text   []string // what it means for one outcome
}

type pageArea struct {
	ID, Title string
	Summary   []string
	Outcomes  []pageOutcome
}

type pageOutcome struct {
	ID, Title                                       string
	Question, Measure, Evidence, Why, NotApplicable []string
	Levels                                          []pageLevel
	ScaleOnly                                       string // said where the outcome has no descriptors of its own
	Crosswalk                                       []pageCrosswalk
}

type pageCrosswalk struct{ Key, Text string }

// pageLabels are the labels under names that a template can see.
type pageLabels struct {
	Scale, RollUp, Measure, Evidence, Why, NotApplicable, Crosswalk, Contents, Level, Meaning, Outcomes, Page string
}

// WriteHTML writes the pack as one HTML file that needs nothing else: no script,
// no font, no picture, no network. It reads on a screen and prints as a document,
// with the marking on every page and the scale at every outcome. lang is as for
// [WriteText]. Whatever a pack says is text: nothing of it becomes markup.
func WriteHTML(w io.Writer, p *Pack, lang string) error {
	lang, err := p.language(lang)
	if err != nil {
		return err
	}
	page, err := template.ParseFS(pageFS, "pack.html")
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := page.Execute(w, newPage(p, lang)); err != nil {
		return fmt.Errorf("write pack %s: %w", p.ID, err)
	}
	return nil
}

func newPage(p *Pack, lang string) page {
	l := labelsIn(lang)
	v := page{
		Lang: lang, Title: p.Title.In(lang), Marking: p.Marking, Name: p.ID + " " + p.Version,
		Digest: hex.EncodeToString(p.Digest[:]), Licence: p.Licence,
		Summary: paragraphs(p.Summary, lang), Remark: l.remark(p),
		HouseRule: paragraphs(p.Scale.HouseRule, lang), RollUp: paragraphs(p.RollUp.Text, lang),
		Outcomes: len(p.Outcomes()),
		Sheet:    sheet{cssString(p.Title.In(lang)), cssString(p.Marking), cssString(p.ID + " " + p.Version), cssString(l.page + " ")},
		Label: pageLabels{
			Scale: l.scale, RollUp: l.rollUp, Measure: l.measure, Evidence: l.evidence, Why: l.why,
			NotApplicable: l.notApplicable, Crosswalk: l.crosswalk, Contents: l.contents,
			Level: l.level, Meaning: l.meaning, Outcomes: l.outcomes, Page: l.page,
		},
	}
	for i, title := range p.Scale.Levels {
		v.Scale = append(v.Scale, pageLevel{Number: i, Title: title.In(lang)})
	}
	for _, key := range slices.Sorted(maps.Keys(p.Crosswalks)) {
		walk := p.Crosswalks[key]
		v.Crosswalks = append(v.Crosswalks, pageCrosswalk{key, walk.Title + ", " + walk.Version})
	}
	for i := range p.Areas {
		a := &p.Areas[i]
		area := pageArea{ID: a.ID, Title: a.Title.In(lang), Summary: paragraphs(a.Summary, lang)}
		for j := range a.Outcomes {
			area.Outcomes = append(area.Outcomes, newPageOutcome(&a.Outcomes[j], v.Scale, l, lang))
		}
		v.Areas = append(v.Areas, area)
	}
	return v
}

func newPageOutcome(o *Outcome, scale []pageLevel, l labels, lang string) pageOutcome {
	v := pageOutcome{
		ID: o.ID, Title: o.Title.In(lang), Question: paragraphs(o.Question, lang), Measure: paragraphs(o.Measure, lang),
		Evidence: paragraphs(o.Evidence, lang), Why: paragraphs(o.Why, lang), NotApplicable: paragraphs(o.NotApplicable, lang),
	}
	if !o.HasDescriptors() {
		v.ScaleOnly = l.scaleLevels
	}
	for i, level := range scale {
		level.Text = paragraphs(o.Descriptors[i], lang)
		v.Levels = append(v.Levels, level)
	}
	for _, key := range slices.Sorted(maps.Keys(o.Crosswalk)) {
		v.Crosswalk = append(v.Crosswalk, pageCrosswalk{key, strings.Join(o.Crosswalk[key], ", ")})
	}
	return v
}

// paragraphs returns the paragraphs of text, none if there is no text.
func paragraphs(text Text, lang string) []string {
	if text == nil {
		return nil
	}
	return strings.Split(text.In(lang), "\n")
}

// cssString returns text as a CSS string in which nothing but letters and digits
// of ASCII stands for itself. The template's own escaping takes a string with a
// colon for an address, and a marking has one.
func cssString(text string) template.CSS {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\%x `, r)
		}
	}
	b.WriteByte('"')
	return template.CSS(b.String())
}
