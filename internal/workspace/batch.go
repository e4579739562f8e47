package workspace

import (
	"context"
	"errors"
	"fmt"

	"muster/internal/assess"
	"muster/internal/errs"
)

// Batch is what one file changes. All of it is saved in one transaction.
type Batch struct {
	Entries       []BatchEntry
	Contributions []BatchContribution
	Needs         *BatchNeeds // nil for none
	Back          []BatchBack // the workbooks that the file is, one for each of its surveys
}

// BatchEntry is an entry of a batch.
type BatchEntry struct {
	Survey SurveyID
	Save
}

// BatchContribution is a contribution of a batch, which began with the revision Base.
type BatchContribution struct {
	Survey       SurveyID
	Outcome      string
	Base         Revision
	Contribution assess.Contribution
}

// BatchNeeds is what a body depends on, as [Service.PutNeeds] takes it.
type BatchNeeds struct {
	Body  string
	Base  Revision
	Needs assess.Needs
}

// BatchResult says what became of each part of a batch, in its order.
type BatchResult struct {
	Entries       []Result
	Contributions []BatchContributed
	NeedsConflict bool // somebody else changed them meanwhile, and they were not saved
}

// BatchContributed is what became of a contribution of a batch.
type BatchContributed struct {
	Saved    SavedContribution // where there is a conflict, what is there now
	Conflict bool              // somebody else changed it meanwhile, and it was not saved
}

// SaveBatch saves everything that a file changes, or nothing at all where there is an
// error: after a crash as well, none of it is there or all. A conflict of one keeps no
// other from being saved. What bodies give is saved first, so that a reason in the same
// file is about what they give by then.
func (s *Service) SaveBatch(ctx context.Context, person Person, b Batch) (BatchResult, error) {
	for _, one := range b.Entries {
		if err := checkEntry(one.Mine); err != nil {
			return BatchResult{}, of(err, one.Outcome)
		}
	}
	if len(b.Entries) > 0 {
		if err := person.may(answer); err != nil {
			return BatchResult{}, err
		}
	}
	var result BatchResult
	err := s.change(ctx, "save what a file changes", person, contribute, func(tx change) error {
		result = BatchResult{Entries: make([]Result, len(b.Entries)), Contributions: make([]BatchContributed, len(b.Contributions))}
		for i, one := range b.Contributions {
			saved, err := s.contribute(tx, one.Survey, one.Outcome, one.Base, one.Contribution)
			result.Contributions[i].Saved = saved
			if errs.KindOf(err) == errs.Conflict {
				result.Contributions[i], err = contributedMeanwhile(tx, one, err)
			}
			if err != nil {
				return of(err, one.Outcome+"@"+one.Contribution.Body)
			}
		}
		for i, one := range b.Entries {
			is, err := s.writable(tx, one.Survey)
			if err != nil {
				return err
			}
			if _, err := is.outcome(one.Outcome); err != nil {
				return err
			}
			r := &result.Entries[i]
			if r.Saved, r.Conflict, err = tx.save(is, one.Outcome, one.Base, one.Mine); err != nil {
				return of(err, one.Outcome)
			}
		}
		if b.Needs != nil {
			_, err := putNeeds(tx, b.Needs.Body, b.Needs.Base, b.Needs.Needs)
			if result.NeedsConflict = errs.KindOf(err) == errs.Conflict; err != nil && !result.NeedsConflict {
				return err
			}
		}
		for _, back := range b.Back {
			if err := tx.cameBack(back, b, result); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return BatchResult{}, err
	}
	return result, nil
}

// of says which of several an error is about.
func of(err error, outcome string) error {
	if errs.KindOf(err) == errs.Internal {
		return fmt.Errorf("outcome %s: %w", outcome, err)
	}
	d := errs.Describe(err)
	return errs.Wrap(err, d.Kind, fmt.Sprintf("outcome %s: %s", errs.Quote(outcome), d.Message), d.Hint)
}

// contributedMeanwhile returns what somebody else contributed while a file was read. A
// conflict of another kind, such as with a survey that was closed, stays an error.
func contributedMeanwhile(r Reader, one BatchContribution, conflict error) (BatchContributed, error) {
	kept, revised, err := get[keptContribution](r, contributionKey(one.Survey, one.Outcome, one.Contribution.Body))
	if errors.Is(err, errNone) {
		err = nil
	}
	if err == nil && revised.Rev == one.Base {
		err = conflict
	}
	now := SavedContribution{Outcome: one.Outcome, Revised: revised}
	now.Contribution = kept.of(one.Contribution.Body)
	return BatchContributed{Saved: now, Conflict: true}, err
}

// Asked returns what each body is asked for, by body: the outcomes of the sections that
// list it, in the pack's order. Who sees her part only is shown that of her own bodies.
func (s *Service) Asked(ctx context.Context, person Person, id SurveyID) (map[string][]string, error) {
	var asked map[string][]string
	err := s.view(ctx, "see what bodies are asked", person, seePart, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		listed, err := listedBodies(r, is)
		if err != nil {
			return err
		}
		asked = make(map[string][]string)
		for _, o := range is.pack.Outcomes() {
			for _, body := range listed[o.ID] {
				if person.seesAll() || person.answersFor(body) {
					asked[body] = append(asked[body], o.ID)
				}
			}
		}
		return nil
	})
	return asked, err
}
