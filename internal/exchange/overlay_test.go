package exchange_test

import (
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/exchange"
)

// TestOverlay: what a member's bodies said is laid over a register in which some of
// their suppliers stand; nothing of the register changes.
func TestOverlay(t *testing.T) {
	t.Parallel()
	const services = exchange.ServicesHeader + "\ngrid,Norr,Norrgrid,,energy,5,1,10h,1,0h,,,clear,high,x,\nharbour,Brevik,The Harbour,,transport,4,1,1d,0,0h,yes,,clear,high,x,\n"
	const requirements = exchange.RequirementsHeader + "\nharbour,Power,1,grid,often,4h,clear,high,x\n"
	register, err := exchange.ReadRegister("s.csv", strings.NewReader(services), "r.csv", strings.NewReader(requirements))
	if err != nil {
		t.Fatal(err)
	}
	shared, err := exchange.ReadRegisterRows("s.csv", strings.NewReader(services), "r.csv", strings.NewReader(requirements))
	if err != nil {
		t.Fatal(err)
	}
	own, left, err := register.Dependencies(exchange.Dependencies{
		Member: "Brevik", AsOf: "2031-05-01",
		Bodies: []assess.Body{{ID: "h1", Name: "the harbour"}, {ID: "grid", Name: "Pilots"}},
		Needs: map[string]assess.Needs{
			"h1":   {Rows: []assess.Need{{What: "Power", Supplier: "norrgrid", Hours: 2, Known: true, Substitute: "Diesel"}}},
			"grid": {Rows: []assess.Need{{What: "Boats", Supplier: "The harbour"}}},
		},
	})
	if err != nil || len(left) > 0 {
		t.Fatal(left, err)
	}
	over, err := exchange.Overlay(shared, own)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range over.Services {
		ids = append(ids, s.ID)
	}
	if got := strings.Join(ids, " "); got != "grid harbour grid-2 diesel" {
		t.Errorf("services: %s", got)
	}
	var groups []string
	for _, q := range over.Requirements {
		names := over.Services[q.Service].ID + ":" + q.Name + ":"
		for _, u := range q.Suppliers {
			names += " " + over.Services[u].ID
		}
		groups = append(groups, names)
	}
	if got := strings.Join(groups, "; "); got != "harbour:Power: grid; harbour:own form: Power: grid diesel; grid-2:Boats: harbour" {
		t.Errorf("requirements: %s", got)
	}
	if len(register.Services) != 2 || len(register.Requirements) != 1 || len(shared.Services) != 2 {
		t.Error("the register itself changed")
	}
	// Nobody said anything: nothing is laid over.
	own, _, err = register.Dependencies(exchange.Dependencies{Member: "Brevik"})
	if err != nil || len(own.Services)+len(own.Requirements) != 0 {
		t.Errorf("%v, %v", own, err)
	}
	// A service that is there already is refused by name.
	if _, err := exchange.Overlay(shared, exchange.RegisterRows{Services: shared.Services[:1]}); err == nil || !strings.Contains(err.Error(), `services with own rows:4:1: id: service "grid" has a row already`) {
		t.Errorf("got %v", err)
	}
}
