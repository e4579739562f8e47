package ledger_test

import (
	"os"
	"strings"
	"testing"

	"muster/internal/ledger"
)

// The table of kinds in the specification is the table of the program.
func TestSpec(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/spec/ledger.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range ledger.Rows() {
		var fields []string
		for _, f := range row.Fields {
			mark := ""
			for _, id := range row.ID {
				if id == f.Name {
					mark = "*"
				}
			}
			fields = append(fields, "`"+f.Name+"`"+mark)
		}
		note := "-"
		switch row.Cover {
		case ledger.CoverFile:
			note = "file: " + strings.Join(row.By, ", ")
		case ledger.CoverLine:
			note = "line: " + row.Line
		}
		want := "| `" + string(row.Kind) + "` | " + strings.Join(fields, " ") + " | " + note + " | " + row.EN + " |\n"
		if !strings.Contains(string(text), want) {
			t.Errorf("the specification lacks the row\n%s", want)
		}
		if row.FR == "" || row.FR == row.EN || row.Text("fr") != row.FR || row.Text("en") != row.EN {
			t.Errorf("%s is not translated", row.Kind)
		}
	}
	if n := strings.Count(string(text), "| file: ") + strings.Count(string(text), "| line: ") + strings.Count(string(text), "| - | "); n != len(ledger.Rows()) {
		t.Errorf("the specification has %d kinds, the program %d", n, len(ledger.Rows()))
	}
}

//go:generate env MUSTER_UPDATE_GOLDEN=1 go test -count=1 -run ^TestOrderDocument$ .

// The table of order in the specification is the table of the program.
func TestOrderDocument(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../../docs/spec/ledger.md", "<!-- order -->\n", "<!-- end of order -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	type pair struct {
		later string
		same  ledger.Same
		first bool
	}
	var order []pair
	earlier := make(map[pair][]string)
	for _, rule := range ledger.Order() {
		p := pair{rule.Later.String(), rule.Same, rule.First}
		if earlier[p] == nil {
			order = append(order, p)
		}
		earlier[p] = append(earlier[p], "`"+rule.Earlier.String()+"`")
	}
	for _, p := range order {
		first := ""
		if p.first {
			first = ", first"
		}
		table.WriteString("| `" + p.later + "` | " + strings.Join(earlier[p], ", ") + " | " + string(p.same) + first + " |\n")
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the specification has no place for the order")
	}
	want := before + begin + table.String() + end + after
	if os.Getenv("MUSTER_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("the order in docs/spec/ledger.md is not the program's: go generate ./internal/ledger writes it")
	}
}
