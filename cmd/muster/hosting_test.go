package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/aggregate"
	"muster/internal/assess"
	"muster/internal/cli"
	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/store/hostdb"
	"muster/internal/store/pgtest"
	"muster/internal/submit"
	"muster/packs"
)

// hosting is a cycle of two hosts, a coordinator and members, each with a folder
// of its own, run by the commands. Its clock is the test's.
type hosting struct {
	t       *testing.T
	dir     string
	clock   atomic.Int64 // Unix seconds; of all commands
	printed *buffer      // everything that any command has printed
	running map[string]*served
}

// The days of a hosting's cycle, from its clock's beginning on.
const (
	hostingBegins   = int64(1_790_000_000)
	hostingDeadline = hostingBegins + 20*24*3600
	hostingWipe     = hostingBegins + 300*24*3600
	hostingMembers  = 12
)

var hostFolders = []string{"ostmere", "calverra"} // Leader and Helper

// newHosting goes through the key ceremony and signs the charter. The hosts do
// not serve yet.
func newHosting(t *testing.T) *hosting {
	t.Helper()
	c := &hosting{t: t, dir: t.TempDir(), printed: new(buffer), running: make(map[string]*served)}
	c.clock.Store(hostingBegins)
	for _, host := range hostFolders {
		address := freeAddress(t)
		c.must("host", "init", c.at(host), "--member", host, "--url", "https://"+address+"/")
		_, port, _ := net.SplitHostPort(address)
		c.configure(host, `":`+port+`"`, `"`+address+`"`)
		c.configure(host, "127.0.0.1:9443", "127.0.0.1:0")
	}
	cards := []string{"--leader", c.at("ostmere", "host-card.json"), "--helper", c.at("calverra", "host-card.json")}
	for _, host := range hostFolders {
		c.must(append([]string{"host", "ceremony", "commit", "--dir", c.at(host), "--cycle", "now"}, cards...)...)
	}
	var digest string
	for i, host := range hostFolders {
		c.must("host", "ceremony", "reveal", "--dir", c.at(host), "--commitment", c.at(hostFolders[1-i], "commitment.json"))
	}
	for i, host := range hostFolders {
		digest = hexDigest.FindString(c.must("host", "ceremony", "finish", "--dir", c.at(host), "--reveal", c.at(hostFolders[1-i], "reveal.json")))
	}
	c.must("collect", "init", c.at("coordinator"), "--name", "Sea of Lights")
	members := "member,key\n"
	for i := range hostingMembers {
		members += c.must("submit", "init", c.at("members", memberName(i)), "--member", memberName(i))
	}
	check(t, os.WriteFile(c.at("members.csv"), []byte(members), 0o600))
	day := func(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }
	c.must(append([]string{
		"collect", "charter", "--dir", c.at("coordinator"), "--framework", lights, "--members", c.at("members.csv"), "--seed-digest", digest, "--cycle", "now",
		"--opens", day(hostingBegins - 24*3600), "--deadline", day(hostingDeadline), "--wipe", day(hostingWipe), "--witness", nobody, "--out", c.at("charter.json"),
	}, cards...)...)
	for _, host := range hostFolders {
		c.must("host", "approve", c.at("charter.json"), "--dir", c.at(host), "--yes")
	}
	for _, host := range hostFolders {
		for _, name := range []string{"charter.json", "charter.json.sig"} {
			body, err := os.ReadFile(c.at(name))
			check(t, err)
			check(t, os.WriteFile(c.at(host, name), body, 0o600))
		}
	}
	return c
}

// onPostgres gives a host a database on PostgreSQL in place of its file.
func (c *hosting) onPostgres(host string) {
	c.t.Helper()
	check(c.t, os.WriteFile(c.at(host, "dsn"), []byte(pgtest.DSN(c.t)+"\n"), 0o600))
	c.configure(host, "sqlite: host.db", "postgres: dsn")
}

// lights is a small pack.
var lights = filepath.Join("testdata", "lights.yaml")

func memberName(i int) string { return fmt.Sprintf("m%02d", i) }

func (c *hosting) at(elements ...string) string {
	return filepath.Join(append([]string{c.dir}, elements...)...)
}

// configure replaces text in a host's configuration.
func (c *hosting) configure(host, old, with string) {
	c.t.Helper()
	text, err := os.ReadFile(c.at(host, "host.yaml"))
	check(c.t, err)
	if !strings.Contains(string(text), old) {
		c.t.Fatalf("%s is not in the configuration:\n%s", old, text)
	}
	check(c.t, os.WriteFile(c.at(host, "host.yaml"), []byte(strings.ReplaceAll(string(text), old, with)), 0o600))
}

// env is the world of a command.
func (c *hosting) env(out, err io.Writer) cli.Env {
	return cli.Env{
		In: strings.NewReader(""), Out: io.MultiWriter(out, c.printed), Err: io.MultiWriter(err, c.printed), Rand: rand.Reader,
		Now: func() time.Time { return time.Unix(c.clock.Load(), 0) }, Getenv: func(string) string { return "" }, Packs: packs.FS(),
		Terminal: func(io.Writer) (int, bool) { return 0, false },
	}
}

// run runs a command and returns its exit code and what it printed.
func (c *hosting) run(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Run(c.t.Context(), args, c.env(&out, &err))
	return code, out.String(), err.String()
}

// must runs a command that has to succeed and returns its output.
func (c *hosting) must(args ...string) string {
	c.t.Helper()
	code, stdout, stderr := c.run(args...)
	if code != 0 {
		c.t.Fatalf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

// refuses runs a command that has to fail with that code and these words.
func (c *hosting) refuses(code int, words string, args ...string) {
	c.t.Helper()
	got, stdout, stderr := c.run(args...)
	if got != code || !strings.Contains(stderr, words) {
		c.t.Fatalf("%v: exit code %d, want %d and %q\n%s%s", args, got, code, words, stdout, stderr)
	}
}

// serve starts both hosts, or those named.
func (c *hosting) serve(hosts ...string) {
	c.t.Helper()
	if hosts == nil {
		hosts = hostFolders
	}
	for _, host := range hosts {
		ctx, stop := context.WithCancel(c.t.Context())
		s := &served{log: new(buffer), stop: stop, ended: make(chan int, 1)}
		env := c.env(io.Discard, s.log)
		go func() { s.ended <- cli.Run(ctx, []string{"host", "serve", "--config", c.at(host, "host.yaml")}, env) }()
		s.await(c.t, host)
		c.running[host] = s
	}
	c.t.Cleanup(func() { c.stop() })
}

// await waits until the host serves.
func (s *served) await(t *testing.T, host string) {
	t.Helper()
	for range 1000 {
		if found := operationsAt.FindStringSubmatch(s.log.String()); found != nil {
			s.operations = found[1]
			return
		}
		select {
		case code := <-s.ended:
			t.Fatalf("%s: exit code %d\n%s", host, code, s.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not serve\n%s", host, s.log)
}

// stop ends the hosts that serve, or those named.
func (c *hosting) stop(hosts ...string) {
	c.t.Helper()
	if hosts == nil {
		hosts = slices.Collect(maps.Keys(c.running))
	}
	for _, host := range hosts {
		c.running[host].end(c.t)
		delete(c.running, host)
	}
}

// answersOf are the answers of the n-th member.
func answersOf(t *testing.T, pack *framework.Pack, n int) *assess.Assessment {
	t.Helper()
	text := fmt.Sprintf("outcome,level,verified,evidence,target\nL1.1,%d,,,2\nL1.2,%d,,,3\nL2.1,withheld,,,\n", n%3, (n+1)%3)
	answers, err := exchange.ReadAnswers("a.csv", strings.NewReader(text), pack)
	check(t, err)
	return &assess.Assessment{Member: memberName(n), Answers: answers}
}

// member returns what the n-th member submits with.
func (c *hosting) member(n int) (*submit.Sealer, *assess.Assessment, *daphttp.LeaderClient, *daphttp.HelperClient) {
	c.t.Helper()
	charter, layout, pack := c.charter()
	signer, err := config.KeyFolder{Dir: c.at("members", memberName(n), "keys")}.Signer()
	check(c.t, err)
	sealer, err := submit.New(submit.Config{
		Charter: charter, Cohort: "allies", Layout: layout, Member: coalition.MemberID(memberName(n)), Signer: signer, Rand: rand.Reader,
		Now: func() time.Time { return time.Unix(c.clock.Load(), 0) },
	})
	check(c.t, err)
	return sealer, answersOf(c.t, pack, n), c.leader(charter), c.helper(charter)
}

func (c *hosting) charter() (coalition.Charter, *framework.Layout, *framework.Pack) {
	c.t.Helper()
	body, err := os.ReadFile(c.at("charter.json"))
	check(c.t, err)
	sig, err := os.ReadFile(c.at("charter.json.sig"))
	check(c.t, err)
	charter, err := coalition.SignedCharter{Body: body, Signature: sig}.Open()
	check(c.t, err)
	file, err := os.Open(lights)
	check(c.t, err)
	defer file.Close()
	pack, err := framework.Read(lights, file)
	check(c.t, err)
	layout, err := framework.NewLayout(pack)
	check(c.t, err)
	return charter, layout, pack
}

func (c *hosting) client(charter coalition.Charter, host coalition.Host) daphttp.ClientConfig {
	c.t.Helper()
	task, err := charter.OpenTask("allies")
	check(c.t, err)
	pin, err := daphttp.ParsePin(host.Certificate)
	check(c.t, err)
	endpoint := task.Configuration.LeaderAggregatorEndpoint
	if host.Member == charter.Helper.Member {
		endpoint = task.Configuration.HelperAggregatorEndpoint
	}
	return daphttp.ClientConfig{Endpoint: endpoint, TLS: daphttp.ClientTLS(nil, pin), Attempts: 2}
}

func (c *hosting) leader(charter coalition.Charter) *daphttp.LeaderClient {
	client, err := daphttp.NewLeaderClient(c.client(charter, charter.Leader))
	check(c.t, err)
	c.t.Cleanup(client.Close)
	return client
}

func (c *hosting) helper(charter coalition.Charter) *daphttp.HelperClient {
	client, err := daphttp.NewHelperClient(c.client(charter, charter.Helper))
	check(c.t, err)
	c.t.Cleanup(client.Close)
	return client
}

// deliver lets members deliver their first submission.
func (c *hosting) deliver(members ...int) {
	c.t.Helper()
	for _, n := range members {
		sealer, answers, leader, helper := c.member(n)
		sealed, err := sealer.Seal(answers, nil, 1)
		check(c.t, err)
		check(c.t, sealer.Deliver(c.t.Context(), sealed, leader, helper))
	}
}

// upTo returns 0 to n-1.
func upTo(n int) []int {
	var list []int
	for i := range n {
		list = append(list, i)
	}
	return list
}

// collected asks the Leader as the coordinator and returns the totals.
func (c *hosting) collected() (*collect.Aggregate, error) {
	c.t.Helper()
	charter, layout, _ := c.charter()
	folder := config.KeyFolder{Dir: c.at("coordinator", "keys")}
	pairs, err := folder.HPKE()
	check(c.t, err)
	collector, err := collect.New(collect.Config{Charter: charter, Cohort: "allies", HPKE: pairs[0], Layout: layout})
	check(c.t, err)
	certificate, err := folder.Certificate()
	check(c.t, err)
	cfg := c.client(charter, charter.Leader)
	pin, err := daphttp.ParsePin(charter.Leader.Certificate)
	check(c.t, err)
	cfg.TLS = daphttp.ClientTLS(&certificate, pin)
	client, err := daphttp.NewLeaderClient(cfg)
	check(c.t, err)
	defer client.Close()
	return collector.Collect(c.t.Context(), client, c.frozen("ostmere"))
}

// database opens a host's database past its commands.
func (c *hosting) database(host string) *hostdb.DB {
	c.t.Helper()
	cfg, err := config.ReadHost(c.at(host, "host.yaml"))
	check(c.t, err)
	db, err := hostdb.Open(c.t.Context(), hostdb.Config{Path: cfg.SQLite, DSNFile: cfg.PostgresDSN})
	check(c.t, err)
	c.t.Cleanup(func() { check(c.t, db.Close()) })
	return db
}

// frozen returns the roster of a host with its amendments.
func (c *hosting) frozen(host string) (f coalition.FrozenRoster) {
	c.t.Helper()
	charter, _, _ := c.charter()
	task, err := charter.OpenTask("allies")
	check(c.t, err)
	check(c.t, c.database(host).InTx(c.t.Context(), "read roster", func(tx aggregate.Tx) error {
		var err error
		if f.Roster, _, err = tx.Roster(task.ID); err != nil {
			return err
		}
		f.Amendments, err = tx.Amendments(task.ID)
		return err
	}))
	return f
}

// status returns what muster host status --json says of a host's only cohort.
func (c *hosting) status(host string) map[string]any {
	c.t.Helper()
	var s struct {
		Cohorts []map[string]any
	}
	check(c.t, json.Unmarshal([]byte(c.must("host", "status", "--dir", c.at(host), "--json")), &s))
	if len(s.Cohorts) != 1 {
		c.t.Fatalf("%d cohorts", len(s.Cohorts))
	}
	return s.Cohorts[0]
}

// wants compares fields of a host's status with JSON.
func (c *hosting) wants(host string, fields map[string]string) {
	c.t.Helper()
	s := c.status(host)
	for name, want := range fields {
		got, err := json.Marshal(s[name])
		check(c.t, err)
		if string(got) != want {
			c.t.Errorf("%s: %s is %s, want %s", host, name, got, want)
		}
	}
}

// totals returns the sums over what members answered, the way a collection has them.
func (c *hosting) totals(members ...int) []uint64 {
	c.t.Helper()
	_, layout, pack := c.charter()
	cells := make([]uint64, layout.Bits())
	for _, n := range members {
		m, err := assess.Measurement(layout, answersOf(c.t, pack, n), nil)
		check(c.t, err)
		offset := 0
		for i, block := range layout.Blocks {
			cells[offset+int(m[i])]++
			offset += len(block.Buckets)
		}
	}
	return cells
}

// logs waits until the host's log has the text.
func (s *served) logs(t *testing.T, text string) {
	t.Helper()
	for range 3000 {
		if strings.Contains(s.log.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the log does not say %q:\n%s", text, s.log)
}
