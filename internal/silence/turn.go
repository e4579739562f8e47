package silence

import (
	"context"
	"fmt"
	"strconv"

	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// turn is one transaction of a chair on one procedure.
type turn struct {
	chair     *Chair
	tx        Tx
	id        string
	procedure Procedure
	steps     []coalition.SignedFile
	breaks    []received
	now       int64 // never before what was done already, whatever the clock says
}

// received is a break as it was acknowledged.
type received struct {
	Acknowledgement
	file   coalition.SignedFile
	sealed []byte
}

// turn reads a procedure. One that has no step yet is the zero Procedure.
func (c *Chair) turn(ctx context.Context, tx Tx, procedure string) (*turn, error) {
	t := &turn{chair: c, tx: tx, id: procedure, now: c.cfg.Now().Unix()}
	var err error
	if t.steps, err = tx.Steps(ctx, procedure); err != nil {
		return nil, err
	}
	if len(t.steps) > 0 {
		if t.procedure, err = Replay(c.cfg.Signer.Public(), t.steps); err != nil {
			return nil, err
		}
	}
	t.now = max(t.now, t.procedure.Last)
	kept, err := tx.Breaks(ctx, procedure)
	if err != nil {
		return nil, err
	}
	for _, r := range kept {
		a, err := ReadAcknowledgement(r.Acknowledgement, c.cfg.Signer.Public())
		if err != nil {
			return nil, err
		}
		t.breaks = append(t.breaks, received{a, r.Acknowledgement, r.Sealed})
		t.now = max(t.now, a.Received)
	}
	return t, nil
}

// due reports whether a round is over that was not settled.
func (t *turn) due() bool {
	round := t.procedure.Round()
	return round != nil && t.now >= round.Until
}

// settle ends the round that is over.
func (t *turn) settle(ctx context.Context) error {
	round := t.procedure.Round()
	act := Adopt
	for _, r := range t.breaks {
		if r.Round == round.Step && r.Counts == InTime {
			act = Reopen
		}
	}
	return t.add(ctx, Step{Act: act})
}

// add signs a step, checks that it may follow and keeps it.
func (t *turn) add(ctx context.Context, s Step) error {
	p := &t.procedure
	if p.State == "" && s.Act != Propose {
		_, err := p.row(s.Act)
		return err
	}
	s.Kind, s.Coalition, s.Procedure, s.Number, s.Previous, s.At = stepKind, t.chair.cfg.Coalition, t.id, p.Steps, p.Tail, t.now
	if err := s.check(); err != nil {
		return err
	}
	file, err := sign(keys.KindSilenceStep, s, t.chair.cfg.Signer)
	if err != nil {
		return err
	}
	next, err := p.next(s, keys.Digest(file.Body))
	if err != nil {
		return err
	}
	if err := t.tx.AppendStep(ctx, t.id, s.Number, file); err != nil {
		return err
	}
	t.procedure, t.steps = next, append(t.steps, file)
	return nil
}

// Entry returns what the shared record says of a step: which procedure, which
// text, and what was done. Parties, reasons and comments stay with the coalition,
// as does the hour: the step itself has it.
func Entry(chair keys.Public, file coalition.SignedFile) (ledger.Entry, error) {
	s, err := ReadStep(file, chair)
	if err != nil {
		return ledger.Entry{}, err
	}
	data := map[string]string{
		"procedure": s.Procedure,
		"number":    strconv.Itoa(s.Number),
		"act":       string(s.Act),
		"step":      keys.Digest(file.Body),
	}
	if s.Subject != nil {
		data["subject"], data["kind"] = s.Subject.Digest, string(s.Subject.Kind)
	}
	return ledger.Entry{ID: fmt.Sprintf("silence/%s/%d", s.Procedure, s.Number), Kind: "silence", Data: data}, nil
}
