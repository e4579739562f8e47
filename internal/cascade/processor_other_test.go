//go:build !unix

package cascade_test

import "time"

// processorTime returns the time of day, where a process cannot ask for more.
func processorTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
