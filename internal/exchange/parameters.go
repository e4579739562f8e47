package exchange

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/cascade"
	"muster/internal/errs"
)

// parametersFormat is what a file of parameters begins with.
const parametersFormat = "muster cascade parameters v1"

//go:embed parameters.yaml
var defaultParameters string

// DefaultParameters returns the file of parameters that muster brings, to be read or
// to be changed.
func DefaultParameters() string { return defaultParameters }

// CascadeParameters are what is believed of the cascade's parameters, each with where
// that comes from.
type CascadeParameters struct {
	Version string
	Laws    cascade.Laws
	About   [cascade.Parameters]ParameterSource
	Levels  []OutcomeLevels // by framework; none in files before 1.1.0
}

// OutcomeLevels says which outcomes of a framework show how well an owner stands.
type OutcomeLevels struct {
	Framework  string // a pack's id
	Resistance []string
	Recovery   []string
	ParameterSource
}

// ParameterSource says where a range comes from.
type ParameterSource struct {
	Evidence string // measured, judgement or none
	Source   string
}

// ReadParameters reads a file of parameters, all of which have to stand in it.
func ReadParameters(name string, in io.Reader) (*CascadeParameters, error) {
	d := &document{file: name}
	root, err := d.parse(in, "format: "+parametersFormat+", then parameters")
	if err != nil || root == nil {
		return nil, firstError(err, d.faults.Err())
	}
	p := new(CascadeParameters)
	var format, version, list, levels *yaml.Node
	d.object(root, "", key{"format", &format, false}, key{"version", &version, false}, key{"parameters", &list, false}, key{"levels", &levels, true})
	d.format(format, parametersFormat)
	p.Version = d.text(version, "version")
	var names []string
	for i := range cascade.Parameters {
		names = append(names, cascade.Parameter(i).String())
	}
	seen := make([]bool, len(names))
	for _, item := range d.list(list, "parameters") {
		var id, law, median, low, high, evidence, source *yaml.Node
		if !d.object(item, "parameters", key{"name", &id, false}, key{"law", &law, false}, key{"median", &median, false}, key{"low", &low, false},
			key{"high", &high, false}, key{"evidence", &evidence, false}, key{"source", &source, false}) || id == nil {
			continue
		}
		at := slices.Index(names, d.text(id, "name"))
		if at < 0 || seen[at] {
			d.fault(id, "name", errs.Quote(id.Value)+" is no parameter, or stands there twice", strings.Join(names, ", "))
			continue
		}
		seen[at] = true
		l := cascade.Law{
			Uniform: d.oneOf(law, "law", "lognormal", "uniform") == "uniform",
			Median:  d.number(median, "median"), Low: d.number(low, "low"), High: d.number(high, "high"),
		}
		if err := l.Check(); err != nil && len(d.faults) == 0 {
			what := errs.Describe(err)
			d.fault(median, "median", what.Message, what.Hint)
		}
		p.Laws[at] = l
		p.About[at] = ParameterSource{d.oneOf(evidence, "evidence", "measured", "judgement", "none"), d.text(source, "source")}
		if source != nil && p.About[at].Source == "" && len(d.faults) == 0 {
			d.fault(source, "source", "a parameter without a source", "where it comes from, or that there is no evidence")
		}
	}
	for i, is := range seen {
		if !is && list != nil {
			d.fault(list, "parameters", "there is no "+names[i], "each of "+strings.Join(names, ", "))
		}
	}
	if levels != nil {
		d.outcomeLevels(levels, p)
	}
	return p, d.faults.Err()
}

// outcomeLevels reads which outcomes say how well an owner stands.
func (d *document) outcomeLevels(list *yaml.Node, p *CascadeParameters) {
	for _, item := range d.list(list, "levels") {
		var pack, resistance, recovery, evidence, source *yaml.Node
		if !d.object(item, "levels", key{"framework", &pack, false}, key{"resistance", &resistance, false}, key{"recovery", &recovery, false},
			key{"evidence", &evidence, false}, key{"source", &source, false}) {
			continue
		}
		l := OutcomeLevels{Framework: d.text(pack, "framework")}
		l.ParameterSource = ParameterSource{d.oneOf(evidence, "evidence", "measured", "judgement", "none"), d.text(source, "source")}
		if slices.ContainsFunc(p.Levels, func(o OutcomeLevels) bool { return o.Framework == l.Framework }) {
			d.fault(pack, "framework", errs.Quote(l.Framework)+" stands there twice", "each framework once")
		}
		seen := make(map[string]bool)
		for field, ids := range map[*yaml.Node]*[]string{resistance: &l.Resistance, recovery: &l.Recovery} {
			for _, n := range d.list(field, "levels") {
				id := d.text(n, "levels")
				if seen[id] {
					d.fault(n, "levels", "outcome "+errs.Quote(id)+" stands there twice", "each outcome once, in resistance or in recovery")
				}
				seen[id] = true
				*ids = append(*ids, id)
			}
		}
		p.Levels = append(p.Levels, l)
	}
}

// oneOf reads one of some words.
func (d *document) oneOf(n *yaml.Node, field string, words ...string) string {
	text := d.text(n, field)
	if n != nil && !slices.Contains(words, text) {
		d.fault(n, field, errs.Quote(text)+" is not known", strings.Join(words, ", "))
	}
	return text
}

func (d *document) number(n *yaml.Node, field string) float64 {
	x, err := strconv.ParseFloat(d.text(n, field), 64)
	if n != nil && err != nil {
		d.fault(n, field, errs.Quote(n.Value)+" is no number", "a number")
	}
	return x
}

// LevelsHeader is the first line of a file of levels.
const LevelsHeader = "owner,resistance,recovery"

// Outlook returns a scenario with what its numbers hang on: how far controls help,
// and whose each service is. levels may be nil: then nobody's are known.
func (r *Register) Outlook(g *cascade.Graph, s *Scenario, levelsName string, levels io.Reader) (cascade.Outlook, error) {
	o := cascade.Outlook{Case: cascade.Case{Graph: g, Scenario: s.Scenario}, Controls: s.Controls}
	index := make(map[string]int32)
	for i := range r.about {
		owner, ok := index[r.about[i].owner]
		if !ok {
			owner = int32(len(index))
			index[r.about[i].owner] = owner
			o.Levels = append(o.Levels, cascade.Level{Resistance: -1, Recovery: -1})
		}
		o.Owner = append(o.Owner, owner)
	}
	if levels == nil {
		return o, nil
	}
	t := &registerReader{&table{name: levelsName, header: LevelsHeader}, r, false}
	first := make(map[string]int)
	err := t.read(levels, func(l line, cells []cell) {
		owner, ok := index[cells[0].text]
		if before, twice := first[cells[0].text]; !ok || twice {
			message := "no service has the owner " + errs.Quote(cells[0].text)
			if twice {
				message = fmt.Sprintf("the owner has a row already, on line %d", before)
			}
			t.fault(l, cells, 0, message, "each owner of the services table once")
			return
		}
		first[cells[0].text] = l.number
		for i, to := range []*float64{&o.Levels[owner].Resistance, &o.Levels[owner].Recovery} {
			if cells[i+1].text != Unknown {
				*to = t.share(l, cells, i+1, 0).Float()
			}
		}
	})
	return o, firstError(err, t.faults.Err())
}
