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
