package edition

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/internal/audience"
	"muster/internal/errs"
	"muster/internal/framework"
)

// languages are those in which every edition is.
func languages() []string { return []string{"en", "fr"} }

// draft is a text that was read: what its head says, and commentary with references.
type draft struct {
	tlp       audience.TLP
	circles   audience.Circle
	announced audience.Circle
	embargo   time.Time
	expires   time.Time
	areas     []string
	title     framework.Text
	sentence  framework.Text
	places    map[string]int // line by field
	text      map[string][]line
}

// line is a block of commentary as it was written: with the line of the text that it
// begins on.
type line struct {
	sort Sort
	at   int
	text string // may go over several lines
}

// Blank returns the text that an edition begins with, to be written on.
func Blank(n Name) string {
	tlp := "TLP:AMBER"
	if n == Public {
		tlp = "TLP:CLEAR"
	}
	sentence := ""
	if n == Public {
		sentence = "sentence.en:\nsentence.fr:\n"
	}
	return "tlp: " + tlp + "\ntitle.en:\ntitle.fr:\n" + sentence + "\n== en\n\n== fr\n"
}

// fields are those that a head may have.
func fields(n Name) []string {
	all := []string{"tlp", "announced", "embargo", "expires", "areas", "title.en", "title.fr"}
	if _, choice := n.circles(); choice {
		all = append(all, "for")
	}
	if n == Public {
		all = append(all, "sentence.en", "sentence.fr")
	}
	return all
}

// read reads a text: a head of fields, a line each, then commentary, that of each
// language under a line "== en" or "== fr". Blank lines part paragraphs; a line that
// begins with "# " is a heading, one that begins with "- " an item. What is wrong is in
// faults, all of it.
func read(n Name, file, text string) (draft, errs.Faults) {
	d := draft{title: framework.Text{}, sentence: framework.Text{}, places: make(map[string]int), text: make(map[string][]line)}
	d.circles, _ = n.circles()
	var faults errs.Faults
	fault := func(at, column int, field, message, allowed string) {
		if len(faults) < errs.MaxFaults {
			faults = append(faults, errs.Fault{File: file, Line: at, Column: column, Field: field, Message: message, Allowed: allowed})
		}
	}
	if len(text) > MaxText {
		fault(0, 0, "", fmt.Sprintf("the text has %d bytes", len(text)), fmt.Sprintf("at most %d", MaxText))
		return d, faults
	}
	lang := ""
	open := false // a paragraph goes on
	for i, row := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		at := i + 1
		if column := hidden(row); column > 0 {
			fault(at, column, "", "a character that is not printed", "text")
			continue
		}
		row = strings.TrimRight(row, " \t")
		switch head, found := strings.CutPrefix(row, "== "); {
		case found:
			if lang, open = strings.TrimSpace(head), false; !slices.Contains(languages(), lang) {
				fault(at, 4, "", errs.Quote(lang)+" is no language of an edition", "en, fr")
			} else if _, twice := d.text[lang]; twice {
				fault(at, 4, "", "the commentary in "+lang+" stands twice", "")
			} else {
				d.text[lang] = []line{}
			}
		case lang == "" && row != "":
			d.head(n, at, row, fault)
		case lang == "":
		case row == "":
			open = false
		default:
			d.block(lang, at, row, &open)
		}
	}
	d.whole(n, fault)
	return d, faults
}

// hidden returns the column of the first character that is not printed, or 0.
func hidden(row string) int {
	if !utf8.ValidString(row) {
		return 1
	}
	column := 0
	for _, r := range row {
		column++
		if !unicode.IsPrint(r) && r != '\t' && r != '\u00a0' && r != '\u202f' && r != '\u2009' {
			return column
		}
	}
	return 0
}

// block adds a line of commentary to what there is of it.
func (d *draft) block(lang string, at int, row string, open *bool) {
	all := d.text[lang]
	if text, is := strings.CutPrefix(row, "# "); is {
		d.text[lang], *open = append(all, line{Heading, at, text}), false
		return
	}
	if text, is := strings.CutPrefix(row, "- "); is {
		d.text[lang], *open = append(all, line{Item, at, text}), true
		return
	}
	if *open {
		all[len(all)-1].text += "\n" + row
		return
	}
	d.text[lang], *open = append(all, line{Paragraph, at, row}), true
}

// head reads a line of the head.
func (d *draft) head(n Name, at int, row string, fault func(at, column int, field, message, allowed string)) {
	field, value, ok := strings.Cut(row, ":")
	field, value = strings.TrimSpace(field), strings.TrimSpace(value)
	allowed := strings.Join(fields(n), ", ")
	if !ok || !slices.Contains(fields(n), field) {
		fault(at, 1, "", errs.Quote(field)+" is no field of the head of this edition", allowed+"; commentary begins with == en")
		return
	}
	if _, twice := d.places[field]; twice {
		fault(at, 1, field, "stands twice", "")
		return
	}
	d.places[field] = at
	if value == "" {
		return
	}
	column := utf8.RuneCountInString(row[:strings.Index(row, value)]) + 1
	switch field {
	case "tlp":
		var err error
		if d.tlp, err = audience.ParseTLP(value); err != nil {
			described := errs.Describe(err)
			fault(at, column, field, described.Message, described.Hint)
		}
	case "for", "announced":
		circles := audience.Circle(0)
		for name := range strings.SplitSeq(value, ",") {
			circle := circlesOf([]string{strings.TrimSpace(name)})
			if circle == 0 || field == "for" && circle == audience.Public {
				fault(at, column, field, errs.Quote(strings.TrimSpace(name))+" is no circle that this can be for", "allied, partner")
			}
			circles |= circle
		}
		if field == "for" {
			d.circles = circles
		} else {
			d.announced = circles
		}
	case "embargo", "expires":
		moment, err := time.ParseInLocation("2006-01-02 15:04", value, time.UTC)
		if err != nil {
			fault(at, column, field, errs.Quote(value)+" is no moment", "a day and a time in UTC, as 2031-11-15 12:00")
		}
		if field == "embargo" {
			d.embargo = moment
		} else {
			d.expires = moment
		}
	case "areas":
		for id := range strings.SplitSeq(value, ",") {
			d.areas = append(d.areas, strings.TrimSpace(id))
		}
	default:
		name, lang, _ := strings.Cut(field, ".")
		texts, most := d.title, maxTitle
		if name == "sentence" {
			texts, most = d.sentence, maxSentence
		}
		if length := utf8.RuneCountInString(value); length > most {
			fault(at, column, field, fmt.Sprintf("has %d characters", length), fmt.Sprintf("at most %d", most))
		}
		texts[lang] = value
	}
}

// whole says what is missing, and what does not go together.
func (d *draft) whole(n Name, fault func(at, column int, field, message, allowed string)) {
	lacks := func(field string, has bool) {
		if !has {
			fault(d.places[field], 0, field, "is missing", "")
		}
	}
	lacks("tlp", d.tlp.Known() || d.places["tlp"] > 0)
	for _, lang := range languages() {
		lacks("title."+lang, d.title[lang] != "")
		if n == Public {
			lacks("sentence."+lang, d.sentence[lang] != "")
		}
		if len(d.text[lang]) == 0 {
			fault(0, 0, "== "+lang, "there is no commentary in this language", "")
		}
		length := 0
		for _, l := range d.text[lang] {
			length += utf8.RuneCountInString(l.text)
		}
		if n == Public && length > maxPublic {
			fault(d.text[lang][0].at, 0, "== "+lang, fmt.Sprintf("has %d characters, and the public edition is one page", length), fmt.Sprintf("at most %d", maxPublic))
		}
	}
	switch {
	case d.tlp == audience.Red:
		fault(d.places["tlp"], 0, "tlp", "TLP:RED is for individuals by name, and an edition is for circles", "TLP:AMBER+STRICT or wider")
	case d.circles&audience.Public != 0 && d.tlp.Known() && d.tlp != audience.Clear:
		fault(d.places["tlp"], 0, "tlp", d.tlp.String()+" does not come to everybody, whom the public edition is for", "TLP:CLEAR")
	case d.circles&audience.Public == 0 && d.tlp == audience.Clear:
		fault(d.places["tlp"], 0, "tlp", "TLP:CLEAR lets everybody pass on what is not for everybody", "TLP:GREEN or narrower")
	}
	if !d.expires.IsZero() && !d.embargo.Before(d.expires) {
		fault(d.places["expires"], 0, "expires", "is not after the embargo", "")
	}
}
