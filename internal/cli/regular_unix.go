//go:build unix

package cli

import "syscall"

// withoutWaiting opens a pipe at once, whose other end nobody holds.
const withoutWaiting = syscall.O_NONBLOCK
