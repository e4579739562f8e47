package intake

import (
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
	"muster/internal/workspace"
)

// Choice decides a cell in conflict. It counts as long as the entry has the revision
// that whoever decides has seen, and where every cell in conflict of its row is decided.
type Choice struct {
	Key      workbook.Key
	Field    assess.Field
	Revision int64
	Mine     bool // what the file has counts; else what is there stays
}

// decide applies choices to the report.
func (m *merging) decide(report *workbook.Report, choices []Choice) {
	for i := range report.Changes {
		if c := &report.Changes[i]; len(c.Conflicts) > 0 {
			decideRow(report, c, choices)
		}
	}
	// Where what is decided is what is there, nothing is to be saved.
	report.Changes = slices.DeleteFunc(report.Changes, func(c workbook.Change) bool {
		return len(c.Conflicts) == 0 && c.Entry == m.now[c.Key].Entry
	})
}

func decideRow(report *workbook.Report, c *workbook.Change, choices []Choice) {
	var mine []assess.Field
	for _, f := range c.Conflicts {
		i := slices.IndexFunc(choices, func(d Choice) bool { return d.Key == c.Key && d.Field == f && d.Revision == c.Revision })
		if i < 0 {
			return
		}
		if choices[i].Mine {
			mine = append(mine, f)
		}
	}
	decided, why := assess.Take(c.Entry, c.Mine, mine...), ""
	if err := decided.Check(); err != nil {
		why = errs.Describe(err).Message
	}
	for i := range report.Cells {
		cell := &report.Cells[i]
		switch {
		case cell.Key != c.Key || cell.State != workbook.Conflict:
		case why != "":
			cell.Why = why
		case slices.Contains(mine, cell.Field):
			cell.State = workbook.Taken
		default:
			cell.State = workbook.Kept
		}
	}
	if why == "" {
		c.Entry, c.Conflicts = decided, nil
	}
}

// back returns what is kept of the workbooks that a file is: one for each survey that it
// speaks of, for the body whose file it is.
func (m *merging) back(in *workbook.Import, result *Result) []workspace.BatchBack {
	var all []workspace.BatchBack
	of := make(map[string]int)
	for _, row := range in.Rows {
		if row.Key.Body != in.Body { // a file of several
			return nil
		}
		i, ok := of[row.Key.Survey]
		if !ok {
			i = len(all)
			of[row.Key.Survey] = i
			all = append(all, workspace.BatchBack{Survey: workspace.SurveyID(row.Key.Survey), Body: in.Body})
		}
		all[i].Asked++
	}
	for _, c := range result.Report.Changes {
		if i := of[c.Survey]; len(c.Conflicts) > 0 {
			all[i].Held++
		} else {
			all[i].Saved++
		}
	}
	for _, c := range result.Report.Cells {
		if c.State == workbook.Refused {
			all[of[c.Survey]].Refused++
		}
	}
	return all
}
