package framework

import "bytes"

// lineStart returns where the line of at begins.
func (s *scanner) lineStart(at int) int {
	if at >= s.start {
		return s.start
	}
	return bytes.LastIndexByte(s.data[:at], '\n') + 1
}

func onlySpace(b []byte) bool { return len(bytes.TrimLeft(b, " ")) == 0 }

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b[:min(len(b), 200)], []byte{'\n'})
	return string(line)
}

// over reports whether the scalar that began at from is over the limit already.
func (s *scanner) over(from int) bool { return s.pos-from > MaxScalar }

// quoted reads a scalar in quotes, over line breaks.
func (s *scanner) quoted(quote byte) {
	from, line, key := s.pos, s.line, s.fresh
	for s.pos++; ; {
		if s.pos >= len(s.data) || s.documentMark() {
			s.stop(from, "this quote is never closed", "the same quote at the end of the text")
			return
		}
		switch b := s.data[s.pos]; {
		case b == '\n':
			s.newline()
		case b == '\\' && quote == '"' && s.pos+1 < len(s.data) && s.data[s.pos+1] != '\n':
			s.pos += 2
		case b != quote:
			s.pos++
		case quote == '\'' && s.pos+1 < len(s.data) && s.data[s.pos+1] == '\'':
			s.pos += 2
		default:
			s.pos++
			s.scalarEnd(from, s.pos, line, key)
			return
		}
		if s.over(from) {
			s.scalarEnd(from, s.pos, line, key)
			return
		}
	}
}

// plain reads a scalar without quotes. In a block it goes on over lines that are
// indented more than its collection; between brackets, over any.
func (s *scanner) plain() {
	from, line, key := s.pos, s.line, s.fresh
	indent := s.indents[len(s.indents)-1] + 1
	flow := len(s.opened) > 0
	end := s.pos
	for s.pos < len(s.data) && s.data[s.pos] != '#' && !s.documentMark() {
		for !s.blank(s.pos) {
			b := s.data[s.pos]
			if b == ':' && s.blank(s.pos+1) || flow && s.endsFlowText(b) {
				break
			}
			s.pos++
			end = s.pos
		}
		if !s.blank(s.pos) || s.pos >= len(s.data) || s.over(from) {
			break
		}
		for s.pos < len(s.data) && s.blank(s.pos) {
			if s.data[s.pos] == '\n' {
				s.newline()
			} else {
				s.pos++
			}
		}
		if !flow && s.pos-s.start < indent {
			break
		}
	}
	s.scalarEnd(from, end, line, key)
}

// endsFlowText reports whether b ends a text without quotes between brackets,
// and reports those that people write as part of it.
func (s *scanner) endsFlowText(b byte) bool {
	switch b {
	case ',', ']', '}':
		return true
	case '?', '[', '{':
		s.mistake(s.pos, "'"+string(rune(b))+"' in a text without quotes between brackets", "the text in quotes")
	}
	return false
}

// block reads a literal or folded scalar.
func (s *scanner) block() {
	from, line, parent := s.pos, s.line, s.indents[len(s.indents)-1]
	indent := 0
	for s.pos++; s.pos < len(s.data) && s.data[s.pos] != '\n'; s.pos++ {
		if b := s.data[s.pos]; b >= '1' && b <= '9' && s.pos <= from+2 {
			indent = max(parent, 0) + int(b-'0')
		} else if b == ' ' {
			break
		}
	}
	// What is left of the line is blanks and a comment, or the parser objects.
	for s.pos < len(s.data) && s.data[s.pos] != '\n' {
		s.pos++
	}
	if s.pos < len(s.data) {
		s.newline()
	}
	if indent == 0 {
		indent = max(s.blockIndent(), parent+1, 1)
	}
	for s.pos < len(s.data) {
		for s.pos < len(s.data) && s.data[s.pos] == ' ' && s.pos-s.start < indent {
			s.pos++
		}
		if s.pos < len(s.data) && s.data[s.pos] != '\n' && s.data[s.pos] != '\r' && s.pos-s.start < indent {
			break
		}
		i := bytes.IndexByte(s.data[s.pos:], '\n')
		if i < 0 {
			s.pos = len(s.data)
			break
		}
		s.pos += i
		s.newline()
		if s.over(from) {
			break
		}
	}
	s.scalarEnd(from, s.pos, line, false)
}

// blockIndent returns the indentation that the leading blank lines and the first
// other line of a block scalar give it: the greatest among them.
func (s *scanner) blockIndent() int {
	greatest, i := 0, s.pos
	for i-s.pos <= MaxScalar {
		start := i
		for i < len(s.data) && s.data[i] == ' ' {
			i++
		}
		greatest = max(greatest, i-start)
		if i < len(s.data) && s.data[i] == '\r' {
			i++
		}
		if i >= len(s.data) || s.data[i] != '\n' {
			break
		}
		i++
	}
	return greatest
}
