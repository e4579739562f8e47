//go:build !unix

package pgtest

import "fmt"

// start: the server of the tests listens on a unix socket.
func start() (*server, error) {
	return nil, fmt.Errorf("the tests' server needs a unix: %w", errMissing)
}
