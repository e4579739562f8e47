package verify_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"muster/internal/disclosure/attack"
	"muster/internal/ledger"
	"muster/internal/verify"
)

// BenchmarkVerify checks the bundle of a whole cycle with everything in it, receipts
// included, of a small pack and of the one that members answer, whose release is
// attacked for as long as its outcomes take. 10,000 members take with MUSTER_LONG=1.
func BenchmarkVerify(b *testing.B) {
	sizes := []int{32, 1000}
	if os.Getenv("MUSTER_LONG") == "1" {
		sizes = append(sizes, 10_000)
	}
	for _, pack := range []string{harbour, core} {
		for _, members := range sizes {
			b.Run(fmt.Sprintf("pack=%s/members=%d", filepath.Base(filepath.Dir(pack)), members), func(b *testing.B) {
				w := newWorldOf(b, pack, members, 0)
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
}
