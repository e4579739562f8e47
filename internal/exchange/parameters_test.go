package exchange_test

import (
	"slices"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/cascade"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/release/releasetest"
	"muster/packs"
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

// TestLevels: which outcomes count stands in the file of parameters, and older files
// without it are read.
func TestLevels(t *testing.T) {
	t.Parallel()
	p, err := exchange.ReadParameters("p.yaml", strings.NewReader(exchange.DefaultParameters()))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range p.Levels {
		file, err := packs.FS().Open(l.Framework + "/pack.yaml")
		if err != nil {
			t.Fatal(err)
		}
		pack, err := framework.Read(l.Framework, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range slices.Concat(l.Resistance, l.Recovery) {
			if !slices.ContainsFunc(pack.Outcomes(), func(o *framework.Outcome) bool { return o.ID == id }) {
				t.Errorf("%s has no outcome %s", l.Framework, id)
			}
		}
	}
	before, _, _ := strings.Cut(exchange.DefaultParameters(), "\nlevels:")
	if old, err := exchange.ReadParameters("p.yaml", strings.NewReader(before)); err != nil || old.Levels != nil {
		t.Errorf("an older file: %v, %v", old.Levels, err)
	}
	rows := []struct{ name, from, to, want string }{
		{"twice", "framework: muster-ports", "framework: muster-core", `framework: "muster-core" stands there twice`},
		{"both", "recovery: [A1.3, ", "recovery: [A1.5, ", `outcome "A1.5" stands there twice`},
		{"evidence", "    evidence: judgement\n    source: as for", "    evidence: sure\n    source: as for", `evidence: "sure" is not known`},
	}
	for _, row := range rows {
		_, err := exchange.ReadParameters("p.yaml", strings.NewReader(strings.Replace(exchange.DefaultParameters(), row.from, row.to, 1)))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v; want %s", row.name, err, row.want)
		}
	}
	answers := map[string]assess.Answer{"A1.5": {Level: framework.Level4}, "A2.4": {Level: framework.Level2}, "A1.3": {Level: framework.Withheld}, "A1.1": {Level: framework.Level0}}
	levels, stand, err := p.MemberLevels("muster-core", answers)
	if err != nil || stand != (cascade.Level{Resistance: 0.75, Recovery: -1}) || len(levels) != 3 || levels["A1.3"] != cascade.NoCrowdLevel {
		t.Errorf("%v, %+v, %v", levels, stand, err)
	}
	if _, _, err := p.MemberLevels("muster-ai", nil); err == nil || !strings.Contains(err.Error(), "muster-ai") {
		t.Errorf("a framework that nothing is said of: %v", err)
	}
}

// TestCrowdOfRelease: a release gives the bands of the outcomes that count.
func TestCrowdOfRelease(t *testing.T) {
	t.Parallel()
	p, err := exchange.ReadParameters("p.yaml", strings.NewReader(exchange.DefaultParameters()))
	if err != nil {
		t.Fatal(err)
	}
	file, err := packs.FS().Open("muster-core/pack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pack, err := framework.Read("muster-core", file)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	var cells []uint64
	for _, b := range layout.Blocks {
		counts := make([]uint64, len(b.Buckets))
		counts[1], counts[2] = 20, 12 // levels 1 and 2
		cells = append(cells, counts...)
	}
	c, err := p.Crowd(releasetest.New(t, releasetest.Config{Pack: pack, Cells: cells, Submissions: 32}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Owners != 32 || len(c.Outcomes) != 17 || c.Outcomes[0].ID != "A1.5" || c.Outcomes[0].Recovery || !c.Outcomes[16].Recovery {
		t.Fatalf("%+v", c)
	}
	for _, o := range c.Outcomes {
		sum, low, cut := 0, cascade.NoCrowdLevel, false
		for _, b := range o.Bands {
			if b.Low != low {
				t.Fatalf("%s: %+v", o.ID, o.Bands)
			}
			low, sum = b.High+1, sum+b.Owners
			cut = cut || b.High == 1 && sum == 20
		}
		if sum != 32 || low != 5 || !cut {
			t.Errorf("%s: %+v", o.ID, o.Bands)
		}
	}
}
