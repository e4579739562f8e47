package httpd

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	limited  prometheus.Counter
	freezes  *prometheus.CounterVec
}

// NewHostMetrics returns the metrics of a host.
func NewHostMetrics(cfg HostMetricsConfig) *HostMetrics {
	m := &HostMetrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_host_requests_total", Help: "Requests of members, the other host and the coordinator that were answered.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "muster_host_request_duration_seconds", Help: "How long requests took.",
			Buckets: []float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 90},
		}, []string{"route"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_host_request_bytes_total", Help: "Bytes of bodies that came in and went out.",
		}, []string{"direction"}),
		limited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "muster_host_uploads_limited_total", Help: "Uploads that were put off because of what their source address had uploaded before.",
		}),
		freezes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_host_freeze_attempts_total", Help: "How often this process froze and added up by itself, by what came of it.",
		}, []string{"result"}),
	}
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "muster_host_info", Help: "Always 1: this host's role and the program's version.",
	}, []string{"role", "version"})
	info.WithLabelValues(cfg.Role, cfg.Version).Set(1)
	for _, result := range []string{FreezeDone, FreezeRefused, FreezeFailed} {
		m.freezes.WithLabelValues(result)
	}
	for _, direction := range []string{"in", "out"} {
		m.bytes.WithLabelValues(direction)
	}
	m.registry.MustRegister(
		info, m.requests, m.seconds, m.bytes, m.limited, m.freezes, newHostCollector(cfg),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
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
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
	m.bytes.WithLabelValues("in").Add(float64(in))
	m.bytes.WithLabelValues("out").Add(float64(out))
}

// Limited counts an upload that was put off.
func (m *HostMetrics) Limited() { m.limited.Inc() }

// Freeze counts an attempt to freeze.
func (m *HostMetrics) Freeze(result string) { m.freezes.WithLabelValues(result).Inc() }

// Handler answers scrapes.
func (m *HostMetrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2, Timeout: readyTimeout})
}

// Gatherer is for whoever looks at the metrics without HTTP.
func (m *HostMetrics) Gatherer() prometheus.Gatherer { return m.registry }

// hostCollector reads the database when it is asked, at most every keepFor.
type hostCollector struct {
	cfg    HostMetricsConfig
	gauges []hostGauge
	up     *prometheus.Desc
	record *prometheus.Desc

	mu    sync.Mutex // guards what is below; one read at a time
	state HostState
	read  time.Time
	err   error
}

// hostGauge is one gauge of a cohort.
type hostGauge struct {
	desc  *prometheus.Desc
	value func(CohortState) float64
}

func newHostCollector(cfg HostMetricsConfig) *hostCollector {
	c := &hostCollector{
		cfg:    cfg,
		up:     prometheus.NewDesc("muster_host_database_up", "1 if the database could be read for this scrape, else 0; then the gauges of cohorts are missing.", nil, nil),
		record: prometheus.NewDesc("muster_host_record_lines", "Lines of this host's record.", nil, nil),
	}
	add := func(name, help string, value func(CohortState) float64) {
		c.gauges = append(c.gauges, hostGauge{prometheus.NewDesc("muster_host_"+name, help, []string{"cohort"}, nil), value})
	}
	number := func(n int) float64 { return float64(n) }
	add("deadline_timestamp_seconds", "The deadline in force, seconds since 1970.", func(s CohortState) float64 { return float64(s.Deadline.Unix()) })
	add("wipe_timestamp_seconds", "The charter's day of wiping, seconds since 1970.", func(s CohortState) float64 { return float64(s.Wipe.Unix()) })
	add("members", "Members of the cohort.", func(s CohortState) float64 { return number(s.Members) })
	add("minimum_batch", "From how many submissions on the charter collects.", func(s CohortState) float64 { return number(s.Minimum) })
	add("receipts", "Receipts that members handed over, replaced ones included.", func(s CohortState) float64 { return number(s.Receipts) })
	add("members_delivered", "Members with a receipt that counts.", func(s CohortState) float64 { return number(s.Delivered) })
	add("members_complete", "Members whose last receipt has its upload here; at a Leader.", func(s CohortState) float64 { return number(s.Complete) })
	add("uploads", "Uploads that are stored; at a Leader.", func(s CohortState) float64 { return number(s.Uploads) })
	add("uploads_unclaimed", "Of these, those that no receipt names.", func(s CohortState) float64 { return number(s.Unclaimed) })
	add("receipts_set_aside", "Receipts that were set aside by decision.", func(s CohortState) float64 { return number(s.SetAside) })
	add("jobs", "Verification jobs that are planned; at a Leader.", func(s CohortState) float64 { return number(s.Jobs) })
	add("jobs_done", "Of these, those that are done.", func(s CohortState) float64 { return number(s.JobsDone) })
	add("submissions_accepted", "Submissions that were added up.", func(s CohortState) float64 { return number(s.Accepted) })
	add("submissions_rejected", "Submissions that were not accepted.", func(s CohortState) float64 { return number(s.Rejected) })
	add("collected", "1 once this host's sum has left, or may have.", func(s CohortState) float64 { return truth(s.Collection != "none") })
	add("driven", "1 while a process holds the lease to drive the task.", func(s CohortState) float64 { return truth(s.Driven) })
	return c
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// phaseDesc describes the gauge of the phases, one of which is 1.
func phaseDesc() *prometheus.Desc {
	return prometheus.NewDesc("muster_host_phase", "1 for the phase in which the cohort's task is, 0 for the others.", []string{"cohort", "phase"}, nil)
}

// Describe implements [prometheus.Collector].
func (c *hostCollector) Describe(out chan<- *prometheus.Desc) {
	for _, g := range c.gauges {
		out <- g.desc
	}
	out <- c.up
	out <- c.record
	out <- phaseDesc()
}

// Collect implements [prometheus.Collector].
func (c *hostCollector) Collect(out chan<- prometheus.Metric) {
	state, err := c.current()
	out <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, truth(err == nil))
	if err != nil {
		return
	}
	out <- prometheus.MustNewConstMetric(c.record, prometheus.GaugeValue, float64(state.Record))
	for _, s := range state.Cohorts {
		for _, phase := range c.cfg.Phases {
			out <- prometheus.MustNewConstMetric(phaseDesc(), prometheus.GaugeValue, truth(s.Phase == phase), s.Cohort, phase)
		}
		for _, g := range c.gauges {
			out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(s), s.Cohort)
		}
	}
}

// current returns what the database holds, read within the last keepFor.
func (c *hostCollector) current() (HostState, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	if age := now.Sub(c.read); !c.read.IsZero() && age >= 0 && age < keepFor {
		return c.state, c.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	c.state, c.err = c.cfg.Read(ctx)
	c.read = now
	if c.err != nil {
		c.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "the database could not be read for metrics", slog.Any("cause", c.err))
	}
	return c.state, c.err
}
