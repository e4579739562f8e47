package cli_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/cli"
	"muster/packs"
)

// workspaceDemo runs the demonstration and returns the first lines that it prints. It
// ends with the test.
func workspaceDemo(t *testing.T, lines int, args ...string) []string {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	out, write := io.Pipe()
	ended := make(chan int, 1)
	var said strings.Builder
	go func() {
		ended <- cli.Run(ctx, append([]string{"workspace", "demo"}, args...), cli.Env{
			In: strings.NewReader(""), Out: write, Err: &said, Rand: rand.Reader, Now: time.Now,
			Getenv: func(string) string { return "" }, Packs: packs.FS(), Terminal: func(io.Writer) (int, bool) { return 0, false },
		})
		write.Close() // so that nobody waits for more
	}() // waited for below
	t.Cleanup(func() {
		end()
		if code := <-ended; code != 0 {
			t.Errorf("exit code %d: %s", code, said.String())
		}
	})
	scanner := bufio.NewScanner(out)
	var all []string
	for len(all) < lines && scanner.Scan() {
		all = append(all, scanner.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // which ends with the command
	if len(all) < lines {
		t.Fatalf("printed %q", all)
	}
	return all
}

// freePort returns an address of this machine that nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestWorkspaceDemoTeam: one of each role is invited, and each address leads to a page
// that is marked, by a certificate that lies where it is said.
func TestWorkspaceDemoTeam(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	address := freePort(t)
	lines := workspaceDemo(t, 6, "--team", "--dir", dir, "--listen", address)
	pem, err := os.ReadFile(filepath.Join(dir, "keys", "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(pem) {
		t.Fatal("there is no certificate")
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address) // wherever this machine looks for localhost
		},
	}}
	defer client.CloseIdleConnections()
	for i, want := range []string{"Ada Lindqvist", "contributor (interior, harbour)", "verifier", "approver (head)", "reader"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
		invitation := lines[i][strings.Index(lines[i], "https://"):]
		rec, err := client.Get(invitation)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(rec.Body)
		rec.Body.Close()
		if err != nil || rec.StatusCode != http.StatusOK || !strings.Contains(string(body), "SYNTHETIC") {
			t.Errorf("%s: %d, %v\n%s", invitation, rec.StatusCode, err, body)
		}
	}
	if want := "https://localhost:" + address[strings.LastIndex(address, ":")+1:] + "/"; lines[5] != want {
		t.Errorf("it is served at %q, want %q", lines[5], want)
	}
}

// TestWorkspaceDemoSeals goes through the demonstration as its first reader does: the
// survey under a charter is approved and sealed on its pages, and the receipt is there.
func TestWorkspaceDemoSeals(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	address := workspaceDemo(t, 1, "--dir", dir, "--listen", freePort(t))[0]
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute, Jar: jar}
	defer client.CloseIdleConnections()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(r *http.Request) string {
		t.Helper()
		r.Header.Set("Origin", at.Scheme+"://"+at.Host)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %d, %v\n%s", r.Method, r.URL, answer.StatusCode, err, body)
		}
		return string(body)
	}
	get := func(where string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, where, nil)
		if err != nil {
			t.Fatal(err)
		}
		return ask(r)
	}
	send := func(where string, form url.Values) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, where, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return ask(r)
	}
	digestOf := func(page string) string {
		t.Helper()
		m := regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`).FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("the page has no digest\n%s", page)
		}
		return m[1]
	}
	get(address)
	survey := at.Scheme + "://" + at.Host + at.Path + "en/survey/" + strconv.Itoa(time.Now().Year()) + "/muster-ai/"
	send(survey+"signoff/decision", url.Values{"step": {"head"}, "digest": {digestOf(get(survey + "signoff"))}, "decision": {"approve"}})
	page := send(survey+"sealing/seal", url.Values{"digest": {digestOf(get(survey + "sealing"))}, "passphrase": {"an entirely invented member"}})
	if !strings.Contains(page, "Submission 1") || !strings.Contains(page, "SYNTHETIC") {
		t.Errorf("the page does not say that it is sealed\n%s", page)
	}
	receipts, err := filepath.Glob(filepath.Join(dir, "sealed", "*.json"))
	if err != nil || len(receipts) != 1 {
		t.Errorf("receipts %q, %v", receipts, err)
	}
}
