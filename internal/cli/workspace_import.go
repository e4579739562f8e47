package cli

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
	"muster/internal/workspace"
)

type workspaceImportFlags struct {
	dir, password             string
	blanksClear, dryRun, json bool
	lock                      lockFlags
}

func newWorkspaceImportCmd(env Env) *cobra.Command {
	var f workspaceImportFlags
	cmd := &cobra.Command{
		Use:   "import FILE --dir DIR",
		Short: "Take a workbook or CSV file back, and say what became of each cell",
		Long: `Take back a workbook or CSV file that muster workspace export wrote, whatever a
spreadsheet made of it meanwhile. What the file changed is merged into what the
workspace has by now, cell by cell, and the report says of each what became of it:
taken, same, kept, in conflict or refused. Of a row with a conflict nothing is
saved. A body's workbook becomes what that body contributes, and its form what it
depends on.

An empty cell says nothing unless --blanks-clear is given. The report holds answers;
it goes to standard output. Exit code 3: something is in conflict or was refused,
and everything else was saved.`,
		Example: `  muster workspace import answers.xlsx --dir ostmere --dry-run
  muster workspace import answers.xlsx --dir ostmere`,
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWorkspaceImport(cmd.Context(), env, args[0], f)
		},
	}
	dirFlag(cmd, &f.dir, "the workspace")
	flags := cmd.Flags()
	flags.StringVar(&f.password, "password-file", "", "a file of mode 0600 with the workbook's password")
	flags.BoolVar(&f.blanksClear, "blanks-clear", false, "an empty cell empties what was there")
	flags.BoolVar(&f.dryRun, "dry-run", false, "report, and save nothing")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	f.lock.add(cmd)
	return cmd
}

func runWorkspaceImport(ctx context.Context, env Env, path string, f workspaceImportFlags) (err error) {
	password, err := passwordFile(f.password)
	if err != nil {
		return err
	}
	file, size, err := openSheet(path)
	if err != nil {
		return err
	}
	defer file.Close() // nothing is written to it
	w, err := openWorkspaceDir(ctx, env, f.dir, f.lock)
	if err != nil {
		return err
	}
	defer w.close(&err)
	from, err := w.newMerging(ctx)
	if err != nil {
		return err
	}
	in, err := workbook.Read(file, size, workbook.Config{
		Name: filepath.Base(path), Password: password, Member: from.member, Surveys: from.surveys,
		Body: func(id string) bool { return from.bodies[id] },
	})
	if err != nil {
		return err
	}
	if len(in.Ignored) > 0 {
		warn(env, "left aside, for they are not muster's: %s", someOf(in.Ignored))
	}
	blanks := workbook.BlanksKeep
	if f.blanksClear {
		blanks = workbook.BlanksClear
	}
	if err := from.expect(ctx, in); err != nil {
		return err
	}
	report := workbook.Merge(in.Rows, from.source(ctx), blanks)
	if from.failed != nil {
		return from.failed
	}
	hold(report)
	if !f.dryRun {
		if err := w.saveReport(ctx, report); err != nil {
			return err
		}
	}
	formConflict, err := w.saveForm(ctx, env, in, f)
	if err != nil {
		return err
	}
	write := report.WriteText
	if f.json {
		write = report.WriteJSON
	}
	if err := write(env.Out); err != nil {
		return err
	}
	return imported(env, report, f, formConflict)
}

// imported says what was saved, and refuses what was not.
func imported(env Env, report *workbook.Report, f workspaceImportFlags, formConflict bool) error {
	saved, held := 0, 0
	for _, c := range report.Changes {
		if len(c.Conflicts) == 0 {
			saved++
		} else {
			held++
		}
	}
	if f.dryRun {
		say(env, "this is a dry run: %s would be saved", plural(saved, "1 row", "%d rows"))
	} else {
		say(env, "%s saved", plural(saved, "1 row was", "%d rows were"))
	}
	var left []string
	if held > 0 {
		left = append(left, plural(held, "1 row is", "%d rows are")+" in conflict")
	}
	if n := report.Count(workbook.Refused); n > 0 {
		left = append(left, plural(n, "1 cell was", "%d cells were")+" refused")
	}
	if formConflict {
		left = append(left, "the form is in conflict")
	}
	if left == nil {
		return nil
	}
	return refused{errs.New(errs.Conflict, strings.Join(left, ", and "), "the report says which, with what the workspace has now; decide on the pages of the workspace, or export again and change it there")}
}

// merging is what a file is merged with: the workspace as it was when the import
// began. Saving merges again with what was saved meanwhile.
type merging struct {
	w       *openWorkspace
	member  string
	surveys []workbook.Survey
	closed  map[string]bool // by survey
	bodies  map[string]bool
	now     map[workbook.Key]workbook.Saved
	all     []workbook.Key
	was     map[workbook.Key]map[int64]assess.Entry // histories that were asked for
	failed  error                                   // the first that reading a history gave
}

func (w *openWorkspace) newMerging(ctx context.Context) (*merging, error) {
	m := &merging{
		w: w, closed: make(map[string]bool), bodies: make(map[string]bool),
		now: make(map[workbook.Key]workbook.Saved), was: make(map[workbook.Key]map[int64]assess.Entry),
	}
	member, err := w.Member(ctx)
	if err != nil {
		return nil, err
	}
	m.member = string(member)
	bodies, err := w.Bodies(ctx, w.person)
	if err != nil {
		return nil, err
	}
	for _, b := range bodies {
		m.bodies[b.ID] = true
	}
	surveys, err := w.Surveys(ctx, w.person)
	if err != nil {
		return nil, err
	}
	for _, survey := range surveys {
		pack, err := w.Pack(ctx, w.person, survey.ID)
		if err != nil {
			return nil, err
		}
		s := workbook.Survey{Cycle: survey.Cycle, Pack: pack}
		m.surveys = append(m.surveys, s)
		m.closed[s.ID()] = survey.State == workspace.StateClosed
		entries, err := w.Entries(ctx, w.person, survey.ID)
		if err != nil {
			return nil, err
		}
		for outcome, saved := range entries {
			m.now[workbook.Key{Survey: s.ID(), Outcome: outcome}] = workbook.Saved{Entry: saved.Entry, Revision: int64(saved.Rev)}
		}
		contributions, err := w.Contributions(ctx, w.person, survey.ID, "")
		if err != nil {
			return nil, err
		}
		for _, c := range contributions {
			m.now[workbook.Key{Survey: s.ID(), Outcome: c.Outcome, Body: c.Body}] = workbook.Saved{Entry: contributed(c), Revision: int64(c.Rev)}
		}
	}
	return m, nil
}

func contributed(c workspace.SavedContribution) assess.Entry {
	return c.Entry()
}

// expect lists the rows that a whole file would have: of each survey that it speaks
// of, the member's entries or what is asked of the bodies that it names.
func (m *merging) expect(ctx context.Context, in *workbook.Import) error {
	spoken := make(map[workbook.Key]bool) // without outcomes
	for _, row := range in.Rows {
		spoken[workbook.Key{Survey: row.Key.Survey, Body: row.Key.Body}] = true
	}
	for _, s := range m.surveys {
		id := s.ID()
		if spoken[workbook.Key{Survey: id}] {
			for _, o := range s.Pack.Outcomes() {
				m.all = append(m.all, workbook.Key{Survey: id, Outcome: o.ID})
			}
		}
		for _, body := range slices.Sorted(maps.Keys(m.bodies)) {
			if !spoken[workbook.Key{Survey: id, Body: body}] {
				continue
			}
			outcomes, err := m.w.sectionOf(ctx, workspace.SurveyID(id), s.Pack, body)
			if err != nil {
				return err
			}
			for _, outcome := range outcomes {
				m.all = append(m.all, workbook.Key{Survey: id, Outcome: outcome, Body: body})
			}
		}
	}
	return nil
}

func (m *merging) source(ctx context.Context) workbook.Source {
	return workbook.Source{
		At:  func(k workbook.Key, revision int64) (assess.Entry, bool) { return m.at(ctx, k, revision) },
		Now: func(k workbook.Key) workbook.Saved { return m.now[k] },
		Refused: func(k workbook.Key) string {
			if m.closed[k.Survey] {
				return "the survey is closed"
			}
			return ""
		},
		All: m.all,
	}
}

// at reads an entry as it was, from the workspace's history.
func (m *merging) at(ctx context.Context, k workbook.Key, revision int64) (assess.Entry, bool) {
	if now := m.now[k]; now.Revision == revision {
		return now.Entry, true
	}
	if _, read := m.was[k]; !read && m.failed == nil {
		m.was[k], m.failed = m.history(ctx, k)
	}
	entry, ok := m.was[k][revision]
	return entry, ok
}

func (m *merging) history(ctx context.Context, k workbook.Key) (map[int64]assess.Entry, error) {
	was := make(map[int64]assess.Entry)
	if k.Body != "" {
		all, err := m.w.ContributionHistory(ctx, m.w.person, workspace.SurveyID(k.Survey), k.Outcome, k.Body)
		for _, c := range all {
			was[int64(c.Rev)] = contributed(c)
		}
		return was, err
	}
	all, err := m.w.History(ctx, m.w.person, workspace.SurveyID(k.Survey), k.Outcome)
	for _, saved := range all {
		was[int64(saved.Rev)] = saved.Entry
	}
	return was, err
}

// hold says of the cells of a row in conflict that nothing of it is saved.
func hold(report *workbook.Report) {
	for _, c := range report.Changes {
		if len(c.Conflicts) > 0 {
			holdRow(report, c.Key)
		}
	}
}

func holdRow(report *workbook.Report, key workbook.Key) {
	for i := range report.Cells {
		if cell := &report.Cells[i]; cell.Key == key && cell.State == workbook.Taken {
			cell.State, cell.Why = workbook.Conflict, "another cell of the row is in conflict, and nothing of the row is saved"
		}
	}
}

// saveReport saves what is taken: the entries of a survey together, and each
// contribution. What somebody else changed since the merge is in conflict.
func (w *openWorkspace) saveReport(ctx context.Context, report *workbook.Report) error {
	bySurvey := make(map[string][]int) // places among the changes
	var surveys []string
	for i, c := range report.Changes {
		switch {
		case len(c.Conflicts) > 0:
		case c.Body != "":
			if err := w.saveContribution(ctx, report, i); err != nil {
				return err
			}
		default:
			if bySurvey[c.Survey] == nil {
				surveys = append(surveys, c.Survey)
			}
			bySurvey[c.Survey] = append(bySurvey[c.Survey], i)
		}
	}
	for _, id := range surveys {
		saves := make([]workspace.Save, len(bySurvey[id]))
		for j, i := range bySurvey[id] {
			c := report.Changes[i]
			saves[j] = workspace.Save{Outcome: c.Outcome, Base: workspace.Revision(c.Revision), Mine: c.Entry}
		}
		results, err := w.SaveAll(ctx, w.person, workspace.SurveyID(id), saves)
		if err != nil {
			return err
		}
		for j, i := range bySurvey[id] {
			if conflict := results[j].Conflict; conflict != nil {
				meanwhile(report, i, conflict.Fields, conflict.Theirs.Entry)
			}
		}
	}
	return nil
}

func (w *openWorkspace) saveContribution(ctx context.Context, report *workbook.Report, i int) error {
	c := report.Changes[i]
	id := workspace.SurveyID(c.Survey)
	_, err := w.Contribute(ctx, w.person, id, c.Outcome, workspace.Revision(c.Revision), assess.ContributionOf(c.Body, c.Entry))
	if errs.KindOf(err) != errs.Conflict {
		return err
	}
	all, err := w.Contributions(ctx, w.person, id, c.Outcome)
	if err != nil {
		return err
	}
	for _, now := range all {
		if now.Body == c.Body {
			meanwhile(report, i, assess.Changed(c.Entry, contributed(now)), contributed(now))
		}
	}
	return nil
}

// meanwhile marks a change that came too late as in conflict with what is there.
func meanwhile(report *workbook.Report, i int, fields []assess.Field, theirs assess.Entry) {
	change := &report.Changes[i]
	change.Conflicts = fields
	for j := range report.Cells {
		cell := &report.Cells[j]
		if cell.Key == change.Key && cell.State == workbook.Taken && slices.Contains(fields, cell.Field) {
			cell.State, cell.Why, cell.Theirs = workbook.Conflict, "somebody changed it while the file was imported", workbook.Value(cell.Field, theirs)
		}
	}
	holdRow(report, change.Key)
}
