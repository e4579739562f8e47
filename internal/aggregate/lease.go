package aggregate

import (
	"context"
	"sync"
	"time"

	"muster/internal/errs"
)

// Lease makes a process the only driver of a task for as long as it goes on
// driving. Every transaction of the driver renews it and fails where that cannot
// be: a process that was paused, or whose clock stood still, wakes up to find
// that it changes nothing any more. Where the driver waits, for the Helper or
// for a processor, the lease is renewed every third of its time.
type Lease struct {
	Holder string        // names the process from its start to its end, as no other is named
	TTL    time.Duration // for how long a driver that crashed keeps others out, and [LeaseDrift] longer
}

// drive calls fn with a Leader whose transactions hold the task's lease. It
// refuses, with kind Unavailable, while another process drives.
func (l *Leader) drive(ctx context.Context, fn func(l *Leader) error) error {
	if l.Lease == nil {
		return fn(l)
	}
	var lease StoredLease
	err := l.Store.InTx(ctx, "take lease", func(tx Tx) error {
		var ok bool
		var err error
		lease, ok, err = tx.AcquireLease(l.Task.ID, l.Lease.Holder, l.Now(), l.Lease.TTL)
		if err == nil && !ok {
			return errs.New(errs.Unavailable, "another process drives this task: "+lease.Holder+", until "+lease.Expires.UTC().Format(time.RFC3339),
				"it passes on when that process stops, or a minute after its lease has ended")
		}
		return err
	})
	if err != nil {
		return err
	}
	defer l.keepLease(ctx, lease.Token)()
	// One that is not given back, because the process or the database is no
	// more, ends by itself.
	defer func() {
		_ = l.Store.InTx(context.WithoutCancel(ctx), "give lease back", func(tx Tx) error { return tx.ReleaseLease(l.Task.ID, lease.Token) })
	}()
	driving := *l.host
	driving.Store = leasedStore{Store: l.Store, host: l.host, token: lease.Token, turn: new(sync.Mutex)}
	return fn(&Leader{host: &driving, peer: l.peer})
}

// keepLease renews the lease until stop is called. What goes wrong shows in the
// driver's next transaction.
func (l *Leader) keepLease(ctx context.Context, token int64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(max(l.Lease.TTL/3, time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_ = l.Store.InTx(ctx, "keep lease", func(tx Tx) error {
					_, err := tx.RenewLease(l.Task.ID, token, l.Now(), l.Lease.TTL)
					return err
				})
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// leasedStore renews a lease in every transaction, before anything else happens
// in it: from then on nobody else can take the lease until it has committed.
type leasedStore struct {
	Store
	host  *host
	token int64
	turn  *sync.Mutex // of jobs: all renew the same lease
}

func (s leasedStore) InTx(ctx context.Context, name string, fn func(Tx) error) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.Store.InTx(ctx, name, func(tx Tx) error {
		ok, err := tx.RenewLease(s.host.Task.ID, s.token, s.host.Now(), s.host.Lease.TTL)
		if err != nil {
			return err
		}
		if !ok {
			return errs.New(errs.Unavailable, "this process has lost the lease of the task, and stops driving it", "another process goes on; or this one does, when it is asked again")
		}
		return fn(tx)
	})
}
