package cascade

import (
	"math"
	"strconv"
	"strings"

	"muster/internal/cascade"
)

// band writes a band that its median stands in front of: "4.1 % (2.9 to 5.5 %)".
func (v *visit) band(b cascade.Band) string {
	return v.T("band.after", "Median", v.Percent(b.Median), "Range", v.between(b.P10, b.P90))
}

// between writes two shares: "2.9 to 5.5 %".
func (v *visit) between(low, high float64) string {
	return v.T("band.range", "Low", v.Figure(100*low), "High", v.Percent(high))
}

// time writes hours, as days where there are many.
func (v *visit) time(hours float64) string {
	if hours >= 48 {
		return v.T("time.days", "N", v.Figure(hours/24))
	}
	return v.T("time.hours", "N", v.Figure(hours))
}

// within writes how far a run looked, in whole days.
func (v *visit) within(r *cascade.Result) string {
	return v.N("time.within", int(math.Round(r.Horizon/24)))
}

// cut says that hours are counted up to the horizon alone; nothing where all was restored
// within it.
func (v *visit) cut(r *cascade.Result) string {
	if r.Restored.Never == 0 {
		return ""
	}
	return v.T("run.cut", "Within", v.within(r))
}

// give writes the half width of an interval: "± 0.02 %".
func (v *visit) give(half float64) string { return "±\u00a0" + v.Percent(half) }

// small writes a whole number as a word where it is small.
func (v *visit) small(n int) string {
	if n >= 1 && n <= 9 {
		return v.T("number.n" + string(rune('0'+n)))
	}
	return v.Number(n)
}

// service names a service.
func (v *visit) service(i int) string {
	if name := v.Plain(v.pages.Register.Names[i]); name != "" {
		return name
	}
	return v.pages.Register.Graph.Services()[i].ID
}

// serviceByID names a service by its id.
func (v *visit) serviceByID(id string) string {
	if i := v.pages.index(id); i >= 0 {
		return v.service(i)
	}
	return id
}

func (p *Pages) index(id string) int {
	for i, s := range p.Register.Graph.Services() {
		if s.ID == id {
			return i
		}
	}
	return -1
}

// title names a run: its scenario, and how many measures were taken.
func (v *visit) title(r request) string {
	title := v.Plain(v.pages.Scenarios[r.scenario].Title)
	if title == "" {
		title = v.pages.Scenarios[r.scenario].ID
	}
	if n := len(r.measures); n > 0 {
		title += ", " + v.N("run.with", n)
	}
	return title
}

// owners returns whose services a measure touches, in order of the register.
func (p *Pages) ownersOf(m int) []string {
	var list []string
	seen := make(map[string]bool)
	take := func(service int32) {
		if o := p.Register.Owners[service]; !seen[o] {
			seen[o] = true
			list = append(list, o)
		}
	}
	for i := range p.Measures[m].Actions {
		a := &p.Measures[m].Actions[i]
		for _, s := range a.Services {
			take(s)
		}
		for _, q := range a.Requirements {
			take(p.Register.Graph.Requirements()[q].Service)
		}
	}
	return list
}

// unsure says how sure a scenario's pictures are and what is unknown, in one line.
func (v *visit) unsure(scenario int, b *brief, result *cascade.Result) string {
	var say []string
	if result != nil {
		say = append(say, v.T("unsure.trials", "Give", v.give(result.Worst.Error)))
	}
	if b != nil && b.today != nil {
		say = append(say, v.T("unsure.draws", "Range", v.between(b.today.Worst.P10, b.today.Worst.P90)))
	} else {
		say = append(say, v.T("unsure.notYet"))
	}
	say = append(append(say, v.standing(scenario)...), v.unknownCells())
	return strings.Join(say, " ")
}

// unknownCells says how much of the register is unknown.
func (v *visit) unknownCells() string {
	cells := 0
	for _, n := range v.pages.Register.Unknown {
		cells += n
	}
	text := v.T("unknown.noCells")
	if cells > 0 {
		text = v.N("unknown.cells", cells)
	}
	if v.pages.Register.Said != nil {
		text += " " + v.suppliersSay()
	}
	return text
}

// owners counts the owners in a scenario: all of them, of whom levels are known, and
// who stands as a release says of all together.
type owners struct{ all, levels, crowd int }

func (p *Pages) ownersIn(scenario int) (n owners) {
	o := &p.Scenarios[scenario].Outlook
	seen := make(map[int32]bool)
	for _, owner := range o.Owner {
		if seen[owner] {
			continue
		}
		seen[owner] = true
		if int(owner) < len(o.Levels) && o.Levels[owner].Resistance >= 0 && o.Levels[owner].Recovery >= 0 {
			n.levels++
		}
	}
	n.all = len(seen)
	if o.Crowd != nil {
		n.crowd = min(n.all-n.levels, o.Crowd.Owners)
	}
	return n
}

// strangers is of how many nothing is known.
func (n owners) strangers() int { return n.all - n.levels - n.crowd }

// standing says how owners are known to stand in a scenario, and where in the
// parameters its runs are; nothing where nothing is known and the medians of the parameters
// change nothing.
func (v *visit) standing(scenario int) (say []string) {
	s := &v.pages.Scenarios[scenario]
	if s.Shock.Graph == nil {
		return nil
	}
	n := v.pages.ownersIn(scenario)
	if n.levels > 0 {
		say = append(say, v.T("standing.levels", "N", n.levels, "All", n.all))
	}
	if n.crowd > 0 {
		key := "standing.release"
		if n.strangers() > 0 { // any of the owners may be among the members
			key = "standing.releaseOfFewer"
		}
		say = append(say, v.T(key, "N", n.crowd, "All", n.all, "Members", s.Outlook.Crowd.Owners))
	}
	return append(say, v.T("standing.medians"))
}

// known returns whether in some scenario levels of owners are known one by one, and
// all together by a release.
func (p *Pages) known() (levels, release bool) {
	for i := range p.Scenarios {
		n := p.ownersIn(i)
		levels, release = levels || n.levels > 0, release || n.crowd > 0
	}
	return levels, release
}

// mark writes a share as an axis does: no digit that says nothing.
func (v *visit) mark(share float64) string {
	text := strconv.FormatFloat(math.Round(share*1e5)/1e3, 'f', -1, 64)
	if v.Lang == "fr" {
		return strings.Replace(text, ".", ",", 1) + "\u202f%"
	}
	return text + "\u00a0%"
}

// plain writes a coordinate.
func plain(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }
