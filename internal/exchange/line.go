package exchange

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"muster/internal/errs"
)

// line is one line of a file, without its end.
type line struct {
	number int // from 1
	offset int // of its first byte in the file, from 0
	text   string
}

// lines returns the lines of text, which begins at offset start of the file. A line
// ends in LF or CRLF; what follows the last end is a line unless it is empty.
//
// encoding/csv is not used for files of answers: it drops empty lines and carriage
// returns silently, gives columns in bytes, and after a quote that is not closed it
// takes the rest of the file for one cell. No allowed value has a line end in it, so
// here every line is a row of its own and a fault ends with its line.
func lines(text string, start int) iter.Seq[line] {
	return func(yield func(line) bool) {
		rest := text
		for number := 1; rest != ""; number++ {
			offset := start + len(text) - len(rest)
			var current string
			var ended bool
			current, rest, ended = strings.Cut(rest, "\n")
			if ended {
				current = strings.TrimSuffix(current, "\r")
			}
			if !yield(line{number, offset, current}) {
				return
			}
		}
	}
}

// cell is one cell of a row, unquoted.
type cell struct {
	text   string
	column int // where it begins, in characters from 1, its opening quote included
	line   int // where it stands if not on its row's line, or 0
}

// split takes a line of valid UTF-8 apart, by the rules of RFC 4180 for one line.
// It returns at least one cell, or a fault that lacks file and line.
func split(text string) ([]cell, *errs.Fault) {
	cells := make([]cell, 0, columns)
	for at := 0; ; {
		c := cell{column: column(text, at)}
		var next int // index of the comma, or len(text)
		if strings.HasPrefix(text[at:], `"`) {
			var end int
			c.text, end = unquote(text[at:])
			if end < 0 {
				return nil, &errs.Fault{
					Column: c.column, Message: "a quote is opened and not closed on the line", Allowed: allowedQuotes,
				}
			}
			next = at + end
			if next < len(text) && text[next] != ',' {
				return nil, &errs.Fault{
					Column: column(text, next), Message: "there is text after a closing quote", Allowed: allowedQuotes,
				}
			}
		} else {
			next = len(text)
			if comma := strings.IndexByte(text[at:], ','); comma >= 0 {
				next = at + comma
			}
			c.text = text[at:next]
			if quote := strings.IndexByte(c.text, '"'); quote >= 0 {
				return nil, &errs.Fault{
					Column: column(text, at+quote), Message: "there is a quote inside a cell that is not quoted", Allowed: allowedQuotes,
				}
			}
		}
		cells = append(cells, c)
		if next == len(text) {
			return cells, nil
		}
		at = next + 1
	}
}

const allowedQuotes = `no quotes, or both around the whole cell`

// unquote returns what a quoted cell at the beginning of text says, and the index
// behind its closing quote, or -1 if there is none.
func unquote(text string) (string, int) {
	var said strings.Builder
	for at := 1; ; {
		quote := strings.IndexByte(text[at:], '"')
		if quote < 0 {
			return "", -1
		}
		said.WriteString(text[at : at+quote])
		at += quote + 1
		if !strings.HasPrefix(text[at:], `"`) {
			return said.String(), at
		}
		said.WriteByte('"')
		at++
	}
}

// column returns the column of byte offset at of a line, in characters from 1.
func column(text string, at int) int { return utf8.RuneCountInString(text[:at]) + 1 }

// endColumn returns the column behind the last character of a line.
func endColumn(text string) int { return column(text, len(text)) }

// invalid returns the offset of the first byte that is not UTF-8, or -1.
func invalid(text string) int {
	if utf8.ValidString(text) {
		return -1
	}
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

const allowedEncoding = `UTF-8; in a spreadsheet, save as "CSV UTF-8 (comma delimited)"`

// signatures are the first bytes of files that are often taken for CSV, the
// longer before the shorter.
var signatures = []struct{ bytes, name string }{
	{"\xFF\xFE\x00\x00", "UTF-32"},
	{"\x00\x00\xFE\xFF", "UTF-32"},
	{"\xFF\xFE", "UTF-16"},
	{"\xFE\xFF", "UTF-16"},
	{"PK\x03\x04", "a workbook or another zip file"},
	{"\xD0\xCF\x11\xE0", "an old workbook"},
}

// notText returns the fault of a file that need not be taken apart: larger than
// most bytes, empty, of another encoding or format, or with the line ends of old
// computers. content says what would have been right. What is the whole file's is
// said of its first character.
func notText(data []byte, most int, content string) (errs.Fault, bool) {
	switch {
	case len(data) > most:
		return errs.Fault{
			Line: 1, Column: 1,
			Message: fmt.Sprintf("the file is larger than %d bytes; nothing behind them was read", most),
			Allowed: fmt.Sprintf("at most %d bytes", most),
		}, true
	case len(bytes.TrimPrefix(data, []byte("\uFEFF"))) == 0:
		return errs.Fault{Line: 1, Column: 1, Message: "the file is empty", Allowed: content}, true
	}
	for _, signature := range signatures {
		if bytes.HasPrefix(data, []byte(signature.bytes)) {
			return errs.Fault{Line: 1, Column: 1, Message: "the file is " + signature.name, Allowed: allowedEncoding}, true
		}
	}
	if len(data) >= 4 && (data[0] == 0) == (data[2] == 0) && (data[1] == 0) == (data[3] == 0) && (data[0] == 0) != (data[1] == 0) {
		return errs.Fault{Line: 1, Column: 1, Message: "the file is UTF-16", Allowed: allowedEncoding}, true
	}
	if at := bytes.IndexByte(data, '\r'); at >= 0 && !bytes.ContainsRune(data, '\n') {
		return errs.Fault{
			Line: 1, Column: utf8.RuneCount(data[:at]) + 1,
			Message: "the lines end in a carriage return alone",
			Allowed: "LF or CRLF; in a spreadsheet, save as \"CSV UTF-8 (comma delimited)\"",
		}, true
	}
	return errs.Fault{}, false
}
