package exchange

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"muster/internal/cascade"
	"muster/internal/errs"
)

// The headers of a register's tables; docs/spec/register.md says what stands in
// their columns.
const (
	ServicesHeader     = "id,owner,name,country,sector,criticality,severity,repair,spread,restart,mission,tags,tlp,confidence,source,as_of"
	RequirementsHeader = "service,group,need,supplier,binding,buffer,tlp,confidence,source"
	ScenarioHeader     = "select,value,hit"
)

// Unknown is what a cell says whose value nobody knows. It is not the same as
// none: what stands in for it is counted and told.
const Unknown = "unknown"

// What stands in for what is unknown: judgements, and on the safe side.
const (
	unknownRepair  cascade.Minutes     = 7 * 24 * 60
	unknownSpread  cascade.Spread      = 1 << 16
	unknownBinding cascade.Probability = cascade.Always
)

// bindings are the words for how likely it is that a service cannot do without,
// and what they are taken for: a judgement.
var bindings = []struct {
	word  string
	value float64
}{{"always", 1}, {"mostly", 0.8}, {"often", 0.5}, {"seldom", 0.2}, {"rarely", 0.05}}

// A Register is what somebody says of services and what they require.
type Register struct {
	Services     []cascade.Service
	Requirements []cascade.Requirement
	Unknown      map[string]int // by column: how many cells say so
	Synthetic    bool           // the source of a row says that it is invented
	Confirmation Confirmation   // what suppliers say of the rows that name them

	about []about    // parallel to Services
	said  [][]Status // parallel to Requirements and to the suppliers of each
}

// about is what else is said of a service, most of which one can select by.
type about struct{ owner, name, country, sector, tags string }

// Owner returns who answers for service i.
func (r *Register) Owner(i int) string { return r.about[i].owner }

// Name returns how people call service i.
func (r *Register) Name(i int) string { return r.about[i].name }

// Sector returns what service i is part of.
func (r *Register) Sector(i int) string { return r.about[i].sector }

// Graph returns the register as a graph.
func (r *Register) Graph() (*cascade.Graph, error) {
	return cascade.NewGraph(r.Services, r.Requirements)
}

// registerReader reads one table of a register.
type registerReader struct {
	*table
	register *Register
	lost     bool // rows of the services table could not be read: who is not known may stand there
}

func (r *registerReader) unknown(column string) { r.register.Unknown[column]++ }

// ReadRegister reads the two tables of a register, and names every fault of both
// with its place as [errs.Faults].
func ReadRegister(servicesName string, services io.Reader, requirementsName string, requirements io.Reader) (*Register, error) {
	register := &Register{Unknown: make(map[string]int)}
	first := &registerReader{&table{name: servicesName, header: ServicesHeader}, register, false}
	known := make(map[string]int32)
	lines := make(map[string]int)
	if err := first.table.stream(services, func(l line, cells []cell) { first.service(l, cells, known, lines) }); err != nil {
		return nil, err
	}
	if len(known) == 0 || len(first.faults) >= errs.MaxFaults { // not all services are known
		return nil, first.faults.Err()
	}
	second := &registerReader{&table{name: requirementsName, header: RequirementsHeader}, register, first.unread > 0}
	groups := newGroups()
	if err := second.table.stream(requirements, func(l line, cells []cell) { second.requirement(l, cells, known, groups) }); err != nil {
		return nil, err
	}
	groups.all = groups.all || second.table.unread > 0 // one of these may belong to any group
	second.close(groups)
	if err := append(first.faults, second.faults...).Err(); err != nil {
		return nil, err
	}
	return register, nil
}

const (
	serviceID = iota
	serviceOwner
	serviceName
	serviceCountry
	serviceSector
	serviceCriticality
	serviceSeverity
	serviceRepair
	serviceSpread
	serviceRestart
	serviceMission
	serviceTags
	serviceTLP
	serviceConfidence
	serviceSource
)

func (r *registerReader) service(l line, cells []cell, known map[string]int32, lines map[string]int) {
	id := cells[serviceID].text
	if id == "" || strings.TrimSpace(id) != id || id == Unknown {
		known[id] = int32(len(r.register.Services)) // what requires it has no fault for that
		r.fault(l, cells, serviceID, "the id is "+errs.Quote(id), "text without spaces around it, but "+Unknown)
	} else if before, ok := lines[id]; ok {
		r.fault(l, cells, serviceID, fmt.Sprintf("service %s has a row already, on line %d", errs.Quote(id), before), "one row for each service")
	} else {
		lines[id] = l.number
		known[id] = int32(len(r.register.Services))
	}
	weight, err := strconv.Atoi(cells[serviceCriticality].text)
	if err != nil || weight < 1 || weight > 5 {
		r.fault(l, cells, serviceCriticality, "the criticality is "+errs.Quote(cells[serviceCriticality].text), "1 to 5")
	}
	severity := r.share(l, cells, serviceSeverity, cascade.Always)
	if severity == 0 {
		r.fault(l, cells, serviceSeverity, "the severity is too small to count", "above 0, at most 1, or "+Unknown)
	}
	repair := r.time(l, cells, serviceRepair, unknownRepair)
	if repair == 0 {
		r.fault(l, cells, serviceRepair, "the repair takes no time", "1min or longer, or "+Unknown)
	}
	mission := cells[serviceMission].text
	if mission != "" && mission != "yes" {
		r.fault(l, cells, serviceMission, "the mission is "+errs.Quote(mission), "yes, or nothing")
	}
	r.marks(l, cells, serviceTLP, serviceConfidence)
	r.register.Services = append(r.register.Services, cascade.Service{
		ID: id, Weight: uint32(weight), Severity: severity, Mission: mission == "yes",
		Repair:  cascade.Repair{Median: repair, Spread: r.spread(l, cells, serviceSpread)},
		Restart: r.time(l, cells, serviceRestart, 0),
	})
	r.register.Synthetic = r.register.Synthetic || invented(cells[serviceSource].text)
	r.register.about = append(r.register.about, about{cells[serviceOwner].text, cells[serviceName].text, cells[serviceCountry].text, cells[serviceSector].text, cells[serviceTags].text})
}

// share reads a number from 0 to 1.
func (r *registerReader) share(l line, cells []cell, i int, unknown cascade.Probability) cascade.Probability {
	text := cells[i].text
	if text == Unknown {
		r.unknown(strings.Split(r.header, ",")[i])
		return unknown
	}
	x, err := strconv.ParseFloat(text, 64)
	if err == nil {
		var p cascade.Probability
		if p, err = cascade.Chance(x); err == nil {
			return p
		}
	}
	r.fault(l, cells, i, errs.Quote(text)+" is no share", "a number from 0 to 1, or "+Unknown)
	return cascade.Always
}

func (r *registerReader) spread(l line, cells []cell, i int) cascade.Spread {
	text := cells[i].text
	if text == Unknown {
		r.unknown("spread")
		return unknownSpread
	}
	x, err := strconv.ParseFloat(text, 64)
	if err == nil {
		var s cascade.Spread
		if s, err = cascade.Sigma(x); err == nil {
			return s
		}
	}
	r.fault(l, cells, i, errs.Quote(text)+" is no spread", "a number from 0 to 4, the standard deviation of the logarithm, or "+Unknown)
	return 0
}

// units are those of times, in hours.
var units = []struct {
	name  string
	hours float64
}{{"min", 1.0 / 60}, {"h", 1}, {"d", 24}}

// time reads a length of time with its unit.
func (r *registerReader) time(l line, cells []cell, i int, unknown cascade.Minutes) cascade.Minutes {
	text := cells[i].text
	if text == Unknown {
		r.unknown(strings.Split(r.header, ",")[i])
		return unknown
	}
	m, fault := parseTime(text)
	if fault != nil {
		if fault.Allowed == allowedTime {
			fault.Allowed += ", or " + Unknown
		}
		r.fault(l, cells, i, fault.Message, fault.Allowed)
		return 1
	}
	return m
}

const allowedTime = "a number and min, h or d, such as 48h"

// parseTime reads a length of time with its unit. A fault lacks its place.
func parseTime(text string) (cascade.Minutes, *errs.Fault) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		x, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			break
		}
		m, err := cascade.Hours(x * u.hours)
		if err != nil {
			return 0, &errs.Fault{Message: errs.Quote(text) + " is out of range", Allowed: fmt.Sprintf("0 to %dd", cascade.MaxMinutes/(24*60))}
		}
		return m, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, &errs.Fault{Message: errs.Quote(text) + " has no unit", Allowed: allowedTime}
	}
	return 0, &errs.Fault{Message: errs.Quote(text) + " is no length of time", Allowed: allowedTime}
}

// marks checks the cells that say who may see a row and how sure it is.
func (r *registerReader) marks(l line, cells []cell, tlp, confidence int) {
	check := func(i int, allowed ...string) {
		if !slices.Contains(allowed, cells[i].text) {
			r.fault(l, cells, i, errs.Quote(cells[i].text)+" is not one of them", strings.Join(allowed, ", "))
		}
	}
	check(tlp, "clear", "green", "amber", "amber+strict", "red")
	check(confidence, "high", "medium", "low", Unknown)
}

const (
	requirementService = iota
	requirementGroup
	requirementNeed
	requirementSupplier
	requirementBinding
	requirementBuffer
	requirementTLP
	requirementConfidence
	requirementSource
	requirementStatus
	requirementTheirBinding
	requirementTheirBuffer
	requirementSaid
	requirementColumns
)

// groups are the requirements while their rows are read.
type groups struct {
	index   map[groupKey]int32 // by service and group
	rows    map[[2]int32]int   // line by requirement and supplier
	first   []groupRow         // parallel to Requirements
	unknown map[groupKey]int   // rows whose supplier is unknown

	// What rows with a fault may belong to: of how many suppliers these groups have
	// nothing is said, since that would follow from the fault.
	faulty   map[groupKey]bool
	names    map[string]bool // all groups of this name
	services map[int32]bool  // all groups of this service
	all      bool
}

type groupKey struct {
	service int32
	name    string
}

// groupRow is where a group begins: the cell that says how many it needs, and the rows
// that first said what it needs, how binding it is and what its buffer is, or 0. Text
// is not kept, there may be millions.
type groupRow struct{ line, column, need, binding, buffer int }

func newGroups() *groups {
	return &groups{
		index: make(map[groupKey]int32), rows: make(map[[2]int32]int), unknown: make(map[groupKey]int),
		faulty: make(map[groupKey]bool), names: make(map[string]bool), services: make(map[int32]bool),
	}
}

// requirement reads a row. Every cell is looked at, so that no fault hides another.
func (r *registerReader) requirement(l line, cells []cell, known map[string]int32, g *groups) {
	text := func(i int) string { return cells[i].text }
	service, there := known[text(requirementService)]
	if !there && !r.lost {
		r.fault(l, cells, requirementService, fmt.Sprintf("there is no service %s", errs.Quote(text(requirementService))), "an id of the services table")
	}
	key := groupKey{service, text(requirementGroup)}
	if key.name == "" {
		r.fault(l, cells, requirementGroup, "the group has no name", "a name, the same in all rows of suppliers that can stand in for each other")
	}
	need, err := strconv.Atoi(text(requirementNeed))
	needs := err == nil && need >= 1 && need <= cascade.MaxSuppliers
	if !needs {
		r.fault(l, cells, requirementNeed, errs.Quote(text(requirementNeed))+" is no number of suppliers", "1 or more, as many as must be up")
	}
	supplier, ok := known[text(requirementSupplier)]
	absent := text(requirementSupplier) == Unknown
	switch {
	case absent:
		r.unknown("supplier")
		// What else stands in the row is checked, and stands for nothing.
		other := &registerReader{table: r.table, register: &Register{Unknown: make(map[string]int)}}
		other.binding(l, cells)
		other.time(l, cells, requirementBuffer, 0)
	case !ok && r.lost:
	case !ok:
		r.fault(l, cells, requirementSupplier, fmt.Sprintf("there is no service %s", errs.Quote(text(requirementSupplier))), "an id of the services table, or "+Unknown)
	case there && supplier == service:
		r.fault(l, cells, requirementSupplier, fmt.Sprintf("service %s supplies itself", errs.Quote(text(requirementSupplier))), "another service")
		ok = false
	}
	r.marks(l, cells, requirementTLP, requirementConfidence)
	r.register.Synthetic = r.register.Synthetic || invented(text(requirementSource))
	said, dispute := r.said(l, cells)
	if !there || key.name == "" {
		g.all = g.all || !there && key.name == ""
		g.names[key.name] = g.names[key.name] || !there
		g.services[service] = g.services[service] || there
	}
	if absent {
		if there {
			g.unknown[key]++
		}
		return
	}
	before := len(r.faults)
	q := cascade.Requirement{Service: service, Name: key.name, Need: int32(need), Binding: r.binding(l, cells)}
	binds := len(r.faults) == before
	before = len(r.faults)
	q.Buffer = r.time(l, cells, requirementBuffer, 0)
	lasts := len(r.faults) == before
	if !there || key.name == "" {
		return
	}
	if !ok || !needs {
		g.faulty[key] = true
	}
	at, begun := g.index[key]
	if !begun {
		at = int32(len(r.register.Requirements))
		g.index[key] = at
		g.first = append(g.first, groupRow{line: max(l.number, cells[requirementNeed].line), column: cells[requirementNeed].column})
		r.register.Requirements = append(r.register.Requirements, q)
	}
	r.sameAsFirst(l, cells, &g.first[at], &r.register.Requirements[at], &q, [3]bool{needs, binds, lasts})
	if !ok {
		return
	}
	if line, twice := g.rows[[2]int32{at, supplier}]; twice {
		r.fault(l, cells, requirementSupplier, fmt.Sprintf("the supplier has a row already, on line %d", line), "one row for each supplier of a group")
		g.faulty[key] = true
		return
	}
	g.rows[[2]int32{at, supplier}] = l.number
	dispute.Dependency = Dependency{at, supplier}
	r.count(said, dispute)
	r.register.Requirements[at].Suppliers = append(r.register.Requirements[at].Suppliers, supplier)
}

// sameAsFirst compares what a row says of its group with the first row that says so.
// Cells that could not be read say nothing.
func (r *registerReader) sameAsFirst(l line, cells []cell, first *groupRow, group, q *cascade.Requirement, said [3]bool) {
	for i, x := range []struct {
		column int
		line   *int
		same   bool
		first  string
		take   func()
	}{
		{requirementNeed, &first.need, q.Need == group.Need, strconv.Itoa(int(group.Need)), func() { group.Need = q.Need }},
		{requirementBinding, &first.binding, q.Binding == group.Binding, strconv.FormatFloat(group.Binding.Float(), 'g', 4, 64), func() { group.Binding = q.Binding }},
		{requirementBuffer, &first.buffer, q.Buffer == group.Buffer, strconv.FormatFloat(group.Buffer.Hours(), 'g', 4, 64) + "h", func() { group.Buffer = q.Buffer }},
	} {
		switch {
		case !said[i]:
		case *x.line == 0:
			*x.line = l.number
			x.take()
		case !x.same:
			r.fault(l, cells, x.column, fmt.Sprintf("%s differs from the group's first row, on line %d", errs.Quote(cells[x.column].text), *x.line), x.first)
		}
	}
}

func (r *registerReader) binding(l line, cells []cell) cascade.Probability {
	return r.bindingIn(l, cells, requirementBinding)
}

// bindingIn reads how binding a requirement is from a cell.
func (r *registerReader) bindingIn(l line, cells []cell, at int) cascade.Probability {
	text := cells[at].text
	var words []string
	for _, b := range bindings {
		if b.word == text {
			text = strconv.FormatFloat(b.value, 'g', -1, 64)
		}
		words = append(words, b.word)
	}
	if text == Unknown {
		r.unknown("binding")
		return unknownBinding
	}
	x, err := strconv.ParseFloat(text, 64)
	if err == nil {
		var p cascade.Probability
		if p, err = cascade.Chance(x); err == nil {
			return p
		}
	}
	r.fault(l, cells, at, errs.Quote(text)+" does not say how binding it is", strings.Join(words, ", ")+", "+Unknown+", or a number from 0 to 1")
	return 0
}

// close looks at the groups once all their rows are known. A supplier that is unknown
// may be one of those that are needed: then all that are known are.
func (r *registerReader) close(g *groups) {
	for i := range r.register.Requirements {
		q, first := &r.register.Requirements[i], g.first[i]
		key := groupKey{q.Service, q.Name}
		n := len(q.Suppliers) + g.unknown[key]
		if int(q.Need) > n && !g.all && !g.faulty[key] && !g.names[key.name] && !g.services[key.service] {
			r.add(place{line{number: first.line}, first.column, "need"}, fmt.Sprintf("%d of %d suppliers cannot be up", q.Need, n), fmt.Sprintf("1 to %d, or more suppliers", n))
		}
		q.Need = min(q.Need, int32(len(q.Suppliers)))
	}
}
