package workbook

import (
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
)

// State is what became of a cell.
type State string

// The states.
const (
	Taken    State = "taken"    // the file's value becomes the entry's
	Same     State = "same"     // the entry has it already, or the file did not change it
	Kept     State = "kept"     // the cell is empty where there was something: nothing is deleted
	Conflict State = "conflict" // changed in the file and, otherwise, meanwhile
	Refused  State = "refused"  // cannot be merged; Why says why
)

// States returns all of them, in the order in which they are counted.
func States() []State { return []State{Taken, Same, Kept, Conflict, Refused} }

// Cell is what became of one cell of a file.
type Cell struct {
	Key
	Field  assess.Field `json:"field"`
	Place  string       `json:"place"` // such as "muster-core 2027!F17"
	State  State        `json:"state"`
	Base   string       `json:"base"`   // when the file was given out
	Mine   string       `json:"mine"`   // in the file
	Theirs string       `json:"theirs"` // now
	Why    string       `json:"why,omitempty"`
}

// Change is what has to be saved about one entry. Nothing is to be saved of one
// with conflicts before somebody has decided them; [assess.Take] applies a decision.
type Change struct {
	Key
	Revision  int64 // that Entry was merged with: saving on any other needs a new merge
	Base      assess.Entry
	Mine      assess.Entry // the file's, with base's value where the file says nothing
	Entry     assess.Entry // merged; where there is a conflict, what is there now
	Conflicts []assess.Field
}

// Report says what becomes of a file.
type Report struct {
	Cells   []Cell
	Changes []Change   // entries of which something is taken or in conflict
	Form    []FormCell // of the form "what do you depend on"; see [Report.MergeForm]
	Absent  []Key      // what was there and has no row in the file: nothing becomes of it
}

// Blanks says what an empty cell means where there was something.
type Blanks uint8

// An empty cell says nothing unless somebody says otherwise: in a workbook that
// went from hand to hand, most are accidents.
const (
	BlanksKeep  Blanks = iota // nothing becomes of it
	BlanksClear               // the field is emptied
)

// Source is what the entries of a member are, and were. Its methods are called
// while [Merge] runs and must not change what they return.
type Source struct {
	// At returns an entry as it was at a revision, or false if it never had that
	// one. Revision 0 is not asked for: it is the zero entry.
	At func(k Key, revision int64) (assess.Entry, bool)
	// Now returns an entry and its revision; the zero of both for one that nobody
	// has touched.
	Now func(k Key) Saved
	// Refused says why an entry cannot be changed, or returns "". It may be nil.
	Refused func(k Key) string
	// All lists the entries of which a row is expected. It may be nil.
	All []Key
}

// Merge compares the rows of a file with what they were made from and what is there
// now, and says of every cell what becomes of it. It changes nothing: whoever
// applies the report saves its changes. A row that names no revision was made from
// nothing, so that it never overwrites what it did not know.
func Merge(rows []Row, src Source, blanks Blanks) *Report {
	r := &Report{}
	seen := make(map[Key]bool)
	for _, row := range rows {
		seen[row.Key] = true
		r.row(row, src, blanks)
	}
	for _, k := range src.All {
		if !seen[k] {
			r.Absent = append(r.Absent, k)
		}
	}
	return r
}

func (r *Report) row(row Row, src Source, blanks Blanks) {
	now := src.Now(row.Key)
	var base assess.Entry
	why := ""
	if src.Refused != nil {
		why = src.Refused(row.Key)
	}
	if row.Base != 0 && why == "" {
		var ok bool
		if base, ok = src.At(row.Key, row.Base); !ok {
			why = "the workspace has no such revision of it; the file is of another workspace, or the row was pasted over"
		}
	}
	mine, kept := typed(row, base, blanks)
	merged, conflicts := assess.Merge(base, mine, now.Entry)
	if err := merged.Check(); err != nil && why == "" {
		why = errs.Describe(err).Message
	}
	changed := false
	for _, f := range assess.Fields() {
		if f == assess.FieldPlace && row.Key.Body == "" {
			continue // the member's own has none
		}
		if slices.Contains(row.Absent, f) {
			continue
		}
		c := Cell{
			Key: row.Key, Field: f, Place: row.Cells[f], State: Same,
			Base: Value(f, base), Mine: Value(f, mine), Theirs: Value(f, now.Entry),
		}
		switch {
		case why != "":
			c.State, c.Why = Refused, why
			c.Base, c.Mine = "", Value(f, row.Entry)
		case slices.Contains(conflicts, f):
			c.State, changed = Conflict, true
		case slices.Contains(kept, f) && c.Theirs != Value(f, assess.Entry{}):
			c.State = Kept
			c.Mine = ""
		case slices.Contains(assess.Changed(now.Entry, merged), f):
			c.State, changed = Taken, true
		}
		r.Cells = append(r.Cells, c)
	}
	if changed {
		r.Changes = append(r.Changes, Change{
			Key: row.Key, Revision: now.Revision, Base: base, Mine: mine, Entry: merged, Conflicts: conflicts,
		})
	}
}

// typed returns the entry that a row means: base, with what the row says. kept are
// the fields that are empty in the file alone, and stay. To type another level than
// was carried over is to give it.
func typed(row Row, base assess.Entry, blanks Blanks) (mine assess.Entry, kept []assess.Field) {
	mine = base
	said := row.Entry
	if !row.Carried {
		said.Carried = base.Carried
	}
	for _, f := range assess.Fields() {
		switch {
		case slices.Contains(row.Absent, f):
		case blanks == BlanksKeep && slices.Contains(row.Blank, f):
			if Value(f, base) != Value(f, assess.Entry{}) {
				kept = append(kept, f)
			}
		default:
			mine = assess.Take(mine, said, f)
		}
	}
	if mine.Level != base.Level {
		mine.Carried = false
	}
	return mine, kept
}

// Value returns a field of an entry in words that do not depend on a language: what
// stands in CSV, without its apostrophe. A level that was carried over and that
// nobody confirmed is followed by "carried".
func Value(f assess.Field, e assess.Entry) string {
	said := typedCell(column{field: f}, e, func(_, code string) cell { return textCell(code) }).text
	if f == assess.FieldLevel && e.Carried {
		said += " carried"
	}
	return said
}

// Count returns how many cells have a state.
func (r *Report) Count(s State) int {
	n := 0
	for _, c := range r.Cells {
		if c.State == s {
			n++
		}
	}
	for _, c := range r.Form {
		if c.State == s {
			n++
		}
	}
	return n
}
