package daphttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"muster/dap"
	"muster/internal/errs"
)

// ClientConfig is how a host is reached. Endpoint and TLS are needed; every
// other field has a default.
type ClientConfig struct {
	Endpoint dap.URL     // the host's, as the task configuration has it
	TLS      *tls.Config // see [ClientTLS]

	Attempts int           // for one request, the first included; zero: 8
	Backoff  time.Duration // the pause after the first failure, doubled with each; zero: 250 ms
	MaxPause time.Duration // between two attempts; a host that wants more is not waited for; zero: 30 s
	Timeout  time.Duration // of one attempt; zero: 150 s
	Patience time.Duration // for a whole call, all attempts and asking again included; zero: 10 minutes

	Sleep  func(context.Context, time.Duration) error // nil: really
	Jitter func() float64                             // in [0, 1); nil: math/rand/v2
	Now    func() time.Time                           // nil: time.Now
}

// client speaks to one host. It may be used concurrently.
type client struct {
	cfg  ClientConfig
	base *url.URL
	http *http.Client
}

func newClient(cfg ClientConfig) (*client, error) {
	base, err := parseEndpoint(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	if cfg.TLS == nil || cfg.TLS.VerifyConnection == nil {
		return nil, errors.New("daphttp: a client needs the TLS configuration that ClientTLS returns")
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 8
	}
	for field, value := range map[*time.Duration]time.Duration{
		&cfg.Backoff: 250 * time.Millisecond, &cfg.MaxPause: 30 * time.Second, &cfg.Timeout: 150 * time.Second, &cfg.Patience: 10 * time.Minute,
	} {
		if *field == 0 {
			*field = value
		}
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &client{cfg: cfg, base: base, http: &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // a pinned connection ends at the host: no proxy of the environment is asked
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig:        cfg.TLS.Clone(),
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
			MaxConnsPerHost:        8,
			IdleConnTimeout:        90 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes connections that nobody uses.
func (c *client) Close() { c.http.CloseIdleConnections() }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// call is one request, as often as it takes.
type call struct {
	method  string
	url     *url.URL
	media   dap.MediaType // of body
	body    []byte
	answers dap.MediaType // what a body of the answer must be
	limit   int64         // bytes of it
}

// at returns the URL of a resource.
func (c *client) at(pattern string, task dap.TaskID) *url.URL {
	u := *c.base
	u.Path = basePath(c.base) + expand(pattern, task, "")
	return &u
}

// do makes a call until it has an answer or a refusal that stands.
func (c *client) do(ctx context.Context, q call) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Patience)
	defer cancel()
	pause := c.cfg.Backoff
	for attempt := 1; ; attempt++ {
		r, err := c.once(ctx, q)
		again, ok := errors.AsType[*transient](err)
		if !ok {
			return r, err
		}
		// Half of the pause is by chance, so that all who were put off at once
		// do not come back at once.
		wait := pause/2 + time.Duration(c.cfg.Jitter()*float64(pause/2))
		wait = max(min(wait, c.cfg.MaxPause), again.after)
		if attempt == c.cfg.Attempts || wait > c.cfg.MaxPause || c.cfg.Sleep(ctx, wait) != nil {
			return reply{}, c.unwrap(again)
		}
		pause = min(2*pause, c.cfg.MaxPause)
	}
}

// create posts to a resource that makes another, and returns what that
// represents. A host may answer at once, or say where to ask again (DAP-18 3.1).
func (c *client) create(ctx context.Context, q call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Patience)
	defer cancel()
	q.method = http.MethodPost
	r, err := c.do(ctx, q)
	if err != nil || len(r.body) > 0 {
		return r.body, err
	}
	if r.location == "" {
		return nil, c.odd("answered without a body and without saying where to ask again")
	}
	q.method, q.media, q.body = http.MethodGet, "", nil
	for err == nil && len(r.body) == 0 {
		if r.location != "" {
			if q.url, err = c.locate(q.url, r.location); err != nil {
				return nil, err
			}
		}
		if err := c.cfg.Sleep(ctx, max(r.after, c.cfg.Backoff)); err != nil {
			return nil, errs.Wrap(err, errs.Unavailable, c.base.Host+" is still working on it", "the same request again goes on where this one stopped")
		}
		r, err = c.do(ctx, q)
	}
	return r.body, err
}

// locate returns where an unfinished resource is: at the same host, below its
// endpoint.
func (c *client) locate(asked *url.URL, location string) (*url.URL, error) {
	u, err := asked.Parse(location)
	if err != nil || u.Scheme != c.base.Scheme || u.Host != c.base.Host || u.User != nil || !strings.HasPrefix(u.Path, basePath(c.base)+"/tasks/") {
		return nil, c.odd("wants to be asked again at another place")
	}
	return u, nil
}

func (c *client) odd(what string) error {
	return errs.New(errs.Invalid, c.base.Host+" "+what, "its software differs from ours; nothing was changed here")
}

// reply is a successful answer.
type reply struct {
	body     []byte
	location string
	after    time.Duration
}

// transient is a failure after which the same request may succeed.
type transient struct {
	cause error
	after time.Duration // what the host asked for, or zero
}

func (t *transient) Error() string { return t.cause.Error() }

// unwrap returns what the caller gets once nobody tries any more.
func (c *client) unwrap(t *transient) error {
	if errs.KindOf(t.cause) != errs.Internal {
		return t.cause
	}
	return errs.Wrap(t.cause, errs.Unavailable, "no answer from "+c.base.Host, "check the network; the same request again does no harm")
}

// once makes one attempt.
func (c *client) once(ctx context.Context, q call) (reply, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, q.method, q.url.String(), bytes.NewReader(q.body))
	if err != nil {
		return reply{}, err
	}
	if q.media != "" {
		req.Header.Set("Content-Type", string(q.media))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, c.lost(outer, err)
	}
	defer resp.Body.Close()
	limit := q.limit
	if resp.StatusCode/100 != 2 {
		limit = dap.MaxProblemSize
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return reply{}, c.lost(outer, err)
	case int64(len(body)) > limit:
		return reply{}, c.odd(fmt.Sprintf("answered with more than %d bytes", limit))
	}
	r := reply{body: body, location: resp.Header.Get("Location"), after: c.retryAfter(resp.Header)}
	switch {
	case resp.StatusCode/100 == 2:
		if got, ok := mediaOf(resp.Header); len(body) > 0 && (!ok || got != q.answers) {
			return reply{}, c.odd("answered with another media type than " + string(q.answers))
		}
		return r, nil
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable, resp.StatusCode == http.StatusRequestTimeout:
		return reply{}, &transient{cause: refused(c.base.Host, resp.StatusCode, body), after: r.after}
	}
	return reply{}, refused(c.base.Host, resp.StatusCode, body)
}

// lost says what a failed connection means: a pin that does not fit will not
// fit the next time, a network may.
func (c *client) lost(ctx context.Context, err error) error {
	if errors.Is(err, errPin) {
		return errs.Wrap(err, errs.Denied, c.base.Host+" shows another TLS key than the charter pins", "nothing was sent; ask the host, over another channel, what happened to its key")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" { // a TLS alert
		return errs.Wrap(err, errs.Denied, c.base.Host+" refuses this TLS connection", "it wants TLS 1.3 and, where a certificate is shown, the key that the charter pins")
	}
	if ctx.Err() != nil {
		return errs.Wrap(err, errs.Unavailable, "no answer from "+c.base.Host+" in time", "the same request again does no harm")
	}
	return &transient{cause: err}
}

// retryAfter reads the header in both of its forms (RFC 9110, 10.2.3).
func (c *client) retryAfter(h http.Header) time.Duration {
	const day = 24 * time.Hour
	text := h.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, day)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(c.cfg.Now()), 0), day)
	}
	return 0
}
