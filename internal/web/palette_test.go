package web_test

import (
	"fmt"
	"math"
	"testing"

	"muster/internal/web"
)

// rows returns the fills of a theme that stand beside each other in pictures.
func rows(t web.Theme) map[string][]web.Color {
	return map[string][]web.Color{"level": t.Chain[:], "move": t.Moves[:], "grade": t.Grades[:], "state": t.States[:]}
}

func TestMarksAreLegible(t *testing.T) {
	t.Parallel()
	for _, theme := range web.Themes() {
		for name, fills := range rows(theme) {
			for first := range fills {
				for last := first; last < len(fills); last++ {
					fill, mark := theme.Fill(fills, first, last)
					if c := web.Contrast(fill, mark); c < 4.5 {
						t.Errorf("%s, %s %d to %d: a mark of %s on %s has a contrast of %.2f, want 4.5", theme.Name, name, first, last, mark.CSS(), fill.CSS(), c)
					}
				}
			}
		}
		for _, behind := range []web.Color{theme.Paper, theme.Surface} {
			if c := web.Contrast(theme.Line, behind); c < 3 {
				t.Errorf("%s: the line around fills has a contrast of %.2f to %s, want 3", theme.Name, c, behind.CSS())
			}
		}
	}
}

// The chain of levels and that of grades can be read where there is no colour:
// each step is as dark as the one before, or darker, on paper that is light.
func TestLegibleInGrey(t *testing.T) {
	t.Parallel()
	const step = 8 // of 100; neighbours of a strip also have a line between them
	for _, theme := range web.Themes() {
		sign := 1.0
		if web.Lightness(theme.Paper) < 50 {
			sign = -1
		}
		for name, fills := range map[string][]web.Color{"level": theme.Chain[1:], "grade": theme.Grades[1:]} {
			for i := 1; i < len(fills); i++ {
				if d := sign * (web.Lightness(fills[i-1]) - web.Lightness(fills[i])); d < step {
					t.Errorf("%s, %s: from %s to %s the lightness changes by %.1f, want %d", theme.Name, name, fills[i-1].CSS(), fills[i].CSS(), d, step)
				}
			}
		}
	}
}

// sight is how a reader sees: a matrix over linear red, green and blue, by
// Machado, Oliveira and Fernandes (2009) for no response of one kind of cone.
var sights = map[string][3][3]float64{
	"all cones":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

func TestColourBlindReadersTellFillsApart(t *testing.T) {
	t.Parallel()
	const apart = 10 // CIE76; 2.3 is just noticeable
	for _, theme := range web.Themes() {
		for name, fills := range rows(theme) {
			for sight, m := range sights {
				for i := range fills {
					for j := i + 1; j < len(fills); j++ {
						if d := distance(lab(fills[i], m), lab(fills[j], m)); d < apart {
							t.Errorf("%s, %s, %s: %s and %s are %.1f apart, want %d", theme.Name, name, sight, fills[i].CSS(), fills[j].CSS(), d, apart)
						}
					}
				}
			}
		}
	}
}

func distance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// lab returns a colour as CIE L*a*b* (D65) as somebody sees it.
func lab(c web.Color, sight [3][3]float64) [3]float64 {
	var linear, seen [3]float64
	for i, v := range c {
		f := float64(v) / 255
		if f <= 0.04045 {
			linear[i] = f / 12.92
		} else {
			linear[i] = math.Pow((f+0.055)/1.055, 2.4)
		}
	}
	for i := range seen {
		for j := range linear {
			seen[i] += sight[i][j] * linear[j]
		}
		seen[i] = min(max(seen[i], 0), 1)
	}
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124*seen[0] + 0.3576*seen[1] + 0.1805*seen[2]) / 0.9505)
	y := f(0.2126*seen[0] + 0.7152*seen[1] + 0.0722*seen[2])
	z := f((0.0193*seen[0] + 0.1192*seen[1] + 0.9505*seen[2]) / 1.0891)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func TestContrast(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a, b web.Color
		want string
	}{
		{web.Color{0, 0, 0}, web.Color{255, 255, 255}, "21.00"},
		{web.Color{255, 255, 255}, web.Color{255, 255, 255}, "1.00"},
		{web.Color{0x76, 0x76, 0x76}, web.Color{255, 255, 255}, "4.54"}, // the well-known grey
	} {
		if got := fmt.Sprintf("%.2f", web.Contrast(row.a, row.b)); got != row.want {
			t.Errorf("%s on %s: %s, want %s", row.a.CSS(), row.b.CSS(), got, row.want)
		}
	}
}
