package intake

import (
	"context"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/internal/workspace"
)

// Out says what of a workspace goes into a book.
type Out struct {
	Service   *workspace.Service
	Person    workspace.Person
	Surveys   []workspace.SurveyID
	Body      string // whose book it is; empty for the member's own
	Form      bool   // with the form of what it depends on
	Languages []string
}

// Book returns what the workspace has as a book, which [Take] takes back.
func Book(ctx context.Context, o Out) (workbook.Book, error) {
	book := workbook.Book{Languages: o.Languages}
	is, err := o.Service.Identity(ctx)
	if err != nil {
		return book, err
	}
	book.Member, book.Marking = string(is.Member), is.Marking
	if o.Body != "" {
		if book.Body, err = BodyOf(ctx, o.Service, o.Person, o.Body); err != nil {
			return book, err
		}
	}
	if o.Form {
		needs, err := o.Service.Needs(ctx, o.Person)
		if err != nil {
			return book, err
		}
		book.Needs = append([]workbook.Need{}, needs[o.Body].Needs.Rows...)
		book.NeedsRevision = int64(needs[o.Body].Rev)
	}
	for _, id := range o.Surveys {
		survey, err := o.survey(ctx, id)
		if err != nil {
			return book, err
		}
		book.Surveys = append(book.Surveys, survey)
	}
	return book, nil
}

func (o Out) survey(ctx context.Context, id workspace.SurveyID) (workbook.Survey, error) {
	survey, err := o.Service.Survey(ctx, o.Person, id)
	if err != nil {
		return workbook.Survey{}, err
	}
	s := workbook.Survey{Cycle: survey.Cycle, Saved: make(map[string]workbook.Saved)}
	if s.Pack, err = o.Service.Pack(ctx, o.Person, survey.ID); err != nil {
		return s, err
	}
	if o.Body == "" {
		entries, err := o.Service.Entries(ctx, o.Person, survey.ID)
		for outcome, saved := range entries {
			s.Saved[outcome] = workbook.Saved{Entry: saved.Entry, Revision: int64(saved.Rev)}
		}
		return s, err
	}
	asked, err := o.Service.Asked(ctx, o.Person, survey.ID)
	if err != nil {
		return s, err
	}
	if s.Outcomes = asked[o.Body]; len(s.Outcomes) == 0 {
		return s, errs.New(errs.NotFound, "no section of "+string(survey.ID)+" lists the body "+errs.Quote(o.Body), "list it in a section first, on the page of bodies and sections: muster workspace serve")
	}
	contributions, err := o.Service.Contributions(ctx, o.Person, survey.ID, "")
	if err != nil {
		return s, err
	}
	isAsked := make(map[string]bool)
	for _, outcome := range s.Outcomes {
		isAsked[outcome] = true
	}
	for _, c := range contributions {
		if c.Body == o.Body && isAsked[c.Outcome] {
			s.Saved[c.Outcome] = workbook.Saved{Entry: c.Entry(), Revision: int64(c.Rev)}
		}
	}
	before, err := o.Service.ContributionsBefore(ctx, o.Person, survey.ID)
	s.Last = make(map[string]framework.Level)
	for _, c := range before {
		if c.Body == o.Body && c.Given() != framework.None {
			s.Last[c.Outcome] = c.Level
		}
	}
	return s, err
}

// BodyOf returns a body by its id.
func BodyOf(ctx context.Context, service *workspace.Service, person workspace.Person, id string) (*assess.Body, error) {
	bodies, err := service.Bodies(ctx, person)
	if err != nil {
		return nil, err
	}
	for _, b := range bodies {
		if b.ID == id {
			return &b.Body, nil
		}
	}
	return nil, errs.New(errs.NotFound, "there is no body "+errs.Quote(id), "bodies are listed on a page of the workspace: muster workspace serve")
}
