package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/store"
)

// crowd runs a transaction for each name, all of which wait for one that holds the
// writer until they do; so they are one group, but for those beyond its size.
func crowd(t *testing.T, db *store.DB, n int, do func(i int) error) []error {
	t.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		err := db.InTx(t.Context(), "hold", func(*sql.Tx) error {
			select {
			case <-held:
			default:
				close(held)
			}
			<-hold
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	got := make([]error, n)
	for i := range n {
		group.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					got[i] = fmt.Errorf("panic: %v", p)
				}
			}()
			got[i] = do(i)
		})
	}
	for db.Waiting() < n { // until all of them wait
		runtime.Gosched()
	}
	close(hold)
	group.Wait()
	return got
}

func name(i int) string { return fmt.Sprintf("note %03d", i) }

// Many are made durable together; those that fail, panic or give up are undone
// alone, whatever they had done.
func TestGroup(t *testing.T) {
	t.Parallel()
	const n = 150 // more than one group takes
	db := open(t, store.Config{Key: newKey(t), Readers: 1, Grouped: true})
	refused := errors.New("refused")
	got := crowd(t, db, n, func(i int) error {
		return db.InTx(t.Context(), "crowd", func(tx *sql.Tx) error {
			if err := insert(name(i))(tx); err != nil {
				return err
			}
			switch i % 10 {
			case 3:
				return refused
			case 5:
				panic("lost")
			case 7:
				return insert(name(i))(tx) // there already: the statement fails
			}
			return nil
		})
	})
	var want []string
	for i, err := range got {
		switch i % 10 {
		case 3:
			if !errors.Is(err, refused) {
				t.Errorf("%d: %v", i, err)
			}
		case 5:
			if err == nil || !strings.Contains(err.Error(), "panic: lost") {
				t.Errorf("%d: %v", i, err)
			}
		case 7:
			if !store.IsUnique(err) {
				t.Errorf("%d: %v", i, err)
			}
		default:
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
			want = append(want, name(i))
		}
	}
	if diff := cmp.Diff(want, read(t, db)); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// Who is interrupted within a statement may take the whole transaction along: the
// others run again, and are there once.
func TestGroupInterrupted(t *testing.T) {
	t.Parallel()
	const n = 12
	db := open(t, store.Config{Grouped: true, Readers: 1})
	runs := make([]int, n)
	got := crowd(t, db, n, func(i int) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		return db.InTx(ctx, "crowd", func(tx *sql.Tx) error {
			runs[i]++
			if err := insert(name(i))(tx); err != nil || i%6 != 5 {
				return err
			}
			time.AfterFunc(20*time.Millisecond, cancel)
			_, err := tx.ExecContext(ctx, `INSERT INTO notes (text) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < 500000000) SELECT 'many ' || n FROM c`)
			return err
		})
	})
	var want []string
	again := 0
	for i, err := range got {
		if i%6 == 5 {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%d: %v", i, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if runs[i] > 1 {
			again++
		}
		want = append(want, name(i))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, read(t, db)); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	t.Logf("%d of %d ran again", again, len(want))
}

// Who gives up before a leader has the turn does nothing.
func TestGroupGivesUp(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{Grouped: true})
	ctx, cancel := context.WithCancel(t.Context())
	err := db.InTx(t.Context(), "hold", func(*sql.Tx) error {
		gone := make(chan error)
		go func() { gone <- db.InTx(ctx, "give up", insert("given up")) }()
		for db.Waiting() < 1 {
			runtime.Gosched()
		}
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, db); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// A fault before the commit of one stops that one; one after it comes after all are
// durable.
func TestGroupFaults(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, point := range []store.FaultPoint{store.BeforeCommit, store.AfterCommit} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			db := open(t, store.Config{Grouped: true, Fault: func(name string, p store.FaultPoint) error {
				if name == "crowd 4" && p == point {
					return broken
				}
				return nil
			}})
			got := crowd(t, db, 9, func(i int) error { return db.InTx(t.Context(), fmt.Sprintf("crowd %d", i), insert(name(i))) })
			for i, err := range got {
				if (i == 4) != errors.Is(err, broken) || i != 4 && err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
			there := slices.Contains(read(t, db), name(4))
			if there != (point == store.AfterCommit) || len(read(t, db)) < 8 {
				t.Errorf("there: %v of %d", there, len(read(t, db)))
			}
		})
	}
}
