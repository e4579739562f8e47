package httpd_test

import (
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

// What a coordinator's metrics say is what docs/ops/metrics.md lists, and a broken
// database shows without its words.
func TestCoordinatorMetrics(t *testing.T) {
	t.Parallel()
	var broken error
	now := time.Now()
	m := httpd.NewCoordinatorMetrics(httpd.CoordinatorMetricsConfig{
		Version: "v1", Phases: []string{"draft", "open"}, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Read: func(context.Context) (httpd.CoordinatorState, error) {
			return httpd.CoordinatorState{Cycles: map[string]int{"open": 1}, Requests: 2, Questions: 3, Lines: 400}, broken
		},
	})
	m.Request("GET /en/people", 200, 2*time.Millisecond)
	m.Request("", 404, time.Millisecond)
	scrape := func() string {
		rec := httptest.NewRecorder()
		m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
		return rec.Body.String()
	}
	text := scrape()
	for _, want := range []string{
		`muster_coordinator_info{version="v1"} 1`, `muster_coordinator_requests_total{route="GET /en/people",status="200"} 1`, `muster_coordinator_requests_total{route="none",status="404"} 1`,
		`muster_coordinator_request_duration_seconds_bucket{route="GET /en/people",le="0.003"} 1`, `muster_coordinator_cycles{phase="open"} 1`, `muster_coordinator_cycles{phase="draft"} 0`,
		`muster_coordinator_requests_open 2`, `muster_coordinator_questions_open 3`, `muster_coordinator_record_lines 400`, `muster_coordinator_database_up 1`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	var want []string
	for _, f := range regexp.MustCompile("(?m)^# HELP (muster_coordinator_[a-z_]+) (.*)\n# TYPE muster_coordinator_[a-z_]+ ([a-z]+)$").FindAllStringSubmatch(text, -1) {
		want = append(want, fmt.Sprintf("%s, %s: %s", f[1], f[3], f[2]))
	}
	document, err := os.ReadFile("../../docs/ops/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(muster_coordinator_[a-z_]+)` \\| ([a-z]+) \\| [^|]* \\| (.*) \\|$").FindAllStringSubmatch(string(document), -1) {
		got = append(got, fmt.Sprintf("%s, %s: %s", row[1], row[2], row[3]))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 8 {
		t.Errorf("docs/ops/metrics.md (-there is +it says):\n%s", diff)
	}
	broken = errors.New("canary-7713 is down")
	now = now.Add(time.Minute)
	if text := scrape(); !strings.Contains(text, "muster_coordinator_database_up 0\n") || strings.Contains(text, "muster_coordinator_cycles") || strings.Contains(text, "canary-7713") {
		t.Errorf("with a broken database:\n%s", text)
	}
}
