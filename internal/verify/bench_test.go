package verify_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"muster/internal/disclosure/attack"
	"muster/internal/ledger"
	"muster/internal/verify"
)

// BenchmarkVerify checks the bundle of a whole cycle with everything in it, receipts
// included, and reports how much of the time the attack takes by itself. 10,000
// members take with MUSTER_LONG=1.
func BenchmarkVerify(b *testing.B) {
	sizes := []int{32, 1000}
	if os.Getenv("MUSTER_LONG") == "1" {
		sizes = append(sizes, 10_000)
	}
	for _, members := range sizes {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			w := newWorld(b, members, 0)
			archive, err := ledger.EncodeArchive(w.bundle())
			w.must(err)
			cfg := w.config()
			cfg.Attack = attack.Options{Workers: runtime.GOMAXPROCS(0)}
			b.SetBytes(int64(len(archive)))
			for b.Loop() {
				r, err := verify.Archive(b.Context(), archive, cfg)
				if err != nil || r.Failed() {
					b.Fatalf("%v\n%s", err, listing(r))
				}
			}
		})
	}
}
