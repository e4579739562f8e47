package workbook

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText writes the report for people: how many cells became what, and then
// each that was taken, kept, refused or is in conflict, with its place. It holds
// answers.
func (r *Report) WriteText(w io.Writer) error {
	buf := bufio.NewWriter(w) // keeps the first error for Flush
	for _, s := range States() {
		fmt.Fprintf(buf, "%-9s %d\n", s, r.Count(s))
	}
	if len(r.Absent) > 0 {
		fmt.Fprintf(buf, "%-9s %d without a row in the file\n", "absent", len(r.Absent))
	}
	for _, s := range []State{Conflict, Refused, Taken, Kept} {
		for _, c := range r.Cells {
			if c.State == s {
				c.writeText(buf)
			}
		}
		for _, c := range r.Form {
			if c.State == s {
				c.writeText(buf)
			}
		}
	}
	return buf.Flush()
}

func (c Cell) writeText(w io.Writer) {
	fmt.Fprintf(w, "\n%s %s %s (%s)\n", c.State, c.Key, c.Field, shown(c.Place))
	writeValues(w, c.State, c.Why, c.Base, c.Mine, c.Theirs)
}

func (c FormCell) writeText(w io.Writer) {
	of := ""
	if c.Body != "" {
		of = " of " + c.Body
	}
	fmt.Fprintf(w, "\n%s form%s, %s, %s (%s)\n", c.State, of, shown(c.Row), c.Field, shown(c.Place))
	writeValues(w, c.State, c.Why, c.Base, c.Mine, c.Theirs)
}

func writeValues(w io.Writer, state State, why, base, mine, theirs string) {
	if why != "" {
		fmt.Fprintf(w, "  why     %s\n", why)
	}
	lines := []struct{ name, value string }{{"base", base}, {"mine", mine}, {"theirs", theirs}}
	if state == Taken || state == Kept {
		lines = []struct{ name, value string }{{"from", theirs}, {"to", mine}}
	}
	if state == Kept {
		lines = lines[:1]
	}
	for _, l := range lines {
		fmt.Fprintf(w, "  %-7s %s\n", l.name, shown(l.value))
	}
}

// shown returns a text on one line of a terminal, shortened.
func shown(s string) string {
	if s == "" {
		return "-"
	}
	const most = 120
	s = strings.ReplaceAll(s, "\n", " ⏎ ")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return s
}

// reportFile is the report as JSON. Version 1: counts by state, and every cell.
type reportFile struct {
	Format string        `json:"format"`
	Counts map[State]int `json:"counts"`
	Cells  []Cell        `json:"cells"`
	Form   []FormCell    `json:"form,omitempty"`
	Absent []Key         `json:"absent"`
}

// WriteJSON writes the report for programs: every cell, in the order of the packs.
// It holds answers.
func (r *Report) WriteJSON(w io.Writer) error {
	file := reportFile{Format: "muster-merge/1", Counts: make(map[State]int), Cells: r.Cells, Form: r.Form, Absent: r.Absent}
	for _, s := range States() {
		file.Counts[s] = r.Count(s)
	}
	if file.Cells == nil {
		file.Cells = []Cell{}
	}
	if file.Absent == nil {
		file.Absent = []Key{}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(file); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
