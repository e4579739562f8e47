package daphttp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
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

// counting is a Sleep that does not, and counts.
func counting(n *int) func(context.Context, time.Duration) error {
	return func(ctx context.Context, _ time.Duration) error {
		*n++
		return ctx.Err()
	}
}

// stub is a host that answers as a test likes.
type stub struct {
	client *daphttp.HelperClient
	leader *daphttp.LeaderClient
	base   string
	asked  []string // method and path of every request
	pauses []time.Duration
	mu     sync.Mutex
}

func newStub(t *testing.T, h http.HandlerFunc, change func(*daphttp.ClientConfig)) *stub {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &stub{base: "https://" + l.Addr().String() + "/dap"}
	cert := certificate(t, dap.URL(s.base), "stub")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- daphttp.Serve(ctx, l, daphttp.ServeConfig{TLS: daphttp.ServerTLS(cert), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
			s.mu.Unlock()
			h(w, r)
		})})
	}()
	t.Cleanup(func() {
		stop()
		must(t, <-done)
	})
	cfg := daphttp.ClientConfig{
		Endpoint: dap.URL(s.base), TLS: daphttp.ClientTLS(nil, pin(cert)), Attempts: 4, Backoff: 100 * time.Millisecond, MaxPause: 10 * time.Second,
		Jitter: func() float64 { return 0.5 },
		Now:    func() time.Time { return time.Unix(1_790_000_000, 0) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.pauses = append(s.pauses, d)
			return ctx.Err()
		},
	}
	if change != nil {
		change(&cfg)
	}
	s.client, err = daphttp.NewHelperClient(cfg)
	must(t, err)
	t.Cleanup(s.client.Close)
	s.leader, err = daphttp.NewLeaderClient(cfg)
	must(t, err)
	t.Cleanup(s.leader.Close)
	return s
}

var task = dap.TaskID{1, 2, 3}

// TestPolling: a host may put off any answer; the client asks again where it is
// told to, when it is told to, until there is one (DAP-18 3.1).
func TestPolling(t *testing.T) {
	t.Parallel()
	at := "/dap/tasks/" + task.String() + "/aggregation_jobs/abc"
	for _, row := range []struct {
		name     string
		location string // of the answer to POST
		polled   string
	}{
		{"an absolute path", at + "?step=0", at + "?step=0"},
		{"a relative path", "aggregation_jobs/abc?step=0", at + "?step=0"},
		{"a whole URL", "BASE/tasks/" + task.String() + "/aggregation_jobs/abc?step=0", at + "?step=0"},
	} {
		for _, status := range []int{200, 201, 202} {
			var asked atomic.Int32
			var s *stub
			s = newStub(t, func(w http.ResponseWriter, r *http.Request) {
				switch n := asked.Add(1); {
				case n == 1:
					w.Header().Set("Location", strings.Replace(row.location, "BASE", s.base, 1))
					w.Header().Set("Retry-After", "7")
				case n < 4:
					w.Header().Set("Retry-After", "3")
				default:
					w.Header().Set("Content-Type", string(dap.MediaAggregationJobResp))
					w.WriteHeader(status)
					fmt.Fprint(w, "ready")
					return
				}
				w.WriteHeader(status)
			}, nil)
			got, err := s.client.AggregationJob(t.Context(), task, []byte("body"))
			if err != nil || string(got) != "ready" {
				t.Errorf("%s, %d: %q, %v", row.name, status, got, err)
			}
			want := fmt.Sprint([]string{"POST /dap/tasks/" + task.String() + "/aggregation_jobs", "GET " + row.polled, "GET " + row.polled, "GET " + row.polled})
			if fmt.Sprint(s.asked) != want || fmt.Sprint(s.pauses) != "[7s 3s 3s]" {
				t.Errorf("%s, %d: asked %v with pauses %v", row.name, status, s.asked, s.pauses)
			}
		}
	}
}

func TestPollingEndsInAnError(t *testing.T) {
	t.Parallel()
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			w.Header().Set("Location", r.URL.Path+"/abc")
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"type":"urn:ietf:params:ppm:dap:error:batchMismatch","status":400,"detail":"3 and 4"}`)
	}, nil)
	_, err := s.leader.CollectionJob(t.Context(), task, []byte("body"))
	if !errors.Is(err, &dap.Problem{Type: dap.ProblemBatchMismatch}) || errs.KindOf(err) != errs.Invalid || errs.Describe(err).Message != "3 and 4" {
		t.Errorf("got %v", err)
	}
}

// TestRetries: what is tried again, how often, and with which pauses.
func TestRetries(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		status int
		after  string
		pauses string
		kind   errs.Kind
	}{
		{"busy", 503, "", "[75ms 150ms 300ms]", errs.Unavailable},
		{"busy, and says until when", 503, "2", "[2s 2s 2s]", errs.Unavailable},
		{"busy, with a date", 503, "Mon, 21 Sep 2026 14:13:25 GMT", "[5s 5s 5s]", errs.Unavailable},
		{"busy, with a date that is past", 503, "Mon, 21 Sep 2020 14:13:25 GMT", "[75ms 150ms 300ms]", errs.Unavailable},
		{"busy for longer than we wait", 503, "11", "[]", errs.Unavailable},
		{"busy for ever", 503, "99999999999999999999", "[75ms 150ms 300ms]", errs.Unavailable},
		{"too many requests", 429, "1", "[1s 1s 1s]", errs.Unavailable},
		{"too slow", 408, "", "[75ms 150ms 300ms]", errs.Unavailable},
		{"an internal error", 500, "1", "[]", errs.Unavailable},
		{"refused", 403, "1", "[]", errs.Denied},
		{"conflict", 409, "", "[]", errs.Conflict},
		{"gone", 410, "", "[]", errs.Invalid},
		{"a code nobody knows", 499, "", "[]", errs.Invalid},
		{"a redirect", 307, "", "[]", errs.Invalid},
		{"a permanent redirect", 308, "", "[]", errs.Invalid},
	} {
		s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
			if row.after != "" {
				w.Header().Set("Retry-After", row.after)
			}
			if row.status/100 == 3 {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(row.status)
		}, nil)
		_, err := s.leader.Upload(t.Context(), task, []byte("body"))
		if errs.KindOf(err) != row.kind || fmt.Sprint(s.pauses) != row.pauses || len(s.asked) != len(s.pauses)+1 {
			t.Errorf("%s: %v, pauses %v, asked %v", row.name, err, s.pauses, s.asked)
		}
	}
}

// TestNobodyThere: a host that is down is tried as often as any other.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l.Close()
	slept := 0
	c, err := daphttp.NewLeaderClient(daphttp.ClientConfig{
		Endpoint: dap.URL("https://" + l.Addr().String()), TLS: daphttp.ClientTLS(nil, daphttp.Pin{1}), Attempts: 5, Sleep: counting(&slept),
	})
	must(t, err)
	_, err = c.Upload(t.Context(), task, []byte("body"))
	if errs.KindOf(err) != errs.Unavailable || slept != 4 || !strings.HasPrefix(err.Error(), "no answer from "+l.Addr().String()) {
		t.Errorf("got %v after %d pauses", err, slept)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	slept = 0
	if _, err = c.Upload(ctx, task, []byte("body")); !errors.Is(err, context.Canceled) || slept > 0 {
		t.Errorf("got %v after %d pauses", err, slept)
	}
}

// TestOddAnswers: what no host of ours answers is refused, once, in words.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	roster := coalition.SignedRoster{Body: []byte(`{"task_id":"` + task.String() + `"}`), Signature: []byte("s")}
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		call   func(*stub) error
		want   string
	}{
		{"no body and no place", func(http.ResponseWriter, *http.Request) {}, func(s *stub) error {
			_, err := s.client.AggregationJob(t.Context(), task, nil)
			return err
		}, "without saying where"},
		{"another host", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://other.example/dap/tasks/x")
		}, func(s *stub) error {
			_, err := s.client.AggregateShare(t.Context(), task, nil)
			return err
		}, "at another place"},
		{"another path", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/admin") }, func(s *stub) error {
			_, err := s.client.AggregateShare(t.Context(), task, nil)
			return err
		}, "at another place"},
		{"another media type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "hello")
		}, func(s *stub) error {
			_, err := s.leader.CollectionJob(t.Context(), task, nil)
			return err
		}, "another media type"},
		{"more than a message", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", string(dap.MediaAggregateShare))
			fmt.Fprint(w, strings.Repeat("x", dap.MaxMessageSize+1))
		}, func(s *stub) error {
			_, err := s.client.AggregateShare(t.Context(), task, nil)
			return err
		}, "more than 1048576 bytes"},
		{"no roster", func(http.ResponseWriter, *http.Request) {}, func(s *stub) error {
			_, err := s.client.CosignRoster(t.Context(), roster)
			return err
		}, "without the signed roster"},
		{"something else than a roster", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"amendment":"e30","signature":"s"}`)
		}, func(s *stub) error {
			_, err := s.client.CosignRoster(t.Context(), roster)
			return err
		}, "cannot be read"},
		{"no HPKE configurations", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", string(dap.MediaHpkeConfigList))
			fmt.Fprint(w, "x")
		}, func(s *stub) error {
			_, err := s.leader.HpkeConfigs(t.Context())
			return err
		}, "cannot be read"},
	} {
		s := newStub(t, row.answer, nil)
		err := row.call(s)
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(fmt.Sprint(err), row.want) || len(s.asked) != 1 {
			t.Errorf("%s: %v after %d requests", row.name, err, len(s.asked))
		}
	}
	s := newStub(t, func(http.ResponseWriter, *http.Request) {}, nil)
	if err := s.client.PutReceipt(t.Context(), coalition.SignedReceipt{Body: []byte("{}x")}); errs.KindOf(err) != errs.Invalid || len(s.asked) > 0 {
		t.Errorf("a receipt that names no task: %v", err)
	}
}

// TestHostileWords: what a peer writes into its refusals is shown shortened and
// without control characters.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, body, message, hint string
	}{
		{"an escape sequence", `{"detail":"a\u001b[2Jb\r\nc","hint":"\u202ed"}`, "a\uFFFD[2Jb\uFFFD\uFFFDc", "\uFFFDd"},
		{"much text", `{"detail":"` + strings.Repeat("x", 5000) + `"}`, strings.Repeat("x", 2000) + "…", ""},
		{"no JSON", `<html>`, "HOST answered 409 Conflict", ""},
		{"other types", `{"detail":7,"hint":{},"type":[]}`, "HOST answered 409 Conflict", ""},
		{"a problem without words", `{"type":"urn:ietf:params:ppm:dap:error:batchOverlap"}`, "the query has reports that were collected before", ""},
		{"too much of it", strings.Repeat("x", dap.MaxProblemSize+1), "HOST answered with more than 65536 bytes", "its software differs from ours; nothing was changed here"},
	} {
		s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(409)
			fmt.Fprint(w, row.body)
		}, nil)
		_, err := s.leader.Upload(t.Context(), task, nil)
		host, _, _ := strings.Cut(strings.TrimPrefix(s.base, "https://"), "/")
		if got := errs.Describe(err); got.Message != strings.Replace(row.message, "HOST", host, 1) || got.Hint != row.hint {
			t.Errorf("%s: %q, %q", row.name, got.Message, got.Hint)
		}
	}
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		fmt.Fprint(w, `{"detail":"secret of the host","instance":"abc123"}`)
	}, nil)
	_, err := s.leader.Upload(t.Context(), task, nil)
	if d := errs.Describe(err); !strings.Contains(d.Hint, `"abc123"`) || strings.Contains(fmt.Sprint(err), "secret") {
		t.Errorf("got %v", d)
	}
}

// TestNoProxy starts this test once more with a proxy in its environment, and
// wants nobody to ask it. The address is not loopback's, for which no client
// asks a proxy.
func TestNoProxy(t *testing.T) {
	t.Parallel()
	if os.Getenv("MUSTER_TEST_PROXY") != "" {
		c, err := daphttp.NewLeaderClient(daphttp.ClientConfig{
			Endpoint: "https://host.invalid:1/", TLS: daphttp.ClientTLS(nil, daphttp.Pin{1}), Attempts: 1, Timeout: 5 * time.Second,
		})
		must(t, err)
		if _, err := c.HpkeConfigs(t.Context()); errs.KindOf(err) != errs.Unavailable {
			t.Errorf("got %v", err)
		}
		return
	}
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var asked atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := proxy.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			conn.Close()
		}
	}()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestNoProxy$")
	address := "http://" + proxy.Addr().String()
	cmd.Env = append(os.Environ(), "MUSTER_TEST_PROXY=1", "HTTPS_PROXY="+address, "https_proxy="+address, "ALL_PROXY="+address)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	proxy.Close()
	<-done
	if asked.Load() > 0 {
		t.Error("the proxy was asked")
	}
}
