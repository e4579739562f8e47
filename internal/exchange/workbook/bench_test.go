package workbook_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"muster/internal/exchange/workbook"
	"muster/internal/framework"
)

// threeHundred is a survey of 300 outcomes in two languages, half of them answered
// with a note of 300 characters; its texts are those of muster-core, repeated.
func threeHundred(tb testing.TB) workbook.Book {
	tb.Helper()
	source := core(tb)
	pack := *source
	pack.Areas = nil
	texts := source.Outcomes()
	all := make(map[string]workbook.Saved)
	for i := range 300 {
		if i%20 == 0 {
			pack.Areas = append(pack.Areas, framework.Area{ID: fmt.Sprintf("B%d", i/20+1)})
		}
		area := &pack.Areas[len(pack.Areas)-1]
		o := *texts[i%len(texts)]
		o.ID = fmt.Sprintf("%s.%d", area.ID, i%20+1)
		area.Outcomes = append(area.Outcomes, o)
		if i%2 == 0 {
			e := full()
			e.Note = fmt.Sprint(i) + strings.Repeat(" as seen", 40)
			all[o.ID] = workbook.Saved{Entry: e, Revision: int64(i + 1)}
		}
	}
	b := book(&pack, all)
	b.Languages = []string{"en", "fr"}
	return b
}

func BenchmarkWrite300(b *testing.B) {
	book := threeHundred(b)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = len(write(b, book))
	}
	b.ReportMetric(float64(size), "bytes")
}

func BenchmarkWrite300WithPassword(b *testing.B) {
	book := threeHundred(b)
	book.Password = "correct horse"
	for b.Loop() {
		write(b, book)
	}
}

func BenchmarkRead300(b *testing.B) {
	book := threeHundred(b)
	data := write(b, book)
	b.ReportAllocs()
	for b.Loop() {
		if got := mustRead(b, data, book); len(got.Rows) != 300 {
			b.Fatal(len(got.Rows))
		}
	}
}

func BenchmarkReadCSV300(b *testing.B) {
	book := threeHundred(b)
	data := writeCSV(b, book)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if got := mustRead(b, data, book); len(got.Rows) != 300 {
			b.Fatal(len(got.Rows))
		}
	}
}

func BenchmarkMerge300(b *testing.B) {
	book := threeHundred(b)
	got := mustRead(b, write(b, book), book)
	source := sourceOf(book)
	for b.Loop() {
		workbook.Merge(got.Rows, source, workbook.BlanksKeep)
	}
}

// sourceOf is a workspace that has what the book has, and nothing since.
func sourceOf(b workbook.Book) workbook.Source {
	now := func(k workbook.Key) workbook.Saved {
		for _, s := range b.Surveys {
			if s.ID() == k.Survey {
				return s.Saved[k.Outcome]
			}
		}
		return workbook.Saved{}
	}
	return workbook.Source{Now: now, At: at(now)}
}

// TestSize keeps what the benchmark writes from growing beyond what mail carries.
func TestSize(t *testing.T) {
	t.Parallel()
	if n := len(write(t, threeHundred(t))); n > 1<<20 {
		t.Errorf("a workbook of 300 outcomes has %d bytes", n)
	}
	if data := write(t, threeHundred(t)); !bytes.HasPrefix(data, []byte("PK")) {
		t.Error("it is no workbook")
	}
}
