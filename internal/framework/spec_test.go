package framework_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/framework"
)

// TestSpecification executes docs/spec/pack.md: its example is a pack, with the
// canonical form and the digest that stand there.
func TestSpecification(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/spec/pack.md")
	if err != nil {
		t.Fatal(err)
	}
	spec := string(data)
	p, err := framework.Read("pack.md", strings.NewReader(fenced(t, spec, "yaml")))
	if err != nil {
		t.Fatal(err)
	}
	digest := hex.EncodeToString(p.Digest[:])
	if *update {
		spec = strings.Replace(spec, fenced(t, spec, "json"), string(p.Canonical())+"\n", 1)
		spec = strings.Replace(spec, fenced(t, spec, ""), digest+"\n", 1)
		if err := os.WriteFile("../../docs/spec/pack.md", []byte(spec), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(fenced(t, spec, "json"), string(p.Canonical())+"\n"); diff != "" {
		t.Errorf("canonical form (-specified +computed):\n%s", diff)
	}
	if diff := cmp.Diff(fenced(t, spec, ""), digest+"\n"); diff != "" {
		t.Errorf("digest (-specified +computed):\n%s", diff)
	}
	for _, limit := range []string{"32 MiB", "64 levels", "500,000", "64 KiB", "8 MiB", framework.Format} {
		if !strings.Contains(spec, limit) {
			t.Errorf("the specification does not say %q", limit)
		}
	}
	for _, marking := range framework.Markings() {
		if !strings.Contains(spec, "`"+marking+"`") {
			t.Errorf("the specification does not name %s", marking)
		}
	}
}

// fenced returns the first block of that language in a Markdown text.
func fenced(t *testing.T, text, language string) string {
	t.Helper()
	inside, found := false, false
	var block strings.Builder
	for line := range strings.Lines(text) {
		switch {
		case !strings.HasPrefix(line, "```"):
			if found {
				block.WriteString(line)
			}
		case inside && found:
			return block.String()
		default:
			found = !inside && line == "```"+language+"\n"
			inside = !inside
		}
	}
	t.Fatalf("there is no block of language %q", language)
	return ""
}
