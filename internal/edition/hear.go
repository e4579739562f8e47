package edition

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/silence"
)

// Hear keeps what the chair's steps say about the last version of an edition: that it is
// under silence and until when, that it was adopted, or reopened. The charter is that of
// the cycle; every member that it lists has to be entitled.
func (s *Service) Hear(ctx context.Context, who cycle.Person, id cycle.ID, name Name, signed coalition.SignedCharter, steps []coalition.SignedFile) (silence.Procedure, error) {
	if err := staff(who, "say what was adopted"); err != nil {
		return silence.Procedure{}, err
	}
	charter, err := signed.Open()
	if err != nil {
		return silence.Procedure{}, err
	}
	p, err := silence.Replay(charter.Coordinator.Key, steps)
	if err != nil {
		return p, err
	}
	return p, s.cfg.Store.InTx(ctx, "hear the chair", func(tx Tx) error {
		c, ok, err := tx.Cycle(id)
		if err != nil || !ok {
			return orNone(err)
		}
		if c.Charter != signed.Digest() {
			return errs.New(errs.Conflict, "this is not the charter of the cycle "+errs.Quote(string(id)), "")
		}
		v, st, err := at(tx, id, name)
		if err != nil {
			return err
		}
		if err := entitled(tx, charter, &p); err != nil {
			return err
		}
		switch {
		case p.Subject.Kind != silence.Edition || p.Subject.Digest != st.digest || st.digest == "":
			return errs.New(errs.Conflict, "the steps are about another text: "+errs.Quote(p.Subject.Name), fmt.Sprintf("the file of version %d has the digest %s: muster coordinator edition export", v.Number, st.digest))
		case st.state != IsApproved && st.state != IsSilent && st.state != IsReopened:
			return errs.New(errs.Conflict, fmt.Sprintf("version %d of the edition %s is %s", v.Number, name, st.state), "a second of the staff approves it before it is put under silence")
		}
		a := Act{Cycle: id, Name: name, Number: v.Number, Digest: st.digest, Reason: p.Tail, By: who.Name, At: s.moment()}
		what := cycle.EditionSilent
		switch p.State {
		case silence.UnderSilence:
			a.Deed, a.Until = Silent, time.Unix(p.Until, 0).UTC()
			if st.state == IsSilent && st.until.Equal(a.Until) {
				return nil
			}
		case silence.Adopted:
			a.Deed, what = Adopted, cycle.EditionAdopted
		case silence.Reopened:
			if st.state == IsReopened {
				return nil
			}
			a.Deed, what = Reopened, cycle.EditionReopened
		default:
			return errs.New(errs.Conflict, fmt.Sprintf("the text is %s, and nothing was decided", p.State), "")
		}
		if err := add(tx, a, nil); err != nil {
			return err
		}
		return s.cfg.Year.Write(tx, cycle.Line{By: who.Name, What: what, Cycle: id, Detail: v.label() + " " + st.digest})
	})
}

// entitled refuses a procedure in which not every member of the charter could object, by
// its key. Partners are guests, and not asked.
func entitled(r Reader, charter coalition.Charter, p *silence.Procedure) error {
	parties, err := r.Parties()
	if err != nil {
		return err
	}
	for _, cohort := range charter.Cohorts {
		for _, m := range cohort.Members {
			if slices.ContainsFunc(parties, func(party cycle.Party) bool { return party.Name == m.ID && party.Kind == cycle.Partner }) {
				continue
			}
			if key, ok := p.Party(m.ID); !ok || !key.Same(m.Key) {
				return errs.New(errs.Conflict, errs.Quote(string(m.ID))+" was not asked, or with another key than the charter has", "every member of the cycle is entitled to object")
			}
		}
	}
	return nil
}

func orNone(err error) error {
	if err != nil {
		return err
	}
	return errNoEdition
}
