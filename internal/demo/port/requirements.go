package port

import "fmt"

// Whoever can be reached by neighbours over land: members in the order of their
// names lie in a ring.
func (b *builder) neighbours(kind string, m int) []string {
	return []string{b.member(kind, m-1), b.member(kind, m+1)}
}

func cable(i int) string { return "cable-" + slug(cables[i%len(cables)]) }

func cloud(i int) string { return "cloud-" + slug(clouds[i%len(clouds)]) }

func exchangeOf(p int) string { return "exchange-" + slug(exchanges[p%len(exchanges)]) }

var position = []string{"satellite-polestar", "satellite-meridian"}

func (b *builder) requirements() {
	for m := range b.members {
		b.energyAndTelecom(m)
		b.landAndState(m)
	}
	for p := range towns {
		b.port(p)
	}
	b.shared()
}

// energyAndTelecom is the cyclic core. Nothing in it has a restart lag: services
// that wait for each other with one would never come back.
func (b *builder) energyAndTelecom(m int) {
	grid, control := b.member("grid", m), b.member("grid-control", m)
	backbone, mobile := b.member("backbone", m), b.member("mobile", m)
	b.need(grid, "control", 1, "seldom", "6h", control)
	b.need(grid, "interconnectors", 1, "rarely", "4h", b.neighbours("grid", m)...)
	b.need(grid, "telecom", 1, "rarely", "12h", backbone)
	b.need(control, "telecom", 1, "often", "8h", backbone, b.member("backbone", m+1))
	b.need(control, "power", 1, "mostly", "1d", grid)
	b.need(control, "time", 1, "seldom", "3d", position...)
	b.need(backbone, "power", 1, "often", "10h", grid, b.member("grid", m+1))
	b.need(backbone, "cables", 1, "seldom", "6h", cable(m), cable(m+5), cable(m+9))
	b.need(backbone, "peers", 1, "rarely", "6h", b.neighbours("backbone", m)...)
	b.need(backbone, "time", 1, "seldom", "3d", position...)
	b.need(mobile, "backbone", 1, "always", "2h", backbone, b.member("backbone", m+1))
	b.need(mobile, "power", 1, "mostly", "6h", grid)
	b.need(mobile, "time", 1, "often", "1d", position...)
}

func (b *builder) landAndState(m int) {
	rail, signals := b.member("rail", m), b.member("rail-control", m)
	grid, backbone, mobile, govnet := b.member("grid", m), b.member("backbone", m), b.member("mobile", m), b.member("govnet", m)
	b.need(rail, "control", 1, "always", "1h", signals)
	b.need(rail, "power", 1, "mostly", "1h", grid)
	b.need(rail, "radio", 1, "often", "2h", mobile)
	b.need(rail, "lines", 1, "seldom", "12h", b.neighbours("rail", m)...)
	b.need(rail, "orders", 1, "seldom", "2d", exchangeOf(m))
	b.need(signals, "telecom", 1, "mostly", "2h", backbone)
	b.need(signals, "power", 1, "mostly", "8h", grid)
	b.need(signals, "time", 1, "seldom", "1d", position...)
	b.need(govnet, "telecom", 1, "always", "1h", backbone, mobile, "satellite-skylark")
	b.need(govnet, "power", 1, "often", "1d", grid)
	b.need(govnet, "cloud", 1, "often", "4h", cloud(m), cloud(m+2))
	if m < ports {
		return
	}
	depot := b.member("depot", m)
	b.need(depot, "rail", 1, "mostly", "1d", rail)
	b.need(depot, "power", 1, "often", "8h", grid)
	b.need(depot, "telecom", 1, "often", "4h", backbone, mobile)
	b.need(depot, "goods", 2, "mostly", "3d", "port-"+slug(towns[m%ports]), "port-"+slug(towns[(m+5)%ports]), "port-"+slug(towns[(m+9)%ports]))
	b.need(depot, "orders", 1, "seldom", "1d", exchangeOf(m))
}

func (b *builder) port(p int) {
	id := slug(towns[p])
	port, traffic, pilots, fuel, customs := "port-"+id, "traffic-"+id, "pilots-"+id, "fuel-"+id, "customs-"+id
	grid, backbone, mobile := b.member("grid", p), b.member("backbone", p), b.member("mobile", p)
	var all []string
	for t := range terminals(p) {
		all = append(all, fmt.Sprintf("terminal-%s-%d", id, t+1))
		b.terminal(p, t)
	}
	b.need(port, "terminals", 1, "always", "0h", all...)
	b.need(port, "vessel traffic", 1, "mostly", "2h", traffic)
	b.need(port, "pilots", 1, "always", "4h", pilots)
	b.need(port, "power", 1, "mostly", "6h", grid)
	b.need(port, "community system", 1, "mostly", "12h", exchangeOf(p))
	b.need(port, "customs", 1, "often", "1d", customs)
	b.need(port, "telecom", 1, "often", "3h", backbone, mobile)
	b.need(port, "rail", 1, "seldom", "3d", b.member("rail", p))
	b.need(port, "fuel", 1, "often", "2d", fuel)
	b.need(traffic, "power", 1, "mostly", "12h", grid)
	b.need(traffic, "telecom", 1, "mostly", "1h", backbone, mobile)
	b.need(traffic, "position", 1, "often", "0h", position...)
	b.need(traffic, "neighbours", 1, "rarely", "6h", "traffic-"+slug(towns[(p+1)%ports]), "traffic-"+slug(towns[(p+ports-1)%ports]))
	b.need(pilots, "vessel traffic", 1, "mostly", "1h", traffic)
	b.need(pilots, "position", 1, "seldom", "0h", position...)
	b.need(pilots, "radio", 1, "often", "2h", mobile, "satellite-petrel")
	b.need(pilots, "orders", 1, "often", "8h", exchangeOf(p))
	b.need(fuel, "power", 1, "often", "12h", grid)
	b.need(fuel, "rail", 1, "seldom", "3d", b.member("rail", p))
	b.need(fuel, "ships", 1, "mostly", "4d", traffic)
	b.need(customs, "state network", 1, "always", "2h", b.member("govnet", p))
	b.need(customs, "cloud", 1, "often", "4h", cloud(p), cloud(p+3))
	b.need(customs, "community system", 1, "often", "6h", exchangeOf(p))
}

func (b *builder) terminal(p, t int) {
	id := fmt.Sprintf("%s-%d", slug(towns[p]), t+1)
	terminal, system, gate := "terminal-"+id, "tos-"+id, "gate-"+id
	grid, backbone, mobile := b.member("grid", p), b.member("backbone", p), b.member("mobile", p)
	b.need(terminal, "operating system", 1, "always", "3h", system)
	b.need(terminal, "gates", 1, "mostly", "1d", gate)
	b.need(terminal, "power", 1, "always", "2h", grid)
	b.need(terminal, "telecom", 1, "seldom", "4h", backbone)
	b.need(terminal, "rail", 1, "seldom", "2d", b.member("rail", p))
	b.need(system, "power", 1, "often", "12h", grid)
	b.need(system, "telecom", 1, "often", "3h", backbone)
	b.need(system, "cloud", 1, "seldom", "6h", cloud(p+t), cloud(p+t+1))
	b.need(system, "community system", 1, "seldom", "1d", exchangeOf(p))
	b.need(gate, "operating system", 1, "always", "2h", system)
	b.need(gate, "customs", 1, "often", "12h", "customs-"+slug(towns[p]))
	b.need(gate, "radio", 1, "seldom", "4h", mobile)
	b.need(gate, "community system", 1, "often", "12h", exchangeOf(p))
}

// shared is what several members stand on.
func (b *builder) shared() {
	for i, name := range exchanges {
		id := "exchange-" + slug(name)
		b.need(id, "cloud", 1, "mostly", "2h", cloud(i), cloud(i+1))
		b.need(id, "telecom", 1, "mostly", "1h", b.member("backbone", 3*i), b.member("backbone", 3*i+1))
		b.need(id, "power", 1, "often", "1d", b.member("grid", 3*i))
		b.need(id, "identities", 1, "seldom", "8h", cloud(i+4))
	}
	for i := range clouds {
		id := cloud(i)
		b.need(id, "power", 1, "mostly", "2d", b.member("grid", 5*i))
		b.need(id, "telecom", 1, "mostly", "6h", b.member("backbone", 5*i), b.member("backbone", 5*i+1))
		b.need(id, "cables", 1, "seldom", "6h", cable(i), cable(i+3), cable(i+7))
		b.need(id, "time", 1, "seldom", "3d", position...)
	}
	for i := range cables {
		b.need(cable(i), "landings", 2, "often", "3d", b.member("grid", i), b.member("grid", i+8))
		b.need(cable(i), "stations", 1, "seldom", "1d", b.member("backbone", i), b.member("backbone", i+8))
	}
	for i, name := range []string{"polestar", "meridian", "skylark", "petrel"} {
		id := "satellite-" + name
		b.need(id, "ground stations", 1, "mostly", "1d", b.member("backbone", 7*i), b.member("backbone", 7*i+3), b.member("backbone", 7*i+11))
		b.need(id, "ground power", 1, "often", "2d", b.member("grid", 7*i), b.member("grid", 7*i+3))
	}
}

// missions are what all of it is for.
func (b *builder) missions() {
	add := func(id, name string) {
		b.add(id, "The coalition", name, kind{"defence", 5, "1", "1d", "0", "2h"}, "yes")
	}
	all := func(prefix string, from, to, step int) (ids []string) {
		for i := from; i < to; i += step {
			ids = append(ids, b.member(prefix, i))
		}
		return ids
	}
	towned := func(prefix string, step int) (ids []string) {
		for p := 0; p < ports; p += step {
			ids = append(ids, prefix+slug(towns[p]))
		}
		return ids
	}
	add("reinforcement", "Reinforcement through the ports")
	b.need("reinforcement", "ports", 6, "always", "12h", towned("port-", 2)...)
	b.need("reinforcement", "railways", 11, "always", "1d", all("rail", 0, ports, 1)...)
	b.need("reinforcement", "fuel", 10, "mostly", "2d", towned("fuel-", 1)...)
	add("lights", "Keeping the lights on")
	b.need("lights", "grids", 28, "always", "1h", all("grid", 0, Members, 1)...)
	b.need("lights", "control", 22, "often", "6h", all("grid-control", 0, Members, 1)...)
	add("supply", "Food and goods for the islands")
	b.need("supply", "ports", 12, "always", "2d", towned("port-", 1)...)
	b.need("supply", "depots", 12, "mostly", "1d", all("depot", ports, Members, 1)...)
	add("fuel", "Fuel for hospitals and forces")
	b.need("fuel", "storage", 12, "always", "1d", towned("fuel-", 1)...)
	b.need("fuel", "railways", 22, "mostly", "2d", all("rail", 0, Members, 1)...)
	add("voice", "Governments that can speak to each other")
	b.need("voice", "state networks", 26, "always", "0h", all("govnet", 0, Members, 1)...)
	b.need("voice", "relays", 1, "rarely", "12h", "satellite-skylark", "satellite-petrel")
	add("crossings", "Safe passage of ships")
	b.need("crossings", "vessel traffic", 13, "always", "1h", towned("traffic-", 1)...)
	b.need("crossings", "pilots", 12, "always", "4h", towned("pilots-", 1)...)
	b.need("crossings", "position", 1, "mostly", "0h", position...)
}
