// Package doctest reads the project's documents so that tests can hold them to
// the truth: [Blocks] finds fenced blocks, [Block.Commands] the commands in
// them, [Links], [Documents] and [Anchors] what points where.
//
// A block marked sh holds commands that a reader may type in the root of a clone
// and nothing else; output belongs in a block marked text. So a story in
// cmd/muster can run them:
//
//	for _, b := range doctest.Blocks("README.md", src) {
//		for _, c := range b.Commands() { ... c.Args ... }
//	}
//
// What is read is the part of Markdown that the project writes: headings with #,
// fences, inline links and reference definitions.
package doctest

import (
	"regexp"
	"strings"
	"unicode"
)

// A Block is one fenced block.
type Block struct {
	File string
	Line int    // of its first line of text, from 1
	Lang string // the first word after the fence; may be empty
	Text string // with its line ends
}

// A Command is one line that a reader is told to type.
type Command struct {
	File string
	Line int
	Text string   // without a comment at its end, continued lines joined
	Args []string // split at white space, quotes of either kind removed
}

// A Link is a reference from a document to somewhere.
type Link struct {
	File   string
	Line   int
	Target string
}

// Blocks returns the fenced blocks of the document src.
func Blocks(file string, src []byte) []Block {
	var (
		blocks []Block
		fence  string // what closes the open block; empty outside
	)
	for i, line := range lines(src) {
		trimmed := strings.TrimSpace(line)
		switch {
		case fence == "" && opens(trimmed) != "":
			fence = opens(trimmed)
			lang, _, _ := strings.Cut(strings.TrimSpace(strings.TrimLeft(trimmed, fence[:1])), " ")
			blocks = append(blocks, Block{File: file, Line: i + 2, Lang: lang})
		case fence == "":
		case strings.HasPrefix(trimmed, fence) && strings.Trim(trimmed, fence[:1]) == "":
			fence = ""
		default:
			blocks[len(blocks)-1].Text += line + "\n"
		}
	}
	return blocks
}

// opens returns the fence that the line opens a block with.
func opens(line string) string {
	for _, mark := range []string{"`", "~"} {
		if n := len(line) - len(strings.TrimLeft(line, mark)); n >= 3 {
			return line[:n]
		}
	}
	return ""
}

// Commands returns the commands of a block marked sh, and none of any other.
func (b Block) Commands() []Command {
	if b.Lang != "sh" {
		return nil
	}
	var (
		commands []Command
		pending  string
		start    int
	)
	for i, line := range strings.Split(b.Text, "\n") {
		if pending == "" {
			start = b.Line + i
		}
		line, more := strings.CutSuffix(pending+strings.TrimSpace(line), `\`)
		if more {
			pending = line
			continue
		}
		pending = ""
		if text, args := split(line); len(args) > 0 {
			commands = append(commands, Command{File: b.File, Line: start, Text: text, Args: args})
		}
	}
	return commands
}

// split cuts a line at white space outside quotes and drops a comment.
func split(line string) (text string, args []string) {
	var (
		arg   strings.Builder
		open  bool // an argument has begun
		quote rune
	)
	for i, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			arg.WriteRune(r)
		case r == '"' || r == '\'':
			quote, open = r, true
		case r == '#' && !open:
			return strings.TrimSpace(line[:i]), args
		case unicode.IsSpace(r):
			if open {
				args = append(args, arg.String())
				arg.Reset()
			}
			open = false
		default:
			open = true
			arg.WriteRune(r)
		}
	}
	if open {
		args = append(args, arg.String())
	}
	return strings.TrimSpace(line), args
}

var (
	inline     = regexp.MustCompile(`\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)`)
	definition = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)`)
	code       = regexp.MustCompile("`[^`]*`")
	heading    = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
)

// Links returns what the document points at, code left out.
func Links(file string, src []byte) []Link {
	var links []Link
	for i, line := range prose(src) {
		line = code.ReplaceAllString(line, "")
		for _, m := range inline.FindAllStringSubmatch(line, -1) {
			links = append(links, Link{file, i + 1, m[1]})
		}
		if m := definition.FindStringSubmatch(line); m != nil {
			links = append(links, Link{file, i + 1, m[1]})
		}
	}
	return links
}

// documentPath leaves out the full stop of a sentence that ends in a path.
var documentPath = regexp.MustCompile(`\bdocs(?:/[A-Za-z0-9_.-]*[A-Za-z0-9_-])+`)

// Documents returns the paths below docs/ that src names, which is source text
// of any kind: comments send readers there too.
func Documents(file string, src []byte) []Link {
	var links []Link
	for i, line := range lines(src) {
		for _, target := range documentPath.FindAllString(line, -1) {
			links = append(links, Link{file, i + 1, target})
		}
	}
	return links
}

// Anchors returns the fragments that a link may end in: each heading in lower
// case, spaces as hyphens, all but letters, digits, hyphens and underscores
// dropped.
func Anchors(src []byte) map[string]bool {
	anchors := map[string]bool{}
	for _, line := range prose(src) {
		m := heading.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		anchors[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])] = true
	}
	return anchors
}

// prose returns the lines of the document, those of fenced blocks emptied.
func prose(src []byte) []string {
	all := lines(src)
	for _, b := range Blocks("", src) {
		for i := range strings.Count(b.Text, "\n") {
			all[b.Line-1+i] = ""
		}
	}
	return all
}

func lines(src []byte) []string {
	return strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
}
