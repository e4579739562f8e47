package workspace

import (
	"context"
	"slices"
)

// AllComments returns the comments on all outcomes of a survey, by outcome and the
// earliest first; of who sees her part only, those with her bodies.
func (s *Service) AllComments(ctx context.Context, person Person, id SurveyID) (map[string][]Comment, error) {
	var all map[string][]Comment
	err := s.view(ctx, "read all comments", person, seePart, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		items, err := list[keptComment](r, kindComment, id, "")
		all = make(map[string][]Comment)
		for _, item := range items {
			if person.seesAll() || item.Value.Body != "" && person.answersFor(item.Value.Body) {
				all[item.Outcome] = append(all[item.Outcome], Comment{ID: item.ID, Text: item.Value.Text, Body: item.Value.Body, Revised: item.Revised})
			}
		}
		return err
	})
	for _, comments := range all {
		slices.SortStableFunc(comments, func(a, b Comment) int { return int(a.Rev - b.Rev) })
	}
	return all, err
}
