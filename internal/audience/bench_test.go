package audience_test

import (
	"testing"

	"muster/internal/audience"
)

// busy is a reader of many parties, and sheets one that is opened to the last of them.
func busy() (audience.Reader, audience.Subject) {
	who, what := audience.Reader{Person: "ola"}, sheet
	for _, id := range (members{"Ullerud", "Lyngby Sound", "Vinterhavn", "Skarvik", "Dunmark"}) {
		who.Parties = append(who.Parties, audience.Party{ID: id, Circle: audience.Allied, Roles: audience.Officer})
	}
	return who, what
}

// TestNoAllocation: a decision leaves nothing to the garbage collector, so it costs the
// same in a list of ten thousand.
func TestNoAllocation(t *testing.T) { // not parallel: allocations are counted for the whole process
	who, what := busy()
	filter := audience.FilterOf(who, audience.Sees, date(1))
	n := testing.AllocsPerRun(100, func() {
		if !audience.May(who, audience.Sees, what, date(1)).Yes || !audience.May(who, audience.Knows, what, date(1)).Yes || !filter.Passes(what) {
			t.Error("she does not see it")
		}
		if _, ok := audience.Why(who, what, date(30)); !ok {
			t.Error("she does not learn why")
		}
	})
	if n != 0 {
		t.Errorf("a decision allocates %.0f times", n)
	}
}

func BenchmarkMay(b *testing.B) {
	who, what := busy()
	for name, row := range map[string]struct {
		who  audience.Reader
		what audience.Subject
	}{"one party": {officer, allied}, "five parties": {who, what}, "nobody": {public, note}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			at := date(11)
			for b.Loop() {
				audience.May(row.who, audience.Sees, row.what, at)
			}
		})
	}
}

func BenchmarkFilter(b *testing.B) {
	who, what := busy()
	filter := audience.FilterOf(who, audience.Sees, date(11))
	b.ReportAllocs()
	for b.Loop() {
		filter.Passes(what)
	}
}
