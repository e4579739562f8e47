package aggregate_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// processorTime returns the seconds that this process has used so far, and those
// of the server with that process id and its children; none if it is zero.
func processorTime(postmaster int) (own, server float64) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, 0
	}
	own = float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
	if postmaster == 0 {
		return own, 0
	}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := strings.Cut(string(b), ") ")
		fields := strings.Fields(after)
		if parent, _ := strconv.Atoi(fields[1]); parent != postmaster {
			continue
		}
		for _, ticks := range fields[11:13] { // in user and in system mode
			n, _ := strconv.ParseFloat(ticks, 64)
			server += n / 100
		}
	}
	return own, server
}

// residentMemory returns how many bytes of memory this process has.
func residentMemory() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
