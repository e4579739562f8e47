package httpd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/httpd"
)

// state is what a database could hold; every gauge has a value of its own.
func state() httpd.HostState {
	return httpd.HostState{Record: 3, Cohorts: []httpd.CohortState{{
		Cohort: "allies", Phase: "frozen", Deadline: time.Unix(1000, 0), Wipe: time.Unix(2000, 0), Members: 32, Minimum: 22,
		Receipts: 41, Delivered: 30, Complete: 29, Uploads: 42, Unclaimed: 2, SetAside: 1, Jobs: 7, JobsDone: 6, Accepted: 28, Rejected: 5,
		Collection: "asked", Driven: true,
	}}}
}

// metrics returns the metrics of a host that reads, and what a scrape says.
func metrics(read func(context.Context) (httpd.HostState, error), now func() time.Time, log *slog.Logger) (*httpd.HostMetrics, func() string) {
	m := httpd.NewHostMetrics(httpd.HostMetricsConfig{
		Role: "leader", Version: "v1", Read: read, Phases: []string{"open", "frozen"}, Now: now, Log: log,
	})
	return m, func() string {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		return w.Body.String()
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	var broken error
	var log bytes.Buffer
	reads, now := 0, time.Unix(5000, 0)
	m, scrape := metrics(func(context.Context) (httpd.HostState, error) { reads++; return state(), broken },
		func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
	m.Request("POST /tasks/{task}/reports", "POST", 200, 20*time.Millisecond, 100, 7)
	m.Request("", "GET", 404, time.Millisecond, 0, 3)
	m.Limited()
	m.Freeze(httpd.FreezeRefused)
	text := scrape()
	for _, want := range []string{
		`muster_host_info{role="leader",version="v1"} 1`,
		`muster_host_requests_total{method="POST",route="POST /tasks/{task}/reports",status="200"} 1`,
		`muster_host_requests_total{method="GET",route="none",status="404"} 1`,
		`muster_host_request_duration_seconds_bucket{route="POST /tasks/{task}/reports",le="0.03"} 1`,
		`muster_host_request_duration_seconds_bucket{route="POST /tasks/{task}/reports",le="0.01"} 0`,
		`muster_host_request_bytes_total{direction="in"} 100`, `muster_host_request_bytes_total{direction="out"} 10`,
		`muster_host_uploads_limited_total 1`,
		`muster_host_freeze_attempts_total{result="refused"} 1`, `muster_host_freeze_attempts_total{result="done"} 0`,
		`muster_host_database_up 1`, `muster_host_record_lines 3`,
		`muster_host_phase{cohort="allies",phase="frozen"} 1`, `muster_host_phase{cohort="allies",phase="open"} 0`,
		`muster_host_deadline_timestamp_seconds{cohort="allies"} 1000`, `muster_host_wipe_timestamp_seconds{cohort="allies"} 2000`,
		`muster_host_members{cohort="allies"} 32`, `muster_host_minimum_batch{cohort="allies"} 22`,
		`muster_host_receipts{cohort="allies"} 41`, `muster_host_members_delivered{cohort="allies"} 30`, `muster_host_members_complete{cohort="allies"} 29`,
		`muster_host_uploads{cohort="allies"} 42`, `muster_host_uploads_unclaimed{cohort="allies"} 2`, `muster_host_receipts_set_aside{cohort="allies"} 1`,
		`muster_host_jobs{cohort="allies"} 7`, `muster_host_jobs_done{cohort="allies"} 6`,
		`muster_host_submissions_accepted{cohort="allies"} 28`, `muster_host_submissions_rejected{cohort="allies"} 5`,
		`muster_host_collected{cohort="allies"} 1`, `muster_host_driven{cohort="allies"} 1`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	// Within ten seconds the database is not asked again.
	scrape()
	now = now.Add(9 * time.Second)
	scrape()
	if reads != 1 {
		t.Errorf("the database was read %d times", reads)
	}
	broken = errors.New("canary-9912 is down")
	now = now.Add(2 * time.Second)
	text = scrape()
	if !strings.Contains(text, "muster_host_database_up 0\n") || strings.Contains(text, "muster_host_members") || strings.Contains(text, "canary-9912") || !strings.Contains(log.String(), "canary-9912") {
		t.Errorf("with a broken database:\n%s", text)
	}
	now = now.Add(-time.Hour) // a clock that went back
	scrape()
	if reads != 3 {
		t.Errorf("the database was read %d times", reads)
	}
}

var metricRow = regexp.MustCompile("(?m)^\\| `(muster_host_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*) \\| (.*) \\|$")

var (
	metricFamily = regexp.MustCompile("(?m)^# HELP (muster_host_[a-z_]+) (.*)\n# TYPE muster_host_[a-z_]+ ([a-z]+)\n(.*)$")
	metricLabel  = regexp.MustCompile(`([a-z]+)="`)
)

// TestMetricsDocument holds the table of docs/ops/metrics.md to what there is.
func TestMetricsDocument(t *testing.T) {
	t.Parallel()
	m, scrape := metrics(func(context.Context) (httpd.HostState, error) { return state(), nil }, time.Now, slog.New(slog.DiscardHandler))
	m.Request("", "GET", 404, time.Millisecond, 0, 3)
	text := scrape()
	var want []string
	for _, f := range metricFamily.FindAllStringSubmatch(text, -1) {
		var labels []string
		for _, l := range metricLabel.FindAllStringSubmatch(f[4], -1) {
			if l[1] != "le" {
				labels = append(labels, "`"+l[1]+"`")
			}
		}
		want = append(want, fmt.Sprintf("%s, %s, %s: %s", f[1], f[3], strings.Join(labels, ", "), f[2]))
	}
	if n := strings.Count(text, "# HELP "); n != len(want) || n != strings.Count(text, "# TYPE muster_host_") {
		t.Errorf("%d of %d families are read", len(want), n)
	}
	slices.Sort(want)
	document, err := os.ReadFile("../../docs/ops/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range metricRow.FindAllStringSubmatch(string(document), -1) {
		got = append(got, fmt.Sprintf("%s, %s, %s: %s", row[1], row[2], strings.TrimSpace(row[3]), row[4]))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/ops/metrics.md (-there is +it says):\n%s", diff)
	}
}

// sampleLine is a line of the text format (prometheus.io, "Exposition formats",
// version 0.0.4): a name, labels whose values escape backslash, quote and line feed,
// and a number.
var sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*"(, ?|\}))+)? ([-+]?(Inf|[0-9.]+(e[-+]?[0-9]+)?)|NaN)$`)

// TestExposition holds what is written to the grammar: no series twice, the lines of
// a family together and after what says its type, a histogram that adds up.
func TestExposition(t *testing.T) {
	t.Parallel()
	odd := state()
	odd.Cohorts[0].Cohort = "a\"b\\c\nd é"
	m, scrape := metrics(func(context.Context) (httpd.HostState, error) { return odd, nil }, time.Now, slog.New(slog.DiscardHandler))
	for i := range 5 {
		m.Request("GET /x/{y}", "GET", 200, time.Duration(i)*time.Second, i, i)
	}
	seen, typed, family := map[string]bool{}, map[string]bool{}, ""
	for line := range strings.Lines(scrape()) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			family, _, _ = strings.Cut(name, " ")
			if typed[family] {
				t.Errorf("%s has its type twice", family)
			}
			typed[family] = true
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		if !sampleLine.MatchString(line) {
			t.Errorf("not in the grammar: %s", line)
		}
		name := line[:strings.LastIndexByte(line, ' ')]
		if seen[name] {
			t.Errorf("twice: %s", name)
		}
		seen[name] = true
		if strings.HasPrefix(name, "muster_") && !strings.HasPrefix(name, family) {
			t.Errorf("%s stands with %s", name, family)
		}
	}
	for _, want := range []string{
		`muster_host_request_duration_seconds_bucket{route="GET /x/{y}",le="1"} 2`, `muster_host_request_duration_seconds_bucket{route="GET /x/{y}",le="3"} 4`,
		`muster_host_request_duration_seconds_bucket{route="GET /x/{y}",le="+Inf"} 5`,
		`muster_host_request_duration_seconds_sum{route="GET /x/{y}"} 10`, `muster_host_request_duration_seconds_count{route="GET /x/{y}"} 5`,
		`muster_host_members{cohort="a\"b\\c\nd é"} 32`,
	} {
		if !strings.Contains(scrape(), "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, scrape())
		}
	}
}

// TestRuntimeMetrics wants those of the runtime and of the process that are watched
// everywhere.
func TestRuntimeMetrics(t *testing.T) {
	t.Parallel()
	_, scrape := metrics(func(context.Context) (httpd.HostState, error) { return state(), nil }, time.Now, slog.New(slog.DiscardHandler))
	text := scrape()
	for _, name := range []string{
		"go_goroutines", "go_memstats_heap_inuse_bytes", "process_cpu_seconds_total", "process_start_time_seconds", "process_open_fds",
	} {
		if n := strings.Count(text, "\n"+name+" "); n != 1 {
			t.Errorf("%s is there %d times in\n%s", name, n, text)
		}
	}
}

// TestScrapesAreFew has two scrapes wait for the database, and a third told to come
// again.
func TestScrapesAreFew(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}, 1), make(chan struct{})
	m, _ := metrics(func(context.Context) (httpd.HostState, error) {
		asked <- struct{}{}
		<-answer
		return state(), nil
	}, time.Now, slog.New(slog.DiscardHandler))
	handler := m.Handler()
	codes := make(chan int, 3)
	scrape := func() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		codes <- w.Code
	}
	for range 3 {
		go scrape()
	}
	<-asked
	if first := <-codes; first != 503 { // the one that did not get in
		t.Errorf("the third scrape is answered %d", first)
	}
	close(answer)
	if a, b := <-codes, <-codes; a != 200 || b != 200 {
		t.Errorf("the first two are answered %d and %d", a, b)
	}
}
