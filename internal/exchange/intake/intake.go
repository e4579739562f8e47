// Package intake takes a spreadsheet file back into the workspace that wrote it: what
// it changes, and only what it may change.
//
//	result, err := intake.Take(ctx, intake.Config{Service: service, Person: lead, Body: "port-of-ys"}, file, size)
//
// A file of a body speaks for that body alone, in what its sections ask; one that does
// not is refused as a whole, with every cell that is wrong. What a file changes is
// merged with what the workspace has by now, and saved in one transaction: all of it
// or, after an error or a crash, nothing. The [Result] says of every cell what became
// of it; it holds answers. [Read] and [File.Take] are the two halves, for who looks at
// what would become of a file before it is taken in. [Book] is what goes out.
package intake

import (
	"context"
	"io"
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
	"muster/internal/workspace"
)

// Config says whose file is taken into which workspace.
type Config struct {
	Service  *workspace.Service
	Person   workspace.Person // who takes it: the lead, or a contributor of Body
	Name     string           // what faults call the file
	Password string           // of a workbook that has one

	// Body is the body whose file it has to be; empty for what the file says itself. A
	// file that came from somebody is best not asked, and a contributor takes only a file
	// of a body of hers.
	Body string

	// Own refuses the file of a body: it has to be the member's own.
	Own bool

	// Several takes rows of bodies from a file that is of none.
	Several bool

	Blanks workbook.Blanks
	DryRun bool // report, and save nothing
}

// Result is what became of a file.
type Result struct {
	Body    string   // whose file it was; empty: the member's own
	Ignored []string // what was left aside, for it is not ours
	Report  *workbook.Report
	Saved   int // rows that were saved, or in a dry run would be
	Held    int // rows in conflict, of which nothing was saved
	Form    Form
	Needs   int // rows of the form that is saved
}

// Form is what became of the form "what do you depend on".
type Form uint8

// The states of the form. What became of each of its cells is in the report.
const (
	FormNone  Form = iota // the file has none
	FormSame              // it is as it was
	FormKept              // it is empty in the file, and what was there stays
	FormSaved             // or in a dry run would be; rows in conflict stay as they are
)

// Take reads a file of so many bytes and takes what it says. With an error nothing was
// saved.
func Take(ctx context.Context, c Config, file io.ReaderAt, size int64) (*Result, error) {
	f, err := Read(ctx, c, file, size)
	if err != nil {
		return nil, err
	}
	return f.Take(ctx, c.Person, How{DryRun: c.DryRun})
}

// File is what a file says, of which nothing has been saved yet. It holds neither the
// file nor its password, and of rows no more than the workspace asks for.
type File struct {
	cfg Config
	in  *workbook.Import
}

// Read reads a file of so many bytes and saves nothing.
func Read(ctx context.Context, c Config, file io.ReaderAt, size int64) (*File, error) {
	m, err := newMerging(ctx, c)
	if err != nil {
		return nil, err
	}
	in, err := workbook.Read(file, size, workbook.Config{
		Name: c.Name, Password: c.Password, Member: m.member, Surveys: m.surveys,
		Body:  func(id string) bool { return m.bodies[id] },
		Bound: workbook.Bound{Only: c.Body, Several: c.Several, Asked: m.asks},
	})
	if err != nil {
		return nil, err
	}
	if c.Own && in.Body != "" {
		return nil, errs.New(errs.Invalid, "the file is that of the body "+errs.Quote(in.Body), "choose that body, and give the file again")
	}
	c.Password = ""
	return &File{c, in}, nil
}

// Body returns whose file it is; empty for the member's own.
func (f *File) Body() string { return f.in.Body }

// How says how a file is taken.
type How struct {
	DryRun  bool // report, and save nothing
	Choices []Choice
}

// Take takes what a file says, as it is merged with what the workspace has now. With an
// error nothing was saved.
func (f *File) Take(ctx context.Context, person workspace.Person, how How) (*Result, error) {
	c, in := f.cfg, f.in
	c.Person, c.DryRun = person, how.DryRun
	m, err := newMerging(ctx, c)
	if err != nil {
		return nil, err
	}
	m.expect(in)
	result := &Result{Body: in.Body, Ignored: in.Ignored, Report: workbook.Merge(in.Rows, m.source(ctx), c.Blanks)}
	if m.failed != nil {
		return nil, m.failed
	}
	m.decide(result.Report, how.Choices)
	hold(result.Report)
	needs, err := m.form(ctx, in, result)
	if err != nil {
		return nil, err
	}
	back := m.back(in, result)
	if !c.DryRun {
		if err := m.save(ctx, result, needs, back); err != nil {
			return nil, err
		}
	}
	for _, change := range result.Report.Changes {
		if len(change.Conflicts) == 0 {
			result.Saved++
		} else {
			result.Held++
		}
	}
	return result, nil
}

// form says what becomes of the form that a file has, and returns what is to be saved.
func (m *merging) form(ctx context.Context, in *workbook.Import, result *Result) (*workspace.BatchNeeds, error) {
	if in.Needs == nil {
		return nil, nil
	}
	history, err := m.cfg.Service.NeedsHistory(ctx, m.cfg.Person, in.Body)
	if err != nil {
		return nil, err
	}
	var now workspace.SavedNeeds
	if n := len(history); n > 0 {
		now = history[n-1]
	}
	src := workbook.FormSource{Body: in.Body, Now: now.Needs}
	if in.NeedsRevision != 0 {
		i := slices.IndexFunc(history, func(h workspace.SavedNeeds) bool { return int64(h.Rev) == in.NeedsRevision })
		if i < 0 {
			result.Report.RefuseForm(in.Form, in.Body, "the workspace has no such revision of it; the file is of another workspace")
			return nil, nil
		}
		src.Base = history[i].Needs
	}
	merged := result.Report.MergeForm(in.Form, src, m.cfg.Blanks)
	switch {
	case merged.None != now.Needs.None || !slices.Equal(merged.Rows, now.Needs.Rows):
		result.Form, result.Needs = FormSaved, len(merged.Rows)
	case len(in.Form) == 0 && len(now.Needs.Rows) > 0:
		result.Form = FormKept
		return nil, nil
	default:
		result.Form = FormSame
		return nil, nil
	}
	return &workspace.BatchNeeds{Body: in.Body, Base: now.Rev, Needs: merged}, nil
}

// save saves everything that is taken. What somebody else changed since the merge is in
// conflict.
func (m *merging) save(ctx context.Context, result *Result, needs *workspace.BatchNeeds, back []workspace.BatchBack) error {
	report := result.Report
	batch := workspace.Batch{Needs: needs, Back: back}
	var entries, contributions []int // places among the changes
	for i, c := range report.Changes {
		id, base := workspace.SurveyID(c.Survey), workspace.Revision(c.Revision)
		switch {
		case len(c.Conflicts) > 0:
		case c.Body != "":
			contributions = append(contributions, i)
			batch.Contributions = append(batch.Contributions, workspace.BatchContribution{
				Survey: id, Outcome: c.Outcome, Base: base, Contribution: assess.ContributionOf(c.Body, c.Entry),
			})
		default:
			entries = append(entries, i)
			batch.Entries = append(batch.Entries, workspace.BatchEntry{Survey: id, Save: workspace.Save{Outcome: c.Outcome, Base: base, Mine: c.Entry}})
		}
	}
	if len(entries)+len(contributions)+len(back) == 0 && needs == nil {
		return nil
	}
	saved, err := m.cfg.Service.SaveBatch(ctx, m.cfg.Person, batch)
	if err != nil {
		return err
	}
	for j, i := range entries {
		if conflict := saved.Entries[j].Conflict; conflict != nil {
			meanwhile(report, i, conflict.Fields, conflict.Theirs.Entry)
		}
	}
	for j, i := range contributions {
		if now := saved.Contributions[j]; now.Conflict {
			meanwhile(report, i, assess.Changed(report.Changes[i].Entry, now.Saved.Entry()), now.Saved.Entry())
		}
	}
	if saved.NeedsConflict {
		result.Form = FormNone
		for i := range report.Form {
			if c := &report.Form[i]; c.State == workbook.Taken {
				c.State, c.Why = workbook.Conflict, "somebody changed the form while the file was imported, and nothing of it was saved"
			}
		}
	}
	return nil
}
