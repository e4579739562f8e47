package exchange_test

import (
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/exchange"
)

func TestReadPreviousFolder(t *testing.T) {
	t.Parallel()
	a := goodAnswers()
	fsys := folder(map[string]string{
		"Whole.csv": good,
		"Fewer.csv": exchange.Header + "\nA2.1,withheld,withheld,E0,4\n",
		"Other.csv": strings.Replace(good, "A1.2,", "A1.7,", 1) + "B12.3,4,,,\n",
		"notes.txt": "",
	})
	got, err := exchange.ReadPreviousFolder(fsys, "in", packOf(2, 1))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, exchange.Previous{
		Assessments: []*assess.Assessment{
			{Member: "Fewer", Answers: map[string]assess.Answer{"A2.1": a["A2.1"]}},
			{Member: "Other", Answers: map[string]assess.Answer{"A1.1": a["A1.1"], "A2.1": a["A2.1"]}},
			{Member: "Whole", Answers: a},
		},
		Differences: []exchange.Difference{
			{Member: "Fewer", Missing: []string{"A1.1", "A1.2"}},
			{Member: "Other", Missing: []string{"A1.2"}, Gone: []string{"A1.7", "B12.3"}},
		},
		Ignored: []string{"notes.txt"},
	})
}

func TestReadPrevious(t *testing.T) {
	t.Parallel()
	answers, difference, err := exchange.ReadPrevious("in.csv", strings.NewReader(strings.Replace(good, "A1.2,", "A1.7,", 1)), packOf(2, 1))
	if err != nil {
		t.Fatal(err)
	}
	a := goodAnswers()
	equal(t, answers, map[string]assess.Answer{"A1.1": a["A1.1"], "A2.1": a["A2.1"]})
	equal(t, difference, exchange.Difference{Missing: []string{"A1.2"}, Gone: []string{"A1.7"}})
	_, _, err = exchange.ReadPrevious("in.csv", strings.NewReader(exchange.Header+"\nA1.1,5,,,\n"), packOf(2, 1))
	equal(t, faultsOf(t, err), []string{`in.csv:2:6: level: "5" is not a level; allowed: ` + allowedLevel})
}

// TestReadPreviousFolderRefuses has the faults of answers of an earlier cycle:
// all but that outcomes are missing or gone.
func TestReadPreviousFolderRefuses(t *testing.T) {
	t.Parallel()
	row := func(line string) string { return exchange.Header + "\n" + line + "\n" }
	rows := []struct{ name, text, want string }{
		{"an outcome that no framework could have", row("a1.1,2,,,"), `2:1: outcome: "a1.1" is not an outcome of the framework; did you mean "A1.1"?; allowed: ` + allowedOutcome},
		{"an area for an outcome", row("A1,2,,,"), `2:1: outcome: "A1" is not an outcome of the framework; did you mean "A1.1"?; allowed: ` + allowedOutcome},
		{"a wrong level", row("A1.1,5,,,"), `2:6: level: "5" is not a level; allowed: ` + allowedLevel},
		{"a wrong level of an outcome that is gone", row("A1.7,5,,,"), `2:6: level: "5" is not a level; allowed: ` + allowedLevel},
		{"a row twice", row("A1.1,2,,,\nA1.1,2,,,"), `3:1: outcome: outcome "A1.1" has a row already, on line 2; allowed: one row for each outcome`},
		{"a row twice of an outcome that is gone", row("A1.7,2,,,\nA1.7,2,,,"), `3:1: outcome: outcome "A1.7" has a row already, on line 2; allowed: one row for each outcome`},
		{"no row", exchange.Header + "\n", `2:1: there is a header and no row; allowed: one row for each outcome of the framework`},
		{"no file of answers", "", `1:1: the file is empty; allowed: ` + allowedHeader + `, then one row for each outcome`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fsys := folder(map[string]string{"Ostmere.csv": row.text, "Calverra.csv": row.text, "Whole.csv": good, "x.txt": ""})
			got, err := exchange.ReadPreviousFolder(fsys, "in", packOf(2, 1))
			equal(t, faultsOf(t, err), []string{
				filepath.Join("in", "Calverra.csv") + ":" + row.want,
				filepath.Join("in", "Ostmere.csv") + ":" + row.want,
			})
			equal(t, got, exchange.Previous{Ignored: []string{"x.txt"}})
		})
	}
}

// TestThisCyclesAnswersAreComplete keeps what is allowed of previous answers from
// answers that are sealed.
func TestThisCyclesAnswersAreComplete(t *testing.T) {
	t.Parallel()
	fsys := folder(map[string]string{"Other.csv": strings.Replace(good, "A1.2,", "A1.7,", 1)})
	_, _, err := exchange.ReadFolder(fsys, "in", packOf(2, 1))
	equal(t, faultsOf(t, err), []string{
		filepath.Join("in", "Other.csv") + `:3:1: outcome: "A1.7" is not an outcome of the framework; did you mean "A1.2"?; allowed: ` + allowedOutcome,
		filepath.Join("in", "Other.csv") + `:5:1: outcome: outcome "A1.2" is missing; allowed: ` + allowedRows,
	})
}
