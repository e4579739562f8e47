package rehearse

import (
	"context"
	"fmt"
	"time"

	"muster/internal/coalition"
)

// postpone moves the deadline as often as the configuration says, each time by an
// addendum that coordinator and hosts sign and both hosts take, and returns the
// deadline that is in force. The coordinator signs each once, however often an
// interrupted run asks.
func (c *Rehearsal) postpone(ctx context.Context, record *record, hosts Hosts) (time.Time, error) {
	for i, p := range c.cfg.Postponed {
		c.progress("postpone the deadline", i, len(c.cfg.Postponed))
		if i == len(c.addenda) {
			proposed, err := c.propose(p)
			if err != nil {
				return time.Time{}, err
			}
			c.addenda = append(c.addenda, proposed)
		}
		signed, err := hosts.Postpone(ctx, c.addenda[i])
		if err != nil {
			return time.Time{}, fmt.Errorf("postpone: %w", err)
		}
		c.addenda[i] = signed
		if err := c.logAddendum(ctx, record, i+1, signed); err != nil {
			return time.Time{}, err
		}
	}
	list, err := c.cycle.Addenda(c.addenda)
	if err := c.enter(ctx, list, err); err != nil {
		return time.Time{}, err
	}
	return c.charter.DeadlineAfter(c.addenda)
}

// propose returns the addendum that follows those before it, with the
// coordinator's signature.
func (c *Rehearsal) propose(p Postponement) (coalition.SignedAddendum, error) {
	deadline, err := c.charter.DeadlineAfter(c.addenda)
	if err != nil {
		return coalition.SignedAddendum{}, err
	}
	addendum, err := c.charter.Postpone(c.addenda, deadline.Add(p.By), p.Reason)
	if err != nil {
		return coalition.SignedAddendum{}, err
	}
	return addendum.Propose(c.charter, c.coordinator)
}
