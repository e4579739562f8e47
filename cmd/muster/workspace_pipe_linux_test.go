package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What is no regular file is refused at once: a pipe that nobody writes to, a device
// that never ends, a folder. Nothing waits for it.
func TestWorkspaceImportOfNoFile(t *testing.T) {
	t.Parallel()
	c := &hosting{t: t, dir: t.TempDir(), printed: new(buffer)}
	c.clock.Store(hostingBegins)
	lock := c.workspaceLock("ws", "Ostmere")
	pipe, linked := c.at("pipe.xlsx"), c.at("linked.csv")
	check(t, syscall.Mkfifo(pipe, 0o600))
	check(t, os.Symlink(pipe, linked))
	for _, command := range [][]string{{"workspace", "import"}, {"workspace", "signoff", "accept"}} {
		for _, path := range []string{pipe, linked, "/dev/zero", c.at("ws")} {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			said, err := exec.CommandContext(ctx, "muster", append(append(command, path), lock...)...).CombinedOutput()
			waited := ctx.Err()
			cancel()
			exit, ok := err.(*exec.ExitError)
			if waited != nil || !ok || exit.ExitCode() != 2 || !strings.Contains(string(said), "is not a regular file") {
				t.Errorf("%v %s: %v, %v\n%s", command, path, err, waited, said)
			}
		}
	}
}
