package coordinator_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cycle"
	"muster/internal/edition"
	"muster/internal/edition/editiontest"
	"muster/internal/keys"
	page "muster/internal/web/coordinator"
)

// released is a world with a release, looked at by one person.
type released struct {
	*editiontest.World
	t testing.TB
}

func newReleased(t testing.TB) released { return released{editiontest.New(t), t} }

func (w released) as(person cycle.Person) *site {
	w.t.Helper()
	pages, err := page.New(page.Config{
		Service: w.Service, Editions: w.Editions, People: folk(w.t, w.World.World), Person: func(*http.Request) cycle.Person { return person }, Now: w.Clock.Now,
		Print: func(_ context.Context, body []byte) ([]byte, error) { return append([]byte("%PDF "), body...), nil },
	})
	must(w.t, err)
	return &site{w.World.World, pages.Handler(), pages}
}

// publish writes an edition and takes it to its readers, past the silence that is tested
// elsewhere.
func (w released) publish(name edition.Name, text string) {
	w.t.Helper()
	ctx := w.t.Context()
	must(w.t, second(w.Editions.Write(ctx, w.Ada, w.Cycle, name, text)))
	d := w.Approve(w.t, name)
	if d.Outside() {
		body, err := d.Encode()
		must(w.t, err)
		must(w.t, w.DB.Editions().InTx(ctx, "adopt", func(tx edition.Tx) error {
			return tx.AddAct(edition.Act{Cycle: w.Cycle, Name: name, Seq: 2, Number: d.Number, Deed: edition.Adopted, Digest: keys.Digest(body), By: "the chair", At: w.Clock.At}, nil)
		}))
	}
	must(w.t, second(w.Editions.Publish(ctx, w.Ada, w.Cycle, name)))
}

const allWords = "known to allies alone"

func (w released) allied(t testing.TB, rest ...string) string {
	return strings.Replace(editiontest.Text(edition.Allied, w.Shown(t), rest...), "\n== fr\n", "\n"+allWords+"\n\n== fr\n"+allWords+"\n\n", 1)
}

// A guest finds no trace of the allied edition: whatever she asks, the answer is that of a
// world in which there is none, to the byte.
func TestGuestFindsNoTrace(t *testing.T) {
	t.Parallel()
	with, without := newReleased(t), newReleased(t)
	with.publish(edition.Allied, with.allied(t))
	for _, w := range []released{with, without} {
		w.publish(edition.Partner, editiontest.Text(edition.Partner, w.Shown(t)))
	}
	id := string(with.Cycle)
	asked := 0
	for _, person := range []cycle.Person{with.Dan, {}} {
		for _, lang := range []string{"en", "fr"} {
			base := "/" + lang + "/"
			places := []string{base, base + "editions", base + "cycles", base + "cycle/" + id, base + "calendar.ics", base + "record", base + "people", base + "cycle/" + id + "/questions"}
			for _, name := range []string{"allied", "partner", "ports", "nothing"} {
				one := base + "cycle/" + id + "/edition/" + name
				places = append(places, one, one+"?version=1", one+"?version=2", one+"/write")
				for _, format := range []string{"html", "pdf", "docx", "csv", "json", "exe"} {
					places = append(places, one+"/file/"+format)
				}
			}
			for _, place := range places {
				got := with.as(person).do(httptest.NewRequest(http.MethodGet, place, nil))
				want := without.as(person).do(httptest.NewRequest(http.MethodGet, place, nil))
				if diff := cmp.Diff(want.Code, got.Code) + cmp.Diff(want.Header(), got.Header()) + cmp.Diff(want.Body.String(), got.Body.String()); diff != "" {
					t.Errorf("%s: %q can tell\n%s", place, person.Name, diff)
				}
				if strings.Contains(got.Body.String(), allWords) {
					t.Errorf("%s: %q reads it", place, person.Name)
				}
				asked++
			}
			for _, action := range []string{"write", "propose", "publish", "withdraw"} {
				place := base + "cycle/" + id + "/edition/allied/" + action
				form := url.Values{"text": {"x"}, "reason": {"x"}}
				got, want := with.as(person).do(send(place, form)), without.as(person).do(send(place, form))
				if diff := cmp.Diff(want.Code, got.Code) + cmp.Diff(want.Body.String(), got.Body.String()); diff != "" || got.Code != http.StatusForbidden {
					t.Errorf("%s: %d\n%s", place, got.Code, diff)
				}
			}
		}
	}
	if asked < 150 {
		t.Errorf("only %d were asked", asked)
	}
	if text := with.as(with.Dan).get(t, "/en/cycle/"+id+"/edition/partner", http.StatusOK); !strings.Contains(text, "Copy for Dan Okafor, Farhaven") || !strings.Contains(text, "TLP:AMBER") {
		t.Error("her own edition does not say whose copy it is, or how far it travels")
	}
}

// Who reads which edition, by role: at the page, in the list and in each file.
func TestWhoReadsEditions(t *testing.T) {
	t.Parallel()
	w := newReleased(t)
	w.publish(edition.Allied, w.allied(t, "announced: partner"))
	w.publish(edition.Partner, editiontest.Text(edition.Partner, w.Shown(t)))
	w.publish(edition.Public, editiontest.Text(edition.Public, w.Shown(t)))
	must(t, second(w.Editions.Write(t.Context(), w.Ada, w.Cycle, edition.Ports, editiontest.Text(edition.Ports, w.Shown(t)))))
	seen := map[edition.Name]string{edition.Allied: "cslhova", edition.Partner: everybody, edition.Public: everybody, edition.Ports: "", edition.AI: ""}
	base := "/en/cycle/" + string(w.Cycle) + "/edition/"
	for letter, person := range people(w.World.World) {
		list := w.as(person).get(t, "/en/editions", http.StatusOK)
		for name, may := range seen {
			want := http.StatusNotFound
			switch {
			case strings.IndexByte(may, letter) >= 0:
				want = http.StatusOK
			case name == edition.Allied: // it is announced to partners
				want = http.StatusForbidden
			case name == edition.Ports && (letter == 'c' || letter == 's'): // a draft is theirs, to write
				want = http.StatusSeeOther
			}
			if got := w.as(person).do(httptest.NewRequest(http.MethodGet, base+string(name), nil)); got.Code != want {
				t.Errorf("%s at %s: %d, want %d", person.Name, name, got.Code, want)
			} else if want == http.StatusForbidden && !strings.Contains(got.Body.String(), "There is such an edition, and it is not for you.") {
				t.Errorf("%s is not told why", person.Name)
			}
			if got := strings.Contains(list, base+string(name)+`"`); got != (want == http.StatusOK) {
				t.Errorf("%s is shown %s in the list: %t", person.Name, name, got)
			}
			file := w.as(person).do(httptest.NewRequest(http.MethodGet, base+string(name)+"/file/csv", nil))
			if got := file.Code == http.StatusOK; got != (want == http.StatusOK) {
				t.Errorf("%s takes %s: %d", person.Name, name, file.Code)
			}
		}
		draft := w.as(person).do(httptest.NewRequest(http.MethodGet, base+"ports/write", nil))
		if got := draft.Code == http.StatusOK; got != (letter == 'c' || letter == 's') {
			t.Errorf("%s at the draft: %d", person.Name, draft.Code)
		}
	}
}

// Each file carries the label and whose copy it is, and says what the page says.
func TestFilesOfEdition(t *testing.T) {
	t.Parallel()
	w := newReleased(t)
	w.publish(edition.Partner, editiontest.Text(edition.Partner, w.Shown(t)))
	const copied = "Exemplaire de Dan Okafor, Farhaven"
	parts := map[string]string{"docx": "word/document.xml", "xlsx": "xl/sharedStrings.xml"}
	for _, format := range []string{"html", "pdf", "docx", "xlsx", "csv", "json"} {
		rec := w.as(w.Dan).do(httptest.NewRequest(http.MethodGet, "/fr/cycle/"+string(w.Cycle)+"/edition/partner/file/"+format, nil))
		if rec.Code != http.StatusOK || rec.Header().Get("Cache-Control") != "no-store" || !strings.Contains(rec.Header().Get("Content-Disposition"), `"SYNTHETIC-TLP-AMBER-2027-partner-1.`+format+`"`) {
			t.Errorf("%s: %d %v", format, rec.Code, rec.Header())
			continue
		}
		body := rec.Body.String()
		if part := parts[format]; part != "" {
			z, err := zip.NewReader(bytes.NewReader(rec.Body.Bytes()), int64(rec.Body.Len()))
			must(t, err)
			f, err := z.Open(part)
			must(t, err)
			text, err := io.ReadAll(f)
			must(t, err)
			body = string(text)
		}
		for _, words := range []string{copied, "TLP:AMBER", "SYNTHETIC"} {
			if !strings.Contains(body, words) {
				t.Errorf("%s does not say %q", format, words)
			}
		}
		switch format {
		case "html":
			if strings.Contains(body, "<script") || strings.Contains(body, "http://") || strings.Contains(body, "https://") {
				t.Error("the page asks for something")
			}
		case "csv":
			rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
			must(t, err)
			if len(rows) < 10 || slices.ContainsFunc(rows[1:], func(r []string) bool { return r[1] != copied || r[len(r)-1] != "31" }) {
				t.Errorf("%d rows: %v", len(rows), rows[1])
			}
		case "json":
			var got struct {
				Digest  string
				Edition json.RawMessage
			}
			must(t, json.Unmarshal([]byte(body), &got))
			if _, err := edition.Parse(got.Edition); err != nil || keys.Digest(got.Edition) != got.Digest {
				t.Errorf("what is in it is not what was approved: %v", err)
			}
		}
	}
}

// The staff writes on the page: faults are named with their place, the text is kept, and
// what is sound goes on to a second of the staff, who reads it and approves.
func TestWriteOnThePage(t *testing.T) {
	t.Parallel()
	w := newReleased(t)
	place := "/en/cycle/" + string(w.Cycle) + "/edition/allied"
	ada, bo := w.as(w.Ada), w.as(w.Bo)
	if text := ada.get(t, place+"/write", http.StatusOK); !strings.Contains(text, "title.en:") {
		t.Error("it does not begin with a blank text")
	}
	ada.post(t, place+"/write", url.Values{"text": {"tlp: TLP:AMBER\r\ntitle.en: A <b>\r\ntitle.fr: B\r\n== en\r\nOf these 9 of 31 do {X9 level 1}\r\n== fr\r\nC\r\n"}})
	text := ada.get(t, place+"/write", http.StatusOK)
	for _, words := range []string{"allied:5:21: {X9 level 1} is of no area or outcome of this edition", "9 of&#34; is typed", "A &lt;b&gt;", "What keeps it from being proposed"} {
		if !strings.Contains(text, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if strings.Contains(text, place+"/propose") {
		t.Error("what has faults is offered to be proposed")
	}
	if rec := ada.do(send(place+"/propose", nil)); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("proposed all the same: %d", rec.Code)
	}
	ada.post(t, place+"/write", url.Values{"text": {w.allied(t)}})
	ada.post(t, place+"/propose", nil)
	task := bo.get(t, "/en/", http.StatusOK)
	if !strings.Contains(task, "Ada Lindqvist proposed for 2027: Allied edition.") {
		t.Error("the second of the staff is not told")
	}
	if board := bo.get(t, "/en/cycle/"+string(w.Cycle), http.StatusOK); !strings.Contains(board, place+"/write") || !strings.Contains(board, "Approve for 2027: Allied edition") {
		t.Error("the board does not say what to read and approve")
	}
	reqs, err := w.Requests(t.Context(), w.Bo)
	must(t, err)
	bo.post(t, "/en/request/"+itoa(reqs[0].Number)+"/approve", nil)
	bo.post(t, place+"/publish", nil)
	if text := w.as(w.Vera).get(t, place, http.StatusOK); !strings.Contains(text, allWords) || strings.Contains(text, place+"/write") {
		t.Error("an ally does not read it, or is offered to write")
	}
	ada.post(t, place+"/withdraw", url.Values{"reason": {"a word was wrong"}})
	if text := w.as(w.Vera).get(t, place, http.StatusForbidden); strings.Contains(text, allWords) || !strings.Contains(text, "It was withdrawn") {
		t.Error("what was withdrawn is read")
	}
}

func itoa(n int64) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }

// Two hundred people who read an edition at the same moment all get it within the minute
// that they are allowed, on any machine. The figure that is promised is
// [BenchmarkEdition]'s.
func TestManyReaders(t *testing.T) {
	t.Parallel()
	w := newReleased(t)
	w.publish(edition.Allied, w.allied(t))
	place := "/en/cycle/" + string(w.Cycle) + "/edition/allied"
	ola := w.as(w.Ola)
	var wait sync.WaitGroup
	began := time.Now()
	for range 200 {
		wait.Go(func() {
			rec := httptest.NewRecorder()
			ola.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, place, nil))
			if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), allWords) {
				t.Errorf("%d", rec.Code)
			}
		})
	}
	wait.Wait()
	if took := time.Since(began); took > time.Minute {
		t.Errorf("200 took %s", took)
	}
}

// BenchmarkEdition draws an edition for its readers, 200 a minute, and says the 95th of
// a hundred times; and the list of editions.
func BenchmarkEdition(b *testing.B) {
	w := newReleased(b)
	w.publish(edition.Allied, w.allied(b))
	ola := w.as(w.Ola)
	for name, place := range map[string]string{"page": "/en/cycle/" + string(w.Cycle) + "/edition/allied", "list": "/en/editions"} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				rec := httptest.NewRecorder()
				ola.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, place, nil))
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
