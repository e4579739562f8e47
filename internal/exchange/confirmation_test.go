package exchange_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/exchange"
)

// said is a register in which suppliers were asked.
const (
	saidServices     = exchange.ServicesHeader + "\na,A,A,,x,3,1,1d,0,0h,,,clear,high,x,\nb,B,B,,x,3,1,1d,0,0h,,,clear,high,x,\nc,C,C,,x,3,1,1d,0,0h,,,clear,high,x,\n"
	saidRequirements = exchange.RequirementsHeader + ",status\n" +
		"a,one,2,b,always,0h,clear,high,x,confirmed\n" +
		"a,one,2,c,always,0h,clear,high,x,disputed\n" +
		"a,two,1,c,always,0h,clear,high,x,disputed\n" +
		"b,one,1,c,always,0h,clear,high,x,unknown\n" +
		"c,one,1,a,always,0h,clear,high,x,\n"
)

// TestConfirmation: what suppliers say of the rows is counted, in both forms of the
// table, and rows in dispute can be left out.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	want := exchange.Confirmation{
		Asked: true, Confirmed: 1, Unknown: 1, Open: 1,
		Disputed: []exchange.Dispute{{Dependency: exchange.Dependency{Requirement: 0, Supplier: 2}}, {Dependency: exchange.Dependency{Requirement: 1, Supplier: 2}}},
	}
	var yaml strings.Builder
	rows, err := exchange.Requirements.Rows("r.csv", strings.NewReader(saidRequirements))
	if err != nil {
		t.Fatal(err)
	}
	if err := exchange.Requirements.WriteYAML(&yaml, rows); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"r.csv": saidRequirements, "r.yaml": yaml.String()} {
		r, err := exchange.ReadRegister("s.csv", strings.NewReader(saidServices), name, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.Confirmation); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		less := r.WithoutDisputed()
		var left []string
		for _, q := range less.Requirements {
			left = append(left, r.Services[q.Service].ID+" "+q.Name)
		}
		if got := strings.Join(left, ", "); got != "a one, b one, c one" || less.Requirements[0].Need != 1 || len(less.Requirements[0].Suppliers) != 1 {
			t.Errorf("%s: left are %s, %+v", name, got, less.Requirements[0])
		}
		if _, err := less.Graph(); err != nil {
			t.Error(err)
		}
		if len(r.Requirements) != 4 || len(r.Requirements[0].Suppliers) != 2 {
			t.Error("the register itself changed")
		}
	}
	// An earlier table, without the column, is one of which nobody asked.
	before := strings.NewReplacer(",status\n", "\n", ",confirmed\n", "\n", ",disputed\n", "\n", ",unknown\n", "\n", "x,\n", "x\n").Replace(saidRequirements)
	r, err := exchange.ReadRegister("s.csv", strings.NewReader(saidServices), "r.csv", strings.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exchange.Confirmation{Open: 5}, r.Confirmation); diff != "" {
		t.Errorf("without the column (-want +got):\n%s", diff)
	}
	_, err = exchange.ReadRegister("s.csv", strings.NewReader(saidServices), "r.csv", strings.NewReader(strings.Replace(saidRequirements, "confirmed", "yes", 1)))
	if err == nil || !strings.Contains(err.Error(), `r.csv:2:34: status: "yes" is not what a supplier says; allowed: confirmed, disputed, unknown, or nothing where nobody asked`) {
		t.Errorf("got %v", err)
	}
	_, err = exchange.ReadRegister("s.csv,status", strings.NewReader(strings.Replace(saidServices, "as_of", "as_of,status", 1)), "r.csv", strings.NewReader(saidRequirements))
	if err == nil || !strings.Contains(err.Error(), "the file does not begin with the header") {
		t.Errorf("a column that services have not: %v", err)
	}
}
