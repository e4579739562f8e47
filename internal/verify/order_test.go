package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/ledger"
	"muster/internal/verify"
)

// called names a statement of a world for follows: its kind, and what sets it apart
// where that counts.
func called(s ledger.Statement) string {
	switch s.Kind {
	case ledger.KindPhase:
		return "to " + s.Fields["to"]
	case ledger.KindSilence:
		return "silence " + s.Fields["number"]
	}
	return string(s.Kind)
}

// follows is what comes before what in the cycle of a world, written down by hand: the
// table of the program is held to it.
func follows() map[string][]string {
	before := map[string]string{
		"charter":         "framework",
		"silence 1":       "silence 0",
		"silence 2":       "silence 1",
		"silence 3":       "silence 2",
		"silence 4":       "silence 3",
		"adoption":        "silence 4",
		"to adopted":      "to consultation",
		"to open":         "to adopted, adoption",
		"to closing":      "to open",
		"to closed":       "to closing",
		"to aggregated":   "to closed",
		"to review":       "to aggregated",
		"to released":     "to review, release",
		"receipt":         "charter, to closing",
		"roster":          "charter, to closing, receipt",
		"strike":          "charter, roster",
		"amendment":       "charter, roster, strike",
		"share":           "charter, to closed, roster, strike, amendment",
		"release":         "charter, to aggregated, roster, strike, amendment, share",
		"approval":        "charter, release",
		"edition":         "charter, release, approval",
		"wipe":            "charter, receipt, roster, strike, amendment, share, release, approval",
		"framework":       "",
		"to consultation": "",
		"silence 0":       "",
	}
	table := make(map[string][]string)
	for later, earlier := range before {
		table[later] = strings.Split(earlier, ", ")
	}
	for range before { // what comes before that comes before, too
		for later, earlier := range table {
			for _, e := range earlier {
				table[later] = append(table[later], table[e]...)
			}
			slices.Sort(table[later])
			table[later] = slices.Compact(table[later])
		}
	}
	return table
}

// inOrder reports whether a list breaks nothing that follows says.
func inOrder(list []ledger.Statement, table map[string][]string) bool {
	for i, later := range list {
		for _, earlier := range list[i+1:] {
			if slices.Contains(table[called(later)], called(earlier)) {
				return false
			}
		}
	}
	return true
}

// TestOrder permutes the entries of an honest cycle: what breaks the order fails and
// names entries that stand the wrong way round; everything else holds.
func TestOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 11, 1)
	clear(w.after)                                   // what a witness saw when is looked at elsewhere
	w.without(ledger.KindRelease, ledger.KindRoster) // nor is the attack run each time
	w.receipts = nil
	honest := slices.Clone(w.statements)
	table := follows()
	for _, s := range honest {
		if _, ok := table[called(s)]; !ok {
			t.Fatalf("nothing is said of %s", called(s))
		}
	}
	if !inOrder(honest, table) {
		t.Fatal("the honest order is none")
	}
	kept, broken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		list := slices.Clone(honest)
		if rapid.Bool().Draw(t, "keeps the order") {
			list = extension(t, honest, table)
		} else {
			for range rapid.IntRange(1, 3).Draw(t, "moves") {
				from, to := rapid.IntRange(0, len(list)-1).Draw(t, "from"), rapid.IntRange(0, len(list)-1).Draw(t, "to")
				moved := list[from]
				list = slices.Insert(slices.Delete(list, from, from+1), to, moved)
			}
		}
		w.statements = list
		r := w.verify(w.config())
		found := slices.DeleteFunc(slices.Clone(r.Findings), func(f verify.Finding) bool { return f.Code != "disordered" })
		if inOrder(list, table) {
			kept++
			if r.Failed() {
				t.Fatalf("in order, and fails:\n%s", listing(r))
			}
			return
		}
		broken++
		if len(found) == 0 || !r.Failed() {
			t.Fatalf("out of order, and nothing is found:\n%s", listing(r))
		}
		for _, f := range found {
			var later, earlier int
			text := f.Text.In("en")
			if _, err := fmt.Sscanf(text, "Entry %d", &later); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Sscanf(text[strings.Index(text, "before entry"):], "before entry %d", &earlier); err != nil {
				t.Fatal(err)
			}
			if later >= earlier || inOrder([]ledger.Statement{list[later], list[earlier]}, table) || !strings.HasSuffix(f.Place, fmt.Sprintf("#%d", later)) {
				t.Fatalf("named are %s and %s: %s, %s", called(list[later]), called(list[earlier]), text, f.Place)
			}
		}
	})
	if kept < 10 || broken < 10 {
		t.Fatalf("%d kept the order and %d broke it", kept, broken)
	}
}

// extension returns another order that keeps the table.
func extension(t *rapid.T, list []ledger.Statement, table map[string][]string) []ledger.Statement {
	left := slices.Clone(list)
	var made []ledger.Statement
	for len(left) > 0 {
		var free []int
		for i, s := range left {
			if !slices.ContainsFunc(left, func(o ledger.Statement) bool { return slices.Contains(table[called(s)], called(o)) }) {
				free = append(free, i)
			}
		}
		i := free[rapid.IntRange(0, len(free)-1).Draw(t, "next")]
		made = append(made, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return made
}

// TestReversed is the record of a cycle that was entered backwards, and one in which an
// amendment came after everything was opened.
func TestReversed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 1)
	clear(w.after)
	slices.Reverse(w.statements)
	if r := w.verify(w.config()); !slices.Contains(codes(r, verify.Fails), "disordered") {
		t.Errorf("backwards:\n%s", listing(r))
	}
	w = newWorld(t, 12, 1)
	late := func(s ledger.Statement) bool { return s.Kind == ledger.KindStrike || s.Kind == ledger.KindAmendment }
	var last []ledger.Statement
	for _, s := range w.statements {
		if late(s) {
			last = append(last, s)
		}
	}
	w.statements = append(slices.DeleteFunc(w.statements, late), last...)
	r := w.verify(w.config())
	for _, pair := range []string{"(locked half) stands before entry", "(release) stands before entry", "(attestation of wiping) stands before entry"} {
		if !strings.Contains(listing(r), pair) {
			t.Errorf("%s is not found:\n%s", pair, listing(r))
		}
	}
}
