package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"muster/internal/doctest"
)

// What README tells a newcomer to type works, in its order, in an empty folder.
// (doctest checks the targets of make.)
func TestReadme(t *testing.T) {
	src, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	ran := 0
	for _, b := range doctest.Blocks("README.md", src) {
		for _, c := range b.Commands() {
			if c.Args[0] != "bin/muster" {
				continue
			}
			ran++
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), c.Args[1:], strings.NewReader(""), &stdout, &stderr); code != 0 {
				t.Fatalf("%s:%d: %s: exit code %d\n%s", c.File, c.Line, c.Text, code, &stderr)
			}
			if stdout.Len() == 0 {
				t.Errorf("%s:%d: %s: prints nothing", c.File, c.Line, c.Text)
			}
		}
	}
	if ran == 0 {
		t.Error("README.md holds no command of muster")
	}
}
