package keys

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/gowebpki/jcs"
)

// ErrNotCanonical is returned by [DecodeCanonical] for JSON that has the right
// content in another form: other white space, key order, number form, or a
// repeated key. A signature covers bytes, so only one form may exist.
var ErrNotCanonical = errors.New("not in canonical form (RFC 8785)")

// Canonical returns v as JSON in the canonical form of RFC 8785. Numbers must
// be integers of at most 53 bits, as everywhere in muster's files. A text that is
// not UTF-8 is refused: it would come back as another.
func Canonical(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	if replaced(buf.Bytes()) {
		return nil, fmt.Errorf("encode %T: a text is not UTF-8", v)
	}
	out, err := jcs.Transform(buf.Bytes())
	if err != nil {
		return nil, fmt.Errorf("canonical form of %T: %w", v, err)
	}
	return out, nil
}

// replaced reports whether package json put the escape of U+FFFD in the place of
// bytes that are not UTF-8. The character itself it writes as it is.
func replaced(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(text[i:], []byte(`\ufffd`)) {
			return true
		}
		i++ // what is escaped may be a backslash
	}
	return false
}

// Digest returns SHA-256 of b in lower-case hex: how muster's files name each
// other.
func Digest(b []byte) string {
	digest := sha256.Sum256(b)
	return hex.EncodeToString(digest[:])
}

// DecodeCanonical decodes b into v and refuses unknown fields, trailing bytes
// and every encoding but the one that [Canonical] produces for v.
func DecodeCanonical(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("decode %T: bytes after the document", v)
	}
	again, err := Canonical(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return fmt.Errorf("decode %T: %w", v, ErrNotCanonical)
	}
	return nil
}
