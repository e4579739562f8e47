package framework_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"muster/internal/framework"
)

// FuzzRead holds three promises. Nothing panics. What the scan lets through costs
// the YAML parser what the scan counted: the two agree on where tokens are. And
// the canonical form of an accepted pack is a pack with the same digest.
func FuzzRead(f *testing.F) {
	sound, err := os.ReadFile("testdata/harbour.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sound)
	f.Add(bytes.ReplaceAll(sound, []byte("\n"), []byte("\r\n")))
	ours := strings.Replace(string(sound), "languages: [en, fr]\n", "languages: [en, fr]\nanswered_by: coordinator\naudience: allied\n", 1)
	f.Add([]byte(strings.Replace(ours, lampDescriptors, "", 1)))
	for _, seed := range []string{
		"a: b\nc:\n- d\n- e: f\n  g: h\n", "a:\n  b: |\n    c\n\n    d\n  e: >-2\n      f\n    g\n", "- - - a\n  - b\n- {c: d, e: [f, g], \"h\":i}\n",
		"a: b # c\n# d\ne: 'f''g\n  h'\n", "a: \"b\\\"\n  c\\\n  d\"\ne: f\n  g\n  h\n", "a: &b c\nd: *b\ne: !f g\n", "---\na: b\n...\n---\nc\n",
		"{a: b, ? c, d}\n", "a: b: c\n", "[a, [b, {c}], ]\n", "? a\n: b\n", "a: |+\n\n\n  b\n c: d\n", "a:\n    b: c\n  d: e\n", "- a\n b\n-\n  - c\n",
		"a: b\n  - c\n", "a: [b\nc]\nd: {e:\nf}\n", "\"a\": 'b'\n'c' : d\n? \n", "a: -b\nc: ?d\ne: :f\n", "é: ü\n- ö: ä\n", "a: # b\n  c\n", "%YAML 1.2\n---\na\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := framework.Read("p", bytes.NewReader(data))
		if err == nil {
			again, err := framework.Read("p", bytes.NewReader(p.Canonical()))
			if err != nil {
				t.Fatalf("canonical form is no pack: %v", err)
			}
			if again.Digest != p.Digest {
				t.Fatalf("canonical form has digest %x, the pack %x", again.Digest, p.Digest)
			}
			if _, err := framework.NewLayout(p); err != nil {
				t.Logf("no layout: %v", err)
			}
		}
		tokens, ok := framework.ScanTokens(data)
		if !ok {
			return
		}
		var n yaml.Node
		if yaml.Unmarshal(data, &n) != nil {
			return
		}
		least, depth := measure(&n)
		if least > tokens {
			t.Errorf("the tree takes at least %d tokens, the scan counted %d", least, tokens)
		}
		if depth > 2*framework.MaxDepth+2 {
			t.Errorf("%d levels, which the scan did not see", depth)
		}
	})
}

// measure returns how many tokens the tree at n takes to write, as the scan counts
// them and if no comma or colon is there in vain; and its levels of collections.
func measure(n *yaml.Node) (tokens, depth int) {
	flow := n.Style&yaml.FlowStyle != 0
	switch {
	case n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		tokens++
	case n.Kind == yaml.AliasNode:
		return 2, 0 // the property and the node that it is
	}
	switch {
	case n.Kind == yaml.ScalarNode && (n.Value != "" || n.Style&^yaml.TaggedStyle != 0):
		tokens++
	case n.Kind == yaml.MappingNode && flow && len(n.Content) > 0:
		tokens += len(n.Content)/2 - 1 // commas; a pair in a list has no brackets
	case n.Kind == yaml.MappingNode && !flow:
		tokens += len(n.Content) / 2 // colons
	case n.Kind == yaml.SequenceNode && flow:
		tokens += max(len(n.Content), 1) // bracket and commas
	case n.Kind == yaml.SequenceNode:
		tokens += len(n.Content) // dashes
	}
	for _, child := range n.Content {
		below, deep := measure(child)
		tokens, depth = tokens+below, max(depth, deep)
	}
	return tokens, depth + 1
}
