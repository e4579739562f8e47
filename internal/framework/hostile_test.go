package framework_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/framework"
)

const mib = 1 << 20

// nested returns lines each indented by one more.
func nested(line string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + line + "\n")
	}
	return b.String()
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// fill repeats s up to n bytes.
func fill(s string, n int) string { return strings.Repeat(s, n/len(s)) }

// laughs is a billion of them: nine lists of ten aliases to the one before.
func laughs() string {
	var b strings.Builder
	b.WriteString("format: muster-pack/1\na0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n")
	for i := range 9 {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	return b.String()
}

// TestHostileFiles holds every refusal of a file made to cost to a second and to
// memory in proportion to the file. Both are some ten times what was measured.
func TestHostileFiles(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       string // in the first fault
	}{
		{"80 kB of square brackets", strings.Repeat("[", 80_000), "levels of nesting"},
		{"80 kB of braces", strings.Repeat("{", 80_000), "levels of nesting"},
		{"brackets as deep as allowed, and wide", strings.Repeat("[", 60) + fill("a,", 20*mib), "keys, values and marks"},
		{"80 kB of dashes", strings.Repeat("- ", 40_000), "levels of nesting"},
		{"deep block indentation", nested("a:", 5_000), "levels of nesting"},
		{"deep lists by indentation", nested("-", 5_000), "levels of nesting"},
		{"deep brackets as keys", strings.Repeat("[{", 40_000), "levels of nesting"},
		{"a billion laughs", laughs(), "an anchor"},
		{"aliases without end", "a: &a [x]\n" + numbered("k%d: *a\n", 2_000_000), "an anchor"},
		{"anchors without end", numbered("k%d: &a%[1]d x\n", 1_000_000), "an anchor"},
		{"33 MiB of text", fill("a line of text\n", 33*mib), "larger than 32 MiB"},
		{"31 MiB of lists", fill("- a\n", 31*mib), "keys, values and marks"},
		{"31 MiB in one list", "[" + fill("a,", 31*mib), "keys, values and marks"},
		{"31 MiB of keys", numbered("key%d: a\n", 2*mib), "keys, values and marks"},
		{"31 MiB of braces side by side", "[" + fill("{},", 31*mib), "keys, values and marks"},
		{"31 MiB of NUL", fill("\x00", 31*mib), "a NUL byte"},
		{"NUL at the end", fill("# comment\n", mib) + "\x00", "a NUL byte"},
		{"one word of 31 MiB", "a: " + fill("x", 31*mib), "a text of more than"},
		{"one sentence of 31 MiB", "a: " + fill("word ", 31*mib), "a text of more than"},
		{"one sentence of 31 MiB in quotes", `a: "` + fill("word ", 31*mib) + `"`, "a text of more than"},
		{"31 MiB of escapes", `a: "` + fill(`\x41`, 31*mib) + `"`, "a text of more than"},
		{"a quote never closed", "a: '" + fill("word\n", 31*mib), "a text of more than"},
		{"31 MiB of literal text", "a: |\n" + fill("  word word word word\n", 31*mib), "a text of more than"},
		{"31 MiB of blank lines in literal text", "a: |\n" + fill("\n", 31*mib), "a text of more than"},
		{"31 MiB of comments", fill("# word word word word\n", 31*mib), "comments and white space"},
		{"31 MiB in one comment", "# " + fill("word ", 31*mib), "comments and white space"},
		{"31 MiB of blank lines", fill("\n", 31*mib), "comments and white space"},
		{"31 MiB of spaces", "a: b\nc:" + fill(" ", 31*mib), "comments and white space"},
		{"31 MiB of spaces between words", "[" + fill("a"+strings.Repeat(" ", 511)+",", 31*mib) + "]", "comments and white space"},
		{"31 MiB of forbidden characters", fill("\u202e", 31*mib), "direction of text"},
		{"31 MiB of tabs", fill("\t", 31*mib), "a tab"},
		{"31 MiB of bytes that are not UTF-8", fill("\xff\xc3", 31*mib), "not UTF-8"},
		{"31 MiB of carriage returns", fill("\r", 31*mib), "a control character"},
		{"UTF-16, little-endian", "\xff\xfe" + fill("f\x00", mib), "UTF-16"},
		{"UTF-16, big-endian", "\xfe\xff" + fill("\x00f", mib), "UTF-16"},
		{"UTF-16 without a mark", fill("f\x00", mib), "a NUL byte"},
		{"a byte order mark", "\xef\xbb\xbfformat: muster-pack/1\n", "byte order mark"},
		{"31 MiB of colons", fill("a: b: ", 31*mib), "a colon inside text"},
		{"31 MiB of question marks", "[" + fill("a? ", 31*mib), "in a text without quotes"},
		{"tags without end", fill("!a ", 31*mib), "a tag"},
		{"documents without end", fill("---\na: b\n", 31*mib), `key "format" is missing`},
		{"directives without end", fill("%YAML 1.2\n", 31*mib), "a YAML directive"},
		{"100,000 unknown keys", "format: muster-pack/1\n" + numbered("k%d: v\n", 100_000), "unknown key"},
		{"100,000 repeated keys", "format: muster-pack/1\n" + strings.Repeat("id: v\n", 100_000), "appears again"},
		{"100,000 languages", "format: muster-pack/1\nlanguages:\n" + numbered("- l%d\n", 100_000), "is missing"},
		{"100,000 areas", "format: muster-pack/1\nareas:\n" + strings.Repeat("- {}\n", 100_000), "is missing"},
		{"100,000 crosswalk ids", "format: muster-pack/1\ncrosswalks: {a: {title: t, version: v}}\nareas:\n- outcomes:\n  - crosswalk:\n      a:\n" +
			numbered("      - i%d\n", 100_000), "is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var err error
			best, alloc := time.Hour, uint64(0)
			for range 20 { // of which the best counts: other programs run too
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				_, err = framework.Read("p", strings.NewReader(test.text))
				best = min(best, time.Since(start))
				runtime.ReadMemStats(&after)
				alloc = after.TotalAlloc - before.TotalAlloc
				if best < 500*time.Millisecond || underRace {
					break
				}
			}
			faults, ok := errors.AsType[errs.Faults](err)
			if !ok || !strings.Contains(faults[0].Message, test.want) {
				t.Fatalf("err = %v, want a fault with %q", err, test.want)
			}
			if len(faults) > errs.MaxFaults {
				t.Errorf("%d faults, want at most %d", len(faults), errs.MaxFaults)
			}
			t.Logf("%8.1f ms, %6.1f MiB allocated beyond the file", best.Seconds()*1000, float64(alloc)/mib-float64(len(test.text))/mib)
			if underRace {
				return
			}
			if best > time.Second {
				t.Errorf("took %v, want at most a second", best)
			}
			if limit := uint64(len(test.text) + 64*mib); alloc > limit {
				t.Errorf("allocated %d MiB for a file of %d", alloc/mib, len(test.text)/mib)
			}
		})
	}
}

// TestEndlessReader reads from what has neither an end nor a size.
func TestEndlessReader(t *testing.T) {
	t.Parallel()
	_, err := framework.Read("p", endless{})
	if err == nil || !strings.Contains(err.Error(), "larger than 32 MiB") {
		t.Errorf("err = %v, want a refusal of the size", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	return len(p), nil
}

func TestReadErrorIsNoFault(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	_, err := framework.Read("p", io.MultiReader(bytes.NewReader([]byte("format: ")), failing{broken}))
	if !errors.Is(err, broken) || errs.KindOf(err) != errs.Internal {
		t.Errorf("err = %v, want the reader's own", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
