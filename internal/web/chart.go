package web

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Segment is one part of a [Stack]: units First to Last of a scale's chain.
type Segment struct {
	First, Last int
	Count       int
	Label       string // what it is: "0–1"
	Short       string // the same where there is no room for Label; may be empty
	Sign        string // stands before the count where there is room, in place of a label
	Own         bool   // the reader is among them: a dot over the segment's middle
}

// Stack is members side by side in proportion, one segment a band. Units that
// are shown together have one segment with a hatching over it.
type Stack struct {
	Scale    string // of the palette: "level", "move", "grade", "state"
	Title    string
	Desc     string
	Segments []Segment
	Low      bool // a lower picture, for what stands beside another
	Thin     bool // lower still: a sketch without any text, of which there is a larger picture elsewhere
	Bare     bool // no line for labels
}

// The lines of a stack's texts in pixels, and what room a letter takes in the
// narrowest place that a stack is drawn in. Heights stand in chart.css.
const (
	countLine, lowCountLine = 18, 14
	labelLine, lowLabelLine = 39, 31
	leastWidth              = 300.0
	digitWidth              = 8.0
	letterWidth             = 6.7
)

// SVG draws the stack; nothing is drawn of a segment without members.
func (c Stack) SVG() template.HTML {
	total := 0
	for _, seg := range c.Segments {
		total += seg.Count
	}
	class, count, label := "stack", countLine, labelLine
	if c.Low {
		class, count, label = "stack low", lowCountLine, lowLabelLine
	}
	if c.Thin {
		class = "stack thin"
	} else if c.Bare {
		class += " bare"
	}
	if slices.ContainsFunc(c.Segments, func(s Segment) bool { return s.Own }) {
		class += " own"
	}
	var s svg
	s.open(class, c.Title, c.Desc)
	at, dots := 0, "" // dots are drawn last: in a sketch they stand on the fills
	for _, seg := range c.Segments {
		from, to := share(at, total), share(at+seg.Count, total)
		at += seg.Count
		if seg.Own { // also where nobody is counted: then between its neighbours
			dots += `<circle cx="` + percent(tenths((from+to)/2)) + `" cy="-8" r="5.5"/>`
		}
		if seg.Count == 0 {
			continue
		}
		s.part(FillClass(c.Scale, seg.First, seg.Last), from, to)
		s.b.WriteString("<rect/>")
		if seg.Last > seg.First {
			s.b.WriteString(`<rect fill="url(#joined)"/>`)
		}
		number := strconv.Itoa(seg.Count)
		for _, text := range []string{seg.Sign + number, number} {
			if c.Thin {
				break
			}
			if fits(text, digitWidth, to-from) {
				s.text("", count, text)
				break
			}
		}
		for _, text := range []string{seg.Label, seg.Short} {
			if text != "" && fits(text, letterWidth, to-from) {
				s.text("u", label, text)
				break
			}
		}
		s.end()
	}
	s.b.WriteString(dots)
	return s.close()
}

func fits(text string, letter, width float64) bool {
	letters := float64(utf8.RuneCountInString(text)) - float64(strings.Count(text, ","))/2
	return letters*letter <= width*leastWidth
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Bar is how many of all, and how many more it could be.
type Bar struct {
	Title  string
	Class  string // of its fill
	Count  int
	AtMost int // more than Count where it is known only between which two it lies
	Of     int

	Before, BeforeOf int // the same earlier, drawn as a mark; BeforeOf is 0 for none
}

// SVG draws the bar.
func (c Bar) SVG() template.HTML {
	var s svg
	s.open("bar", c.Title, "")
	s.rect("track", 1)
	if c.AtMost > c.Count {
		s.rect("maybe", share(c.AtMost, c.Of))
	}
	if c.Count > 0 {
		s.rect(c.Class, share(c.Count, c.Of))
	}
	if c.BeforeOf > 0 {
		at := min(max(share(c.Before, c.BeforeOf)-0.004, 0), 0.992)
		s.part("before", at, at+0.008)
		s.b.WriteString("<rect/>")
		s.end()
	}
	return s.close()
}

// Steps is one place on the scale, and where it wants to be: for who answers alone.
type Steps struct {
	Title  string
	Steps  int // how many places there are
	At     int // the place, or -1
	Target int // the place aimed at, or -1
}

// SVG draws the steps: filled as far as the place, outlined where it is aimed at.
func (c Steps) SVG() template.HTML {
	var s svg
	s.open("steps", c.Title, "")
	for i := range c.Steps {
		class := "step"
		if i <= c.At {
			class = FillClass("level", i+1, i+1)
		}
		s.part(class, share(i, c.Steps), share(i+1, c.Steps))
		s.b.WriteString("<rect/>")
		if i == c.Target {
			s.b.WriteString(`<rect class="aim"/>`)
		}
		s.end()
	}
	return s.close()
}

// Squares is a coalition of few, one square a member: who took part.
type Squares struct {
	Title  string
	Groups []SquareGroup
}

// SquareGroup is a number of squares drawn alike.
type SquareGroup struct {
	Class string
	Count int
}

// The size of squares in pixels, and how many are too many to count by eye.
const (
	squareSize = 15
	squareStep = 19
	squareRow  = 16
	maxSquares = 96
)

// SVG draws the squares, or nothing where there are too many of them.
func (c Squares) SVG() template.HTML {
	total := 0
	for _, g := range c.Groups {
		total += g.Count
	}
	if total == 0 || total > maxSquares {
		return ""
	}
	row := squareRow
	rows := (total + row - 1) / row
	var s svg
	width, height := strconv.Itoa(row*squareStep), strconv.Itoa(rows*squareStep)
	s.b.WriteString(`<svg class="squares" role="img" width="` + width + `" height="` + height + `" viewBox="0 0 ` + width + ` ` + height + `">`)
	s.b.WriteString("<title>" + template.HTMLEscapeString(c.Title) + "</title>")
	i := 0
	for _, g := range c.Groups {
		for range g.Count {
			s.b.WriteString(`<rect class="` + g.Class + `" x="` + strconv.Itoa(i%row*squareStep+1) + `" y="` + strconv.Itoa(i/row*squareStep+1) + `" width="` + strconv.Itoa(squareSize) + `" height="` + strconv.Itoa(squareSize) + `"/>`)
			i++
		}
	}
	return s.close()
}

// Defs returns what the pictures of a page refer to. It stands once in every page
// that has pictures.
func Defs() template.HTML {
	return `<svg class="defs" width="0" height="0" aria-hidden="true"><defs><pattern id="joined" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" class="hatch"/></pattern></defs></svg>`
}
