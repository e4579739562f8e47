package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"

	"muster/internal/errs"
)

// View is a whole ledger at a checkpoint, every entry and tile of it read and found
// to give the checkpoint's root.
type View struct {
	Checkpoint Checkpoint
	Leaves     [][]byte
	Tree       *Tree
}

// maxView bounds the entries of a ledger that is read whole, in bytes.
const maxView = 1 << 30

// Part is the error of a part of a ledger or a bundle that is not as it must be:
// it names the part.
type Part struct {
	Name string // of the resource: "tile/entries/000.p/12"
	Err  error
}

func (p *Part) Error() string { return p.Err.Error() }

// Unwrap returns what a person reads.
func (p *Part) Unwrap() error { return p.Err }

func partError(name, what string, cause error) error {
	return &Part{name, errs.Wrap(cause, errs.Invalid, errs.Quote(name)+" "+what, "ask for another copy; what was changed is worth keeping")}
}

// ReadView reads a ledger whole and checks it against a checkpoint. The checkpoint's
// signatures are the caller's to check. What does not fit is named by a [Part].
func ReadView(ctx context.Context, source Source, c Checkpoint) (*View, error) {
	if c.Size > MaxSize {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the ledger has %d entries; at most %d are read at once", c.Size, MaxSize), "")
	}
	v := &View{Checkpoint: c, Tree: new(Tree)}
	total := 0
	stored := make([][]byte, 0) // the tiles of level 0
	list := tiles(c.Size)
	for _, ref := range list {
		if ref.level > 0 {
			break
		}
		name := EntriesName(ref.index, ref.width)
		b, width, err := partialOrFull(ctx, source, ref.width, MaxEntries, func(width int) string { return EntriesName(ref.index, width) })
		if err != nil {
			return nil, &Part{name, err}
		}
		if total += len(b); total > maxView {
			return nil, &Part{name, errs.New(errs.Invalid, fmt.Sprintf("the ledger has more than %d bytes", maxView), "")}
		}
		leaves, err := DecodeEntries(b, width)
		if err != nil {
			return nil, partError(name, fmt.Sprintf("has not exactly %d entries", width), err)
		}
		leaves = leaves[:ref.width]
		for _, leaf := range leaves {
			v.Tree.Append(LeafHash(leaf))
		}
		v.Leaves = append(v.Leaves, leaves...)
		tile, err := readTile(ctx, source, ref)
		if err != nil {
			return nil, err
		}
		stored = append(stored, tile)
	}
	if err := v.checkRoot(stored); err != nil {
		return nil, err
	}
	for _, ref := range list {
		var tile []byte
		var err error
		if ref.level == 0 {
			tile = stored[ref.index]
		} else if tile, err = readTile(ctx, source, ref); err != nil {
			return nil, err
		}
		want, err := v.Tree.Tile(ref.level, ref.index, ref.width)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(tile, want) {
			return nil, partError(TileName(ref.level, ref.index, ref.width), "is not what the entries under it give", nil)
		}
	}
	return v, nil
}

func readTile(ctx context.Context, source Source, ref tileRef) ([]byte, error) {
	name := TileName(ref.level, ref.index, ref.width)
	b, width, err := partialOrFull(ctx, source, ref.width, MaxTile, func(width int) string { return TileName(ref.level, ref.index, width) })
	if err != nil {
		return nil, &Part{name, err}
	}
	if len(b) != width*sha256.Size {
		return nil, partError(name, fmt.Sprintf("has not exactly %d hashes", width), nil)
	}
	return b[:ref.width*sha256.Size], nil
}

// checkRoot compares the root that the entries give with the checkpoint's, and where
// they differ finds out which entry was changed, with the help of the tiles.
func (v *View) checkRoot(stored [][]byte) error {
	root, err := RootAt(v.Tree, v.Checkpoint.Size)
	if err != nil {
		return err
	}
	if root == v.Checkpoint.Root {
		return nil
	}
	told := new(Tree)
	for _, tile := range stored {
		for ; len(tile) > 0; tile = tile[sha256.Size:] {
			told.Append(Hash(tile[:sha256.Size]))
		}
	}
	if root, err = RootAt(told, v.Checkpoint.Size); err != nil {
		return err
	}
	if root != v.Checkpoint.Root {
		return partError(CheckpointName, "says another root than entries and tiles give", nil)
	}
	for i := range v.Leaves {
		own, err := v.Tree.Node(0, uint64(i))
		if err != nil {
			return err
		}
		if hash, err := told.Node(0, uint64(i)); err != nil || hash != own {
			width := min(TileWidth, len(v.Leaves)-i/TileWidth*TileWidth)
			return partError(EntriesName(uint64(i/TileWidth), width), fmt.Sprintf("has an entry, number %d of the ledger, that is not the one that was entered", i), err)
		}
	}
	return nil
}

// Statements reads all entries. It does not check who signed them.
func (v *View) Statements() ([]Statement, error) {
	list := make([]Statement, len(v.Leaves))
	wrong := Each(runtime.GOMAXPROCS(0), len(v.Leaves), func(i int) (err error) {
		list[i], err = ParseStatement(v.Leaves[i])
		return err
	})
	ids := make(map[string]int, len(v.Leaves))
	for i, s := range list {
		if err := wrong[i]; err != nil {
			return nil, fmt.Errorf("entry %d of the ledger: %w", i, err)
		}
		if first, ok := ids[s.ID()]; ok {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("entries %d and %d of the ledger are about the same", first, i), "ask the coordinator why something was entered twice")
		}
		ids[s.ID()] = i
	}
	return list, nil
}

// Consistent refuses an earlier checkpoint that this ledger does not follow from.
func (v *View) Consistent(earlier Checkpoint) error {
	if earlier.Size > v.Checkpoint.Size {
		return errs.New(errs.Invalid, fmt.Sprintf("the ledger has %d entries and had %d before: it was cut, or turned back", v.Checkpoint.Size, earlier.Size), "keep both checkpoints: together they show it")
	}
	path, err := ProveConsistency(v.Tree, earlier.Size, v.Checkpoint.Size)
	if err != nil {
		return err
	}
	if earlier.Size == 0 {
		return nil
	}
	return VerifyConsistency(earlier, v.Checkpoint, path)
}
