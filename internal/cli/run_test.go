package cli_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/cli"
	"muster/packs"
)

// runOn runs a command with both streams on a terminal of that width, or on none
// if it is 0.
func runOn(t *testing.T, width int, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), args, cli.Env{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Rand: rand.Reader, Now: time.Now,
		Getenv: func(string) string { return "" }, Packs: packs.FS(),
		Terminal: func(io.Writer) (int, bool) { return width, width > 0 },
	})
	return code, stdout.String(), stderr.String()
}

// TestTerminal rehearses on terminals and without one: only a terminal gets
// progress (if it takes long enough), in one line that is taken away again, and an
// end of line after JSON.
func TestTerminal(t *testing.T) {
	t.Parallel()
	answers := t.TempDir()
	for i := range 10 {
		body := "outcome,level,verified,evidence,target\nL1.1,1,,,\nL1.2,1,,,\nL2.1,1,,,\n"
		if err := os.WriteFile(filepath.Join(answers, fmt.Sprintf("m%d.csv", i)), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pack := filepath.Join("..", "framework", "testdata", "harbour.yaml")
	for _, width := range []int{0, 1, 20, 80} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			result := filepath.Join(t.TempDir(), "result")
			code, out, err := runOn(t, width, "rehearse", "--in-process", "--framework", pack, "--answers", answers, "--out", result, "--json")
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, err)
			}
			release, readErr := os.ReadFile(filepath.Join(result, "release.json"))
			if readErr != nil {
				t.Fatal(readErr)
			}
			said := regexp.MustCompile(`muster: the result is in .*\n$`)
			progress := said.ReplaceAllString(err, "")
			if progress == err {
				t.Errorf("stderr %q does not end with where the result is", err)
			}
			if width == 0 {
				if out != string(release) || progress != "" {
					t.Errorf("without a terminal: stdout is the release: %v; progress %q", out == string(release), progress)
				}
				return
			}
			if out != string(release)+"\n" {
				t.Error("stdout is not the release and an end of line")
			}
			lines := strings.Split(progress, "\r")
			for _, line := range lines {
				if len(line) != 0 && len(line) != width-1 {
					t.Errorf("%q has not the width of the terminal less one", line)
				}
			}
			if n := len(lines); n > 1 && (strings.TrimSpace(lines[n-2]) != "" || lines[n-1] != "") {
				t.Errorf("the progress is not taken away: %q", progress)
			}
		})
	}
}

// TestNoProcess rehearses where no process of a host can be started.
func TestNoProcess(t *testing.T) {
	t.Parallel()
	silent, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		program func() (string, error)
		want    string
	}{
		"the program is not known":      {func() (string, error) { return "", errors.New("no such system call") }, "muster: error: the process of a host cannot be started: no such system call\n"},
		"the program is gone":           {func() (string, error) { return filepath.Join(t.TempDir(), "gone"), nil }, "muster: error: the process of a host cannot be started: .*no such file or directory\n"},
		"the program is something else": {func() (string, error) { return silent, nil }, "muster: error: the process of the (Leader|Helper) does not serve: it ended before it was ready: exit status 0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := cli.Run(t.Context(), []string{"demo", "--one-cycle", "--members", "12"}, cli.Env{
				In: strings.NewReader(""), Out: &stdout, Err: &stderr, Rand: rand.Reader, Now: time.Now,
				Getenv: func(string) string { return "" }, Packs: packs.FS(),
				Terminal: func(io.Writer) (int, bool) { return 0, false }, Program: row.program,
			})
			want := regexp.MustCompile("^" + row.want + "muster: hint: with --in-process both hosts run in this process, without a network\n$")
			if code != 1 || stdout.Len() > 0 || !want.MatchString(stderr.String()) {
				t.Errorf("exit code %d, stderr %q", code, &stderr)
			}
		})
	}
}
