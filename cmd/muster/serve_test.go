package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/submit"
)

// buffer is a bytes.Buffer that a server writes to while a test reads it.
type buffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// served is a host that runs.
type served struct {
	log        *buffer
	stop       func()
	ended      chan int
	operations string
}

var operationsAt = regexp.MustCompile(`operations at (\S+)`)

// serveHost starts muster host serve and waits until it serves.
func serveHost(t *testing.T, dir string) *served {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &served{log: new(buffer), stop: stop, ended: make(chan int, 1)}
	go func() {
		s.ended <- run(ctx, []string{"host", "serve", "--config", filepath.Join(dir, "host.yaml")}, strings.NewReader(""), io.Discard, s.log)
	}()
	for range 1000 {
		if found := operationsAt.FindStringSubmatch(s.log.String()); found != nil {
			s.operations = found[1]
			return s
		}
		select {
		case code := <-s.ended:
			t.Fatalf("%s: exit code %d\n%s", dir, code, s.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not serve\n%s", dir, s.log)
	return nil
}

// end stops a host and waits for it.
func (s *served) end(t *testing.T) {
	t.Helper()
	s.stop()
	if code := <-s.ended; code != 0 {
		t.Errorf("exit code %d\n%s", code, s.log)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// mustRun runs a command that has to succeed and returns what it printed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("%v: exit code %d\n%s", args, code, &stderr)
	}
	return stdout.String()
}

// Two hosts with keys, databases and certificates of their own take a member's
// submission over TLS, and go on where they were after a stop.
func TestTwoHostsServe(t *testing.T) {
	dir := t.TempDir()
	at := func(elements ...string) string { return filepath.Join(append([]string{dir}, elements...)...) }
	pack := filepath.Join("testdata", "lights.yaml")
	for _, host := range []string{"ostmere", "calverra"} {
		address := freeAddress(t)
		mustRun(t, "host", "init", at(host), "--member", host, "--url", "https://"+address+"/")
		text, err := os.ReadFile(at(host, "host.yaml"))
		check(t, err)
		_, port, _ := net.SplitHostPort(address)
		text = bytes.ReplaceAll(text, []byte(`":`+port+`"`), []byte(`"`+address+`"`))
		text = bytes.ReplaceAll(text, []byte("127.0.0.1:9443"), []byte("127.0.0.1:0"))
		check(t, os.WriteFile(at(host, "host.yaml"), text, 0o600))
	}
	cards := []string{"--leader", at("ostmere", "host-card.json"), "--helper", at("calverra", "host-card.json")}
	for _, host := range []string{"ostmere", "calverra"} {
		mustRun(t, append([]string{"host", "ceremony", "commit", "--dir", at(host), "--cycle", "now"}, cards...)...)
	}
	other := map[string]string{"ostmere": "calverra", "calverra": "ostmere"}
	for host, peer := range other {
		mustRun(t, "host", "ceremony", "reveal", "--dir", at(host), "--commitment", at(peer, "commitment.json"))
	}
	var digest string
	for host, peer := range other {
		digest = hexDigest.FindString(mustRun(t, "host", "ceremony", "finish", "--dir", at(host), "--reveal", at(peer, "reveal.json")))
	}
	mustRun(t, "collect", "init", at("coordinator"), "--name", "Sea of Lights")
	members := "member,key\n"
	for i := range 10 {
		name := fmt.Sprintf("m%02d", i)
		members += mustRun(t, "submit", "init", at("members", name), "--member", name)
	}
	check(t, os.WriteFile(at("members.csv"), []byte(members), 0o600))
	now := time.Now().UTC()
	day := 24 * time.Hour
	mustRun(t, append([]string{
		"collect", "charter", "--dir", at("coordinator"), "--framework", pack, "--members", at("members.csv"), "--seed-digest", digest, "--cycle", "now",
		"--opens", now.Add(-day).Format(time.RFC3339), "--deadline", now.Add(20 * day).Format(time.RFC3339), "--wipe", now.Add(300 * day).Format(time.RFC3339),
		"--witness", nobody, "--out", at("charter.json"),
	}, cards...)...)
	for host := range other {
		mustRun(t, "host", "approve", at("charter.json"), "--dir", at(host), "--yes")
	}
	for host := range other {
		for _, name := range []string{"charter.json", "charter.json.sig"} {
			body, err := os.ReadFile(at(name))
			check(t, err)
			check(t, os.WriteFile(at(host, name), body, 0o600))
		}
		if out := mustRun(t, "host", "serve", "--config", at(host, "host.yaml"), "--check"); !strings.Contains(out, "serves as") {
			t.Errorf("got %s", out)
		}
	}
	leader, helper := serveHost(t, at("ostmere")), serveHost(t, at("calverra"))
	for _, s := range []*served{leader, helper} {
		for _, path := range []string{"/healthz", "/readyz"} {
			response, err := http.Get("http://" + s.operations + path)
			check(t, err)
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", path, response.Status)
			}
		}
	}
	m := newMember(t, at(), pack, "m03")
	sealed, err := m.sealer.Seal(m.answers, nil, 1)
	check(t, err)
	check(t, m.sealer.Deliver(t.Context(), sealed, m.leader, m.helper))
	check(t, m.sealer.Deliver(t.Context(), sealed, m.leader, m.helper))
	// A member is not the coordinator.
	if _, err := m.leader.CollectionJob(t.Context(), m.task, []byte("x")); err == nil {
		t.Error("a member collects")
	}
	leader.end(t)
	helper.end(t)
	logs := leader.log.String() + helper.log.String()
	leader, helper = serveHost(t, at("ostmere")), serveHost(t, at("calverra"))
	check(t, m.sealer.Deliver(t.Context(), sealed, m.leader, m.helper))
	leader.end(t)
	helper.end(t)
	logs += leader.log.String() + helper.log.String()
	if !strings.Contains(logs, "route=") {
		t.Error("nothing was logged")
	}
	noSecretsIn(t, dir, logs)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// member is one that submits over the network.
type member struct {
	sealer  *submit.Sealer
	answers *assess.Assessment
	leader  *daphttp.LeaderClient
	helper  *daphttp.HelperClient
	task    dap.TaskID
}

func newMember(t *testing.T, dir, packFile, name string) member {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, "charter.json"))
	check(t, err)
	sig, err := os.ReadFile(filepath.Join(dir, "charter.json.sig"))
	check(t, err)
	charter, err := coalition.SignedCharter{Body: body, Signature: sig}.Open()
	check(t, err)
	file, err := os.Open(packFile)
	check(t, err)
	defer file.Close()
	pack, err := framework.Read(packFile, file)
	check(t, err)
	layout, err := framework.NewLayout(pack)
	check(t, err)
	signer, err := config.KeyFolder{Dir: filepath.Join(dir, "members", name, "keys")}.Signer()
	check(t, err)
	task, err := charter.OpenTask("allies")
	check(t, err)
	m := member{task: task.ID}
	m.sealer, err = submit.New(submit.Config{
		Charter: charter, Cohort: "allies", Layout: layout, Member: coalition.MemberID(name), Signer: signer, Rand: rand.Reader, Now: time.Now,
	})
	check(t, err)
	answers, err := exchange.ReadAnswers("a.csv", strings.NewReader("outcome,level,verified,evidence,target\nL1.1,1,,,2\nL1.2,3,2,E1,3\nL2.1,withheld,,,\n"), pack)
	check(t, err)
	m.answers = &assess.Assessment{Member: name, Answers: answers}
	leaderPin, err := daphttp.ParsePin(charter.Leader.Certificate)
	check(t, err)
	helperPin, err := daphttp.ParsePin(charter.Helper.Certificate)
	check(t, err)
	m.leader, err = daphttp.NewLeaderClient(daphttp.ClientConfig{Endpoint: task.Configuration.LeaderAggregatorEndpoint, TLS: daphttp.ClientTLS(nil, leaderPin)})
	check(t, err)
	m.helper, err = daphttp.NewHelperClient(daphttp.ClientConfig{Endpoint: task.Configuration.HelperAggregatorEndpoint, TLS: daphttp.ClientTLS(nil, helperPin)})
	check(t, err)
	// Under the Leader's address nobody but the Leader is spoken to.
	wrong, err := daphttp.NewLeaderClient(daphttp.ClientConfig{Endpoint: task.Configuration.LeaderAggregatorEndpoint, TLS: daphttp.ClientTLS(nil, helperPin), Attempts: 1})
	check(t, err)
	if _, err := wrong.HpkeConfigs(t.Context()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("another key was accepted: %v", err)
	}
	return m
}
