package exchange

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
)

// graphmlKeys are what is said of nodes and edges in GraphML.
var graphmlKeys = [...]struct{ id, on, kind string }{
	{"label", "node", "string"},
	{"owner", "node", "string"},
	{"country", "node", "string"},
	{"sector", "node", "string"},
	{"tags", "node", "string"},
	{"weight", "node", "int"},
	{"severity", "node", "double"},
	{"repair_minutes", "node", "int"},
	{"spread", "node", "double"},
	{"restart_minutes", "node", "int"},
	{"mission", "node", "boolean"},
	{"group", "edge", "string"},
	{"need", "edge", "int"},
	{"of", "edge", "int"},
	{"binding", "edge", "double"},
	{"buffer_minutes", "edge", "int"},
	{"status", "edge", "string"},
}

// WriteGraphML writes the register as GraphML, which graph tools read: a node for
// each service, and an edge from each service to each of its suppliers. GraphML as
// it is read has no edges to several suppliers at once; so the edges of one
// requirement have its name in "group", and "need" of the "of" edges with that
// source and group must be up.
func (r *Register) WriteGraphML(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, xml.Header, `<graphml xmlns="http://graphml.graphdrawing.org/xmlns">`, "\n")
	for _, k := range graphmlKeys {
		fmt.Fprintf(b, "  <key id=%q for=%q attr.name=%q attr.type=%q/>\n", k.id, k.on, k.id, k.kind)
	}
	fmt.Fprint(b, "  <graph id=\"register\" edgedefault=\"directed\">\n")
	data := func(key, value string) {
		fmt.Fprintf(b, "<data key=%q>", key)
		xml.EscapeText(b, []byte(value)) // b keeps its error until Flush
		b.WriteString("</data>")
	}
	for i := range r.Services {
		s, about := &r.Services[i], &r.about[i]
		b.WriteString(`    <node id="`)
		xml.EscapeText(b, []byte(s.ID))
		b.WriteString(`">`)
		data("label", about.name)
		data("owner", about.owner)
		data("country", about.country)
		data("sector", about.sector)
		data("tags", about.tags)
		data("weight", strconv.Itoa(int(s.Weight)))
		data("severity", decimalOf(s.Severity.Float()))
		data("repair_minutes", strconv.Itoa(int(s.Repair.Median)))
		data("spread", decimalOf(float64(s.Repair.Spread)/(1<<16)))
		data("restart_minutes", strconv.Itoa(int(s.Restart)))
		data("mission", strconv.FormatBool(s.Mission))
		b.WriteString("</node>\n")
	}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		for n, u := range q.Suppliers {
			b.WriteString(`    <edge source="`)
			xml.EscapeText(b, []byte(r.Services[q.Service].ID))
			b.WriteString(`" target="`)
			xml.EscapeText(b, []byte(r.Services[u].ID))
			b.WriteString(`">`)
			data("group", q.Name)
			data("need", strconv.Itoa(int(q.Need)))
			data("of", strconv.Itoa(len(q.Suppliers)))
			data("binding", decimalOf(q.Binding.Float()))
			data("buffer_minutes", strconv.Itoa(int(q.Buffer)))
			if said := r.Status(i, n); said != NotAsked {
				data("status", said.String())
			}
			b.WriteString("</edge>\n")
		}
	}
	b.WriteString("  </graph>\n</graphml>\n")
	return b.Flush()
}

func decimalOf(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
