package exchange_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/exchange"
)

func dependencies(t interface{ Fatal(...any) }, d exchange.Dependencies) (services, requirements string, left []string) {
	var s, r strings.Builder
	left, err := exchange.WriteDependencies(&s, &r, d)
	if err != nil {
		t.Fatal(err)
	}
	return s.String(), r.String(), left
}

// A body is a service, and so is what it names; a supplier that is called like a body
// is that body, and what was not said is unknown and not nothing.
func TestWriteDependencies(t *testing.T) {
	t.Parallel()
	d := exchange.Dependencies{
		Member: "Ostmere", AsOf: "2031-05-01",
		Bodies: []assess.Body{{ID: "grid", Name: "Ostmere Grid", Kind: "operator"}, {ID: "port", Name: "Port of Ys"}, {ID: "silent", Name: "Silent"}, {ID: "alone", Name: "Alone"}},
		Needs: map[string]assess.Needs{
			"port": {Rows: []assess.Need{
				{What: "Power", Supplier: "OSTMERE GRID.", Hours: 4, Known: true, Substitute: "Diesel"},
				{What: "Power", Supplier: "Port of Ys"},
				{What: "=Pilots, of \"Ys\"", Substitute: strings.Repeat("by hand ", 40)},
			}},
			"grid":  {Rows: []assess.Need{{What: "Clocks", Hours: 0, Known: true, Supplier: "diesel"}}},
			"alone": {None: true},
		},
	}
	services, requirements, left := dependencies(t, d)
	for _, want := range []string{
		"grid,Ostmere,Ostmere Grid,,operator,3,unknown,unknown,unknown,unknown,,,amber+strict,unknown,form of Ostmere Grid,2031-05-01\n",
		"\ndiesel,,diesel,,,3,unknown",
		"\nport-of-ys-own,,Port of Ys (own),",
	} {
		if !strings.Contains(services, want) {
			t.Errorf("services do not have %q:\n%s", want, services)
		}
	}
	for _, want := range []string{
		"port,Power,1,grid,unknown,4h,amber+strict,unknown,form of Port of Ys\n", "port,Power,1,diesel,unknown,4h,", "port,Power 2,1,port-of-ys-own,unknown,unknown,",
		`port,"'=Pilots, of ""Ys""",1,unknown,unknown,unknown,`, "grid,Clocks,1,diesel,unknown,0h,", "silent,not said,1,unknown,unknown,unknown,",
	} {
		if !strings.Contains(requirements, want) {
			t.Errorf("requirements do not have %q:\n%s", want, requirements)
		}
	}
	if strings.Contains(requirements, "\nalone,") {
		t.Errorf("who depends on nothing requires something:\n%s", requirements)
	}
	if len(left) != 1 || !strings.Contains(left[0], "port, =Pilots") {
		t.Errorf("left out: %q", left)
	}
	d.Marking = "SYNTHETIC"
	markedServices, markedRequirements, _ := dependencies(t, d)
	for _, table := range []string{markedServices, markedRequirements} {
		for i, row := range strings.Split(strings.TrimSuffix(table, "\n"), "\n") {
			if i > 0 && strings.Contains(row, "unknown") && !strings.Contains(row, ",SYNTHETIC: form of ") {
				t.Errorf("a row of an invented member is not marked: %s", row)
			}
		}
	}
	register, err := exchange.ReadRegister("services.csv", strings.NewReader(services), "requirements.csv", strings.NewReader(requirements))
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, services, requirements)
	}
	if len(register.Services) != 6 || len(register.Requirements) != 3 || register.Unknown["supplier"] != 2 {
		t.Errorf("%d services, %d requirements, unknown %v", len(register.Services), len(register.Requirements), register.Unknown)
	}
}

// Whatever was typed, the tables are read again without a fault.
func TestDependenciesAreARegister(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.OneOf(rapid.SampledFrom([]string{"grid", "GRID", "Grid.", "unknown", "a,b", `"`, "=1+1", "é à", "日本", "???", "x\ny", " ", "-", "port (own)"}), rapid.StringMatching(`[A-Za-z ,"'=+@-]{1,12}`))
		need := rapid.Custom(func(rt *rapid.T) assess.Need {
			n := assess.Need{What: name.Draw(rt, "what"), Supplier: name.Draw(rt, "supplier"), Substitute: name.Draw(rt, "substitute")}
			if n.Known = rapid.Bool().Draw(rt, "known"); n.Known {
				n.Hours = rapid.IntRange(0, assess.MaxHours).Draw(rt, "hours")
			}
			return n
		})
		d := exchange.Dependencies{Member: name.Draw(rt, "member"), AsOf: "2031-05-01", Needs: make(map[string]assess.Needs)}
		for i := range rapid.IntRange(0, 4).Draw(rt, "bodies") {
			id := fmt.Sprintf("body%d", i)
			d.Bodies = append(d.Bodies, assess.Body{ID: id, Name: name.Draw(rt, "name")})
			d.Needs[id] = assess.Needs{Rows: rapid.SliceOfN(need, 0, 6).Draw(rt, "rows")}
		}
		if len(d.Bodies) == 0 || rapid.Bool().Draw(rt, "whole") {
			d.Needs[""] = assess.Needs{Rows: rapid.SliceOfN(need, 1, 6).Draw(rt, "rows")}
		}
		services, requirements, _ := dependencies(rt, d)
		register, err := exchange.ReadRegister("services.csv", strings.NewReader(services), "requirements.csv", strings.NewReader(requirements))
		if err != nil {
			rt.Fatalf("%v\n%s\n%s", err, services, requirements)
		}
		if _, err := register.Graph(); err != nil {
			rt.Fatalf("%v\n%s\n%s", err, services, requirements)
		}
	})
}
