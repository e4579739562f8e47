package fault_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/keys"
)

// relay stands in the place of a host with that host's TLS key, and shows the
// host whatever certificate the sender has shown: it is the host, or the sender,
// turned bad, and whoever has stolen their keys. What goes through it, it can
// change, repeat and keep.
type relay struct {
	w    *world
	host string
	as   map[string]*http.Client // by who asks; "" is anybody

	mu       sync.Mutex // guards all below
	requests []request  // all that went through, in order
	ask      func(r *request) (answer []byte, done bool)
	answer   func(r request, status int, body []byte) []byte
	times    int // that each request is sent; zero: once
}

// request is one request that went through.
type request struct {
	who, method, path string
	header            http.Header
	body              []byte
}

// is reports whether it creates something at a resource.
func (r request) is(resource string) bool {
	return r.method == http.MethodPost && strings.HasSuffix(r.path, "/"+resource)
}

// parties are all whose certificates the charter pins.
func parties() []string { return append(hostNames(), "coordinator") }

// certificate is a party's; nil for anybody else.
func (l *lane) certificate(t testing.TB, who string) *tls.Certificate {
	t.Helper()
	if who == "" {
		return nil
	}
	c, err := config.KeyFolder{Dir: l.at(who, "keys")}.Certificate()
	check(t, err)
	return &c
}

func (l *lane) pin(t testing.TB, who string) daphttp.Pin {
	t.Helper()
	pin, err := daphttp.ParsePin(map[string]string{
		leaderHost: l.charter.Leader.Certificate, helperHost: l.charter.Helper.Certificate, "coordinator": l.charter.Coordinator.Certificate,
	}[who])
	check(t, err)
	return pin
}

// turn puts a relay in the place of a host.
func (w *world) turn(host string) *relay {
	w.t.Helper()
	r := &relay{w: w, host: host, as: make(map[string]*http.Client)}
	for _, who := range append(parties(), "") {
		transport := &http.Transport{TLSClientConfig: daphttp.ClientTLS(w.certificate(w.t, who), w.pin(w.t, host)), ForceAttemptHTTP2: true}
		w.t.Cleanup(transport.CloseIdleConnections)
		r.as[who] = &http.Client{Transport: transport, Timeout: time.Minute}
	}
	l, err := net.Listen("tcp", w.ip+":0")
	check(w.t, err)
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server := &http.Server{
		Handler: r, TLSConfig: daphttp.ServerTLS(*w.certificate(w.t, host), w.pin(w.t, leaderHost), w.pin(w.t, helperHost), w.pin(w.t, "coordinator")), ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet,
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.ServeTLS(l, "", "") })
	w.t.Cleanup(func() {
		server.Close()
		wg.Wait()
	})
	w.proxies[host].lead(l.Addr().String())
	return r
}

// set sets what happens to requests before the host has them, and to its answers.
func (r *relay) set(ask func(*request) ([]byte, bool), answer func(request, int, []byte) []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ask, r.answer = ask, answer
}

func (r *relay) seen() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.requests...)
}

func (r *relay) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return
	}
	req := request{method: in.Method, path: in.URL.Path, header: in.Header, body: body}
	if len(in.TLS.PeerCertificates) > 0 {
		for _, who := range parties() {
			if daphttp.PinOf(in.TLS.PeerCertificates[0]) == r.w.pin(r.w.t, who) {
				req.who = who
			}
		}
	}
	r.mu.Lock()
	r.requests = append(r.requests, req)
	ask, answer, times := r.ask, r.answer, max(r.times, 1)
	r.mu.Unlock()
	if ask != nil {
		if instead, done := ask(&req); done {
			out.WriteHeader(http.StatusBadRequest) // and is not asked again
			_, _ = out.Write(instead)
			return
		}
	}
	var status int
	var header http.Header
	for range times {
		if status, header, body, err = r.send(req); err != nil {
			return // the sender hears nothing
		}
	}
	if answer != nil {
		body = answer(req, status, body)
	}
	for _, name := range []string{"Content-Type", "Location", "Retry-After", "Date"} {
		if v := header.Get(name); v != "" {
			out.Header().Set(name, v)
		}
	}
	out.WriteHeader(status)
	_, _ = out.Write(body)
}

// send sends a request to the host as whoever it came from.
func (r *relay) send(req request) (status int, header http.Header, body []byte, err error) {
	out, err := http.NewRequest(req.method, "https://"+r.w.proxies[r.host].home+req.path, bytes.NewReader(req.body))
	if err != nil {
		return 0, nil, nil, err
	}
	out.Header = req.header.Clone()
	answer, err := r.as[req.who].Do(out)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, body, err
}

// replay sends everything again that ever went through, in another order.
func (r *relay) replay(random *rand.Rand) (n int, err error) {
	all := r.seen()
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, req := range all {
		if _, _, _, err := r.send(req); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

// leaderAs and helperAs are clients of a host with somebody's certificate.
func (w *world) leaderAs(who string) *daphttp.LeaderClient {
	w.t.Helper()
	c, err := daphttp.NewLeaderClient(w.clientAs(who, leaderHost))
	check(w.t, err)
	w.t.Cleanup(c.Close)
	return c
}

func (w *world) helperAs(who string) *daphttp.HelperClient {
	w.t.Helper()
	c, err := daphttp.NewHelperClient(w.clientAs(who, helperHost))
	check(w.t, err)
	w.t.Cleanup(c.Close)
	return c
}

func (w *world) clientAs(who, host string) daphttp.ClientConfig {
	endpoint := w.task.Configuration.LeaderAggregatorEndpoint
	if host == helperHost {
		endpoint = w.task.Configuration.HelperAggregatorEndpoint
	}
	return daphttp.ClientConfig{Endpoint: endpoint, TLS: daphttp.ClientTLS(w.certificate(w.t, who), w.pin(w.t, host)), Attempts: 1}
}

// hostSigner is the key with which a host signs rosters.
func (l *lane) hostSigner(t testing.TB, host string) *keys.Signer {
	t.Helper()
	s, err := config.KeyFolder{Dir: l.at(host, "keys")}.Signer()
	check(t, err)
	return s
}

// envelope is a signed file as it travels, without amendments.
func envelope(name string, body, signature []byte) []byte {
	doc, err := json.Marshal(map[string]any{name: base64.RawURLEncoding.EncodeToString(body), "signature": string(signature), "amendments": []any{}})
	if err != nil {
		panic(err)
	}
	return doc
}
