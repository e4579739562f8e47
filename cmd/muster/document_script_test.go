package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/doctest"
)

// documentCommands run what a document tells its reader to type.
func documentCommands() map[string]func(*testscript.TestScript, bool, []string) {
	ran := make(map[string][]doctest.Command) // by work folder and document
	return map[string]func(*testscript.TestScript, bool, []string){
		"section": func(ts *testscript.TestScript, neg bool, args []string) {
			usage(ts, neg, len(args) == 2 || len(args) == 3, "section DOCUMENT HEADING [CODE]")
			want := 0
			if len(args) == 3 {
				code, err := strconv.Atoi(args[2])
				ts.Check(err)
				want = code
			}
			commands := sectionCommands(ts, args[0], args[1])
			if len(commands) == 0 {
				ts.Fatalf("%s: %q holds no command", args[0], args[1])
			}
			for _, c := range commands {
				typed(ts, c, want)
			}
			key := ts.Getenv("WORK") + " " + args[0]
			ran[key] = append(ran[key], commands...)
		},
		"documented": func(ts *testscript.TestScript, neg bool, args []string) {
			usage(ts, neg, len(args) == 1, "documented DOCUMENT")
			done := ran[ts.Getenv("WORK")+" "+args[0]]
			for _, b := range doctest.Blocks(args[0], document(ts, args[0])) {
				for _, c := range b.Commands() {
					if !slices.ContainsFunc(done, func(d doctest.Command) bool { return d.Line == c.Line }) && c.Args[0] == "muster" {
						ts.Fatalf("%s:%d: %s: this story did not run it", c.File, c.Line, c.Text)
					}
				}
			}
		},
	}
}

func document(ts *testscript.TestScript, name string) []byte {
	src, err := os.ReadFile(filepath.Join(ts.Getenv("DOCS"), name))
	ts.Check(err)
	return src
}

// sectionCommands returns the commands of muster below a heading, to the next
// heading of any kind.
func sectionCommands(ts *testscript.TestScript, name, heading string) []doctest.Command {
	src := document(ts, name)
	first, last := 0, 0
	for i, line := range strings.Split(string(src), "\n") {
		switch {
		case !strings.HasPrefix(line, "#"):
		case first > 0 && last == 0:
			last = i + 1
		case strings.TrimLeft(line, "# ") == heading:
			first = i + 1
		}
	}
	if first == 0 {
		ts.Fatalf("%s has no heading %q", name, heading)
	}
	var commands []doctest.Command
	for _, b := range doctest.Blocks(name, src) {
		if b.Line < first || last > 0 && b.Line > last {
			continue
		}
		for _, c := range b.Commands() {
			if c.Args[0] == "muster" {
				commands = append(commands, c)
			}
		}
	}
	return commands
}

// typed runs one command as the reader would. A host that serves goes on to the
// story's end.
func typed(ts *testscript.TestScript, c doctest.Command, want int) {
	c.Args = slices.Clone(c.Args)
	for i, arg := range c.Args { // what a reader puts in its place
		if name, ok := map[string]string{"DIGEST": "DIGEST", "OLD-DIGEST": "DIGEST_OF"}[arg]; ok {
			c.Args[i] = ts.Getenv(name)
		}
	}
	serves := strings.HasPrefix(c.Text, "muster host serve ") || strings.HasPrefix(c.Text, "muster workspace serve ") || strings.HasPrefix(c.Text, "muster coordinator serve ")
	if !serves || slices.Contains(c.Args, "--check") {
		if code := exitCode(ts, ts.Exec("muster", c.Args[1:]...)); code != want {
			ts.Fatalf("%s:%d: %s: exit code %d, want %d\n%s", c.File, c.Line, c.Text, code, want, ts.ReadFile("stderr"))
		}
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	program, err := lookIn(ts.Getenv("PATH"), "muster")
	ts.Check(err)
	cmd := exec.CommandContext(ctx, program, c.Args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), clockVariable + "=" + ts.Getenv(clockVariable)}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	ts.Check(cmd.Start())
	ts.Defer(func() {
		stop()
		_ = cmd.Wait() // stopped by us: its error says that
	})
}

func lookIn(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		program := filepath.Join(dir, name)
		if info, err := os.Stat(program); err == nil && info.Mode().IsRegular() {
			return program, nil
		}
	}
	return "", fmt.Errorf("%s is not in %s", name, path)
}
