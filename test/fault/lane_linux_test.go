package fault_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/assess"
	"muster/internal/cli"
	"muster/internal/coalition"
	"muster/internal/collect"
	"muster/internal/config"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/submit"
	"muster/packs"
)

// A lane is one coalition with its ceremony held, its charter signed and its
// submissions sealed. Its cases follow each other at the same addresses, and
// begin where the lane is now; so their releases have to be the same bytes.
//
//	m00 to m09  deliver; m03 twice, and the second counts
//	m10         delivers what does not open at the Helper
//	m11         does not deliver, unless a case says so
type lane struct {
	t       testing.TB
	dir     string
	ip      string // of this machine, and of no other lane
	pack    *framework.Pack
	layout  *framework.Layout
	charter coalition.Charter
	task    coalition.OpenedTask
	begins  time.Time

	proxies map[string]*proxy // by host, where the charter says that it is
	release []byte            // of the first case
}

const (
	leaderHost, helperHost = "ostmere", "calverra"

	members  = 12
	accepted = 10
	cycleRun = 20 * 24 * time.Hour // from a lane's beginning to its deadline

	// nobody is the key of a witness that nobody runs: no ledger is looked at here.
	nobody = "nobody.example+68374353+BBfVcL7pT5DzpWDS0Bv06qmXdXQqa5j16Jr+lrmpGmYi"
)

func hostNames() []string { return []string{leaderHost, helperHost} }

func memberName(i int) string { return fmt.Sprintf("m%02d", i) }

// lights is a small pack.
var lights = filepath.Join("..", "..", "cmd", "muster", "testdata", "lights.yaml")

var hexDigest = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// lanes counts the lanes of this process, for their addresses.
var lanes = new(atomic.Int32)

func newLane(t testing.TB) *lane {
	t.Helper()
	// The whole of 127/8 is this machine.
	pid := os.Getpid()
	l := &lane{
		t: t, dir: t.TempDir(), begins: time.Now(), proxies: make(map[string]*proxy),
		ip: fmt.Sprintf("127.%d.%d.%d", 64+pid/250%180, 2+pid%250, 1+lanes.Add(1)),
	}
	for i, host := range hostNames() {
		served, behind := fmt.Sprintf("%s:%d", l.ip, 9444+i), fmt.Sprintf("%s:%d", l.ip, 8444+i)
		l.must("host", "init", l.at(host), "--member", host, "--url", "https://"+served+"/")
		l.configure(host, fmt.Sprintf(`":%d"`, 9444+i), `"`+behind+`"`)
		l.configure(host, "127.0.0.1:9443", fmt.Sprintf("%s:%d", l.ip, 7444+i))
		l.proxies[host] = newProxy(t, served, behind)
	}
	l.hold()
	l.seal()
	return l
}

func (l *lane) at(elements ...string) string {
	return filepath.Join(append([]string{l.dir}, elements...)...)
}

// hold holds the ceremony and has the charter signed.
func (l *lane) hold() {
	l.t.Helper()
	cards := []string{"--leader", l.at(leaderHost, "host-card.json"), "--helper", l.at(helperHost, "host-card.json")}
	peer := map[string]string{leaderHost: helperHost, helperHost: leaderHost}
	for _, host := range hostNames() {
		l.must(append([]string{"host", "ceremony", "commit", "--dir", l.at(host), "--cycle", "now"}, cards...)...)
	}
	for _, host := range hostNames() {
		l.must("host", "ceremony", "reveal", "--dir", l.at(host), "--commitment", l.at(peer[host], "commitment.json"))
	}
	var digest string
	for _, host := range hostNames() {
		digest = hexDigest.FindString(l.must("host", "ceremony", "finish", "--dir", l.at(host), "--reveal", l.at(peer[host], "reveal.json")))
	}
	l.must("collect", "init", l.at("coordinator"), "--name", "Sea of Lights")
	list := "member,key\n"
	for i := range members {
		list += l.must("submit", "init", l.at("members", memberName(i)), "--member", memberName(i))
	}
	l.write("members.csv", []byte(list))
	day := func(after time.Duration) string { return l.begins.Add(after).UTC().Format(time.RFC3339) }
	l.must(append([]string{
		"collect", "charter", "--dir", l.at("coordinator"), "--framework", lights, "--members", l.at("members.csv"), "--seed-digest", digest, "--cycle", "now",
		"--opens", day(-24 * time.Hour), "--deadline", day(cycleRun), "--wipe", day(300 * 24 * time.Hour),
		"--witness", nobody, "--out", l.at("charter.json"),
	}, cards...)...)
	for _, host := range hostNames() {
		l.must("host", "approve", l.at("charter.json"), "--dir", l.at(host), "--yes")
	}
	for _, host := range hostNames() {
		for _, name := range []string{"charter.json", "charter.json.sig"} {
			l.write(filepath.Join(host, name), l.read(name))
		}
	}
	var err error
	l.charter, err = coalition.SignedCharter{Body: l.read("charter.json"), Signature: l.read("charter.json.sig")}.Open()
	check(l.t, err)
	l.task, err = l.charter.OpenTask(l.charter.Cohorts[0].ID)
	check(l.t, err)
	text, err := os.ReadFile(lights)
	check(l.t, err)
	l.pack, err = framework.Read(lights, bytes.NewReader(text))
	check(l.t, err)
	l.layout, err = framework.NewLayout(l.pack)
	check(l.t, err)
}

// seal has the members seal their answers, as files.
func (l *lane) seal() {
	l.t.Helper()
	check(l.t, os.MkdirAll(l.at("sealed"), 0o700))
	for i := range members {
		l.write(memberName(i)+".csv", []byte(answersOf(i)))
	}
	l.sealed("m03-1.json", 3, answersOf(4), 1)
	for i := range accepted {
		sequence := uint64(1)
		if i == 3 {
			sequence = 2
		}
		l.sealed(memberName(i)+".json", i, answersOf(i), sequence)
	}
	l.write(filepath.Join("sealed", "m10.json"), l.broken(10))
	l.sealed("m11.json", 11, answersOf(11), 1)
}

// answersOf are the answers of the n-th member, as a file.
func answersOf(n int) string {
	return fmt.Sprintf("outcome,level,verified,evidence,target\nL1.1,%d,,,2\nL1.2,%d,,,3\nL2.1,%s,,,\n", n%3, (n+1)%3, []string{"withheld", "na", "1"}[n%3])
}

// sealed seals answers to a file with that name.
func (l *lane) sealed(name string, n int, answers string, sequence uint64) {
	l.t.Helper()
	l.write("answers.csv", []byte(answers))
	l.must("submit", "seal", "--dir", l.at("members", memberName(n)), "--charter", l.at("charter.json"), "--framework", lights,
		"--answers", l.at("answers.csv"), "--seq", fmt.Sprint(sequence), "--out", l.at("sealed", name))
}

// submission seals the answers of the n-th member past the command.
func (l *lane) submission(n int, sequence uint64) submit.Submission {
	l.t.Helper()
	sealer, err := submit.New(submit.Config{
		Charter: l.charter, Cohort: l.task.Cohort.ID, Layout: l.layout, Member: coalition.MemberID(memberName(n)), Signer: l.signer(n), Rand: rand.Reader, Now: time.Now,
	})
	check(l.t, err)
	sealed, err := sealer.Seal(l.assessment(n), nil, sequence)
	check(l.t, err)
	return sealed
}

func (l *lane) assessment(n int) *assess.Assessment {
	l.t.Helper()
	answers, err := exchange.ReadAnswers("a.csv", strings.NewReader(answersOf(n)), l.pack)
	check(l.t, err)
	return &assess.Assessment{Member: memberName(n), Answers: answers}
}

func (l *lane) signer(n int) *keys.Signer {
	l.t.Helper()
	signer, err := config.KeyFolder{Dir: l.at("members", memberName(n), "keys")}.Signer()
	check(l.t, err)
	return signer
}

// broken is a sealed file of the n-th member whose second half does not open,
// and whose receipt says so of the very bytes.
func (l *lane) broken(n int) []byte {
	l.t.Helper()
	sealed := l.submission(n, 1)
	req, err := dap.Decode[dap.UploadRequest](l.task.Variant, sealed.Upload)
	check(l.t, err)
	req.Reports[0].HelperEncryptedInputShare.Payload[0] ^= 1
	sealed.Upload, err = dap.Encode(l.task.Variant, req)
	check(l.t, err)
	sealed.Receipt = l.receipt(n, 1, req.Reports[0])
	digest, err := l.charter.Digest()
	check(l.t, err)
	body, err := submit.File{Charter: digest, Submission: sealed}.Encode()
	check(l.t, err)
	return body
}

// receipt is the n-th member's over a report.
func (l *lane) receipt(n int, sequence uint64, report dap.Report) coalition.SignedReceipt {
	l.t.Helper()
	leader, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.LeaderEncryptedInputShare)
	check(l.t, err)
	helper, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.HelperEncryptedInputShare)
	check(l.t, err)
	signed, err := coalition.NewReceipt(l.task.ID, coalition.MemberID(memberName(n)), sequence, time.Now().Unix(), report.ReportMetadata.ReportID, leader, helper).Sign(l.signer(n))
	check(l.t, err)
	return signed
}

// totals is the plain sum of what these members answered, as aggregate.json.
func (l *lane) totals(roster string, list []int) []byte {
	l.t.Helper()
	cells := make([]uint64, l.layout.Bits())
	for _, n := range list {
		m, err := assess.Measurement(l.layout, l.assessment(n), nil)
		check(l.t, err)
		for i, bucket := range m {
			cells[l.layout.Offset(i)+int(bucket)]++
		}
	}
	a, err := collect.NewAggregate(l.layout, uint64(len(list)), cells)
	check(l.t, err)
	a.Task, a.Roster = l.task.ID.String(), roster
	body, err := keys.Canonical(a)
	check(l.t, err)
	return body
}

// must runs a command in this process, before the clocks of the cases matter.
func (l *lane) must(args ...string) string {
	l.t.Helper()
	var out, stderr bytes.Buffer
	env := cli.Env{
		In: strings.NewReader(""), Out: &out, Err: &stderr, Rand: rand.Reader, Now: time.Now, Getenv: func(string) string { return "" }, Packs: packs.FS(), Terminal: cli.Terminal,
	}
	if code := cli.Run(l.t.Context(), args, env); code != 0 {
		l.t.Fatalf("%v: exit code %d\n%s%s", args, code, &out, &stderr)
	}
	return out.String()
}

func (l *lane) read(name string) []byte {
	l.t.Helper()
	body, err := os.ReadFile(l.at(name))
	check(l.t, err)
	return body
}

func (l *lane) write(name string, body []byte) {
	l.t.Helper()
	check(l.t, os.WriteFile(l.at(name), body, 0o600))
}

// configure replaces text in a host's configuration.
func (l *lane) configure(host, old, with string) {
	l.t.Helper()
	replaceIn(l.t, l.at(host, config.HostFile), old, with)
}

func replaceIn(t testing.TB, path, old, with string) {
	t.Helper()
	text, err := os.ReadFile(path)
	check(t, err)
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s is not in %s:\n%s", old, path, text)
	}
	check(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, with)), 0o600))
}

// copyTree copies a folder with the modes of its files.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	check(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rest), 0o700)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rest), body, info.Mode().Perm())
	}))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
