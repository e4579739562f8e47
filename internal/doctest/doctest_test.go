package doctest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/doctest"
)

const document = "# A title: `make` it\n" +
	"\n" +
	"See [the map](ARCHITECTURE.md#the-map), [this](#a-title-make-it \"up\") and `[not](this.md)`.\n" +
	"\n" +
	"```sh\n" +
	"make demo            # a comment\n" +
	"\n" +
	"# only a comment\n" +
	"bin/muster rehearse --answers \"a folder\" \\\n" +
	"    --out 'x#y'\n" +
	"```\n" +
	"\n" +
	"  ~~~text\n" +
	"muster: [no](link.md)\n" +
	"# no heading\n" +
	"```\n" +
	"~~~\n" +
	"\n" +
	"[map]: <docs/design/modules.md>\n" +
	"## Ending_here ##\n"

func TestBlocks(t *testing.T) {
	t.Parallel()
	want := []doctest.Block{
		{"d.md", 6, "sh", "make demo            # a comment\n\n# only a comment\nbin/muster rehearse --answers \"a folder\" \\\n    --out 'x#y'\n"},
		{"d.md", 14, "text", "muster: [no](link.md)\n# no heading\n```\n"},
	}
	if diff := cmp.Diff(want, doctest.Blocks("d.md", []byte(document))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	var got []doctest.Command
	for _, b := range doctest.Blocks("d.md", []byte(document)) {
		got = append(got, b.Commands()...)
	}
	want := []doctest.Command{
		{"d.md", 6, "make demo", []string{"make", "demo"}},
		{
			"d.md", 9, `bin/muster rehearse --answers "a folder" --out 'x#y'`,
			[]string{"bin/muster", "rehearse", "--answers", "a folder", "--out", "x#y"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	want := []doctest.Link{
		{"d.md", 3, "ARCHITECTURE.md#the-map"},
		{"d.md", 3, "#a-title-make-it"},
		{"d.md", 19, "docs/design/modules.md"},
	}
	if diff := cmp.Diff(want, doctest.Links("d.md", []byte(document))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	const src = "package a // see docs/spec/pack.md.\n" +
		"/* docs/design, (docs/design/one-hot-blocks.md) and olddocs/x.md;\n" +
		"docs/ is a folder */ const f = \"../../docs/spec/gone.md\"\n"
	want := []doctest.Link{
		{"a.go", 1, "docs/spec/pack.md"},
		{"a.go", 2, "docs/design"},
		{"a.go", 2, "docs/design/one-hot-blocks.md"},
		{"a.go", 3, "docs/spec/gone.md"},
	}
	if diff := cmp.Diff(want, doctest.Documents("a.go", []byte(src))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	want := map[string]bool{"a-title-make-it": true, "ending_here": true}
	if diff := cmp.Diff(want, doctest.Anchors([]byte(document))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
