package workspace

import "context"

// Brief returns what was loaded of a survey without how far it is: no progress, no
// digest, and only whether it is closed. It costs no look at the entries.
func (s *Service) Brief(ctx context.Context, person Person, id SurveyID) (Survey, error) {
	var brief Survey
	err := s.view(ctx, "read what was loaded", person, seePart, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		brief = Survey{ID: id, Cycle: is.Cycle, Pack: is.Pack, Charter: is.Charter, Before: is.Before, Loaded: is.revised, State: StateOpen}
		if is.Deadline != nil {
			brief.Deadline = *is.Deadline
		}
		if is.Closed {
			brief.State = StateClosed
		}
		return nil
	})
	return brief, err
}
