package rehearse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// The names of a rehearsal's ledger and of its witness: nobody is reached there.
const (
	ledgerName  = "ledger.rehearsal.invalid"
	witnessName = "witness.rehearsal.invalid"
)

// Ledger is the coalition's ledger as a rehearsal writes it: a [ledger.Log] in this
// process, or the log server's on disk where one can run.
type Ledger interface {
	// Add enters signed statements; those that are there change nothing.
	Add(ctx context.Context, statements ...ledger.Statement) error
	// Checkpoint returns a checkpoint of everything that was added, signed by the ledger.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Source returns the tiles and entries.
	Source() ledger.Source
	Close(ctx context.Context) error
}

// shared is the ledger of a rehearsal with its keys, and the one witness that its
// charter names, which a rehearsal plays, too.
type shared struct {
	key, witness *keys.Signer
	policy       ledger.Policy
	seen         ledger.Checkpoint // what the witness cosigned last
	earlier      map[uint64][]byte // what it cosigned before, by size
	log          Ledger
}

// newShared draws the keys.
func newShared(rand io.Reader) (*shared, error) {
	s := &shared{earlier: make(map[uint64][]byte)}
	var err error
	if s.key, err = keys.GenerateNamed(rand, ledgerName); err != nil {
		return nil, err
	}
	if s.witness, err = keys.GenerateNamed(rand, witnessName); err != nil {
		return nil, err
	}
	public, err := s.witness.Public().Cosigner()
	s.policy = ledger.Policy{Log: s.key.Public(), Threshold: 1, Witnesses: []keys.Public{public}}
	return s, err
}

// open opens the ledger, which an interrupted run may have left.
func (s *shared) open(ctx context.Context, open func(context.Context, *keys.Signer, ledger.Policy) (Ledger, error)) (err error) {
	if s.log != nil {
		return nil
	}
	if open == nil {
		s.log = ledger.NewLog(s.key)
		return nil
	}
	s.log, err = open(ctx, s.key, s.policy)
	return err
}

// enter signs statements as the coordinator and enters them.
func (c *Rehearsal) enter(ctx context.Context, list []ledger.Statement, err error) error {
	for i := 0; i < len(list) && err == nil; i++ {
		list[i], err = list[i].Sign(c.coordinator)
	}
	if err == nil {
		err = c.shared.log.Add(ctx, list...)
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// step enters a step of the cycle. The steps of a rehearsal are always the same, so
// that one that was interrupted enters none twice.
func (c *Rehearsal) step(ctx context.Context, number int, from, to coalition.Phase) error {
	s, err := c.cycle.Phase(number, from, to, "")
	return c.enter(ctx, []ledger.Statement{s}, err)
}

// enterFrozen enters whose submissions count, under pseudonyms.
func (c *Rehearsal) enterFrozen(ctx context.Context, frozen coalition.FrozenRoster) error {
	if err := errors.Join(c.step(ctx, 4, coalition.Open, coalition.Closing), c.step(ctx, 5, coalition.Closing, coalition.Closed)); err != nil {
		return err
	}
	list, err := c.cycle.Frozen(c.cfg.Cohort, frozen)
	return c.enter(ctx, list, err)
}

// enterRecords enters what the ledger takes in of the hosts' own records: the digests
// of their shares.
func (c *Rehearsal) enterRecords(ctx context.Context, records []Record) error {
	var list []ledger.Statement
	for _, r := range records {
		for line := range bytes.Lines(r.Body) {
			s, ok, err := c.cycle.RecordLine(bytes.TrimSuffix(line, []byte("\n")))
			if err != nil {
				return fmt.Errorf("the record of the %s: %w", r.Keeper, err)
			}
			if ok {
				list = append(list, s)
			}
		}
	}
	return c.enter(ctx, list, nil)
}

// enterRelease has both hosts sign the release, and enters it with their approvals. The
// witness sees it before anything is wiped.
func (c *Rehearsal) enterRelease(ctx context.Context, hosts Hosts, result *Result) error {
	if err := errors.Join(c.step(ctx, 6, coalition.Closed, coalition.Aggregated), c.step(ctx, 7, coalition.Aggregated, coalition.Review)); err != nil {
		return err
	}
	if result.Release == nil {
		return nil
	}
	signed, err := hosts.Sign(ctx, coalition.SignedFile{Body: result.Release.Body, Signature: result.Release.Signature})
	if err != nil {
		return err
	}
	result.Release.Signature = signed.Signature
	list, err := c.cycle.Release(signed)
	if err := errors.Join(c.enter(ctx, list, err), c.step(ctx, 8, coalition.Review, coalition.Released)); err != nil {
		return err
	}
	return c.witnessed(ctx, 3, c.clock.now())
}

// wipe goes to the charter's day, where hosts and coordinator destroy what opens the
// cycle's answers, and enters what they attest. A cycle whose totals were never collected
// has no such day: it would have to be cancelled.
func (c *Rehearsal) wipe(ctx context.Context) error {
	if c.outcome.Aggregate == nil {
		return nil
	}
	day := time.Unix(c.charter.Wipe, 0)
	if c.clock.now().Before(day) {
		c.clock.set(day)
	}
	if c.outcome.Wipes == nil {
		c.progress("wipe", 0, 1)
		wipes, err := c.cfg.Stage.Wipe(ctx, c.clock.now())
		if err != nil {
			return err
		}
		// The totals are the rehearser's to keep: that they are gone is not attested.
		own, err := coalition.NewWipeAttestation(c.charter, "coordinator", coalition.EndingOver, "", []string{"collector key"}, c.clock.now())
		if err != nil {
			return err
		}
		file, err := own.Sign(c.coordinator)
		if err != nil {
			return err
		}
		c.collector, c.collectorKey = nil, nil
		c.outcome.Wipes = append(wipes, file)
	}
	var list []ledger.Statement
	for _, file := range c.outcome.Wipes {
		s, err := c.cycle.Wipe(file)
		if err != nil {
			return err
		}
		list = append(list, s)
	}
	return c.enter(ctx, list, nil)
}

// publish has the witness cosign what is in the ledger, as it would on its own
// machine: it compares with what it has seen.
func (s *shared) publish(ctx context.Context, now func() time.Time) (note []byte, c ledger.Checkpoint, err error) {
	if note, err = s.log.Checkpoint(ctx); err != nil {
		return nil, c, err
	}
	if c, err = ledger.ReadCheckpoint(note); err != nil {
		return nil, c, err
	}
	request := ledger.CosignRequest{Old: s.seen.Size, Checkpoint: note}
	if request.Proof, err = ledger.ProveConsistency(ledger.TileNodes(ctx, s.log.Source(), c.Size), s.seen.Size, c.Size); err != nil {
		return nil, c, err
	}
	if s.seen, err = request.Judge(s.key.Public(), s.seen); err != nil {
		return nil, c, err
	}
	line, err := ledger.Cosign(s.seen, s.witness, now)
	if err != nil {
		return nil, c, err
	}
	note, err = s.policy.Join(note, line, now())
	return note, c, err
}

// bundle publishes the ledger and returns the bundle of the cycle, with everything
// in it: who rehearses knows it all.
func (c *Rehearsal) bundle(ctx context.Context, result *Result) ([]ledger.Member, error) {
	note, checkpoint, err := c.shared.publish(ctx, c.clock.now)
	if err != nil {
		return nil, err
	}
	view, err := ledger.ReadView(ctx, c.shared.log.Source(), checkpoint)
	if err != nil {
		return nil, err
	}
	b := ledger.Bundle{Manifest: ledger.Manifest{Cycle: c.cfg.Cycle}, Checkpoint: note, View: view, Files: make(map[string][]byte), Earlier: c.shared.earlier}
	put := func(kind ledger.Kind, body []byte) {
		b.Manifest.Files = append(b.Manifest.Files, ledger.ManifestFile{Digest: keys.Digest(body), Kind: kind})
		b.Files[keys.Digest(body)] = body
	}
	put(ledger.KindFramework, c.cfg.Pack.Canonical())
	put(ledger.KindCharter, c.signed.Body)
	for _, step := range c.adopted.steps {
		put(ledger.KindSilence, step.Body)
	}
	for _, a := range c.addenda {
		put(ledger.KindAddendum, a.Body)
	}
	put(ledger.KindRoster, c.frozen.Roster.Body)
	for _, a := range c.frozen.Amendments {
		put(ledger.KindAmendment, a.Body)
	}
	for _, w := range result.Wipes {
		put(ledger.KindWipe, w.Body)
	}
	if result.Release != nil {
		put(ledger.KindRelease, result.Release.Body)
		b.Statements, err = view.Statements()
		if err != nil {
			return nil, err
		}
		b.PutHistory(c.cfg.Kept)
	}
	roster, err := coalition.ParseRoster(c.frozen.Roster.Body, c.task)
	if err != nil {
		return nil, err
	}
	if len(c.sealed) > 0 {
		b.Receipts = make(map[string][]coalition.SignedReceipt)
		for _, e := range roster.Entries {
			b.Receipts[c.task.String()] = append(b.Receipts[c.task.String()], c.sealed[e.Member].Receipt)
		}
	}
	return ledger.WriteBundle(b)
}
