package exchange

import (
	"fmt"
	"io"
	"strconv"

	"muster/internal/errs"
)

// PlacesHeader is the first line of a file of places.
const PlacesHeader = "service,name,latitude,longitude"

// Place is where a service lies.
type Place struct {
	Service  int // of the register
	Name     string
	Lat, Lon float64 // degrees north and east
}

// ReadPlaces reads where services lie, for a map. The error is an [errs.Faults], or the
// reader's.
func (r *Register) ReadPlaces(name string, in io.Reader) ([]Place, error) {
	index := make(map[string]int, len(r.Services))
	for i := range r.Services {
		index[r.Services[i].ID] = i
	}
	t := &table{name: name, header: PlacesHeader}
	first := make(map[int]int)
	var places []Place
	err := t.read(in, func(l line, cells []cell) {
		service, ok := index[cells[0].text]
		if before, twice := first[service]; !ok {
			t.fault(l, cells, 0, "there is no service "+errs.Quote(cells[0].text), "an id of the services table")
		} else if twice {
			t.fault(l, cells, 0, fmt.Sprintf("the service has a row already, on line %d", before), "one place for a service")
		} else {
			first[service] = l.number
		}
		if !t.nameCells(l, cells, 1) {
			return
		}
		p := Place{Service: service, Name: cells[1].text, Lat: t.degrees(l, cells, 2, 85), Lon: t.degrees(l, cells, 3, 180)}
		places = append(places, p)
	})
	if err != nil {
		return nil, err
	}
	return places, t.faults.Err()
}

func (t *table) degrees(l line, cells []cell, i int, most float64) float64 {
	x, err := strconv.ParseFloat(cells[i].text, 64)
	if err != nil || !(x >= -most && x <= most) {
		t.fault(l, cells, i, errs.Quote(cells[i].text)+" are no degrees", fmt.Sprintf("a number from %g to %g", -most, most))
	}
	return x
}
