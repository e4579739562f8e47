package verify_test

import (
	"strings"
	"testing"

	"muster/internal/ledger"
	"muster/internal/verify"
)

// TestSummary says in words what a report comes to, and how many things could not be
// checked for which reason, of all of them.
func TestSummary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 1)
	for _, row := range []struct {
		name   string
		do     func(*verify.Config)
		en, fr string
	}{
		{"honest", func(*verify.Config) {}, "Nothing fails; 5 things could not be checked here: 1 because this bundle, or the program, does not have what it takes; " +
			"2 for which only you can bring what it takes; 2 because it has not happened, or the record does not show it.", "Rien n’échoue ; 5 points"},
		{"one thing", func(cfg *verify.Config) { cfg.Charter = ledger.Digest([]byte("another")) }, "One thing fails; 5 things", "Un point échoue ; 5 points"},
		{"for the public", func(*verify.Config) {
			w.without(ledger.KindRoster, ledger.KindAmendment, ledger.KindSilence)
			w.receipts = nil
		}, "Nothing fails; 8 things could not be checked here: 4 because this bundle", "Rien n’échoue ; 8 points"},
		{"more", func(*verify.Config) {
			w.drop(ledger.KindApproval)
			w.drop(ledger.KindShare)
		}, "2 things fail; ", "2 points échouent ; "},
	} {
		cfg := w.config()
		row.do(&cfg)
		r := w.verify(cfg)
		if !strings.HasPrefix(r.Summary.In("en"), row.en) || !strings.HasPrefix(r.Summary.In("fr"), row.fr) {
			t.Errorf("%s: %v\n%s", row.name, r.Summary, listing(r))
		}
	}
}
