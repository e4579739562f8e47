//go:build !linux

package aggregate_test

// processorTime is not known here.
func processorTime(int) (own, server float64) { return 0, 0 }

// residentMemory is not known here.
func residentMemory() int64 { return 0 }
