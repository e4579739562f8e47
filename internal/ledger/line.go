package ledger

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"muster/internal/errs"
	"muster/internal/keys"
)

// Tail is where a record ends: what its next line follows. The zero Tail is
// that of an empty record. Whoever keeps a tail can tell later whether lines
// were dropped from the end.
type Tail struct {
	Lines  int    `json:"lines"`
	Digest string `json:"digest"` // hex SHA-256 of the last line, without its end; empty if there is none
}

func (t Tail) after(raw []byte) Tail { return Tail{Lines: t.Lines + 1, Digest: keys.Digest(raw)} }

// Seal returns the line, without its end, that adds an entry behind t, signed by
// the keeper, and where the record ends then. It is for a keeper that has its
// lines elsewhere than in a [File], in a database for instance; such a keeper
// sees to it that no id is in the record twice.
func (t Tail) Seal(e Entry, signer *keys.Signer) (raw []byte, next Tail, err error) {
	if err := e.check(); err != nil {
		return nil, t, fmt.Errorf("ledger: %w", err)
	}
	line := Line{Number: t.Lines, Previous: t.Digest, Entry: e}
	body, err := keys.Canonical(line)
	if err != nil {
		return nil, t, err
	}
	sig, err := keys.Sign(keys.KindEntry, body, signer)
	if err != nil {
		return nil, t, err
	}
	if raw, err = keys.Canonical(signedLine{Line: line, Signature: string(sig)}); err != nil {
		return nil, t, err
	}
	if len(raw) > maxLine {
		return nil, t, fmt.Errorf("ledger: an entry of %d bytes", len(raw))
	}
	return raw, t.after(raw), nil
}

// TailOf returns where a record ends whose last line, without its end, is raw.
func TailOf(raw []byte) (Tail, error) {
	var s signedLine
	if err := keys.DecodeCanonical(raw, &s); err != nil {
		return Tail{}, errs.Wrap(err, errs.Invalid, "a line of the record cannot be read", "")
	}
	return Tail{Lines: s.Line.Number}.after(raw), nil
}

// ReadLine reads one line of a record, without its end, that its keeper has signed.
// Whether it stands in the record only the whole record shows.
func ReadLine(raw []byte, keeper keys.Public) (Line, error) {
	invalid := func(cause error, what string) (Line, error) {
		return Line{}, errs.Wrap(cause, errs.Invalid, "the line of a record "+what, "ask for the record again")
	}
	if len(raw) > maxLine {
		return invalid(nil, "is too long")
	}
	var s signedLine
	if err := keys.DecodeCanonical(raw, &s); err != nil {
		return invalid(err, "cannot be read")
	}
	body, err := keys.Canonical(s.Line)
	if err == nil {
		err = s.Line.Entry.check()
	}
	if err != nil {
		return invalid(err, "cannot be read")
	}
	if err := keys.Verify(keys.KindEntry, body, []byte(s.Signature), keeper); err != nil {
		return invalid(err, "is not signed by its keeper")
	}
	if strings.Count(s.Signature, "\n") != noteLines {
		return invalid(nil, "has more signatures than the keeper's")
	}
	return s.Line, nil
}

// Holds reports whether a line, without its end, is of the entry e and of no
// other. It looks at no signature.
func Holds(raw []byte, e Entry) (bool, error) {
	var s signedLine
	if err := keys.DecodeCanonical(raw, &s); err != nil {
		return false, errs.Wrap(err, errs.Invalid, "a line of the record cannot be read", "")
	}
	kept, err := keys.Canonical(s.Line.Entry)
	if err != nil {
		return false, err
	}
	asked, err := keys.Canonical(e)
	return bytes.Equal(kept, asked), err
}

// ReadAll is [Read], and returns where the record ends, too.
func ReadAll(r io.Reader, keeper keys.Public) ([]Entry, Tail, error) {
	var entries []Entry
	var tail Tail
	_, err := read(r, keeper, func(l Line, raw []byte) error {
		entries, tail = append(entries, l.Entry), tail.after(raw)
		return nil
	})
	if err != nil {
		return nil, Tail{}, err
	}
	return entries, tail, nil
}
