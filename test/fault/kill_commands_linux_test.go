package fault_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/store"
	"muster/internal/store/hostdb"
	"muster/internal/store/pgtest"
)

// An interruption is a command that writes files and is killed while it does: what is
// there before it, what may be there when it has died, and how a cycle goes on.
type interruption struct {
	process string // as its name is in run
	args    func(w *world) []string
	folders func(w *world) []string // in which it writes
	died    func(w *world)          // holds what is left against what may be
	again   func(w *world)          // does what was interrupted, and holds the whole cycle against what has to be
}

// fork copies a world in which nothing runs, to a disk: a command that waits for
// one can be met in the middle of its writes.
func (w *world) fork(t *testing.T) *world {
	t.Helper()
	f := w.newWorld(t, onSQLite)
	f.dir = filepath.Join(t.TempDir(), "world")
	copyTree(t, w.dir, f.dir)
	f.clock = w.clock
	maps.Copy(f.entered, w.entered)
	maps.Copy(f.dsn, w.dsn)
	return f
}

// halt stops the hosts.
func (w *world) halt() {
	w.t.Helper()
	for _, h := range w.hosts {
		check(w.t, h.stop())
	}
	clear(w.hosts)
}

// events counts what an undisturbed run of the command does in its folders.
func (s interruption) events(t *testing.T, before *world) int {
	t.Helper()
	w := before.fork(t)
	watch := newWatch(t, s.folders(w)...)
	code, _, stderr := w.run(s.process, s.args(w)...)
	if n := watch.stop(); code == 0 && n > 0 {
		return n
	}
	t.Fatalf("%s: exit code %d, and nothing is seen in its folders\n%s", s.process, code, stderr)
	return 0
}

// killAtEvents kills the command at one event after the other in its folders, at
// a third and two thirds of them; with MUSTER_LONG=1 at many.
func (s interruption) killAtEvents(t *testing.T, cases *tally, name string, before *world) {
	t.Helper()
	all, most := s.events(t, before), 2
	if long() {
		most = 40
	}
	deaths := 0
	for i := range min(all, most) {
		n := max(1, (i+1)*all/(min(all, most)+1))
		cases.run(t, fmt.Sprintf("%s, at event %d of %d in its folders", name, n, all), func(t *testing.T) {
			for n := n; ; n = max(1, n/2) { // until it is not faster than who kills it
				w := before.fork(t)
				if code := s.killAt(w, n); code == killed {
					deaths++
					s.died(w)
				} else if code == 0 && n > 1 {
					continue
				}
				s.again(w)
				return
			}
		})
	}
	if deaths == 0 {
		t.Errorf("%s was killed in none of %d cases", name, min(all, most))
	}
}

// killAt runs the command and kills it at the n-th event.
func (s interruption) killAt(w *world, n int) (code int) {
	w.t.Helper()
	watch := newWatch(w.t, s.folders(w)...)
	watch.at(n, func() {
		for range 1000 { // it writes before the test has its number
			if p := w.running.Load(); p != nil {
				_ = p.Kill()
				return
			}
			time.Sleep(10 * time.Microsecond)
		}
	})
	code, _, stderr := w.run(s.process, s.args(w)...)
	watch.stop()
	if code > 0 {
		w.t.Fatalf("exit code %d\n%s", code, stderr)
	}
	return code
}

// killAtTransactions kills the command around and within the transactions of its
// database.
func (s interruption) killAtTransactions(t *testing.T, cases *tally, name string, before *world, sample map[string]int) {
	t.Helper()
	for _, point := range []string{beforeCommit, afterCommit, withinWrite} {
		for n, more := 1, true; more && n < 40; n++ {
			if !long() && n != sample[point] {
				more = n < sample[point]
				continue
			}
			cases.run(t, fmt.Sprintf("%s, %s %d", name, point, n), func(t *testing.T) {
				w := before.fork(t)
				w.death[s.process] = fmt.Sprintf("%s %d", point, n)
				if code, _, stderr := w.run(s.process, s.args(w)...); code > 0 {
					t.Fatalf("exit code %d\n%s", code, stderr)
				}
				at := w.died()
				more = at != ""
				if more {
					s.died(w)
				} else if !long() || n == 1 {
					t.Errorf("%s has not %d such points", name, n)
				}
				t.Log(at)
				check(t, os.RemoveAll(w.at("died")))
				s.again(w)
			})
		}
	}
}

// whole wants that there is a file with these bytes, or none.
func (w *world) whole(name string, want []byte) (there bool) {
	w.t.Helper()
	body, err := os.ReadFile(w.at(name))
	if os.IsNotExist(err) {
		return false
	}
	check(w.t, err)
	if string(body) != string(want) {
		w.t.Errorf("%s is not whole: %d bytes of %d", name, len(body), len(want))
	}
	return true
}

// signedBy wants that a note is whole, and returns whether it has that signature.
func (w *world) signedBy(kind keys.Kind, name string, key keys.Public) bool {
	w.t.Helper()
	status, err := keys.Check(kind, w.mustRead(name), w.mustRead(name+".sig"), key)
	check(w.t, err)
	if status == keys.Forged {
		w.t.Errorf("%s.sig has a signature of %s that is not genuine", name, key.Name())
	}
	return status == keys.Genuine
}

func (w *world) mustRead(name string) []byte {
	w.t.Helper()
	body, err := os.ReadFile(w.at(name))
	check(w.t, err)
	return body
}

// entries wants that a host's record has a kind of entry so often, at most or at least.
func (w *world) entries(host, kind string, least, most int) {
	w.t.Helper()
	n := strings.Count(", "+w.kinds(host)+",", ", "+kind+",")
	if n < least || n > most {
		w.t.Errorf("the record of %s has %d entries %q: %s", host, n, kind, w.kinds(host))
	}
}

// TestReleaseKilled kills muster collect release: a release has its name when it
// is whole and signed, and the command again makes the same bytes.
func TestReleaseKilled(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	before := l.newWorld(t, onSQLite)
	before.cycle()
	clear(before.hosts)
	made := before.mustRead("release.json")
	for _, name := range []string{"release.json", "release.json.sig"} {
		check(t, os.Remove(before.at(name)))
	}
	interruption{
		process: "release",
		args: func(w *world) []string {
			w.inHere["release"] = false
			return w.releaseArgs("collected", "release.json")
		},
		folders: func(w *world) []string { return []string{w.dir} },
		died: func(w *world) {
			if w.whole("release.json", made) && !w.signedBy(keys.KindRelease, "release.json", w.charter.Coordinator.Key) {
				w.t.Error("there is a release that nobody signed")
			}
		},
		again: func(w *world) {
			w.until(0, "is signed by the coordinator", "release", w.releaseArgs("collected", "release.json")...)
			if !w.whole("release.json", made) || !w.signedBy(keys.KindRelease, "release.json", w.charter.Coordinator.Key) {
				w.t.Error("there is no signed release")
			}
			w.verify()
		},
	}.killAtEvents(t, cases, "collect release", before)
}

// TestApproveKilled kills muster host approve of a charter, a postponement and a
// release: nothing is signed that the host does not know that it signed, a
// deadline moves once or not at all, and the command again does the rest.
func TestApproveKilled(t *testing.T) {
	t.Parallel()
	cases := newTally(t)
	approve := func(file, host string) func(w *world) []string {
		return func(w *world) []string { return []string{"host", "approve", w.at(file), "--dir", w.at(host), "--yes"} }
	}
	t.Run("charter", func(t *testing.T) {
		t.Parallel()
		l := newLane(t)
		before := l.newWorld(t, onSQLite)
		charter := before.mustRead("charter.json")
		coordinator, err := config.KeyFolder{Dir: before.at("coordinator", "keys")}.Signer()
		check(t, err)
		note, err := keys.Sign(keys.KindCharter, charter, coordinator)
		check(t, err)
		check(t, os.WriteFile(before.at("charter.json.sig"), note, 0o600))
		approved := filepath.Join(leaderHost, "ceremony", "approved.json")
		check(t, os.Remove(before.at(approved)))
		interruption{
			process: "approve", args: approve("charter.json", leaderHost),
			folders: func(w *world) []string { return []string{w.dir, w.at(leaderHost, "ceremony")} },
			died: func(w *world) {
				if kept := w.whole(approved, charter); w.signedBy(keys.KindCharter, "charter.json", w.charter.Leader.Key) && !kept {
					w.t.Error("a charter is signed that the host does not know")
				}
			},
			again: func(w *world) {
				w.until(0, "", "approve", approve("charter.json", leaderHost)(w)...)
				if !w.whole(approved, charter) || !w.signedBy(keys.KindCharter, "charter.json", w.charter.Leader.Key) || !w.signedBy(keys.KindCharter, "charter.json", w.charter.Coordinator.Key) {
					w.t.Error("the charter is not signed by both")
				}
				w.whole("charter.json", charter)
				// And it serves what it signed: the whole cycle.
				w.until(0, "", "approve", approve("charter.json", helperHost)(w)...)
				for _, host := range hostNames() {
					check(w.t, os.WriteFile(w.at(host, "charter.json.sig"), w.mustRead("charter.json.sig"), 0o600))
				}
				w.cycle()
			},
		}.killAtEvents(t, cases, "approve of a charter", before)
	})
	t.Run("postponement", func(t *testing.T) {
		t.Parallel()
		l := newLane(t)
		before := l.newWorld(t, onSQLite)
		before.open()
		before.deliver()
		before.halt()
		until := l.begins.Add(cycleRun + 7*24*time.Hour).UTC().Format(time.RFC3339)
		before.until(0, "", "postpone", "collect", "postpone", "--dir", before.at("coordinator"), "--charter", before.at("charter.json"), "--until", until, "--reason", "a storm", "--out", before.at("addendum.json"))
		before.until(0, "", "approve", append(approve("addendum.json", leaderHost)(before), "--yes")...)
		addendum := before.mustRead("addendum.json")
		before.entered[leaderHost] = "charter, approval, addendum, roster, amendment, aggregate share"
		before.entered[helperHost] = before.entered[leaderHost]
		moved := func(w *world) bool { return strings.Contains(w.status(helperHost), until) }
		one := interruption{
			process: "approve", args: approve("addendum.json", helperHost),
			folders: func(w *world) []string { return []string{w.dir} },
			died: func(w *world) {
				w.whole("addendum.json", addendum)
				signed := w.signedBy(keys.KindAddendum, "addendum.json", w.charter.Helper.Key)
				if moved(w) && !signed {
					w.t.Error("the deadline was moved by what the Helper has not signed")
				}
				least := 0
				if signed {
					least = 1
				}
				w.entries(helperHost, "approval", least, 1)
				w.entries(helperHost, "addendum", 0, 1)
			},
			again: func(w *world) {
				w.until(0, "", "approve", approve("addendum.json", helperHost)(w)...)
				if !moved(w) {
					w.t.Error("the deadline has not moved")
				}
				w.entries(helperHost, "approval", 1, 1)
				w.entries(helperHost, "addendum", 1, 1)
				w.until(0, "", "approve", approve("addendum.json", leaderHost)(w)...)
				w.open()
				w.setClock(cycleRun + time.Hour)
				w.refused(1, "the roster is frozen after the deadline", "freeze", "host", "freeze", "--dir", w.at(leaderHost))
				w.setClock(cycleRun + 8*24*time.Hour)
				w.finish()
				w.verify()
			},
		}
		one.killAtEvents(t, cases, "approve of a postponement", before)
		one.killAtTransactions(t, cases, "approve of a postponement", before, map[string]int{beforeCommit: 2, afterCommit: 1})
	})
	t.Run("release", func(t *testing.T) {
		t.Parallel()
		l := newLane(t)
		before := l.newWorld(t, onSQLite)
		before.cycle()
		clear(before.hosts)
		made := before.mustRead("release.json")
		one := interruption{
			process: "approve", args: approve("release.json", leaderHost),
			folders: func(w *world) []string { return []string{w.dir} },
			died: func(w *world) {
				w.whole("release.json", made)
				least := 0
				if w.signedBy(keys.KindRelease, "release.json", w.charter.Leader.Key) {
					least = 1
				}
				w.entries(leaderHost, "approval", least, 1)
			},
			again: func(w *world) {
				w.until(0, "", "approve", approve("release.json", leaderHost)(w)...)
				w.entries(leaderHost, "approval", 1, 1)
				if !w.signedBy(keys.KindRelease, "release.json", w.charter.Leader.Key) || !w.signedBy(keys.KindRelease, "release.json", w.charter.Coordinator.Key) {
					w.t.Error("the release is not signed by both")
				}
				w.entered[leaderHost] = "charter, roster, amendment, aggregate share, approval"
				w.verify()
			},
		}
		one.killAtEvents(t, cases, "approve of a release", before)
		one.killAtTransactions(t, cases, "approve of a release", before, map[string]int{withinWrite: 1})
	})
}

// status is what a host says of itself, as JSON.
func (w *world) status(host string) string {
	w.t.Helper()
	code, stdout, stderr := w.here("status", "host", "status", "--dir", w.at(host), "--json")
	if code != 0 {
		w.t.Fatal(stderr)
	}
	return stdout
}

// withPassphrase are the flags with which a backup is made and restored.
func (w *world) withPassphrase(args ...string) []string {
	w.t.Helper()
	check(w.t, os.WriteFile(w.at("passphrase"), []byte("six words by chance are enough here\n"), 0o600))
	return append(args, "--passphrase-file", w.at("passphrase"))
}

// replace puts the folder of a host that was restored in the place of the one
// that was lost, with its keys from the safe.
func (w *world) replace(host, restored string) {
	w.t.Helper()
	check(w.t, os.CopyFS(w.at(restored, "keys"), os.DirFS(w.at(host, "keys"))))
	entries, err := os.ReadDir(w.at(restored, "keys"))
	check(w.t, err)
	for _, e := range entries {
		check(w.t, os.Chmod(w.at(restored, "keys", e.Name()), 0o600))
	}
	check(w.t, os.RemoveAll(w.at(host)))
	check(w.t, os.Rename(w.at(restored), w.at(host)))
}

// collectOnceMore wants that whoever asks again gets the totals that there were,
// and no others.
func (w *world) collectOnceMore() {
	w.t.Helper()
	answers, err := filepath.Glob(w.at("coordinator", "collections", "*.answer.json"))
	check(w.t, err)
	for _, name := range answers {
		check(w.t, os.Remove(name))
	}
	check(w.t, os.RemoveAll(w.at("again")))
	w.until(0, "10 of 12 members took part", "collect", w.collectArgs("again")...)
	if string(w.mustRead("again/aggregate.json")) != string(w.mustRead("collected/aggregate.json")) {
		w.t.Error("two collections")
	}
}

// TestBackupKilled kills muster host backup: a backup has its name when it is
// whole, the host is as it was, and what was restored from the next one ends the
// cycle in the same totals.
func TestBackupKilled(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	before := l.newWorld(t, onSQLite)
	before.cycle()
	clear(before.hosts)
	check(t, os.Mkdir(before.at("safe"), 0o700))
	restore := func(w *world, to string) {
		w.until(0, "", "restore", w.withPassphrase("host", "restore", w.at("safe", "backup"), w.at(to))...)
	}
	interruption{
		process: "backup",
		args: func(w *world) []string {
			return w.withPassphrase("host", "backup", w.at("safe", "backup"), "--dir", w.at(leaderHost))
		},
		folders: func(w *world) []string { return []string{w.at("safe")} },
		died: func(w *world) {
			if _, err := os.Stat(w.at("safe", "backup")); err == nil {
				restore(w, "looked at")
			}
		},
		again: func(w *world) {
			if _, err := os.Stat(w.at("safe", "backup")); err == nil {
				w.refused(1, "a backup replaces nothing", "backup", w.withPassphrase("host", "backup", w.at("safe", "backup"), "--dir", w.at(leaderHost))...)
			} else {
				w.until(0, "", "backup", w.withPassphrase("host", "backup", w.at("safe", "backup"), "--dir", w.at(leaderHost))...)
			}
			restore(w, "restored")
			w.replace(leaderHost, "restored")
			// A Leader that nobody answers goes on, and asks again at its next start.
			w.hosts[helperHost] = w.serve(helperHost, "")
			w.hosts[leaderHost] = w.serve(leaderHost, "")
			w.collectOnceMore()
			w.entered[leaderHost] = "charter, roster, amendment, aggregate share, restoration"
			w.verify()
		},
	}.killAtEvents(t, cases, "host backup", before)
}

// TestRestoreKilled kills muster host restore of a Helper that is taken back to
// before it gave its sum: what is half restored is served by nobody, and what is
// restored afterwards gives no second sum.
func TestRestoreKilled(t *testing.T) {
	t.Parallel()
	cases := newTally(t)
	for _, engine := range []string{onSQLite, onPostgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			l := newLane(t)
			before := l.newWorld(t, onSQLite)
			if engine == onPostgres { // the Helper alone, whose old database nobody changes any more
				before.usePostgres(helperHost, pgtest.DSN(t))
			}
			before.before["collect"] = func() {
				before.until(0, "", "backup", before.withPassphrase("host", "backup", before.at("backup"), "--dir", before.at(helperHost))...)
			}
			before.cycle()
			clear(before.hosts)
			restore := func(w *world, to string) []string {
				args := w.withPassphrase("host", "restore", w.at("backup"), w.at(to), "--coordinator-collected", "yes")
				if engine == onPostgres {
					args = append(args, "--postgres", w.emptyDatabase(to))
				}
				return args
			}
			serve := func(w *world, from string) []string {
				return []string{"host", "serve", "--config", w.at(from, config.HostFile), "--check"}
			}
			interruption{
				process: "restore",
				args:    func(w *world) []string { return restore(w, "restored") },
				folders: func(w *world) []string {
					check(w.t, os.MkdirAll(w.at("restored"), 0o700))
					return []string{w.at("restored")}
				},
				died: func(w *world) {
					if _, err := os.Stat(w.at("restored", config.HostFile)); err == nil {
						w.pending("restored", engine) // it was over
						return
					}
					w.refused(2, "is no host's folder: it has no host.yaml", "serve", serve(w, "restored")...)
					w.closed("restored", engine)
				},
				again: func(w *world) {
					if _, err := os.Stat(w.at("restored", config.HostFile)); err != nil {
						// The same command again, or where the database stands already a
						// refusal and a new folder.
						code, _, stderr := w.run("restore", restore(w, "restored")...)
						if code != 0 {
							if code != 1 || !strings.Contains(stderr, "a restore replaces nothing") {
								w.t.Fatalf("exit code %d\n%s", code, stderr)
							}
							check(w.t, os.RemoveAll(w.at("restored")))
							w.until(0, "", "restore", restore(w, "restored")...)
						}
					}
					w.pending("restored", engine)
					if engine == onPostgres {
						w.usePostgres("restored", w.dsn["restored"])
						w.dsn[helperHost] = w.dsn["restored"]
					}
					w.replace(helperHost, "restored")
					w.open()
					if log := w.hosts[helperHost].logged(); !strings.Contains(log, "this host's sum had left: it gives none any more") {
						w.t.Errorf("the Helper does not know that its sum had left:\n%s", log)
					}
					w.collectOnceMore()
					w.halt()
					s := w.state(helperHost)
					if s.Collected || !slices.Equal(s.Members, w.state(leaderHost).Members) || s.Amendments != 1 {
						w.t.Errorf("the restored Helper has %+v", s)
					}
					w.entries(helperHost, "aggregate share", 0, 0)
					w.entries(helperHost, "restoration", 1, 1)
				},
			}.killAtEvents(t, cases, "host restore on "+engine, before)
		})
	}
}

// emptyDatabase makes a database on PostgreSQL and returns a file with its
// connection string.
func (w *world) emptyDatabase(to string) string {
	w.t.Helper()
	w.dsn[to] = pgtest.DSN(w.t)
	check(w.t, os.WriteFile(w.at("dsn-of-"+to), []byte(w.dsn[to]), 0o600))
	return w.at("dsn-of-" + to)
}

// restoredTo is where a database is restored to.
func (w *world) restoredTo(folder, engine string) hostdb.Config {
	if engine == onPostgres {
		return hostdb.Config{DSN: store.NewDSN(w.dsn[folder])}
	}
	return hostdb.Config{Path: w.at(folder, "host.db")}
}

// pending wants a database that knows that it was restored, and what the
// coordinator said.
func (w *world) pending(folder, engine string) {
	w.t.Helper()
	db, err := hostdb.Open(context.Background(), w.restoredTo(folder, engine))
	check(w.t, err)
	defer db.Close()
	r, ok, err := db.PendingRestoration(context.Background())
	check(w.t, err)
	if !ok || r.Statement != hostdb.Collected {
		w.t.Errorf("the restored database says %+v, %t", r, ok)
	}
}

// closed wants of a restore that did not come to its end that there is no
// database, or none that opens and has the cycle in it without knowing that it
// was restored.
func (w *world) closed(folder, engine string) {
	w.t.Helper()
	at := w.restoredTo(folder, engine)
	if at.Path != "" {
		if _, err := os.Stat(at.Path); os.IsNotExist(err) {
			return
		}
	}
	db, err := hostdb.Open(context.Background(), at)
	if errs.KindOf(err) == errs.Conflict {
		return
	}
	check(w.t, err)
	defer db.Close()
	tail, err := db.RecordTail(context.Background())
	check(w.t, err)
	if tail.Lines > 0 {
		w.pending(folder, engine)
	}
}
