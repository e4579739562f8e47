package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"muster/internal/errs"
)

// The form of tiles, C2SP tlog-tiles.
const (
	tileHeight = 8
	TileWidth  = 1 << tileHeight // hashes of a full tile, entries of a full bundle

	// MaxLeaf is the longest entry in bytes: the length before it has two.
	MaxLeaf = 1<<16 - 1
	// MaxTile is the length of a full tile in bytes.
	MaxTile = TileWidth * sha256.Size
	// MaxEntries is the length of the longest bundle of entries.
	MaxEntries = TileWidth * (2 + MaxLeaf)
	// MaxSize is how many entries a ledger may have that is read whole.
	MaxSize = 1 << 21
)

// CheckpointName is the resource that holds the newest checkpoint.
const CheckpointName = "checkpoint"

// TileName returns the resource of a tile. A width of 0 is a full one.
func TileName(level uint, index uint64, width int) string {
	return fmt.Sprintf("tile/%d/%s", level, indexName(index, width))
}

// EntriesName returns the resource of a bundle of entries.
func EntriesName(index uint64, width int) string { return "tile/entries/" + indexName(index, width) }

func indexName(index uint64, width int) string {
	name := fmt.Sprintf("%03d", index%1000)
	for index /= 1000; index > 0; index /= 1000 {
		name = fmt.Sprintf("x%03d/%s", index%1000, name)
	}
	if width > 0 && width < TileWidth {
		name += fmt.Sprintf(".p/%d", width)
	}
	return name
}

// A tileRef is one tile of a tree, or the entries under one of level 0.
type tileRef struct {
	level uint
	index uint64
	width int // hashes in it
}

// tiles returns every tile of a tree, level 0 first.
func tiles(size uint64) []tileRef {
	var list []tileRef
	for level := uint(0); size > 0; level, size = level+1, size>>tileHeight {
		for index := range size >> tileHeight {
			list = append(list, tileRef{level, index, TileWidth})
		}
		if width := int(size % TileWidth); width > 0 {
			list = append(list, tileRef{level, size >> tileHeight, width})
		}
	}
	return list
}

// Resources returns the names of all tiles and bundles of a ledger of a size.
func Resources(size uint64) []string {
	var names []string
	for _, t := range tiles(size) {
		names = append(names, TileName(t.level, t.index, t.width))
		if t.level == 0 {
			names = append(names, EntriesName(t.index, t.width))
		}
	}
	return names
}

// Tile returns the bytes of a tile.
func (t *Tree) Tile(level uint, index uint64, width int) ([]byte, error) {
	b := make([]byte, 0, width*sha256.Size)
	for i := range uint64(width) {
		h, err := t.Node(level*tileHeight, index*TileWidth+i)
		if err != nil {
			return nil, err
		}
		b = append(b, h[:]...)
	}
	return b, nil
}

// EncodeEntries returns a bundle of entries.
func EncodeEntries(leaves [][]byte) ([]byte, error) {
	if len(leaves) == 0 || len(leaves) > TileWidth {
		return nil, fmt.Errorf("ledger: a bundle of %d entries", len(leaves))
	}
	var b []byte
	for _, leaf := range leaves {
		if len(leaf) > MaxLeaf {
			return nil, fmt.Errorf("ledger: an entry of %d bytes", len(leaf))
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(leaf)))
		b = append(b, leaf...)
	}
	return b, nil
}

// DecodeEntries reads a bundle of exactly width entries. They share b's memory.
func DecodeEntries(b []byte, width int) ([][]byte, error) {
	if width < 1 || width > TileWidth {
		return nil, fmt.Errorf("ledger: a bundle of %d entries", width)
	}
	leaves := make([][]byte, 0, width)
	for len(b) > 0 && len(leaves) < width {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("entry %d of the bundle is cut short", len(leaves)), "")
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		leaves, b = append(leaves, b[2:n:n]), b[n:]
	}
	if len(leaves) != width || len(b) > 0 {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the bundle has not exactly %d entries", width), "")
	}
	return leaves, nil
}

// Source gives the resources of a ledger by name: a folder, a server, a bundle.
// Whatever it gives may be hostile: it is read up to a limit and checked. An error
// of kind NotFound says that there is no such resource.
type Source interface {
	Resource(ctx context.Context, name string, limit int) ([]byte, error)
}

// FS is a [Source] over a file system. A resource is a regular file in folders: links,
// pipes and devices are refused by their names and not opened.
func FS(fsys fs.FS) Source { return fsSource{fsys} }

type fsSource struct{ fsys fs.FS }

// plain looks at a resource, and at each folder on the way to it, before anything is
// opened: to open a pipe is to wait for whoever writes to it.
func (s fsSource) plain(name string) error {
	for end := 0; end < len(name); {
		if next := strings.IndexByte(name[end+1:], '/'); next >= 0 {
			end += 1 + next
		} else {
			end = len(name)
		}
		info, err := fs.Lstat(s.fsys, name[:end])
		if errors.Is(err, fs.ErrNotExist) {
			return missing(name)
		}
		if err != nil {
			return errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s of the ledger cannot be read", errs.Quote(name)), "")
		}
		if end < len(name) && !info.IsDir() || end == len(name) && !info.Mode().IsRegular() {
			return errs.New(errs.Invalid, fmt.Sprintf("%s of the ledger is no regular file: %s", errs.Quote(name), kindOf(info.Mode())), "ask for another copy of the ledger")
		}
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "it is, or lies behind, a link"
	case mode&fs.ModeNamedPipe != 0:
		return "it is a pipe"
	case mode&fs.ModeDevice != 0:
		return "it is a device"
	case mode.IsDir():
		return "it is a folder"
	}
	return "it is something else"
}

func (s fsSource) Resource(_ context.Context, name string, limit int) ([]byte, error) {
	if err := s.plain(name); err != nil {
		return nil, err
	}
	f, err := s.fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(name)
	}
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s of the ledger cannot be read", errs.Quote(name)), "")
	}
	defer f.Close() // nothing was written
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errs.Wrap(err, errs.Invalid, errs.Quote(name)+" of the ledger is not a regular file", "")
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s of the ledger cannot be read", errs.Quote(name)), "")
	}
	if len(b) > limit {
		return nil, tooLong(name, limit)
	}
	return b, nil
}

func missing(name string) error {
	return errs.New(errs.NotFound, fmt.Sprintf("%s of the ledger is missing", errs.Quote(name)), "ask for another copy of the ledger")
}

func tooLong(name string, limit int) error {
	return errs.New(errs.Invalid, fmt.Sprintf("%s of the ledger is longer than %d bytes", errs.Quote(name), limit), "ask for another copy of the ledger")
}

// TileNodes returns the nodes of a ledger of a size by its tiles, which are read
// with ctx when they are asked for and not checked: whoever uses them checks the
// proof.
func TileNodes(ctx context.Context, source Source, size uint64) Nodes {
	return &tileNodes{ctx: ctx, source: source, size: size, kept: make(map[tileRef][]byte)}
}

type tileNodes struct {
	ctx    context.Context
	source Source
	size   uint64
	kept   map[tileRef][]byte
}

// Node returns a complete node.
func (t *tileNodes) Node(level uint, index uint64) (Hash, error) {
	if level > 63 || (index+1)<<level > t.size || (index+1)<<level>>level != index+1 {
		return Hash{}, fmt.Errorf("ledger: a tree of %d has no node %d of level %d", t.size, index, level)
	}
	within := level % tileHeight
	first, count := index<<within, uint64(1)<<within // in hashes of the tile's level
	ref := tileRef{level: level / tileHeight, index: first >> tileHeight, width: TileWidth}
	if all := t.size >> (ref.level * tileHeight); all>>tileHeight == ref.index {
		ref.width = int(all % TileWidth)
	}
	b, err := t.tile(ref)
	if err != nil {
		return Hash{}, err
	}
	hashes := make([]Hash, count)
	for i := range hashes {
		hashes[i] = Hash(b[(first%TileWidth+uint64(i))*sha256.Size:][:sha256.Size])
	}
	for ; len(hashes) > 1; hashes = hashes[:len(hashes)/2] {
		for i := range len(hashes) / 2 {
			hashes[i] = nodeHash(hashes[2*i], hashes[2*i+1])
		}
	}
	return hashes[0], nil
}

func (t *tileNodes) tile(ref tileRef) ([]byte, error) {
	if b, ok := t.kept[ref]; ok {
		return b, nil
	}
	name := TileName(ref.level, ref.index, ref.width)
	b, width, err := partialOrFull(t.ctx, t.source, ref.width, MaxTile, func(width int) string { return TileName(ref.level, ref.index, width) })
	if err != nil {
		return nil, err
	}
	if len(b) != width*sha256.Size {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the tile %s has %d bytes", errs.Quote(name), len(b)), "")
	}
	t.kept[ref] = b[:ref.width*sha256.Size]
	return t.kept[ref], nil
}

// partialOrFull reads a resource of a width, or the full one that has come since: a
// server may have dropped what it was before. It returns which of the two it read.
func partialOrFull(ctx context.Context, source Source, width, limit int, name func(width int) string) ([]byte, int, error) {
	b, err := source.Resource(ctx, name(width), limit)
	if errs.KindOf(err) == errs.NotFound && width < TileWidth {
		if full, fullErr := source.Resource(ctx, name(TileWidth), limit); fullErr == nil {
			return full, TileWidth, nil
		}
	}
	return b, width, err
}

// Within reports whether a name is that of a tile, or of a bundle of entries, whose
// every hash is in a ledger of a size.
func Within(name string, size uint64) bool {
	level, index, width, ok := parseName(name)
	if !ok || level > 7 { // 2^64 entries have no level 8
		return false
	}
	hashes := size >> (level * tileHeight)
	return index <= hashes>>tileHeight && index*TileWidth+uint64(width) <= hashes
}

// parseName reads the name of a tile, or of entries as level 0.
func parseName(name string) (level uint, index uint64, width int, ok bool) {
	rest, ok := strings.CutPrefix(name, "tile/")
	first, rest, found := strings.Cut(rest, "/")
	if !ok || !found {
		return 0, 0, 0, false
	}
	entries := first == "entries"
	if !entries {
		n, err := parseDecimal(first)
		if err != nil || n > 63 {
			return 0, 0, 0, false
		}
		level = uint(n)
	}
	width = TileWidth
	if path, w, partial := strings.Cut(rest, ".p/"); partial {
		n, err := parseDecimal(w)
		if err != nil || n < 1 || n >= TileWidth {
			return 0, 0, 0, false
		}
		rest, width = path, int(n)
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(rest, "x", ""), "/") {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || len(part) != 3 || index > maxDecimal/1000-1 {
			return 0, 0, 0, false
		}
		index = index*1000 + n
	}
	// There is one name for each: it must be the one that is written.
	if want := TileName(level, index, width); !entries && want != name {
		return 0, 0, 0, false
	}
	if want := EntriesName(index, width); entries && want != name {
		return 0, 0, 0, false
	}
	return level, index, width, true
}
