package workspace

import (
	"context"
	"errors"
	"maps"
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
)

// Workbook is one thing that happened to the workbook of a body: it was given out, or
// a file of it came back and was taken in. Each is a revision of its own, which says
// who and when.
type Workbook struct {
	Back    bool `json:"back,omitempty"` // it came back; else it was given out
	Asked   int  `json:"asked"`          // rows that it had
	Saved   int  `json:"saved,omitempty"`
	Held    int  `json:"held,omitempty"`    // rows in conflict, of which nothing was saved
	Refused int  `json:"refused,omitempty"` // cells
}

// SavedWorkbook is such a thing as it is kept.
type SavedWorkbook struct {
	Workbook
	Revised
}

func workbookKey(id SurveyID, body string) Key { return Key{Kind: kindWorkbook, Survey: id, ID: body} }

// GiveWorkbooks keeps that workbooks of bodies were given out, with so many rows each.
// The body without an id is the member as a whole.
func (s *Service) GiveWorkbooks(ctx context.Context, person Person, id SurveyID, asked map[string]int) error {
	return s.change(ctx, "give out workbooks", person, organise, func(tx change) error {
		if _, err := s.writable(tx, id); err != nil {
			return err
		}
		for _, body := range slices.Sorted(maps.Keys(asked)) {
			if err := known(tx, body); err != nil {
				return err
			}
			if err := tx.happened(id, body, Workbook{Asked: asked[body]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// known refuses a body that is not listed.
func known(r Reader, body string) error {
	if body == "" {
		return nil
	}
	_, _, err := get[assess.Body](r, bodyKey(body))
	if errors.Is(err, errNone) {
		return errs.New(errs.NotFound, "there is no body "+errs.Quote(body), "the lead lists the bodies of the member")
	}
	return err
}

// happened keeps what happened to a workbook after what happened before.
func (c change) happened(id SurveyID, body string, what Workbook) error {
	key := workbookKey(id, body)
	_, revised, err := get[Workbook](c, key)
	if err != nil && !errors.Is(err, errNone) {
		return err
	}
	_, err = c.put(key, revised.Rev, what)
	return err
}

// Workbooks returns what happened to the workbooks of a survey by body, the earliest
// first.
func (s *Service) Workbooks(ctx context.Context, person Person, id SurveyID) (map[string][]SavedWorkbook, error) {
	var all map[string][]SavedWorkbook
	err := s.view(ctx, "see who has a workbook", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		newest, err := list[Workbook](r, kindWorkbook, id, "")
		if err != nil {
			return err
		}
		all = make(map[string][]SavedWorkbook, len(newest))
		for _, one := range newest {
			records, err := r.History(one.Key)
			if err != nil {
				return err
			}
			for _, record := range records {
				saved := SavedWorkbook{Revised: record.Revised()}
				if err := decode(record, &saved.Workbook); err != nil {
					return err
				}
				all[one.ID] = append(all[one.ID], saved)
			}
		}
		return nil
	})
	return all, err
}

// BatchBack says of which workbook a batch is, and what of it was refused before.
type BatchBack struct {
	Survey SurveyID
	Body   string
	Workbook
}

// cameBack keeps that a workbook came back. Rows that were in conflict only now are
// counted as held.
func (c change) cameBack(back BatchBack, b Batch, result BatchResult) error {
	late := 0
	for i, one := range b.Entries {
		if one.Survey == back.Survey && back.Body == "" && result.Entries[i].Conflict != nil {
			late++
		}
	}
	for i, one := range b.Contributions {
		if one.Survey == back.Survey && one.Contribution.Body == back.Body && result.Contributions[i].Conflict {
			late++
		}
	}
	what := back.Workbook
	what.Back, what.Saved, what.Held = true, what.Saved-late, what.Held+late
	return c.happened(back.Survey, back.Body, what)
}
