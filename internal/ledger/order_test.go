package ledger_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// honestCycle is the record of a cycle with all that is numbered, in order: two silence
// procedures over the charter, of which the first ended opened again, two postponements
// and two amendments.
func honestCycle(t testing.TB) []ledger.Statement {
	t.Helper()
	whole := openWhole(t, ledgertest.New(t, ledgertest.Config{Struck: 2}).Bundle(t)).Statements
	var charter ledger.Statement
	for _, s := range whole {
		if s.Kind == ledger.KindCharter {
			charter = s
		}
	}
	of := func(kind ledger.Kind, fields ...string) ledger.Statement {
		s := ledger.Statement{Version: 1, Kind: kind, Cycle: charter.Cycle, Charter: charter.Charter, Fields: make(map[string]string)}
		for i := 0; i < len(fields); i += 2 {
			s.Fields[fields[i]] = fields[i+1]
		}
		return s
	}
	var list []ledger.Statement
	for i, acts := range [][]string{{"propose", "put", "reopen", "put", "reopen", "withdraw"}, {"propose", "put", "reopen", "put", "adopt"}} {
		for n, act := range acts {
			text := ""
			if n == 0 {
				text = charter.Charter
			}
			list = append(list, of(ledger.KindSilence, "procedure", "p"+strconv.Itoa(2-i), "number", strconv.Itoa(n), "act", act, "text", text))
		}
	}
	for _, s := range whole {
		list = append(list, s)
		switch s.Kind {
		case ledger.KindAdoption:
			list = list[:len(list)-1]
			for i, outcomes := range [][]string{{"reopened", "reopened"}, {"reopened", "adopted"}} {
				for n, outcome := range outcomes {
					list = append(list, of(ledger.KindAdoption, "subject", "charter", "digest", charter.Charter, "procedure", "p"+strconv.Itoa(2-i), "number", strconv.Itoa(n+1), "outcome", outcome))
				}
			}
		case ledger.KindPhase:
			if s.Fields["to"] == "open" {
				list = append(list, of(ledger.KindAddendum, "number", "1"), of(ledger.KindAddendum, "number", "2"))
			}
		case ledger.KindAmendment:
			task := s.Fields["task_id"]
			list = append(list, of(ledger.KindStrike, "task_id", task, "amendment", "2", "member", "m"), of(ledger.KindAmendment, "task_id", task, "number", "2"))
		}
	}
	return list
}

// TestSorted: what is entered together is entered in order, however it was given.
func TestSorted(t *testing.T) {
	t.Parallel()
	honest := honestCycle(t)
	cycle := honest[0].Cycle
	if found := ledger.Disorders(honest, cycle); len(found) > 0 {
		t.Fatalf("the honest order is none: %v", found)
	}
	mixed := 0
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.Permutation(honest).Draw(t, "given")
		sorted := ledger.Sorted(given)
		for _, d := range ledger.Disorders(sorted, cycle) {
			t.Fatalf("%v stands before %v", sorted[d.Later], sorted[d.Earlier])
		}
		if len(ledger.Disorders(given, cycle)) > 0 {
			mixed++
		}
	})
	if mixed < 10 {
		t.Fatalf("%d orders were wrong before", mixed)
	}
}

// TestRanks: the order in which statements are entered that are given together is the
// table's, rule by rule.
func TestRanks(t *testing.T) {
	t.Parallel()
	for _, rule := range ledger.Order() {
		later := ledger.Statement{Kind: rule.Later.Kind, Fields: rule.Later.Fields}
		earlier := ledger.Statement{Kind: rule.Earlier.Kind, Fields: rule.Earlier.Fields}
		if sorted := ledger.Sorted([]ledger.Statement{later, earlier}); !rule.Earlier.Has(sorted[0]) {
			t.Errorf("%s is entered before %s", rule.Later, rule.Earlier)
		}
	}
}

// TestFits refuses what comes too late or too early, and says which.
func TestFits(t *testing.T) {
	t.Parallel()
	marked := func(list []ledger.Statement, marking string) []ledger.Statement {
		list = slices.Clone(list)
		for i, s := range list {
			if s.Kind == ledger.KindCharter {
				list[i].Fields = maps.Clone(s.Fields)
				list[i].Fields["marking"] = marking
			}
		}
		return list
	}
	honest := marked(openWhole(t, ledgertest.New(t, ledgertest.Config{Struck: 1}).Bundle(t)).Statements, "")
	split := func(kinds ...ledger.Kind) (others, these []ledger.Statement) {
		for _, s := range honest {
			is := false
			for _, kind := range kinds {
				is = is || s.Kind == kind
			}
			if is {
				these = append(these, s)
			} else if s.Kind != ledger.KindWipe {
				others = append(others, s)
			}
		}
		return others, these
	}
	approved, edition := split(ledger.KindEdition)
	unapproved, _ := split(ledger.KindEdition, ledger.KindApproval)
	unreleased, _ := split(ledger.KindEdition, ledger.KindApproval, ledger.KindRelease)
	_, approvals := split(ledger.KindApproval)
	early, _ := split(ledger.KindApproval)
	_, struck := split(ledger.KindAmendment)
	unstruck, _ := split(ledger.KindAmendment)
	if len(edition) != 1 || len(approvals) != 2 || len(struck) != 1 {
		t.Fatalf("%d editions, %d approvals", len(edition), len(approvals))
	}
	for _, row := range []struct {
		name      string
		have, add []ledger.Statement
		want      string
	}{
		{"an edition", approved, edition, ""},
		{"with the approvals", unapproved, ledger.Sorted(append(edition[:1:1], approvals...)), ""},
		{"without", unapproved, edition, "the edition cannot be entered yet: it comes after the approvals of both hosts, which the ledger does not have"},
		{"with one of them", append(unapproved[:len(unapproved):len(unapproved)], approvals[0]), edition, "the edition cannot be entered yet: it comes after the approvals of both hosts"},
		{"before its release", unreleased, edition, "the edition cannot be entered yet: it comes after the release"},
		{"a rehearsal's without approvals", marked(unapproved, coalition.MarkingRehearsal), edition, ""},
		{"a rehearsal's before its release", marked(unreleased, coalition.MarkingRehearsal), edition, "the edition cannot be entered yet: it comes after the release"},
		{"approvals too late", early, approvals, "the approval cannot be entered any more: the ledger has the edition already, which comes after it"},
		{"an amendment too late", unstruck, struck, "the amendment cannot be entered any more: the ledger has the share already, which comes after it"},
		{"together, the wrong way round", unapproved, append(edition[:1:1], approvals...), "the edition cannot be entered before the approval, which comes before it"},
	} {
		err := ledger.Fits(row.have, row.add, honest[0].Cycle)
		if message := errs.Describe(err).Message; err == nil && row.want != "" || err != nil && (row.want == "" || !strings.HasPrefix(message, row.want)) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
	_, rosters := split(ledger.KindRoster)
	_, charter := split(ledger.KindCharter)
	err := ledger.Fits(charter, rosters, honest[0].Cycle)
	if hint := errs.Describe(err).Hint; !strings.Contains(hint, "one by one from open on: muster ledger add --phase closing") {
		t.Errorf("a roster of a cycle that was never opened: %q", hint)
	}
}
