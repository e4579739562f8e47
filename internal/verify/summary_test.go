package verify_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// TestReasons: of every code with which something could not be checked it is listed why.
// The codes are read from the sources.
func TestReasons(t *testing.T) {
	t.Parallel()
	says := regexp.MustCompile(`(?:unchecked\(\w+, |seenBy\([^"\n]*, |add\(Step\w+, Unchecked, [^"\n]*, "", )"(\w+)"`)
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := []string{"nothing", "rests", "not_opened"}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range says.FindAllSubmatch(body, -1) {
			codes = append(codes, string(m[1]))
		}
	}
	slices.Sort(codes)
	if codes = slices.Compact(codes); len(codes) < 55 {
		t.Fatalf("only %d codes are found: %v", len(codes), codes)
	}
	for _, code := range codes {
		if !verify.Listed(code) {
			t.Errorf("%s is not listed", code)
		}
	}
	for _, code := range verify.Codes() {
		if verify.Listed(code) && !slices.Contains(codes, code) {
			t.Errorf("%s is listed, and nothing says it", code)
		}
	}
}
