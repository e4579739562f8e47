package exchange_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
	"muster/internal/exchange"
)

// askedServices and askedRequirements are a register whose suppliers are asked.
const (
	askedServices = exchange.ServicesHeader + "\n" +
		"quay,Harbour,North quay,,x,3,1,1d,0,0h,,,clear,high,x,\n" +
		"crane,Harbour,=cmd(),,x,3,1,1d,0,0h,,,clear,high,x,\n" +
		"power,Grid SA,Power,,x,3,1,1d,0,0h,,,clear,high,x,\n" +
		"backup,Grid SA,Backup,,x,3,1,1d,0,0h,,,clear,high,x,\n" +
		"fuel,Depot,Fuel,,x,3,1,1d,0,0h,,,clear,high,x,\n" +
		"water,,Water,,x,3,1,1d,0,0h,,,clear,high,x,\n"
	askedRequirements = exchange.RequirementsHeader + ",status\n" +
		"quay,power,1,power,always,4h,green,high,x,\n" +
		"quay,power,1,backup,always,4h,green,high,x,\n" +
		"quay,fuel,1,fuel,0.9,72h,amber,medium,x,unknown\n" +
		"quay,crane,1,crane,always,0h,clear,high,x,\n" +
		"crane,power,1,power,always,0h,red,high,x,\n" +
		"crane,water,1,water,always,0h,clear,high,x,\n" +
		"power,fuel,1,fuel,always,1d,clear,high,x,confirmed\n"
)

func askedTables(t *testing.T) exchange.RegisterRows {
	t.Helper()
	tables, err := exchange.ReadRegisterRows("s.csv", strings.NewReader(askedServices), "r.csv", strings.NewReader(askedRequirements))
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// askedForms returns the forms of an asking by owner.
func askedForms(t *testing.T, list []exchange.Asking) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for i := range list {
		var b bytes.Buffer
		if err := list[i].Write(&b); err != nil {
			t.Fatal(err)
		}
		all[list[i].Owner] = b.String()
	}
	return all
}

// TestAsk: each owner is asked of the rows in which others require its services, and of
// nothing else; a spreadsheet calculates none of it.
func TestAsk(t *testing.T) {
	t.Parallel()
	list, not := exchange.Ask(askedTables(t), false)
	if diff := cmp.Diff(exchange.Unasked{Answered: 1, Own: 1, Nobody: 1, Held: 1}, not); diff != "" {
		t.Errorf("nobody is asked (-want +got):\n%s", diff)
	}
	want := map[string]string{
		"Depot":   "\uFEFF" + exchange.FormHeader + "\r\nquay,North quay,Harbour,fuel,1,1,fuel,Fuel,0.9,72h,,,,,\r\n",
		"Grid SA": "\uFEFF" + exchange.FormHeader + "\r\nquay,North quay,Harbour,power,1,2,power,Power,always,4h,,,,,\r\nquay,North quay,Harbour,power,1,2,backup,Backup,always,4h,,,,,\r\n",
	}
	if diff := cmp.Diff(want, askedForms(t, list)); diff != "" {
		t.Errorf("forms (-want +got):\n%s", diff)
	}
	again, not := exchange.Ask(askedTables(t), true)
	if not.Answered != 0 || again[0].Rows() != 2 {
		t.Errorf("again: %d rows of %s, %+v", again[0].Rows(), again[0].Owner, not)
	}
	taken := map[string]bool{}
	if a, b := list[1].FileName(taken), list[1].FileName(taken); a != "grid-sa" || b != "grid-sa-2" {
		t.Errorf("files are called %s and %s", a, b)
	}
	tables := askedTables(t)
	tables.Requirements[0][1] = "-1;=cmd()"
	list, _ = exchange.Ask(tables, false)
	if form := askedForms(t, list)["Grid SA"]; !strings.Contains(form, ",'-1;'=cmd(),") {
		t.Errorf("a formula stands in %s", form)
	}
	// What was made harmless is found again.
	form := strings.Replace(askedForms(t, list)["Grid SA"], "power,Power,always,4h,", "power,Power,always,4h,confirmed", 1)
	if a, err := exchange.Answers(tables, []exchange.Form{{Name: "f.csv", Text: []byte(form)}}, "2031-05-01"); err != nil || a.Confirmed != 1 {
		t.Errorf("the row is not found again: %v", err)
	}
}

// answered fills in a form as a spreadsheet would save it.
func answered(t *testing.T, form string, comma rune, says ...[5]string) []byte {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(form, "\uFEFF"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range says {
		copy(rows[i+1][10:], s[:])
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = comma
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestAnswers: what suppliers say on their forms stands in the register, and can be
// counted as they say.
func TestAnswers(t *testing.T) {
	t.Parallel()
	tables := askedTables(t)
	list, _ := exchange.Ask(tables, false)
	all := askedForms(t, list)
	for name, comma := range map[string]rune{"commas": ',', "semicolons": ';', "tabs": '\t'} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := exchange.Answers(tables, []exchange.Form{
				{Name: "grid.csv", Text: answered(t, all["Grid SA"], comma, [5]string{"Contesté", "seldom", "90min", "Two feeders,\nand a battery; =cmd()", "Ada Holt"}, [5]string{"disputed", "", "", "we never sold it", ""})},
				{Name: "depot.csv", Text: answered(t, all["Depot"], comma)},
			}, "2031-05-01")
			if err != nil {
				t.Fatal(err)
			}
			if a.Confirmed != 0 || len(a.Disputed) != 2 || a.Silent != 1 {
				t.Errorf("%d confirmed, %v, %d silent", a.Confirmed, a.Disputed, a.Silent)
			}
			var csv, yaml bytes.Buffer
			if err := exchange.Requirements.WriteCSV(&csv, a.Requirements); err != nil {
				t.Fatal(err)
			}
			if err := exchange.Requirements.WriteYAML(&yaml, a.Requirements); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"r.csv": csv.String(), "r.yaml": yaml.String()} {
				r, err := exchange.ReadRegister("s.csv", strings.NewReader(askedServices), file, strings.NewReader(text))
				if err != nil {
					t.Fatalf("%v in\n%s", err, text)
				}
				seldom, buffer := cascade.Probability(13107), cascade.Minutes(90)
				want := exchange.Confirmation{Asked: true, Confirmed: 1, Unknown: 1, Open: 2, Own: 1, Disputed: []exchange.Dispute{
					{Dependency: exchange.Dependency{Requirement: 0, Supplier: 2}, Binding: &seldom, Buffer: &buffer, Said: "Two feeders, and a battery;' =cmd() (Ada Holt, 2031-05-01)"},
					{Dependency: exchange.Dependency{Requirement: 0, Supplier: 3}, Said: "we never sold it (2031-05-01)"},
				}}
				if diff := cmp.Diff(want, r.Confirmation); diff != "" {
					t.Fatalf("%s (-want +got):\n%s", file, diff)
				}
				if got := []exchange.Status{r.Status(0, 0), r.Status(0, 1), r.Status(1, 0), r.Status(2, 0), r.Status(5, 0)}; !cmp.Equal(got, []exchange.Status{exchange.Disputed, exchange.Disputed, exchange.NoAnswer, exchange.NotAsked, exchange.Confirmed}) {
					t.Errorf("%s: %v", file, got)
				}
				less := r.WithoutDisputed()
				q := less.Requirements[0]
				if q.Binding != seldom || q.Buffer != buffer || len(q.Suppliers) != 1 || less.Status(0, 0) != exchange.Disputed {
					t.Errorf("as suppliers say: %+v", q)
				}
				if c := less.Confirmation; c.LeftOut != 1 || c.Changed != 1 || len(c.Disputed) != 0 {
					t.Errorf("as suppliers say: %+v", c)
				}
				var graph strings.Builder
				if err := r.WriteGraphML(&graph); err != nil {
					t.Fatal(err)
				}
				for status, n := range map[string]int{"disputed": 2, "confirmed": 1, "unknown": 1} {
					if got := strings.Count(graph.String(), `<data key="status">`+status+"</data>"); got != n {
						t.Errorf("%d edges are %s", got, status)
					}
				}
			}
			// Asked again, only who said nothing is.
			list, not := exchange.Ask(exchange.RegisterRows{Services: tables.Services, Requirements: a.Requirements}, false)
			if len(list) != 1 || list[0].Owner != "Depot" || not.Answered != 3 {
				t.Errorf("asked again: %d, %+v", len(list), not)
			}
		})
	}
}

// TestFaultsOfAnswers: every fault of a form has its place, and nothing is taken in.
func TestFaultsOfAnswers(t *testing.T) {
	t.Parallel()
	tables := askedTables(t)
	list, _ := exchange.Ask(tables, false)
	all := askedForms(t, list)
	grid := func(says ...[5]string) string { return string(answered(t, all["Grid SA"], ',', says...)) }
	rows := []struct{ name, form, want string }{
		{"word", grid([5]string{"maybe"}), `f.csv:2:11: says: "maybe" is not what a supplier says; allowed: confirmed, disputed, or nothing`},
		{"value without a dispute", grid([5]string{"confirmed", "", "2h"}), `f.csv:2:13: their_buffer: a value of its own, and no dispute`},
		{"no unit", grid([5]string{"disputed", "", "2"}), `f.csv:2:13: their_buffer: "2" has no unit; allowed: a number and min, h or d`},
		{"no word", grid([5]string{"disputed", "perhaps"}), `f.csv:2:12: their_binding: "perhaps" does not say how binding it is`},
		{"another buffer", strings.Replace(grid(), "4h", "5h", 1), `f.csv:2:10: buffer: "5h" was asked about, and the requirements say "4h"`},
		{"another row", strings.Replace(grid(), "power,1,2,power", "steam,1,2,power", 1), `f.csv:2:1: service: nobody asks whether "quay" requires "power" for "steam"`},
		{"another owner", grid() + "quay,North quay,Harbour,fuel,1,1,fuel,Fuel,0.9,72h,,,,,\n", `f.csv:4:7: supplier: this service is another owner's than those above`},
		{"twice", grid() + "quay,North quay,Harbour,power,1,2,power,Power,always,4h,,,,,\n", `f.csv:4:1: service: the row was answered already, in f.csv:2`},
		{"quotes", grid() + "quay,\"North\n", `f.csv:4:1: the quotes of this row do not match, as far as line 4`},
		{"cells", grid() + "quay,North\n", `f.csv:4:1: 2 cells; allowed: 15`},
		{"another file", "a,b\n", `f.csv:1:1: header: the file does not begin with the header of a form`},
		{"no row", exchange.FormHeader + "\n", `f.csv:1:1: there is no row`},
		{"encoding", strings.Replace(grid([5]string{"disputed", "", "", "caf?"}), "caf?", "caf\xe9", 1), `f.csv:1:1: the file is not UTF-8; allowed: what a spreadsheet saves as CSV UTF-8`},
		{"workbook", "PK\x03\x04\x00\x00", `f.csv`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a, err := exchange.Answers(tables, []exchange.Form{{Name: "f.csv", Text: []byte(row.form)}, {Name: "depot.csv", Text: answered(t, all["Depot"], ',', [5]string{"confirmed"})}}, "2031-05-01")
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, %v", a, err)
			}
		})
	}
	// In the table as well.
	for text, want := range map[string]string{
		"confirmed,often,,":                       `r.csv:2:53: their_binding: a value of the supplier's own where it disputes nothing`,
		"disputed,unknown,,":                      `r.csv:2:52: their_binding: a supplier's own value is unknown`,
		"disputed,,2,":                            `r.csv:2:53: their_buffer: "2" has no unit; allowed: a number and min, h or d, such as 48h`,
		"disputed,,," + strings.Repeat("a", 1001): `said: the text has 1001 bytes; allowed: 1000 at most`,
	} {
		_, err := exchange.ReadRegister("s.csv", strings.NewReader(askedServices), "r.csv", strings.NewReader(exchange.RequirementsHeader+",status,their_binding,their_buffer,said\nquay,power,1,power,always,4h,green,high,x,"+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "or unknown") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
