package cli

import (
	"testing"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/keys"
	"muster/internal/ledger"
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
