package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Color is a colour of the screen: red, green and blue from 0 to 255.
type Color [3]uint8

// CSS returns the colour as a stylesheet writes it.
func (c Color) CSS() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// Theme is the colours that pictures are drawn in.
type Theme struct {
	Name    string
	Paper   Color    // behind everything
	Surface Color    // behind pictures and tables
	Ink     Color    // text, and marks on light fills
	Bright  Color    // marks on dark fills
	Line    Color    // around fills; keeps the lightest apart from the paper
	Chain   [6]Color // no level, then 0 to 4
	Moves   [5]Color // not comparable, worse, mixed, same, better
	Grades  [5]Color // no evidence, then E0 to E3
	States  [3]Color // unknown, below, met
}

// Themes returns the light and the dark theme. In both the chain of levels runs
// in lightness from the paper's towards the ink's, so that it can be read in
// grey, and turns from warm to cold between 1 and 2, where help begins. The tests
// hold contrast and what colour-blind readers see.
func Themes() []Theme {
	return []Theme{
		{
			Name: "light", Paper: Color{0xfa, 0xf9, 0xf5}, Surface: Color{0xff, 0xff, 0xff},
			Ink: Color{0x17, 0x20, 0x2b}, Bright: Color{0xff, 0xff, 0xff}, Line: Color{0x6e, 0x75, 0x7e},
			Chain: [6]Color{
				{0xf1, 0xf0, 0xec},
				{0xfb, 0xdd, 0xa6},
				{0xec, 0xaa, 0x62},
				{0x7b, 0xa5, 0xbd},
				{0x33, 0x71, 0x9e},
				{0x12, 0x35, 0x58},
			},
			Moves: [5]Color{
				{0xf1, 0xf0, 0xec}, {0x8f, 0x3d, 0x12}, {0xe9, 0xb9, 0x83}, {0xcf, 0xd8, 0xe0}, {0x4d, 0x8f, 0xba},
			},
			Grades: [5]Color{
				{0xf1, 0xf0, 0xec}, {0xfb, 0xdd, 0xa6}, {0xb9, 0xcb, 0xd3}, {0x5c, 0x93, 0xb6}, {0x12, 0x35, 0x58},
			},
			States: [3]Color{{0xf1, 0xf0, 0xec}, {0xe8, 0xa1, 0x5a}, {0x33, 0x71, 0x9e}},
		},
		{
			Name: "dark", Paper: Color{0x11, 0x16, 0x1d}, Surface: Color{0x18, 0x1f, 0x28},
			Ink: Color{0x0c, 0x11, 0x17}, Bright: Color{0xf2, 0xef, 0xe8}, Line: Color{0x8b, 0x94, 0x9f},
			Chain: [6]Color{
				{0x26, 0x2e, 0x38},
				{0x56, 0x3b, 0x14},
				{0x96, 0x5d, 0x1f},
				{0x70, 0x9b, 0xb0},
				{0x9f, 0xca, 0xe6},
				{0xe6, 0xf3, 0xfc},
			},
			Moves: [5]Color{
				{0x26, 0x2e, 0x38}, {0xf0, 0xb0, 0x84}, {0x7d, 0x57, 0x2c}, {0x3b, 0x47, 0x54}, {0x8c, 0xbf, 0xe0},
			},
			Grades: [5]Color{
				{0x26, 0x2e, 0x38}, {0x56, 0x3b, 0x14}, {0x4a, 0x67, 0x76}, {0x86, 0xb2, 0xcf}, {0xe6, 0xf3, 0xfc},
			},
			States: [3]Color{{0x26, 0x2e, 0x38}, {0x96, 0x5d, 0x1f}, {0x9f, 0xca, 0xe6}},
		},
	}
}

// scale is a named row of fills: the units of a chain.
type scale struct {
	name  string
	fills []Color
}

func (t Theme) scales() []scale {
	return []scale{{"level", t.Chain[:]}, {"move", t.Moves[:]}, {"grade", t.Grades[:]}, {"state", t.States[:]}}
}

// Fill returns the colour of units first to last of a row taken together, and
// that of a mark on it. The zero width, first equal to last, is the unit's own.
func (t Theme) Fill(fills []Color, first, last int) (fill, mark Color) {
	fill = fills[first]
	if last > first {
		low, high := fills[(first+last)/2], fills[(first+last+1)/2]
		fill = mix(low, high)
	}
	if Contrast(fill, t.Ink) >= Contrast(fill, t.Bright) {
		return fill, t.Ink
	}
	return fill, t.Bright
}

// FillClass returns the class of a fill: the first letter of its scale, and the
// units that it stands for. "l00" is no level alone, "l12" is 0 and 1 together.
func FillClass(scale string, first, last int) string {
	return scale[:1] + strconv.Itoa(first) + strconv.Itoa(last)
}

// paletteCSS returns the part of the stylesheet that the palette decides: a class
// for every fill, and for a mark on it. A light page is the default, and what is
// printed.
func paletteCSS() string {
	var b strings.Builder
	for _, t := range Themes() {
		if t.Name == "dark" {
			b.WriteString("@media screen and (prefers-color-scheme:dark){")
		}
		fmt.Fprintf(&b, ":root{--paper:%s;--surface:%s;--edge:%s}", t.Paper.CSS(), t.Surface.CSS(), t.Line.CSS())
		for _, s := range t.scales() {
			for first := range s.fills {
				for last := first; last < len(s.fills); last++ {
					fill, mark := t.Fill(s.fills, first, last)
					class := FillClass(s.name, first, last)
					fmt.Fprintf(&b, ".%s{fill:%s;background-color:%s;color:%s}.%s text{fill:%s}", class, fill.CSS(), fill.CSS(), mark.CSS(), class, mark.CSS())
				}
			}
		}
		if t.Name == "dark" {
			b.WriteString("}")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Contrast returns the contrast of two colours as WCAG defines it, 1 to 21.
func Contrast(a, b Color) float64 {
	la, lb := luminance(a), luminance(b)
	if la < lb {
		la, lb = lb, la
	}
	return (la + 0.05) / (lb + 0.05)
}

// Lightness returns the colour's lightness in grey, 0 to 100 (CIE L*).
func Lightness(c Color) float64 {
	y := luminance(c)
	if y <= 216.0/24389 {
		return y * 24389 / 27
	}
	return 116*math.Cbrt(y) - 16
}

func luminance(c Color) float64 {
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// linear returns the intensity of a component, 0 to 1.
func linear(component uint8) float64 {
	v := float64(component) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func component(intensity float64) uint8 {
	v := intensity * 12.92
	if intensity > 0.0031308 {
		v = 1.055*math.Pow(intensity, 1/2.4) - 0.055
	}
	return uint8(math.Round(min(max(v, 0), 1) * 255))
}

// mix returns the colour half-way between two, by intensity.
func mix(a, b Color) Color {
	var m Color
	for i := range m {
		m[i] = component((linear(a[i]) + linear(b[i])) / 2)
	}
	return m
}
