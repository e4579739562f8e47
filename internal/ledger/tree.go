package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"muster/internal/errs"
)

// Hash is a node of the ledger's tree: SHA-256 as RFC 6962 section 2.1 has it.
type Hash [sha256.Size]byte

// String returns the hash in standard base64, as checkpoints have it.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// ParseHash reads a hash in standard base64.
func ParseHash(text string) (Hash, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != sha256.Size || Hash(b).String() != text {
		return Hash{}, errs.New(errs.Invalid, errs.Quote(text)+" is no SHA-256 in base64", "")
	}
	return Hash(b), nil
}

// LeafHash returns the hash of an entry as a leaf.
func LeafHash(leaf []byte) Hash {
	return sha256.Sum256(append([]byte{rfc6962.RFC6962LeafHashPrefix}, leaf...))
}

func nodeHash(left, right Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = rfc6962.RFC6962NodeHashPrefix
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// Tree is the ledger's tree in memory, every complete node of it: 64 bytes a
// leaf. The zero Tree is empty.
type Tree struct {
	levels [][]Hash // of each level the complete nodes, from the left
}

// Append adds a leaf by its hash.
func (t *Tree) Append(leaf Hash) {
	for level := 0; ; level++ {
		if level == len(t.levels) {
			t.levels = append(t.levels, nil)
		}
		t.levels[level] = append(t.levels[level], leaf)
		n := len(t.levels[level])
		if n%2 == 1 {
			return
		}
		leaf = nodeHash(t.levels[level][n-2], t.levels[level][n-1])
	}
}

// Size returns the number of leaves.
func (t *Tree) Size() uint64 {
	if len(t.levels) == 0 {
		return 0
	}
	return uint64(len(t.levels[0]))
}

// Node returns a complete node.
func (t *Tree) Node(level uint, index uint64) (Hash, error) {
	if level >= uint(len(t.levels)) || index >= uint64(len(t.levels[level])) {
		return Hash{}, fmt.Errorf("ledger: the tree has no node %d of level %d", index, level)
	}
	return t.levels[level][index], nil
}

// Nodes returns the complete nodes of a tree: from memory, or from tiles.
type Nodes interface {
	Node(level uint, index uint64) (Hash, error)
}

// RootAt returns the root of the tree's first size leaves.
func RootAt(nodes Nodes, size uint64) (Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	ids := compact.RangeNodes(0, size, nil)
	root, err := nodes.Node(ids[len(ids)-1].Level, ids[len(ids)-1].Index)
	for i := len(ids) - 2; i >= 0 && err == nil; i-- {
		var left Hash
		if left, err = nodes.Node(ids[i].Level, ids[i].Index); err == nil {
			root = nodeHash(left, root)
		}
	}
	return root, err
}

// ProveInclusion returns the proof that the leaf of an index is in the tree of a size.
func ProveInclusion(nodes Nodes, index, size uint64) ([]Hash, error) {
	ids, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("a ledger of %d entries has no entry %d", size, index), "")
	}
	return prove(nodes, ids)
}

// ProveConsistency returns the proof that the tree of size from is the beginning of
// the tree of size to.
func ProveConsistency(nodes Nodes, from, to uint64) ([]Hash, error) {
	ids, err := proof.Consistency(from, to)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("a ledger of %d entries cannot follow one of %d", to, from), "")
	}
	return prove(nodes, ids)
}

func prove(nodes Nodes, ids proof.Nodes) ([]Hash, error) {
	hashes := make([][]byte, len(ids.IDs))
	for i, id := range ids.IDs {
		h, err := nodes.Node(id.Level, id.Index)
		if err != nil {
			return nil, err
		}
		hashes[i] = h[:]
	}
	hashes, err := ids.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	if err != nil {
		return nil, fmt.Errorf("ledger: prove: %w", err)
	}
	list := make([]Hash, len(hashes))
	for i, h := range hashes {
		list[i] = Hash(h)
	}
	return list, nil
}

// VerifyInclusion checks a proof that a leaf is in the tree of a checkpoint.
func VerifyInclusion(c Checkpoint, index uint64, leaf Hash, path []Hash) error {
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, c.Size, leaf[:], raw(path), c.Root[:]); err != nil {
		return errs.Wrap(err, errs.Invalid, fmt.Sprintf("the proof does not show that entry %d is in the ledger of %d entries", index, c.Size), "ask for the proof again, or for the ledger")
	}
	return nil
}

// VerifyConsistency checks a proof that one checkpoint follows from another: that
// nothing was changed or taken out between them.
func VerifyConsistency(from, to Checkpoint, path []Hash) error {
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, from.Size, to.Size, raw(path), from.Root[:], to.Root[:]); err != nil {
		return errs.Wrap(err, errs.Invalid, fmt.Sprintf("the ledger of %d entries does not follow from that of %d entries", to.Size, from.Size), "keep both checkpoints: together they show that the ledger was changed, or shown to two readers in two ways")
	}
	return nil
}

func raw(path []Hash) [][]byte {
	list := make([][]byte, len(path))
	for i := range path {
		list[i] = path[i][:]
	}
	return list
}
