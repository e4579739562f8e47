package web

import (
	"html/template"
	"math"
	"strconv"
	"strings"
)

// svg writes one picture. Texts and attributes are escaped here and nowhere else.
//
// A picture is as wide as its place. Its parts are nested svg elements whose x and
// width are shares of it, so that text keeps its size at every width; heights
// stand in the stylesheet.
type svg struct{ b strings.Builder }

// open begins a picture. Title and description say to those who do not see it
// what is drawn.
func (s *svg) open(class, title, desc string) {
	s.b.WriteString(`<svg class="` + class + `" role="img"><title>` + template.HTMLEscapeString(title) + "</title>")
	if desc != "" {
		s.b.WriteString("<desc>" + template.HTMLEscapeString(desc) + "</desc>")
	}
}

func (s *svg) close() template.HTML {
	s.b.WriteString("</svg>")
	return template.HTML(s.b.String())
}

// part begins a part between two shares of the picture, and end ends it.
func (s *svg) part(class string, from, to float64) {
	left := tenths(from)
	s.b.WriteString(`<svg class="` + class + `" x="` + percent(left) + `" width="` + percent(tenths(to)-left) + `">`)
}

func (s *svg) end() { s.b.WriteString("</svg>") }

// rect fills a share of its place from the left.
func (s *svg) rect(class string, width float64) {
	s.b.WriteString(`<rect class="` + class + `" width="` + percent(tenths(width)) + `"/>`)
}

// text writes text in the middle of its part, its line at y.
func (s *svg) text(class string, y int, text string) {
	s.b.WriteString(`<text`)
	if class != "" {
		s.b.WriteString(` class="` + class + `"`)
	}
	s.b.WriteString(` x="50%" y="` + strconv.Itoa(y) + `">` + template.HTMLEscapeString(text) + `</text>`)
}

// tenths returns a share as tenths of a per cent, so that neighbours meet.
func tenths(share float64) int { return int(math.Round(share * 1000)) }

func percent(tenths int) string {
	text := strconv.Itoa(tenths / 10)
	if rest := tenths % 10; rest != 0 {
		text += "." + strconv.Itoa(rest)
	}
	return text + "%"
}
