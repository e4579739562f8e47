package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// maxGroup is how many transactions are made durable together, at most.
const maxGroup = 64

// group makes the transactions of many who wait for one writer durable together:
// what takes long is not what each of them does but that it is synced to the disk.
// Whoever finds the writer free leads: it begins, lets those that wait run one after
// the other, each in its own goroutine and within a savepoint of its own, and
// commits once. One that fails is undone alone.
type group struct {
	mu      sync.Mutex
	waiting []*turn // guarded by mu, the first first
}

// turn is one who waits.
type turn struct {
	ctx   context.Context
	begin chan *sql.Tx // from the leader: run in that transaction
	ran   chan run     // to the leader: what became of it, before anything is durable
	ended chan ending  // from the leader: the group has ended
}

// run is what became of one run of a turn.
type run struct {
	err    error
	stands bool // whether something of it may stand in the transaction although it failed
}

// ending is what became of a group.
type ending struct {
	next verdict
	err  error
}

func (g *group) add(t *turn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, t)
}

// remove reports whether the turn still waited; if not, a leader has it.
func (g *group) remove(t *turn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, t)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	return i >= 0
}

func (g *group) take() []*turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), maxGroup)
	taken := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return taken
}

// together runs fn in a transaction that is made durable with those of others, and
// says whether that is worth repeating.
func (db *DB) together(ctx context.Context, name string, fn func(*sql.Tx) error) (verdict, error) {
	t := &turn{ctx: ctx, begin: make(chan *sql.Tx, 1), ran: make(chan run, 1), ended: make(chan ending, 1)}
	db.group.add(t)
	var (
		writer = db.gate.places // to lead; nil while this one does
		led    chan struct{}    // closed when the group that this one leads has ended; nil while it does not
		over   = ctx.Done()     // nil once a leader has the turn
		failed error            // the turn's own
	)
	defer func() {
		if led != nil {
			<-led
		}
	}()
	for {
		select {
		case tx := <-t.begin:
			over = nil
			failed = db.runTurn(t, tx, name, fn)
		case e := <-t.ended:
			switch {
			case failed != nil: // whatever became of the others
				return db.engine.judge(failed, nil), failed
			case e.err != nil:
				return e.next, fmt.Errorf("%s: %w", name, e.err)
			}
			return done, db.at(name, AfterCommit)
		case writer <- struct{}{}:
			// It is led from another goroutine, so that fn runs in this one whoever leads.
			writer, led = nil, make(chan struct{})
			go func(led chan struct{}) {
				defer close(led)
				defer db.gate.leave(1)
				db.lead(db.group.take())
			}(led)
		case <-led:
			writer, led = db.gate.places, nil // more waited than one group takes
		case <-over:
			if db.group.remove(t) {
				return done, fmt.Errorf("%s: begin: %w", name, ctx.Err())
			}
			over = nil
		}
	}
}

// runTurn runs fn within a savepoint and tells the leader, also when fn panics or
// ends its goroutine.
func (db *DB) runTurn(t *turn, tx *sql.Tx, name string, fn func(*sql.Tx) error) (err error) {
	r := run{err: errors.New("it did not return")} // if it does not
	defer func() {
		if r.err != nil {
			_, undo := tx.Exec(`ROLLBACK TO SAVEPOINT turn; RELEASE SAVEPOINT turn`)
			r.stands = undo != nil
		}
		t.ran <- r
	}()
	r.err = db.inSavepoint(t, tx, name, fn)
	return r.err
}

func (db *DB) inSavepoint(t *turn, tx *sql.Tx, name string, fn func(*sql.Tx) error) error {
	if err := t.ctx.Err(); err != nil {
		return fmt.Errorf("%s: begin: %w", name, err)
	}
	if _, err := tx.Exec(`SAVEPOINT turn`); err != nil {
		return fmt.Errorf("%s: begin: %w", name, err)
	}
	if err := fn(tx); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := t.ctx.Err(); err != nil {
		return fmt.Errorf("%s: commit: %w", name, err)
	}
	if err := db.at(name, BeforeCommit); err != nil {
		return err
	}
	if _, err := tx.Exec(`RELEASE SAVEPOINT turn`); err != nil {
		return fmt.Errorf("%s: commit: %w", name, err)
	}
	return nil
}

// lead runs a group to its end.
func (db *DB) lead(turns []*turn) {
	for len(turns) > 0 {
		left, e := db.leadOnce(turns)
		if left == nil {
			return
		}
		if e.err != nil {
			for _, t := range left {
				t.ended <- e
			}
			return
		}
		turns = left // what they did is gone with one that took the transaction along
	}
}

// leadOnce runs a group in one transaction. It returns those that have not been told
// what became of them: with an error, or to run again.
func (db *DB) leadOnce(turns []*turn) (left []*turn, e ending) {
	fail := func(err error, raw any) ([]*turn, ending) {
		return turns, ending{db.engine.judge(err, raw), err}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return fail(fmt.Errorf("begin: %w", err), nil)
	}
	defer func() { _ = conn.Close() }()
	var raw *sqlite3.Conn
	if err := conn.Raw(func(c any) error { raw = c.(sqlite.Conn).Raw(); return nil }); err != nil {
		return fail(fmt.Errorf("begin: %w", err), nil)
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fail(fmt.Errorf("begin: %w", err), nil)
	}
	defer func() { _ = tx.Rollback() }() // without effect after Commit
	var good []*turn
	for i, t := range turns {
		t.begin <- tx
		r := <-t.ran
		if r.err == nil {
			good = append(good, t)
		} else {
			t.ended <- ending{}
		}
		// An interrupted statement, or a disk that is full, may end the whole
		// transaction: then what the others did in it is gone. They run again.
		if r.stands || raw.GetAutocommit() {
			return append(good, turns[i+1:]...), ending{}
		}
	}
	bound := time.AfterFunc(endTimeout, cancel)
	defer bound.Stop()
	turns = good
	if len(good) == 0 {
		return nil, ending{}
	}
	if err := tx.Commit(); err != nil {
		return fail(fmt.Errorf("commit: %w", err), nil)
	}
	for _, t := range good {
		t.ended <- ending{}
	}
	return nil, ending{}
}
