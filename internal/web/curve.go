package web

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Curve is what something is over time: lines over one another, from 0 to Most.
type Curve struct {
	Title  string
	Desc   string
	Until  float64 // where the line of time ends; it begins at 0
	Most   float64 // the height
	Across []Tick  // of time
	Up     []Tick  // of the height
	Lines  []CurveLine
}

// Tick is a place on an axis, with its words.
type Tick struct {
	At   float64
	Text string
}

// CurveLine is one line; its points are in order of time.
type CurveLine struct {
	Class  string // of the stylesheet
	Filled bool   // down to 0
	Points [][2]float64
}

// SVG draws the curve. The plot is stretched to its place and its lines keep their
// width; words are not stretched, and stand in the margin that the stylesheet leaves.
func (c Curve) SVG() template.HTML {
	var s svg
	s.open("curve", c.Title, c.Desc)
	const unit = 1000.0
	x := func(at float64) string { return plain3(min(max(at/c.Until, 0), 1) * unit) }
	y := func(at float64) string { return plain3(unit - min(max(at/c.Most, 0), 1)*unit) }
	s.b.WriteString(`<svg class="plot" width="100%" height="100%" viewBox="0 0 1000 1000" preserveAspectRatio="none">`)
	for _, t := range c.Up {
		fmt.Fprintf(&s.b, `<path class="grid" d="M0 %sH1000"/>`, y(t.At))
	}
	for _, l := range c.Lines {
		var d strings.Builder
		for i, p := range l.Points {
			d.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + x(p[0]) + " " + y(p[1]))
		}
		if l.Filled && len(l.Points) > 0 {
			first, last := l.Points[0], l.Points[len(l.Points)-1]
			fmt.Fprintf(&s.b, `<path class="%s area" d="%sL%s 1000L%s 1000Z"/>`, l.Class, d.String(), x(last[0]), x(first[0]))
		}
		fmt.Fprintf(&s.b, `<path class="%s line" d="%s"/>`, l.Class, d.String())
	}
	s.b.WriteString(`<path class="base" d="M0 1000H1000"/></svg>`)
	for _, t := range c.Up {
		fmt.Fprintf(&s.b, `<text class="up" x="-8" y="%s">%s</text>`, percent(tenths(1-t.At/c.Most)), template.HTMLEscapeString(t.Text))
	}
	for i, t := range c.Across {
		class := "across"
		if i == len(c.Across)-1 && t.At > 0.95*c.Until {
			class = "across last"
		}
		fmt.Fprintf(&s.b, `<text class="%s" x="%s" y="100%%" dy="18">%s</text>`, class, percent(tenths(t.At/c.Until)), template.HTMLEscapeString(t.Text))
	}
	return s.close()
}

func plain3(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// Span is a value with what it may be between, on a line from 0 to Most: a bar up to
// the value, and over it a whisker from Low to High.
type Span struct {
	Title string
	Class string // of the bar
	Value float64
	Low   float64
	High  float64 // equal to Low for no whisker
	Most  float64
	Slim  bool
}

// SVG draws the span.
func (c Span) SVG() template.HTML {
	var s svg
	class := "span"
	if c.Slim {
		class = "span slim"
	}
	s.open(class, c.Title, "")
	at := func(x float64) float64 {
		if c.Most <= 0 {
			return 0
		}
		return min(max(x/c.Most, 0), 1)
	}
	s.rect("track", 1)
	if c.Value > 0 {
		s.rect(c.Class, at(c.Value))
	}
	if c.High > c.Low {
		s.part("whisker", at(c.Low), max(at(c.High), at(c.Low)+0.002))
		s.b.WriteString(`<rect class="reach"/><rect class="end"/><rect class="end far" x="100%"/>`)
		s.end()
	}
	return s.close()
}

// Swing is what moves a value from a middle to either side, on a line from Least to
// Most.
type Swing struct {
	Title       string
	From, To    float64
	Middle      float64
	Least, Most float64
}

// SVG draws the swing: the side below the middle and that above it are filled apart.
func (c Swing) SVG() template.HTML {
	var s svg
	s.open("swing", c.Title, "")
	at := func(x float64) float64 { return min(max((x-c.Least)/(c.Most-c.Least), 0), 1) }
	low, high := min(c.From, c.To), max(c.From, c.To)
	s.rect("track", 1)
	side := func(class string, from, to float64) {
		if to > from {
			s.part(class, at(from), at(to))
			s.b.WriteString("<rect/>")
			s.end()
		}
	}
	side("less", low, min(high, c.Middle))
	side("more", max(low, c.Middle), high)
	middle := min(max(at(c.Middle)-0.002, 0), 0.996)
	s.part("middle", middle, middle+0.004)
	s.b.WriteString("<rect/>")
	s.end()
	return s.close()
}
