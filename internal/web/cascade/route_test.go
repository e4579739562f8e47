package cascade_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	page "muster/internal/web/cascade"
)

// TestPages: every page in both languages, without anything inline and without an
// address elsewhere, marked, under the policy for forms.
func TestPages(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	cfg.Base = "/cascade"
	w := open(t, cfg)
	w.brief("cranes")
	id := w.run(asked("grid", "512", "18446744073709551615"))
	inline := regexp.MustCompile(`(?i)<style|<script[^>]*>[^<]|\sstyle=|\son[a-z]+=|https?:`)
	for _, path := range []string{"/", "/scenario/cranes/", "/scenario/grid/", "/scenario/cranes/measures", "/scenario/cranes/sure", "/runs", "/result/" + id, "/graph", "/graph?by=owner", "/graph?by=sector&open=transport", "/map", "/map?scenario=grid", "/method"} {
		for _, lang := range []string{"en", "fr"} {
			rec := w.do("GET", "/"+lang+path, nil)
			body := rec.Body.String()
			if rec.Code != http.StatusOK || !strings.Contains(body, `<html lang="`+lang+`" class="synthetic">`) || !strings.Contains(body, "SYNTHETIC") {
				t.Errorf("%s%s answers %d\n%s", lang, path, rec.Code, body)
			}
			if found := inline.FindString(body); found != "" {
				t.Errorf("%s%s has %q", lang, path, found)
			}
			if policy := rec.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "unsafe") {
				t.Errorf("the policy is %q", policy)
			}
		}
	}
	for _, path := range []string{"/en/nothing", "/de/", "/en/scenario/none/", "/en/result/run-99", "/en/result/run-99/now", "/en/result/brief-cranes", "/en/result/brief-cranes/json", "/en/graph?by=colour", "/en/graph?open=nothing", "/en/map?scenario=none"} {
		w.get(path, http.StatusNotFound)
	}
	w.get("/en/?budget=none", http.StatusUnprocessableEntity)
	if rec := w.do("GET", "/", nil); rec.Code != http.StatusFound || rec.Header().Get("Location") != "/cascade/en/" {
		t.Errorf("the root answers %d to %q", rec.Code, rec.Header().Get("Location"))
	}
	// What is behind a page that is not there yet leads to it.
	if rec := w.do("GET", "/en/scenario/grid/sure?budget=7", nil); rec.Header().Get("Location") != "/cascade/en/scenario/grid/?budget=7" {
		t.Errorf("leads to %q", rec.Header().Get("Location"))
	}
}

func TestRefusedForms(t *testing.T) {
	t.Parallel()
	w := open(t, harbour(t))
	for name, form := range map[string]url.Values{
		"no scenario":      asked("", "512", "1"),
		"another scenario": asked("none", "512", "1"),
		"no trials":        asked("cranes", "0", "1"),
		"too many trials":  asked("cranes", "131073", "1"),
		"rubbish":          asked("cranes", "NaN", "1"),
		"a negative seed":  asked("cranes", "512", "-1"),
		"another measure":  asked("cranes", "512", "1", "none"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if rec := w.do("POST", "/en/runs", form); rec.Code != http.StatusUnprocessableEntity {
				t.Errorf("answers %d", rec.Code)
			}
		})
	}
	for path, form := range map[string]url.Values{
		"/en/compare":          {"a": {"run-1"}, "b": {"run-2"}},
		"/en/scenario/cranes/": {"budget": {"0"}},
	} {
		if rec := w.do("POST", path, form); rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s answers %d", path, rec.Code)
		}
	}
	if rec := w.do("POST", "/en/result/run-7/end", url.Values{}); rec.Code != http.StatusNotFound {
		t.Errorf("answers %d", rec.Code)
	}
	if rec := w.do("POST", "/en/runs", url.Values{"seed": {strings.Repeat("1", 1<<17)}}); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("a form of 128 KiB answers %d", rec.Code)
	}
}

// TestOneAtATime: a second run is refused while one is under way; the one under way
// is ended, says what it knows, and has no result_hash; then the next may begin.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	cfg := large(t, 2000)
	w := open(t, cfg)
	place := w.post("/en/runs", asked("s", "131072", "1"))
	id := strings.TrimPrefix(place, "/en/result/")
	if rec := w.do("POST", "/en/runs", asked("s", "512", "1")); rec.Code != http.StatusConflict {
		t.Errorf("a second run answers %d", rec.Code)
	}
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		body := w.get("/en/result/"+id+"/now", http.StatusOK)
		if strings.Contains(body, "simulating") && !strings.Contains(body, `"percent":0`) {
			break
		}
		if time.Since(begin) > time.Minute || strings.Contains(body, `"over":true`) {
			t.Fatalf("it says %s", body)
		}
	}
	if body := w.get(place, http.StatusOK); !strings.Contains(body, "<progress") || !strings.Contains(body, place+"/end") {
		t.Error("the page of a run under way has neither progress nor a way to end it")
	}
	if at := w.post(place+"/end", nil); at != place {
		t.Errorf("leads to %q", at)
	}
	w.wait(id)
	got := words(w.get(place, http.StatusOK))
	if !regexp.MustCompile(`It was ended\..* of [0-9,]+ of 131,072 cases, and has no result_hash`).MatchString(got) || regexp.MustCompile(`result_hash:? [0-9a-f]{64}`).MatchString(got) {
		t.Errorf("the page says %s", got)
	}
	if id := w.run(asked("s", "512", "1")); id != "run-2" {
		t.Errorf("the next run is %q", id)
	}
}

// TestKept: what was asked for is kept up to a number, and what was prepared is there
// before anybody asks.
func TestKept(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	cfg.Prepare = true
	w := open(t, cfg)
	w.wait("brief-cranes")
	w.wait("brief-grid")
	if !strings.Contains(w.get("/en/", http.StatusOK), "of critical service stops") {
		t.Error("the page was not prepared")
	}
	for range 41 {
		w.run(asked("cranes", "1", "1"))
	}
	w.get("/en/result/run-1", http.StatusNotFound)
	w.get("/en/result/run-2", http.StatusOK)
	if n := strings.Count(w.get("/en/runs", http.StatusOK), "<li><a href=\"/en/result/"); n != 40 {
		t.Errorf("%d runs are listed", n)
	}
	w.get("/en/scenario/grid/sure", http.StatusOK)
}

// TestMakesWay: what nobody asked for makes way for what somebody does, and is worked
// out all the same afterwards.
func TestMakesWay(t *testing.T) {
	t.Parallel()
	cfg := large(t, 200)
	cfg.Prepare = true
	w := open(t, cfg)
	for !strings.Contains(w.get("/en/result/brief-s/now", http.StatusOK), "Working") {
		time.Sleep(time.Millisecond)
	}
	w.run(asked("s", "512", "1"))
	if body := w.get("/en/result/brief-s/now", http.StatusOK); strings.Contains(body, `"over":true`) {
		t.Errorf("the page was done before the run: %s", body)
	}
	w.wait("brief-s")
	if !strings.Contains(w.get("/en/", http.StatusOK), "of critical service stops") {
		t.Error("the page was not worked out after all")
	}
}

// TestBudget: another budget is another page, and the first one stays.
func TestBudget(t *testing.T) {
	t.Parallel()
	w := open(t, harbour(t))
	w.brief("cranes")
	if place := w.post("/en/scenario/cranes/", url.Values{"budget": {"1"}}); place != "/en/scenario/cranes/?budget=1" {
		t.Errorf("leads to %q", place)
	}
	w.wait("brief-cranes-1")
	w.says("/en/scenario/cranes/?budget=1", "Chosen for 1 units", "Updates tried first")
	w.says("/en/scenario/cranes/", "Chosen for 4 units")
	w.says("/en/scenario/cranes/measures?budget=1", "This is what 1 units buy")
}

func TestNoMeasures(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	cfg.Measures, cfg.Chart = nil, nil
	w := open(t, cfg)
	w.brief("cranes")
	w.says("/en/", "No measures are listed, so nothing can be said of what would help.")
	w.says("/en/scenario/cranes/measures", "No measures are listed")
	w.get("/en/map", http.StatusNotFound)
}

func TestRefusedConfig(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*page.Config){
		"no scenario":        func(c *page.Config) { c.Scenarios = nil },
		"twice the same":     func(c *page.Config) { c.Scenarios[1].ID = c.Scenarios[0].ID },
		"invented and real":  func(c *page.Config) { c.Chart.Real = true },
		"names are missing":  func(c *page.Config) { c.Register.Names = nil },
		"no graph":           func(c *page.Config) { c.Register.Graph = nil },
		"of another graph":   func(c *page.Config) { c.Scenarios[0].Outlook.Graph = nil },
		"a name that is not": func(c *page.Config) { c.Scenarios[0].ID = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := harbour(t)
			change(&cfg)
			if pages, err := page.New(cfg); err == nil {
				pages.Close()
				t.Error("it was taken")
			} else if name == "invented and real" && errs.Describe(err).Kind != errs.Invalid {
				t.Error(err)
			}
		})
	}
}

// cytoscape is what npm's release has: SHA-256 of dist/cytoscape.esm.min.mjs.
const cytoscape = "aa33b0103bbdb721aeb1506000cb6e056692400baba7264c552d000b09da01f2"

// TestLibrary: the library that is served is the unmodified release, compressed for
// who takes it so and unpacked for others.
func TestLibrary(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("library/cytoscape.esm.min.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != cytoscape {
		t.Errorf("the file has the digest %x", sum)
	}
	w := open(t, harbour(t))
	place := regexp.MustCompile(`data-module="([^"]*)"`).FindStringSubmatch(w.get("/en/graph", http.StatusOK))
	if place == nil {
		t.Fatal("the page names no library")
	}
	for accept, packed := range map[string]bool{"gzip, br": true, "br;q=1, gzip;q=0.5": true, "": false, "br": false, "gzip;q=0": false} {
		r := httptest.NewRequest("GET", place[1], nil)
		r.Header.Set("Accept-Encoding", accept)
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if got := rec.Header().Get("Content-Encoding") == "gzip"; got != packed || !slices.Contains(rec.Header().Values("Vary"), "Accept-Encoding") {
			t.Errorf("with %q: packed %v, %v", accept, got, rec.Header())
		}
		if packed {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(body, raw) {
			t.Errorf("with %q other bytes are served", accept)
		}
	}
}
