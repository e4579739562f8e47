package exchange_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/framework"
)

// packOf returns a pack with areas A1, A2 and so on, of those sizes.
func packOf(sizes ...int) *framework.Pack {
	pack := &framework.Pack{ID: "sample", Version: "1.0.0"}
	for i, n := range sizes {
		area := framework.Area{ID: fmt.Sprintf("A%d", i+1)}
		for j := range n {
			area.Outcomes = append(area.Outcomes, framework.Outcome{ID: fmt.Sprintf("%s.%d", area.ID, j+1)})
		}
		pack.Areas = append(pack.Areas, area)
	}
	return pack
}

func equal[T any](t testing.TB, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// good is a file of answers to packOf(2, 1).
const good = `outcome,level,verified,evidence,target
A1.1,2,1,E1,3
A1.2,na,,,
A2.1,withheld,withheld,E0,4
`

func goodAnswers() map[string]assess.Answer {
	return map[string]assess.Answer{
		"A1.1": {Level: framework.Level2, Verified: framework.Level1, Evidence: framework.E1, Target: framework.Level3},
		"A1.2": {Level: framework.NotApplicable},
		"A2.1": {Level: framework.Withheld, Verified: framework.Withheld, Evidence: framework.E0, Target: framework.Level4},
	}
}

func TestReadAnswers(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, text string }{
		{"canonical", good},
		{"byte order mark", "\uFEFF" + good},
		{"CRLF", strings.ReplaceAll(good, "\n", "\r\n")},
		{"LF and CRLF mixed", strings.Replace(good, "\n", "\r\n", 2)},
		{"no end of the last line", strings.TrimSuffix(good, "\n")},
		{"empty lines", "\n\r\n" + strings.ReplaceAll(good, "\n", "\n\n") + "\r\n\n"},
		{"byte order mark, CRLF and empty lines", "\uFEFF\r\n" + strings.ReplaceAll(good, "\n", "\r\n\r\n")},
		{"quoted cells", `outcome,"level",verified,"evidence",target
"A1.1","2","1","E1","3"
"A1.2",na,"",,""
A2.1,"withheld",withheld,"E0",4
`},
		{"rows in another order", `outcome,level,verified,evidence,target
A2.1,withheld,withheld,E0,4
A1.2,na,,,
A1.1,2,1,E1,3
`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := exchange.ReadAnswers("Ostmere.csv", strings.NewReader(row.text), packOf(2, 1))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, goodAnswers())
		})
	}
}

func TestEveryValueIsRead(t *testing.T) {
	t.Parallel()
	cells := func(value string) string { return strings.ReplaceAll(value, "none", "") }
	pack := packOf(1)
	for _, level := range assess.Levels() {
		for _, verified := range assess.VerifiedLevels() {
			for _, evidence := range assess.Grades() {
				for _, target := range assess.Targets() {
					text := exchange.Header + "\nA1.1," + cells(fmt.Sprintf("%s,%s,%s,%s\n", level, verified, evidence, target))
					got, err := exchange.ReadAnswers("Ostmere.csv", strings.NewReader(text), pack)
					if err != nil {
						t.Fatal(err)
					}
					want := assess.Answer{Level: level, Verified: verified, Evidence: evidence, Target: target}
					if got["A1.1"] != want {
						t.Errorf("%q: got %v, want %v", text, got["A1.1"], want)
					}
				}
			}
		}
	}
}

func TestWriteAnswers(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := exchange.WriteAnswers(&out, packOf(2, 1), goodAnswers()); err != nil {
		t.Fatal(err)
	}
	equal(t, out.String(), good)
}

func TestWriteAnswersRefuses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(map[string]assess.Answer)
		want   string
	}{
		{"a missing outcome", func(a map[string]assess.Answer) { delete(a, "A1.2") }, "outcome A1.2 has no answer"},
		{"an unknown outcome", func(a map[string]assess.Answer) { a["B1.1"] = a["A1.1"] }, "4 answers to a framework of 3 outcomes"},
		{"no level", func(a map[string]assess.Answer) { a["A2.1"] = assess.Answer{} }, `outcome A2.1: "none" cannot be a level`},
		{"a target that is no level", func(a map[string]assess.Answer) {
			a["A2.1"] = assess.Answer{Level: framework.Level1, Target: framework.NotApplicable}
		}, `outcome A2.1: "na" cannot be a target`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			answers := goodAnswers()
			row.change(answers)
			var out strings.Builder
			err := exchange.WriteAnswers(&out, packOf(2, 1), answers)
			if err == nil || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if errs.KindOf(err) != errs.Invalid {
				t.Errorf("kind %s", errs.KindOf(err))
			}
			if out.Len() != 0 {
				t.Errorf("wrote %q", out.String())
			}
		})
	}
	t.Run("a full disk", func(t *testing.T) {
		t.Parallel()
		full := errors.New("disk full")
		if err := exchange.WriteAnswers(failingWriter{full}, packOf(2, 1), goodAnswers()); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
	})
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestReadAnswersPassesReadErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	r := io.MultiReader(strings.NewReader(good), iotest.ErrReader(broken))
	answers, err := exchange.ReadAnswers("Ostmere.csv", r, packOf(2, 1))
	if !errors.Is(err, broken) || answers != nil {
		t.Errorf("got %v, %v", answers, err)
	}
	if errs.KindOf(err) != errs.Internal {
		t.Errorf("kind %s: a broken disk is not a fault of the file", errs.KindOf(err))
	}
}

func drawAnswers(t *rapid.T, pack *framework.Pack) map[string]assess.Answer {
	answers := make(map[string]assess.Answer)
	for _, outcome := range pack.Outcomes() {
		answers[outcome.ID] = assess.Answer{
			Level:    rapid.SampledFrom(assess.Levels()).Draw(t, "level"),
			Verified: rapid.SampledFrom(assess.VerifiedLevels()).Draw(t, "verified"),
			Evidence: rapid.SampledFrom(assess.Grades()).Draw(t, "evidence"),
			Target:   rapid.SampledFrom(assess.Targets()).Draw(t, "target"),
		}
	}
	return answers
}

// TestRoundTrip writes random answers, disturbs the file in ways that are allowed,
// reads it, and writes it again.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		pack := packOf(rapid.SliceOfN(rapid.IntRange(1, 12), 1, 4).Draw(rt, "sizes")...)
		answers := drawAnswers(rt, pack)
		var canonical bytes.Buffer
		if err := exchange.WriteAnswers(&canonical, pack, answers); err != nil {
			rt.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(canonical.String(), "\n"), "\n")
		disturbed := rapid.SampledFrom([]string{"", "\uFEFF"}).Draw(rt, "mark") + lines[0]
		for _, line := range rapid.Permutation(lines[1:]).Draw(rt, "rows") {
			if rapid.Bool().Draw(rt, "quoted") {
				line = `"` + strings.ReplaceAll(line, ",", `","`) + `"`
			}
			disturbed += rapid.SampledFrom([]string{"\n", "\r\n", "\n\n"}).Draw(rt, "end") + line
		}
		got, err := exchange.ReadAnswers("Ostmere.csv", strings.NewReader(disturbed), pack)
		if err != nil {
			rt.Fatalf("%q: %v", disturbed, err)
		}
		if diff := cmp.Diff(answers, got); diff != "" {
			rt.Fatalf("want -, got +:\n%s", diff)
		}
		var again bytes.Buffer
		if err := exchange.WriteAnswers(&again, pack, got); err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(again.Bytes(), canonical.Bytes()) {
			rt.Fatalf("wrote %q, then %q", canonical.Bytes(), again.Bytes())
		}
	})
}

// FuzzReadAnswers checks that what is accepted means the same to another CSV reader
// and survives writing and reading, and that what is refused has bounded faults with
// a place.
func FuzzReadAnswers(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("\uFEFF" + strings.ReplaceAll(good, "\n", "\r\n")))
	f.Add([]byte(strings.ReplaceAll(good, "A1.1", `"A1.1"`)))
	for _, row := range faultRows() {
		if len(row.text) < 10_000 {
			f.Add([]byte(row.text))
		}
	}
	pack := packOf(2, 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		answers, err := exchange.ReadAnswers("Ostmere.csv", bytes.NewReader(data), pack)
		if err != nil {
			var faults errs.Faults
			if !errors.As(err, &faults) || len(faults) == 0 || len(faults) > errs.MaxFaults || answers != nil {
				t.Fatalf("%v with %d faults, answers %v", err, len(faults), answers)
			}
			lines := bytes.Count(data, []byte("\n")) + 2 // a missing row is named below the last
			for _, fault := range faults {
				if fault.Line < 1 || fault.Line > lines || fault.Column < 1 || fault.Column > len(data)+1 ||
					fault.File != "Ostmere.csv" || fault.Message == "" || fault.Allowed == "" {
					t.Errorf("fault without a place or a way out: %#v", fault)
				}
			}
			return
		}
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF"))))
		r.FieldsPerRecord = 5
		records, err := r.ReadAll()
		if err != nil {
			t.Fatalf("accepted, but encoding/csv says: %v", err)
		}
		if len(records) != 4 || strings.Join(records[0], ",") != exchange.Header {
			t.Fatalf("accepted, but encoding/csv reads %q", records)
		}
		var sorted strings.Builder
		sorted.WriteString(exchange.Header + "\n")
		for _, outcome := range pack.Outcomes() {
			for _, record := range records {
				if record[0] == outcome.ID {
					sorted.WriteString(strings.Join(record, ",") + "\n")
				}
			}
		}
		var out bytes.Buffer
		if err := exchange.WriteAnswers(&out, pack, answers); err != nil {
			t.Fatal(err)
		}
		equal(t, out.String(), sorted.String())
		again, err := exchange.ReadAnswers("Ostmere.csv", &out, pack)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, again, answers)
	})
}
