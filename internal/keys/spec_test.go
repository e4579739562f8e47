package keys_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"muster/internal/keys"
)

// The lists and the example of the specification are those of the program.
func TestWordsSpecification(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("../../docs/spec/words.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(src), "```text\n")
	if len(blocks) != 4 {
		t.Fatalf("%d blocks", len(blocks)-1)
	}
	var written [3]string
	for i, b := range blocks[1:] {
		written[i], _, _ = strings.Cut(b, "\n```")
	}
	var digest [32]byte
	for i := range digest {
		digest[i] = byte(i)
	}
	if want := strings.Join(keys.WordLines(digest), "\n"); written[0] != want {
		t.Errorf("the example is\n%s\nwant\n%s", written[0], want)
	}
	for i, list := range wordLists() {
		if !slices.Equal(strings.Fields(written[i+1]), list) {
			t.Errorf("list %d differs", i+1)
		}
	}
}
