package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// What the cells of a file of answers may hold. Nothing in this file comes from
// muster's own packages: it is the other side of the comparison.
var (
	levelCells  = []string{"0", "1", "2", "3", "4", "na", "withheld"}
	gradeCells  = []string{"E0", "E1", "E2", "E3", ""}
	targetCells = []string{"0", "1", "2", "3", "4", ""}
)

// counts are members by subject, block and bucket.
type counts map[string]map[string]map[string]int

// totals is the shape of aggregate.json.
type totals struct {
	Count    int    `json:"count"`
	Outcomes counts `json:"outcomes"`
	Areas    counts `json:"areas"`
}

// row is one line of a file of answers: level, verified, evidence, target.
type row [4]string

// cmdPlainSum adds up a folder of answers and compares the result, every bucket
// of it, with an aggregate.json.
func cmdPlainSum(ts *testscript.TestScript, neg bool, args []string) {
	previous := ""
	if len(args) == 4 && args[0] == "-previous" {
		previous, args = ts.MkAbs(args[1]), args[2:]
	}
	usage(ts, neg, len(args) == 2, "plainsum [-previous DIR] AGGREGATE DIR")
	var got struct {
		totals
		Marking string `json:"marking"`
		Task    string `json:"task_id"`
		Roster  string `json:"roster"`
	}
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	decoder.DisallowUnknownFields()
	ts.Check(decoder.Decode(&got))
	want, err := plainSum(ts.MkAbs(args[1]), previous)
	ts.Check(err)
	if diff := cmp.Diff(want, got.totals); diff != "" {
		ts.Fatalf("%s is not the plain sum of %s (-want +got):\n%s", args[0], args[1], diff)
	}
}

// cmdSameTotals compares all of two aggregate.json but what says of which cycle
// they are.
func cmdSameTotals(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "sametotals AGGREGATE AGGREGATE")
	var documents [2]map[string]any
	for i, name := range args {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &documents[i]))
		if len(documents[i]) < 6 {
			ts.Fatalf("%s is no aggregate", name)
		}
		for _, name := range []string{"marking", "task_id", "roster"} {
			delete(documents[i], name)
		}
	}
	if diff := cmp.Diff(documents[0], documents[1]); diff != "" {
		ts.Fatalf("%s and %s differ (-%s +%s):\n%s", args[0], args[1], args[0], args[1], diff)
	}
}

func plainSum(dir, previous string) (totals, error) {
	sum := totals{Outcomes: counts{}, Areas: counts{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(files) == 0 {
		return sum, fmt.Errorf("%s has no files of answers (%v)", dir, err)
	}
	for _, file := range files {
		now, err := readRows(file)
		if err != nil {
			return sum, err
		}
		before := map[string]row{}
		if previous != "" {
			if before, err = readRows(filepath.Join(previous, filepath.Base(file))); err != nil && !os.IsNotExist(err) {
				return sum, err
			}
		}
		sum.add(now, before)
	}
	return sum, nil
}

func readRows(file string) (map[string]row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	rows := make(map[string]row)
	for _, r := range records[1:] {
		rows[r[0]] = row(r[1:])
	}
	return rows, nil
}

// add counts one member.
func (t *totals) add(now, before map[string]row) {
	t.Count++
	lowest, moves := map[string]string{}, map[string]string{}
	for id, r := range now {
		level, target := r[0], r[3]
		t.Outcomes.count(id, "level", level, levelCells)
		t.Outcomes.count(id, "verified", orNone(r[1]), append([]string{"none"}, levelCells...))
		t.Outcomes.count(id, "evidence", orNone(r[2]), []string{"E0", "E1", "E2", "E3", "none"})
		t.Outcomes.count(id, "target", orNone(target), []string{"0", "1", "2", "3", "4", "none"})
		gap := "unknown"
		if isNumber(level) && isNumber(target) {
			gap = "met"
			if level < target {
				gap = "below"
			}
		}
		t.Outcomes.count(id, "gap", gap, []string{"below", "met", "unknown"})

		area := strings.Split(id, ".")[0]
		lowest[area] += ""
		moves[area] += ""
		if isNumber(level) {
			if lowest[area] == "" || level < lowest[area] {
				lowest[area] = level
			}
			if was := before[id][0]; isNumber(was) {
				moves[area] += map[int]string{-1: "-", 0: "=", 1: "+"}[strings.Compare(level, was)]
			}
		}
	}
	for area := range lowest {
		t.Areas.count(area, "lowest", orNone(lowest[area]), []string{"0", "1", "2", "3", "4", "none"})
		change := "same"
		fell, rose := strings.Contains(moves[area], "-"), strings.Contains(moves[area], "+")
		switch {
		case moves[area] == "":
			change = "not_comparable"
		case fell && rose:
			change = "mixed"
		case fell:
			change = "worse"
		case rose:
			change = "better"
		}
		t.Areas.count(area, "change", change, []string{"worse", "mixed", "same", "better", "not_comparable"})
	}
}

// count counts one member into a bucket and makes the others, so that every
// bucket is there.
func (c counts) count(subject, block, bucket string, buckets []string) {
	if c[subject] == nil {
		c[subject] = map[string]map[string]int{}
	}
	if c[subject][block] == nil {
		c[subject][block] = map[string]int{}
		for _, b := range buckets {
			c[subject][block][b] = 0
		}
	}
	c[subject][block][bucket]++
}

func orNone(cell string) string {
	if cell == "" {
		return "none"
	}
	return cell
}

func isNumber(cell string) bool { return slices.Contains(targetCells[:5], cell) }
