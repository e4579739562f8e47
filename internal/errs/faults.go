package errs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxFaults is how many faults of one file are kept: a file with more is not
// the file that was meant.
const MaxFaults = 100

// Fault is one thing wrong in a file that a person wrote.
type Fault struct {
	File    string // as the person named it
	Line    int    // from 1; 0 if the fault is the whole file's
	Column  int    // from 1, in characters; 0 if the fault is the whole line's
	Cell    string // of a workbook, such as "Answers!F17"; Line and Column are then its row's and column's numbers
	Field   string // the column's name or the path of keys, or empty
	Message string // the fact, with the offending text quoted and shortened
	Allowed string // what would have been right, or empty
}

// String returns the fault as "file:line:column: field: message; allowed: …",
// the form that editors jump to, and one in a workbook as "file: Answers!F17: …".
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Cell != "" {
		b.WriteString(": " + f.Cell)
	} else if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
		if f.Column > 0 {
			fmt.Fprintf(&b, ":%d", f.Column)
		}
	}
	b.WriteString(": ")
	if f.Field != "" {
		b.WriteString(f.Field + ": ")
	}
	b.WriteString(f.Message)
	if f.Allowed != "" {
		b.WriteString("; allowed: " + f.Allowed)
	}
	return b.String()
}

// Faults is every fault found. As an error it reads as its first fault and how
// many follow; whoever shows it prints them all.
type Faults []Fault

func (f Faults) Error() string {
	switch len(f) {
	case 0:
		return "no faults"
	case 1:
		return f[0].String()
	}
	return fmt.Sprintf("%s (and %d more)", f[0], len(f)-1)
}

// Err returns f as an error, sorted by file and place, or nil if there is no fault.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return f
}

// Quote returns s in double quotes, shortened and with control characters
// escaped, so that hostile text cannot fill or repaint a terminal.
func Quote(s string) string {
	const limit = 40
	n := 0
	for i := range s {
		if n == limit {
			return fmt.Sprintf("%q…", s[:i])
		}
		n++
	}
	return fmt.Sprintf("%q", s)
}
