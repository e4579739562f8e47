package workspace

import (
	"context"
	"slices"
	"time"

	"muster/internal/assess"
)

// Promise is a line of a plan that was meant to be done, as it is now, and whether the
// member gave it up.
type Promise struct {
	SavedAction
	Made time.Time // when it was first written down

	// Dropped is true of a line that was taken out, or became a reasoned "no action":
	// then Action is what was promised, and Reason why it is not done, if anybody said.
	Dropped bool
	Reason  string
}

// mistaken is how long a line of a plan stands before it is a promise. Who takes one
// out earlier corrects what was typed.
const mistaken = 24 * time.Hour

// Promises returns what the plan of a survey promised, by due day: every line that is
// no reasoned "no action" from its beginning, those that were given up included.
func (s *Service) Promises(ctx context.Context, person Person, id SurveyID) ([]Promise, error) {
	var all []Promise
	err := s.view(ctx, "read what a plan promised", person, see, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		all = nil
		for _, o := range is.pack.Outcomes() {
			found, err := promisesOf(r, id, o.ID)
			if err != nil {
				return err
			}
			all = append(all, found...)
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b Promise) int { return compareDue(a.Action.Due, b.Action.Due) })
	return all, err
}

// promisesOf returns those about one outcome. Lines are numbered from 1 on without a
// gap, and a number is never used again, so that those taken out are found, too.
func promisesOf(r Reader, id SurveyID, outcome string) ([]Promise, error) {
	var all []Promise
	for n := 0; ; n++ {
		key := Key{Kind: kindAction, Survey: id, Outcome: outcome, ID: numbered(n)}
		now, ok, err := r.Current(key)
		if err != nil || !ok {
			return all, err
		}
		history, err := r.History(key)
		if err != nil {
			return nil, err
		}
		p := Promise{SavedAction: SavedAction{ID: key.ID, Revised: now.Revised()}, Made: history[0].At, Dropped: now.Value == nil}
		meant := false
		for _, record := range history {
			if record.Value == nil {
				continue
			}
			var a assess.Action
			if err := decode(record, &a); err != nil {
				return nil, err
			}
			if p.Dropped = a.Nothing || now.Value == nil; a.Nothing {
				p.Reason = a.Text
			} else {
				p.Action, p.Reason, meant = a, "", true
			}
		}
		if meant && !(now.Value == nil && now.At.Sub(p.Made) < mistaken) {
			all = append(all, p)
		}
	}
}
