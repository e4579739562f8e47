//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallAnswers fills a folder with the same good answers of n members.
func smallAnswers(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		body := "outcome,level,verified,evidence,target\nL1.1,1,,,2\nL1.2,3,2,E1,3\nL2.1,withheld,,,\n"
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("m%03d.csv", i)), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// TestStop stops commands at different times, as Ctrl-C and a shutdown do. They
// end at once, say so, and leave neither a scratch folder nor half a result.
func TestStop(t *testing.T) {
	t.Parallel()
	answers := smallAnswers(t, 1000)
	commands := map[string][]string{
		"rehearse": {"rehearse", "--framework", filepath.Join("testdata", "lights.yaml"), "--answers", answers, "--out"},
		"demo":     {"demo", "--one-cycle", "--members", "200", "--data"},
	}
	for name, args := range commands {
		for signal, stop := range map[string]os.Signal{"interrupt": os.Interrupt, "terminate": syscall.SIGTERM} {
			for _, after := range []time.Duration{0, 50 * time.Millisecond, 300 * time.Millisecond} {
				t.Run(fmt.Sprintf("%s/%s/%v", name, signal, after), func(t *testing.T) {
					t.Parallel()
					scratch, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
					cmd := exec.Command("muster", append(args, out)...)
					cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
					var stdout, stderr bytes.Buffer
					cmd.Stdout, cmd.Stderr = &stdout, &stderr
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					ended := make(chan error, 1)
					go func() { ended <- cmd.Wait() }()
					for len(names(t, scratch)) == 0 { // it has begun when its scratch folder is there
						select {
						case err := <-ended:
							t.Fatalf("ended before it was stopped: %v\n%s", err, &stderr)
						case <-time.After(time.Millisecond):
						}
					}
					time.Sleep(after)
					if err := cmd.Process.Signal(stop); err != nil {
						t.Fatal(err)
					}
					var err error
					select {
					case err = <-ended:
					case <-time.After(10 * time.Second):
						_ = cmd.Process.Kill()
						t.Fatal("does not stop")
					}
					if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
						t.Errorf("ended with %v, want exit code 1", err)
					}
					if !strings.HasSuffix(stderr.String(), "muster: stopped\n") {
						t.Errorf("stderr is %q, want muster: stopped", &stderr)
					}
					if stdout.Len() > 0 {
						t.Errorf("stdout has %d bytes", stdout.Len())
					}
					if left := names(t, scratch); len(left) > 0 {
						t.Errorf("left in the scratch folder: %v", left)
					}
					if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
						t.Errorf("the output folder is there: %v (%v)", names(t, out), err)
					}
				})
			}
		}
	}
}

// TestStopBefore calls the program when it has been stopped already.
func TestStopBefore(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var stdout, stderr bytes.Buffer
	out := filepath.Join(t.TempDir(), "out")
	code := run(ctx, []string{"rehearse", "--framework", filepath.Join("testdata", "lights.yaml"), "--answers", smallAnswers(t, 10), "--out", out},
		strings.NewReader(""), &stdout, &stderr)
	if code != 1 || stdout.Len() > 0 || !strings.HasSuffix(stderr.String(), "muster: stopped\n") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
	if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the output folder is there: %v (%v)", names(t, out), err)
	}
}

// TestClosedPipe ends the reader of the picture after its first line, as head
// does. The program dies of it like any other, and leaves nothing behind.
func TestClosedPipe(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"demo", "--headless"}, {"demo", "--json"}, {"framework", "show", "muster-core"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			scratch := t.TempDir()
			cmd := exec.Command("muster", args...)
			cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			// Closed before anything is written: pictures fit into a pipe's buffer.
			_ = reader.Close()
			cmd.Stdout = writer
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = writer.Close()
			err = cmd.Wait()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGPIPE {
				t.Errorf("ended with %v, want SIGPIPE", err)
			}
			if left := names(t, scratch); len(left) > 0 {
				t.Errorf("left in the scratch folder: %v", left)
			}
		})
	}
}
