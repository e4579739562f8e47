package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"muster/internal/errs"
)

// Pieces opens pieces of evidence where they lie. Its methods may be called
// concurrently.
type Pieces interface {
	// Open opens the piece at a path, which begins in folder if it is not absolute,
	// and returns its size. It is NotFound if nothing is there, Denied if paths may not
	// lead there, and Invalid if it is no regular file. What it returns is not trusted:
	// it may have another size than it says, and end never.
	Open(folder, path string) (io.ReadCloser, int64, error)
}

// Limits of a piece of evidence, in bytes.
const (
	MaxPiece = 16 << 30 // that is read
	MaxCopy  = 10 << 20 // that is copied
)

// Reading is what was read of a piece of evidence.
type Reading struct {
	SHA256 string // in hex
	Bytes  int64
	Body   []byte // nil unless it was to be copied
}

// ReadConfig says how a piece is read.
type ReadConfig struct {
	Pieces   Pieces
	Folder   string                  // see [Settings]
	Copy     bool                    // keep what was read, up to [MaxCopy]
	Progress func(read, total int64) // called now and then; nil for nobody
}

// ReadPiece reads the piece of evidence at a place and computes its digest. It reads
// until ctx ends at the latest. A place that is an address is refused: nothing here
// asks the network for anything.
func ReadPiece(ctx context.Context, cfg ReadConfig, place string) (Reading, error) {
	if isAddress(place) {
		return Reading{}, errs.New(errs.Invalid, "evidence at an address is not read: muster asks no network for it", "keep its place without a digest, or save the piece and give its path")
	}
	file, total, err := cfg.Pieces.Open(cfg.Folder, place)
	if err != nil {
		return Reading{}, err
	}
	defer file.Close() // nothing was written
	switch {
	case total > MaxPiece:
		return Reading{}, errs.New(errs.Invalid, fmt.Sprintf("the piece has %d bytes, and no more than %d are read", total, int64(MaxPiece)), "keep its place without a digest, or a list of digests that you make yourself")
	case cfg.Copy && total > MaxCopy:
		return Reading{}, errs.New(errs.Invalid, fmt.Sprintf("the piece has %d bytes, and no more than %d are copied", total, int64(MaxCopy)), "keep its place and digest alone; the piece stays where it is")
	}
	hash := sha256.New()
	r := Reading{}
	buffer := make([]byte, 1<<20)
	for {
		if ctx.Err() != nil {
			return Reading{}, errs.Wrap(ctx.Err(), errs.Unavailable, "the piece was not read to its end in time", "try again, or keep its place without a digest")
		}
		n, err := file.Read(buffer)
		hash.Write(buffer[:n])
		if r.Bytes += int64(n); r.Bytes > total {
			return Reading{}, errs.New(errs.Conflict, "the piece grew while it was read", "try again when nobody writes to it")
		}
		if cfg.Copy {
			r.Body = append(r.Body, buffer[:n]...)
		}
		if cfg.Progress != nil {
			cfg.Progress(r.Bytes, total)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // its words may hold the path
			return Reading{}, errs.New(errs.Unavailable, "the piece cannot be read to its end", "")
		}
	}
	if r.Bytes != total {
		return Reading{}, errs.New(errs.Conflict, "the piece became shorter while it was read", "try again when nobody writes to it")
	}
	if cfg.Copy && r.Body == nil {
		r.Body = []byte{}
	}
	r.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return r, nil
}

// isAddress reports whether a place is an address and no path.
func isAddress(place string) bool { return strings.Contains(place, "://") }
