package verify_test

import (
	"strconv"
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/verify"
)

// TestSentences: every sentence is in both languages, with places for the same
// arguments.
func TestSentences(t *testing.T) {
	t.Parallel()
	for _, code := range verify.Codes() {
		en, fr := verify.Template(code)
		if en == "" || fr == "" || strings.Count(en, "%") != strings.Count(fr, "%") {
			t.Errorf("%s: %q, %q", code, en, fr)
		}
	}
	if len(verify.Limits()) < 5 || len(verify.Steps()) < 20 {
		t.Error("there is too little to say")
	}
	for _, s := range verify.Steps() {
		if s.Title().In("en") == "" || s.Title().In("fr") == "" {
			t.Errorf("%s has no title", s)
		}
	}
}

// TestLimits: what the attack did not look at, and what no key shows, is said.
func TestLimits(t *testing.T) {
	t.Parallel()
	said := make(map[string]verify.Sentence)
	for _, l := range verify.Limits() {
		said[l.Code] = l
	}
	for _, row := range [][3]string{
		{"editions", "read it beside the release", "lisez-la à côté de la publication"},
		{"views", "others than the coordinator, which their keys do not show", "d’autres que le coordinateur, ce que leurs clés ne montrent pas"},
	} {
		if l := said[row[0]]; !strings.Contains(l.Text.In("en"), row[1]) || !strings.Contains(l.Text.In("fr"), row[2]) {
			t.Errorf("%s: %v", row[0], l.Text)
		}
	}
	if en, fr := verify.Template("attacked"); !strings.Contains(en, "all releases") || !strings.Contains(fr, "toutes les publications") {
		t.Errorf("%s, %s", en, fr)
	}
}

// TestPhaseWords: every phase that there is has a name in French.
func TestPhaseWords(t *testing.T) {
	t.Parallel()
	for _, step := range coalition.Transitions() {
		for _, p := range []coalition.Phase{step.From, step.To} {
			if en, fr := verify.PhaseWords(p); en != string(p) || fr == en && p != coalition.Consultation {
				t.Errorf("%s is called %q and %q", p, en, fr)
			}
		}
	}
}

// TestDetails: what a check says has as many names and numbers in French as in English,
// and the words for one are not taken for another's.
func TestDetails(t *testing.T) {
	t.Parallel()
	for _, w := range verify.DetailWords() {
		if strings.Count(w[0], "*") != strings.Count(w[1], "*") {
			t.Errorf("%q, %q", w[0], w[1])
		}
		said, n := w[0], 0
		for strings.Contains(said, "*") {
			n++
			said = strings.Replace(said, "*", "x"+strconv.Itoa(n), 1)
		}
		want := w[1]
		for i := range n {
			want = strings.Replace(want, "*", "x"+strconv.Itoa(i+1), 1)
		}
		if got := verify.InFrench(said); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
	}
	if got := verify.InFrench("entry 3 of the ledger: an entry of the ledger cannot be read"); got != "inscription 3 du registre : une inscription du registre ne peut être lue" {
		t.Error(got)
	}
	if got := verify.InFrench("the ledger has * receipts and the roster counts *x* submissions"); got != "le registre a * reçus et la liste compte *x* envois" {
		t.Error(got)
	}
	if got := verify.InFrench("nobody says this"); got != "" {
		t.Error(got)
	}
}
