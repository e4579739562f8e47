package workspace

import (
	"html/template"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/brief"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/web"
	"muster/internal/workspace"
)

// briefAreas puts the member's dots beside the strips, area by area.
func (v *visit) briefAreas(t *briefText, b *brief.Brief, levels map[string]disclosure.BandedBlock) {
	standings := make(map[string]workspace.Standing, len(b.Comparison.Standings))
	for _, s := range b.Comparison.Standings {
		standings[s.Outcome] = s
	}
	t.Columns = b.Outcomes <= briefOutcomes
	for i, own := range b.Areas {
		area := briefArea{ID: own.ID, Title: plainText(v.areas[own.ID])}
		if own.Own != assess.ChangeNotComparable {
			area.Sign, area.Own = changeSign(own.Own), v.T("brief.change."+own.Own.String())
		}
		area.Others = v.othersMoved(own)
		a := &b.Pack.Areas[i]
		for j := range a.Outcomes {
			o := v.outcomes[a.Outcomes[j].ID]
			s, answered := standings[o.ID]
			row := v.briefRow(o, s, answered, levels[o.ID])
			if b.Release == nil {
				row.Strip, row.Unshowing = v.ownSteps(o, s.Answer, answered), ""
			}
			area.Rows = append(area.Rows, row)
		}
		t.Areas = append(t.Areas, area)
	}
}

// othersMoved says how many members moved which way in an area, where that is shown.
func (v *visit) othersMoved(a brief.Area) string {
	if !a.Others.Shown() {
		return ""
	}
	var says []string
	for _, band := range a.Others.Bands() {
		says = append(says, v.T("standing.band", "Band", v.changeWords(band), "Count", int(band.Count)))
	}
	return strings.Join(says, ", ")
}

// changeWords names the units of a band of an area's change.
func (v *visit) changeWords(band disclosure.Band) string {
	var words []string
	for _, unit := range band.Units {
		words = append(words, v.Plain(web.Text{In: release.UnitWords(unit), First: "en"}))
	}
	return v.Either(words)
}

func changeSign(c assess.Change) string {
	switch c {
	case assess.ChangeBetter:
		return "▲"
	case assess.ChangeWorse:
		return "▼"
	case assess.ChangeMixed:
		return "▲▼"
	}
	return "="
}

func (v *visit) briefRow(o *outcomeTexts, s workspace.Standing, answered bool, block disclosure.BandedBlock) briefRow {
	row := briefRow{ID: o.ID, Title: o.plainTitle, Chip: v.chip(framework.None), Lower: "–", Same: "–", Higher: "–", Target: "–"}
	own := -1
	if answered {
		own = s.Band
		row.Chip = v.chip(s.Answer.Level)
		if s.Answer.Target.Given() {
			row.Target, row.Below = v.level(s.Answer.Target), s.Gap == assess.GapBelow
		}
		if s.Band >= 0 && s.Answer.Level.Given() {
			row.Lower, row.Same, row.Higher = v.Number(int(s.Lower)), v.Number(int(s.Same)), v.Number(int(s.Higher))
		}
		switch s.Move {
		case assess.MoveRose:
			row.Sign, row.Move = "▲", v.T("move.rose", "Level", v.level(s.Before))
		case assess.MoveFell:
			row.Sign, row.Move = "▼", v.T("move.fell", "Level", v.level(s.Before))
		}
	}
	if block.Shown() {
		row.Strip, row.Bands = v.thinStrip(o.ID+" "+o.plainTitle, block, own), v.bandsInWords(block, own)
		row.Short = bandsInShort(block, own)
	} else {
		row.Unshowing = v.T("standing.notShown")
	}
	return row
}

// ownSteps draws an answer where there is no strip to stand beside.
func (v *visit) ownSteps(o *outcomeTexts, a assess.Answer, answered bool) template.HTML {
	steps := web.Steps{Title: o.ID + " " + o.plainTitle + ": " + v.level(a.Level), Steps: framework.Descriptors, At: -1, Target: -1}
	if !answered {
		return steps.SVG()
	}
	if n, given := a.Level.Number(); given {
		steps.At = n
	}
	if n, given := a.Target.Number(); given {
		steps.Target = n
		steps.Title += ", " + v.T("row.target", "Level", v.Number(n))
	}
	return steps.SVG()
}

// thinStrip is [visit.strip] as a sketch.
func (v *visit) thinStrip(subject string, block disclosure.BandedBlock, own int) template.HTML {
	stack := web.Stack{Scale: "level", Title: subject, Desc: v.bandsInWords(block, own), Thin: true}
	at := 0
	for i, band := range block.Bands() {
		stack.Segments = append(stack.Segments, web.Segment{First: at, Last: at + len(band.Units) - 1, Count: int(band.Count), Own: i == own})
		at += len(band.Units)
	}
	return stack.SVG()
}

// bandsInShort is the bands on one line of a table: "–,0–1: 8 · 2: 9 ● · 3: 7".
func bandsInShort(block disclosure.BandedBlock, own int) string {
	var all []string
	for i, band := range block.Bands() {
		one := bandSign(band) + ": " + strconv.FormatUint(band.Count, 10)
		if i == own {
			one += " ●"
		}
		all = append(all, one)
	}
	return strings.Join(all, " · ")
}

// briefPlan says what became of last year's promises, and whether this year's are paid.
func (v *visit) briefPlan(t *briefText, b *brief.Brief) {
	for _, state := range []brief.State{brief.StateKept, brief.StateUnderWay, brief.StateLate, brief.StateDropped} {
		t.Promised = append(t.Promised, sheetCount{v.T("promise." + promiseName(state)), v.Number(b.Promised[state])})
	}
	for _, p := range b.Promises[:min(len(b.Promises), briefPromises)] {
		one := briefPromise{State: v.T("promise." + promiseName(p.State)), Class: promiseName(p.State), Text: p.Action.Outcome + " " + shortened(p.Action.Text, briefLetters), Who: p.Action.Owner, Due: v.day(p.Action.Due)}
		if p.Reason != "" {
			one.More = shortened(p.Reason, briefLetters)
		}
		t.Promises = append(t.Promises, one)
	}
	if more := len(b.Promises) - briefPromises; more > 0 {
		t.PromisesMore = v.N("brief.more", more)
	}
	for _, f := range []assess.Funding{assess.Funded, assess.FundedInPart, assess.NotFunded, assess.FundingUnknown} {
		t.Funding = append(t.Funding, sheetCount{v.T("funding." + fundingName(f)), v.Number(b.Funding[f])})
	}
	t.FundingSays = v.N("brief.actions", b.Actions)
}

func promiseName(s brief.State) string {
	switch s {
	case brief.StateLate:
		return "late"
	case brief.StateDropped:
		return "dropped"
	case brief.StateKept:
		return "kept"
	}
	return "underway"
}
