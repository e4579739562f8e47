package exchange_test

import (
	"strings"
	"testing"

	"muster/internal/cascade"
	"muster/internal/exchange"
)

// TestDefaultParameters: the file that muster brings is a good one, and the judgement
// on the total odds ratio says that it is one.
func TestDefaultParameters(t *testing.T) {
	t.Parallel()
	p, err := exchange.ReadParameters("p.yaml", strings.NewReader(exchange.DefaultParameters()))
	if err != nil {
		t.Fatal(err)
	}
	if want := (cascade.Law{Median: 8, Low: 3, High: 20}); p.Laws[cascade.TotalRatio] != want || p.About[cascade.TotalRatio].Evidence != "judgement" {
		t.Errorf("%+v, %+v", p.Laws[cascade.TotalRatio], p.About[cascade.TotalRatio])
	}
	rows := []struct{ name, from, to, want string }{
		{"order", "median: 8", "median: 30", `p.yaml:16:13: median: 30, 3 to 20 is no range; allowed: low, median and high`},
		{"evidence", "evidence: none", "evidence: guess", `p.yaml:26:15: evidence: "guess" is not known; allowed: measured, judgement, none`},
		{"twice", "name: controls", "name: base-odds", `p.yaml:7:3: parameters: there is no controls`},
		{"no source", "    source: no evidence; it stretches what a scenario says of its actor\n", "", `p.yaml:21:5: parameters: key "source" is missing`},
		{"law", "law: uniform", "law: normal", `law: "normal" is not known`},
	}
	for _, row := range rows {
		_, err := exchange.ReadParameters("p.yaml", strings.NewReader(strings.Replace(exchange.DefaultParameters(), row.from, row.to, 1)))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v; want %s", row.name, err, row.want)
		}
	}
}

func TestOutlook(t *testing.T) {
	t.Parallel()
	r := fresh(t)
	g, err := r.Graph()
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.ReadScenario("s.yaml", strings.NewReader(scenarioYAML))
	if err != nil {
		t.Fatal(err)
	}
	o, err := r.Outlook(g, s, "l.csv", strings.NewReader(exchange.LevelsHeader+"\nBrevik,1,unknown\n"))
	if err != nil {
		t.Fatal(err)
	}
	if o.Owner[0] == o.Owner[1] || o.Owner[1] != o.Owner[2] || o.Levels[o.Owner[1]] != (cascade.Level{Resistance: 1, Recovery: -1}) || o.Levels[o.Owner[0]].Resistance >= 0 {
		t.Errorf("owners %v, levels %v", o.Owner, o.Levels)
	}
	_, err = r.Outlook(g, s, "l.csv", strings.NewReader(exchange.LevelsHeader+"\nNobody,1,1\n"))
	if err == nil || !strings.HasPrefix(err.Error(), `l.csv:2:1: owner: no service has the owner "Nobody"`) {
		t.Errorf("got %v", err)
	}
}
