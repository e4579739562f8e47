package pdf

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// inherit gives the browser its ends of the pipe, by the numbers of their handles.
func inherit(cmd *exec.Cmd, in, out *os.File) {
	handles := []syscall.Handle{syscall.Handle(in.Fd()), syscall.Handle(out.Fd())}
	for _, h := range handles {
		// Without it the browser says that its pipe is none; nothing is lost by trying.
		_ = syscall.SetHandleInformation(h, syscall.HANDLE_FLAG_INHERIT, syscall.HANDLE_FLAG_INHERIT)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{AdditionalInheritedHandles: handles, HideWindow: true}
	cmd.Args = append(cmd.Args, fmt.Sprintf("--remote-debugging-io-pipes=%d,%d", handles[0], handles[1]))
}

// privileged reports whether the browser has to do without its sandbox: never here.
func privileged() bool { return false }
