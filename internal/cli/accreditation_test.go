package cli_test

//go:generate env MUSTER_UPDATE_GOLDEN=1 go test -count=1 -run ^TestAccreditationDocument$ .

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cli"
)

// The document in the project is what the program prints of itself.
func TestAccreditationDocument(t *testing.T) {
	t.Parallel()
	const name = "../../docs/ops/accreditation.md"
	var want bytes.Buffer
	if err := cli.WriteAccreditation(&want); err != nil {
		t.Fatal(err)
	}
	want.WriteString("\n")
	if os.Getenv("MUSTER_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s is not what the program says (make generate): -program +document\n%s", name, diff)
	}
	for _, must := range []string{"## Known limits", "One honest host is enough for secrecy", "| POST | `/tasks/{task}/aggregation_jobs` | the Leader |", "`cycle.key`", "**batch_buckets**"} {
		if !strings.Contains(want.String(), must) {
			t.Errorf("the document does not say %q", must)
		}
	}
}
