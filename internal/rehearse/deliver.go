package rehearse

import (
	"context"
	"fmt"
	"sync"

	"muster/internal/submit"
)

// deliver seals and delivers every member's submission, as many at once as the
// configuration says. The first error stops all.
func (c *Rehearsal) deliver(ctx context.Context, hosts Hosts) error {
	var sending []Member
	for _, m := range c.cfg.Members {
		if m.Now != nil {
			sending = append(sending, m)
		}
	}
	work := make(chan Member, len(sending))
	for _, m := range sending {
		work <- m
	}
	close(work)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d := &delivery{c: c, hosts: hosts, total: len(sending)}
	ended := make(chan error)
	workers := max(c.cfg.AtOnce, 1)
	for range workers {
		go func() { ended <- d.work(ctx, work) }() // waited for below
	}
	var first error
	for range workers {
		if err := <-ended; err != nil && first == nil {
			first = err // what the others say follows from it
			stop()
		}
	}
	return first
}

// delivery is the delivery of all submissions.
type delivery struct {
	c     *Rehearsal
	hosts Hosts
	total int

	mu   sync.Mutex // guards done, and c.sealed
	done int
}

// work delivers until there is no more work.
func (d *delivery) work(ctx context.Context, work <-chan Member) error {
	for m := range work {
		d.mu.Lock()
		d.c.progress("seal and deliver", d.done, d.total)
		d.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.deliver(ctx, m); err != nil {
			return fmt.Errorf("submission of %s: %w", m.ID, err)
		}
		d.mu.Lock()
		d.done++
		d.mu.Unlock()
	}
	return nil
}

func (d *delivery) deliver(ctx context.Context, m Member) error {
	c := d.c
	sealer, err := submit.New(submit.Config{
		Charter: c.charter, Cohort: c.cfg.Cohort, Layout: c.layout, Member: m.ID, Signer: c.memberKeys[m.ID],
		Rand: c.cfg.Rand, Now: c.clock.now,
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	sealed, ok := c.sealed[m.ID]
	d.mu.Unlock()
	if !ok { // a member seals once, however often it has to deliver
		if sealed, err = sealer.Seal(m.Now, m.Before, 1); err != nil {
			return err
		}
		d.mu.Lock()
		c.sealed[m.ID] = sealed
		d.mu.Unlock()
	}
	return sealer.Deliver(ctx, sealed, d.hosts.Leader(), d.hosts.Helper())
}
