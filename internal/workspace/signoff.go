package workspace

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
)

func chainKey(id SurveyID) Key { return Key{Kind: kindChain, Survey: id} }

// SignOff returns the chain of a survey, and what was decided since the chain is as
// it is.
func (s *Service) SignOff(ctx context.Context, person Person, id SurveyID) (assess.SignOff, error) {
	var so assess.SignOff
	err := s.view(ctx, "read the sign-off", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		var err error
		so, err = signOffOf(r, id)
		return err
	})
	return so, err
}

func signOffOf(r Reader, id SurveyID) (assess.SignOff, error) {
	var so assess.SignOff
	chain, since, err := get[[]assess.Step](r, chainKey(id))
	if errors.Is(err, errNone) {
		return so, nil
	}
	if err != nil {
		return so, err
	}
	so.Chain = chain
	decisions, err := list[assess.Decision](r, kindDecision, id, "")
	if err != nil {
		return so, err
	}
	for _, d := range decisions {
		if d.Rev > since.Rev { // what another chain decided is history
			so.Decisions = append(so.Decisions, d.Value)
		}
	}
	return so, lapse(r, so.Decisions)
}

// SetChain defines who signs off, in their order; an empty chain is nobody. What was
// decided before counts no longer, unless the chain is the same.
func (s *Service) SetChain(ctx context.Context, person Person, id SurveyID, chain []assess.Step) error {
	if len(chain) > assess.MaxSteps {
		return errs.New(errs.Invalid, fmt.Sprintf("the chain has %d steps, and %d at most are kept", len(chain), assess.MaxSteps), "")
	}
	seen := make(map[string]bool)
	for _, step := range chain {
		if err := errors.Join(identifier("the id of the step", step.ID), line("the name of the step", step.Name, maxTitle)); err != nil {
			return err
		}
		if seen[step.ID] {
			return errs.New(errs.Invalid, fmt.Sprintf("the step %s is in the chain twice", errs.Quote(step.ID)), "")
		}
		seen[step.ID] = true
	}
	return s.change(ctx, "define the chain of sign-off", person, organise, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		was, revised, err := get[[]assess.Step](tx, chainKey(id))
		switch {
		case err != nil && !errors.Is(err, errNone):
			return err
		case slices.Equal(was, chain):
			return nil
		}
		if _, err := tx.put(chainKey(id), revised.Rev, chain); err != nil || is.Salt != "" {
			return err
		}
		now, err := s.salted(is.loaded) // nothing counts that was signed before
		if err != nil {
			return err
		}
		_, err = tx.put(surveyKey(id), is.revised.Rev, now)
		return err
	})
}

// errNotHers refuses who was not given a step.
func errNotHers() error {
	return errs.New(errs.Denied, "you may not decide at this step", "who was given the step decides: the lead of this workspace says who that is")
}

// Decide keeps what somebody decided at a step of the chain about exactly what has
// the digest. It is a Conflict if something else would be sealed by now, if it is
// another step's turn, and, for an approval, if something but sign-off still keeps
// it from being sealed. An approver decides at her own steps, and where several share the
// workspace nobody else does, the lead neither; nobody approves at two steps, unless the
// chain allows it. A signature is checked
// against the keys that are registered; a step that asks for one is approved with it
// alone.
func (s *Service) Decide(ctx context.Context, person Person, id SurveyID, d assess.Decision) (assess.SignOff, error) {
	err := errors.Join(line("the name under the decision", d.By, maxName), text("the reason", d.Reason, assess.MaxReason), signature(d.Signature))
	if err != nil {
		return assess.SignOff{}, err
	}
	var so assess.SignOff
	err = s.change(ctx, "decide at a step of the chain", person, decide, func(tx change) error {
		if !person.decidesAt(d.Step) {
			return errNotHers()
		}
		if d.By != person.Name && !person.Alone && (d.Approval == nil || d.Approval.Kind != assess.ApprovalKey) {
			return errs.New(errs.Denied, "you may not decide in somebody else's name", "she decides herself, after she has signed in")
		}
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		now, err := s.sealable(tx, is)
		if err != nil {
			return err
		}
		if now.Digest != d.Digest {
			return errs.New(errs.Conflict, "the answers have changed since this was shown", "look at them again, and decide about what they are now")
		}
		if missing := now.missing(); d.Approved && len(missing) > 0 {
			return errIncomplete()
		}
		d.Lapsed = false
		if d.Approval != nil {
			if err := s.checkApproval(tx, is, d); err != nil {
				return err
			}
		}
		if so, err = signOffOf(tx, id); err != nil {
			return err
		}
		d.At = tx.now
		if so, err = so.Decide(d); err != nil {
			return err
		}
		there, err := tx.List(kindDecision, id, "")
		if err != nil {
			return err
		}
		if err := full("decisions", len(there), MaxDecisions); err != nil {
			return err
		}
		key, err := tx.fresh(Key{Kind: kindDecision, Survey: id}, len(there))
		if err != nil {
			return err
		}
		_, err = tx.put(key, 0, d)
		return err
	})
	return so, err
}
