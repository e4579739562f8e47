//go:build unix

package cascade_test

import (
	"syscall"
	"time"
)

// processorTime returns the processor time of this process: on a machine that
// others use as well, what a rate is to be measured by.
func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
