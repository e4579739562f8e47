package cascade

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"muster/internal/web"
)

// graphView is groups of services and what they require of each other: as a table,
// and as a picture where the pages' script runs.
type graphView struct {
	web.Page
	Heading, Lead string
	By            []web.Link
	Opened        string
	Up            web.Link // out of an opened group
	Groups        []groupRow
	Services      []serviceRow
	Data          string // where the script asks for the same
	Module        string // where the library lies
	Say           string // how the script's picture can be used
	Count         string
	Unsure        string
	Said          *saidView // nil where no supplier was asked, and where a group is open
}

// groupRow is a group in the table.
type groupRow struct {
	Name     string
	Href     string
	Services string
	Needs    []web.Link // groups on which it hangs most
	NeededBy []web.Link
	Bar      template.HTML
	Falls    string
}

// serviceRow is a service of an opened group.
type serviceRow struct {
	Name, ID, Owner, Sector, Falls string
	Needs                          []needRow
	NeededBy                       []string
	Anchor                         string
}

type needRow struct{ Group, Of, Suppliers, Buffer string }

// The ways to group services.
const (
	bySector = "sector"
	byOwner  = "owner"
)

// maxOpen is how many services of an opened group stand by themselves; of more, those
// of one owner, or sector, stand together.
const maxOpen = 40

// grouping is a choice of groups.
type grouping struct {
	by, open string
	of       []string // by service: the key of its group
	names    map[string]string
	keys     []string       // in the order of the register
	single   map[string]int // a key that is one service
	size     map[string]int // services
	edges    map[[2]string]int
}

// group groups the services of the register; those of an opened group apart.
func (p *Pages) group(by, open string) (*grouping, bool) {
	g := &grouping{by: by, open: open, names: make(map[string]string), single: make(map[string]int), size: make(map[string]int), edges: make(map[[2]string]int)}
	of, other := p.Register.Sectors, p.Register.Owners
	if by == byOwner {
		of, other = other, of
	}
	inside := 0
	for i := range of {
		if of[i] == open {
			inside++
		}
	}
	if open != "" && inside == 0 {
		return nil, false
	}
	for i := range of {
		key, name := "g:"+of[i], of[i]
		if open != "" && of[i] == open {
			if inside > maxOpen {
				key, name = "o:"+other[i], other[i]
			} else {
				key, name = "s:"+p.Register.Graph.Services()[i].ID, p.Register.Graph.Services()[i].ID
				g.single[key] = i
			}
		}
		if _, ok := g.names[key]; !ok {
			g.names[key] = name
			g.keys = append(g.keys, key)
		}
		g.size[key]++
		g.of = append(g.of, key)
	}
	for _, q := range p.Register.Graph.Requirements() {
		from := g.of[q.Service]
		for _, s := range q.Suppliers {
			if to := g.of[s]; to != from {
				g.edges[[2]string{from, to}]++
			}
		}
	}
	return g, true
}

// opened reports whether a key is a part of the opened group.
func opened(key string) bool { return key[0] != 'g' }

func (v *visit) groupName(g *grouping, key string) string {
	if i, ok := g.single[key]; ok {
		return v.service(i)
	}
	name := g.names[key]
	if name == "" {
		return v.T("graph.unnamed")
	}
	if g.by == bySector != opened(key) {
		return v.sector(name)
	}
	return name
}

// sector names a sector that the pages know in the reader's language.
func (v *visit) sector(name string) string {
	if slices.Contains(v.Messages(), "sector."+name) {
		return v.T("sector." + name)
	}
	return name
}

func (v *visit) graphPlace(by, open string) string {
	values := url.Values{"by": {by}}
	if open != "" {
		values.Set("open", open)
	}
	return v.to.graph() + "?" + values.Encode()
}

// groupHref is where a group opens: another of the same kind, or, inside of an
// opened one, the owner's or sector's own.
func (v *visit) groupHref(g *grouping, key string) string {
	if i, ok := g.single[key]; ok {
		return "#" + anchor(i)
	}
	if !opened(key) {
		return v.graphPlace(g.by, g.names[key])
	}
	by := byOwner
	if g.by == byOwner {
		by = bySector
	}
	return v.graphPlace(by, g.names[key])
}

func anchor(service int) string { return "s" + strconv.Itoa(service) }

func (p *Pages) chosen(r *http.Request) (*grouping, error) {
	query := r.URL.Query()
	by := query.Get("by")
	if by == "" {
		by = bySector
	}
	if by != bySector && by != byOwner {
		return nil, notThere()
	}
	g, ok := p.group(by, query.Get("open"))
	if !ok {
		return nil, notThere()
	}
	return g, nil
}

func (p *Pages) serveGraph(w http.ResponseWriter, r *http.Request, v *visit) error {
	g, err := p.chosen(r)
	if err != nil {
		return err
	}
	view := graphView{Heading: v.T("graph.title"), Lead: v.T("graph.lead"), Say: v.T("graph.say"), Module: p.kit.Assets.More(graphLibrary)}
	place := v.graphPlace(g.by, g.open)
	for _, by := range []string{bySector, byOwner} {
		view.By = append(view.By, web.Link{Text: v.T("graph.by." + by), Href: v.graphPlace(by, ""), Current: by == g.by})
	}
	view.Data = v.to.graph() + "/data" + place[len(v.to.graph()):]
	if g.open != "" {
		view.Opened = g.open
		if g.by == bySector {
			view.Opened = v.sector(g.open)
		}
		view.Up = web.Link{Text: v.T("graph.up"), Href: v.graphPlace(g.by, "")}
	}
	graph := p.Register.Graph
	view.Count = v.T("graph.count", "Services", len(graph.Services()), "Requirements", len(graph.Requirements()), "Dependencies", graph.Dependencies())
	b := resultOf[brief](p.desk.find(p.briefID(0, 0)))
	if b != nil {
		view.Unsure = v.T("graph.falls", "Scenario", v.title(request{}), "Trials", min(briefTrials, watchTrials)) + " " + v.unsure(b.scenario, b, b.run.result)
	} else {
		view.Unsure = v.unknownCells() + " " + v.T("unknown.absent")
	}
	if g.open == "" {
		view.Said = v.said()
	}
	v.fillGroups(&view, g, b)
	v.fillServices(&view, g, b)
	view.Page = v.page(view.Heading, v.to.graph(), v.to.rest(place))
	p.render(w, http.StatusOK, "graph", view)
	return nil
}

// neighbours is how many groups a row names.
const neighbours = 5

func (v *visit) fillGroups(view *graphView, g *grouping, b *brief) {
	for _, key := range g.keys {
		if _, ok := g.single[key]; ok || g.open != "" && !opened(key) {
			continue
		}
		row := groupRow{Name: v.groupName(g, key), Href: v.groupHref(g, key), Services: v.Number(g.size[key])}
		row.Needs, row.NeededBy = v.along(g, key, 0), v.along(g, key, 1)
		if b != nil {
			most := 0.0
			for i, k := range g.of {
				if k == key {
					most = max(most, b.run.falls[i].share)
				}
			}
			row.Falls = v.Percent(most)
			row.Bar = web.Span{Title: row.Name + ": " + row.Falls, Class: "today", Value: most, Most: 1, Slim: true}.SVG()
		}
		view.Groups = append(view.Groups, row)
	}
}

// along returns the groups at the other end of a group's edges, most first: end 0 is
// the side that requires.
func (v *visit) along(g *grouping, key string, end int) (links []web.Link) {
	type side struct {
		key string
		n   int
	}
	var sides []side
	for _, other := range g.keys {
		pair := [2]string{key, other}
		if end == 1 {
			pair = [2]string{other, key}
		}
		if n := g.edges[pair]; n > 0 {
			sides = append(sides, side{other, n})
		}
	}
	slices.SortStableFunc(sides, func(a, b side) int { return cmp.Compare(b.n, a.n) })
	for _, s := range sides[:min(neighbours, len(sides))] {
		links = append(links, web.Link{Text: v.groupName(g, s.key) + " " + v.Number(s.n), Href: v.groupHref(g, s.key)})
	}
	return links
}

func (v *visit) fillServices(view *graphView, g *grouping, b *brief) {
	if len(g.single) == 0 {
		return
	}
	rows := make(map[int]*serviceRow)
	services := v.pages.Register.Graph.Services()
	var order []int
	for i := range services {
		if _, ok := g.single[g.of[i]]; !ok {
			continue
		}
		row := &serviceRow{Name: v.service(i), ID: services[i].ID, Owner: v.pages.Register.Owners[i], Sector: v.sector(v.pages.Register.Sectors[i]), Anchor: anchor(i)}
		if b != nil {
			row.Falls = v.Percent(b.run.falls[i].share)
		}
		rows[i] = row
		order = append(order, i)
	}
	for at, q := range v.pages.Register.Graph.Requirements() {
		var names []string
		for i, s := range q.Suppliers {
			names = append(names, v.supplier(at, i, s))
			if row, ok := rows[int(s)]; ok {
				row.NeededBy = append(row.NeededBy, v.service(int(q.Service)))
			}
		}
		if row, ok := rows[int(q.Service)]; ok {
			need := needRow{Group: q.Name, Of: v.T("graph.of", "Need", int(q.Need), "All", len(q.Suppliers)), Suppliers: v.List(names)}
			need.Buffer = v.T("graph.buffer", "Time", v.time(q.Buffer.Hours()))
			row.Needs = append(row.Needs, need)
		}
	}
	for _, i := range order {
		rows[i].NeededBy = slices.Compact(rows[i].NeededBy)
		view.Services = append(view.Services, *rows[i])
	}
}

// graphData is the picture's nodes and edges, for the pages' script.
type graphData struct {
	Nodes []graphNode `json:"nodes"`
	Edges []graphEdge `json:"edges"`
}

type graphNode struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Size  int    `json:"size"`
	Class string `json:"class"` // of how often the most fragile of it falls
	Open  bool   `json:"open"`  // it is a part of the opened group
	Href  string `json:"href"`
}

type graphEdge struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Weight int    `json:"weight"`
}

func (p *Pages) serveGraphData(w http.ResponseWriter, r *http.Request, v *visit) error {
	g, err := p.chosen(r)
	if err != nil {
		return err
	}
	b := resultOf[brief](p.desk.find(p.briefID(0, 0)))
	data := graphData{Nodes: []graphNode{}, Edges: []graphEdge{}}
	touched := make(map[string]bool)
	for pair := range g.edges {
		if g.open == "" || opened(pair[0]) || opened(pair[1]) {
			touched[pair[0]], touched[pair[1]] = true, true
		}
	}
	for _, key := range g.keys {
		if g.open != "" && !opened(key) && !touched[key] {
			continue
		}
		most := 0.0
		for i, k := range g.of {
			if b != nil && k == key {
				most = max(most, b.run.falls[i].share)
			}
		}
		data.Nodes = append(data.Nodes, graphNode{key, v.groupName(g, key), g.size[key], fallClasses[fallClass(most)].class, opened(key), v.groupHref(g, key)})
	}
	for _, from := range g.keys {
		for _, to := range g.keys {
			n := g.edges[[2]string{from, to}]
			if n > 0 && (g.open == "" || opened(from) || opened(to)) {
				data.Edges = append(data.Edges, graphEdge{from, to, n})
			}
		}
	}
	return writeJSON(w, data)
}
