package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/process"
)

// serveMode is how a host is served: for a cycle, or for a rehearsal whose
// process is this one's parent.
type serveMode struct{ rehearsal bool }

// enter returns the world to serve in. In a rehearsal every line of the standard
// input is a time to which the clock is set, the first is waited for, and when
// the input ends so does serving. A charter without a marking is refused: whoever
// may move a host's clock may close a cycle early.
func (m serveMode) enter(ctx context.Context, env Env, charter coalition.Charter) (context.Context, Env, context.CancelFunc, error) {
	if !m.rehearsal {
		return ctx, env, func() {}, nil
	}
	if charter.Marking == "" {
		return nil, env, nil, errs.New(errs.Invalid, "the clock of a cycle is that of the machine, and the charter has no marking", "only a charter that says REHEARSAL or SYNTHETIC is served with another clock")
	}
	clock := &setClock{first: make(chan struct{})}
	ctx, stop := process.Follow(ctx, env.In, clock.set)
	select {
	case <-clock.first:
	case <-ctx.Done():
		stop()
		return nil, env, nil, errs.New(errs.Invalid, "the standard input ended before it said what time it is", "the flag --rehearsal is for muster rehearse")
	}
	env.Now = clock.now
	return ctx, env, stop, nil
}

// setClock is a clock that goes on from where it was last set.
type setClock struct {
	first chan struct{} // closed when it was set first

	mu sync.Mutex // guards what follows
	to time.Time
	at time.Time // when it was set, by this machine's clock
}

// set takes an RFC 3339 time; what is none is left aside.
func (c *setClock) set(line string) {
	t, err := time.Parse(time.RFC3339Nano, line)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.to.IsZero() {
		close(c.first)
	}
	c.to, c.at = t, time.Now()
}

func (c *setClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.to.Add(time.Since(c.at))
}

// sayReady tells the parent that this host serves.
func (m serveMode) sayReady(env Env) error {
	if !m.rehearsal {
		return nil
	}
	_, err := fmt.Fprintln(env.Out, "ready")
	return err
}

// pace is how a host that serves looks around: in a rehearsal often, since
// nobody's clock goes on by itself and somebody waits.
func (m serveMode) pace() pace {
	if m.rehearsal {
		return pace{look: 20 * time.Millisecond, first: 20 * time.Millisecond, last: time.Second}
	}
	return pace{look: 2 * time.Second, first: 10 * time.Second, last: 10 * time.Minute}
}

// grace is how long requests may take to come to their end; zero is the server's
// own. A rehearsal has sent all that it wants to.
func (m serveMode) grace() time.Duration {
	if m.rehearsal {
		return 2 * time.Second
	}
	return 0
}
