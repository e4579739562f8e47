package workbook

import (
	"slices"

	"muster/internal/errs"
)

// Bound says for whom a file may speak. A file of a body, which says so on its hidden
// sheet or of which whoever reads it says so, holds rows of that body alone: what goes
// from hand to hand may have been changed anywhere, its hidden ids too.
type Bound struct {
	// Only is the body whose file it has to be. Empty: the one that the file names, and
	// else the member's own. What a file says of itself may have been changed as well:
	// whoever knows whose it is says so.
	Only string

	// Asked, if not nil, returns the outcomes of a survey that a body is asked for.
	// Rows of a body's file are of these.
	Asked func(survey, body string) []string

	// Several takes rows of bodies from a file that is of none.
	Several bool
}

// body reads whose file it is.
func (rd *reader) body(g *grid, row gridRow, value gridCell) {
	known := bodyID(value.text) && (rd.config.Body == nil || rd.config.Body(value.text))
	switch now := rd.result.Body; {
	case value.kind == empty:
	case !known:
		rd.add(g.fault(row, value, "body", errs.Quote(value.text)+" is not a body of the member", "a body that the workspace lists"))
	case now != "" && now != value.text:
		rd.add(g.fault(row, value, "body", "the file is that of "+errs.Quote(value.text), "the file of "+errs.Quote(now)))
	default:
		rd.result.Body = value.text
	}
}

// outside says why a row is not one of those for which the file may speak, and what is
// allowed; or nothing.
func (rd *reader) outside(s *Survey, k Key) (fault, allowed string) {
	body := rd.result.Body
	switch {
	case body == "" && k.Body == "", body == "" && rd.config.Several:
		return "", ""
	case body == "":
		return "the row is of the body " + errs.Quote(k.Body) + ", and the file is of none",
			"rows of the member; or the file of one body, when whose it is is said; or rows of several bodies, when that is said"
	case k.Body == "":
		return "the row is of the member as a whole, and the file is that of " + errs.Quote(body), "rows of " + errs.Quote(body)
	case k.Body != body:
		return "the row is of the body " + errs.Quote(k.Body) + ", and the file is that of " + errs.Quote(body), "rows of " + errs.Quote(body)
	case rd.config.Asked == nil || slices.Contains(rd.config.Asked(s.ID(), body), k.Outcome):
		return "", ""
	}
	return "outcome " + k.Outcome + " is in no section of the body " + errs.Quote(body), "outcomes of the sections that list it"
}
