package rehearse

import (
	"context"
	"fmt"
	"time"

	"muster/internal/coalition"
	"muster/internal/ledger"
	"muster/internal/silence"
)

// The days of a rehearsed adoption, before the cycle opens.
const (
	heardFrom  = 14 * 24 * time.Hour
	silentFrom = 12 * 24 * time.Hour
	silentFor  = 7 * 24 * time.Hour
)

// adopted is the silence procedure over the charter of a rehearsal, in which nobody
// objects: its steps, and until which of them the witness saw it while it lasted.
type adopted struct {
	id    string
	steps []coalition.SignedFile
	seen  int // how many of its parts a witness has seen
}

// adopt takes the charter through the procedure, with its coordinator as the chair, in
// the weeks before the cycle opens. The steps are made once.
func (c *Rehearsal) adopt(ctx context.Context) error {
	if c.adopted.steps != nil {
		return nil
	}
	opens := time.Unix(c.charter.Opens, 0)
	now := opens.Add(-heardFrom)
	store := new(stepStore)
	chair := silence.New(silence.Config{
		Coalition: c.charter.Coalition, Signer: c.coordinator, Store: store, Now: func() time.Time { return now }, Rand: c.cfg.Rand,
	})
	proposal := silence.Proposal{
		Subject:  silence.Subject{Kind: silence.Charter, Name: "charter " + c.charter.Cycle, Digest: c.signed.Digest()},
		Comments: opens.Add(-silentFrom), Period: silentFor,
	}
	for _, m := range c.charter.Cohorts[0].Members {
		proposal.Parties = append(proposal.Parties, silence.Party{Member: m.ID, Key: m.Key})
	}
	p, err := chair.Propose(ctx, proposal)
	if err == nil {
		now = opens.Add(-silentFrom)
		p, err = chair.Put(ctx, p.ID, "", now.Add(silentFor))
	}
	if err == nil {
		now = now.Add(silentFor)
		p, err = chair.Settle(ctx, p.ID)
	}
	if err == nil {
		err = p.CheckAdopted(silence.Charter, c.signed.Digest())
	}
	if err != nil {
		return fmt.Errorf("adopt the charter: %w", err)
	}
	c.adopted.id, c.adopted.steps = p.ID, store.steps
	return nil
}

// enterSteps enters steps of the procedure, up to one.
func (c *Rehearsal) enterSteps(ctx context.Context, n int) error {
	var list []ledger.Statement
	for _, file := range c.adopted.steps[:n] {
		s, err := c.cycle.Silence(file)
		if err != nil {
			return err
		}
		list = append(list, s)
	}
	return c.enter(ctx, list, nil)
}

// witnessed has the witness see the ledger at a moment before the cycle opened, once
// for each part of what comes before.
func (c *Rehearsal) witnessed(ctx context.Context, part int, at time.Time) error {
	if c.adopted.seen >= part {
		return nil
	}
	note, checkpoint, err := c.shared.publish(ctx, func() time.Time { return at })
	if err != nil {
		return err
	}
	c.adopted.seen = part
	c.shared.earlier[checkpoint.Size] = note
	return nil
}

// enterCharter enters how the cycle began. Nobody objects to a rehearsal's charter; the
// witness sees it under silence, and adopted.
func (c *Rehearsal) enterCharter(ctx context.Context) error {
	if err := c.adopt(ctx); err != nil {
		return err
	}
	opens := time.Unix(c.charter.Opens, 0)
	if err := c.step(ctx, 1, coalition.Draft, coalition.Consultation); err != nil {
		return err
	}
	list, err := c.cycle.CharterStatements()
	if err := c.enter(ctx, list, err); err != nil {
		return err
	}
	if err := c.enterSteps(ctx, 2); err != nil {
		return err
	}
	if err := c.witnessed(ctx, 1, opens.Add(-silentFrom)); err != nil {
		return err
	}
	if err := c.enterSteps(ctx, len(c.adopted.steps)); err != nil {
		return err
	}
	adoption, err := c.cycle.Adoption("charter", c.signed.Digest(), c.adopted.id, 1, true)
	if err := c.enter(ctx, []ledger.Statement{adoption}, err); err != nil {
		return err
	}
	if err := c.step(ctx, 2, coalition.Consultation, coalition.Adopted); err != nil {
		return err
	}
	if err := c.witnessed(ctx, 2, opens.Add(silentFor-silentFrom)); err != nil {
		return err
	}
	return c.step(ctx, 3, coalition.Adopted, coalition.Open)
}

// stepStore keeps the steps of one procedure, which nobody comments on or breaks.
type stepStore struct{ steps []coalition.SignedFile }

func (s *stepStore) InTx(_ context.Context, _ string, fn func(silence.Tx) error) error { return fn(s) }

func (s *stepStore) Steps(context.Context, string) ([]coalition.SignedFile, error) {
	return s.steps, nil
}

func (s *stepStore) AppendStep(_ context.Context, _ string, _ int, step coalition.SignedFile) error {
	s.steps = append(s.steps, step)
	return nil
}

func (s *stepStore) Comments(context.Context, string) ([]coalition.SignedFile, error) {
	return nil, nil
}

func (s *stepStore) AppendComment(context.Context, string, coalition.SignedFile) error { return nil }

func (s *stepStore) Breaks(context.Context, string) ([]silence.Received, error) { return nil, nil }

func (s *stepStore) AppendBreak(context.Context, string, silence.Received) error { return nil }
