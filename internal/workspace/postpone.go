package workspace

import (
	"context"
	"fmt"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// Postpone keeps an addendum that moves the deadline of a survey's charter, after those
// that are kept already, and the deadline counts everywhere from then on. It is Invalid
// if it is not signed by all three or does not follow from the charter and the addenda
// before it, and a Conflict if the survey has no charter. One that is kept already
// changes nothing. What is signed off stays so: it is sealed to the same hosts.
func (s *Service) Postpone(ctx context.Context, person Person, id SurveyID, addendum coalition.SignedAddendum) (Survey, error) {
	err := s.change(ctx, "postpone the deadline of a survey", person, organise, func(tx change) error {
		is, err := s.open(tx, id) // a survey that was closed too early may be opened again
		if err != nil {
			return err
		}
		kept, revised, err := get[keptCharter](tx, charterKey(id))
		if is.Charter == "" || err != nil {
			_, err := charterOf(tx, id)
			return errs.Wrap(err, errs.Conflict, fmt.Sprintf("the survey %s has no charter that could be postponed", errs.Quote(string(id))), "load the charter first, and then the addenda in order")
		}
		charter, err := kept.signed().Open()
		if err != nil {
			return err
		}
		all := kept.addenda()
		for _, earlier := range all {
			if earlier.Digest() == addendum.Digest() {
				return nil
			}
		}
		deadline, err := charter.DeadlineAfter(append(all, addendum))
		if err != nil {
			d := errs.Describe(err)
			if d.Hint == "" {
				d.Hint = fmt.Sprintf("%d of them are kept; give the one that follows, as the coordinator sent it, with its .sig", len(all))
			}
			return errs.Wrap(err, errs.Invalid, d.Message, d.Hint)
		}
		kept.Addenda = append(kept.Addenda, signedBody{Body: addendum.Body, Signature: addendum.Signature})
		if _, err := tx.put(charterKey(id), revised.Rev, kept); err != nil {
			return err
		}
		deadline = deadline.UTC()
		is.Deadline = &deadline
		_, err = tx.put(surveyKey(id), is.revised.Rev, is.loaded)
		return err
	})
	if err != nil {
		return Survey{}, err
	}
	return s.Survey(ctx, person, id)
}

// Addenda returns what postponed the deadline of a survey's charter, in order.
func (s *Service) Addenda(ctx context.Context, person Person, id SurveyID) ([]coalition.SignedAddendum, error) {
	var all []coalition.SignedAddendum
	err := s.view(ctx, "read the addenda of a charter", person, seePart, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil || is.Charter == "" {
			all = nil
			return err
		}
		kept, err := charterOf(r, id)
		all = kept.addenda()
		return err
	})
	return all, err
}

func (k keptCharter) addenda() []coalition.SignedAddendum {
	var all []coalition.SignedAddendum
	for _, a := range k.Addenda {
		all = append(all, coalition.SignedAddendum{Body: a.Body, Signature: a.Signature})
	}
	return all
}
