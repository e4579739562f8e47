package exchange

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/cascade"
	"muster/internal/coalition"
	"muster/internal/errs"
)

// measuresFormat is what a file of measures begins with.
const measuresFormat = "muster measures v1"

// Measures is a file of measures that could be taken, for one register.
type Measures struct {
	Source    string
	Synthetic bool
	Titles    []Words // parallel to List
	List      []cascade.Measure
}

// costs are what a measure may cost: five classes of which each is about three times
// the one before, or money in buckets. A class is a judgement; a bucket is never
// added up to a figure of money.
var costs = []struct {
	class, bucket string
	units         uint32
}{
	{"1", "10k", 1},
	{"2", "30k", 3},
	{"3", "100k", 10},
	{"4", "300k", 30},
	{"5", "1M", 100},
	{"", "3M", 300},
	{"", "10M", 1000},
	{"", "30M", 3000},
}

const allowedCosts = "a class from 1 to 5, or one of 10k, 30k, 100k, 300k, 1M, 3M, 10M, 30M"

// ParseBudget returns a budget in units: a number of them (a measure of class 1
// costs 1, of class 2 3, of class 3 10, of class 4 30, of class 5 100), or money
// with k or M.
func ParseBudget(text string) (uint32, error) {
	digits, unit := text, 1.0
	if d, ok := strings.CutSuffix(text, "k"); ok {
		digits, unit = d, 0.1
	} else if d, ok := strings.CutSuffix(text, "M"); ok {
		digits, unit = d, 100
	}
	x, err := strconv.ParseFloat(digits, 64)
	if x *= unit; err != nil || !(x >= 1 && x <= 1e9) {
		return 0, errs.New(errs.Invalid, errs.Quote(text)+" is no budget", "allowed: a number of units, such as 40, or money, such as 400k or 2M")
	}
	return uint32(x), nil
}

// ReadMeasures reads a file of measures; docs/spec/register.md says how it reads.
func (r *Register) ReadMeasures(name string, in io.Reader) (*Measures, error) {
	d := &document{file: name}
	root, err := d.parse(in, "format: "+measuresFormat+", then measures")
	if err != nil || root == nil {
		return nil, firstError(err, d.faults.Err())
	}
	m := new(Measures)
	var format, source, synthetic, list *yaml.Node
	d.object(root, "", key{"format", &format, false}, key{"source", &source, false}, key{"synthetic", &synthetic, true}, key{"measures", &list, false})
	d.format(format, measuresFormat)
	m.Source = d.text(source, "source")
	m.Synthetic = d.mark(synthetic) || invented(m.Source)
	first := make(map[string]int)
	money := ""
	for _, item := range d.list(list, "measures") {
		var id, title, cost, actions *yaml.Node
		if !d.object(item, "measures", key{"id", &id, false}, key{"title", &title, false}, key{"cost", &cost, false}, key{"actions", &actions, false}) {
			continue
		}
		measure := cascade.Measure{ID: d.text(id, "id")}
		switch line, twice := first[measure.ID]; {
		case id == nil:
		case measure.ID == "":
			d.fault(id, "id", "an empty id", "text")
		case twice:
			d.fault(id, "id", fmt.Sprintf("measure %s stands there already, on line %d", errs.Quote(measure.ID), line), "each measure once")
		}
		first[measure.ID] = item.Line
		measure.Cost, money = d.cost(cost, money)
		for _, a := range d.list(actions, "actions") {
			if action, ok := r.action(d, a); ok {
				measure.Actions = append(measure.Actions, action)
			}
		}
		m.Titles = append(m.Titles, d.words(title, "title"))
		m.List = append(m.List, measure)
	}
	return m, d.faults.Err()
}

// invented reports whether a source says that something is nobody's.
func invented(source string) bool { return strings.HasPrefix(source, coalition.MarkingSynthetic) }

// mark reads the key synthetic.
func (d *document) mark(n *yaml.Node) bool {
	switch said := d.text(n, "synthetic"); said {
	case "true":
		return true
	case "", "false":
	default:
		d.fault(n, "synthetic", errs.Quote(said)+" is neither", "true, false")
	}
	return false
}

// cost reads what a measure costs. All of a file are classes, or all are money: kind
// is what the ones before were.
func (d *document) cost(n *yaml.Node, kind string) (uint32, string) {
	if n == nil {
		return 1, kind
	}
	text := d.text(n, "cost")
	for _, c := range costs {
		is := "money"
		switch text {
		case c.class:
			is = "a class"
		case c.bucket:
		default:
			continue
		}
		if kind != "" && kind != is {
			d.fault(n, "cost", errs.Quote(text)+" is "+is+" and others are "+kind, "one kind in a file")
		}
		return c.units, is
	}
	d.fault(n, "cost", errs.Quote(text)+" is no such cost", allowedCosts)
	return 1, kind
}

// actionKinds are what a measure can do, and the key that says how much.
var actionKinds = []struct{ do, key string }{
	{"fewer-hits", "odds"},
	{"faster-repair", "share"},
	{"fallback", "severity"},
	{"longer-buffer", "buffer"},
	{"substitute", "supplier"},
}

func (r *Register) action(d *document, item *yaml.Node) (cascade.Action, bool) {
	var a cascade.Action
	var do, kind, value, group *yaml.Node
	amounts := make([]*yaml.Node, len(actionKinds))
	keys := []key{{"do", &do, false}, {"select", &kind, false}, {"value", &value, true}, {"group", &group, true}}
	var names []string
	for i, k := range actionKinds {
		keys = append(keys, key{k.key, &amounts[i], true})
		names = append(names, k.do)
	}
	if !d.object(item, "actions", keys...) || do == nil {
		return a, false
	}
	at := slices.Index(names, d.text(do, "do"))
	if at < 0 {
		d.fault(do, "do", errs.Quote(do.Value)+" is nothing to do", strings.Join(names, ", "))
		return a, false
	}
	for i, n := range amounts {
		switch {
		case i == at && n == nil:
			d.fault(item, "actions", fmt.Sprintf("%s does not say how much", names[at]), "the key "+actionKinds[at].key)
			return a, false
		case i != at && n != nil:
			d.fault(n, actionKinds[i].key, fmt.Sprintf("%s has no %s", names[at], actionKinds[i].key), "the key "+actionKinds[at].key)
		}
	}
	selected := r.selectedBy(d, kind, value)
	amount := amounts[at]
	switch names[at] {
	case "fewer-hits":
		a.Services, a.Ratio = selected, d.ratio(amount)
	case "faster-repair":
		a.Services, a.Repair = selected, d.share(amount, "share").Float()
	case "fallback":
		a.Services, a.Severity = selected, d.share(amount, "severity")
	case "longer-buffer":
		a.Buffer = d.time(amount, "buffer", 1)
	case "substitute":
		a.Substitutes = r.supplier(d, amount)
	}
	if a.Services != nil || selected == nil {
		if group != nil {
			d.fault(group, "group", names[at]+" is of services", "no group")
		}
		return a, true
	}
	a.Requirements = r.groupsOf(d, item, group, selected)
	return a, true
}

// ratio reads by how much odds are divided.
func (d *document) ratio(n *yaml.Node) float64 {
	x, err := strconv.ParseFloat(d.text(n, "odds"), 64)
	if err != nil || !(x > 1 && x <= 1000) {
		d.fault(n, "odds", errs.Quote(n.Value)+" is nothing to divide odds by", "a number above 1, at most 1000")
		return 1
	}
	return x
}

func (r *Register) supplier(d *document, n *yaml.Node) []int32 {
	id := d.text(n, "supplier")
	i := slices.IndexFunc(r.Services, func(s cascade.Service) bool { return s.ID == id })
	if i < 0 {
		d.fault(n, "supplier", "there is no service "+errs.Quote(id), "an id of the services table")
		return nil
	}
	return []int32{int32(i)}
}

// groupsOf returns the requirements of services with a name, or all of them.
func (r *Register) groupsOf(d *document, item, group *yaml.Node, services []int32) []int32 {
	name := d.text(group, "group")
	is := make(map[int32]bool)
	for _, v := range services {
		is[v] = true
	}
	var list []int32
	for i := range r.Requirements {
		if q := &r.Requirements[i]; is[q.Service] && (group == nil || q.Name == name) {
			list = append(list, int32(i))
		}
	}
	if len(list) == 0 {
		d.fault(cmpNode(group, item), "group", "none of the services requires "+errs.Quote(name), "the group of a requirement")
	}
	return list
}

// A MeasuresFile is a file of measures as it is written.
type MeasuresFile struct {
	Source    string
	Synthetic bool
	Measures  []MeasureRow
}

// MeasureRow is a measure of it.
type MeasureRow struct {
	ID      string
	Title   Words
	Cost    string
	Actions []ActionRow
}

// ActionRow is something that a measure does: Amount is the value of the key that
// belongs to Do.
type ActionRow struct{ Do, Select, Value, Group, Amount string }

// Write writes the file as YAML.
func (f MeasuresFile) Write(w io.Writer) error {
	var b strings.Builder
	say := func(indent, name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s%s: %s\n", indent, name, quoteYAML(value))
		}
	}
	say("", "format", measuresFormat)
	say("", "source", f.Source)
	if f.Synthetic {
		say("", "synthetic", "true")
	}
	b.WriteString("measures:\n")
	for _, m := range f.Measures {
		say("  - ", "id", m.ID)
		fmt.Fprintf(&b, "    title:\n      en: %s\n      fr: %s\n", quoteYAML(m.Title["en"]), quoteYAML(m.Title["fr"]))
		say("    ", "cost", m.Cost)
		b.WriteString("    actions:\n")
		for _, a := range m.Actions {
			say("      - ", "do", a.Do)
			say("        ", "select", a.Select)
			say("        ", "value", a.Value)
			say("        ", "group", a.Group)
			for _, k := range actionKinds {
				if k.do == a.Do {
					say("        ", k.key, a.Amount)
				}
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
