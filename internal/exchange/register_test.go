package exchange_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/exchange"
)

const registerServices = exchange.ServicesHeader + `
power,Aldmoor,Grid,,energy,5,0.5,90min,0.5,2h,,vendor:a region:north,clear,high,SYNTHETIC,
water,Brevik,Works,,water,2,unknown,unknown,unknown,unknown,yes,vendor:b,amber,unknown,SYNTHETIC,
pumps,Brevik,Pumps,,water,1,1,2d,0,0h,,vendor:a,green,low,SYNTHETIC,
`

const registerRequirements = exchange.RequirementsHeader + `
water,supply,2,power,mostly,1d,clear,high,SYNTHETIC
water,supply,2,pumps,mostly,1d,clear,high,SYNTHETIC
pumps,power,1,power,unknown,unknown,clear,high,SYNTHETIC
pumps,telecom,1,unknown,unknown,unknown,clear,high,SYNTHETIC
`

func readRegister(t testing.TB, services, requirements string) (*exchange.Register, error) {
	t.Helper()
	return exchange.ReadRegister("s.csv", strings.NewReader(services), "r.csv", strings.NewReader(requirements))
}

func TestReadRegister(t *testing.T) {
	t.Parallel()
	r, err := readRegister(t, registerServices, registerRequirements)
	if err != nil {
		t.Fatal(err)
	}
	wantServices := []cascade.Service{
		{ID: "power", Weight: 5, Severity: cascade.Always / 2, Repair: cascade.Repair{Median: 90, Spread: 1 << 15}, Restart: 120},
		{ID: "water", Weight: 2, Severity: cascade.Always, Repair: cascade.Repair{Median: 7 * 1440, Spread: 1 << 16}, Mission: true},
		{ID: "pumps", Weight: 1, Severity: cascade.Always, Repair: cascade.Repair{Median: 2 * 1440}},
	}
	if diff := cmp.Diff(wantServices, r.Services); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	mostly, err := cascade.Chance(0.8)
	if err != nil {
		t.Fatal(err)
	}
	wantRequirements := []cascade.Requirement{
		{Service: 1, Name: "supply", Need: 2, Suppliers: []int32{0, 2}, Binding: mostly, Buffer: 1440},
		{Service: 2, Name: "power", Need: 1, Suppliers: []int32{0}, Binding: cascade.Always},
	}
	if diff := cmp.Diff(wantRequirements, r.Requirements); diff != "" {
		t.Errorf("requirements (-want +got):\n%s", diff)
	}
	wantUnknown := map[string]int{"severity": 1, "repair": 1, "spread": 1, "restart": 1, "binding": 1, "buffer": 1, "supplier": 1}
	if diff := cmp.Diff(wantUnknown, r.Unknown); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
	if _, err := r.Graph(); err != nil {
		t.Error(err)
	}
}

func TestReadScenario(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, text, want string }{
		{"tag", "tag,vendor:a,0.5", "0.5 0 0.5"},
		{"the highest counts", "all,,0.25\nid,water,0.125\nsector,energy,1", "1 0.25 0.25"},
		{"owner", "owner,Brevik,0.5", "0 0.5 0.5"},
		{"unknown", "id,water,unknown", `s.csv:2:10: hit: a scenario says how likely it is`},
		{"word", "colour,red,0.5", `s.csv:2:1: select: "colour" selects nothing`},
		{"beyond one", "id,water,1.5", `s.csv:2:10: hit: "1.5" is no share`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, err := fresh(t).ReadScenario("s.csv", strings.NewReader(exchange.ScenarioHeader+"\n"+row.text+"\n"))
			var got []string
			if s == nil {
				s = new(exchange.Scenario)
			}
			for _, h := range s.Hits {
				got = append(got, strconv.FormatFloat(h.Float(), 'g', -1, 64))
			}
			text := strings.Join(got, " ")
			if err != nil {
				text = err.Error()
			}
			if !strings.HasPrefix(text, row.want) {
				t.Errorf("got %s; want %s", text, row.want)
			}
		})
	}
}

func fresh(t *testing.T) *exchange.Register {
	t.Helper()
	r, err := readRegister(t, registerServices, registerRequirements)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEveryFaultOfARow: no fault of a row hides another, and none is named that only
// follows from another.
func TestEveryFaultOfARow(t *testing.T) {
	t.Parallel()
	const service = ",Owner,Name,,energy,3,1,48h,0.5,0h,,,clear,high,somebody,"
	services := exchange.ServicesHeader + "\n" + "a" + service + "\nb" + service + "\nc" + service + "\n"
	rows := []struct {
		name, services, requirements string
		want                         []string
	}{
		{"all cells", services, "z,,0,y,sure,2,pink,sort of,x", []string{
			"r.csv:2:1: service: ", "r.csv:2:3: group: ", "r.csv:2:4: need: ", "r.csv:2:6: supplier: ", "r.csv:2:8: binding: ", "r.csv:2:13: buffer: ", "r.csv:2:15: tlp: ", "r.csv:2:20: confidence: ",
		}},
		{"a supplier that is not there is no shortage", services, "a,g,2,b,always,0h,clear,high,\na,g,2,y,always,0h,clear,high,", []string{"r.csv:3:7: supplier: "}},
		{"nor is a service", services, "a,g,2,b,always,0h,clear,high,\nz,g,2,c,always,0h,clear,high,", []string{"r.csv:3:1: service: "}},
		{"nor a group without a name", services, "a,g,2,b,always,0h,clear,high,\na,,2,c,always,0h,clear,high,", []string{"r.csv:3:3: group: "}},
		{"nor a row that stands there twice", services, "a,g,2,b,always,0h,clear,high,\na,g,2,b,always,0h,clear,high,", []string{"r.csv:3:7: supplier: "}},
		{"nor a row that cannot be read", services, "a,g,2,b,always,0h,clear,high,\na,g,2,c", []string{"r.csv:3:1: "}},
		{"nor what is unknown", services, "a,g,2,b,always,0h,clear,high,\na,g,2,unknown,always,0h,clear,high,", nil},
		{"a shortage is one", services, "a,g,3,b,always,0h,clear,high,\na,g,3,c,always,0h,clear,high,", []string{"r.csv:2:5: need: 3 of 2 suppliers"}},
		{"beside another group's fault", services, "a,g,3,b,always,0h,clear,high,\nc,h,1,y,always,0h,clear,high,", []string{"r.csv:2:5: need: 3 of 1 suppliers", "r.csv:3:7: supplier: "}},
		{"who differs from what could not be read does not differ", services, "a,g,x,b,often,1h,clear,high,\na,g,2,c,often,1h,clear,high,", []string{"r.csv:2:5: need: "}},
		{"what stands beside an unknown supplier", services, "a,g,x,unknown,sure,2,clear,high,", []string{"r.csv:2:5: need: ", "r.csv:2:15: binding: ", "r.csv:2:20: buffer: "}},
		{"an id with spaces", services + " d" + service + "\n", "a,g,1, d,always,0h,clear,high,", []string{"s.csv:5:1: id: "}},
		{"a service's row that cannot be read", services + "d,Owner\n", "a,g,1,d,always,0h,clear,high,", []string{"s.csv:5:1: "}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			lines := strings.Split(row.requirements, "\n")
			for i, l := range lines {
				for strings.Count(l, ",") < 8 && strings.Count(l, ",") > 4 {
					l += ","
				}
				lines[i] = l
			}
			r, err := readRegister(t, row.services, exchange.RequirementsHeader+"\n"+strings.Join(lines, "\n")+"\n")
			var faults errs.Faults
			if err != nil && !errors.As(err, &faults) {
				t.Fatal(err)
			}
			if len(faults) != len(row.want) {
				t.Errorf("%d faults, want %d: %v", len(faults), len(row.want), faults)
			}
			said := ""
			for _, f := range faults {
				said += fmt.Sprintf("%s:%d:%d: %s: %s\n", f.File, f.Line, f.Column, f.Field, f.Message)
			}
			for _, want := range row.want {
				if !strings.Contains(said, want) {
					t.Errorf("nothing says %s:\n%s", want, said)
				}
			}
			if err == nil {
				if _, err := r.Graph(); err != nil || r.Requirements[0].Need != 1 || r.Unknown["supplier"] != 1 {
					t.Errorf("needs %d, %v", r.Requirements[0].Need, err)
				}
			}
		})
	}
}

// FuzzReadRegister: whatever is accepted is a graph, and nothing panics.
func FuzzReadRegister(f *testing.F) {
	f.Add(registerServices, registerRequirements)
	f.Add(registerServices, exchange.RequirementsHeader+"\nwater,a,1,power,NaN,-1h,clear,high,\n")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, services, requirements string) {
		r, err := readRegister(t, services, requirements)
		if err != nil {
			return
		}
		if _, err := r.Graph(); err != nil {
			t.Errorf("the tables were accepted, and are no graph: %v", err)
		}
	})
}
