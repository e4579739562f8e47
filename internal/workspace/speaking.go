package workspace

import (
	"context"
	"errors"

	"muster/internal/errs"
)

// Point is one speaking point of a national brief. In its text a reference in braces,
// as {targets.met}, stands for a figure, so that no number is typed again.
type Point struct {
	Rule   string `json:"rule,omitempty"`   // that drafted it; empty for a point of the person's own
	Text   string `json:"text"`             //
	Public bool   `json:"public,omitempty"` // the member has chosen that it may be said in public
}

// Words is what a person made of the speaking points of a brief.
type Words struct {
	Points []Point `json:"points"`
}

func wordsKey(id SurveyID, lang string) Key { return Key{Kind: kindBrief, Survey: id, ID: lang} }

// PutWords keeps the speaking points of a survey's brief in one language, in the place
// of the revision base. It is a Conflict if somebody else changed them meanwhile. They
// may be changed when the survey is closed: a brief is about what comes after.
func (s *Service) PutWords(ctx context.Context, person Person, id SurveyID, lang string, base Revision, words Words) (Revised, error) {
	if err := identifier("the language of the brief", lang); err != nil {
		return Revised{}, err
	}
	if len(words.Points) > MaxPoints {
		return Revised{}, full("speaking points", len(words.Points), MaxPoints)
	}
	for _, point := range words.Points {
		if err := line("a speaking point", point.Text, maxPoint); err != nil {
			return Revised{}, err
		}
	}
	var kept Revised
	err := s.change(ctx, "keep speaking points", person, plan, func(tx change) error {
		if _, err := s.open(tx, id); err != nil {
			return err
		}
		var err error
		kept, err = tx.replace(wordsKey(id, lang), base, words)
		return err
	})
	return kept, err
}

// ForgetWords takes out what was made of the speaking points, so that they are drafted
// anew. What was kept stays in the history.
func (s *Service) ForgetWords(ctx context.Context, person Person, id SurveyID, lang string, base Revision) error {
	return s.change(ctx, "draft speaking points anew", person, plan, func(tx change) error {
		if _, err := s.open(tx, id); err != nil {
			return err
		}
		_, err := tx.removeKnown(wordsKey(id, lang), base, "text of a person's own")
		return err
	})
}

// Words returns the speaking points that are kept of a survey in one language. It is
// NotFound if nobody has changed what was drafted.
func (s *Service) Words(ctx context.Context, person Person, id SurveyID, lang string) (Words, Revised, error) {
	var words Words
	var revised Revised
	err := s.view(ctx, "read speaking points", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		var err error
		words, revised, err = get[Words](r, wordsKey(id, lang))
		if errors.Is(err, errNone) {
			return errs.New(errs.NotFound, "nobody has changed the speaking points yet", "")
		}
		return err
	})
	return words, revised, err
}
