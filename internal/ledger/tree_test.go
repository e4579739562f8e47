package ledger_test

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"muster/internal/ledger"
)

// oracle is a tree by the code of the Go checksum database, which shares nothing
// with ours.
type oracle struct{ hashes []tlog.Hash }

func (o *oracle) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(o.hashes)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		list[i] = o.hashes[index]
	}
	return list, nil
}

func (o *oracle) append(t testing.TB, n int64, leaf []byte) {
	t.Helper()
	hashes, err := tlog.StoredHashes(n, leaf, o)
	if err != nil {
		t.Fatal(err)
	}
	o.hashes = append(o.hashes, hashes...)
}

func leaf(i int) []byte { return fmt.Appendf(nil, "entry %d", i) }

// Roots, tiles and both proofs are those of an independent implementation, which
// accepts ours and whose own ours accepts.
func TestTreeAgainstSumDB(t *testing.T) {
	t.Parallel()
	const most = 700 // two full tiles and a partial one
	var tree ledger.Tree
	var other oracle
	roots := make([]tlog.Hash, most+1)
	for i := range most {
		tree.Append(ledger.LeafHash(leaf(i)))
		other.append(t, int64(i), leaf(i))
		root, err := tlog.TreeHash(int64(i+1), &other)
		if err != nil {
			t.Fatal(err)
		}
		roots[i+1] = root
		got, err := ledger.RootAt(&tree, uint64(i+1))
		if err != nil || tlog.Hash(got) != root {
			t.Fatalf("root of %d entries: %v, %v; want %v", i+1, got, err, root)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Uint64Range(1, most).Draw(t, "size")
		index := rapid.Uint64Range(0, size-1).Draw(t, "index")
		from := rapid.Uint64Range(1, size).Draw(t, "from")
		path, err := ledger.ProveInclusion(&tree, index, size)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(hashes(path), int64(size), roots[size], int64(index), tlog.RecordHash(leaf(int(index)))); err != nil {
			t.Fatalf("inclusion of %d in %d: %v", index, size, err)
		}
		theirs, err := tlog.ProveTree(int64(size), int64(from), &other)
		if err != nil {
			t.Fatal(err)
		}
		later, earlier := checkpoint(size, roots), checkpoint(from, roots)
		if err := ledger.VerifyConsistency(earlier, later, ours(theirs)); err != nil {
			t.Fatal(err)
		}
		own, err := ledger.ProveConsistency(&tree, from, size)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(hashes(own), int64(size), roots[size], int64(from), roots[from]); err != nil {
			t.Fatal(err)
		}
		if err := ledger.VerifyInclusion(later, index, ledger.LeafHash(leaf(int(index))), path); err != nil {
			t.Fatal(err)
		}
		// What is not so is refused.
		if size > 1 && ledger.VerifyInclusion(later, (index+1)%size, ledger.LeafHash(leaf(int(index))), path) == nil {
			t.Fatalf("entry %d stands at %d, too", index, (index+1)%size)
		}
		if from < size && ledger.VerifyConsistency(checkpoint(size, roots), earlier, own) == nil {
			t.Fatal("the ledger goes backwards")
		}
	})
}

func checkpoint(size uint64, roots []tlog.Hash) ledger.Checkpoint {
	return ledger.Checkpoint{Origin: "ledger.example", Size: size, Root: ledger.Hash(roots[size])}
}

func hashes(list []ledger.Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(list))
	for i, h := range list {
		out[i] = tlog.Hash(h)
	}
	return out
}

func ours(list []tlog.Hash) []ledger.Hash {
	out := make([]ledger.Hash, len(list))
	for i, h := range list {
		out[i] = ledger.Hash(h)
	}
	return out
}

// The names of resources are those of C2SP tlog-tiles.
func TestResources(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, got, want string }{
		{"the first tile", ledger.TileName(0, 0, 256), "tile/0/000"},
		{"a partial tile", ledger.TileName(1, 5, 17), "tile/1/005.p/17"},
		{"a far tile", ledger.TileName(2, 1234067, 0), "tile/2/x001/x234/067"},
		{"entries", ledger.EntriesName(1234067, 9), "tile/entries/x001/x234/067.p/9"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %s; want %s", row.name, row.got, row.want)
		}
	}
	names := ledger.Resources(70_000)
	want := map[string]bool{"tile/0/272": true, "tile/0/273.p/112": true, "tile/1/000": true, "tile/1/001.p/17": true, "tile/2/000.p/1": true, "tile/entries/273.p/112": true}
	for _, name := range names {
		delete(want, name)
	}
	if len(want) > 0 || len(names) != 2*274+2+1 {
		t.Errorf("a ledger of 70,000 entries has %d resources and lacks %v", len(names), want)
	}
	if names := ledger.Resources(256); len(names) != 3 || names[2] != "tile/1/000.p/1" {
		t.Errorf("a ledger of 256 entries has %v", names)
	}
	if names := ledger.Resources(0); len(names) != 0 {
		t.Errorf("an empty ledger has %v", names)
	}
}
