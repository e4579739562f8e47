// Package port makes the register of an invented port community: what sixteen ports
// on an invented sea, their terminals and all that these stand on require of each
// other, and seven scenarios for it.
//
//	c, err := port.New(demo.Names(port.Members))
//
// It is made by rules and not by chance: every member has a grid, a backbone and a
// railway, the sixteen on the coast a port, and who shares what follows from
// lists. Nothing in it is anybody's: members, towns, products, cables and satellites
// are invented, every row says SYNTHETIC, and figures are of the size that outages
// were reported with.
package port

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/exchange"
)

// Members is how many members the community has.
const Members = 32

// A Community is a register with what goes with it.
type Community struct {
	Services     [][]string // rows of [exchange.Services]
	Requirements [][]string // rows of [exchange.Requirements]
	Scenarios    []exchange.ScenarioFile
	Measures     exchange.MeasuresFile // what could be done
}

// The invented names.
var (
	towns = [...]string{
		"Skelmouth", "Brinehaven", "Corrowick", "Dunmarrow", "Elderstrand", "Farholm", "Gullsund", "Hallowpier",
		"Inverlune", "Jettisand", "Kestrelbay", "Lowhithe", "Marrowquay", "Northgull", "Oysterhead", "Pellwater",
	}
	basins        = [...]string{"north", "east", "south", "west"}
	exchanges     = [...]string{"Harbourweave", "Quaythread", "Manifold", "Anchorline", "Saltpost"} // port community systems
	berths        = [...]string{"berthwise", "berthwise", "quaymarshal", "berthwise", "portloom", "quaymarshal", "berthwise", "stackyard"}
	controls      = [...]string{"gridhelm", "gridhelm", "voltwarden", "gridhelm", "lumenrule"}
	signals       = [...]string{"trackward", "trackward", "signalmoor"}
	clouds        = [...]string{"Cumulane North 1", "Cumulane North 2", "Cumulane South 1", "Stratafold East 1", "Stratafold East 2", "Stratafold West 1"}
	cables        = [...]string{"Amberline", "Coldwake", "Lanterncross", "Saltbridge", "Twinshore", "Farstrand", "Gullway", "Pellucid", "Seathread", "Tidelock", "Whalepath", "Umberwire"}
	constellation = [...]string{"Polestar position and time", "Meridian position and time", "Skylark relay", "Petrel relay"}
)

// ports is how many members have a port: the first ones.
const ports = len(towns)

// kind is what services of one kind have in common.
type kind struct {
	sector      string
	criticality int
	severity    string
	repair      string
	spread      string
	restart     string
}

// builder collects rows.
type builder struct {
	members []string
	c       Community
	known   map[string]bool
}

// New returns the community of 32 members, in their order.
func New(members []string) (*Community, error) {
	if len(members) != Members {
		return nil, fmt.Errorf("a port community of %d members; it has %d", len(members), Members)
	}
	b := &builder{members: members, known: make(map[string]bool)}
	b.services()
	b.requirements()
	b.missions()
	b.suppliersSay()
	b.c.Scenarios = scenarios()
	b.c.Measures = b.measures()
	return &b.c, nil
}

// slug returns a name as part of an id.
func slug(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

func (b *builder) add(id, owner, name string, k kind, mission string, tags ...string) {
	if b.known[id] {
		panic("port: two services " + id)
	}
	b.known[id] = true
	sort, _, _ := strings.Cut(id, "-")
	tags = append(tags, "kind:"+sort)
	b.c.Services = append(b.c.Services, []string{
		id, owner, name, "", k.sector, fmt.Sprint(k.criticality), k.severity, k.repair, k.spread, k.restart, mission,
		strings.Join(tags, " "), "green", "medium", "SYNTHETIC", "2031-05-01",
	})
}

// member returns the id of a member's service of a kind.
func (b *builder) member(kind string, m int) string {
	return kind + "-" + slug(b.members[(m%Members+Members)%Members])
}

func basin(m int) string { return "basin:" + basins[m%len(basins)] }

func (b *builder) services() {
	for m, name := range b.members {
		product := controls[m%len(controls)]
		b.add(b.member("grid", m), name, "Power grid of "+name, kind{"energy", 5, "0.6", "10h", "0.8", "0h"}, "", basin(m))
		b.add(b.member("grid-control", m), name, "Energy management of "+name, kind{"energy", 3, "0.5", "30h", "0.7", "0h"}, "", "product:"+product, basin(m))
		b.add(b.member("backbone", m), name, "Telecom backbone of "+name, kind{"telecom", 4, "0.6", "12h", "0.7", "0h"}, "", basin(m))
		b.add(b.member("mobile", m), name, "Mobile network of "+name, kind{"telecom", 3, "0.5", "14h", "0.7", "0h"}, "", basin(m))
		b.add(b.member("govnet", m), name, "Government network of "+name, kind{"public", 4, "0.5", "1d", "0.8", "0h"}, "", basin(m))
		b.add(b.member("rail", m), name, "Freight railway of "+name, kind{"transport", 3, "0.8", "20h", "0.6", "0h"}, "", basin(m))
		b.add(b.member("rail-control", m), name, "Train control of "+name, kind{"transport", 2, "0.7", "26h", "0.7", "0h"}, "", "product:"+signals[m%len(signals)], basin(m))
		if m >= ports {
			b.add(b.member("depot", m), name, "Inland depot of "+name, kind{"transport", 2, "0.5", "2d", "0.6", "3h"}, "", basin(m))
		}
	}
	for p, town := range towns {
		b.harbour(p, town)
	}
	for i, name := range exchanges {
		b.add("exchange-"+slug(name), b.members[i*3], name+" port community system", kind{"transport", 4, "0.7", "54h", "0.6", "5h"}, "", "service:exchange", basin(i*3))
	}
	for i, name := range clouds {
		vendor, _, _ := strings.Cut(name, " ")
		b.add("cloud-"+slug(name), vendor, name+" cloud region", kind{"digital", 4, "0.5", "14h", "0.8", "0h"}, "", "vendor:"+slug(vendor), basin(i))
	}
	for i, name := range cables {
		b.add("cable-"+slug(name), name+" consortium", name+" submarine cable", kind{"telecom", 2, "0.4", "12d", "0.4", "0h"}, "", "service:cable", basin(i))
	}
	for i, name := range constellation {
		service := "service:position"
		if strings.HasSuffix(name, "relay") {
			service = "service:relay"
		}
		word, _, _ := strings.Cut(name, " ")
		b.add("satellite-"+slug(word), word+" operator", name, kind{"space", 3, "0.3", "3d", "0.9", "0h"}, "", service, "region:"+basins[i])
	}
}

// harbour adds a port with its terminals, eight of which have a second one.
func (b *builder) harbour(p int, town string) {
	owner, id := b.members[p], slug(town)
	b.add("port-"+id, owner, "Port of "+town, kind{"transport", 5, "0.8", "2d", "0.6", "6h"}, "", basin(p))
	b.add("traffic-"+id, owner, "Vessel traffic service of "+town, kind{"transport", 3, "0.6", "18h", "0.6", "0h"}, "", "service:traffic", basin(p))
	b.add("pilots-"+id, owner, "Pilotage of "+town, kind{"transport", 3, "0.7", "12h", "0.5", "1h"}, "", basin(p))
	b.add("fuel-"+id, owner, "Fuel storage of "+town, kind{"energy", 3, "0.7", "3d", "0.7", "6h"}, "", basin(p))
	b.add("customs-"+id, owner, "Customs system of "+town, kind{"public", 2, "0.5", "30h", "0.7", "2h"}, "", basin(p))
	for t := range terminals(p) {
		name := [...]string{"Container terminal", "Ro-ro and heavy cargo terminal"}[t]
		terminal := fmt.Sprintf("%s-%d", id, t+1)
		b.add("terminal-"+terminal, owner, name+" of "+town, kind{"transport", 4, "0.9", "40h", "0.6", "8h"}, "", basin(p))
		b.add("tos-"+terminal, owner, "Terminal operating system, "+strings.ToLower(name)+" of "+town, kind{"transport", 2, "0.6", "49h", "0.6", "7h"}, "",
			"product:"+berths[(p+3*t)%len(berths)], basin(p))
		b.add("gate-"+terminal, owner, "Gates, "+strings.ToLower(name)+" of "+town, kind{"transport", 2, "0.6", "10h", "0.5", "2h"}, "", basin(p))
	}
}

// terminals returns how many terminals a port has.
func terminals(p int) int { return 1 + p%2 }

// need adds a requirement: so many of the suppliers. Unless told otherwise by
// extra, how sure it is and who may see it are the same for all.
func (b *builder) need(service, group string, need int, binding, buffer string, suppliers ...string) {
	if !b.known[service] {
		panic("port: no service " + service)
	}
	slices.Sort(suppliers)
	for _, u := range slices.Compact(suppliers) {
		if !b.known[u] {
			panic("port: no supplier " + u)
		}
		if u != service {
			b.c.Requirements = append(b.c.Requirements, []string{service, group, fmt.Sprint(need), u, binding, buffer, "green", "medium", "SYNTHETIC"})
		}
	}
}
