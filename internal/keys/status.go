package keys

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"muster/internal/errs"
)

// Status says what a note holds of one key.
type Status uint8

// The statuses.
const (
	Missing Status = iota // no signature by this key
	Genuine
	Forged // a signature that names this key and is not by it
)

// Check returns what the note sig over body holds of one key. The error is of
// kind Invalid if sig is not about body at all. A note without any signature
// that can be read is not one.
func Check(kind Kind, body, sig []byte, public Public) (Status, error) {
	if err := public.Check(); err != nil {
		return Missing, err
	}
	if len(sig) > maxNoteSize || !strings.HasPrefix(string(sig), text(kind, body)+"\n") {
		return Missing, errs.New(errs.Invalid, fmt.Sprintf("the signature is not about this %s", kind), "the file was changed after it was signed, or the .sig belongs to another file")
	}
	if Verify(kind, body, sig, public) == nil {
		return Genuine, nil
	}
	verifier, err := note.NewVerifier(string(public))
	if err != nil {
		return Missing, err
	}
	_, err = note.Open(sig, note.VerifierList(verifier))
	if _, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		return Missing, nil
	}
	// Without an error it is genuine to the library and not in canonical form.
	if _, ok := errors.AsType[*note.InvalidSignatureError](err); ok || err == nil {
		return Forged, nil
	}
	return Missing, errs.Wrap(err, errs.Invalid, fmt.Sprintf("the signature of the %s cannot be read", kind), "ask the sender for the file and its .sig again")
}

// Join returns the signatures of two notes over one body in one note, those of
// sig first. It does not verify them.
func Join(kind Kind, body, sig, other []byte) ([]byte, error) {
	head := text(kind, body) + "\n"
	var lines []string
	for _, n := range [][]byte{sig, other} {
		rest, ok := strings.CutPrefix(string(n), head)
		if !ok || !strings.HasSuffix(rest, "\n") {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("the signature is not about this %s", kind), "the file was changed after it was signed, or the .sig belongs to another file")
		}
		for line := range strings.Lines(rest) {
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	joined := []byte(head + strings.Join(lines, ""))
	if len(joined) > maxNoteSize {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the joined signature of the %s has %d bytes", kind, len(joined)), "")
	}
	return joined, nil
}

// Reduce returns the note with the signatures of required alone, in that order:
// of several notes over one file it makes one form. It verifies them first.
func Reduce(kind Kind, digest [sha256.Size]byte, sig []byte, required ...Public) ([]byte, error) {
	if err := VerifyDigest(kind, digest, sig, required...); err != nil {
		return nil, err
	}
	head := textOf(kind, digest) + "\n"
	reduced := []byte(head)
	for _, public := range required {
		verifier, err := note.NewVerifier(string(public))
		if err != nil {
			return nil, err
		}
		n, err := note.Open(sig, note.VerifierList(verifier))
		if err != nil {
			return nil, err
		}
		reduced = fmt.Appendf(reduced, "\u2014 %s %s\n", n.Sigs[0].Name, n.Sigs[0].Base64)
	}
	return reduced, nil
}
