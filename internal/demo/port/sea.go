package port

import (
	"fmt"
	"math"
	"strings"

	page "muster/internal/web/cascade"
)

// The invented sea, in the units of its map.
const (
	seaWidth  = 1000.0
	seaHeight = 620.0
)

// ring is a closed shore around a middle.
type ring struct {
	x, y, wide, high float64
	waves            [][3]float64 // height, number, shift
}

var sea = ring{seaWidth / 2, seaHeight / 2, 370, 245, [][3]float64{{0.055, 3, 1.1}, {0.04, 5, 0.4}, {0.028, 9, 2}, {0.014, 17, 0.7}, {0.008, 29, 1.9}}}

// islands lie off the shore, without a port.
var islands = [...]ring{
	{400, 262, 46, 26, [][3]float64{{0.16, 3, 0.2}, {0.1, 5, 1}, {0.05, 9, 0.3}}},
	{600, 362, 34, 20, [][3]float64{{0.2, 2, 0.9}, {0.1, 5, 2.2}, {0.06, 8, 0.1}}},
	{560, 205, 18, 12, [][3]float64{{0.2, 3, 2.4}, {0.08, 7, 1}}},
	{340, 352, 13, 9, [][3]float64{{0.2, 2, 1.4}}},
}

// at returns the point of the shore in a direction.
func (r ring) at(angle float64) (x, y float64) {
	reach := 1.0
	for _, w := range r.waves {
		reach += w[0] * math.Sin(w[1]*angle+w[2])
	}
	return r.x + r.wide*reach*math.Cos(angle), r.y + r.high*reach*math.Sin(angle)
}

func (r ring) path() string {
	const points = 240
	var b strings.Builder
	for i := range points {
		x, y := r.at(2 * math.Pi * float64(i) / points)
		fmt.Fprintf(&b, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], x, y)
	}
	return b.String() + "Z"
}

// place returns where a port lies: four in each basin, north, east, south and west.
func place(p int) (x, y, angle float64) {
	middle := []float64{-90, 0, 90, 180}[p%len(basins)]
	beside := []float64{-34, -11.5, 11.5, 34}[p/len(basins)]
	angle = (middle + beside) * math.Pi / 180
	x, y = sea.at(angle)
	return x, y, angle
}

// Chart returns the map of the invented sea with the community's ports.
func Chart(name string) *page.Chart {
	c := &page.Chart{Width: seaWidth, Height: seaHeight, Shapes: []page.Shape{
		{Class: "land", Path: fmt.Sprintf("M0 0H%gV%gH0Z", seaWidth, seaHeight)},
		{Class: "sea coast", Path: sea.path()},
	}}
	for _, island := range islands {
		c.Shapes = append(c.Shapes, page.Shape{Class: "island", Path: island.path()})
	}
	c.Shapes[len(c.Shapes)-1].Label = &page.Label{X: 545, Y: 300, Text: name}
	// The cables that have both landings at a port.
	for i := range ports / 2 {
		ax, ay, _ := place(i)
		bx, by, _ := place(i + ports/2)
		mx, my := (ax+bx)/2*0.72+sea.x*0.28, (ay+by)/2*0.72+sea.y*0.28
		c.Shapes = append(c.Shapes, page.Shape{Class: "cable", Path: fmt.Sprintf("M%.1f %.1fQ%.1f %.1f %.1f %.1f", ax, ay, mx, my, bx, by)})
	}
	for p, town := range towns {
		x, y, angle := place(p)
		c.Spots = append(c.Spots, page.Spot{Service: "port-" + slug(town), Name: town, X: x, Y: y, Left: math.Cos(angle) < 0})
	}
	return c
}
