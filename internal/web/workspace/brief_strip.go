package workspace

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"muster/internal/exchange/docx"
	"muster/internal/web"
)

// The strip of a document: a picture of points, since word processors differ in what
// they make of SVG. In millimetres, and points a millimetre.
const (
	stripWidth, stripHeight = 150, 7
	stripBar                = 4.6 // of the height
	stripDot                = 1.6 // radius
	stripPoints             = 10
)

// stripPicture draws a gap's strip with the member's own dot.
func (v *visit) stripPicture(g briefGap) *docx.Picture {
	theme := web.Themes()[0]
	img := image.NewRGBA(image.Rect(0, 0, stripWidth*stripPoints, stripHeight*stripPoints))
	fill := func(x0, x1, y0, y1 int, c web.Color, pattern func(x, y int) bool) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				if pattern == nil || pattern(x, y) {
					img.SetRGBA(x, y, color.RGBA{c[0], c[1], c[2], 255})
				}
			}
		}
	}
	width, height := img.Rect.Dx(), img.Rect.Dy()
	fill(0, width, 0, height, theme.Surface, nil)
	bands := g.block.Bands()
	var total, before uint64
	for _, b := range bands {
		total += b.Count
	}
	top := height - int(stripBar*stripPoints)
	unit, dot := 0, -1.0
	for i, b := range bands {
		from, to := int(before*uint64(width)/max(total, 1)), int((before+b.Count)*uint64(width)/max(total, 1))
		before += b.Count
		paint, _ := theme.Fill(theme.Chain[:], unit, unit+len(b.Units)-1)
		unit += len(b.Units)
		if i == g.own {
			dot = float64(from+to) / 2
		}
		if b.Count == 0 {
			continue
		}
		fill(from, to, top, height, theme.Line, nil)
		fill(from+2, to-2, top+2, height-2, paint, nil)
		if len(b.Units) > 1 {
			fill(from+2, to-2, top+2, height-2, theme.Surface, func(x, y int) bool { return (x+y)%18 < 3 })
		}
	}
	if dot >= 0 {
		disc(img, dot, stripDot*stripPoints+2, stripDot*stripPoints, theme)
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // into memory
	return &docx.Picture{PNG: b.Bytes(), Width: stripWidth, Height: stripHeight, Words: g.ID + " " + g.Title + ": " + g.Bands}
}

// disc draws the dot, with a rim that keeps it apart from any fill.
func disc(img *image.RGBA, cx, cy, radius float64, theme web.Theme) {
	mix := func(x, y int, c web.Color, share float64) {
		was := img.RGBAAt(x, y)
		blend := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
		img.SetRGBA(x, y, color.RGBA{blend(was.R, c[0]), blend(was.G, c[1]), blend(was.B, c[2]), 255})
	}
	rim := radius + 3
	for y := max(0, int(cy-rim)-1); y <= int(cy+rim)+1 && y < img.Rect.Dy(); y++ {
		for x := max(0, int(cx-rim)-1); x <= int(cx+rim)+1 && x < img.Rect.Dx(); x++ {
			d := math.Hypot(float64(x)+.5-cx, float64(y)+.5-cy)
			mix(x, y, theme.Surface, min(max(rim-d, 0), 1))
			mix(x, y, theme.Ink, min(max(radius-d, 0), 1))
		}
	}
}
