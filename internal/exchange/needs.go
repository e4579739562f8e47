package exchange

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"muster/internal/assess"
)

// Dependencies is what bodies of a member said that they depend on, by the ten-row
// form.
type Dependencies struct {
	Member string
	Bodies []assess.Body
	Needs  map[string]assess.Needs // by body; what is not in it is unknown. "" is the member as a whole
	AsOf   string                  // the day, as 2006-01-02

	// Marking stands before the source of every row: "SYNTHETIC" of an invented member;
	// else empty.
	Marking string

	// Known are services that stand in another register already: a body or supplier
	// that is called like one of them is that service, and gets no row of its own.
	Known []NamedService
}

// NamedService is a service by its id and what people call it.
type NamedService struct{ ID, Name string }

// maxName is how long a substitute may be to count as somebody who can stand in.
const maxName = 100

// WriteDependencies writes the two tables of a register, see docs/spec/register.md,
// of what was said, and returns what the tables could not take. A body is a service,
// and so is every supplier and whatever stands in for one; a supplier that is called
// like a body is that body. What the form does not ask is unknown in the tables, and
// a body that said nothing has one requirement whose supplier is unknown.
func WriteDependencies(services, requirements io.Writer, d Dependencies) (left []string, err error) {
	w := dependencyWriter{Dependencies: d, ids: make(map[string]string), taken: make(map[string]bool)}
	w.run()
	if _, err := io.WriteString(services, w.services.String()); err != nil {
		return nil, err
	}
	_, err = io.WriteString(requirements, w.requirements.String())
	return w.left, err
}

// dependencyWriter writes the tables. ids has the id of a service by its folded name.
type dependencyWriter struct {
	Dependencies
	services, requirements strings.Builder
	ids                    map[string]string
	taken                  map[string]bool
	known                  map[string]bool // the ids of another register
	left                   []string
}

// What stands in the columns that the form does not ask, and before the groups of a
// service that another register has.
const (
	ownForm         = "own form: "
	formTLP         = "amber+strict"
	formCriticality = "3"
)

func (w *dependencyWriter) run() {
	w.services.WriteString(ServicesHeader + "\n")
	w.requirements.WriteString(RequirementsHeader + "\n")
	w.know()
	bodies := slices.Clone(w.Bodies)
	said := make([]assess.Needs, len(bodies))
	for i, body := range bodies {
		said[i] = w.Needs[body.ID]
	}
	if needs, whole := w.Needs[""]; whole {
		bodies = append([]assess.Body{{ID: w.free(slug(w.Member)), Name: w.Member}}, bodies...)
		said = append([]assess.Needs{needs}, said...)
	}
	for i := range bodies {
		body := &bodies[i]
		if id := w.ids[fold(body.Name)]; w.known[id] {
			body.ID = id
			continue
		}
		if w.known[body.ID] {
			body.ID = w.free(body.ID)
		}
		w.taken[body.ID] = true
		w.ids[fold(body.Name)] = body.ID
		if w.ids[fold(body.ID)] == "" {
			w.ids[fold(body.ID)] = body.ID
		}
		w.service(body.ID, w.Member, body.Name, body.Kind, w.source(*body))
	}
	for i, body := range bodies {
		w.body(body, said[i])
	}
}

// know takes in the services of another register.
func (w *dependencyWriter) know() {
	w.known = make(map[string]bool)
	for _, s := range w.Known {
		w.known[s.ID], w.taken[s.ID] = true, true
		w.ids[fold(s.ID)] = s.ID
	}
	for _, s := range w.Known { // a name goes before an id of another
		if s.Name != "" {
			w.ids[fold(s.Name)] = s.ID
		}
	}
}

func (d Dependencies) source(body assess.Body) string {
	if d.Marking != "" {
		return d.Marking + ": form of " + body.Name
	}
	return "form of " + body.Name
}

// body writes what one body needs.
func (w *dependencyWriter) body(body assess.Body, said assess.Needs) {
	if !said.Said() {
		w.requirement(body, "not said", Unknown, Unknown)
		return
	}
	groups := make(map[string]bool)
	for _, need := range said.Rows {
		what := cmp.Or(oneLine(need.What), "something")
		if w.known[body.ID] {
			what = ownForm + what // the other register may have a group of that name
		}
		group := what
		for n := 2; groups[group]; n++ {
			group = fmt.Sprintf("%s %d", what, n)
		}
		groups[group] = true
		buffer := Unknown
		if need.Known {
			buffer = fmt.Sprintf("%dh", need.Hours)
		}
		suppliers := []string{Unknown}
		if name := oneLine(need.Supplier); name != "" {
			suppliers[0] = w.supplier(body, name)
		}
		switch name := oneLine(need.Substitute); {
		case name == "":
		case strings.Contains(need.Substitute, "\n") || len(name) > maxName:
			w.left = append(w.left, fmt.Sprintf("%s, %s: the substitute is no name", body.ID, group))
		default:
			if id := w.supplier(body, name); !slices.Contains(suppliers, id) {
				suppliers = append(suppliers, id)
			}
		}
		for _, id := range suppliers {
			w.requirement(body, group, id, buffer)
		}
	}
}

// supplier returns the id of the service of that name, which is written if it is new.
func (w *dependencyWriter) supplier(body assess.Body, name string) string {
	if id := w.ids[fold(name)]; id != "" && id != body.ID {
		return id
	} else if id == body.ID {
		name += " (own)" // no service is its own supplier
		if id := w.ids[fold(name)]; id != "" {
			return id
		}
	}
	id := w.free(slug(name))
	w.ids[fold(name)] = id
	w.service(id, "", name, "", w.source(body))
	return id
}

// free returns an id like the one wanted that no service has.
func (w *dependencyWriter) free(want string) string {
	id := want
	for n := 2; w.taken[id] || id == Unknown || slices.ContainsFunc(w.Bodies, func(b assess.Body) bool { return b.ID == id }); n++ {
		id = fmt.Sprintf("%s-%d", want, n)
	}
	w.taken[id] = true
	return id
}

func (w *dependencyWriter) service(id, owner, name, sector, source string) {
	w.row(&w.services, id, owner, name, "", sector, formCriticality, Unknown, Unknown, Unknown, Unknown, "", "", formTLP, Unknown, source, w.AsOf)
}

func (w *dependencyWriter) requirement(body assess.Body, group, supplier, buffer string) {
	w.row(&w.requirements, body.ID, group, "1", supplier, Unknown, buffer, formTLP, Unknown, w.source(body))
}

// row writes a row; every cell that somebody typed stands in quotes if it has to, and
// behind an apostrophe if a spreadsheet would calculate it.
func (w *dependencyWriter) row(b *strings.Builder, cells ...string) {
	for i, c := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		c = oneLine(c)
		if c != "" && strings.ContainsRune("=+-@＝＋－＠−", []rune(c)[0]) {
			c = "'" + c
		}
		if strings.ContainsAny(c, `",`) {
			c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
		}
		b.WriteString(c)
	}
	b.WriteByte('\n')
}

// oneLine puts a text on one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// fold is what of a name says which supplier it is: letters and digits.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// slug is a name as an id.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if id := strings.Join(words, "-"); id != "" {
		return id
	}
	return "supplier"
}

// Said returns the bodies that have said something, sorted.
func (d Dependencies) Said() []string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(d.Needs)) {
		if d.Needs[id].Said() {
			all = append(all, id)
		}
	}
	return all
}
