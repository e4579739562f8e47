package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"muster/internal/disclosure"
	"muster/internal/release"
)

func (p *pictureReader) legend(text string) {
	p.t.Helper()
	for _, fixed := range []string{
		fmt.Sprintf("The strips show the %d members", p.r.Participation.Submissions),
		"── 0 ░░ 1 ▒▒ 2 ▓▓ 3 ██ 4 ", "├─9─┤ 9 members at these levels together", "(E2, E3)",
	} {
		if strings.Count(text, fixed) != 1 {
			p.t.Fatalf("the legend does not say %q: %q", fixed, text)
		}
		text = strings.Replace(text, fixed, "", 1)
	}
	p.noDigits(text)
}

var areaHead = regexp.MustCompile(`^([A-Z][A-Z0-9]*)  .*–( +)0( +)1 +2 +3 +4 +target +tested$`)

// table reads an area: the place of the units in its head says which counts
// belong to which unit.
func (p *pictureReader) table(lines []string) {
	p.t.Helper()
	head := []rune(lines[0])
	cell := len(areaHead.FindStringSubmatch(lines[0])[2]) + 1
	start := slices.Index(head, '–') - (cell - 2)
	id := areaHead.FindStringSubmatch(lines[0])[1]
	i := slices.IndexFunc(p.r.Areas, func(a release.Area) bool { return a.ID == id })
	if i < 0 || p.areas[id] {
		p.t.Fatalf("an area %s that the release lacks, or twice", id)
	}
	area := p.r.Areas[i]
	rows := lines[1:]
	for _, o := range area.Outcomes {
		if strings.Fields(rows[0])[0] != o.ID {
			p.t.Fatalf("want the row of %s: %q", o.ID, rows[0])
		}
		p.bands(rows[0], start, cell, o.Level)
		figures := strings.Fields(string([]rune(rows[0])[start+6*cell:]))
		var want []string
		for _, bands := range [][]disclosure.Band{o.Gap.Bands(), o.Evidence.Bands()} {
			want = append(want, upper(bands))
		}
		if diff := cmp.Diff(want, figures); diff != "" {
			p.t.Fatalf("%q: -want +got\n%s", rows[0], diff)
		}
		rows = rows[1:]
	}
	if !strings.HasPrefix(rows[0], " ") || len([]rune(rows[0])) > start+6*cell {
		p.t.Fatalf("want the row of the lowest levels: %q", rows[0])
	}
	p.bands(rows[0], start, cell, area.Lowest)
	p.change(strings.Join(strings.Fields(strings.Join(rows[1:], " ")), " "), area.Change)
	if p.areas == nil {
		p.areas = make(map[string]bool)
	}
	p.areas[id] = true
}

// upper recomputes a single number: the members in the bands from "met" or "E2"
// upwards, or "·" where that is no boundary.
func upper(bands []disclosure.Band) string {
	var total uint64
	for i := len(bands) - 1; i >= 0; i-- {
		total += bands[i].Count
		if first := bands[i].Units[0]; first == "met" || first == "E2" {
			return strconv.FormatUint(total, 10)
		}
	}
	return "·"
}

// bands reads the counts of one row, and that the strip before them has a mark
// for every band that is not empty, in order.
func (p *pictureReader) bands(row string, start, cell int, b disclosure.BandedBlock) {
	p.t.Helper()
	units := []string{"none", "0", "1", "2", "3", "4"}
	runes := append([]rune(row), []rune(strings.Repeat(" ", 6*cell))...)
	// The strip ends before the gap that stands before the first unit.
	strip := strings.TrimRight(string(runes[:start-2]), " ")
	if len(b.Bands()) == 1 {
		if text := string(runes[start : start+6*cell]); !strings.Contains(text, "─ not shown ─") || strings.ContainsAny(strip, "░▒▓█") {
			p.t.Fatalf("%s is not shown, but there is %q", b.Name(), row)
		}
		return
	}
	var got []disclosure.Band
	for at := 0; at < 6; {
		n := 1
		text := runes[start+at*cell : start+(at+1)*cell]
		if text[0] == '├' {
			end := slices.Index(runes[start+at*cell:], '┤') + 2
			if end%cell != 0 {
				p.t.Fatalf("a band of %q does not end where a unit does", row)
			}
			n = end / cell
			text = runes[start+at*cell : start+(at+n)*cell]
		}
		got = append(got, disclosure.Band{Units: units[at : at+n], Count: p.number(strings.Trim(string(text), " ├─┤"))})
		at += n
	}
	if diff := cmp.Diff(b.Bands(), got); diff != "" {
		p.t.Fatalf("%s in %q: -want +got\n%s", b.Name(), row, diff)
	}
	var shades []rune
	for _, band := range b.Bands() {
		if band.Count > 0 {
			shades = append(shades, map[string]rune{"none": '·', "0": '─', "1": '░', "2": '▒', "3": '▓', "4": '█'}[band.Units[0]])
		}
	}
	if drawn := slices.Compact([]rune(strip[strings.LastIndex(strip, " ")+1:])); string(drawn) != string(shades) {
		p.t.Fatalf("%s has the shades %q, want %q", b.Name(), string(drawn), string(shades))
	}
}

var changed = regexp.MustCompile(`(\d+) ([^\d;]+)`)

func (p *pictureReader) change(text string, b disclosure.BandedBlock) {
	p.t.Helper()
	text, ok := strings.CutPrefix(text, "since last cycle: ")
	if !ok {
		p.t.Fatalf("nobody reads %q", text)
	}
	got := make(map[string]uint64)
	for _, m := range changed.FindAllStringSubmatch(text, -1) {
		words := strings.NewReplacer("not comparable", "not_comparable", "the same", "same", " or ", " ", ",", " ").Replace(m[2])
		units := strings.Fields(words)
		slices.Sort(units)
		got[strings.Join(units, " ")] = p.number(m[1])
	}
	want := make(map[string]uint64)
	for _, band := range b.Bands() {
		if band.Count > 0 {
			slices.Sort(band.Units)
			want[strings.Join(band.Units, " ")] = band.Count
		}
	}
	switch text {
	case "not shown":
		if len(b.Bands()) > 1 {
			p.t.Fatalf("%s is shown, but not here", b.Name())
		}
	case "nothing to compare with":
		if want["not_comparable"] != b.Total() {
			p.t.Fatalf("%s has something to compare with: %v", b.Name(), want)
		}
	default:
		if diff := cmp.Diff(want, got); diff != "" {
			p.t.Fatalf("%s in %q: -want +got\n%s", b.Name(), text, diff)
		}
	}
}

func (p *pictureReader) notShown(text string) {
	p.t.Helper()
	silent := make(map[string]int) // by kind
	dots := 0
	for _, a := range p.r.Areas {
		for _, b := range []disclosure.BandedBlock{a.Lowest, a.Change} {
			if len(b.Bands()) == 1 {
				silent[string(b.Kind())]++
			}
		}
		for _, o := range a.Outcomes {
			for _, b := range []disclosure.BandedBlock{o.Level, o.Verified, o.Target, o.Gap, o.Evidence} {
				if len(b.Bands()) == 1 {
					silent[string(b.Kind())]++
				} else if (b.Kind() == "gap" || b.Kind() == "evidence") && upper(b.Bands()) == "·" {
					dots++
				}
			}
		}
	}
	// With the rule's usual choice these two follow from what is shown beside them.
	var want, held, first []string
	for _, kind := range []struct{ name, words, noun string }{
		{"level", "the levels", "outcome"},
		{"verified", "the verified levels", "outcome"},
		{"target", "the targets", "outcome"},
		{"gap", "how levels stand to targets", "outcome"},
		{"evidence", "the evidence", "outcome"},
		{"lowest", "the lowest levels", "area"},
		{"change", "what changed", "area"},
	} {
		list := &want
		switch kind.name {
		case "target", "lowest":
			list = &held
		case "change": // no release of these tests has an earlier one
			list = &first
		}
		switch n := silent[kind.name]; n {
		case 0:
		case 1:
			*list = append(*list, kind.words+" of 1 "+kind.noun)
		default:
			*list = append(*list, fmt.Sprintf("%s of %d %ss", kind.words, n, kind.noun))
		}
	}
	if dots > 0 {
		more := " of"
		if len(want) > 0 {
			more = " more of"
		}
		want = append(want, strconv.Itoa(dots)+more+" the numbers under target and tested")
	}
	var all []string
	if len(want) > 0 {
		all = append(all, "Too few to show without pointing at someone: "+strings.Join(want, ", ")+".")
	}
	if len(held) > 0 {
		all = append(all, "Another figure from the same answers is shown in its place; both together could point at someone: "+strings.Join(held, ", ")+".")
	}
	if len(first) > 0 {
		all = append(all, "There is no earlier release of these members to compare with: "+strings.Join(first, ", ")+".")
	}
	if len(all) == 0 {
		all = []string{"Nothing had to be left out."}
	}
	p.equal(text, strings.Join(all, " "))
}
