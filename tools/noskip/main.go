// Command noskip runs `go test -json` and prints what go test prints without
// -v, except that a skipped test is a failure and is named with its reason.
//
//	go run -C tools ./noskip ./...
//
// It is for machines that have everything that a test may want. The arguments
// go to go test, which runs in the folder above the working directory. The exit
// status is that of go test, or 1 where a test was skipped or none ran.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sort"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	code, err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "noskip:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run starts go test and returns its exit status.
func run(ctx context.Context, args []string, out io.Writer) (int, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir = ".."
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 1, err
	}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	sum, readErr := render(events, out)
	if readErr != nil {
		// What is left is drained, so that go test does not block on a full pipe.
		_, _ = io.Copy(io.Discard, events)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), readErr
	case err != nil || readErr != nil:
		return 1, errors.Join(err, readErr)
	}
	return 0, sum.verdict()
}

// An event is one line of go test -json; see `go doc cmd/test2json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

type summary struct {
	passed  int      // tests, subtests included
	skipped []string // "package test: reason"
}

func (s summary) verdict() error {
	if len(s.skipped) > 0 {
		return fmt.Errorf("%d tests were skipped, and none may be:\n%s", len(s.skipped), strings.Join(s.skipped, "\n"))
	}
	if s.passed == 0 {
		return errors.New("no test ran")
	}
	return nil
}

type testID struct{ pkg, test string }

// render reads the events and writes the lines of packages as they come, and
// the whole output of a test that fails.
func render(events io.Reader, out io.Writer) (summary, error) {
	var sum summary
	pending := map[testID]*strings.Builder{} // output of tests that have not ended
	for dec := json.NewDecoder(events); ; {
		var e event
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return sum, nil
		} else if err != nil {
			return sum, fmt.Errorf("read go test -json: %w", err)
		}
		id := testID{e.Package, e.Test}
		switch {
		case e.Action == "output" && e.Test == "":
			if e.Output != "PASS\n" {
				fmt.Fprint(out, e.Output)
			}
		case e.Action == "build-output":
			fmt.Fprint(out, e.Output)
		case e.Action == "output":
			if pending[id] == nil {
				pending[id] = new(strings.Builder)
			}
			pending[id].WriteString(e.Output)
		case e.Test == "":
			if e.Action == "fail" {
				flush(pending, e.Package, out)
			}
		case e.Action == "pass":
			sum.passed++
			delete(pending, id)
		case e.Action == "skip":
			sum.skipped = append(sum.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(pending[id])))
			delete(pending, id)
		case e.Action == "fail":
			if b := pending[id]; b != nil {
				fmt.Fprint(out, b)
			}
			delete(pending, id)
		}
	}
}

// flush writes what the tests of a package said that never ended: a panic, an
// exit or a timeout took them down.
func flush(pending map[testID]*strings.Builder, pkg string, out io.Writer) {
	var ids []testID
	for id := range pending {
		if id.pkg == pkg {
			ids = append(ids, id)
		}
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i].test < ids[j].test })
	for _, id := range ids {
		fmt.Fprint(out, pending[id])
		delete(pending, id)
	}
}

// reason is what a skipped test printed besides the lines of the test runner.
func reason(output *strings.Builder) string {
	if output == nil {
		return "no reason given"
	}
	var said []string
	for line := range strings.Lines(output.String()) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}
