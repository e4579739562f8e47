package fault_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"muster/internal/aggregate"
	"muster/internal/cli"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/store"
	"muster/internal/store/hostdb"
	"muster/internal/store/pgtest"
	"muster/packs"
)

// The engines of a host's database.
const (
	onSQLite   = "SQLite"
	onPostgres = "PostgreSQL"
)

// world is one run of a lane's cycle, with folders of its own.
type world struct {
	*lane
	t       testing.TB
	dir     string
	clock   time.Duration            // ahead of this machine's
	skew    map[string]time.Duration // and more, by process
	death   map[string]string        // plans, by process: a host's name, or a command's
	under   map[string][]string      // commands that run a host at its first start
	dsn     map[string]string        // by host, on PostgreSQL
	hosts   map[string]*host
	serving sync.Map // by name, the *host that was last begun; also for those who kill from elsewhere
	said    []string // what commands have refused with

	entered map[string]string // kinds of entries in a host's record, where they are not the usual ones
	room    map[string]uint64 // bytes that files may have, by command, for its first run
	mayEnd  bool              // a host may end by itself, where it says that a disk takes nothing
	before  map[string]func() // is done before such a command is run for the first time
	inHere  map[string]bool   // commands that are run in this process
	running atomic.Pointer[os.Process]
}

// newWorld copies the lane as it is before anybody has served or delivered.
func (l *lane) newWorld(t testing.TB, engine string) *world {
	t.Helper()
	w := &world{
		lane: l, t: t, dir: scratch(t), skew: make(map[string]time.Duration), death: make(map[string]string), under: make(map[string][]string),
		dsn: make(map[string]string), hosts: make(map[string]*host), before: make(map[string]func()), entered: make(map[string]string), room: make(map[string]uint64), inHere: map[string]bool{"upload": true, "record": true, "release": true},
	}
	for _, name := range append(hostNames(), "coordinator", "sealed") {
		copyTree(t, l.at(name), filepath.Join(w.dir, name))
	}
	for _, name := range []string{"charter.json", "charter.json.sig"} {
		check(t, os.WriteFile(w.at(name), l.read(name), 0o600))
	}
	if engine == onPostgres {
		for _, name := range hostNames() {
			w.usePostgres(name, pgtest.DSN(t))
		}
	}
	w.setClock(0)
	for _, p := range l.proxies {
		p.expect(trouble{})
		p.lead(p.home)
	}
	return w
}

// scratch returns a folder that the test leaves nothing of. It is in memory where
// the machine has such a folder: a process that is killed leaves there what it
// leaves on a disk, and nobody waits.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "muster-fault-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	return dir
}

func (w *world) usePostgres(host, dsn string) {
	w.t.Helper()
	w.dsn[host] = dsn
	check(w.t, os.WriteFile(w.at(host, "dsn"), []byte(dsn), 0o600))
	text, err := os.ReadFile(w.at(host, "host.yaml"))
	check(w.t, err)
	lines := strings.Split(string(text), "\n")
	for i, line := range lines { // what init has written about the database
		if strings.HasPrefix(line, "database:") {
			lines = append(lines[:i], lines[i+2:]...)
			break
		}
	}
	check(w.t, os.WriteFile(w.at(host, "host.yaml"), []byte(strings.Join(lines, "\n")+"\ndatabase:\n  postgres: dsn\n"), 0o600))
}

func (w *world) at(elements ...string) string {
	return filepath.Join(append([]string{w.dir}, elements...)...)
}

// setClock sets everybody's clock, each with its own error.
func (w *world) setClock(ahead time.Duration) {
	w.t.Helper()
	w.clock = ahead
	for _, who := range append(hostNames(), "coordinator", "members") {
		file := w.at("clock-" + who)
		check(w.t, os.WriteFile(file+".new", fmt.Appendf(nil, "%d\n", int64((ahead+w.skew[who])/time.Second)), 0o600))
		check(w.t, os.Rename(file+".new", file)) // who reads it finds the old time or the new
	}
}

// env is the environment of a process of somebody.
func (w *world) env(who, plan string) []string {
	env := append(os.Environ(), clockVariable+"="+w.at("clock-"+who))
	if plan != "" {
		env = append(env, deathVariable+"="+plan+" "+w.at("died"))
	}
	return env
}

// died returns where the planned death came, or nothing if it did not come.
func (w *world) died() string {
	body, _ := os.ReadFile(w.at("died"))
	return string(body)
}

// whose are the commands.
func whose(command string) string {
	switch command {
	case "freeze", "amend", "approve", "set-aside", "backup":
		return leaderHost
	case "upload":
		return "members"
	}
	return "coordinator"
}

const killed = -1 // is no exit code

// here runs a command in this process, by the clock of those whose it is: what
// nobody kills need not be a process of its own.
func (w *world) here(name string, args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	var out, errOut bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	code = cli.Run(ctx, args, cli.Env{
		In: strings.NewReader(""), Out: &out, Err: &errOut, Rand: rand.Reader, Now: clock(w.at("clock-" + whose(name))),
		Getenv: func(string) string { return "" }, Packs: packs.FS(), Terminal: func(io.Writer) (int, bool) { return 0, false },
	})
	return code, out.String(), errOut.String()
}

// run runs a command as a process of its own, which dies as planned, once.
func (w *world) run(name string, args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	if prepare := w.before[name]; prepare != nil {
		delete(w.before, name)
		prepare()
	}
	if w.inHere[name] {
		code, stdout, stderr = w.here(name, args...)
		w.note(name, code, stderr)
		return code, stdout, stderr
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = w.env(whose(name), w.death[name])
	delete(w.death, name)
	if room, ok := w.room[name]; ok {
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", roomVariable, room))
		delete(w.room, name)
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Start()
	if err == nil {
		w.running.Store(cmd.Process)
		err = cmd.Wait()
		w.running.Store(nil)
	}
	exit, _ := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		w.t.Fatalf("%s: not over after 90 s\n%s", name, &errOut)
	case exit != nil && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		code = killed
	case exit != nil:
		code = exit.ExitCode()
	case err != nil:
		w.t.Fatal(err)
	}
	w.note(name, code, errOut.String())
	return code, out.String(), errOut.String()
}

// note keeps what a command was refused with, which has to be clear.
func (w *world) note(name string, code int, stderr string) {
	w.t.Helper()
	if code <= 0 {
		return
	}
	w.said = append(w.said, name+": "+stderr)
	if !strings.Contains(stderr, "muster: error: ") || strings.Contains(stderr, "panic") || strings.Contains(stderr, "internal error") {
		w.t.Errorf("%s is not refused clearly:\n%s", name, stderr)
	}
}

// until runs a command until it ends with that code and these words, as the
// people who are told that it may be repeated would. A process that was killed
// keeps its lease for some minutes.
func (w *world) until(want int, words, name string, args ...string) string {
	w.t.Helper()
	for range 6 {
		code, stdout, stderr := w.run(name, args...)
		if code == want && strings.Contains(stdout+stderr, words) {
			return stdout
		}
		w.setClock(w.clock + 5*time.Minute)
	}
	w.t.Fatalf("%s does not end with %d and %q:\n%s\n%s", name, want, words, strings.Join(w.said, "\n"), w.logs())
	return ""
}

// refused runs a command that has to fail with that code and these words.
func (w *world) refused(code int, words, name string, args ...string) {
	w.t.Helper()
	got, stdout, stderr := w.run(name, args...)
	if got != code || !strings.Contains(stderr, words) {
		w.t.Errorf("%s: exit code %d, want %d and %q\n%s%s", name, got, code, words, stdout, stderr)
	}
}

// logs returns what the hosts have said of what did not go well.
func (w *world) logs() string {
	var text strings.Builder
	for _, name := range hostNames() {
		if w.hosts[name] == nil {
			continue
		}
		for line := range strings.Lines(w.hosts[name].logged()) {
			if !strings.Contains(line, " status=200 ") {
				fmt.Fprintf(&text, "%s: %s", name, line)
			}
		}
	}
	return text.String()
}

// open starts both hosts.
func (w *world) open() {
	w.t.Helper()
	for _, name := range hostNames() {
		w.hosts[name] = w.serve(name, w.death[name])
		delete(w.death, name)
	}
}

// upload delivers a sealed file until both hosts have it.
func (w *world) upload(name string) {
	w.t.Helper()
	w.until(0, "it counts", "upload", "submit", "upload", w.at("sealed", name), "--charter", w.at("charter.json"), "--wait", "20s")
}

// deliver has the members deliver.
func (w *world) deliver() {
	w.t.Helper()
	w.upload("m03-1.json")
	for i := range accepted + 1 {
		w.upload(memberName(i) + ".json")
	}
}

// finish goes from the deadline to the release.
func (w *world) finish() {
	w.t.Helper()
	w.setClock(max(w.clock, cycleRun+time.Hour))
	w.until(1, "not accepted: m10", "freeze", "host", "freeze", "--dir", w.at(leaderHost))
	w.amend()
	w.conclude()
}

// conclude goes from what is added up to the release.
func (w *world) conclude() {
	w.t.Helper()
	w.until(0, "10 of 12 members took part", "collect", w.collectArgs("collected")...)
	w.until(0, "is signed by the coordinator", "release", w.releaseArgs("collected", "release.json")...)
	// Whoever has lost the answer asks the same, and is told the same.
	answers, err := filepath.Glob(w.at("coordinator", "collections", "*.answer.json"))
	if err != nil || len(answers) != 1 {
		w.t.Fatalf("%d answers are kept (%v)", len(answers), err)
	}
	check(w.t, os.Remove(answers[0]))
	w.until(0, "10 of 12 members took part", "collect", w.collectArgs("again")...)
}

// amend strikes what was not accepted. It may have been struck before the
// command was killed: then there is nothing left to strike.
func (w *world) amend() {
	w.t.Helper()
	for range 6 {
		code, stdout, stderr := w.run("amend", "host", "amend", "--dir", w.at(leaderHost), "--yes")
		if code == 0 && (strings.Contains(stdout, "10 submissions are verified and added up") || strings.Contains(stderr, "there is nothing to strike")) {
			return
		}
		w.setClock(w.clock + 5*time.Minute)
	}
	w.t.Fatalf("m10 is not struck:\n%s\n%s", strings.Join(w.said, "\n"), w.logs())
}

func (w *world) collectArgs(out string) []string {
	return []string{
		"collect", "run", "--dir", w.at("coordinator"), "--charter", w.at("charter.json"), "--framework", lights, "--out", w.at(out), "--wait", "20s",
	}
}

func (w *world) releaseArgs(collected, out string) []string {
	return []string{
		"collect", "release", "--dir", w.at("coordinator"), "--charter", w.at("charter.json"), "--framework", lights, "--aggregate", w.at(collected, "aggregate.json"), "--out", w.at(out), "--first",
	}
}

// cycle takes the lane's submissions through a whole cycle, and holds everything
// against what has to be.
func (w *world) cycle() {
	w.t.Helper()
	w.open()
	w.deliver()
	w.finish()
	w.verify()
}

// verify holds everything that is left of a cycle against what has to be: both
// databases, both records, the roster, the totals, the release.
func (w *world) verify() {
	w.t.Helper()
	for _, h := range w.hosts {
		if err := h.stop(); err != nil && (!w.mayEnd || !aboutDisks.MatchString(h.logged())) {
			w.t.Errorf("%v\n%s", err, h.logged())
		}
	}
	states := make(map[string]state)
	for _, name := range hostNames() {
		states[name] = w.state(name)
		want := cmp.Or(w.entered[name], "charter, roster, amendment, aggregate share")
		if got := w.kinds(name); got != want {
			w.t.Errorf("the record of %s has %q, want %q", name, got, want)
		}
	}
	if diff := gocmp.Diff(states[leaderHost], states[helperHost]); diff != "" {
		w.t.Errorf("the hosts differ (-Leader +Helper):\n%s", diff)
	}
	s := states[leaderHost]
	want := state{Phase: aggregate.PhaseCollected, Roster: s.Roster, Members: s.Members, Outcomes: s.Outcomes, Amendments: 1, Collected: true}
	if diff := gocmp.Diff(want, s); diff != "" || len(s.Members) != accepted || len(s.Outcomes) != accepted+1 {
		w.t.Errorf("%d on the roster, %d settled\n%s", len(s.Members), len(s.Outcomes), diff)
	}
	read := func(name ...string) []byte {
		body, err := os.ReadFile(w.at(name...))
		check(w.t, err)
		return body
	}
	var list []int
	for i := range accepted {
		list = append(list, i)
	}
	if diff := gocmp.Diff(string(w.totals(s.Roster, list)), string(read("collected", "aggregate.json"))); diff != "" {
		w.t.Errorf("not the plain sum:\n%s", diff)
	}
	if diff := gocmp.Diff(string(read("collected", "aggregate.json")), string(read("again", "aggregate.json"))); diff != "" {
		w.t.Errorf("two collections:\n%s", diff)
	}
	release := read("release.json")
	if w.lane.release == nil {
		w.lane.release = release
	}
	if diff := gocmp.Diff(string(w.lane.release), string(release)); diff != "" {
		w.t.Errorf("another release:\n%s", diff)
	}
}

// state is what a host has at the end.
type state struct {
	Phase      aggregate.Phase
	Roster     string // the digest of the roster as last amended
	Members    []coalition.MemberID
	Outcomes   map[string]bool // by report: whether it was added up
	Amendments int
	Collected  bool
}

func (w *world) state(host string) state {
	w.t.Helper()
	s := state{Outcomes: make(map[string]bool)}
	check(w.t, w.database(host).InTx(context.Background(), "read state", func(tx aggregate.Tx) error {
		var err error
		if s.Phase, err = tx.Phase(w.task.ID); err != nil {
			return err
		}
		f, err := w.readFrozen(tx)
		if err != nil || f.Roster.Body == nil {
			return err
		}
		s.Amendments = len(f.Amendments)
		s.Roster = f.Digest()
		roster, err := f.Open(w.task.ID, w.charter.Leader.Key, w.charter.Helper.Key)
		if err != nil {
			return err
		}
		for _, e := range roster.Entries {
			s.Members = append(s.Members, e.Member)
		}
		settled, err := tx.Settled(w.task.ID)
		if err != nil {
			return err
		}
		for id, outcome := range settled {
			s.Outcomes[id.String()] = outcome.Accepted
		}
		c, ok, err := tx.Collection(w.task.ID)
		s.Collected = ok && c.Response != nil
		return err
	}))
	return s
}

func (w *world) readFrozen(tx aggregate.Tx) (f coalition.FrozenRoster, err error) {
	if f.Roster, _, err = tx.Roster(w.task.ID); err != nil {
		return f, err
	}
	f.Amendments, err = tx.Amendments(w.task.ID)
	return f, err
}

// frozen returns a host's roster with its amendments.
func (w *world) frozen(host string) (f coalition.FrozenRoster) {
	w.t.Helper()
	check(w.t, w.database(host).InTx(context.Background(), "read roster", func(tx aggregate.Tx) (err error) {
		f, err = w.readFrozen(tx)
		return err
	}))
	return f
}

// database opens a host's database past its commands, with its keys.
func (w *world) database(host string) *hostdb.DB {
	w.t.Helper()
	cfg := hostdb.Config{Path: w.at(host, "host.db"), CycleKey: w.cycleKey(host)}
	if dsn := w.dsn[host]; dsn != "" {
		cfg.Path, cfg.DSN = "", store.NewDSN(dsn)
	}
	db, err := hostdb.Open(context.Background(), cfg)
	check(w.t, err)
	w.t.Cleanup(func() { check(w.t, db.Close()) })
	return db
}

// kinds returns the kinds of entries in a host's record, in order.
func (w *world) kinds(host string) string {
	w.t.Helper()
	code, _, stderr := w.run("record", "host", "record", "--dir", w.at(host), "--out", w.at(host+".jsonl"))
	if code != 0 {
		w.t.Fatal(stderr)
	}
	body, err := os.ReadFile(w.at(host + ".jsonl"))
	check(w.t, err)
	entries, err := ledger.Read(bytes.NewReader(body), w.hostKey(host))
	check(w.t, err)
	var kinds []string
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
	}
	return strings.Join(kinds, ", ")
}

func (w *world) hostKey(host string) keys.Public {
	if host == leaderHost {
		return w.charter.Leader.Key
	}
	return w.charter.Helper.Key
}

// cycleKey is the key of a host's cycle.
func (w *world) cycleKey(host string) [hostdb.CycleKeySize]byte {
	w.t.Helper()
	key, err := config.KeyFolder{Dir: w.at(host, "keys")}.CycleKey()
	check(w.t, err)
	return key
}
