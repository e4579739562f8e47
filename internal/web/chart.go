package web

import (
	"html/template"
	"strconv"
	"unicode/utf8"
)

// Segment is one part of a [Stack]: units First to Last of a scale's chain.
type Segment struct {
	First, Last int
	Count       int
	Label       string // what it is, short: "0–1"
}

// Stack is members side by side in proportion, one segment a band. Units that
// are shown together have one segment with a hatching over it.
type Stack struct {
	Scale    string // of the palette: "level", "move", "grade", "state"
	Title    string
	Desc     string
	Segments []Segment
	Marks    []string // by unit: a sign before the count, or none
	Low      bool     // a lower picture, for what stands beside another
	Bare     bool     // no labels below
}

// The heights of a stack in pixels.
const (
	barHigh, barLow = 26, 18
	labelHeight     = 15
	leastWidth      = 300 // pixels; the narrowest place that a stack is drawn in
	digitWidth      = 7.5
)

// SVG draws the stack; nothing is drawn of a segment without members.
func (c Stack) SVG() template.HTML {
	total := 0
	for _, seg := range c.Segments {
		total += seg.Count
	}
	bar := barHigh
	if c.Low {
		bar = barLow
	}
	high := bar + 1
	if !c.Bare {
		high += labelHeight
	}
	var s svg
	class := "stack"
	if c.Low {
		class = "stack low"
	}
	s.open(class, high, c.Title, c.Desc)
	at := 0
	for _, seg := range c.Segments {
		if seg.Count == 0 {
			continue
		}
		x, width := share(at, total), share(seg.Count, total)
		at += seg.Count
		s.group(FillClass(c.Scale, seg.First, seg.Last))
		s.rect("", x, width, 0, bar)
		if seg.Last > seg.First {
			s.hatch(x, width, bar)
		}
		if text := c.count(seg, width); text != "" {
			s.text("", x+width/2, bar/2+5, text)
		}
		s.end()
		if !c.Bare && fits(seg.Label, width) {
			s.text("unit", x+width/2, bar+labelHeight-2, seg.Label)
		}
	}
	return s.close()
}

// count returns what stands in a segment, or nothing where there is no room.
func (c Stack) count(seg Segment, width float64) string {
	text := strconv.Itoa(seg.Count)
	if seg.First == seg.Last && seg.First < len(c.Marks) && c.Marks[seg.First] != "" {
		if marked := c.Marks[seg.First] + "\u2009" + text; fits(marked, width) {
			return marked
		}
	}
	if !fits(text, width) {
		return ""
	}
	return text
}

func fits(text string, width float64) bool {
	return float64(utf8.RuneCountInString(text))*digitWidth <= width*leastWidth
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Bar is how many of all, and how many more it could be.
type Bar struct {
	Title   string
	Class   string // of its fill
	Count   int
	AtMost  int // more than Count where it is known only between which two it lies
	Of      int
	Thicker bool
}

// SVG draws the bar.
func (c Bar) SVG() template.HTML {
	high := 8
	if c.Thicker {
		high = 12
	}
	var s svg
	s.open("bar", high, c.Title, "")
	s.rect("track", 0, 1, 0, high)
	if c.AtMost > c.Count {
		s.rect("maybe", 0, share(c.AtMost, c.Of), 0, high)
	}
	if c.Count > 0 {
		s.rect(c.Class, 0, share(c.Count, c.Of), 0, high)
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

// SVG draws the steps.
func (c Steps) SVG() template.HTML {
	var s svg
	s.open("steps", 22, c.Title, "")
	width := 1 / float64(c.Steps)
	for i := range c.Steps {
		class := "step"
		if i <= c.At {
			class = FillClass("level", i+1, i+1)
		}
		s.rect(class, float64(i)*width+0.004, width-0.008, 4, 14)
		if i == c.Target {
			s.rect("aim", float64(i)*width+0.004, width-0.008, 1, 20)
		}
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
	s.b.WriteString(`<svg class="squares" role="img" width="` + strconv.Itoa(row*squareStep) + `" height="` + strconv.Itoa(rows*squareStep) + `">`)
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
