package exchange

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/cascade"
	"muster/internal/errs"
)

// scenarioFormat is what a scenario as YAML begins with.
const scenarioFormat = "muster scenario v1"

// A Scenario is a shock as a file tells it: what it is called, and what it does to
// the services of one register.
type Scenario struct {
	ID        string // empty in the CSV form, as are title, text and source
	Title     Words
	Text      Words
	Source    string
	Synthetic bool // invented, for demonstrations

	cascade.Scenario
	Controls []cascade.Probability // by service: how far ordinary controls help against this actor
	Exposed  int                   // how many services it can hit
}

// exposure is one row of a scenario.
type exposure struct {
	hit, controls cascade.Probability
	repair        cascade.Repair // no median: the service's own
	spread        bool           // the repair says its spread
}

// ReadScenario reads who a scenario can hit; docs/spec/register.md has both forms.
// Each row selects services by tag, sector, country, owner or id; of the rows that
// select a service the first with the highest probability is its own.
func (r *Register) ReadScenario(name string, in io.Reader) (*Scenario, error) {
	n := len(r.Services)
	s := &Scenario{Controls: make([]cascade.Probability, n)}
	s.Hits = make([]cascade.Probability, n)
	if isYAML(name) {
		return s, r.readScenarioYAML(s, name, in)
	}
	t := &registerReader{&table{name: name, header: ScenarioHeader}, r, false}
	err := t.read(in, func(l line, cells []cell) {
		hit := t.share(l, cells, 2, cascade.Always)
		if cells[2].text == Unknown {
			t.fault(l, cells, 2, "a scenario says how likely it is", "a number from 0 to 1")
		}
		kind, value := cells[0].text, cells[1].text
		selected, known := r.selects(kind, value)
		switch {
		case !known:
			t.fault(l, cells, 0, errs.Quote(kind)+" selects nothing", selectors)
		case len(selected) == 0:
			t.fault(l, cells, 1, fmt.Sprintf("no service has the %s %s", kind, errs.Quote(value)), "one that stands in the services table")
		}
		s.expose(r, selected, exposure{hit: hit, controls: cascade.Always})
	})
	if err != nil {
		return nil, err
	}
	return s, t.faults.Err()
}

// expose lets a row speak for services.
func (s *Scenario) expose(r *Register, selected []int32, e exposure) {
	for _, i := range selected {
		if e.hit <= s.Hits[i] {
			continue
		}
		if s.Hits[i] == 0 {
			s.Exposed++
		}
		s.Hits[i], s.Controls[i] = e.hit, e.controls
		if e.repair.Median == 0 && s.Repair == nil {
			continue
		}
		if s.Repair == nil {
			s.Repair = make([]cascade.Repair, len(s.Hits))
		}
		s.Repair[i] = e.repair
		if e.repair.Median > 0 && !e.spread {
			s.Repair[i].Spread = r.Services[i].Repair.Spread
		}
	}
}

func (r *Register) readScenarioYAML(s *Scenario, name string, in io.Reader) error {
	d := &document{file: name}
	root, err := d.parse(in, "format: "+scenarioFormat+", then what it is and who is exposed")
	if err != nil || root == nil {
		return firstError(err, d.faults.Err())
	}
	var format, id, title, text, source, synthetic, exposed *yaml.Node
	var common commonNodes
	d.object(root, "", append([]key{
		{name: "format", node: &format},
		{name: "id", node: &id},
		{name: "title", node: &title},
		{name: "text", node: &text, optional: true},
		{name: "source", node: &source},
		{name: "synthetic", node: &synthetic, optional: true},
		{name: "exposed", node: &exposed},
	}, common.keys()...)...)
	d.format(format, scenarioFormat)
	s.ID, s.Title, s.Text, s.Source = d.text(id, "id"), d.words(title, "title"), d.words(text, "text"), d.text(source, "source")
	if source != nil && s.Source == "" && len(d.faults) == 0 {
		d.fault(source, "source", "a scenario without a source", "who says so, or what it was made after")
	}
	s.Synthetic = d.mark(synthetic) || invented(s.Source)
	base := d.common(common, "", exposure{controls: cascade.Always})
	for _, item := range d.list(exposed, "exposed") {
		r.exposed(d, s, item, base)
	}
	return d.faults.Err()
}

// commonNodes are the keys that a scenario may have as a whole and a row for
// itself.
type commonNodes struct{ controls, repair, spread *yaml.Node }

func (c *commonNodes) keys() []key {
	return []key{{"controls", &c.controls, true}, {"repair", &c.repair, true}, {"spread", &c.spread, true}}
}

// common returns e with what the keys say.
func (d *document) common(c commonNodes, field string, e exposure) exposure {
	if c.controls != nil {
		e.controls = d.share(c.controls, field+"controls")
	}
	if c.repair != nil {
		e.repair.Median = d.time(c.repair, field+"repair", 1)
	}
	if c.spread != nil {
		x, err := strconv.ParseFloat(d.text(c.spread, field+"spread"), 64)
		if err == nil {
			e.repair.Spread, err = cascade.Sigma(x)
		}
		if err != nil {
			d.fault(c.spread, field+"spread", errs.Quote(c.spread.Value)+" is no spread", "a number from 0 to 4, the standard deviation of the logarithm")
		}
		e.spread = true
		if e.repair.Median == 0 && len(d.faults) == 0 {
			d.fault(c.spread, field+"spread", "a spread without a repair", "both, or neither")
		}
	}
	return e
}

func (r *Register) exposed(d *document, s *Scenario, item *yaml.Node, base exposure) {
	var kind, value, hit *yaml.Node
	var common commonNodes
	if !d.object(item, "exposed", append([]key{{"select", &kind, false}, {"value", &value, true}, {"hit", &hit, false}}, common.keys()...)...) {
		return
	}
	selected := r.selectedBy(d, kind, value)
	e := d.common(common, "exposed.", base)
	if hit != nil {
		e.hit = d.share(hit, "exposed.hit")
	}
	s.expose(r, selected, e)
}

// selectedBy returns the services that two keys select.
func (r *Register) selectedBy(d *document, kind, value *yaml.Node) []int32 {
	if kind == nil {
		return nil
	}
	k, v := d.text(kind, "select"), d.text(value, "value")
	selected, known := r.selects(k, v)
	switch at := cmpNode(value, kind); {
	case !known:
		d.fault(kind, "select", errs.Quote(k)+" selects nothing", selectors)
	case len(selected) == 0:
		d.fault(at, "value", fmt.Sprintf("no service has the %s %s", k, errs.Quote(v)), "one that stands in the services table")
	}
	return selected
}

func cmpNode(n, other *yaml.Node) *yaml.Node {
	if n == nil {
		return other
	}
	return n
}

func firstError(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// share reads a number above 0, at most 1.
func (d *document) share(n *yaml.Node, field string) cascade.Probability {
	x, err := strconv.ParseFloat(d.text(n, field), 64)
	var p cascade.Probability
	if err == nil {
		p, err = cascade.Chance(x)
	}
	if err != nil || p == 0 {
		d.fault(n, field, errs.Quote(n.Value)+" is no such share", "a number above 0, at most 1")
		return cascade.Always
	}
	return p
}

// time reads a length of time with its unit.
func (d *document) time(n *yaml.Node, field string, least cascade.Minutes) cascade.Minutes {
	m, fault := parseTime(d.text(n, field))
	if fault == nil && m < least {
		fault = &errs.Fault{Message: errs.Quote(n.Value) + " is too short", Allowed: fmt.Sprintf("%dmin or longer", least)}
	}
	if fault != nil {
		d.fault(n, field, fault.Message, fault.Allowed)
		return max(least, 1)
	}
	return m
}

const selectors = "all, tag, sector, country, owner or id"

// selects returns the services that have a value, by index, and whether the kind
// of selection is known.
func (r *Register) selects(kind, value string) (selected []int32, known bool) {
	is := func(int) bool { return true }
	switch kind {
	case "all":
	case "tag":
		is = func(i int) bool { return slices.Contains(strings.Fields(r.about[i].tags), value) }
	case "sector":
		is = func(i int) bool { return r.about[i].sector == value }
	case "country":
		is = func(i int) bool { return r.about[i].country == value }
	case "owner":
		is = func(i int) bool { return r.about[i].owner == value }
	case "id":
		is = func(i int) bool { return r.Services[i].ID == value }
	default:
		return nil, false
	}
	for i := range r.Services {
		if is(i) {
			selected = append(selected, int32(i))
		}
	}
	return selected, true
}

// A ScenarioFile is a scenario as it is written.
type ScenarioFile struct {
	ID        string
	Title     Words
	Text      Words // or nil
	Source    string
	Synthetic bool

	Controls, Repair, Spread string // of every row that does not say them, or empty
	Exposed                  []Exposure
}

// Exposure is a row of it: who is selected, and how likely each of them is hit.
// What is empty is not said.
type Exposure struct{ Select, Value, Hit, Controls, Repair, Spread string }

// Write writes the scenario as YAML.
func (f ScenarioFile) Write(w io.Writer) error {
	var b strings.Builder
	say := func(indent, name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s%s: %s\n", indent, name, quoteYAML(value))
		}
	}
	words := func(name string, texts Words) {
		if texts != nil {
			fmt.Fprintf(&b, "%s:\n  en: %s\n  fr: %s\n", name, quoteYAML(texts["en"]), quoteYAML(texts["fr"]))
		}
	}
	say("", "format", scenarioFormat)
	say("", "id", f.ID)
	words("title", f.Title)
	words("text", f.Text)
	say("", "source", f.Source)
	if f.Synthetic {
		say("", "synthetic", "true")
	}
	say("", "controls", f.Controls)
	say("", "repair", f.Repair)
	say("", "spread", f.Spread)
	b.WriteString("exposed:\n")
	for _, e := range f.Exposed {
		say("  - ", "select", e.Select)
		say("    ", "value", e.Value)
		say("    ", "hit", e.Hit)
		say("    ", "controls", e.Controls)
		say("    ", "repair", e.Repair)
		say("    ", "spread", e.Spread)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
