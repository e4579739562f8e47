package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWarnEach(t *testing.T) {
	t.Parallel()
	for n, last := range map[int]string{0: "", 1: "", 10: "", 11: "and 1 more file", 12: "and 2 more files", 2000: "and 1990 more files"} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			var lines, want []string
			for i := range n {
				lines = append(lines, fmt.Sprintf("w%d", i+1))
				if i < maxWarnings {
					want = append(want, "muster: warning: "+lines[i]+"\n")
				}
			}
			if n > maxWarnings {
				want = append(want, "muster: warning: "+last+"\n")
			}
			var out strings.Builder
			warnEach(Env{Err: &out}, lines, "file", "files")
			if diff := cmp.Diff(strings.Join(want, ""), out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
