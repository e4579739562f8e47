package silence

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// Store keeps procedures for good. What a transaction did is durable when InTx
// returns nil, and has not happened otherwise; fn may run twice. Transactions
// exclude each other.
type Store interface {
	InTx(ctx context.Context, name string, fn func(Tx) error) error
}

// Tx is what a transaction can do.
type Tx interface {
	// Steps returns all steps of a procedure in order, or none.
	Steps(ctx context.Context, procedure string) ([]coalition.SignedFile, error)
	// AppendStep adds the step with this number, which is the next.
	AppendStep(ctx context.Context, procedure string, number int, step coalition.SignedFile) error

	// Comments returns the comments on a procedure in the order in which they came.
	Comments(ctx context.Context, procedure string) ([]coalition.SignedFile, error)
	AppendComment(ctx context.Context, procedure string, comment coalition.SignedFile) error

	// Breaks returns what was received, in order. Whoever reads the store learns
	// how many there are and when they came, not from whom.
	Breaks(ctx context.Context, procedure string) ([]Received, error)
	AppendBreak(ctx context.Context, procedure string, received Received) error
}

// Received is a break as it is kept: sealed, with what the chair acknowledged.
type Received struct {
	Acknowledgement coalition.SignedFile
	Sealed          []byte // the break's body and note, for the chair alone
}

// Vault seals what only the chair may read. It must not be able to open it.
type Vault interface {
	Seal(plain []byte) ([]byte, error)
}

// Record is the shared record. The same entry again changes nothing.
type Record interface {
	Append(ctx context.Context, entry ledger.Entry) error
}

// Config is what a [Chair] works with.
type Config struct {
	Coalition string
	Signer    *keys.Signer // the chair's key
	Store     Store
	Vault     Vault
	Record    Record // nil: nothing is entered
	Now       func() time.Time
	Rand      io.Reader // for the ids of procedures
}

// Chair runs silence procedures. Its methods may be called concurrently. A step
// that was decided is entered in the record after it is stored; if that fails,
// the next call that touches the procedure enters it.
type Chair struct {
	cfg Config
}

// New returns the chair of a coalition's procedures.
func New(cfg Config) *Chair { return &Chair{cfg} }

// Proposal is what a procedure begins with.
type Proposal struct {
	Subject  Subject
	Parties  []Party       // in any order
	Comments time.Time     // until when comments are heard
	Period   time.Duration // how long every party has at least to break the silence

	// Recipient is the age recipient to which parties seal their breaks, so that
	// nobody on the way reads who they are. Empty: they reach the chair otherwise.
	Recipient string
}

// Propose begins a procedure.
func (c *Chair) Propose(ctx context.Context, proposal Proposal) (Procedure, error) {
	var id [16]byte
	if _, err := io.ReadFull(c.cfg.Rand, id[:]); err != nil {
		return Procedure{}, fmt.Errorf("draw the id of a procedure: %w", err)
	}
	parties := slices.Clone(proposal.Parties)
	slices.SortFunc(parties, func(a, b Party) int { return byMember(a, b.Member) })
	return c.step(ctx, hex.EncodeToString(id[:]), Step{
		Act: Propose, Subject: &proposal.Subject, Parties: parties, Until: proposal.Comments.Unix(), Period: int64(proposal.Period / time.Second), Recipient: proposal.Recipient,
	})
}

// Put puts the text under silence until a moment. digest is that of the amended
// text, or empty where nothing was amended.
func (c *Chair) Put(ctx context.Context, procedure, digest string, until time.Time) (Procedure, error) {
	return c.step(ctx, procedure, Step{Act: Put, Subject: &Subject{Digest: digest}, Until: until.Unix()})
}

// Extend moves the end of comments or of silence to a later moment.
func (c *Chair) Extend(ctx context.Context, procedure string, until time.Time, reason string) (Procedure, error) {
	return c.step(ctx, procedure, Step{Act: Extend, Until: until.Unix(), Reason: reason})
}

// Admit entitles a party that joined late.
func (c *Chair) Admit(ctx context.Context, procedure string, party Party) (Procedure, error) {
	return c.step(ctx, procedure, Step{Act: Admit, Parties: []Party{party}})
}

// Reopen opens a text again before its time is over. It needs no break and says
// nothing of one.
func (c *Chair) Reopen(ctx context.Context, procedure string) (Procedure, error) {
	return c.step(ctx, procedure, Step{Act: Reopen})
}

// Withdraw takes a text back.
func (c *Chair) Withdraw(ctx context.Context, procedure, reason string) (Procedure, error) {
	return c.step(ctx, procedure, Step{Act: Withdraw, Reason: reason})
}

// Settle ends a round whose time is over: adopted if nobody broke the silence,
// else reopened. It changes nothing where nothing is due.
func (c *Chair) Settle(ctx context.Context, procedure string) (Procedure, error) {
	return c.change(ctx, "settle silence", procedure, func(*turn) error { return nil })
}

// Show returns where a procedure stands, its steps, and whether a round is over
// that was not settled.
func (c *Chair) Show(ctx context.Context, procedure string) (p Procedure, steps []coalition.SignedFile, due bool, err error) {
	err = c.cfg.Store.InTx(ctx, "show silence", func(tx Tx) error {
		t, err := c.turn(ctx, tx, procedure)
		if err != nil {
			return err
		}
		p, steps, due = t.procedure, t.steps, t.due()
		return nil
	})
	return p, steps, due, err
}

// Comment takes in a party's signed comment. The same comment again changes
// nothing.
func (c *Chair) Comment(ctx context.Context, procedure string, file coalition.SignedFile) error {
	_, err := c.change(ctx, "comment on a proposal", procedure, func(t *turn) error {
		p := &t.procedure
		comment, err := ReadComment(file, p)
		if err != nil {
			return err
		}
		before, err := t.tx.Comments(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, known := range before {
			if keys.Digest(known.Body) == keys.Digest(file.Body) {
				return nil
			}
		}
		switch {
		case p.State != Proposed && p.State != Reopened || p.State == Proposed && t.now >= p.Until:
			return errs.New(errs.Conflict, fmt.Sprintf("the text is %s, and the time for comments is over", p.State), "")
		case comment.Subject != p.Subject.Digest:
			return errs.New(errs.Invalid, "the comment is about another version of the text", "")
		case len(before) >= MaxComments:
			return errs.New(errs.Unavailable, fmt.Sprintf("a procedure holds at most %d comments", MaxComments), "")
		}
		return t.tx.AppendComment(ctx, p.ID, file)
	})
	return err
}

// Comments returns the signed comments on a procedure, which all its parties may
// read.
func (c *Chair) Comments(ctx context.Context, procedure string) (files []coalition.SignedFile, err error) {
	err = c.cfg.Store.InTx(ctx, "list comments", func(tx Tx) (err error) {
		files, err = tx.Comments(ctx, procedure)
		return err
	})
	return files, err
}

// Break takes in a party's break of the round under way and returns the chair's
// acknowledgement; the same break again gives the same one. A break that comes
// after the silence ended is acknowledged as late, and changes nothing.
func (c *Chair) Break(ctx context.Context, procedure string, file coalition.SignedFile) (acknowledged coalition.SignedFile, err error) {
	_, err = c.change(ctx, "break silence", procedure, func(t *turn) error {
		p := &t.procedure
		b, err := ReadBreak(file, p)
		if err != nil {
			return err
		}
		digest := keys.Digest(file.Body)
		ofRound := 0
		for _, r := range t.breaks {
			if r.Break == digest {
				acknowledged = r.file
				return nil
			}
			if r.Round == b.Round {
				ofRound++
			}
		}
		if ofRound >= MaxBreaks { // who fills a round in time has broken it, and has filled no other
			return errs.New(errs.Unavailable, fmt.Sprintf("a round holds at most %d breaks", MaxBreaks), "speak to the chair")
		}
		a := Acknowledgement{receivedKind, p.Coalition, p.ID, b.Round, digest, t.now, Late}
		if round := p.Round(); round != nil && round.Step == b.Round && t.now < round.Until {
			a.Counts = InTime
		}
		if acknowledged, err = sign(keys.KindSilenceReceived, a, c.cfg.Signer); err != nil {
			return err
		}
		plain, err := EncodeBreak(file)
		if err != nil {
			return err
		}
		sealed, err := c.cfg.Vault.Seal(plain)
		if err != nil {
			return fmt.Errorf("seal a break: %w", err)
		}
		return t.tx.AppendBreak(ctx, p.ID, Received{acknowledged, sealed})
	})
	return acknowledged, err
}

// Opened is a break as the chair reads it.
type Opened struct {
	Break           Break
	Acknowledgement Acknowledgement
}

// Breaks returns who broke the silence and why: for the chair, who alone holds
// what open needs.
func (c *Chair) Breaks(ctx context.Context, procedure string, open func(sealed []byte) ([]byte, error)) (list []Opened, err error) {
	err = c.cfg.Store.InTx(ctx, "read breaks", func(tx Tx) error {
		list = nil
		t, err := c.turn(ctx, tx, procedure)
		if err != nil {
			return err
		}
		for i, r := range t.breaks {
			plain, err := open(r.sealed)
			if err != nil {
				return fmt.Errorf("open break %d: %w", i, err)
			}
			file, err := DecodeBreak(plain)
			if err != nil {
				return fmt.Errorf("break %d: %w", i, err)
			}
			b, err := ReadBreak(file, &t.procedure)
			if err != nil {
				return fmt.Errorf("break %d: %w", i, err)
			}
			list = append(list, Opened{b, r.Acknowledgement})
		}
		return nil
	})
	return list, err
}

// step adds one step of the chair's own.
func (c *Chair) step(ctx context.Context, procedure string, s Step) (Procedure, error) {
	return c.change(ctx, string(s.Act)+" by silence", procedure, func(t *turn) error {
		if s.Act == Put && t.procedure.State != "" {
			s.Subject = &Subject{t.procedure.Subject.Kind, t.procedure.Subject.Name, cmp.Or(s.Subject.Digest, t.procedure.Subject.Digest)}
		}
		return t.add(ctx, s)
	})
}

// change settles what is due, applies fn, and enters the steps in the record. What
// is settled stays settled where fn refuses.
func (c *Chair) change(ctx context.Context, name, procedure string, fn func(*turn) error) (Procedure, error) {
	var p Procedure
	var steps []coalition.SignedFile
	var refusal error
	err := c.cfg.Store.InTx(ctx, name, func(tx Tx) error {
		t, err := c.turn(ctx, tx, procedure)
		if err == nil && t.due() {
			err = t.settle(ctx)
		}
		if err != nil {
			return err
		}
		settled := len(t.steps)
		if refusal = fn(t); refusal != nil && (len(t.steps) > settled || errs.KindOf(refusal) == errs.Internal) {
			return refusal
		}
		p, steps = t.procedure, t.steps
		return nil
	})
	if err == nil {
		err = c.enter(ctx, steps)
	}
	if err == nil {
		err = refusal
	}
	return p, err
}

// enter appends an entry to the record for every step.
func (c *Chair) enter(ctx context.Context, steps []coalition.SignedFile) error {
	if c.cfg.Record == nil {
		return nil
	}
	for _, file := range steps {
		entry, err := Entry(c.cfg.Signer.Public(), file)
		if err != nil {
			return err
		}
		if err := c.cfg.Record.Append(ctx, entry); err != nil {
			return fmt.Errorf("enter %s: %w", entry.ID, err)
		}
	}
	return nil
}
