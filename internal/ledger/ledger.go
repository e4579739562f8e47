// Package ledger is the coalition's shared record: what was decided and done in
// its cycles, in order, the same for all.
//
// A [Statement] is an entry: a charter was adopted, a roster frozen, a share handed
// over, a release signed. [Rows] is the table of what there is to say, and a [Cycle]
// derives statements from what was signed. Everyone can read them, so they carry
// pseudonyms ([Opener]), salted hashes and no time of a submission. Statements are
// the leaves of a [Tree], which readers get as tiles from a [Source]; a [Checkpoint]
// says what the tree was at a moment, and a [Policy] whom a reader trusts to have
// seen it. [ReadView] checks a whole ledger, [OpenBundle] one that came with the
// files of a cycle. A [Log] is a ledger in memory; package logserver has it on disk.
//
// Beside it stands the record that each host and the coordinator keep of their own,
// a [File] of [Entry]s: an append-only signed file in which each line is an entry
// with its number, the digest of the line before it and the keeper's signature, so
// that a line that is changed, added, dropped or moved is found by [Read]. Lines
// dropped from the end are not: a reader who saw more keeps the last digest.
//
// The package is pure: it opens no file and no connection, and the clock and the
// keys are given to it. Whatever it reads may be hostile.
package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"muster/internal/errs"
	"muster/internal/keys"
)

// Entry is one statement in a keeper's own record.
type Entry struct {
	ID   string            `json:"id"`   // unique; the same id again is the same statement
	Kind string            `json:"kind"` // "charter", "roster", "aggregate share", "release"
	Data map[string]string `json:"data"` // digests and numbers as text, by name
}

// Line is an entry as it stands in a [File].
type Line struct {
	Number   int    `json:"number"`   // from 0
	Previous string `json:"previous"` // hex SHA-256 of the line before, without its end; empty for the first
	Entry    Entry  `json:"entry"`
}

// signedLine is what a line of the file holds.
type signedLine struct {
	Line      Line   `json:"line"`
	Signature string `json:"signature"` // the keeper's note over the canonical line
}

// maxLine bounds a line that is read.
const maxLine = 64 << 10

// noteLines is the number of lines of a note with one signature: three of text,
// an empty one and the signature's.
const noteLines = 5

// Sink takes bytes for good: what Append accepted is on disk when it returns.
type Sink interface {
	Append(b []byte) error
}

// File is the record of one keeper. Its methods may be called concurrently.
type File struct {
	mu     sync.Mutex
	sink   Sink
	signer *keys.Signer
	ids    map[string]string // digest of each entry by id
	tail   Tail
	broken error // once set, nothing is appended any more
}

// Open continues the record that existing holds, after checking all of it, and
// returns its length in bytes. A last line without its end was never
// acknowledged; it is not counted, and the caller cuts the file to that length
// before anything is appended to sink.
func Open(existing io.Reader, sink Sink, signer *keys.Signer) (*File, int64, error) {
	f := &File{sink: sink, signer: signer, ids: make(map[string]string)}
	length, err := read(existing, signer.Public(), func(l Line, raw []byte) error {
		digest, err := entryDigest(l.Entry)
		if err != nil {
			return err
		}
		f.ids[l.Entry.ID] = digest
		f.tail = f.tail.after(raw)
		return nil
	})
	if err != nil && !errors.Is(err, errCutShort) {
		return nil, 0, err
	}
	return f, length, nil
}

// check refuses what would come back from the file as another entry: JSON has
// no place for bytes that are not UTF-8.
func (e Entry) check() error {
	if e.ID == "" || e.Kind == "" {
		return errors.New("an entry has no id or no kind")
	}
	valid := utf8.ValidString(e.ID) && utf8.ValidString(e.Kind)
	for name, value := range e.Data {
		valid = valid && utf8.ValidString(name) && utf8.ValidString(value)
	}
	if !valid {
		return errors.New("an entry is not UTF-8")
	}
	return nil
}

func entryDigest(e Entry) (string, error) {
	b, err := keys.Canonical(e)
	return keys.Digest(b), err
}

// Append adds an entry. The same entry again changes nothing; another entry
// under a known id is refused with an error of kind Conflict. After an error of
// the sink the file refuses to go on: part of a line may be on disk.
func (f *File) Append(_ context.Context, e Entry) error {
	if err := e.check(); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	digest, err := entryDigest(e)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return errs.Wrap(f.broken, errs.Unavailable, "the record could not be written before", "open it again; it is checked then")
	}
	if known, ok := f.ids[e.ID]; ok {
		if known != digest {
			return errs.New(errs.Conflict, fmt.Sprintf("the record has another entry %s", errs.Quote(e.ID)), "")
		}
		return nil
	}
	raw, next, err := f.tail.Seal(e, f.signer)
	if err != nil {
		return err
	}
	if err := f.sink.Append(append(raw, '\n')); err != nil {
		f.broken = err
		return fmt.Errorf("ledger: write line %d: %w", f.tail.Lines, err)
	}
	f.ids[e.ID], f.tail = digest, next
	return nil
}

// Read returns the entries of a record after checking form, order, chain and
// the keeper's signature of every line. The error names the line. It is for who
// reads another's record, an auditor for instance; [Open] is for the keeper.
func Read(r io.Reader, keeper keys.Public) ([]Entry, error) {
	entries, _, err := ReadAll(r, keeper)
	return entries, err
}

// errCutShort marks a last line without its end.
var errCutShort = errors.New("no end of line")

// read calls each for every whole and valid line and returns their length in bytes.
func read(r io.Reader, keeper keys.Public, each func(l Line, raw []byte) error) (int64, error) {
	in := bufio.NewReaderSize(r, maxLine+1)
	previous, ids, length := "", make(map[string]bool), int64(0)
	for number := 0; ; number++ {
		raw, err := in.ReadSlice('\n')
		if err == io.EOF && len(raw) == 0 {
			return length, nil
		}
		invalid := func(cause error, what string) error {
			return errs.Wrap(cause, errs.Invalid, fmt.Sprintf("line %d of the record %s", number+1, what), "another copy of the record shows what it was")
		}
		switch {
		case err == io.EOF:
			return length, invalid(errCutShort, "is cut short")
		case err == bufio.ErrBufferFull:
			return length, invalid(nil, "is too long")
		case err != nil:
			return length, fmt.Errorf("ledger: read: %w", err)
		}
		raw = bytes.TrimSuffix(raw, []byte("\n"))
		var s signedLine
		if err := keys.DecodeCanonical(raw, &s); err != nil {
			return length, invalid(err, "cannot be read")
		}
		body, err := keys.Canonical(s.Line)
		if err == nil {
			err = s.Line.Entry.check()
		}
		if err != nil {
			return length, invalid(err, "cannot be read")
		}
		switch {
		case s.Line.Number != number:
			return length, invalid(nil, fmt.Sprintf("says it is line %d", s.Line.Number+1))
		case s.Line.Previous != previous:
			return length, invalid(nil, "does not follow from the line before it")
		case ids[s.Line.Entry.ID]:
			return length, invalid(nil, "repeats an entry")
		}
		if err := keys.Verify(keys.KindEntry, body, []byte(s.Signature), keeper); err != nil {
			return length, invalid(err, "is not signed by the keeper")
		}
		// A further signature would be a change of the file that nobody is asked about.
		if strings.Count(s.Signature, "\n") != noteLines {
			return length, invalid(nil, "has more signatures than the keeper's")
		}
		ids[s.Line.Entry.ID] = true
		if err := each(s.Line, raw); err != nil {
			return length, err
		}
		previous = keys.Digest(raw)
		length += int64(len(raw)) + 1
	}
}

// Digest returns [keys.Digest] of b, the form in which entries name a file.
func Digest(b []byte) string { return keys.Digest(b) }

// Hex returns a digest in the form in which entries and receipts hold it.
func Hex(digest [32]byte) string { return hex.EncodeToString(digest[:]) }
