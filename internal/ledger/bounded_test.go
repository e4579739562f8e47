package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// TestBundleBound: of a bundle so many bytes are read in all and no more, whatever its
// parts claim.
func TestBundleBound(t *testing.T) {
	t.Parallel()
	members := ledgertest.New(t, ledgertest.Config{Struck: 1}).Bundle(t)
	whole := 0
	for _, m := range members {
		whole += len(m.Body)
	}
	if _, err := ledger.OpenBundleOf(t.Context(), members, whole); err != nil {
		t.Fatalf("all of it: %v", err)
	}
	for most := whole - 1; most > 0; most /= 2 {
		_, err := ledger.OpenBundleOf(t.Context(), members, most)
		_, ok := errors.AsType[*ledger.Part](err)
		if !ok || !strings.Contains(errs.Describe(err).Message, "bytes of the bundle, and no more are read") {
			t.Fatalf("%d of %d bytes: %v", most, whole, err)
		}
	}
}
