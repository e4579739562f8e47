package daphttp_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/daphttp"
)

// hold opens connections from an address of this machine to both hosts, begins a
// request on each, and sends no more.
func (n *network) hold(from string, connections int) {
	n.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	for i, l := range n.listeners {
		path, cert := "/leader/tasks/%s/receipts", n.leaderCert
		if i == 1 {
			path, cert = "/api/helper/tasks/%s/receipts", n.helperCert
		}
		for range connections {
			raw, err := dialer.DialContext(n.t.Context(), "tcp", l.Addr().String())
			must(n.t, err)
			n.t.Cleanup(func() { raw.Close() })
			cfg := daphttp.ClientTLS(nil, pin(cert))
			cfg.NextProtos = []string{"http/1.1"}
			conn := tls.Client(raw, cfg)
			must(n.t, raw.SetDeadline(time.Now().Add(5*time.Second)))
			// Where it is refused or put off it has nothing more to hold.
			_, _ = fmt.Fprintf(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", n.Task().ID)
		}
	}
}

// TestStrangerHoldsWhatItCan: one address that begins as many requests as it can,
// and ends none, keeps no member from delivering; many addresses keep neither the
// peer nor the coordinator from what they need.
func TestStrangerHoldsWhatItCan(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only there is all of 127.0.0.0/8 this machine")
	}
	n := newNetwork(t, setup{
		members: 3,
		server:  func(c *daphttp.ServeConfig) { c.MaxConnections = 24 },
		surface: func(c *daphttp.Config) { c.MaxRequests = 4 },
	})
	n.hold("127.0.0.66", 30)
	answers := n.run(3)
	for i := range 4 { // two requests each: as many as all strangers may have together
		n.hold(fmt.Sprintf("127.0.0.%d", 70+i), 2)
	}
	got := n.post(string(n.leaderURL)+"/tasks/"+n.Task().ID.String()+"/receipts", mediaJSON, []byte(`{}`), nil)
	p := wantProblem(t, "a stranger more", got, http.StatusServiceUnavailable, dap.ProblemBlank)
	if !strings.Contains(p.Detail, "as many requests at a time") {
		t.Errorf("got %q", p.Detail)
	}
	count, totals, err := n.Finish()
	must(t, err)
	if diff := cmp.Diff(aggregatetest.Plain(answers), totals); diff != "" || count != 3 {
		t.Errorf("count %d (-want +got):\n%s", count, diff)
	}
}

// TestStrangerUploadsAsMuchAsItMay: the limit of a source address by itself, over
// real connections from two addresses of this machine: a stranger has sent what
// its hour allows and is put off, and members from another address deliver.
func TestStrangerUploadsAsMuchAsItMay(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only there is all of 127.0.0.0/8 this machine")
	}
	const perHour = 100
	n := newNetwork(t, setup{members: 3, surface: func(c *daphttp.Config) { c.UploadsPerHour = perHour }})
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.66")}, Timeout: 10 * time.Second}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: daphttp.ClientTLS(nil, pin(n.leaderCert)), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	report := n.Seal(aggregatetest.Member(0), 1, aggregatetest.Answers(0)).Report
	uploads := uint32(0)
	upload := func(reports int) *http.Response {
		t.Helper()
		var req dap.UploadRequest
		for range reports {
			uploads++
			r := report
			binary.BigEndian.PutUint32(r.ReportMetadata.ReportID[:], uploads)
			req.Reports = append(req.Reports, r)
		}
		body, err := dap.Encode(dap.Variant18, req)
		must(t, err)
		got, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Post(string(n.leaderURL)+"/tasks/"+n.Task().ID.String()+"/reports", string(dap.MediaUploadRequest), bytes.NewReader(body))
		must(t, err)
		must(t, got.Body.Close())
		return got
	}
	if got := upload(perHour); got.StatusCode != http.StatusOK {
		t.Fatalf("the stranger's first uploads: %s", got.Status)
	}
	if got := upload(perHour); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("the stranger's next uploads: %s, Retry-After %q", got.Status, got.Header.Get("Retry-After"))
	}
	answers := n.run(3)
	if got := upload(perHour); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the stranger after the members: %s", got.Status)
	}
	count, totals, err := n.Finish()
	must(t, err)
	if diff := cmp.Diff(aggregatetest.Plain(answers), totals); diff != "" || count != 3 {
		t.Errorf("count %d (-want +got):\n%s", count, diff)
	}
}

// TestConnectionsAreLoggedWithoutAddresses: also at the level debug, at which what
// goes wrong below HTTP is said.
func TestConnectionsAreLoggedWithoutAddresses(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, setup{members: 3})
	conn, err := net.Dial("tcp", n.leaderHost())
	must(t, err)
	_, err = conn.Write([]byte("no handshake\r\n\r\n"))
	must(t, err)
	address := conn.LocalAddr().String()
	for range 500 {
		if strings.Contains(n.log.String(), "handshake") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	conn.Close()
	if log := n.log.String(); !strings.Contains(log, "a handshake was not completed") || strings.Contains(log, address) || strings.Contains(log, "127.0.0.1") {
		t.Errorf("the log:\n%s", log)
	}
}
