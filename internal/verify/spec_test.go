package verify_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/verify"
)

//go:generate env MUSTER_UPDATE_GOLDEN=1 go test -count=1 -run ^TestReportDocument$ .

const document = "../../docs/spec/verification.md"

var place = regexp.MustCompile(`%(\[\d\])?[ds]`)

// TestReportDocument holds the tables of docs/spec/verification.md to the steps, the
// sentences and what cannot be proven.
func TestReportDocument(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	var steps, sentences, limits strings.Builder
	for _, s := range verify.Steps() {
		fmt.Fprintf(&steps, "| `%s` | %s |\n", s, s.Title()["en"])
	}
	for _, c := range slices.Sorted(slices.Values(verify.Codes())) {
		english, _ := verify.Template(c)
		fmt.Fprintf(&sentences, "| `%s` | %s |\n", c, place.ReplaceAllString(english, "…"))
	}
	for _, l := range verify.Limits() {
		fmt.Fprintf(&limits, "| `%s` | %s |\n", l.Code, l.Text["en"])
	}
	want := text
	for name, table := range map[string]string{"steps": steps.String(), "codes": sentences.String(), "limits": limits.String()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
		before, rest, ok := strings.Cut(want, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("the document has no place for the table of %s", name)
		}
		want = before + begin + table + end + after
	}
	if os.Getenv("MUSTER_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(document, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("docs/spec/verification.md (-there is +it says), go generate ./internal/verify writes it:\n%s", diff)
	}
}
