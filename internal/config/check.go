package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"muster/internal/errs"
)

type node = yaml.Node

// checker walks the nodes of one file and collects every fault. Its methods
// return what they could read and go on; whoever uses the result first looks at
// faults. A nil node is a key that is not there.
type checker struct {
	file   string
	faults errs.Faults
}

func (c *checker) fault(n *node, field, message, allowed string) {
	c.faultAt(n.Line, n.Column, field, message, allowed)
}

func (c *checker) faultAt(line, column int, field, message, allowed string) {
	if len(c.faults) < errs.MaxFaults {
		c.faults = append(c.faults, errs.Fault{File: c.file, Line: line, Column: column, Field: field, Message: message, Allowed: allowed})
	}
}

// refusal makes a fault of what another package says of a value.
func (c *checker) refusal(field string, n *node, err error) {
	if err != nil {
		d := errs.Describe(err)
		c.fault(n, field, d.Message, d.Hint)
	}
}

// What the YAML parser says, and which of it comes with a line counted from 0.
var (
	yamlMessage   = regexp.MustCompile(`^(?:yaml: )?(?:line ([0-9]+): )?(.*)$`)
	parserMessage = regexp.MustCompile(`^did not find expected`)
)

// parse returns the root of the only document, or nil if the faults say why
// there is none.
func (c *checker) parse(data []byte) *node {
	if !utf8.Valid(data) {
		c.faultAt(0, 0, "", "the file is not UTF-8", "UTF-8")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		c.faultAt(1, 1, "", "the file is empty", "a configuration that begins with format: and its version")
		return nil
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			c.fault(&second, "", "a second document", "one")
			return nil
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		match := yamlMessage.FindStringSubmatch(strings.SplitN(err.Error(), "\n", 2)[0])
		line, _ := strconv.Atoi(match[1])
		if parserMessage.MatchString(match[2]) {
			line++
		}
		c.faultAt(max(line, 1), 0, "", "not YAML: "+match[2], "")
		return nil
	}
	return document.Content[0]
}

// plain reports whether n has none of the parts of YAML that a configuration
// does not use, and says which it has.
func (c *checker) plain(field string, n *node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		c.fault(n, field, "an alias", "the text itself, written out")
	case n.Anchor != "":
		c.fault(n, field, "an anchor", "the text without &name")
	case n.Style&yaml.TaggedStyle != 0:
		c.fault(n, field, "a tag", "the text without !name")
	default:
		return true
	}
	return false
}

// member is a key of a mapping, and where its value goes.
type member struct {
	name     string
	node     **node
	optional bool
}

func need(name string, n **node) member { return member{name, n, false} }
func may(name string, n **node) member  { return member{name, n, true} }

// object distributes the values of mapping n over members and reports unknown,
// repeated and missing keys.
func (c *checker) object(field string, n *node, members ...member) bool {
	if !c.plain(field, n) {
		return false
	}
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.name
	}
	allowed := strings.Join(names, ", ")
	if n.Kind != yaml.MappingNode {
		c.fault(n, field, kindOf(n)+" where keys are wanted", "the keys "+allowed)
		return false
	}
	first := make([]*node, len(members))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if !c.plain(field, key) {
			continue
		}
		at := slices.Index(names, key.Value)
		switch {
		case at < 0 || key.Kind != yaml.ScalarNode:
			c.fault(key, field, "unknown key "+errs.Quote(key.Value), allowed)
		case first[at] != nil:
			c.fault(key, field, fmt.Sprintf("key %s appears again; it is on line %d already", errs.Quote(key.Value), first[at].Line), "each key once")
		default:
			first[at] = key
			*members[at].node = n.Content[i+1]
		}
	}
	for i, m := range members {
		if first[i] == nil && !m.optional {
			c.fault(n, field, "key "+errs.Quote(m.name)+" is missing", allowed)
		}
	}
	return true
}

// maxText is how many characters a value may have.
const maxText = 1024

// text returns the text of n, or "" if there is none or it is none.
func (c *checker) text(field string, n *node) string {
	if n == nil || !c.plain(field, n) {
		return ""
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		c.fault(n, field, kindOf(n)+" where text is wanted", "text")
	case n.Tag == "!!null" || n.Value == "":
		c.fault(n, field, "nothing where text is wanted", "text; to leave it to the program, leave the key out")
	case n.Tag != "!!str":
		c.fault(n, field, errs.Quote(n.Value)+" without quotes is not text to YAML", fmt.Sprintf("text; write %q", n.Value))
	case len(n.Value) > maxText || strings.ContainsFunc(n.Value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		c.fault(n, field, "a text of several lines, or a very long one", "one line")
	default:
		return n.Value
	}
	return ""
}

// word returns the text of n if it is one of those allowed.
func (c *checker) word(field string, n *node, allowed ...string) string {
	text := c.text(field, n)
	if text != "" && !slices.Contains(allowed, text) {
		c.fault(n, field, errs.Quote(text)+" is not known", strings.Join(allowed, ", "))
		return ""
	}
	return text
}

// number returns the whole number at n, or zero if there is none.
func (c *checker) number(field string, n *node, least, most int) int {
	if n == nil || !c.plain(field, n) {
		return 0
	}
	value, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || value < least || value > most || strconv.Itoa(value) != n.Value {
		what := kindOf(n)
		if n.Kind == yaml.ScalarNode {
			what = errs.Quote(n.Value)
		}
		c.fault(n, field, what+" is not such a number", fmt.Sprintf("a whole number from %d to %d", least, most))
		return 0
	}
	return value
}

func kindOf(n *node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return "text"
}
