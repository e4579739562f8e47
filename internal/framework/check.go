package framework

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"muster/internal/errs"
)

// checker walks the nodes of one file and collects every fault. Its methods
// return what they could read and go on; whoever uses the result first looks at
// faults. A nil node is a missing key, which has been reported already.
type checker struct {
	file      string
	faults    errs.Faults
	path      []step
	languages []string            // as declared; nil if the declaration itself is faulty
	composed  bool                // the file, escapes aside, is in Unicode normalisation form C for certain
	said      map[sentence]saying // every scale level and descriptor so far
	wary      bool                // whether anybody wants warnings: they cost time
	warnings  errs.Faults
}

// step is one step of the path of keys from the root to a node.
type step struct {
	name  string // of a key or, with root set, an id that is a path by itself
	index int    // in a list, if name is empty
	root  bool
}

type sentence struct{ language, text string }

// saying is where a sentence was said first.
type saying struct {
	outcome      string // empty for the scale
	level        int
	line, column int
}

func (s saying) field() string {
	if s.outcome == "" {
		return fmt.Sprintf("scale.levels[%d]", s.level)
	}
	return fmt.Sprintf("%s.descriptors[%d]", s.outcome, s.level)
}

func (c *checker) push(name string)  { c.path = append(c.path, step{name: name}) }
func (c *checker) pushIndex(i int)   { c.path = append(c.path, step{index: i}) }
func (c *checker) pop()              { c.path = c.path[:len(c.path)-1] }
func (c *checker) nameTop(id string) { c.path[len(c.path)-1] = step{name: id, root: true} }

// field renders the path: "A1.3.descriptors[2].en", "areas[0].id".
func (c *checker) field() string {
	var b strings.Builder
	for _, s := range c.path {
		switch {
		case s.root:
			b.Reset()
			b.WriteString(s.name)
		case s.name == "":
			fmt.Fprintf(&b, "[%d]", s.index)
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		}
	}
	return b.String()
}

func (c *checker) fault(n *yaml.Node, message, allowed string) {
	c.faultAt(n.Line, n.Column, c.field(), message, allowed)
}

// full reports whether there are as many faults as are kept.
func (c *checker) full() bool { return len(c.faults) >= errs.MaxFaults }

func (c *checker) faultAt(line, column int, field, message, allowed string) {
	if !c.full() {
		c.faults = append(c.faults, errs.Fault{
			File: c.file, Line: line, Column: column, Field: field, Message: message, Allowed: allowed,
		})
	}
}

// plainNode reports whether n is a node without the parts of YAML that packs do
// not use, and reports those it has.
func (c *checker) plainNode(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		c.faultAt(n.Line, n.Column, "", "an alias", "the text itself, written out")
	case n.Anchor != "":
		c.faultAt(n.Line, n.Column, "", "an anchor", "the text without &name")
	case n.Style&yaml.TaggedStyle != 0:
		c.faultAt(n.Line, n.Column, "", "a tag", "the text without !name")
	default:
		return true
	}
	return n.Kind != yaml.AliasNode
}

// member is a key of an object: its name, and where its value's node goes.
type member struct {
	name     string
	node     **yaml.Node
	optional bool
}

func need(name string, node **yaml.Node) member { return member{name, node, false} }
func may(name string, node **yaml.Node) member  { return member{name, node, true} }

// object distributes the values of mapping n over members and reports unknown,
// repeated and missing keys. It returns false if n is no mapping.
func (c *checker) object(n *yaml.Node, members ...member) bool {
	if c.full() || !c.plainNode(n) {
		return false
	}
	if n.Kind != yaml.MappingNode {
		c.fault(n, kindOf(n)+" where a mapping is wanted", "the keys "+names(members))
		return false
	}
	var first [16]*yaml.Node // the key node of each member; no object has more
	for i := 0; i+1 < len(n.Content) && !c.full(); i += 2 {
		key := n.Content[i]
		if !c.keyNode(key) {
			continue
		}
		at := slices.IndexFunc(members, func(m member) bool { return m.name == key.Value })
		switch {
		case at < 0:
			c.fault(key, "unknown key "+errs.Quote(key.Value), names(members))
		case first[at] != nil:
			c.fault(key, fmt.Sprintf("key %s appears again; it is on line %d already", errs.Quote(key.Value), first[at].Line), "each key once")
		default:
			first[at] = key
			*members[at].node = n.Content[i+1]
		}
	}
	for i, m := range members {
		if first[i] == nil && !m.optional {
			c.fault(n, "key "+errs.Quote(m.name)+" is missing", names(members))
		}
	}
	return true
}

// keyNode reports whether n can be a key.
func (c *checker) keyNode(n *yaml.Node) bool {
	if !c.plainNode(n) {
		return false
	}
	if n.Kind != yaml.ScalarNode {
		c.fault(n, kindOf(n)+" as a key", "a word")
		return false
	}
	if n.Tag == "!!merge" {
		c.fault(n, "a merge key", "the keys themselves, written out")
		return false
	}
	return true
}

func names(members []member) string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = m.name
	}
	return strings.Join(list, ", ")
}

// list returns the elements of sequence n, at least one, and reports anything else.
func (c *checker) list(name string, n *yaml.Node, of string) []*yaml.Node {
	if n == nil || c.full() {
		return nil
	}
	c.push(name)
	defer c.pop()
	if !c.plainNode(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		c.fault(n, kindOf(n)+" where a list is wanted", "a list of "+of)
		return nil
	}
	if len(n.Content) == 0 {
		c.fault(n, "an empty list", "a list of "+of)
	}
	return n.Content
}

// scalar returns the text of n, normalised, and reports what is no text, empty,
// longer than limit characters, or holds forbidden characters. A text of at most
// maxLine is one line.
func (c *checker) scalar(n *yaml.Node, limit int) (string, bool) {
	if !c.plainNode(n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		c.fault(n, kindOf(n)+" where text is wanted", "text")
		return "", false
	}
	if n.Style == 0 && n.Value != "" {
		if other := readsAs(n); other != "" {
			c.fault(n, fmt.Sprintf("%s without quotes is %s", errs.Quote(n.Value), other), fmt.Sprintf("text; write %q", n.Value))
			return "", false
		}
	}
	quoted := n.Style&yaml.DoubleQuotedStyle != 0
	if quoted && !c.visible(n) {
		return "", false
	}
	text := normalise(n.Value, c.composed && !quoted)
	if text == "" {
		c.fault(n, "the text is empty", "text")
		return "", false
	}
	if limit <= maxLine && strings.Contains(text, "\n") {
		c.fault(n, "several lines of text", "one line")
		return "", false
	}
	if len(text) > limit && utf8.RuneCountInString(text) > limit {
		c.fault(n, fmt.Sprintf("the text has %d characters", utf8.RuneCountInString(text)), fmt.Sprintf("at most %d", limit))
		return "", false
	}
	return text, true
}

// visible reports whether a text in double quotes holds no forbidden character,
// which its escapes could give it; encoding saw those that stand in the file.
func (c *checker) visible(n *yaml.Node) bool {
	for _, r := range n.Value {
		if what := forbidden(r); what != "" && r != '\n' {
			c.fault(n, fmt.Sprintf("%s (%U) in the text", what, r), "visible characters, spaces and line breaks")
			return false
		}
	}
	return true
}

// word returns the text of n if is accepts it, and else reports what is allowed.
func (c *checker) word(name string, n *yaml.Node, is func(string) bool, allowed string) (string, bool) {
	if n == nil {
		return "", false
	}
	c.push(name)
	defer c.pop()
	if n.Kind == yaml.ScalarNode && n.Style == 0 && n.Tag != "!!null" && !is(n.Value) {
		// Said before what quotes would help with, because they would not help.
		c.fault(n, errs.Quote(n.Value)+" is not allowed here", allowed)
		return "", false
	}
	s, ok := c.scalar(n, maxLine)
	if ok && !is(s) {
		c.fault(n, errs.Quote(s)+" is not allowed here", allowed)
		return "", false
	}
	return s, ok
}

// text returns the text at n in every declared language, and reports the
// languages that are missing or undeclared.
func (c *checker) text(name string, n *yaml.Node, limit int) Text {
	if n == nil {
		return nil
	}
	c.push(name)
	defer c.pop()
	return c.textHere(n, limit, nil)
}

// textHere does what text does, without a key of its own. With once, no other
// text that is said once may equal it in any language.
func (c *checker) textHere(n *yaml.Node, limit int, once *saying) Text {
	if c.full() || !c.plainNode(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		c.fault(n, kindOf(n)+" where a text by language is wanted", "such as {en: text}")
		return nil
	}
	text := make(Text, min(len(n.Content)/2, maxLanguages))
	lines := 0 // bit i: declared language i has a key here, empty or not
	for i := 0; i+1 < len(n.Content) && !c.full(); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !c.keyNode(key) {
			continue
		}
		if key.Style == 0 && readsAs(key) != "" {
			c.fault(key, fmt.Sprintf("%s without quotes is %s", errs.Quote(key.Value), readsAs(key)), fmt.Sprintf("a language; write %q", key.Value))
		}
		at := slices.Index(c.languages, key.Value)
		switch {
		case at < 0 && c.languages != nil:
			allowed := strings.Join(c.languages, ", ")
			if n.Style&yaml.FlowStyle != 0 {
				allowed += "; a text with a comma stands in quotes"
			}
			c.fault(key, "text in "+errs.Quote(key.Value)+", which languages does not declare", allowed)
			continue
		case at >= 0 && lines&(1<<at) != 0:
			c.fault(key, "a second text in "+errs.Quote(key.Value), "one text for each language")
			continue
		case at >= 0:
			lines |= 1 << at
		}
		c.push(key.Value)
		if s, ok := c.scalar(value, limit); ok {
			text[key.Value] = s
			if once != nil {
				c.sayOnce(value, sentence{key.Value, s}, *once)
			}
		}
		c.pop()
	}
	for i, language := range c.languages {
		if lines&(1<<i) == 0 {
			c.fault(n, "the text in "+errs.Quote(language)+" is missing", strings.Join(c.languages, ", "))
		}
	}
	c.compareLanguages(n, text)
	return text
}

// kindOf says what n is, for a person.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		if len(n.Content) == 0 {
			return "an empty mapping"
		}
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return "text"
}
