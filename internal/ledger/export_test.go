package ledger

import "context"

// OpenBundleOf is [OpenBundle] of at most so many bytes.
func OpenBundleOf(ctx context.Context, source Source, most int) (*Bundle, error) {
	return openBundle(ctx, source, most)
}

// OverlapsOf counts the members of releases by the releases that they are in.
func OverlapsOf(releases, kept map[string][]byte) ([]Overlap, error) {
	return overlapsOf(releases, kept)
}
