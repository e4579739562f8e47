package edition

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
)

// spans cuts commentary into text and references, and resolves these in a language. at
// and column are where the text begins.
func (d *Document) spans(lang, text string, at, column int, fault func(at, column int, message, allowed string)) []Span {
	var all []Span
	say := func(s Span) {
		if s.Text = strings.ReplaceAll(s.Text, "\n", " "); s.Text != "" {
			all = append(all, s)
		}
	}
	whole := text
	place := func() (int, int) { // of the rest of the text
		done := whole[:len(whole)-len(text)]
		if i := strings.LastIndexByte(done, '\n'); i >= 0 {
			return at + strings.Count(done, "\n"), utf8.RuneCountInString(done[i+1:]) + 1
		}
		return at, column + utf8.RuneCountInString(done)
	}
	for {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			say(Span{Text: text})
			return all
		}
		say(Span{Text: text[:i]})
		text = text[i:]
		row, col := place()
		end := strings.IndexAny(text[1:], "{}\n")
		if text[0] == '}' || end < 0 || text[end+1] != '}' {
			fault(row, col, "a brace that begins or ends no reference", "a reference such as {A1.2 level 2-4}, in one line")
			text = text[1:]
			continue
		}
		reference := strings.TrimSpace(text[1 : end+1])
		value, err := d.resolve(lang, reference)
		if err != nil {
			described := errs.Describe(err)
			fault(row, col, "{"+reference+"} "+described.Message, described.Hint)
			value = "{" + reference + "}" // for a preview
		}
		say(Span{Text: value, From: reference})
		text = text[end+2:]
	}
}

// resolve returns what a reference comes to. What it comes to follows from the figures
// of the edition alone.
func (d *Document) resolve(lang, reference string) (string, error) {
	words := strings.Fields(reference)
	switch strings.Join(words, " ") {
	case "cycle":
		return d.Cycle, nil
	case "coalition":
		return d.Coalition, nil
	case "members":
		return strconv.Itoa(d.Members), nil
	case "took part":
		return strconv.Itoa(d.TookPart), nil
	}
	refuse := func(message, hint string) (string, error) { return "", errs.New(errs.Invalid, message, hint) }
	if len(words) < 2 {
		return refuse("is no reference", "{A1.2 level 2-4}, {A1.2 level median}, {A1.2 title}, {A1 change better}, {members}, {took part}, {cycle}, {coalition}")
	}
	var here []Figure
	for _, f := range d.Figures() {
		if f.Outcome == words[0] || f.Outcome == "" && f.Area == words[0] {
			here = append(here, f)
		}
	}
	if len(here) == 0 {
		return refuse("is of no area or outcome of this edition", "")
	}
	if words[1] == "title" && len(words) == 2 {
		return here[0].Title.In(lang), nil
	}
	i := slices.IndexFunc(here, func(f Figure) bool { return string(f.Kind) == words[1] })
	if i < 0 || len(words) < 3 || len(words) > 4 {
		kinds := make([]string, len(here))
		for i, f := range here {
			kinds[i] = string(f.Kind)
		}
		return refuse("does not say what is counted and at which units", words[0]+" "+strings.Join(kinds, ", ")+", then units such as 2-4")
	}
	f := here[i]
	if !f.Block.Shown() {
		return refuse("is not shown in this edition: too few to show without pointing at someone, or coarsened away", "")
	}
	if words[2] == "median" && len(words) == 3 {
		return median(f, lang)
	}
	form := ""
	if len(words) == 4 {
		form = words[3]
	}
	return f.count(lang, words[2], form)
}

// count returns how many members are in units of the block.
func (f Figure) count(lang, units, form string) (string, error) {
	chain := disclosure.Chain(f.Kind)
	first, last, found := strings.Cut(units, "-")
	if !found {
		last = first
	}
	i, j := slices.Index(chain, first), slices.Index(chain, last)
	if i < 0 || j < i {
		return "", errs.New(errs.Invalid, "names units that "+string(f.Kind)+" does not have in this order", strings.Join(chain, ", "))
	}
	n, tells := f.Block.Count(first, last)
	if !tells {
		return "", errs.New(errs.Invalid, "is not told by the bands of this edition", "it has "+bands(f.Block))
	}
	total := f.Block.Total()
	switch form {
	case "":
		return strconv.FormatUint(n, 10), nil
	case "of":
		of := "of"
		if lang == "fr" {
			of = "sur"
		}
		return fmt.Sprintf("%d %s %d", n, of, total), nil
	case "share":
		percent := (n*200 + total) / (2 * total) // rounded
		if lang == "fr" {
			return fmt.Sprintf("%d\u00a0%%", percent), nil
		}
		return fmt.Sprintf("%d%%", percent), nil
	}
	return "", errs.New(errs.Invalid, errs.Quote(form)+" is no form of a count", "of, share, or nothing")
}

// bands names the bands of a block.
func bands(b disclosure.BandedBlock) string {
	var all []string
	for _, band := range b.Bands() {
		all = append(all, rangeOf(band.Units))
	}
	return strings.Join(all, ", ")
}

func rangeOf(units []string) string {
	if len(units) == 1 {
		return units[0]
	}
	return units[0] + "-" + units[len(units)-1]
}

// median returns the band that the middle one of those who gave a level is in; of an
// even number the lower of the two in the middle. How many gave none is known within the
// first band alone, and what that leaves open has to come to the same.
func median(f Figure, lang string) (string, error) {
	if !slices.Contains([]framework.Kind{framework.KindLevel, framework.KindVerified, framework.KindTarget}, f.Kind) {
		return "", errs.New(errs.Invalid, "asks for the middle of what has no levels", "level, verified or target")
	}
	all := f.Block.Bands()
	total := f.Block.Total()
	least, most := uint64(0), all[0].Count // of those who gave no level
	if len(all[0].Units) == 1 {
		least = most
	}
	at := func(silent uint64) int { // the band of the middle, if so many gave none
		middle, before := (total-silent+1)/2, uint64(0)
		for i, band := range all {
			count := band.Count
			if i == 0 {
				count -= silent
			}
			if before += count; middle <= before {
				return i
			}
		}
		return len(all) - 1
	}
	i := at(least)
	if least == total || most == total || at(most) != i {
		return "", errs.New(errs.Invalid, "is not told by the bands of this edition", "it has "+bands(f.Block)+", and in the first are those who gave no level")
	}
	units := slices.DeleteFunc(slices.Clone(all[i].Units), func(unit string) bool { return unit == disclosure.NoLevel })
	if len(units) == 1 {
		return units[0], nil
	}
	to := " to "
	if lang == "fr" {
		to = " à "
	}
	return units[0] + to + units[len(units)-1], nil
}

// typed finds numbers beside words that count: what should be a reference.
var typed = regexp.MustCompile(`(?i)\b\d+(?:[.,]\d+)?[ \x{a0}\x{202f}]*(?:%|(?:per ?cent|percent|pour cent|members?|membres?|allies|alliés?|partners?|partenaires?|nations?|countries|pays|of|out of|in|sur)\b)|\b(?:level|niveau)s?[ \x{a0}]+\d\b`)

// warnings returns the places of commentary at which somebody typed a number instead of
// referring to it.
func warnings(file string, d draft) errs.Faults {
	var all errs.Faults
	note := func(field, text string, at, column int) {
		for i, row := range strings.Split(text, "\n") {
			masked := masked(row)
			for _, found := range typed.FindAllStringIndex(masked, -1) {
				col := utf8.RuneCountInString(row[:found[0]]) + 1
				if i == 0 {
					col += column - 1
				}
				if len(all) < errs.MaxFaults {
					all = append(all, errs.Fault{
						File: file, Line: at + i, Column: col, Field: field, Message: errs.Quote(row[found[0]:found[1]]) + " is typed, and nothing holds it to the release",
						Allowed: "a reference, such as {A1.2 level 2-4 of}",
					})
				}
			}
		}
	}
	for _, lang := range languages() {
		for _, l := range d.text[lang] {
			note("", l.text, l.at, l.sort.column())
		}
		note("title."+lang, d.title[lang], d.places["title."+lang], 1)
		note("sentence."+lang, d.sentence[lang], d.places["sentence."+lang], 1)
	}
	return all
}

// column is where the text of such a block begins in its line.
func (s Sort) column() int {
	if s == Paragraph {
		return 1
	}
	return 3
}

// masked returns a line with its references made unlike any number, byte for byte.
func masked(row string) string {
	b := []byte(row)
	inside := false
	for i, c := range b {
		inside = inside && c != '}' || c == '{'
		if inside {
			b[i] = '_'
		}
	}
	return string(b)
}
