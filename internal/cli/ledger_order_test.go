package cli

import (
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/silence"
)

// TestImplied: a release brings the cycle to released once both hosts have signed that
// one; one host's signature on each of two is not that.
func TestImplied(t *testing.T) {
	t.Parallel()
	c := coalitiontest.New(t, coalitiontest.Config{Members: []coalition.MemberID{"A", "B", "C"}, Layout: []byte(`{}`), Sizes: []uint16{3}})
	cycle, err := ledger.NewCycle(c.Signed)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(body string, by ...*keys.Signer) coalition.SignedFile {
		note, err := keys.Sign(keys.KindRelease, []byte(body), append(by, c.Coordinator)...)
		if err != nil {
			t.Fatal(err)
		}
		return coalition.SignedFile{Body: []byte(body), Signature: note}
	}
	roster := []ledger.Statement{{Kind: ledger.KindRoster}}
	for _, row := range []struct {
		name     string
		releases []coalition.SignedFile
		want     coalition.Phase
	}{
		{"none", nil, coalition.Closed},
		{"by nobody", []coalition.SignedFile{signed("one")}, coalition.Review},
		{"by one", []coalition.SignedFile{signed("one", c.Leader)}, coalition.Review},
		{"by both", []coalition.SignedFile{signed("one", c.Leader, c.Helper)}, coalition.Released},
		{"two, each by one", []coalition.SignedFile{signed("one", c.Leader), signed("two", c.Helper)}, coalition.Review},
		{"two, one of them by both", []coalition.SignedFile{signed("one", c.Leader, c.Helper), signed("two")}, coalition.Review},
		{"two, both by both", []coalition.SignedFile{signed("one", c.Leader, c.Helper), signed("two", c.Leader, c.Helper)}, coalition.Released},
	} {
		a := &addition{cycle: cycle, statements: roster, releases: row.releases}
		if got := a.implied(); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// TestAdoptionsInTime: the last entry of how silence over a text ended is what was done
// last, whatever its procedure did with other texts later.
func TestAdoptionsInTime(t *testing.T) {
	t.Parallel()
	b := newChairBench(t)
	text, other := keys.Digest([]byte("text")), keys.Digest([]byte("another"))
	must := func(_ silence.Procedure, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	propose := func() string {
		t.Helper()
		p, err := b.open().Propose(t.Context(), silence.Proposal{
			Subject: silence.Subject{Kind: silence.Edition, Name: "public edition", Digest: text},
			Parties: []silence.Party{{Member: "Aldmark", Key: b.members["Aldmark"].Public()}}, Comments: b.now.Add(time.Minute), Period: 24 * time.Hour,
		})
		must(p, err)
		return p.ID
	}
	put := func(id, digest string) {
		t.Helper()
		b.now = b.now.Add(time.Hour)
		must(b.open().Put(t.Context(), id, digest, b.now.Add(24*time.Hour)))
	}
	settle := func(id string) {
		t.Helper()
		b.now = b.now.Add(25 * time.Hour)
		must(b.open().Settle(t.Context(), id))
	}
	first, second := propose(), propose()
	put(first, "")
	must(b.open().Reopen(t.Context(), first))
	put(second, "")
	settle(second)
	put(first, other)
	settle(first)

	a := &addition{cycle: &ledger.Cycle{Charter: coalition.Charter{Cycle: "2090", Coordinator: coalition.Coordinator{Key: b.key.Public()}}}}
	for _, id := range []string{first, second} {
		_, steps, _, err := b.open().Show(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		a.steps = append(a.steps, steps...)
	}
	if err := a.adoptions(); err != nil {
		t.Fatal(err)
	}
	entered := ledger.Sorted(a.statements)
	if got := ledger.LastWord(entered, "edition", text); len(entered) != 3 || got != (ledger.Word{Procedure: second, Outcome: "adopted"}) {
		t.Errorf("%v of %v", got, entered)
	}
}

// TestAdoptedForExport: what a later procedure took back is adopted no more, by the
// entry of its end or by its step alone.
func TestAdoptedForExport(t *testing.T) {
	t.Parallel()
	of := func(kind ledger.Kind, fields ...string) ledger.Statement {
		s := ledger.Statement{Kind: kind, Cycle: "2090", Fields: make(map[string]string)}
		for i := 0; i < len(fields); i += 2 {
			s.Fields[fields[i]] = fields[i+1]
		}
		return s
	}
	end := func(procedure, outcome string) ledger.Statement {
		return of(ledger.KindAdoption, "subject", "edition", "digest", "d", "procedure", procedure, "outcome", outcome)
	}
	step := func(procedure, number, act, text string) ledger.Statement {
		return of(ledger.KindSilence, "procedure", procedure, "number", number, "act", act, "text", text)
	}
	for _, row := range []struct {
		name string
		list []ledger.Statement
		want bool
	}{
		{"nothing", nil, false},
		{"adopted", []ledger.Statement{end("a", "adopted")}, true},
		{"taken back", []ledger.Statement{end("a", "adopted"), end("b", "reopened")}, false},
		{"adopted again", []ledger.Statement{end("a", "reopened"), end("b", "adopted")}, true},
		{"taken back by a step", []ledger.Statement{end("a", "adopted"), step("b", "0", "propose", "d"), step("b", "1", "put", ""), step("b", "2", "reopen", "")}, false},
		{"another text was opened again", []ledger.Statement{end("a", "adopted"), step("b", "0", "propose", "e"), step("b", "1", "put", ""), step("b", "2", "reopen", "")}, true},
	} {
		bundle := &ledger.Bundle{Manifest: ledger.Manifest{Cycle: "2090"}, Statements: row.list}
		if got := adopted(bundle, "d"); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}
