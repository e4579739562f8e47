//go:build !unix

package cli

// withoutWaiting is nothing: only pipes of Unix lie at a path.
const withoutWaiting = 0
