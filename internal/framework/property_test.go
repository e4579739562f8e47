package framework_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"muster/internal/framework"
)

func harbourNodes(t testing.TB) *yaml.Node {
	t.Helper()
	data, err := os.ReadFile("testdata/harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var n yaml.Node
	if err := yaml.Unmarshal(data, &n); err != nil {
		t.Fatal(err)
	}
	return &n
}

// disguise changes what the digest must not depend on: order of keys, comments,
// block or flow, quotes.
func disguise(t *rapid.T, n *yaml.Node, flow bool) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	if n.Kind == yaml.MappingNode {
		for i := 0; i+3 < len(n.Content); i += 2 {
			j := i + 2*rapid.IntRange(0, (len(n.Content)-i)/2-1).Draw(t, "swap")
			n.Content[i], n.Content[j] = n.Content[j], n.Content[i]
			n.Content[i+1], n.Content[j+1] = n.Content[j+1], n.Content[i+1]
		}
	}
	switch n.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		flow = flow || rapid.IntRange(0, 3).Draw(t, "flow") == 0
		n.Style = 0
		if flow {
			n.Style = yaml.FlowStyle
		}
	case yaml.ScalarNode:
		// A plain text with a question mark between brackets is refused.
		if n.Tag == "!!str" {
			styles := []yaml.Style{yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle}
			if !strings.ContainsAny(n.Value, "?[]{}") {
				styles = append(styles, 0)
			}
			if !flow {
				styles = append(styles, yaml.LiteralStyle, yaml.FoldedStyle)
			}
			n.Style = rapid.SampledFrom(styles).Draw(t, "style")
		}
	}
	for i, child := range n.Content {
		disguise(t, child, flow)
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			child.Style = rapid.SampledFrom([]yaml.Style{0, yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle}).Draw(t, "key")
			if !flow && rapid.IntRange(0, 9).Draw(t, "comment") == 0 {
				child.HeadComment = "# a remark: \"it\" [changes {nothing}"
			}
		}
	}
}

// TestDigestIgnoresLayout writes the same pack in many ways and expects one digest.
func TestDigestIgnoresLayout(t *testing.T) {
	t.Parallel()
	want := harbour(t).Digest
	rapid.Check(t, func(rt *rapid.T) {
		n := harbourNodes(t)
		disguise(rt, n.Content[0], false)
		text, err := yaml.Marshal(n)
		if err != nil {
			rt.Fatal(err)
		}
		if rapid.Bool().Draw(rt, "CRLF") {
			text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		}
		p, err := framework.Read("p", bytes.NewReader(text))
		if err != nil {
			rt.Fatalf("%v in\n%s", err, text)
		}
		if p.Digest != want {
			rt.Fatalf("digest %x, want %x, of\n%s", p.Digest, want, text)
		}
	})
}

// TestDigestCoversEveryWord changes each scalar of the pack in turn. Either the
// pack is refused or its digest is another.
func TestDigestCoversEveryWord(t *testing.T) {
	t.Parallel()
	sound := harbour(t).Digest
	changed := 0
	var walk func(n, root *yaml.Node)
	walk = func(n, root *yaml.Node) {
		for _, child := range n.Content {
			walk(child, root)
		}
		if n.Kind != yaml.ScalarNode {
			return
		}
		before := n.Value
		for _, after := range []string{before + "x", "9", "L9", strings.ToUpper(before)} {
			if after == before {
				continue
			}
			n.Value = after
			text, err := yaml.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			p, err := framework.Read("p", bytes.NewReader(text))
			if err != nil {
				continue
			}
			changed++
			if p.Digest == sound {
				t.Errorf("%q for %q leaves the digest", after, before)
			}
		}
		n.Value = before
	}
	root := harbourNodes(t)
	walk(root, root)
	if changed < 100 {
		t.Errorf("only %d changes were accepted: the test does not test", changed)
	}
}

// TestNeverDecomposed asks the Unicode tables about every character, before and
// after every kind of neighbour that could matter.
func TestNeverDecomposed(t *testing.T) {
	t.Parallel()
	known := 0
	for r := rune(0); r <= 0x10FFFF; r++ {
		if !framework.NeverDecomposed(r) {
			continue
		}
		known++
		for _, s := range []string{string(r), "a" + string(r), string(r) + "a", "é" + string(r) + "’"} {
			if !norm.NFC.IsNormalString(s) {
				t.Errorf("%U in %q is not in form C", r, s)
			}
		}
	}
	if known < 800 {
		t.Errorf("%d characters are known", known)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for at := range 8 {
		for b := range 256 {
			for _, others := range []byte{' ', '~', 'a'} {
				word := bytes.Repeat([]byte{others}, 8)
				word[at] = byte(b)
				if got, want := framework.Printable(binary.LittleEndian.Uint64(word)), b >= 0x20 && b < 0x7F; got != want {
					t.Errorf("printable(%q) = %t", word, got)
				}
			}
		}
	}
}

// TestScanCountsWhatTheParserBuilds makes text of the marks that YAML is made of,
// and holds the scan's count against the parser's tree.
func TestScanCountsWhatTheParserBuilds(t *testing.T) {
	t.Parallel()
	marks := rapid.SampledFrom([]string{
		"a", "b c", "é", ":", ": ", ":\n", "- ", "-", "\n", "\n  ", "\n    ", "\n\n", " ", "[", "]", "{", "}", ", ", ",", "#", " # c\n",
		"'", "\"", "''", "\\", "|\n", ">-\n", "|2\n", "? ", "---\n", "...\n", "&x ", "*x", "!t ", "%", "@", "a: ", "- a\n", "'a' ", "k: v\n", "  k: v\n",
	})
	compared := 0
	rapid.Check(t, func(rt *rapid.T) {
		data := []byte(strings.Join(rapid.SliceOfN(marks, 1, 24).Draw(rt, "marks"), ""))
		tokens, ok := framework.ScanTokens(data)
		if !ok {
			return
		}
		var n yaml.Node
		if yaml.Unmarshal(data, &n) != nil {
			return
		}
		compared++
		if least, _ := measure(&n); least > tokens {
			rt.Fatalf("the tree takes at least %d tokens, the scan counted %d: %q", least, tokens, data)
		}
	})
	if compared == 0 {
		t.Error("no text passed both: the test does not test")
	}
}
