// Package workbook carries what a member keeps about its outcomes through
// spreadsheets and back: as XLSX, which Excel and LibreOffice open, and as CSV.
//
// [Write] makes a workbook of a [Book]: a sheet a survey with one row an outcome,
// its question, its five descriptors and the house rule in sight, drop-downs where
// something is chosen, and everything locked but what is to be typed. With
// [Book.Body] it is one body's: its contributions to its section and nothing else.
// With [Book.Needs] it has the form "what do you depend on". [WriteCSV] writes one
// survey with the same columns.
//
// [Read] takes either of them back, whatever a spreadsheet made of it meanwhile:
// rows sorted or deleted, columns moved, hidden or removed, headers in another
// language. Each row carries its identity (survey, outcome, body) and the revision
// that it was made from, so neither place nor order means anything. What cannot be
// read without a guess is a fault with its cell, such as F17, and what is allowed;
// all faults are collected. [Merge] then says of every cell what becomes of it.
//
// The package promises that what was written is read again exactly: every text that
// an [assess.Entry] may hold, also one that looks like a formula or like an escape.
// No text becomes a formula, and no formula is read. A file may be hostile: no more
// of it is unpacked than [MaxUnpacked] bytes, in memory alone, and nothing in it is
// run, followed or evaluated. docs/spec/workbook.md has the format.
package workbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
)

// Format is the version of the format that is written.
const Format = "muster-workbook/1"

// Limits of what is read.
const (
	MaxSize     = 16 << 20 // bytes of a file
	MaxUnpacked = 64 << 20 // bytes of everything in a workbook together
	MaxText     = 32_767   // UTF-16 units in a cell, as spreadsheets count
	MaxNeeds    = assess.MaxNeeds

	maxCells   = 200_000 // that hold something, in a file
	maxRows    = 20_000  // that hold something, in a file
	maxColumns = 16_384  // the last is XFD
	lastRow    = 1_048_576

	maxRevision = 1 << 53 // beyond it spreadsheets lose digits
)

// Book is what one file holds.
type Book struct {
	Member    string
	Marking   string   // that every sheet has to show: "SYNTHETIC" of an invented member; else empty
	Languages []string // one or two of the packs'; none: each pack's first
	Surveys   []Survey // a sheet each

	// Body makes of the book one body's: rows are its contributions, of which
	// level, reason, evidence and note are asked for, and beside them stands what it
	// gave last year.
	Body *assess.Body

	// Needs is the form "what do you depend on": nil for none, else what it has
	// already, filled up to ten rows. NeedsRevision is the revision that this has, 0 if
	// nobody has said anything.
	Needs         []Need
	NeedsRevision int64

	// Password, if not empty, is needed to open the workbook. It is not kept by
	// anybody: who loses it has lost the workbook.
	Password string
}

// Survey is one pack in one cycle, and what the member has of it.
type Survey struct {
	Cycle    string
	Pack     *framework.Pack
	Outcomes []string         // ids, a section; none: all of the pack
	Saved    map[string]Saved // by outcome; what is not there nobody has touched

	// Last is what the body gave in the cycle before, by outcome, in a body's book.
	Last map[string]framework.Level
}

// ID returns the survey's id, such as "2027/muster-core".
func (s Survey) ID() string { return s.Cycle + "/" + s.Pack.ID }

// Rows returns how many outcomes the survey's sheet has.
func (s Survey) Rows() int { return len(s.outcomes()) }

// outcomes returns the survey's outcomes in the pack's order.
func (s Survey) outcomes() []*framework.Outcome {
	all := s.Pack.Outcomes()
	if len(s.Outcomes) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(o *framework.Outcome) bool { return !slices.Contains(s.Outcomes, o.ID) })
}

// Saved is an entry and the revision that it has. Of a contribution the entry has
// what [assess.Contribution.Entry] gives it.
type Saved struct {
	Entry    assess.Entry
	Revision int64 // from 1; 0 for the zero entry, which nobody has touched
}

// Need is a row of the form: something that a body depends on.
type Need = assess.Need

// Key names an entry, or one body's contribution to it.
type Key struct {
	Survey  string `json:"survey"`
	Outcome string `json:"outcome"`
	Body    string `json:"body,omitempty"` // empty for the member's own entry
}

// String returns the key as it stands in a row: "2027/muster-core/A1.1" or
// "2027/muster-core/A1.1@body".
func (k Key) String() string {
	id := k.Survey + "/" + k.Outcome
	if k.Body != "" {
		id += "@" + k.Body
	}
	return id
}

// parseKey takes a key apart. It does not say whether there is such an outcome.
func parseKey(text string) (Key, bool) {
	slash := strings.LastIndexByte(text, '/')
	if slash <= 0 {
		return Key{}, false
	}
	outcome, body, contributed := strings.Cut(text[slash+1:], "@")
	if outcome == "" || contributed && body == "" {
		return Key{}, false
	}
	return Key{Survey: text[:slash], Outcome: outcome, Body: body}, true
}

// Row is what one row of a file says.
type Row struct {
	Key  Key
	Base int64 // the revision that the row was made from; 0 if it does not say

	// Entry has what was typed, each field as it stands in its cell.
	Entry assess.Entry

	Blank  []assess.Field // whose cell is empty; the entry has the field's zero value
	Absent []assess.Field // for which the file has no column

	// Carried says that the file says whether the level was carried over: where it
	// does not, that stays as it was.
	Carried bool

	// Cells says where each field stands, such as "muster-core 2027!F17", or
	// "17:5", line and column, in CSV.
	Cells map[assess.Field]string
	Place string // of the row's identity
}

// Given reports whether the row says something of a field.
func (r Row) Given(f assess.Field) bool {
	return !slices.Contains(r.Blank, f) && !slices.Contains(r.Absent, f)
}

// Import is what a file says.
type Import struct {
	Member string    // that the workbook names; empty in CSV, and where the hidden sheet is lost
	Body   string    // id of the body whose workbook it is, or empty
	Rows   []Row     // by survey and outcome, in the packs' order
	Needs  []Need    // nil if there is no form
	Form   []FormRow // its rows, as Needs has them, with their places

	// NeedsRevision is the revision that the form was made from; 0 if the file does not
	// say, as CSV does not.
	NeedsRevision int64

	// Ignored names what was left aside: sheets and columns that are not ours and
	// hold something.
	Ignored []string
}

// check refuses what cannot be written so that it is read again.
func (b Book) check() error {
	if fault := coalition.NameFault(b.Member); fault != "" {
		return errs.New(errs.Invalid, "the member's name "+fault, "")
	}
	if len(b.Surveys) == 0 && b.Needs == nil {
		return errs.New(errs.Invalid, "a workbook needs a survey or the form", "")
	}
	if b.Marking != "" && !framework.ReadableLine(b.Marking) {
		return errs.New(errs.Invalid, "the marking cannot be printed", "")
	}
	if len(b.Languages) > 2 {
		return errs.New(errs.Invalid, "a workbook has at most two languages", "")
	}
	if b.Body != nil && !bodyID(b.Body.ID) {
		return errs.New(errs.Invalid, errs.Quote(b.Body.ID)+" is no body's id", "letters, digits and hyphens, at most 64")
	}
	seen := make(map[string]bool)
	for _, s := range b.Surveys {
		if err := b.checkSurvey(s); err != nil {
			return err
		}
		if seen[s.ID()] {
			return errs.New(errs.Invalid, "survey "+errs.Quote(s.ID())+" is there twice", "")
		}
		seen[s.ID()] = true
	}
	return checkNeeds(b.Needs)
}

func (b Book) checkSurvey(s Survey) error {
	if !framework.ReadableLine(s.Cycle) {
		return errs.New(errs.Invalid, "a survey has no cycle", "")
	}
	for _, lang := range b.languages(s) {
		if !slices.Contains(s.Pack.Languages, lang) {
			return errs.New(errs.Invalid, "pack "+s.Pack.ID+" has no text in "+errs.Quote(lang), "allowed: "+strings.Join(s.Pack.Languages, ", "))
		}
	}
	for _, id := range s.Outcomes {
		if _, ok := s.Pack.Outcome(id); !ok {
			return errs.New(errs.Invalid, fmt.Sprintf("pack %s has no outcome %s", s.Pack.ID, errs.Quote(id)), "")
		}
	}
	for _, o := range s.outcomes() {
		saved := s.Saved[o.ID]
		if err := saved.Entry.Check(); err != nil {
			return errs.Wrap(err, errs.Invalid, "outcome "+o.ID+" cannot be written: "+errs.Describe(err).Message, errs.Describe(err).Hint)
		}
		if level := s.Last[o.ID]; level != framework.None && !slices.Contains(assess.Levels(), level) {
			return errs.New(errs.Invalid, "outcome "+o.ID+" had an impossible level", "")
		}
		if saved.Revision < 0 || saved.Revision > maxRevision {
			return errs.New(errs.Invalid, "outcome "+o.ID+" has an impossible revision", "")
		}
		if b.Body != nil && saved.Entry != assess.ContributionOf("", saved.Entry).Entry() {
			return errs.New(errs.Invalid, "a contribution to outcome "+o.ID+" has more than a body gives", "")
		}
	}
	for id := range s.Saved {
		if !slices.ContainsFunc(s.outcomes(), func(o *framework.Outcome) bool { return o.ID == id }) {
			return errs.New(errs.Invalid, fmt.Sprintf("survey %s has an entry for %s, which is not asked", errs.Quote(s.ID()), errs.Quote(id)), "")
		}
	}
	return nil
}

// languages returns the languages in which a survey is shown.
func (b Book) languages(s Survey) []string {
	if len(b.Languages) == 0 {
		return s.Pack.Languages[:1]
	}
	return b.Languages
}

// language returns the language of headers and drop-downs.
func (b Book) language() string {
	switch {
	case len(b.Languages) > 0:
		return b.Languages[0]
	case len(b.Surveys) > 0:
		return b.Surveys[0].Pack.Languages[0]
	}
	return "en"
}

// bodyID reports whether an id is one that a body may have.
func bodyID(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-'
	})
}

// sortRows puts rows into the order of the surveys and their packs, whatever order
// they had in the file.
func sortRows(rows []Row, surveys []Survey) {
	place := make(map[string]int)
	for _, s := range surveys {
		for _, o := range s.Pack.Outcomes() {
			place[s.ID()+"/"+o.ID] = len(place)
		}
	}
	at := func(r Row) int { return place[r.Key.Survey+"/"+r.Key.Outcome] }
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a.Key.Body, b.Key.Body))
	})
}
