package httpd

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// CoordinatorState is what a coordinator's metrics read of its database. It names
// nobody.
type CoordinatorState struct {
	Cycles    map[string]int // how many are in which phase
	Requests  int            // that are open
	Questions int            // that wait, of cycles that have not ended
	Lines     int64          // of the record
}

// CoordinatorMetricsConfig is what a coordinator's metrics are made of.
type CoordinatorMetricsConfig struct {
	Version string                                          // of the program
	Phases  []string                                        // every phase that there is
	Read    func(context.Context) (CoordinatorState, error) // reads the database
	Now     func() time.Time
	Log     *slog.Logger
}

// CoordinatorMetrics are a coordinator's, for Prometheus. docs/ops/metrics.md lists
// them all. No label and no value comes from a reader or names anybody.
type CoordinatorMetrics struct {
	cfg     CoordinatorMetricsConfig
	counted *metrics.Set
	state   kept[CoordinatorState]
}

// NewCoordinatorMetrics returns the metrics of a coordinator.
func NewCoordinatorMetrics(cfg CoordinatorMetricsConfig) *CoordinatorMetrics {
	m := &CoordinatorMetrics{cfg: cfg, counted: metrics.NewSet(), state: kept[CoordinatorState]{fetch: cfg.Read, now: cfg.Now, log: cfg.Log}}
	m.counted.NewGauge(series("muster_coordinator_info", "version", cfg.Version), func() float64 { return 1 })
	return m
}

// Request counts a request. route is the pattern of its page, with its method, or empty
// where there is no such page.
func (m *CoordinatorMetrics) Request(route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.counted.GetOrCreateCounter(series("muster_coordinator_requests_total", "route", route, "status", strconv.Itoa(status))).Inc()
	m.counted.GetOrCreatePrometheusHistogramExt(series("muster_coordinator_request_duration_seconds", "route", route),
		[]float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10}).Update(took.Seconds())
}

// Handler answers scrapes, two at once; a third is told to come again.
func (m *CoordinatorMetrics) Handler() http.Handler { return scraped(m.write) }

// write writes all there is in the text format.
func (m *CoordinatorMetrics) write(w io.Writer) error {
	var lines bytes.Buffer
	m.counted.WritePrometheus(&lines)
	state, err := m.state.current()
	sample(&lines, series("muster_coordinator_database_up"), truth(err == nil))
	if err == nil {
		for _, phase := range m.cfg.Phases {
			sample(&lines, series("muster_coordinator_cycles", "phase", phase), float64(state.Cycles[phase]))
		}
		sample(&lines, series("muster_coordinator_requests_open"), float64(state.Requests))
		sample(&lines, series("muster_coordinator_questions_open"), float64(state.Questions))
		sample(&lines, series("muster_coordinator_record_lines"), float64(state.Lines))
	}
	metrics.WriteProcessMetrics(&lines)
	metrics.WriteFDMetrics(&lines)
	return writeExposition(w, coordinatorFamilies(), lines.Bytes())
}

// coordinatorFamilies lists the metrics of a coordinator, beside those of the runtime.
func coordinatorFamilies() []family {
	return []family{
		{"muster_coordinator_info", gauge, "Always 1: the program's version."},
		{"muster_coordinator_requests_total", counter, "Requests of people who have signed in that were answered, by page."},
		{"muster_coordinator_request_duration_seconds", histogram, "How long pages took."},
		{"muster_coordinator_database_up", gauge, "1 if the database could be read for this scrape, else 0; then the gauges of what it holds are missing."},
		{"muster_coordinator_cycles", gauge, "Cycles in each phase."},
		{"muster_coordinator_requests_open", gauge, "What somebody asked for that waits for others: keys, cancellations, releases."},
		{"muster_coordinator_questions_open", gauge, "Questions about cycles under way that wait for their answer."},
		{"muster_coordinator_record_lines", gauge, "Lines of the record."},
	}
}
