package daphttp_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/daphttp"
)

// trouble is what a network does to a request.
type trouble string

const (
	dropBefore trouble = "dropped before it arrived"
	dropAfter  trouble = "answered, and the answer dropped"
	double     trouble = "delivered twice"
	delay      trouble = "delayed until the client had given up"
	putOff     trouble = "put off with 503"
)

// flaky makes trouble for the first request of every kind.
type flaky struct {
	trouble trouble
	mu      sync.Mutex
	met     map[string]bool
}

// first reports whether this is the first request of its kind.
func (f *flaky) first(host string, r *http.Request) bool {
	parts := strings.Split(r.URL.Path, "/")
	kind := host + " " + r.Method + " " + parts[len(parts)-1]
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.met[kind] {
		return false
	}
	f.met[kind] = true
	return true
}

func (f *flaky) wrap(host string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.first(host, r) {
			h.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		again := func(ctx context.Context) *http.Request {
			c := r.Clone(ctx)
			c.Body = io.NopCloser(strings.NewReader(string(body)))
			return c
		}
		switch f.trouble {
		case dropBefore:
			panic(http.ErrAbortHandler)
		case dropAfter:
			h.ServeHTTP(httptest.NewRecorder(), again(r.Context()))
			panic(http.ErrAbortHandler)
		case delay:
			h.ServeHTTP(httptest.NewRecorder(), again(context.WithoutCancel(r.Context())))
			<-r.Context().Done() // the client waits no longer
		case double:
			var wg sync.WaitGroup
			wg.Go(func() { h.ServeHTTP(httptest.NewRecorder(), again(r.Context())) })
			h.ServeHTTP(w, again(r.Context()))
			wg.Wait()
		case putOff:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}

// TestTrouble makes trouble at every kind of request of a cycle once, and wants
// the same totals, from one collection.
func TestTrouble(t *testing.T) {
	t.Parallel()
	for _, what := range []trouble{dropBefore, dropAfter, double, delay, putOff} {
		t.Run(string(what), func(t *testing.T) {
			t.Parallel()
			const members = 4
			f := &flaky{trouble: what, met: make(map[string]bool)}
			var mu sync.Mutex
			pauses := 0
			n := newNetwork(t, setup{members: members, front: f.wrap, client: func(c *daphttp.ClientConfig) {
				c.Backoff = time.Millisecond
				c.Sleep = func(ctx context.Context, d time.Duration) error {
					mu.Lock()
					defer mu.Unlock()
					pauses++
					if what == putOff && d < time.Second {
						t.Errorf("a pause of %v where the host asked for 1 s", d)
					}
					return ctx.Err()
				}
				if what == delay {
					c.Timeout = 700 * time.Millisecond
				}
			}})
			all := n.run(members)
			_, cells, err := n.Finish()
			must(t, err)
			count, again, err := n.Collected()
			must(t, err)
			if diff := cmp.Diff(aggregatetest.Plain(all), cells); diff != "" || count != members {
				t.Error(diff)
			}
			if diff := cmp.Diff(cells, again); diff != "" {
				t.Errorf("collected again: %s", diff)
			}
			for _, kind := range []string{
				"leader POST reports", "leader POST receipts", "helper POST receipts", "helper POST roster", "helper POST aggregation_jobs",
				"helper POST aggregate_shares", "leader POST collection_jobs",
			} {
				if !f.met[kind] {
					t.Errorf("no trouble was made at %s", kind)
				}
			}
			want := 7 // one for each kind of request
			switch what {
			case double:
				want = 0
			case delay:
				want = 6 // the coordinator's second attempt may be served before the Leader gives up on its first question
			}
			mu.Lock()
			if pauses < want {
				t.Errorf("%d pauses, want %d", pauses, want)
			}
			mu.Unlock()
			shares := 0
			for _, e := range n.Log.Entries() {
				if e.Kind == "aggregate share" {
					shares++
				}
			}
			if shares != 2 {
				t.Errorf("the record has %d aggregate shares", shares)
			}
		})
	}
}

// TestCutConnections cuts the first connections to the Helper after a number of
// bytes, wherever in handshake, request or answer that is.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int64{0, 100, 700, 1500, 2500, 4000} {
		t.Run(fmt.Sprint(bytes), func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, setup{members: 3})
			all := n.run(3)
			cut := newCutter(t, n.listeners[1].Addr().String(), bytes, 3)
			// The Helper is behind the cutter: another address, the same key.
			endpoint := dap.URL(strings.Replace(string(n.helperURL), n.listeners[1].Addr().String(), cut.address, 1))
			client, err := daphttp.NewHelperClient(daphttp.ClientConfig{
				Endpoint: endpoint, TLS: daphttp.ClientTLS(&n.leaderCert, pin(n.helperCert)), Backoff: time.Millisecond,
			})
			must(t, err)
			defer client.Close()
			n.Peer = client
			_, cells, err := n.Finish()
			must(t, err)
			if diff := cmp.Diff(aggregatetest.Plain(all), cells); diff != "" {
				t.Error(diff)
			}
			if cut.cuts() == 0 {
				t.Error("nothing was cut")
			}
		})
	}
}

// cutter passes connections on and cuts the first of them after some bytes
// from the client.
type cutter struct {
	address string
	mu      sync.Mutex
	left    int
	done    int
}

func (c *cutter) cuts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

func newCutter(t *testing.T, to string, bytes int64, connections int) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c := &cutter{address: l.Addr().String(), left: connections}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.pass(in, to, bytes) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return c
}

func (c *cutter) pass(in net.Conn, to string, bytes int64) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	c.mu.Lock()
	cut := c.left > 0
	c.left--
	c.mu.Unlock()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(in, out)
		in.Close()
	}()
	if cut {
		_, _ = io.CopyN(out, in, bytes)
		c.mu.Lock()
		c.done++
		c.mu.Unlock()
	} else {
		_, _ = io.Copy(out, in)
	}
	out.Close()
	in.Close()
	<-back
}
