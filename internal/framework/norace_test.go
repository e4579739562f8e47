//go:build !race

package framework_test

// underRace says that the race detector is on: times and memory mean nothing.
const underRace = false
