package ledger

import "context"

// OpenBundleOf is [OpenBundle] of at most so many bytes.
func OpenBundleOf(ctx context.Context, source Source, most int) (*Bundle, error) {
	return openBundle(ctx, source, most)
}
