package daphttp_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/errs"
)

func TestCertificate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		endpoint dap.URL
		host     string
	}{
		{"https://leader.example:8443/dap/", "leader.example"},
		{"https://192.0.2.7/", "192.0.2.7"},
		{"https://[2001:db8::1]:4000/", "2001:db8::1"},
	} {
		cert := certificate(t, row.endpoint, "a host")
		// It also passes where somebody checks names and dates.
		roots := x509.NewCertPool()
		roots.AddCert(cert.Leaf)
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: row.host, Roots: roots, CurrentTime: time.Now().Add(365 * 24 * time.Hour)}); err != nil {
			t.Errorf("%s: %v", row.endpoint, err)
		}
		// The pin is the charter's form.
		got := daphttp.PinOf(cert.Leaf)
		if got.String() != coalition.Pin(cert.Leaf.RawSubjectPublicKeyInfo) {
			t.Errorf("%s: pin %s", row.endpoint, got)
		}
		parsed, err := daphttp.ParsePin(got.String())
		if err != nil || parsed != got {
			t.Errorf("%s: %v", row.endpoint, err)
		}
	}
	if _, err := daphttp.NewCertificate(daphttp.CertificateConfig{Endpoint: "ftp://x/", Now: time.Now()}); err == nil {
		t.Error("a certificate for ftp")
	}
}

// handshake connects to the Leader with a configuration and reports what came of it.
func (n *network) handshake(cfg *tls.Config) error {
	host := strings.TrimPrefix(string(n.leaderURL), "https://")
	host, _, _ = strings.Cut(host, "/")
	conn, err := tls.Dial("tcp", host, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	// In TLS 1.3 the server's refusal of a client comes with the first read.
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("GET /leader/hpke_config HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	server := pin(n.leaderCert)
	http1 := func(cfg *tls.Config) *tls.Config { cfg.NextProtos = []string{"http/1.1"}; return cfg }
	must(t, n.handshake(http1(daphttp.ClientTLS(nil, server))))
	must(t, n.handshake(http1(daphttp.ClientTLS(&n.coordinatorCert, server))))
	must(t, n.handshake(http1(daphttp.ClientTLS(&n.helperCert, server)))) // one that was restored

	old := http1(daphttp.ClientTLS(nil, server))
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	for name, cfg := range map[string]*tls.Config{
		"TLS 1.2":                         old,
		"another host's key":              http1(daphttp.ClientTLS(nil, pin(n.helperCert))),
		"no pin at all":                   http1(daphttp.ClientTLS(nil, daphttp.Pin{})),
		"a certificate that nobody pins":  http1(daphttp.ClientTLS(&n.strangerCert, server)),
		"the Leader's own":                http1(daphttp.ClientTLS(&n.leaderCert, server)),
		"an unknown application protocol": func() *tls.Config { c := daphttp.ClientTLS(nil, server); c.NextProtos = []string{"smtp"}; return c }(),
	} {
		if err := n.handshake(cfg); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
}

// TestALPN: both protocols are offered, and a client of ours takes HTTP/2.
func TestALPN(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	host := strings.TrimPrefix(string(n.leaderURL), "https://")
	host, _, _ = strings.Cut(host, "/")
	for _, offered := range []string{"h2", "http/1.1"} {
		cfg := daphttp.ClientTLS(nil, pin(n.leaderCert))
		cfg.NextProtos = []string{offered}
		conn, err := tls.Dial("tcp", host, cfg)
		must(t, err)
		if state := conn.ConnectionState(); state.NegotiatedProtocol != offered || state.Version != tls.VersionTLS13 {
			t.Errorf("offered %s: got %q, version %x", offered, state.NegotiatedProtocol, state.Version)
		}
		conn.Close()
	}
}

func TestClientKnowsTheHost(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	slept := 0
	cfg := daphttp.ClientConfig{Endpoint: n.leaderURL, TLS: daphttp.ClientTLS(nil, pin(n.helperCert)), Sleep: counting(&slept)}
	c, err := daphttp.NewLeaderClient(cfg)
	must(t, err)
	_, err = c.HpkeConfigs(t.Context())
	if errs.KindOf(err) != errs.Denied || !strings.Contains(err.Error(), "another TLS key than the charter pins") || slept > 0 {
		t.Errorf("got %v after %d pauses", err, slept)
	}

	// A certificate that the host does not know is refused, and the client says
	// so. The refusal may be lost in the closing connection, hence the attempts.
	cfg.TLS = daphttp.ClientTLS(&n.strangerCert, pin(n.leaderCert))
	c, err = daphttp.NewLeaderClient(cfg)
	must(t, err)
	if _, err = c.HpkeConfigs(t.Context()); errs.KindOf(err) != errs.Denied && errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v", err)
	}

	// A member's client is not let into what is the coordinator's.
	body, _ := n.CollectionRequest(n.Task().Interval)
	if _, err := n.member.CollectionJob(t.Context(), n.Task().ID, body); errs.KindOf(err) != errs.Denied {
		t.Errorf("got %v", err)
	}

	if _, err := daphttp.NewLeaderClient(daphttp.ClientConfig{Endpoint: n.leaderURL, TLS: &tls.Config{}}); err == nil {
		t.Error("a client without a pin")
	}
	if _, err := daphttp.NewHelperClient(daphttp.ClientConfig{Endpoint: "http://x/", TLS: cfg.TLS}); err == nil {
		t.Error("a client without TLS")
	}
}

// TestAnotherTasksLeader: a host that serves two cycles lets both Leaders
// connect, and each into its own task alone.
func TestAnotherTasksLeader(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	_, base, _ := gated(t, n, nil, func(c *daphttp.ServeConfig) {
		c.TLS = daphttp.ServerTLS(n.helperCert, pin(n.leaderCert), pin(n.strangerCert))
	})
	for _, r := range resources {
		if r.host != "helper" || r.who == "" {
			continue
		}
		for method := range r.methods {
			u := strings.Replace(n.url(r), strings.TrimSuffix(string(n.helperURL), "/"), strings.TrimSuffix(string(base), "/"), 1)
			got, err := n.raw(exchange{method: method, url: u, cert: &n.strangerCert})
			must(t, err)
			wantProblem(t, method+" "+r.path, got, http.StatusForbidden, dap.ProblemBlank)
		}
	}
}
