package process

import (
	"os"
	"syscall"
)

// apart puts the child into a process group of its own, without a window.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

func kill(p *os.Process) error { return p.Kill() }
