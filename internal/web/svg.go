package web

import (
	"html/template"
	"strconv"
	"strings"
)

// svg writes one picture. Texts and attributes are escaped here and nowhere else.
type svg struct{ b strings.Builder }

// open begins a picture that is as wide as its place and high pixels high. Title
// and description say to those who do not see it what is drawn.
func (s *svg) open(class string, high int, title, desc string) {
	s.b.WriteString(`<svg class="` + class + `" role="img" width="100%" height="` + strconv.Itoa(high) + `">`)
	s.b.WriteString("<title>" + template.HTMLEscapeString(title) + "</title>")
	if desc != "" {
		s.b.WriteString("<desc>" + template.HTMLEscapeString(desc) + "</desc>")
	}
}

func (s *svg) close() template.HTML {
	s.b.WriteString("</svg>")
	return template.HTML(s.b.String())
}

// group begins what shares a class, and end ends it.
func (s *svg) group(class string) { s.b.WriteString(`<g class="` + class + `">`) }

func (s *svg) end() { s.b.WriteString("</g>") }

// rect draws a rectangle: x and width as shares of the picture, y and height in pixels.
func (s *svg) rect(class string, x, width float64, y, height int) {
	s.b.WriteString("<rect")
	if class != "" {
		s.b.WriteString(` class="` + class + `"`)
	}
	s.place(x, width, y, height)
}

// hatch lays the sign of units shown together over a rectangle at the top.
func (s *svg) hatch(x, width float64, height int) {
	s.b.WriteString(`<rect fill="url(#joined)"`)
	s.place(x, width, 0, height)
}

func (s *svg) place(x, width float64, y, height int) {
	s.b.WriteString(` x="` + percent(x) + `"`)
	if y != 0 {
		s.b.WriteString(` y="` + strconv.Itoa(y) + `"`)
	}
	s.b.WriteString(` width="` + percent(width) + `" height="` + strconv.Itoa(height) + `"/>`)
}

// text writes text around the share x of the picture, its line at y.
func (s *svg) text(class string, x float64, y int, text string) {
	s.b.WriteString(`<text`)
	if class != "" {
		s.b.WriteString(` class="` + class + `"`)
	}
	s.b.WriteString(` x="` + percent(x) + `" y="` + strconv.Itoa(y) + `">` + template.HTMLEscapeString(text) + `</text>`)
}

// percent writes a share with two digits after the point at most.
func percent(share float64) string {
	text := strconv.FormatFloat(share*100, 'f', 2, 64)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + "%"
}
