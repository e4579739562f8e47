package workspace

import (
	"context"
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
)

// SavedAction is a line of the improvement plan as it is kept.
type SavedAction struct {
	ID     string
	Action assess.Action
	Revised
}

// PutAction keeps a line of the improvement plan: a new one if key is empty, else in
// the place of the revision base of the one with that id. What somebody else changed
// meanwhile is merged; what both changed is a [Clash]. A plan may be changed when its
// survey is closed: it is about what comes after.
func (s *Service) PutAction(ctx context.Context, person Person, id SurveyID, key string, base Revision, a assess.Action) (SavedAction, error) {
	if err := a.Check(); err != nil {
		return SavedAction{}, err
	}
	saved := SavedAction{ID: key, Action: a}
	err := s.change(ctx, "keep an action", person, plan, func(tx change) error {
		is, err := s.open(tx, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(a.Outcome); err != nil {
			return err
		}
		place := Key{Kind: kindAction, Survey: id, Outcome: a.Outcome, ID: key}
		if key == "" {
			there, err := tx.List(kindAction, id, a.Outcome)
			if err != nil {
				return err
			}
			if err := full("actions for the outcome", len(there), MaxActions); err != nil {
				return err
			}
			if place, err = tx.fresh(place, len(there)); err != nil {
				return err
			}
			base = 0
		} else if record, ok, err := tx.Current(place); err != nil {
			return err
		} else if !ok || record.Value == nil {
			return errs.New(errs.NotFound, "there is no such action", "somebody may have removed it")
		}
		saved.ID = place.ID
		saved.Action, saved.Revised, err = keepMerged(tx, place, base, a, actionParts(), nil)
		if err != nil {
			return err
		}
		return saved.Action.Check()
	})
	return saved, err
}

// RemoveAction removes a line of the plan.
func (s *Service) RemoveAction(ctx context.Context, person Person, id SurveyID, outcome, key string, base Revision) error {
	return s.change(ctx, "remove an action", person, plan, func(tx change) error {
		if _, err := s.open(tx, id); err != nil {
			return err
		}
		_, err := tx.removeKnown(Key{Kind: kindAction, Survey: id, Outcome: outcome, ID: key}, base, "action")
		return err
	})
}

// Actions returns the improvement plan of a survey, by due day; what has none comes
// last.
func (s *Service) Actions(ctx context.Context, person Person, id SurveyID) ([]SavedAction, error) {
	var all []SavedAction
	err := s.view(ctx, "read the plan", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		items, err := list[assess.Action](r, kindAction, id, "")
		all = make([]SavedAction, len(items))
		for i, item := range items {
			all[i] = SavedAction{ID: item.ID, Action: item.Value, Revised: item.Revised}
		}
		return err
	})
	slices.SortStableFunc(all, func(a, b SavedAction) int { return compareDue(a.Action.Due, b.Action.Due) })
	return all, err
}
