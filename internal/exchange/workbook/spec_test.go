package workbook_test

import (
	"os"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
)

// TestSpecification holds docs/spec/workbook.md to the columns, states and limits
// that there are.
func TestSpecification(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../docs/spec/workbook.md")
	must(t, err)
	spec := string(data)
	answers, _, _ := strings.Cut(string(writeCSV(t, two())), "\r\n")
	form, _, _ := strings.Cut(string(writeCSV(t, workbook.Book{Member: "Ostmere", Needs: []workbook.Need{}})), "\r\n")
	names := []string{workbook.Format, "muster-merge/1"}
	for _, id := range strings.Split(answers+","+form, ",") {
		names = append(names, strings.TrimSuffix(id, ".en"))
	}
	for _, s := range workbook.States() {
		names = append(names, string(s))
	}
	for _, f := range assess.Fields() {
		names = append(names, string(f))
	}
	if len(names) < 39 {
		t.Fatalf("%d names", len(names))
	}
	for _, name := range names {
		if !strings.Contains(spec, "`"+name+"`") {
			t.Errorf("the specification does not name %s", name)
		}
	}
}
