package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/process"
)

// roleVariable says what this test binary plays when it is started by itself.
const roleVariable = "MUSTER_PROCESS_TEST"

func TestMain(m *testing.M) {
	args := os.Args[1:]
	if len(args) == 2 && args[0] == roleVariable {
		os.Exit(play(args[1]))
	}
	os.Exit(m.Run())
}

// play is a child, or a parent that has one.
func play(role string) int {
	if kind, ok := strings.CutPrefix(role, "parent "); ok {
		return playParent(kind)
	}
	// Whoever is connected here sees when this process ends.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 3
	}
	ctx, stop := process.Follow(context.Background(), os.Stdin, func(line string) { fmt.Fprintln(os.Stderr, "heard", line) })
	defer stop()
	if role == "mute" {
		return 4
	}
	fmt.Println(l.Addr())
	fmt.Println("and more")
	<-ctx.Done()
	if role == "deaf" { // never stops by itself, nor does the runtime take it for a deadlock
		for {
			time.Sleep(time.Hour)
		}
	}
	fmt.Fprintln(os.Stderr, "stopped")
	if role == "bad" {
		return 5
	}
	return 0
}

func playParent(kind string) int {
	child, err := process.Start(process.Config{Path: os.Args[0], Args: []string{roleVariable, "good"}})
	if err != nil {
		return 3
	}
	line, err := child.Ready(context.Background())
	if err != nil {
		return 3
	}
	fmt.Println(line)
	// The test says when.
	if _, err := io.ReadAll(os.Stdin); err != nil {
		return 3
	}
	switch kind {
	case "panic":
		panic("as a defect would")
	case "exit": // without a word to the child
		return 0
	}
	select {} // until it is killed
}

// start starts the test binary in a role and returns what it prints first and
// the file of its standard error.
func start(t *testing.T, role string, grace time.Duration) (*process.Child, *os.File) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	child, err := process.Start(process.Config{Path: os.Args[0], Args: []string{roleVariable, role}, Log: log, Grace: grace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Stop() })
	return child, log
}

// connect opens a connection that ends when the process behind it does.
func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// gone waits until the process behind a connection has ended.
func gone(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the process is still there")
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		role  string
		grace time.Duration
		want  string // in how it ended
	}{
		"ends well":         {"good", 0, ""},
		"ends badly":        {"bad", 0, "exit status 5"},
		"does not want to":  {"deaf", 50 * time.Millisecond, "was killed"},
		"had ended already": {"mute", 0, "exit status 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			child, log := start(t, row.role, row.grace)
			address, err := child.Ready(t.Context())
			if row.role == "mute" {
				if err == nil || !strings.Contains(err.Error(), "exit status 4") {
					t.Errorf("ready: %q, %v", address, err)
				}
			} else {
				if err != nil {
					t.Fatal(err)
				}
				defer gone(t, connect(t, address))
				if err := child.Send("one line"); err != nil {
					t.Error(err)
				}
			}
			err = child.Stop()
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("ended with %v, want %q", err, row.want)
			}
			if again := child.Stop(); (again == nil) != (err == nil) {
				t.Errorf("ended with %v, and when it was stopped again %v", err, again)
			}
			select {
			case <-child.Ended():
			default:
				t.Error("stopped and not ended")
			}
			said, err := os.ReadFile(log.Name())
			if err != nil {
				t.Fatal(err)
			}
			if want := "heard one line\nstopped\n"; row.role == "good" && string(said) != want {
				t.Errorf("log %q, want %q", said, want)
			}
		})
	}
}

func TestStartNothing(t *testing.T) {
	t.Parallel()
	_, err := process.Start(process.Config{Path: filepath.Join(t.TempDir(), "none")})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestReadyInTime(t *testing.T) {
	t.Parallel()
	child, _ := start(t, "good", 0)
	if _, err := child.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	// There is one first line, and nothing to wait for after it.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := child.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A child ends when its parent does, however that came about.
func TestParentEnds(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"exit", "panic", "kill"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			parent := exec.Command(os.Args[0], roleVariable, "parent "+how)
			stdin, err := parent.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			address := make([]byte, 64)
			n, err := stdout.Read(address)
			if err != nil {
				t.Fatal(err)
			}
			conn := connect(t, strings.TrimSpace(string(address[:n])))
			if how == "kill" {
				err = parent.Process.Kill()
			} else {
				err = stdin.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = parent.Wait() // badly, but for exit
			gone(t, conn)
		})
	}
}
