package rehearse

import (
	"context"
	"fmt"
	"time"

	"muster/internal/coalition"
)

// postpone moves the deadline as often as the configuration says, each time by an
// addendum that coordinator and hosts sign and both hosts take, and returns the
// deadline that is in force. An interrupted run signs none a second time.
func (c *Rehearsal) postpone(ctx context.Context, hosts *hosts) (time.Time, error) {
	for i, p := range c.cfg.Postponed {
		if i == len(c.addenda) {
			signed, err := c.signAddendum(p)
			if err != nil {
				return time.Time{}, err
			}
			c.addenda = append(c.addenda, signed)
		}
		// A host that has it already takes it again.
		if err := hosts.leader.Postpone(ctx, c.addenda[i]); err != nil {
			return time.Time{}, fmt.Errorf("postpone at the Leader: %w", err)
		}
		if err := hosts.helper.Postpone(ctx, c.addenda[i]); err != nil {
			return time.Time{}, fmt.Errorf("postpone at the Helper: %w", err)
		}
	}
	return c.charter.DeadlineAfter(c.addenda)
}

func (c *Rehearsal) signAddendum(p Postponement) (coalition.SignedAddendum, error) {
	deadline, err := c.charter.DeadlineAfter(c.addenda)
	if err != nil {
		return coalition.SignedAddendum{}, err
	}
	addendum, err := c.charter.Postpone(c.addenda, deadline.Add(p.By), p.Reason)
	if err != nil {
		return coalition.SignedAddendum{}, err
	}
	return addendum.Sign(c.coordinator, c.hostKeys[0].signer, c.hostKeys[1].signer)
}
