package daphttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/collect"
	"muster/internal/daphttp"
	"muster/internal/submit"
)

var (
	_    aggregate.Peer    = (*daphttp.HelperClient)(nil)
	_    submit.Receipts   = (*daphttp.HelperClient)(nil)
	_    submit.Leader     = (*daphttp.LeaderClient)(nil)
	_    collect.Leader    = (*daphttp.LeaderClient)(nil)
	_    daphttp.Leader    = (*aggregate.Leader)(nil)
	_    daphttp.Helper    = (*aggregate.Helper)(nil)
	_    daphttp.Cosigner  = (*aggregate.Helper)(nil)
	must                   = aggregatetest.Must
	_    http.RoundTripper = (*http.Transport)(nil)
)

// network is a cycle whose parties reach each other over loopback TLS.
type network struct {
	*aggregatetest.World
	t testing.TB

	leaderURL, helperURL dap.URL
	leaderCert, helperCert, coordinatorCert,
	strangerCert tls.Certificate
	log *logBuffer

	// What members, coordinator and Leader use, from start on.
	member      *daphttp.LeaderClient
	memberAt    *daphttp.HelperClient // at the Helper
	coordinator *daphttp.LeaderClient
	peer        *daphttp.HelperClient

	coordinatorAt *daphttp.HelperClient // at the Helper

	listeners [2]net.Listener
}

// setup is what a test changes about a network.
type setup struct {
	members int
	front   func(host string, h http.Handler) http.Handler // before the handlers
	server  func(*daphttp.ServeConfig)
	surface func(*daphttp.Config)
	client  func(*daphttp.ClientConfig)
}

// newNetwork draws the keys of a cycle, serves both hosts and connects
// everyone. All of it ends with the test.
func newNetwork(t testing.TB, s setup) *network {
	t.Helper()
	n := &network{t: t, log: new(logBuffer)}
	for i, u := range []*dap.URL{&n.leaderURL, &n.helperURL} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		n.listeners[i] = l
		*u = dap.URL("https://" + l.Addr().String() + []string{"/leader", "/api/helper/"}[i])
	}
	n.leaderCert = certificate(t, n.leaderURL, "leader")
	n.helperCert = certificate(t, n.helperURL, "helper")
	n.coordinatorCert = certificate(t, "", "coordinator")
	n.strangerCert = certificate(t, "", "stranger")
	n.World = aggregatetest.NewOn(t, s.members, aggregatetest.Network{
		Leader:      aggregatetest.Place{Endpoint: n.leaderURL, Pin: pin(n.leaderCert).String()},
		Helper:      aggregatetest.Place{Endpoint: n.helperURL, Pin: pin(n.helperCert).String()},
		Coordinator: pin(n.coordinatorCert).String(),
	})
	must(t, n.StartUp())
	n.serve(s)
	n.connect(s)
	return n
}

func certificate(t testing.TB, endpoint dap.URL, name string) tls.Certificate {
	t.Helper()
	cert, err := daphttp.NewCertificate(daphttp.CertificateConfig{Endpoint: endpoint, Name: name, Now: time.Now()})
	must(t, err)
	return cert
}

func pin(cert tls.Certificate) daphttp.Pin { return daphttp.PinOf(cert.Leaf) }

// charterPin reads a pin as the hosts do: from the charter.
func charterPin(t testing.TB, s string) daphttp.Pin {
	t.Helper()
	p, err := daphttp.ParsePin(s)
	must(t, err)
	return p
}

func (n *network) serve(s setup) {
	t := n.t
	t.Helper()
	task, c := n.Task(), n.Charter
	config := func(endpoint dap.URL, list dap.HpkeConfigList) daphttp.Config {
		cfg := daphttp.Config{Endpoint: endpoint, HPKE: list, Log: slog.New(slog.NewJSONHandler(n.log, nil))}
		if s.surface != nil {
			s.surface(&cfg)
		}
		return cfg
	}
	leader, err := daphttp.NewLeader(daphttp.LeaderConfig{
		Config: config(task.Configuration.LeaderAggregatorEndpoint, task.LeaderHPKE),
		Tasks:  map[dap.TaskID]daphttp.LeaderTask{task.ID: {Leader: n.Leader, Coordinator: charterPin(t, c.Coordinator.Certificate), Helper: charterPin(t, c.Helper.Certificate)}},
	})
	must(t, err)
	helper, err := daphttp.NewHelper(daphttp.HelperConfig{
		Config: config(task.Configuration.HelperAggregatorEndpoint, task.HelperHPKE),
		Tasks:  map[dap.TaskID]daphttp.HelperTask{task.ID: {Helper: n.Helper, Leader: charterPin(t, c.Leader.Certificate), Coordinator: charterPin(t, c.Coordinator.Certificate)}},
	})
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i, host := range []struct {
		name    string
		handler http.Handler
		tls     *tls.Config
	}{
		{"leader", leader, daphttp.ServerTLS(n.leaderCert, charterPin(t, c.Helper.Certificate), charterPin(t, c.Coordinator.Certificate))},
		{"helper", helper, daphttp.ServerTLS(n.helperCert, charterPin(t, c.Leader.Certificate), charterPin(t, c.Coordinator.Certificate))},
	} {
		cfg := daphttp.ServeConfig{Handler: host.handler, TLS: host.tls, Grace: 10 * time.Second, Log: slog.New(slog.NewJSONHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		if s.front != nil {
			cfg.Handler = s.front(host.name, cfg.Handler)
		}
		if s.server != nil {
			s.server(&cfg)
		}
		wg.Go(func() {
			if err := daphttp.Serve(ctx, n.listeners[i], cfg); err != nil {
				t.Errorf("%s: %v", host.name, err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		wg.Wait()
	})
}

func (n *network) connect(s setup) {
	t, c := n.t, n.Charter
	t.Helper()
	config := func(endpoint dap.URL, cert *tls.Certificate, pin string) daphttp.ClientConfig {
		cfg := daphttp.ClientConfig{Endpoint: endpoint, TLS: daphttp.ClientTLS(cert, charterPin(t, pin))}
		if s.client != nil {
			s.client(&cfg)
		}
		return cfg
	}
	var err error
	n.member, err = daphttp.NewLeaderClient(config(n.leaderURL, nil, c.Leader.Certificate))
	must(t, err)
	n.memberAt, err = daphttp.NewHelperClient(config(n.helperURL, nil, c.Helper.Certificate))
	must(t, err)
	n.coordinator, err = daphttp.NewLeaderClient(config(n.leaderURL, &n.coordinatorCert, c.Leader.Certificate))
	must(t, err)
	n.peer, err = daphttp.NewHelperClient(config(n.helperURL, &n.leaderCert, c.Helper.Certificate))
	must(t, err)
	n.coordinatorAt, err = daphttp.NewHelperClient(config(n.helperURL, &n.coordinatorCert, c.Helper.Certificate))
	must(t, err)
	t.Cleanup(func() {
		n.coordinatorAt.Close()
		n.member.Close()
		n.memberAt.Close()
		n.coordinator.Close()
		n.peer.Close()
	})
	n.Peer, n.LeaderDoor, n.HelperDoor = n.peer, door{n.member, n.coordinator}, n.memberAt
}

// door is the Leader as members reach it, and for collections as the
// coordinator does.
type door struct {
	*daphttp.LeaderClient
	coordinator *daphttp.LeaderClient
}

func (d door) CollectionJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	return d.coordinator.CollectionJob(ctx, task, body)
}

// run delivers n submissions over the network and returns the measurements.
func (n *network) run(members int) [][]uint64 {
	n.t.Helper()
	var all [][]uint64
	for i := range members {
		all = append(all, aggregatetest.Answers(i))
		must(n.t, n.Deliver(n.Seal(aggregatetest.Member(i), 1, aggregatetest.Answers(i))))
	}
	return all
}

// exchange is a raw request: what a program that is not ours would send.
type exchange struct {
	method, url string
	header      http.Header
	body        io.Reader
	cert        *tls.Certificate
}

// response is what came back.
type response struct {
	status int
	header http.Header
	body   []byte
}

// raw sends a request on a connection of its own.
func (n *network) raw(x exchange) (response, error) {
	n.t.Helper()
	server := pin(n.helperCert) // which also serves what a test starts itself
	if strings.HasPrefix(x.url, "https://"+n.listeners[0].Addr().String()+"/") {
		server = pin(n.leaderCert)
	}
	transport := &http.Transport{TLSClientConfig: daphttp.ClientTLS(x.cert, server), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(n.t.Context(), x.method, x.url, x.body)
	must(n.t, err)
	for name, values := range x.header {
		req.Header[name] = values
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header, body}, err
}

// logBuffer keeps what is logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
