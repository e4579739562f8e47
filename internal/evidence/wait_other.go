//go:build !unix

package evidence

// withoutWaiting is nothing: only pipes of Unix lie at a path.
const withoutWaiting = 0
