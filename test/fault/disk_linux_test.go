package fault_test

import (
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// limitFiles lets no file of a running process grow beyond so many bytes: what a
// full disk does, without being root, and undone at any time.
func limitFiles(pid int, bytes uint64) error {
	const fileSize = 1 // RLIMIT_FSIZE
	limit := syscall.Rlimit{Cur: bytes, Max: ^uint64(0)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), fileSize, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

const unlimited = ^uint64(0)

// fill leaves a host that serves no room beyond what its database has now.
func (w *world) fill(host string) {
	w.t.Helper()
	info, err := os.Stat(w.at(host, "host.db-wal"))
	check(w.t, err)
	check(w.t, limitFiles(w.hosts[host].pid(), uint64(info.Size())+100))
}

func (w *world) makeRoom(host string) {
	w.t.Helper()
	check(w.t, limitFiles(w.hosts[host].pid(), unlimited))
}

// TestDiskFull: a host whose disk is full says so, takes nothing that it cannot
// keep, loses nothing that it has, and goes on when there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	upload := func(w *world, name string) []string {
		return []string{"submit", "upload", w.at("sealed", name), "--charter", w.at("charter.json"), "--wait", "1s"}
	}
	for _, host := range hostNames() {
		cases.run(t, "submission, "+host, func(t *testing.T) {
			w := l.newWorld(t, onSQLite)
			w.open()
			w.upload("m00.json")
			w.fill(host)
			w.refused(1, "", "upload", upload(w, "m01.json")...)
			w.saysFull()
			w.makeRoom(host)
			w.deliver()
			w.finish()
			w.verify()
		})
	}
	cases.run(t, "roster, Helper", func(t *testing.T) {
		w := l.newWorld(t, onSQLite)
		w.open()
		w.deliver()
		w.setClock(cycleRun + time.Hour)
		w.fill(helperHost)
		// The command waits for room, and then goes on by itself.
		pid, made := w.hosts[helperHost].pid(), make(chan error, 1)
		go func() { // waited for below
			for i := 0; i < 3000 && !aboutDisks.MatchString(w.hosts[helperHost].logged()); i++ {
				time.Sleep(10 * time.Millisecond)
			}
			made <- limitFiles(pid, unlimited)
		}()
		w.until(1, "not accepted: m10", "freeze", "host", "freeze", "--dir", w.at(leaderHost))
		check(t, <-made)
		if len(w.said) != 1 {
			t.Errorf("freeze did not go on by itself: %q", w.said)
		}
		w.amend()
		w.conclude()
		w.verify()
	})
	for _, host := range hostNames() {
		if !long() && host == helperHost {
			continue
		}
		cases.run(t, "collection, "+host, func(t *testing.T) {
			w := l.newWorld(t, onSQLite)
			w.open()
			w.deliver()
			w.before["collect"] = func() {
				w.fill(host)
				wait := "1s"
				if host == helperHost { // the Leader asks it for ten seconds
					wait = "12s"
				}
				w.refused(1, "", "collect", append(w.collectArgs("collected"), "--wait", wait)...)
				w.saysFull()
				w.makeRoom(host)
			}
			w.finish()
			w.verify()
		})
	}
	// The commands of the Leader and of the coordinator, which have no room from
	// the beginning: none, and a little.
	for i, row := range []struct {
		command string
		bytes   uint64
	}{{"freeze", 0}, {"collect", 1_000}, {"freeze", 150_000}, {"amend", 0}, {"collect", 0}} {
		if !long() && i > 1 {
			break
		}
		cases.run(t, fmt.Sprintf("muster %s with %d bytes", row.command, row.bytes), func(t *testing.T) {
			w := l.newWorld(t, onSQLite)
			w.open()
			w.deliver()
			w.room[row.command] = row.bytes
			w.finish()
			if !aboutDisks.MatchString(strings.Join(w.said, "")) {
				t.Errorf("nobody says that the disk is full: %q", w.said)
			}
			w.verify()
		})
	}
}

// aboutDisks is what is said of a disk that takes nothing, by whoever finds out.
var aboutDisks = regexp.MustCompile("there is no room left for the database|the disk of the database does not take what is written to it|no space left")

// saysFull wants that the last refusal says why.
func (w *world) saysFull() {
	w.t.Helper()
	if len(w.said) == 0 || !aboutDisks.MatchString(w.said[len(w.said)-1]) {
		w.t.Errorf("nobody says that the disk is full: %q", w.said)
	}
}

// TestDiskFullOnPostgres: a server without room refuses every row, with the code
// that PostgreSQL has for it.
func TestDiskFullOnPostgres(t *testing.T) {
	t.Parallel()
	l, cases := newLane(t), newTally(t)
	for _, host := range hostNames() {
		if !long() && host == leaderHost {
			continue
		}
		cases.run(t, host, func(t *testing.T) {
			w := l.newWorld(t, onPostgres)
			w.open()
			w.upload("m00.json")
			pool, err := sql.Open("pgx", w.dsn[host])
			check(t, err)
			defer pool.Close()
			_, err = pool.Exec(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`)
			check(t, err)
			tables := "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
			each := func(statement string) {
				rows, err := pool.Query(tables)
				check(t, err)
				var names []string
				for rows.Next() {
					var name string
					check(t, rows.Scan(&name))
					names = append(names, name)
				}
				check(t, rows.Err())
				for _, name := range names {
					_, err := pool.Exec(strings.ReplaceAll(statement, "TABLE", name))
					check(t, err)
				}
			}
			each("CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON TABLE FOR EACH ROW EXECUTE FUNCTION no_room()")
			w.refused(1, "", "upload", "submit", "upload", w.at("sealed", "m01.json"), "--charter", w.at("charter.json"), "--wait", "1s")
			w.saysFull()
			each("DROP TRIGGER full_disk ON TABLE")
			_, err = pool.Exec("DROP FUNCTION no_room")
			check(t, err)
			w.deliver()
			w.finish()
			w.verify()
		})
	}
}
