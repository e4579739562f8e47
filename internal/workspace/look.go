package workspace

import (
	"context"
	"errors"
	"time"
)

// Look is a reading of all evidence of a survey, as it is kept beside it: what it found,
// or that it was begun and nobody has said how it ended.
type Look struct {
	Of     int              `json:"of"`               // pieces to be read
	Ended  *time.Time       `json:"ended,omitempty"`  // nil: it is under way, or the program ended before it did
	Failed bool             `json:"failed,omitempty"` // it did not get to the end
	Faults map[string]Fault `json:"faults,omitempty"` // by outcome and id of the reference, as "A1.1/000001"
}

func lookKey(id SurveyID) Key { return Key{Kind: kindSetting, Survey: id, ID: "look"} }

// PutLook keeps how far a look at the evidence of a survey is: the newest is what counts.
// Who may have evidence read may keep it.
func (s *Service) PutLook(ctx context.Context, person Person, id SurveyID, look Look) error {
	return s.change(ctx, "keep what a look at the evidence found", person, measuring, func(tx change) error {
		if _, err := s.open(tx, id); err != nil {
			return err
		}
		_, was, err := get[Look](tx, lookKey(id))
		if err != nil && !errors.Is(err, errNone) {
			return err
		}
		_, err = tx.put(lookKey(id), was.Rev, look)
		return err
	})
}

// LastLook returns the newest look at the evidence of a survey, and who began or ended
// it; its revision is 0 where nobody has looked.
func (s *Service) LastLook(ctx context.Context, person Person, id SurveyID) (Look, Revised, error) {
	var look Look
	var revised Revised
	err := s.view(ctx, "see what a look at the evidence found", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		var err error
		look, revised, err = get[Look](r, lookKey(id))
		if errors.Is(err, errNone) {
			err = nil
		}
		return err
	})
	return look, revised, err
}
