//go:build unix

package pdf

import (
	"os"
	"os/exec"
)

// inherit gives the browser its ends of the pipe: it reads requests from descriptor 3
// and writes answers to 4.
func inherit(cmd *exec.Cmd, in, out *os.File) { cmd.ExtraFiles = []*os.File{in, out} }

// privileged reports whether this is the user who may everything.
func privileged() bool { return os.Geteuid() == 0 }
