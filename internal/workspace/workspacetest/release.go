package workspacetest

import (
	"testing"

	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/release/releasetest"
)

// ReleaseMembers is how many members stand behind the numbers of [Release].
const ReleaseMembers = 30

// Release returns a release of a pack in a cycle, or ends the test: a fifth of its
// members are at each level in every outcome but the last, which all of them answer
// with 2.
func Release(t testing.TB, pack *framework.Pack, cycle string) *release.Release {
	t.Helper()
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := pack.Outcomes()
	var cells []uint64
	for i := range layout.Blocks {
		b := &layout.Blocks[i]
		counts := make([]uint64, len(b.Buckets))
		spread := b.Kind == framework.KindLevel && b.Subject != outcomes[len(outcomes)-1].ID
		for level := range 5 {
			name := "2"
			if spread {
				name = string(rune('0' + level))
			}
			at, ok := b.Bucket(name)
			if !ok || b.Kind != framework.KindLevel {
				at = 0
			}
			counts[at] += ReleaseMembers / 5
		}
		cells = append(cells, counts...)
	}
	return releasetest.New(t, releasetest.Config{Pack: pack, Cells: cells, Submissions: ReleaseMembers, Cycle: cycle})
}

// ReleaseFile is [Release] as a file.
func ReleaseFile(t testing.TB, pack *framework.Pack, cycle string) []byte {
	t.Helper()
	body, err := Release(t, pack, cycle).Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return body
}
