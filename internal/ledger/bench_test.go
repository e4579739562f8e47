package ledger_test

import (
	"fmt"
	"testing"

	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// All that a reader of a bundle checks of the ledger: every byte, every entry's
// signatures, every receipt's. The goals of a whole verification are 2 s with 32
// members and 60 s with 10,000.
func BenchmarkAudit(b *testing.B) {
	for _, members := range []int{32, 1000, 10_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			l := ledgertest.New(b, ledgertest.Config{Members: members})
			archive, err := ledger.EncodeArchive(l.Bundle(b))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				bundle, err := ledger.OpenArchive(b.Context(), archive)
				if err != nil {
					b.Fatal(err)
				}
				if err := audit(bundle, l.Policy, l.Now); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(archive))/(1<<20), "MiB")
		})
	}
}
