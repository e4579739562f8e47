package framework

import (
	"fmt"
	"slices"

	"muster/internal/errs"
)

// The limits of what a file may cost to parse, beside [MaxSize].
const (
	MaxDepth   = 64        // collections inside each other
	MaxTokens  = 500_000   // scalars, opening brackets, and the marks - : , * that part them
	MaxScalar  = 64 << 10  // bytes of one scalar as written, line breaks and indentation included
	MaxPadding = 8_388_608 // bytes of comments, blank lines, indentation and other space between tokens
)

// scanner reads a file's tokens as the YAML parser will, keeping none. It exists
// because the parser builds the whole tree before anyone can object: 4 MB of
// "[a,a,…" cost it a second and half a gigabyte. Here they cost milliseconds.
// It also finds the mistakes that people make in YAML, for which the parser knows
// a line at best, and says what to do.
//
// The rules of where a token begins and ends are those of go.yaml.in/yaml/v3's
// scanner, which the file goes to next; FuzzRead holds the two against each other.
type scanner struct {
	c    *checker
	data []byte
	pos  int

	line, start int // number of the current line, from 1, and where it begins

	tokens, padding int

	indents []int         // column of every open block collection, -1 first
	opened  []flowOpening // every open bracket
	value   bool          // a value is awaited: after ":" or "-", and at the start
	fresh   bool          // a key may begin here
	filled  bool          // a scalar or a closing bracket came last, on this line or between brackets
	anchors []string      // names of the anchors so far, at most errs.MaxFaults
	begun   int           // where an anchor or tag put the beginning of the next node; -1 without
	stopped bool          // no sense in going on
	broken  bool          // the parser would stumble, or not read what this scanner read
}

type flowOpening struct {
	bracket byte
	at      int
	line    int
	colon   bool // a ":" since the last ","
}

// scan reports what the parser need not see. It returns whether the parser may
// have the file: it will not be costly, and it will be understood as here.
func (c *checker) scan(data []byte) bool {
	return newScanner(c, data).run()
}

func newScanner(c *checker, data []byte) *scanner {
	return &scanner{c: c, data: data, line: 1, indents: []int{-1}, value: true, fresh: true, begun: -1}
}

func (s *scanner) run() bool {
	for !s.stopped && s.next() {
		if s.tokens > MaxTokens {
			s.limit(s.pos, fmt.Sprintf("more than %d keys, values and marks", MaxTokens), "a smaller pack")
		}
	}
	if n := len(s.opened); n > 0 && !s.stopped {
		o := s.opened[n-1]
		s.stop(o.at, fmt.Sprintf("this %q is never closed", o.bracket), fmt.Sprintf("%q after the last of its elements", closing(o.bracket)))
	}
	return !s.broken
}

// next reads one token. It returns false at the end of the file.
func (s *scanner) next() bool {
	s.space()
	if s.stopped {
		return false
	}
	column := s.pos - s.start
	if len(s.opened) == 0 {
		for s.indents[len(s.indents)-1] > column {
			s.indents = s.indents[:len(s.indents)-1]
		}
	}
	if s.pos >= len(s.data) {
		return false
	}
	if column == 0 && s.document() {
		return true
	}
	switch b := s.data[s.pos]; {
	case b == '[' || b == '{':
		s.open(b)
	case b == ']' || b == '}':
		s.close(b)
	case b == ',' && len(s.opened) > 0:
		s.mark()
		s.opened[len(s.opened)-1].colon = false
	case b == '-' && s.blank(s.pos+1):
		s.entry(column)
	case b == '?' && (len(s.opened) > 0 || s.blank(s.pos+1)):
		s.stop(s.pos, "a question mark that begins an element", "a key and a colon; or the text in quotes")
	case b == ':' && (len(s.opened) > 0 || s.blank(s.pos+1)):
		s.colon()
	case b == '*' || b == '&' || b == '!':
		s.property(b)
	case (b == '|' || b == '>') && len(s.opened) == 0:
		s.begin()
		s.block()
	case b == '\'' || b == '"':
		s.begin()
		s.quoted(b)
	case b == '@' || b == '`' || b == '%' || b == ',' || b == '|' || b == '>':
		s.stop(s.pos, fmt.Sprintf("text that begins with %q", b), "the text in quotes")
	default:
		s.begin()
		s.plain()
	}
	return true
}

// fault reports what the parser understands and packs do not have.
func (s *scanner) fault(at int, message, allowed string) {
	if s.stopped {
		return
	}
	line, column := place(s.data, at)
	s.c.faultAt(line, column, "", message, allowed)
	if s.c.full() {
		s.stopped, s.broken = true, true
	}
}

// mistake reports what the parser would stumble over.
func (s *scanner) mistake(at int, message, allowed string) {
	s.fault(at, message, allowed)
	s.broken = true
}

// stop reports a mistake after which everything would look like one.
func (s *scanner) stop(at int, message, allowed string) {
	s.mistake(at, message, allowed)
	s.stopped = true
}

// limit reports that the file is over a limit, and forgets all else: it is not
// the file that was meant.
func (s *scanner) limit(at int, message, allowed string) {
	if !s.stopped {
		s.c.faults = nil
		s.stop(at, message, allowed)
	}
}

// space skips blanks, line breaks and comments.
func (s *scanner) space() {
	from := s.pos
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\r':
			s.pos++
			continue
		case '\n':
			s.newline()
			if len(s.opened) == 0 {
				s.fresh, s.filled = true, false
			}
			continue
		case '#':
			for s.pos < len(s.data) && s.data[s.pos] != '\n' {
				s.pos++
			}
			continue
		}
		break
	}
	if s.padding += s.pos - from; s.padding > MaxPadding {
		s.limit(from, fmt.Sprintf("more than %d MiB of comments and white space", MaxPadding>>20), "a smaller file")
	}
}

func (s *scanner) newline() {
	s.pos++
	s.line++
	s.start = s.pos
}

// blank reports whether a blank, a line break or the end is at i.
func (s *scanner) blank(i int) bool {
	return i >= len(s.data) || s.data[i] == ' ' || s.data[i] == '\n' || s.data[i] == '\r'
}

// document handles what may only stand at the beginning of a line: directives
// and the marks between documents. It reports whether there was one.
func (s *scanner) document() bool {
	switch {
	case s.data[s.pos] == '%':
		s.stop(s.pos, "a YAML directive", "a file without one")
	case !s.documentMark():
		return false
	case s.data[s.pos] == '.':
		s.fault(s.pos, "a mark of a document's end", "one document, without the mark")
		s.stopped = true
	case s.tokens > 0 || s.begun >= 0 || len(s.opened) > 0:
		s.fault(s.pos, "a second document begins", "one document")
		s.stopped = true
	}
	s.pos = min(s.pos+3, len(s.data))
	s.fresh = false // a key may not stand on the line of ---
	return true
}

// documentMark reports whether "---" or "..." stands at the current place.
func (s *scanner) documentMark() bool {
	if s.pos != s.start || s.pos+3 > len(s.data) || !s.blank(s.pos+3) {
		return false
	}
	word := string(s.data[s.pos : s.pos+3])
	return word == "---" || word == "..."
}

// mark consumes a one-byte mark after which a key may begin.
func (s *scanner) mark() {
	s.tokens++
	s.pos++
	s.fresh, s.filled = true, false
}

// begin checks that a value or key may begin here.
func (s *scanner) begin() {
	if s.filled {
		s.stop(s.pos, "text after a closing quote or bracket", "a comma or a new line before it; or all of it in one pair of quotes")
	}
}

func (s *scanner) open(bracket byte) {
	s.begin()
	s.opened = append(s.opened, flowOpening{bracket: bracket, at: s.pos, line: s.line})
	s.mark()
	s.deep()
}

func (s *scanner) deep() {
	if len(s.opened)+len(s.indents)-1 > MaxDepth {
		s.limit(s.pos-1, fmt.Sprintf("more than %d levels of nesting", MaxDepth), "a pack needs seven")
	}
}

func closing(bracket byte) byte { return bracket + 2 } // true of [] and {} in ASCII

func (s *scanner) close(bracket byte) {
	n := len(s.opened) - 1
	if n < 0 || closing(s.opened[n].bracket) != bracket {
		s.stop(s.pos, fmt.Sprintf("%q closes nothing", bracket), "the text in quotes, if it is text")
		return
	}
	opening := s.opened[n]
	s.opened = s.opened[:n]
	s.pos++
	s.fresh, s.filled = false, true
	s.after(opening.at, opening.line, n == 0)
}

// entry consumes the dash of a list's element.
func (s *scanner) entry(column int) {
	if len(s.opened) > 0 || !s.fresh {
		s.stop(s.pos, "a list's dash after other text", "the dash first on its line; or the text in quotes")
		return
	}
	s.roll(column, s.pos)
	s.mark()
	s.value = true
}

// roll notes that a block collection begins in that column, unless one has.
func (s *scanner) roll(column, at int) {
	top := s.indents[len(s.indents)-1]
	if top >= column {
		return
	}
	if !s.value {
		s.stop(at, "indented like nothing above it", "the indentation of a key or dash above it")
		return
	}
	s.indents = append(s.indents, column)
	s.deep()
}

// colon consumes a colon that does not follow its key at once: between brackets,
// or where the key is missing.
func (s *scanner) colon() {
	if len(s.opened) == 0 {
		s.stop(s.pos, "a colon without a key before it", "a key; or the text in quotes")
		return
	}
	o := &s.opened[len(s.opened)-1]
	if o.colon {
		s.mistake(s.pos, "a second colon in one element", "the text in quotes, or a comma before the next key")
	}
	o.colon = true
	s.mark()
}

// property skips an anchor or a tag, which is of the node that follows, or an
// alias, which is a node. Packs have none of them.
func (s *scanner) property(b byte) {
	at := s.pos
	s.pos++
	s.tokens++
	switch b {
	case '!':
		s.fault(at, "a tag", "the text without !name")
		for !s.blank(s.pos) {
			s.pos++
		}
	default:
		for s.pos < len(s.data) && wordByte(s.data[s.pos]) {
			s.pos++
		}
	}
	name := string(s.data[at+1 : min(s.pos, at+100)])
	if b == '&' {
		s.fault(at, "an anchor", "the text without &name")
		s.anchors = append(s.anchors, name)
	}
	if b != '*' {
		if s.begun < 0 && s.fresh {
			s.begun = at
		}
		s.fresh = false
		return
	}
	s.begin()
	s.fault(at, "an alias", "the text itself, written out")
	if !slices.Contains(s.anchors, name) {
		s.broken = true // the parser gives up at an alias of nothing, without a place
	}
	s.scalarEnd(at, s.pos, s.line, s.fresh)
}

func wordByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b == '_' || b == '-'
}

// scalarEnd ends the scalar that began at from, on that line, and stopped before
// end; key says whether it may be one.
func (s *scanner) scalarEnd(from, end, line int, key bool) {
	s.tokens++
	s.padding += s.pos - end
	if end-from > MaxScalar {
		s.limit(from, fmt.Sprintf("a text of more than %d kB, or a quote that is never closed", MaxScalar>>10), fmt.Sprintf("at most %d characters", maxText))
		return
	}
	if s.begun >= 0 {
		from, key = s.begun, true
		s.begun = -1
	}
	// Text without quotes and block scalars end where the next line has begun.
	s.fresh = s.line > line && len(s.opened) == 0 && onlySpace(s.data[s.start:s.pos])
	s.filled = !s.fresh
	s.after(from, line, key && len(s.opened) == 0)
}

// after looks, in a block, whether what ended here and began at from is the key
// of a colon.
func (s *scanner) after(from, line int, key bool) {
	i := s.pos
	for i < len(s.data) && s.data[i] == ' ' {
		i++
	}
	isColon := i < len(s.data) && s.data[i] == ':' && s.blank(i+1)
	if len(s.opened) > 0 {
		return
	}
	if !isColon {
		s.lone(from)
		s.value = false
		return
	}
	if !key || s.line > line {
		s.mistake(i, "a colon inside text without quotes", "the text in quotes; or the key on a line of its own")
		s.pos, s.fresh, s.filled, s.value = i+1, false, false, true
		return
	}
	s.roll(from-s.lineStart(from), from)
	s.tokens++
	s.pos = i + 1
	s.fresh, s.filled, s.value = false, false, true
}

// lone reports a text on a line of its own that is no value.
func (s *scanner) lone(from int) {
	start := s.lineStart(from)
	column := from - start
	if onlySpace(s.data[start:from]) && (!s.value || column == s.indents[len(s.indents)-1]) {
		s.stop(from, "neither a key with a colon nor the continuation of a text: "+errs.Quote(firstLine(s.data[from:])),
			"a colon after a key; or deeper indentation")
	}
}
