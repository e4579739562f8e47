package daphttp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/dap"
	"muster/internal/errs"
)

// Config is what the surfaces of both hosts are made of. Endpoint and HPKE are
// needed; every other field has a default.
type Config struct {
	Endpoint dap.URL            // the base URL as the task configurations have it
	HPKE     dap.HpkeConfigList // the host's keys for input shares, the best first

	MaxJobs     int           // verification jobs and collections at the same time; zero: twice the processors
	MaxRequests int           // all other requests at the same time; zero: 128
	Timeout     time.Duration // for one request's work; zero: 90 seconds

	// UploadsPerHour is how many submissions one source address may upload at
	// once, and again within an hour; at least [dap.MaxUploadReports]. A stranger
	// who fills the host's bound is slowed down by it, and seen. Zero: 360.
	UploadsPerHour int

	Observe func(Observation) // is told of every request; nil: nobody is. It may be called concurrently

	Log  *slog.Logger     // nil: nothing is logged
	Now  func() time.Time // for durations in the log; nil: time.Now
	Rand io.Reader        // draws the ids of requests; nil: crypto/rand.Reader
}

// party says who may use a resource: one of them, or any of several.
type party uint8

const (
	anyone      party = 0
	leader      party = 1 // the task's Leader, by its pin
	coordinator party = 2 // the task's coordinator, by its pin
	helper      party = 4 // the task's Helper, by its pin
)

func (p party) String() string {
	switch p {
	case anyone:
		return "anyone"
	case leader:
		return "the Leader"
	case coordinator:
		return "the coordinator"
	case helper:
		return "the Helper"
	}
	var names []string
	for _, one := range []party{leader, helper, coordinator} {
		if p&one != 0 {
			names = append(names, one.String())
		}
	}
	return strings.Join(names, " and ")
}

// task is one task of a host of type H.
type task[H any] struct {
	host H
	pins map[party]Pin
}

// A route is one method of one resource.
type route[H any] struct {
	method string
	path   string
	who    party
	body   content
	heavy  bool // counts against MaxJobs

	metered bool // what it uploads counts against UploadsPerHour
	do      func(context.Context, request[H]) (answer, error)
}

// content is what the body of a request must be; the zero content is no body.
type content struct {
	media dap.MediaType
	limit int64 // bytes
}

// request is a request whose task is known, whose sender may make it, and whose
// body is of the right type and size. host is empty where the path names no task.
type request[H any] struct {
	http *http.Request
	task dap.TaskID
	host H
	body []byte
}

// answer is what goes back if there is no error.
type answer struct {
	status   int // zero: 200
	media    dap.MediaType
	body     []byte
	location string // relative to the host's endpoint
	cache    time.Duration
	retry    time.Duration
}

// surface serves the tasks of one host.
type surface[H any] struct {
	Config
	base     string
	tasks    map[dap.TaskID]task[H]
	mux      *http.ServeMux
	jobs     chan struct{} // a place for each that runs
	requests chan struct{}
	sources  *sources // of uploads
}

// Observation is what is counted of a request. Nothing in it comes from the
// sender but the method, if it is one of HTTP's.
type Observation struct {
	Method   string
	Route    string // the pattern of the path with its method; empty where there is no such resource
	Status   int
	Duration time.Duration
	In, Out  int  // bytes of the bodies
	Limited  bool // an upload that was put off because of its source address
}

func newSurface[H any](cfg Config, tasks map[dap.TaskID]task[H], routes []route[H]) (*surface[H], error) {
	u, err := parseEndpoint(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	for id, t := range tasks {
		for who, pin := range t.pins {
			if pin == (Pin{}) {
				return nil, errs.New(errs.Invalid, fmt.Sprintf("the TLS key of %v of task %s is not pinned", who, id), "a cycle over a network needs a charter with pins")
			}
		}
	}
	if cfg.MaxJobs == 0 {
		cfg.MaxJobs = 2 * runtime.GOMAXPROCS(0)
	}
	if cfg.MaxRequests == 0 {
		cfg.MaxRequests = 128
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 90 * time.Second
	}
	if cfg.UploadsPerHour == 0 {
		cfg.UploadsPerHour = 360
	}
	if cfg.UploadsPerHour < dap.MaxUploadReports {
		return nil, fmt.Errorf("daphttp: %d uploads an hour are less than one request may have, %d", cfg.UploadsPerHour, dap.MaxUploadReports)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	s := &surface[H]{
		Config: cfg, base: basePath(u), tasks: tasks, mux: http.NewServeMux(),
		jobs: make(chan struct{}, cfg.MaxJobs), requests: make(chan struct{}, cfg.MaxRequests),
		sources: newSources(cfg.UploadsPerHour),
	}
	methods := make(map[string][]string)
	for _, r := range routes {
		s.mux.HandleFunc(r.method+" "+s.base+r.path, func(w http.ResponseWriter, req *http.Request) { s.serve(w.(*recorder), req, r) })
		methods[r.path] = append(methods[r.path], r.method)
	}
	for path, allowed := range methods {
		slices.Sort(allowed)
		s.mux.HandleFunc(s.base+path, func(w http.ResponseWriter, _ *http.Request) {
			s.refuse(w.(*recorder), &refusal{status: http.StatusMethodNotAllowed, detail: "this resource has other methods", allow: strings.Join(allowed, ", ")})
		})
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.refuse(w.(*recorder), errNoResource()) })
	return s, nil
}

func errNoResource() error {
	return &refusal{status: http.StatusNotFound, detail: "there is no such resource"}
}

// ServeHTTP gives the request an id, answers it and logs it.
func (s *surface[H]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := s.Now()
	var id [8]byte
	if _, err := io.ReadFull(s.Rand, id[:]); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		s.Log.Error("draw the id of a request", "cause", err)
		return
	}
	rec := &recorder{ResponseWriter: w, id: hex.EncodeToString(id[:]), method: r.Method}
	defer func() {
		if v := recover(); v != nil {
			s.refuse(rec, panicError(v))
		}
		took := s.Now().Sub(began)
		rec.log(r.Context(), s.Log, took)
		if s.Observe != nil {
			s.Observe(Observation{Method: knownMethod(rec.method), Route: rec.route, Status: rec.status, Duration: took, In: rec.in, Out: rec.out, Limited: rec.limited})
		}
	}()
	if path.Clean(r.URL.Path) != r.URL.Path { // the mux would redirect
		s.refuse(rec, errNoResource())
		return
	}
	s.mux.ServeHTTP(rec, r)
}

// panicError keeps of a panic what holds nothing of anybody's: the runtime's
// own words, or the type of the value.
func panicError(v any) error {
	if err, ok := v.(runtime.Error); ok {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic with a %T", v)
}

// serve takes a request through what every route has in common: task, sender,
// places, body.
func (s *surface[H]) serve(rec *recorder, r *http.Request, rt route[H]) {
	rec.route = rt.method + " " + rt.path
	ctx, cancel := context.WithTimeout(r.Context(), s.Timeout)
	defer cancel()
	in := request[H]{http: r}
	if strings.Contains(rt.path, "{task}") {
		t, err := s.find(r, rec)
		if err != nil {
			s.refuse(rec, err)
			return
		}
		who, err := t.admit(r, rt.who)
		if err != nil {
			s.refuse(rec, err)
			return
		}
		if who != anyone {
			rec.peer = who.String()
		}
		in.task, in.host = *rec.task, t.host
	}
	leave, err := s.enter(rt.heavy)
	if err != nil {
		s.refuse(rec, err)
		return
	}
	defer leave()
	if in.body, err = readBody(rec, r, rt.body); err != nil {
		s.refuse(rec, err)
		return
	}
	rec.in = len(in.body)
	if rt.metered {
		if err := s.admitUpload(rec, r, in.body); err != nil {
			s.refuse(rec, err)
			return
		}
	}
	out, err := rt.do(ctx, in)
	if err != nil {
		s.refuse(rec, unavailable(ctx, err))
		return
	}
	s.answer(rec, out)
}

// find returns the task that the path names.
func (s *surface[H]) find(r *http.Request, rec *recorder) (task[H], error) {
	id, err := dap.ParseTaskID(r.PathValue("task"))
	if err != nil {
		return task[H]{}, dap.NewProblem(dap.ProblemUnrecognizedTask, "the path names no task id")
	}
	t, ok := s.tasks[id]
	if !ok {
		return task[H]{}, dap.NewProblem(dap.ProblemUnrecognizedTask, "").ForTask(id)
	}
	rec.task = &id
	return t, nil
}

// admit checks the sender by the key that it showed in the handshake, and returns
// which of the parties it is.
func (t task[H]) admit(r *http.Request, who party) (party, error) {
	if who == anyone {
		return anyone, nil
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		shown := PinOf(r.TLS.PeerCertificates[0])
		for _, p := range []party{leader, helper, coordinator} {
			if pin, ok := t.pins[p]; ok && who&p != 0 && pin.equal(shown) {
				return p, nil
			}
		}
	}
	return anyone, errs.New(errs.Denied, fmt.Sprintf("this resource is for %v", who), "connect with the certificate whose key the charter pins")
}

// enter takes a place for a request; leave gives it back.
func (s *surface[H]) enter(heavy bool) (leave func(), err error) {
	places, what := s.requests, "requests"
	if heavy {
		places, what = s.jobs, "jobs"
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, errs.New(errs.Unavailable, fmt.Sprintf("%d %s are being worked on, and this host takes no more at a time", cap(places), what), "try again shortly")
	}
}

// readBody reads a body of the right type and at most the limit.
func readBody(rec *recorder, r *http.Request, want content) ([]byte, error) {
	if want.media == "" {
		return nil, nil // what comes with a GET or a DELETE has no meaning
	}
	if got, ok := mediaOf(r.Header); !ok || got != want.media {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, detail: "the body has another media type than " + string(want.media)}
	}
	tooLarge := &refusal{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("the body has more than %d bytes", want.limit)}
	if r.ContentLength > want.limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(rec.ResponseWriter, r.Body, want.limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &refusal{status: http.StatusRequestTimeout, detail: "the body came too slowly"}
	case err != nil:
		return nil, dap.NewProblem(dap.ProblemInvalidMessage, "the body broke off")
	}
	return body, nil
}

// mediaOf returns the media type of a message. A body that is encoded once
// more, compressed for instance, has none that we take.
func mediaOf(h http.Header) (dap.MediaType, bool) {
	if e := h.Get("Content-Encoding"); e != "" && e != "identity" {
		return "", false
	}
	header := h.Get("Content-Type")
	if base, params, err := mime.ParseMediaType(header); err == nil && base == string(mediaJSON) {
		charset, named := params["charset"]
		return mediaJSON, len(params) == 0 || len(params) == 1 && named && strings.EqualFold(charset, "utf-8")
	}
	m, err := dap.ParseMediaType(header)
	return m, err == nil
}

func (s *surface[H]) answer(rec *recorder, a answer) {
	h := rec.Header()
	if a.media != "" && len(a.body) > 0 {
		h.Set("Content-Type", string(a.media))
	}
	if a.location != "" {
		h.Set("Location", s.base+a.location)
	}
	if a.cache > 0 {
		h.Set("Cache-Control", "max-age="+seconds(a.cache))
	} else {
		h.Set("Cache-Control", "no-store")
	}
	if a.retry > 0 {
		h.Set("Retry-After", seconds(a.retry))
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	rec.send(a.status, a.body)
}

// refuse answers with a problem document.
func (s *surface[H]) refuse(rec *recorder, err error) {
	d := documentOf(err, rec.id, rec.task)
	rec.fault(err, d.problem)
	if rec.status != 0 {
		return // too late: the answer has begun
	}
	body, err := d.encode()
	if err != nil {
		body = nil
	}
	h := rec.Header()
	h.Set("Content-Type", string(dap.MediaProblem))
	h.Set("Cache-Control", "no-store")
	if d.allow != "" {
		h.Set("Allow", d.allow)
	}
	if d.retry > 0 {
		h.Set("Retry-After", seconds(d.retry))
	}
	rec.send(d.problem.Status, body)
}

// seconds returns a duration for a header, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
