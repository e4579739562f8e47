package intake

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
	"muster/internal/workspace"
)

// merging is what a file is merged with: the workspace as it was when the import
// began. Saving merges again with what was saved meanwhile.
type merging struct {
	cfg     Config
	member  string
	surveys []workbook.Survey
	closed  map[string]bool // by survey
	bodies  map[string]bool
	asked   map[string]map[string][]string // outcomes by survey and body
	now     map[workbook.Key]workbook.Saved
	all     []workbook.Key
	was     map[workbook.Key]map[int64]assess.Entry // histories that were asked for
	failed  error                                   // the first that reading a history gave
}

func newMerging(ctx context.Context, w Config) (*merging, error) {
	m := &merging{
		cfg: w, closed: make(map[string]bool), bodies: make(map[string]bool), asked: make(map[string]map[string][]string),
		now: make(map[workbook.Key]workbook.Saved), was: make(map[workbook.Key]map[int64]assess.Entry),
	}
	member, err := w.Service.Member(ctx)
	if err != nil {
		return nil, err
	}
	m.member = string(member)
	bodies, err := w.Service.Bodies(ctx, w.Person)
	if err != nil {
		return nil, err
	}
	for _, b := range bodies {
		m.bodies[b.ID] = true
	}
	if w.Body != "" && !m.bodies[w.Body] { // who answers for some bodies is shown no other
		return nil, errs.New(errs.NotFound, fmt.Sprintf("there is no body %s, or it is not yours to answer for", errs.Quote(w.Body)), "ask the lead of this workspace")
	}
	surveys, err := w.Service.Surveys(ctx, w.Person)
	if err != nil {
		return nil, err
	}
	for _, survey := range surveys {
		pack, err := w.Service.Pack(ctx, w.Person, survey.ID)
		if err != nil {
			return nil, err
		}
		s := workbook.Survey{Cycle: survey.Cycle, Pack: pack}
		m.surveys = append(m.surveys, s)
		m.closed[s.ID()] = survey.State == workspace.StateClosed
		if m.asked[s.ID()], err = w.Service.Asked(ctx, w.Person, survey.ID); err != nil {
			return nil, err
		}
		entries, err := m.entries(ctx, survey.ID)
		if err != nil {
			return nil, err
		}
		for outcome, saved := range entries {
			m.now[workbook.Key{Survey: s.ID(), Outcome: outcome}] = workbook.Saved{Entry: saved.Entry, Revision: int64(saved.Rev)}
		}
		contributions, err := w.Service.Contributions(ctx, w.Person, survey.ID, "")
		if err != nil {
			return nil, err
		}
		for _, c := range contributions {
			m.now[workbook.Key{Survey: s.ID(), Outcome: c.Outcome, Body: c.Body}] = workbook.Saved{Entry: c.Entry(), Revision: int64(c.Rev)}
		}
	}
	return m, nil
}

// entries returns the member's own answers, which a file of a body has no row of: a
// contributor may not see them, and takes no other file.
func (m *merging) entries(ctx context.Context, id workspace.SurveyID) (map[string]workspace.Saved, error) {
	if m.cfg.Body != "" {
		return nil, nil
	}
	return m.cfg.Service.Entries(ctx, m.cfg.Person, id)
}

// expect lists the rows that a whole file would have: of each survey that it speaks
// of, the member's entries or what is asked of the bodies that it names.
func (m *merging) expect(in *workbook.Import) {
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
			for _, outcome := range m.asks(id, body) {
				m.all = append(m.all, workbook.Key{Survey: id, Outcome: outcome, Body: body})
			}
		}
	}
}

// asks returns the outcomes of a survey that a body is asked.
func (m *merging) asks(survey, body string) []string { return m.asked[survey][body] }

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
		all, err := m.cfg.Service.ContributionHistory(ctx, m.cfg.Person, workspace.SurveyID(k.Survey), k.Outcome, k.Body)
		for _, c := range all {
			was[int64(c.Rev)] = c.Entry()
		}
		return was, err
	}
	all, err := m.cfg.Service.History(ctx, m.cfg.Person, workspace.SurveyID(k.Survey), k.Outcome)
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
