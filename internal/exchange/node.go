package exchange

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

// maxYAMLSize is how many bytes a YAML file may have: its nodes take some thirty
// times as much memory.
const maxYAMLSize = 16 << 20

// isYAML reports whether a file is read as YAML: its name says so.
func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// document is a YAML file while it is read. It collects every fault with its
// place; whoever uses what was read first looks at them.
type document struct {
	file   string
	faults errs.Faults
}

func (d *document) fault(n *yaml.Node, field, message, allowed string) {
	d.faultAt(n.Line, n.Column, field, message, allowed)
}

func (d *document) faultAt(line, column int, field, message, allowed string) {
	if len(d.faults) < errs.MaxFaults {
		d.faults = append(d.faults, errs.Fault{File: d.file, Line: line, Column: column, Field: field, Message: message, Allowed: allowed})
	}
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line ([0-9]+): )?(.*)$`)

// parse returns the root of the only document, or nil where the faults say why
// there is none. The error is the reader's.
func (d *document) parse(in io.Reader, content string) (*yaml.Node, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxYAMLSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", errs.Quote(d.file), err)
	}
	if fault, ok := notText(data, maxYAMLSize, content); ok {
		fault.File = d.file
		d.faults = append(d.faults, fault)
		return nil, nil
	}
	if !utf8.Valid(data) {
		d.faultAt(1, 1, "", "the file is not UTF-8", allowedEncoding)
		return nil, nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	err = decoder.Decode(&root)
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			d.fault(&second, "", "a second document", "one")
			return nil, nil
		}
	} else if errors.Is(err, io.EOF) {
		d.faultAt(1, 1, "", "the file has nothing but comments", content)
		return nil, nil
	}
	if !errors.Is(err, io.EOF) {
		match := yamlLine.FindStringSubmatch(strings.SplitN(err.Error(), "\n", 2)[0])
		line, _ := strconv.Atoi(match[1])
		d.faultAt(max(line, 1), 0, "", "not YAML: "+match[2], content)
		return nil, nil
	}
	return root.Content[0], nil
}

// key is a key of a mapping, and where its value goes.
type key struct {
	name     string
	node     **yaml.Node
	optional bool
}

// object distributes the values of a mapping and names unknown, repeated and
// missing keys. It reports whether n is a mapping.
func (d *document) object(n *yaml.Node, field string, keys ...key) bool {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	allowed := strings.Join(names, ", ")
	if !d.plain(n, field) {
		return false
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, field, nodeKind(n)+" where keys are wanted", allowed)
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		at := slices.Index(names, name.Value)
		switch {
		case at < 0 || name.Kind != yaml.ScalarNode:
			d.fault(name, field, "unknown key "+errs.Quote(name.Value), allowed)
		case *keys[at].node != nil:
			d.fault(name, field, "key "+errs.Quote(name.Value)+" stands there twice", "each key once")
		default:
			*keys[at].node = n.Content[i+1]
		}
	}
	for _, k := range keys {
		if *k.node == nil && !k.optional {
			d.fault(n, field, "key "+errs.Quote(k.name)+" is missing", allowed)
		}
	}
	return true
}

// plain reports whether n has none of the parts of YAML that no file of ours
// uses.
func (d *document) plain(n *yaml.Node, field string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fault(n, field, "an anchor or an alias", "the text itself, written out")
	case n.Style&yaml.TaggedStyle != 0:
		d.fault(n, field, "a tag", "the text without !name")
	default:
		return true
	}
	return false
}

// list returns the items of a list with one or more.
func (d *document) list(n *yaml.Node, field string) []*yaml.Node {
	if n == nil || !d.plain(n, field) {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		d.fault(n, field, nodeKind(n)+" where a list is wanted", "a list with one item or more")
		return nil
	}
	return n.Content
}

// text returns what a scalar says, as it is written: numbers, days and words are
// all text here. A key that is not there says nothing.
func (d *document) text(n *yaml.Node, field string) string {
	if n == nil || !d.plain(n, field) {
		return ""
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		d.fault(n, field, nodeKind(n)+" where text is wanted", "text")
	case n.Tag == "!!null":
		d.fault(n, field, "nothing where text is wanted", "text, or leave the key out")
	case strings.Contains(n.Value, "\n"):
		d.fault(n, field, "a text of several lines", "one line")
	default:
		return n.Value
	}
	return ""
}

// format checks the first key of a file of ours.
func (d *document) format(n *yaml.Node, want string) {
	if got := d.text(n, "format"); n != nil && got != want && len(d.faults) == 0 {
		d.fault(n, "format", errs.Quote(got)+" is not known", want)
	}
}

// Words is a text by language, "en" and "fr".
type Words map[string]string

// words reads a text in all languages.
func (d *document) words(n *yaml.Node, field string) Words {
	if n == nil {
		return nil
	}
	languages := [...]string{"en", "fr"}
	texts := make([]*yaml.Node, len(languages))
	keys := make([]key, len(languages))
	for i, l := range languages {
		keys[i] = key{name: l, node: &texts[i]}
	}
	if !d.object(n, field, keys...) {
		return nil
	}
	w := make(Words)
	for i, l := range languages {
		w[l] = d.text(texts[i], field+"."+l)
		if texts[i] != nil && w[l] == "" && len(d.faults) == 0 {
			d.fault(texts[i], field+"."+l, "an empty text", "text")
		}
	}
	return w
}

func nodeKind(n *yaml.Node) string {
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

// plainText is what needs no quotes in the YAML that is written here.
var plainText = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_.+/-]|:[A-Za-z0-9]| [A-Za-z0-9(])*$`)

// quoteYAML returns a text as a YAML scalar that reads back as the same.
func quoteYAML(s string) string {
	if plainText.MatchString(s) && !strings.EqualFold(s, "null") {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
