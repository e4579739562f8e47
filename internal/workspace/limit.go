package workspace

import (
	"fmt"
	"strings"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// How much of each there may be. They are far above what a member needs, and keep a
// page and a transaction small whatever somebody imports.
const (
	MaxSurveys    = 200
	MaxBodies     = 500
	MaxSections   = 500   // of a survey
	MaxComments   = 1_000 // of an outcome
	MaxReferences = 50    // of an outcome
	MaxActions    = 50    // of an outcome
	MaxDecisions  = 1_000 // of a survey
	MaxSealings   = 1_000 // of a survey
	MaxReleases   = 20    // of a survey, one in the place of the other
	MaxApprovers  = 200   // registered keys
	MaxCopies     = 100   // kept copies of evidence, of a survey
	MaxPoints     = 8     // speaking points of a brief, which has two pages
)

// The longest texts, in bytes; those of an entry are in package assess.
const (
	maxComment   = 5_000
	maxTitle     = 300
	maxScope     = 2_000
	maxText      = 20_000
	maxPlace     = assess.MaxPlace
	maxPoint     = 400
	maxSignature = 16 << 10
	maxStatement = 64 << 10
	maxReceipt   = 64 << 10
	maxID        = 64
)

// text refuses, with kind Invalid, a text that is too long or cannot be printed; the
// error names it and does not quote it.
func text(name, value string, most int) error {
	switch {
	case len(value) > most:
		return errs.New(errs.Invalid, fmt.Sprintf("%s is longer than %d bytes", name, most), "put what is longer into a document and give its place as evidence")
	case value != "" && !framework.Readable(value):
		return errs.New(errs.Invalid, name+" holds characters that cannot be printed", "type it again; do not paste it from a document")
	}
	return nil
}

// line is text of one line that may not be empty.
func line(name, value string, most int) error {
	switch {
	case strings.TrimSpace(value) == "":
		return errs.New(errs.Invalid, name+" is empty", "")
	case !framework.ReadableLine(value) && framework.Readable(value):
		return errs.New(errs.Invalid, name+" has more than one line", "")
	}
	return text(name, value, most)
}

// identifier refuses what is no id of a body, a section or a step.
func identifier(name, id string) error {
	ok := id != "" && len(id) <= maxID && id[0] != '-' && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
	if !ok {
		return errs.New(errs.Invalid, name+" is no id", fmt.Sprintf("letters, digits and hyphens, %d at most", maxID))
	}
	return nil
}

// day refuses what is neither empty nor a day.
func day(name, value string) error {
	if value == "" {
		return nil
	}
	if d, err := time.Parse(time.DateOnly, value); err != nil || d.Year() < 2000 || d.Year() > 2199 {
		return errs.New(errs.Invalid, name+" is no day", "write the year, the month and the day, such as 2027-06-30")
	}
	return nil
}

// digest refuses what is no SHA-256 in hex.
func digest(name, value string) error {
	if len(value) != 64 || strings.Trim(value, "0123456789abcdef") != "" {
		return errs.New(errs.Invalid, name+" is no SHA-256 in lower-case hex", "")
	}
	return nil
}

// numbered returns the id of the next of several that are numbered.
func numbered(n int) string { return fmt.Sprintf("%06d", n+1) }

// full refuses one more where there are enough.
func full(what string, n, most int) error {
	if n < most {
		return nil
	}
	return errs.New(errs.Invalid, fmt.Sprintf("there are %d %s already, and no more are kept", n, what), "")
}
