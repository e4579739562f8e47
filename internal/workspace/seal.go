package workspace

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
)

// Sealable is a survey as it would be sealed now.
type Sealable struct {
	Survey   SurveyID
	Pack     *framework.Pack
	Entries  map[string]assess.Entry // what Now is made of
	Now      *assess.Assessment      // without what is not answered yet
	Before   *assess.Assessment      // what was sealed in the cycle before, or answered; nil if there is none
	Digest   string                  // hex SHA-256 of [Statement], which the sign-off is about
	Blockers []assess.Blocker        // what keeps it from being sealed; nil if nothing does

	statement Statement
	signOff   assess.SignOff
}

// missing returns the blockers other than the sign-off.
func (s Sealable) missing() []assess.Blocker {
	var all []assess.Blocker
	for _, b := range s.Blockers {
		if b.Kind != assess.BlockerSignOff {
			all = append(all, b)
		}
	}
	return all
}

// Sealable returns a survey as it would be sealed now, complete or not: for a dry
// run, and for the page before sealing.
func (s *Service) Sealable(ctx context.Context, person Person, id SurveyID) (Sealable, error) {
	var is Sealable
	err := s.view(ctx, "see what would be sealed", person, see, func(r Reader) error {
		opened, err := s.open(r, id)
		if err != nil {
			return err
		}
		is, err = s.sealable(r, opened)
		return err
	})
	return is, err
}

func (s *Service) sealable(r Reader, is survey) (Sealable, error) {
	member, err := memberOf(r)
	if err != nil {
		return Sealable{}, err
	}
	saved, err := entriesOf(r, is.id)
	if err != nil {
		return Sealable{}, err
	}
	findings, err := findingsOf(r, is.id)
	if err != nil {
		return Sealable{}, err
	}
	proposals, err := proposalsOf(r, is, "")
	if err != nil {
		return Sealable{}, err
	}
	so, err := signOffOf(r, is.id)
	if err != nil {
		return Sealable{}, err
	}
	sealable := Sealable{Survey: is.id, Pack: is.pack, Entries: plain(saved)}
	sealable.Now = &assess.Assessment{Member: string(member), Answers: answersOf(is.pack, sealable.Entries, findings)}
	if sealable.Before, err = s.before(r, is, member); err != nil {
		return Sealable{}, err
	}
	sealable.statement = Statement{
		Format: is.statementFormat(), Salt: is.Salt, Member: member, Cycle: is.Cycle, Framework: is.Pack, Answers: sealable.Now.Answers,
	}
	if sealable.Before != nil {
		sealable.statement.Before = sealable.Before.Answers
	}
	if sealable.statement.Under, err = s.under(r, is, member); err != nil {
		return Sealable{}, err
	}
	sealable.Blockers, sealable.signOff = assess.Blockers(is.pack, sealable.Entries, proposals, plainFindings(findings)), so
	err = sealable.sum()
	return sealable, err
}

// answersOf returns what is answered, with what the verifier found, where that is about
// the level that is answered.
func answersOf(pack *framework.Pack, entries map[string]assess.Entry, findings map[string]SavedFinding) map[string]assess.Answer {
	answers := make(map[string]assess.Answer)
	for _, o := range pack.Outcomes() {
		if e := entries[o.ID]; e.Answered() {
			verified := framework.None
			if f := findings[o.ID].Finding; f.Of(e) {
				verified = f.Verified
			}
			answers[o.ID] = e.Answer(verified)
		}
	}
	return answers
}

// before returns the assessment of the cycle before, or nil: what was sealed last,
// else what was answered. Outcomes that ask something else by now are left out: they
// are not comparable.
func (s *Service) before(r Reader, is survey, member coalition.MemberID) (*assess.Assessment, error) {
	if is.Before == "" {
		return nil, nil
	}
	last, err := s.open(r, is.Before)
	if err != nil {
		return nil, err
	}
	sealings, err := list[sealing](r, kindSealing, is.Before, "")
	if err != nil {
		return nil, err
	}
	var answers map[string]assess.Answer
	if n := len(sealings); n > 0 {
		answers = sealings[n-1].Value.Answers
	} else {
		saved, err := entriesOf(r, is.Before)
		if err != nil {
			return nil, err
		}
		findings, err := findingsOf(r, is.Before)
		if err != nil {
			return nil, err
		}
		answers = answersOf(last.pack, plain(saved), findings)
	}
	maps.DeleteFunc(answers, func(outcome string, _ assess.Answer) bool { return !asksTheSame(last.pack, is.pack, outcome) })
	return &assess.Assessment{Member: string(member), Answers: answers}, nil
}

// Blockers returns everything that keeps a survey from being sealed, in the order of
// its pack, the sign-off last. Nil: it may be sealed.
func (s *Service) Blockers(ctx context.Context, person Person, id SurveyID) ([]assess.Blocker, error) {
	is, err := s.Sealable(ctx, person, id)
	return is.Blockers, err
}

// Assessment returns what may be sealed, and is a Conflict while something keeps it
// from that. For a dry run there is [Service.Sealable].
func (s *Service) Assessment(ctx context.Context, person Person, id SurveyID) (Sealable, error) {
	is, err := s.Sealable(ctx, person, id)
	if err != nil {
		return Sealable{}, err
	}
	return is, is.Refuse()
}

// Refuse is a Conflict while something keeps it from being sealed.
func (s Sealable) Refuse() error {
	n := len(s.Blockers)
	if n == 0 {
		return nil
	}
	what := fmt.Sprintf("%d things keep %s from being sealed", n, errs.Quote(string(s.Survey)))
	if n == 1 {
		what = fmt.Sprintf("one thing keeps %s from being sealed", errs.Quote(string(s.Survey)))
	}
	return errs.New(errs.Conflict, what, "muster workspace status lists what is to be done")
}

// Sealing is what was sealed.
type Sealing struct {
	Sequence uint64 // the number of the submission
	Digest   string // of the [Statement]
	File     string // hex SHA-256 of the sealed file
	Receipt  coalition.SignedReceipt
	Answers  map[string]assess.Answer // what was sealed
	Revised
}

// sealing is one as it is kept.
type sealing struct {
	Sequence  uint64                   `json:"sequence"`
	Digest    string                   `json:"digest"`
	File      string                   `json:"file"`
	Receipt   []byte                   `json:"receipt"`
	Signature []byte                   `json:"signature"`
	Answers   map[string]assess.Answer `json:"answers"`
}

// Sealed records that a survey was sealed, with the receipt: before the sealed file
// can leave, so that what left is what is recorded. digest is that of
// [Service.Assessment]; it is a Conflict if something else would be sealed by now, if
// something keeps it from that, or if another file was sealed with that number or a
// higher one. The same again changes nothing. Earlier sealings stay.
func (s *Service) Sealed(ctx context.Context, person Person, id SurveyID, sealed Sealing) (Sealing, error) {
	switch {
	case sealed.Sequence == 0:
		return Sealing{}, errs.New(errs.Invalid, "submissions are numbered from 1", "")
	case len(sealed.Receipt.Body) == 0 || len(sealed.Receipt.Body)+len(sealed.Receipt.Signature) > maxReceipt:
		return Sealing{}, errs.New(errs.Invalid, "the receipt is empty or too long to be one", "")
	}
	if err := errors.Join(digest("the digest of what was sealed", sealed.Digest), digest("the digest of the sealed file", sealed.File)); err != nil {
		return Sealing{}, err
	}
	kept := sealing{
		Sequence: sealed.Sequence, Digest: sealed.Digest, File: sealed.File, Receipt: sealed.Receipt.Body, Signature: sealed.Receipt.Signature,
	}
	err := s.change(ctx, "record what was sealed", person, seal, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		key := Key{Kind: kindSealing, Survey: id, ID: fmt.Sprintf("%020d", sealed.Sequence)}
		was, revised, err := get[sealing](tx, key)
		switch {
		case err == nil && was.Digest == kept.Digest && was.File == kept.File:
			sealed.Answers, sealed.Revised = was.Answers, revised
			return nil
		case err == nil:
			return errs.New(errs.Conflict, fmt.Sprintf("submission %d was sealed already", sealed.Sequence), "a number is used once; seal again with a higher one")
		case !errors.Is(err, errNone):
			return err
		}
		there, err := tx.List(kindSealing, id, "")
		if err != nil {
			return err
		}
		if err := full("sealings", len(there), MaxSealings); err != nil {
			return err
		}
		if n := len(there); n > 0 && there[n-1].ID > key.ID {
			return errs.New(errs.Conflict, fmt.Sprintf("a submission with a higher number than %d was sealed already", sealed.Sequence), "a number is used once; seal again with a higher one")
		}
		now, err := s.sealable(tx, is)
		if err != nil {
			return err
		}
		if now.Digest != sealed.Digest {
			return errs.New(errs.Conflict, "the answers have changed while they were being sealed", "nothing has left; look at them again, and seal again")
		}
		if err := now.Refuse(); err != nil {
			return err
		}
		kept.Answers = now.Now.Answers
		sealed.Answers = kept.Answers
		sealed.Revised, err = tx.put(key, 0, kept)
		return err
	})
	if err != nil {
		return Sealing{}, err
	}
	return sealed, nil
}

// MaySeal refuses, with kind Denied, who may not seal.
func (s *Service) MaySeal(person Person) error { return person.may(seal) }

// Sealings returns what was sealed of a survey, by number: the last one counts.
func (s *Service) Sealings(ctx context.Context, person Person, id SurveyID) ([]Sealing, error) {
	var all []Sealing
	err := s.view(ctx, "list what was sealed", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		items, err := list[sealing](r, kindSealing, id, "")
		all = make([]Sealing, len(items))
		for i, item := range items {
			v := item.Value
			all[i] = Sealing{
				Sequence: v.Sequence, Digest: v.Digest, File: v.File, Answers: v.Answers, Revised: item.Revised,
				Receipt: coalition.SignedReceipt{Body: v.Receipt, Signature: v.Signature},
			}
		}
		return err
	})
	return all, err
}
