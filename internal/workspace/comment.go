package workspace

import (
	"context"
	"slices"

	"muster/internal/errs"
)

// Comment is what somebody said about an outcome.
type Comment struct {
	ID   string
	Text string
	// Body is the id of the body with which it is said: its contributor and the lead
	// read it. Empty is among those who see all answers.
	Body string
	Revised
}

type keptComment struct {
	Text string `json:"text"`
	Body string `json:"body,omitempty"`
}

// Comment keeps a comment on an outcome. A contributor comments with one of her
// bodies, on an outcome of its sections.
func (s *Service) Comment(ctx context.Context, person Person, id SurveyID, outcome, body, words string) (Comment, error) {
	if words == "" {
		return Comment{}, errs.New(errs.Invalid, "the comment is empty", "")
	}
	if err := text("the comment", words, maxComment); err != nil {
		return Comment{}, err
	}
	comment := Comment{Text: words, Body: body}
	err := s.change(ctx, "comment", person, remark, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(outcome); err != nil {
			return err
		}
		if !person.seesAll() || body != "" {
			if err := s.mayContribute(tx, person, is, outcome, body); err != nil {
				return err
			}
		}
		there, err := tx.List(kindComment, id, outcome)
		if err != nil {
			return err
		}
		if err := full("comments on the outcome", len(there), MaxComments); err != nil {
			return err
		}
		key, err := tx.fresh(Key{Kind: kindComment, Survey: id, Outcome: outcome}, len(there))
		if err != nil {
			return err
		}
		comment.ID = key.ID
		comment.Revised, err = tx.put(key, 0, keptComment{Text: words, Body: body})
		return err
	})
	return comment, err
}

// Comments returns the comments on an outcome, the earliest first; of who sees her
// part only, those with her bodies.
func (s *Service) Comments(ctx context.Context, person Person, id SurveyID, outcome string) ([]Comment, error) {
	var all []Comment
	err := s.view(ctx, "read comments", person, seePart, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(outcome); err != nil {
			return err
		}
		items, err := list[keptComment](r, kindComment, id, outcome)
		all = nil
		for _, item := range items {
			if person.seesAll() || item.Value.Body != "" && person.answersFor(item.Value.Body) {
				all = append(all, Comment{ID: item.ID, Text: item.Value.Text, Body: item.Value.Body, Revised: item.Revised})
			}
		}
		return err
	})
	slices.SortStableFunc(all, func(a, b Comment) int { return int(a.Rev - b.Rev) })
	return all, err
}

// CommentCounts returns how many comments each outcome of a survey has.
func (s *Service) CommentCounts(ctx context.Context, person Person, id SurveyID) (map[string]int, error) {
	var counts map[string]int
	err := s.view(ctx, "count comments", person, see, func(r Reader) error {
		counts = make(map[string]int)
		records, err := r.List(kindComment, id, "")
		for _, record := range records {
			counts[record.Outcome]++
		}
		return err
	})
	return counts, err
}
