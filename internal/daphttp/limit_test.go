package daphttp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/errs"
)

// leaderHost returns host and port of the Leader.
func (n *network) leaderHost() string {
	host, _, _ := strings.Cut(strings.TrimPrefix(string(n.leaderURL), "https://"), "/")
	return host
}

// dial opens a connection of a member to the Leader that speaks HTTP/1.1.
func (n *network) dial() *tls.Conn {
	n.t.Helper()
	cfg := daphttp.ClientTLS(nil, pin(n.leaderCert))
	cfg.NextProtos = []string{"http/1.1"}
	conn, err := tls.Dial("tcp", n.leaderHost(), cfg)
	must(n.t, err)
	n.t.Cleanup(func() { conn.Close() })
	return conn
}

// TestSlow: whoever sends byte by byte is cut off, wherever it stops.
func TestSlow(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	n := newNetwork(t, setup{members: 3, server: func(c *daphttp.ServeConfig) {
		c.ReadHeader, c.Read, c.Idle = limit, limit, limit
	}})
	post := fmt.Sprintf("POST /leader/tasks/%s/reports HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n", n.Task().ID, dap.MediaUploadRequest)
	for name, sent := range map[string]string{
		"nothing":          "",
		"half a header":    "GET /leader/hpke_",
		"a header, open":   post,
		"half a body":      post + "\r\nxx",
		"after an answer":  "GET /leader/hpke_config HTTP/1.1\r\nHost: x\r\n\r\n",
		"a chunk, no more": strings.Replace(post, "Content-Length: 100", "Transfer-Encoding: chunked", 1) + "\r\n5\r\nxx",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := n.dial()
			_, err := io.WriteString(conn, sent)
			must(t, err)
			must(t, conn.SetReadDeadline(time.Now().Add(20*limit)))
			answer, err := io.ReadAll(conn)
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "reset") {
				t.Errorf("not cut off: %v after %q", err, answer)
			}
			if strings.Contains(name, "body") || strings.Contains(name, "chunk") {
				if !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
					t.Errorf("got %.60q, want 408", answer)
				}
			}
		})
	}
	t.Run("no handshake", func(t *testing.T) {
		t.Parallel()
		conn, err := net.Dial("tcp", n.leaderHost())
		must(t, err)
		defer conn.Close()
		must(t, conn.SetReadDeadline(time.Now().Add(20*limit)))
		if _, err := io.ReadAll(conn); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("not cut off: %v", err)
		}
	})
}

func TestTruncatedBody(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	conn := n.dial()
	_, err := fmt.Fprintf(conn, "POST /leader/tasks/%s/reports HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\nshort", n.Task().ID, dap.MediaUploadRequest)
	must(t, err)
	must(t, conn.CloseWrite())
	must(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	answer, _ := io.ReadAll(conn)
	if len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("got %.60q", answer)
	}
	// Nothing was kept, and the host goes on.
	must(t, n.Deliver(n.Seal("m000", 1, []uint64{0, 0, 0, 0})))
}

func TestHeaderSize(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	got, err := n.raw(exchange{method: "GET", url: string(n.leaderURL) + "/hpke_config", header: http.Header{"X": {strings.Repeat("x", 64<<10)}}})
	if err == nil && got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB: %d", got.status)
	}
}

// gate is a Helper whose jobs wait until they are let through.
type gate struct {
	daphttp.Helper
	entered chan struct{}
	open    chan struct{}
	calls   atomic.Int32
}

func (g *gate) AggregationJob(ctx context.Context, _ dap.TaskID, _ []byte) ([]byte, error) {
	g.calls.Add(1)
	g.entered <- struct{}{}
	select {
	case <-g.open:
		return []byte("done"), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *gate) PutReceipt(context.Context, coalition.SignedReceipt) error { panic("as it likes") }

// gated serves a gate at an address of its own.
func gated(t *testing.T, n *network, surface func(*daphttp.Config), server func(*daphttp.ServeConfig)) (g *gate, base dap.URL, stop func() error) {
	t.Helper()
	g = &gate{entered: make(chan struct{}, 10), open: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	base = dap.URL("https://" + l.Addr().String() + "/")
	cfg := daphttp.Config{Endpoint: base, HPKE: n.Task().HelperHPKE}
	if surface != nil {
		surface(&cfg)
	}
	h, err := daphttp.NewHelper(daphttp.HelperConfig{Config: cfg, Tasks: map[dap.TaskID]daphttp.HelperTask{n.Task().ID: {Helper: g, Leader: pin(n.leaderCert), Coordinator: pin(n.coordinatorCert)}}})
	must(t, err)
	serve := daphttp.ServeConfig{Handler: h, TLS: daphttp.ServerTLS(n.helperCert, pin(n.leaderCert)), Grace: 5 * time.Second}
	if server != nil {
		server(&serve)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- daphttp.Serve(ctx, l, serve) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { stop() })
	return g, base, stop
}

func gateClient(t *testing.T, n *network, base dap.URL, change func(*daphttp.ClientConfig)) *daphttp.HelperClient {
	t.Helper()
	cfg := daphttp.ClientConfig{Endpoint: base, TLS: daphttp.ClientTLS(&n.leaderCert, pin(n.helperCert))}
	if change != nil {
		change(&cfg)
	}
	c, err := daphttp.NewHelperClient(cfg)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestOnlySoManyJobs(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	g, base, _ := gated(t, n, func(c *daphttp.Config) { c.MaxJobs = 1 }, nil)
	var first sync.WaitGroup
	client := gateClient(t, n, base, func(c *daphttp.ClientConfig) { c.Attempts = 1 })
	first.Go(func() {
		if answer, err := client.AggregationJob(t.Context(), n.Task().ID, []byte("one")); err != nil || string(answer) != "done" {
			t.Errorf("the first job: %q, %v", answer, err)
		}
	})
	<-g.entered
	got := n.post(strings.TrimSuffix(string(base), "/")+"/tasks/"+n.Task().ID.String()+"/aggregation_jobs", dap.MediaAggregationJobInitReq, []byte("two"), &n.leaderCert)
	p := wantProblem(t, "a second job", got, http.StatusServiceUnavailable, dap.ProblemBlank)
	if got.header.Get("Retry-After") == "" || !strings.Contains(p.Detail, "1 jobs are being worked on") {
		t.Errorf("got %v %q", got.header, p.Detail)
	}
	if _, err := client.AggregationJob(t.Context(), n.Task().ID, []byte("three")); errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "1 jobs are being worked on") {
		t.Errorf("got %v", err)
	}
	// A job does not keep others out.
	if _, err := client.HpkeConfigs(t.Context()); err != nil {
		t.Error(err)
	}
	close(g.open)
	first.Wait()
	if g.calls.Load() != 1 {
		t.Errorf("%d jobs were begun", g.calls.Load())
	}
}

func TestOnlySoManyConnections(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3, server: func(c *daphttp.ServeConfig) { c.MaxConnections = 2 }})
	one, two := n.dial(), n.dial()
	cfg := daphttp.ClientTLS(nil, pin(n.leaderCert))
	// The third is accepted by the kernel and waits for its handshake.
	raw, err := net.Dial("tcp", n.leaderHost())
	must(t, err)
	defer raw.Close()
	third := tls.Client(raw, cfg)
	must(t, raw.SetDeadline(time.Now().Add(200*time.Millisecond)))
	if err := third.Handshake(); err == nil {
		t.Fatal("three connections where two are allowed")
	}
	one.Close()
	two.Close()
	if _, err := n.member.HpkeConfigs(t.Context()); err != nil {
		t.Errorf("after two were closed: %v", err)
	}
}

// TestGracefulStop: a request that runs comes to its end, and nothing new begins.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	g, base, stop := gated(t, n, nil, nil)
	at := strings.TrimSuffix(string(base), "/") + "/tasks/" + n.Task().ID.String() + "/aggregation_jobs"
	answered := make(chan response, 1)
	go func() {
		got, err := n.raw(exchange{
			method: "POST", url: at, header: http.Header{"Content-Type": {string(dap.MediaAggregationJobInitReq)}},
			body: strings.NewReader("one"), cert: &n.leaderCert,
		})
		if err != nil {
			t.Error(err)
		}
		answered <- got
	}()
	<-g.entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a request running: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if _, err := n.raw(exchange{method: "GET", url: string(base) + "hpke_config", cert: &n.leaderCert}); err == nil {
		t.Error("a connection was accepted after the stop")
	}
	close(g.open)
	if got := <-answered; got.status != 200 || string(got.body) != "done" {
		t.Errorf("the running request got %d %q", got.status, got.body)
	}
	must(t, <-stopped)
}

// TestStopIsBounded: a request that does not end is cut after the grace.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	g, base, stop := gated(t, n, nil, func(c *daphttp.ServeConfig) { c.Grace = 100 * time.Millisecond })
	client := gateClient(t, n, base, func(c *daphttp.ClientConfig) { c.Attempts = 1 })
	var first sync.WaitGroup
	first.Go(func() {
		if _, err := client.AggregationJob(t.Context(), n.Task().ID, []byte("one")); errs.KindOf(err) != errs.Unavailable {
			t.Errorf("the request that was cut: %v", err)
		}
	})
	<-g.entered
	if err := stop(); err == nil || !strings.Contains(err.Error(), "were cut") {
		t.Errorf("got %v", err)
	}
	first.Wait()
}

// TestWorkIsBounded: what takes too long is put off in words.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	_, base, _ := gated(t, n, func(c *daphttp.Config) { c.Timeout = 50 * time.Millisecond }, nil)
	got := n.post(strings.TrimSuffix(string(base), "/")+"/tasks/"+n.Task().ID.String()+"/aggregation_jobs", dap.MediaAggregationJobInitReq, []byte("one"), &n.leaderCert)
	p := wantProblem(t, "a long job", got, http.StatusServiceUnavailable, dap.ProblemBlank)
	if p.Detail != "this took too long" || got.header.Get("Retry-After") == "" {
		t.Errorf("got %q %v", p.Detail, got.header)
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	_, base, _ := gated(t, n, nil, nil)
	got := n.post(strings.TrimSuffix(string(base), "/")+"/tasks/"+n.Task().ID.String()+"/receipts", mediaJSON, []byte(`{"receipt":"e30","signature":"x"}`), nil)
	p := wantProblem(t, "a panic", got, http.StatusInternalServerError, dap.ProblemBlank)
	if p.Detail != "internal error" || p.Instance == "" || p.Instance != got.header.Get("Request-Id") || strings.Contains(string(got.body), "likes") {
		t.Errorf("got %s", got.body)
	}
}
