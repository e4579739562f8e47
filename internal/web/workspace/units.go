package workspace

import (
	"net/url"
	"strconv"

	"muster/internal/assess"
	"muster/internal/errs"
)

// unitsField begins the name of the control that says for how many of the list a body
// answers in a section; its id follows.
const unitsField = "units-"

// sectionUnits reads them for the bodies that are listed.
func sectionUnits(form url.Values, bodies []string) (map[string]int, error) {
	var units map[string]int
	for _, body := range bodies {
		typed := text(form, unitsField+body)
		if typed == "" {
			continue
		}
		n, err := strconv.Atoi(typed)
		if err != nil || n < 1 {
			return nil, errs.New(errs.Invalid, "the number of those listed is no whole number", "leave it empty for one")
		}
		if units == nil {
			units = make(map[string]int)
		}
		units[body] = n
	}
	return units, nil
}

// wholeUnits reports whether somebody typed a number for which a body can answer.
func wholeUnits(typed string) bool {
	n, err := strconv.Atoi(typed)
	return err == nil && n >= 1 && n <= assess.MaxUnits
}
