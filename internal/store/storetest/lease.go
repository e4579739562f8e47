package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
)

func leaseTests() []test {
	const ttl = 2 * time.Minute
	noon := time.Unix(1_700_000_000, 0)
	acquire := func(t *testing.T, d *db, id dap.TaskID, holder string, now time.Time) (aggregate.StoredLease, bool) {
		t.Helper()
		return lookup(t, d, func(tx aggregate.Tx) (aggregate.StoredLease, bool, error) {
			return tx.AcquireLease(id, holder, now, ttl)
		})
	}
	// takes wants that the holder gets the lease, and returns its token.
	takes := func(t *testing.T, d *db, holder string, now time.Time) int64 {
		t.Helper()
		l, ok := acquire(t, d, task, holder, now)
		if !ok || l.Holder != holder || !l.Expires.Equal(now.Add(ttl)) {
			t.Fatalf("%s got %v, %t; want the lease until %v", holder, l, ok, now.Add(ttl))
		}
		return l.Token
	}
	fails := func(t *testing.T, d *db, holder string, now time.Time, has string) {
		t.Helper()
		if l, ok := acquire(t, d, task, holder, now); ok || l.Holder != has {
			t.Errorf("%s got %v, %t; want that %s has it", holder, l, ok, has)
		}
	}
	renew := func(t *testing.T, d *db, token int64, now time.Time) bool {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) (bool, error) { return tx.RenewLease(task, token, now, ttl) })
	}
	release := func(t *testing.T, d *db, token int64) {
		t.Helper()
		d.do(t, func(tx aggregate.Tx) error { return tx.ReleaseLease(task, token) })
	}
	return []test{
		{"one has it", func(t *testing.T, d *db) {
			d.create(t)
			token := takes(t, d, "a", noon)
			exact(t, "first token", int64(1), token)
			fails(t, d, "b", noon, "a")
			fails(t, d, "A", noon, "a")
			if l, ok := acquire(t, d, other, "b", noon); !ok {
				t.Errorf("the other task's lease is %v", l)
			}
			exact(t, "token of the holder that takes it again", token, takes(t, d, "a", noon.Add(time.Second)))
		}},
		{"it passes on when it has ended for long enough", func(t *testing.T, d *db) {
			d.create(t)
			first := takes(t, d, "a", noon)
			// The clock of the other may be ahead by the drift that is allowed.
			fails(t, d, "b", noon.Add(ttl+aggregate.LeaseDrift-time.Microsecond), "a")
			second := takes(t, d, "b", noon.Add(ttl+aggregate.LeaseDrift))
			if second <= first {
				t.Errorf("tokens %d, then %d", first, second)
			}
			exact(t, "the first holder renews", false, renew(t, d, first, noon.Add(time.Second)))
			exact(t, "the second holder renews", true, renew(t, d, second, noon.Add(ttl+aggregate.LeaseDrift+time.Second)))
		}},
		{"renewing moves the end", func(t *testing.T, d *db) {
			d.create(t)
			token := takes(t, d, "a", noon)
			exact(t, "renewed at the last moment", true, renew(t, d, token, noon.Add(ttl-time.Microsecond)))
			fails(t, d, "b", noon.Add(ttl+aggregate.LeaseDrift), "a")
			exact(t, "renewed when it had ended", false, renew(t, d, token, noon.Add(3*ttl)))
			exact(t, "renewed with another token", false, renew(t, d, token+1, noon))
			exact(t, "renewed without a token", false, renew(t, d, 0, noon))
		}},
		{"one that has ended is fenced off from its own holder", func(t *testing.T, d *db) {
			d.create(t)
			first := takes(t, d, "a", noon)
			second := takes(t, d, "a", noon.Add(ttl))
			if second <= first {
				t.Errorf("tokens %d, then %d", first, second)
			}
			exact(t, "the older token renews", false, renew(t, d, first, noon.Add(ttl)))
		}},
		{"given back", func(t *testing.T, d *db) {
			d.create(t)
			first := takes(t, d, "a", noon)
			release(t, d, first)
			exact(t, "renewed after it was given back", false, renew(t, d, first, noon.Add(time.Second)))
			second := takes(t, d, "b", noon.Add(time.Second))
			if second <= first {
				t.Errorf("tokens %d, then %d", first, second)
			}
			release(t, d, first) // not its own any more
			fails(t, d, "a", noon.Add(2*time.Second), "b")
		}},
		{"of many at once one gets it", func(t *testing.T, d *db) {
			d.create(t)
			var wg sync.WaitGroup
			var mu sync.Mutex
			var got []string
			for _, holder := range []string{"a", "b", "c", "d", "e", "f"} {
				wg.Go(func() {
					won := false
					err := d.InTx(t.Context(), "race", func(tx aggregate.Tx) (err error) {
						_, won, err = tx.AcquireLease(task, holder, noon, ttl)
						return err
					})
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					} else if won {
						got = append(got, holder)
					}
				})
			}
			wg.Wait()
			if len(got) != 1 {
				t.Fatalf("%v have the lease", got)
			}
			fails(t, d, "z", noon, got[0])
		}},
		{"whoever lost it changes nothing", func(t *testing.T, d *db) {
			d.create(t)
			token := takes(t, d, "a", noon)
			late := noon.Add(ttl + aggregate.LeaseDrift)
			takes(t, d, "b", late)
			err := d.InTx(t.Context(), "paused", func(tx aggregate.Tx) error {
				if err := tx.PutBucket(task, bucket(1, 1)); err != nil {
					return err
				}
				if ok, err := tx.RenewLease(task, token, late, ttl); err != nil || ok {
					t.Errorf("renewed: %t, %v", ok, err)
				}
				return errors.New("lost")
			})
			if err == nil {
				t.Error("no error")
			}
			same(t, "buckets", []aggregate.Bucket{}, buckets(t, d, task))
		}},
		{"a lease of nobody", func(t *testing.T, d *db) {
			d.create(t)
			d.fails(t, "no holder", func(tx aggregate.Tx) error {
				_, _, err := tx.AcquireLease(task, "", noon, ttl)
				return err
			})
		}},
	}
}
