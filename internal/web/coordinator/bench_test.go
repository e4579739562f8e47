package coordinator_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
	page "muster/internal/web/coordinator"
)

// decade is ten years of 32 members and 18 partners, looked at by one person.
func decade(t testing.TB) (w *cycletest.World, as func(cycle.Person) http.Handler, last string) {
	t.Helper()
	w = cycletest.New(t)
	w.Years(t, 32, 18, 10)
	people := folk(t, w)
	cycles, err := w.Cycles(t.Context(), w.Ada)
	must(t, err)
	return w, func(person cycle.Person) http.Handler {
		pages, err := page.New(page.Config{Service: w.Service, People: people, Person: func(*http.Request) cycle.Person { return person }, Now: w.Clock.Now})
		must(t, err)
		return pages.Handler()
	}, string(cycles[0].ID)
}

func places(last string) []string {
	return []string{"/en/", "/en/cycles", "/en/cycle/" + last, "/en/cycle/" + last + "/questions", "/en/people", "/en/record", "/en/calendar.ics"}
}

// With ten years in the database the slowest of twenty times that a page is drawn is
// under a second on any machine, and the pages say what they should. The figure that is
// promised is [BenchmarkPages]'.
func TestTenYears(t *testing.T) {
	t.Parallel()
	w, as, last := decade(t)
	staff := as(w.Ada)
	for _, place := range places(last) {
		var slowest time.Duration
		for range 20 {
			began := time.Now()
			rec := httptest.NewRecorder()
			staff.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, place, nil))
			slowest = max(slowest, time.Since(began))
			if rec.Code != http.StatusOK {
				t.Fatalf("%s: %d", place, rec.Code)
			}
			if place == "/en/cycles" && strings.Count(rec.Body.String(), `<article class="card">`) != 10 {
				t.Fatal("not every year is there")
			}
		}
		if slowest > time.Second {
			t.Errorf("%s took %s", place, slowest)
		}
	}
}

// BenchmarkPages draws each page with ten years in the database, and says the 95th of a
// hundred times.
func BenchmarkPages(b *testing.B) {
	w, as, last := decade(b)
	for name, person := range map[string]cycle.Person{"coordinator": w.Ada, "auditor": w.Audit} {
		handler := as(person)
		for _, place := range places(last) {
			b.Run(name+place, func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					began := time.Now()
					rec := httptest.NewRecorder()
					handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, place, nil))
					took = append(took, time.Since(began))
					if rec.Code != http.StatusOK {
						b.Fatalf("%d", rec.Code)
					}
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			})
		}
	}
}
