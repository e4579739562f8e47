package register_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
	"muster/internal/exchange"
	"muster/internal/exchange/register"
	page "muster/internal/web/cascade"
)

// TestKnown: how owners stand, and what a changed file of parameters has as medians, is in
// the pages' runs, and in their draws once.
func TestKnown(t *testing.T) {
	t.Parallel()
	r, err := exchange.ReadRegister("s.csv", strings.NewReader(exchange.ServicesHeader+"\npower,Aldmoor,Grid,,energy,5,1,10h,0.5,3h,,,clear,high,own,\nfuel,Aldmoor,Depot,,energy,5,1,10h,0.5,3h,,,clear,high,own,\n"),
		"r.csv", strings.NewReader(exchange.RequirementsHeader+"\npower,fuel,1,fuel,0.5,4h,clear,high,own\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.ReadScenario("c.csv", strings.NewReader(exchange.ScenarioHeader+"\nid,power,0.5\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := exchange.ReadParameters("p.yaml", strings.NewReader(exchange.DefaultParameters()))
	if err != nil {
		t.Fatal(err)
	}
	g, err := r.Graph()
	if err != nil {
		t.Fatal(err)
	}
	byDefault := *p
	for _, x := range []cascade.Parameter{cascade.BindingOdds, cascade.BufferLength, cascade.RestartLag, cascade.RepairTime} {
		p.Laws[x] = cascade.Law{Median: 2, Low: 1, High: 4} // of the default file it is 1
	}
	odds := byDefault
	odds.Laws[cascade.BaseOdds] = cascade.Law{Median: 3, Low: 1, High: 9}
	known, err := r.Outlook(g, s, "l.csv", strings.NewReader(exchange.LevelsHeader+"\nAldmoor,1,1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		p     *exchange.CascadeParameters
		known bool
		moved bool // runs are not as register and scenario have it
	}{
		{"nothing", &byDefault, false, false},
		{"medians of odds", &odds, false, true},
		{"medians of all else", p, false, true},
		{"levels", p, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := &known
			if !row.known {
				o = nil
			}
			cfg, err := register.Pages(r, []*exchange.Scenario{s}, []string{"c"}, nil, row.p, o)
			if err != nil {
				t.Fatal(err)
			}
			x := cfg.Scenarios[0]
			if got := x.Outlook.Levels[0].Resistance == 1; got != row.known {
				t.Errorf("the draws have the level %v", x.Outlook.Levels[0])
			}
			if x.Outlook.Scenario.Hits[0] != s.Hits[0] {
				t.Error("a level counts twice in the draws")
			}
			if !row.moved {
				if x.Shock.Graph != nil {
					t.Error("runs are of levels that nobody knows")
				}
				return
			}
			if x.Shock.Graph == nil {
				t.Fatal("runs are not at the medians around which the draws are")
			}
			if row.known && x.Shock.Scenario.Hits[0] >= s.Hits[0] {
				t.Errorf("who stands well is hit by %v", x.Shock.Scenario.Hits[0].Float())
			}
			if got, want := x.Shock.Scenario.Hits[0].Float(), 0.75; row.p == &odds && got != want { // 3 : 1
				t.Errorf("at three times the odds of 0.5 the hit is %v; want %v", got, want)
			}
			likely, err := x.Outlook.Likeliest(row.p.Laws)
			if err != nil {
				t.Fatal(err)
			}
			if row.p == p && (cmp.Equal(likely.Graph.Requirements(), r.Requirements) || cmp.Equal(likely.Graph.Services(), r.Services)) {
				t.Error("the medians change nothing in the graph")
			}
			if diff := cmp.Diff(likely.Scenario, x.Shock.Scenario); diff != "" {
				t.Error("hits are not those at the medians:", diff)
			}
			if diff := cmp.Diff(likely.Graph.Requirements(), x.Shock.Graph.Requirements()); diff != "" {
				t.Error("requirements are not those at the medians:", diff)
			}
			if diff := cmp.Diff(likely.Graph.Services(), x.Shock.Graph.Services()); diff != "" {
				t.Error("services are not those at the medians:", diff)
			}
		})
	}
}

// TestSaid: the pages are told what suppliers say, where anybody asked them.
func TestSaid(t *testing.T) {
	t.Parallel()
	const service = ",Grid,,energy,5,1,10h,0.5,0h,,,clear,high,own,"
	p, err := exchange.ReadParameters("p.yaml", strings.NewReader(exchange.DefaultParameters()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := exchange.ReadRegister("s.csv", strings.NewReader(exchange.ServicesHeader+"\na,Aldmoor"+service+"\nb,Brevik"+service+"\nc,Brevik"+service+"\n"),
		"r.csv", strings.NewReader(exchange.RequirementsHeader+",status\na,g,1,b,always,0h,clear,high,own,disputed\na,g,1,c,always,0h,clear,high,own,confirmed\nb,g,1,c,always,0h,clear,high,own,\n"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := register.Pages(r, nil, nil, nil, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &page.Said{
		Confirmed: 1, Disputed: 1, Own: 1, Rows: [][]string{{"disputed", "confirmed"}, {"own"}},
		Disputes: []page.Dispute{{Requirement: 0, Supplier: 1}},
	}
	if diff := cmp.Diff(want, cfg.Register.Said); diff != "" {
		t.Errorf("the pages are told (-want +got):\n%s", diff)
	}
	if cfg, err = register.Pages(r.WithoutDisputed(), nil, nil, nil, p, nil); err != nil {
		t.Fatal(err)
	}
	want = &page.Said{Confirmed: 1, LeftOut: 1, Own: 1, Rows: [][]string{{"confirmed"}, {"own"}}}
	if diff := cmp.Diff(want, cfg.Register.Said); diff != "" {
		t.Errorf("without what is in dispute the pages are told (-want +got):\n%s", diff)
	}

	// One that says what it is instead stands there as it says.
	r, err = exchange.ReadRegister("s.csv", strings.NewReader(exchange.ServicesHeader+"\na,Aldmoor"+service+"\nb,Brevik"+service+"\n"),
		"r.csv", strings.NewReader(exchange.RequirementsHeader+",status,their_binding,their_buffer,said\na,g,1,b,always,0h,clear,high,own,disputed,,2h,we have a battery\n"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg, err = register.Pages(r.WithoutDisputed(), nil, nil, nil, p, nil); err != nil {
		t.Fatal(err)
	}
	want = &page.Said{Changed: 1, Rows: [][]string{{"theirs"}}}
	if diff := cmp.Diff(want, cfg.Register.Said); diff != "" {
		t.Errorf("as suppliers say the pages are told (-want +got):\n%s", diff)
	}
}
