package httpd

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// keepFor is how long what was read of the database answers further scrapes.
const keepFor = 10 * time.Second

// HostState is what a host's metrics read of its database. It names cohorts, and
// no member.
type HostState struct {
	Cohorts []CohortState
	Record  int // lines of the host's record
}

// CohortState is one cohort's.
type CohortState struct {
	Cohort   string
	Phase    string
	Deadline time.Time
	Wipe     time.Time
	Members  int // of the cohort
	Minimum  int // from how many submissions on the batch is collected

	Receipts, Delivered, Complete, Uploads, Unclaimed, SetAside int
	Jobs, JobsDone, Accepted, Rejected                          int

	Collection string // "none", "asked" or "answered"
	Driven     bool   // whether a process holds the lease
}

// HostMetricsConfig is what a host's metrics are made of.
type HostMetricsConfig struct {
	Role    string                                   // "leader" or "helper"
	Version string                                   // of the program
	Read    func(context.Context) (HostState, error) // reads the database
	Phases  []string                                 // every phase that there is
	Now     func() time.Time
	Log     *slog.Logger
}

// HostMetrics are a host's, for Prometheus: counters of this process, and gauges
// read from the database when they are asked for. docs/ops/metrics.md lists
// them all. No label and no value comes from a sender or names a member.
type HostMetrics struct {
	counted *metrics.Set
	gauges  hostGauges
}

// NewHostMetrics returns the metrics of a host.
func NewHostMetrics(cfg HostMetricsConfig) *HostMetrics {
	m := &HostMetrics{counted: metrics.NewSet(), gauges: hostGauges{cfg: cfg, state: kept[HostState]{fetch: cfg.Read, now: cfg.Now, log: cfg.Log}}}
	m.counted.NewGauge(series("muster_host_info", "role", cfg.Role, "version", cfg.Version), func() float64 { return 1 })
	for _, result := range []string{FreezeDone, FreezeRefused, FreezeFailed} {
		m.counted.NewCounter(series("muster_host_freeze_attempts_total", "result", result))
	}
	for _, direction := range []string{"in", "out"} {
		m.bytes(direction)
	}
	m.limited()
	return m
}

// The results of a freeze that a host tries by itself.
const (
	FreezeDone    = "done"
	FreezeRefused = "refused" // the lists differ, or a submission was not accepted
	FreezeFailed  = "failed"  // the other host did not answer, or something broke
)

// Request counts a request. route is the pattern of its path, with its method,
// or empty where there is no such resource.
func (m *HostMetrics) Request(route, method string, status int, took time.Duration, in, out int) {
	if route == "" {
		route = "none"
	}
	m.counted.GetOrCreateCounter(series("muster_host_requests_total", "method", method, "route", route, "status", strconv.Itoa(status))).Inc()
	m.counted.GetOrCreatePrometheusHistogramExt(series("muster_host_request_duration_seconds", "route", route),
		[]float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 90}).Update(took.Seconds())
	m.bytes("in").Add(in)
	m.bytes("out").Add(out)
}

// Limited counts an upload that was put off.
func (m *HostMetrics) Limited() { m.limited().Inc() }

// Freeze counts an attempt to freeze.
func (m *HostMetrics) Freeze(result string) {
	m.counted.GetOrCreateCounter(series("muster_host_freeze_attempts_total", "result", result)).Inc()
}

func (m *HostMetrics) bytes(direction string) *metrics.Counter {
	return m.counted.GetOrCreateCounter(series("muster_host_request_bytes_total", "direction", direction))
}

func (m *HostMetrics) limited() *metrics.Counter {
	return m.counted.GetOrCreateCounter("muster_host_uploads_limited_total")
}

// Handler answers scrapes, two at once; a third is told to come again.
func (m *HostMetrics) Handler() http.Handler { return scraped(m.write) }

// scraped answers scrapes with what write writes.
func scraped(write func(io.Writer) error) http.Handler {
	scrapes := make(chan struct{}, 2)
	return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case scrapes <- struct{}{}:
			defer func() { <-scrapes }()
		default:
			http.Error(w, "two scrapes are under way", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", expositionType)
		_ = write(w) // what a scraper did not take, it asks for again
	}), readyTimeout, "the metrics took too long")
}

// write writes all there is in the text format.
func (m *HostMetrics) write(w io.Writer) error {
	var lines bytes.Buffer
	m.counted.WritePrometheus(&lines)
	m.gauges.write(&lines)
	metrics.WriteProcessMetrics(&lines)
	metrics.WriteFDMetrics(&lines)
	return writeExposition(w, hostFamilies(), lines.Bytes())
}

// hostFamilies lists the metrics of a host, beside those of the runtime.
func hostFamilies() []family {
	families := []family{
		{"muster_host_info", gauge, "Always 1: this host's role and the program's version."},
		{"muster_host_requests_total", counter, "Requests of members, the other host and the coordinator that were answered."},
		{"muster_host_request_duration_seconds", histogram, "How long requests took."},
		{"muster_host_request_bytes_total", counter, "Bytes of bodies that came in and went out."},
		{"muster_host_uploads_limited_total", counter, "Uploads that were put off because of what their source address had uploaded before."},
		{"muster_host_freeze_attempts_total", counter, "How often this process froze and added up by itself, by what came of it."},
		{"muster_host_database_up", gauge, "1 if the database could be read for this scrape, else 0; then the gauges of cohorts are missing."},
		{"muster_host_record_lines", gauge, "Lines of this host's record."},
		{"muster_host_phase", gauge, "1 for the phase in which the cohort's task is, 0 for the others."},
	}
	for _, g := range cohortGauges() {
		families = append(families, family{g.name, gauge, g.help})
	}
	return families
}

// hostGauges are what the database holds.
type hostGauges struct {
	cfg   HostMetricsConfig
	state kept[HostState]
}

// kept reads a database when it is asked, at most every keepFor.
type kept[T any] struct {
	fetch func(context.Context) (T, error)
	now   func() time.Time
	log   *slog.Logger

	mu    sync.Mutex // guards what is below; one read at a time
	state T
	read  time.Time
	err   error
}

// cohortGauge is one gauge of a cohort.
type cohortGauge struct {
	name, help string
	value      func(CohortState) float64
}

func cohortGauges() []cohortGauge {
	number := func(n int) float64 { return float64(n) }
	return []cohortGauge{
		{"muster_host_deadline_timestamp_seconds", "The deadline in force, seconds since 1970.", func(s CohortState) float64 { return float64(s.Deadline.Unix()) }},
		{"muster_host_wipe_timestamp_seconds", "The charter's day of wiping, seconds since 1970.", func(s CohortState) float64 { return float64(s.Wipe.Unix()) }},
		{"muster_host_members", "Members of the cohort.", func(s CohortState) float64 { return number(s.Members) }},
		{"muster_host_minimum_batch", "From how many submissions on the charter collects.", func(s CohortState) float64 { return number(s.Minimum) }},
		{"muster_host_receipts", "Receipts that members handed over, replaced ones included.", func(s CohortState) float64 { return number(s.Receipts) }},
		{"muster_host_members_delivered", "Members with a receipt that counts.", func(s CohortState) float64 { return number(s.Delivered) }},
		{"muster_host_members_complete", "Members whose last receipt has its upload here; at a Leader.", func(s CohortState) float64 { return number(s.Complete) }},
		{"muster_host_uploads", "Uploads that are stored; at a Leader.", func(s CohortState) float64 { return number(s.Uploads) }},
		{"muster_host_uploads_unclaimed", "Of these, those that no receipt names.", func(s CohortState) float64 { return number(s.Unclaimed) }},
		{"muster_host_receipts_set_aside", "Receipts that were set aside by decision.", func(s CohortState) float64 { return number(s.SetAside) }},
		{"muster_host_jobs", "Verification jobs that are planned; at a Leader.", func(s CohortState) float64 { return number(s.Jobs) }},
		{"muster_host_jobs_done", "Of these, those that are done.", func(s CohortState) float64 { return number(s.JobsDone) }},
		{"muster_host_submissions_accepted", "Submissions that were added up.", func(s CohortState) float64 { return number(s.Accepted) }},
		{"muster_host_submissions_rejected", "Submissions that were not accepted.", func(s CohortState) float64 { return number(s.Rejected) }},
		{"muster_host_collected", "1 once this host's sum has left, or may have.", func(s CohortState) float64 { return truth(s.Collection != "none") }},
		{"muster_host_driven", "1 while a process holds the lease to drive the task.", func(s CohortState) float64 { return truth(s.Driven) }},
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// write writes the gauges as lines of the text format, without their families.
func (c *hostGauges) write(lines *bytes.Buffer) {
	state, err := c.state.current()
	sample(lines, series("muster_host_database_up"), truth(err == nil))
	if err != nil {
		return
	}
	sample(lines, series("muster_host_record_lines"), float64(state.Record))
	for _, s := range state.Cohorts {
		for _, phase := range c.cfg.Phases {
			sample(lines, series("muster_host_phase", "cohort", s.Cohort, "phase", phase), truth(s.Phase == phase))
		}
		for _, g := range cohortGauges() {
			sample(lines, series(g.name, "cohort", s.Cohort), g.value(s))
		}
	}
}

// current returns what the database holds, read within the last keepFor.
func (k *kept[T]) current() (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if age := now.Sub(k.read); !k.read.IsZero() && age >= 0 && age < keepFor {
		return k.state, k.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	k.state, k.err = k.fetch(ctx)
	k.read = now
	if k.err != nil {
		k.log.LogAttrs(ctx, slog.LevelWarn, "the database could not be read for metrics", slog.Any("cause", k.err))
	}
	return k.state, k.err
}
