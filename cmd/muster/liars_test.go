package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/config"
	"muster/internal/daphttp"
)

// liar stands in the place of a host, with its TLS key, before the honest one:
// what goes through it it may change. It is a host that has turned bad, and
// whatever else could hold that key.
type liar struct {
	mu     sync.Mutex // guards all below
	bodies [][]byte   // of collection requests, in order
	lie    func(path string, answer []byte) []byte
	hold   chan struct{} // collection requests wait until it is closed
}

func (l *liar) set(lie func(path string, answer []byte) []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie = lie
}

// asked returns the bodies of the collection requests so far.
func (l *liar) asked() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bodies
}

// betray moves a host that does not serve yet to another address and puts a liar
// in its place.
func (c *hosting) betray(host string) *liar {
	c.t.Helper()
	cfg, err := config.ReadHost(c.at(host, "host.yaml"))
	check(c.t, err)
	honest := freeAddress(c.t)
	c.configure(host, `"`+cfg.Listen+`"`, `"`+honest+`"`)
	folder := cfg.KeyFolder()
	certificate, err := folder.Certificate()
	check(c.t, err)
	charter, _, _ := c.charter()
	pins := make(map[string]daphttp.Pin)
	for role, text := range map[string]string{
		"coordinator": charter.Coordinator.Certificate, "leader": charter.Leader.Certificate, "helper": charter.Helper.Certificate,
	} {
		pins[role], err = daphttp.ParsePin(text)
		check(c.t, err)
	}
	own := daphttp.PinOf(certificate.Leaf)
	coordinator, err := config.KeyFolder{Dir: c.at("coordinator", "keys")}.Certificate()
	check(c.t, err)
	peer, err := config.KeyFolder{Dir: c.at("ostmere", "keys")}.Certificate()
	check(c.t, err)
	// To the honest host it shows what the sender showed.
	transport := func(cert *tls.Certificate) *http.Transport {
		t := &http.Transport{TLSClientConfig: daphttp.ClientTLS(cert, own), ForceAttemptHTTP2: true}
		c.t.Cleanup(t.CloseIdleConnections)
		return t
	}
	to := map[string]*http.Transport{"": transport(nil), "coordinator": transport(&coordinator), "leader": transport(&peer)}
	l := &liar{}
	forward := func(as *http.Transport) http.Handler {
		return &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "https", honest },
			Transport: as,
			ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
			ModifyResponse: func(r *http.Response) error {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return err
				}
				l.mu.Lock()
				lie := l.lie
				l.mu.Unlock()
				if lie != nil {
					body = lie(r.Request.URL.Path, body)
				}
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				r.Header.Set("Content-Length", strconv.Itoa(len(body)))
				return nil
			},
		}
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := ""
		if len(r.TLS.PeerCertificates) > 0 {
			for _, role := range []string{"coordinator", "leader"} {
				if daphttp.PinOf(r.TLS.PeerCertificates[0]) == pins[role] {
					who = role
				}
			}
		}
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/collection_jobs") {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			l.mu.Lock()
			l.bodies = append(l.bodies, body)
			hold := l.hold
			l.mu.Unlock()
			if hold != nil {
				select {
				case <-hold:
				case <-r.Context().Done():
				}
			}
		}
		forward(to[who]).ServeHTTP(w, r)
	})
	listener, err := net.Listen("tcp", cfg.Listen)
	check(c.t, err)
	server := &http.Server{Handler: handler, TLSConfig: daphttp.ServerTLS(certificate, pins["coordinator"], pins["leader"]), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.ServeTLS(listener, "", "") })
	c.t.Cleanup(func() {
		server.Close()
		wg.Wait()
	})
	return l
}

// collect runs the coordinator's command, with a folder for the result.
func (c *hosting) collect(out string) (code int, stderr string) {
	code, _, stderr = c.run("collect", "run", "--dir", c.at("coordinator"), "--charter", c.at("charter.json"), "--framework", lights, "--out", c.at(out), "--wait", "10s")
	return code, stderr
}

// TestCollectFromBadHosts: whatever a bad Leader or a bad Helper answers, nothing
// is written, no sentence is missing, and the truth can be had afterwards.
func TestCollectFromBadHosts(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	leader, helper := c.betray("ostmere"), c.betray("calverra")
	c.serve()
	c.deliver(upTo(9)...)
	c.clock.Store(hostingDeadline)
	c.must("host", "freeze", "--dir", c.at("ostmere"))

	const roster, collection = "/roster", "/collection_jobs"
	lied := 0
	refused := func(name string, l *liar, part string, lie func([]byte) []byte, words ...string) {
		t.Helper()
		lied++
		told := false
		l.set(func(path string, answer []byte) []byte {
			if !strings.HasSuffix(path, part) {
				return answer
			}
			told = true
			return lie(bytes.Clone(answer))
		})
		code, stderr := c.collect("out")
		l.set(nil)
		if !told {
			t.Fatalf("%s: the lie was not told\n%s", name, stderr)
		}
		if code == 0 || strings.Contains(stderr, "panic") || strings.Contains(stderr, "internal") || !strings.Contains(stderr, "muster: error: ") {
			t.Errorf("%s: exit code %d\n%s", name, code, stderr)
		}
		for _, w := range words {
			if !strings.Contains(stderr, w) {
				t.Errorf("%s does not say %q:\n%s", name, w, stderr)
			}
		}
		if _, err := os.Stat(c.at("out")); err == nil {
			t.Fatalf("%s: something was written", name)
		}
	}
	text := func(s string) func([]byte) []byte { return func([]byte) []byte { return []byte(s) } }
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at%len(b)] ^= 1; return b }
	}
	for name, l := range map[string]*liar{"Leader": leader, "Helper": helper} {
		refused(name+" answers nothing", l, roster, text(""))
		refused(name+" answers a page", l, roster, text("<html>"))
		refused(name+" answers an empty roster", l, roster, text(`{"roster":"e30","signature":"x","amendments":[]}`), "the "+name+", shows is no roster that both hosts signed", "nothing was opened")
		refused(name+" changes a letter", l, roster, flip(40))
		refused(name+" is endless", l, roster, func(b []byte) []byte { return bytes.Repeat([]byte("["), 1<<20) })
	}
	refused("no answer", leader, collection, text(" "))
	refused("half an answer", leader, collection, func(b []byte) []byte { return b[:len(b)/2] })
	refused("more than an answer", leader, collection, func(b []byte) []byte { return append(b, 0) })
	refused("another count", leader, collection, flip(7), "submissions and the roster has 9; nothing was opened")
	// Every byte matters; a sample of them.
	for at := 0; at < 4000; at += 131 {
		refused("byte "+strconv.Itoa(at), leader, collection, flip(at))
	}
	if lied < 40 {
		t.Errorf("%d lies", lied)
	}
	// What was asked is the same every time, and the truth comes out at last.
	for _, body := range leader.asked() {
		if !bytes.Equal(body, leader.asked()[0]) {
			t.Fatal("two requests")
		}
	}
	code, stderr := c.collect("out")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	c.wantTotals(upTo(9)...)
}

// TestHostsShowTwoLists: a Helper that keeps an amendment back is named with whom
// it hides, in the words of the design.
func TestHostsShowTwoLists(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	helper := c.betray("calverra")
	c.serve()
	c.deliver(upTo(9)...)
	c.deliverBroken(9)
	c.clock.Store(hostingDeadline)
	c.refuses(1, "not accepted: m09", "host", "freeze", "--dir", c.at("ostmere"))
	c.must("host", "amend", "--dir", c.at("ostmere"), "--yes")
	helper.set(func(path string, answer []byte) []byte {
		if !strings.HasSuffix(path, "/roster") {
			return answer
		}
		before, _, _ := bytes.Cut(answer, []byte(`"amendments":[`))
		return append(bytes.Clone(before), `"amendments":[]}`...)
	})
	code, stderr := c.collect("out")
	if code != 1 || !strings.Contains(stderr, "the hosts' lists differ: m09 is missing at ostmere; nothing was opened") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	helper.set(nil)
	if code, stderr := c.collect("out"); code != 0 || !strings.Contains(stderr, "9 of 12 members took part") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	for _, name := range []string{"amendment-1.json", "amendment-1.json.sig", "roster.json", "aggregate.json"} {
		if _, err := os.Stat(c.at("out", name)); err != nil {
			t.Error(err)
		}
	}
}

// TestCoordinatorIsKilled: a coordinator's machine that dies while it waits for
// the answer asks the same bytes when it is back, and is answered.
func TestCoordinatorIsKilled(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	leader := c.betray("ostmere")
	c.serve()
	c.deliver(upTo(8)...)
	c.clock.Store(hostingDeadline)
	c.must("host", "freeze", "--dir", c.at("ostmere"))
	leader.mu.Lock()
	leader.hold = make(chan struct{})
	leader.mu.Unlock()
	cmd := exec.CommandContext(t.Context(), "muster", "collect", "run", "--dir", c.at("coordinator"), "--charter", c.at("charter.json"), "--framework", lights, "--out", c.at("out"))
	check(t, cmd.Start())
	for range 1000 {
		if len(leader.asked()) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if len(leader.asked()) != 1 {
		t.Fatalf("asked %d times", len(leader.asked()))
	}
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
	if _, err := os.Stat(c.at("out")); err == nil {
		t.Error("a killed command left a result")
	}
	leader.mu.Lock()
	close(leader.hold)
	leader.hold = nil
	leader.mu.Unlock()
	if code, stderr := c.collect("out"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	asked := leader.asked()
	if len(asked) != 2 || !bytes.Equal(asked[0], asked[1]) {
		t.Errorf("asked %d times, or not the same", len(asked))
	}
	c.wantTotals(upTo(8)...)
}
