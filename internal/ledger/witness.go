package ledger

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"muster/internal/errs"
	"muster/internal/keys"
)

// CosignRequest asks a witness for its cosignature: C2SP tlog-witness,
// add-checkpoint. The same bytes go over HTTPS or as a file.
type CosignRequest struct {
	Old        uint64 // the size that the witness saw last, 0 if none
	Proof      []Hash // that the checkpoint follows from it
	Checkpoint []byte // signed by the ledger
}

// MaxCosignRequest bounds a request in bytes, and maxProof the lines of its proof.
const (
	MaxCosignRequest = 32 << 10
	maxProof         = 63
)

// Encode returns the body of the request.
func (r CosignRequest) Encode() []byte {
	b := fmt.Appendf(nil, "old %d\n", r.Old)
	for _, h := range r.Proof {
		b = fmt.Appendf(b, "%v\n", h)
	}
	return append(append(b, '\n'), r.Checkpoint...)
}

// ParseCosignRequest reads the body of a request. It checks no signature.
func ParseCosignRequest(b []byte) (CosignRequest, error) {
	refuse := func(cause error, what string) (CosignRequest, error) {
		return CosignRequest{}, errs.Wrap(cause, errs.Invalid, "the request to a witness "+what, "")
	}
	if len(b) > MaxCosignRequest {
		return refuse(nil, fmt.Sprintf("has %d bytes", len(b)))
	}
	head, checkpoint, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		return refuse(nil, "has no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	if !ok {
		return refuse(nil, "does not begin with a line old SIZE")
	}
	var r CosignRequest
	var err error
	if r.Old, err = parseDecimal(size); err != nil {
		return refuse(err, "does not begin with a line old SIZE")
	}
	if len(lines)-1 > maxProof {
		return refuse(nil, fmt.Sprintf("has a proof of %d lines", len(lines)-1))
	}
	for _, line := range lines[1:] {
		h, err := ParseHash(line)
		if err != nil {
			return refuse(err, "has a line in its proof that is no hash")
		}
		r.Proof = append(r.Proof, h)
	}
	if _, err := ReadCheckpoint(checkpoint); err != nil {
		return CosignRequest{}, err
	}
	r.Checkpoint = checkpoint
	return r, nil
}

// Refusal is why a witness does not cosign, by the statuses of the protocol.
type Refusal uint8

// The refusals.
const (
	RefuseMalformed    Refusal = iota + 1 // the request says what cannot be
	RefuseUnknown                         // the witness does not watch this ledger
	RefuseUnsigned                        // the checkpoint is not signed by the ledger
	RefuseStale                           // the witness has seen another size
	RefuseSplit                           // one size with two roots
	RefuseInconsistent                    // the proof does not show that it follows
)

// RefusalError is the error of a witness that does not cosign.
type RefusalError struct {
	Refusal Refusal
	Size    uint64 // with RefuseStale: what the witness has seen
	Err     error
}

func (e *RefusalError) Error() string { return e.Err.Error() }

// Unwrap returns what a person reads.
func (e *RefusalError) Unwrap() error { return e.Err }

// Judge decides whether a witness that saw last, the zero Checkpoint if nothing,
// may cosign what a request holds, and returns the checkpoint that it then has
// seen. The witness keeps that for good before it signs.
func (r CosignRequest) Judge(log keys.Public, last Checkpoint) (Checkpoint, error) {
	refuse := func(why Refusal, kind errs.Kind, message string) (Checkpoint, error) {
		return Checkpoint{}, &RefusalError{why, last.Size, errs.New(kind, message, "")}
	}
	w, err := Policy{Log: log}.Read(r.Checkpoint, time.Time{})
	if err != nil {
		return Checkpoint{}, &RefusalError{RefuseUnsigned, last.Size, err}
	}
	next := w.Checkpoint
	switch {
	case r.Old > next.Size:
		return refuse(RefuseMalformed, errs.Invalid, fmt.Sprintf("the request goes from %d entries back to %d", r.Old, next.Size))
	case r.Old != last.Size:
		return refuse(RefuseStale, errs.Conflict, fmt.Sprintf("the witness has seen %d entries, and the request begins at %d", last.Size, r.Old))
	case r.Old == next.Size && r.Old > 0 && last.Root != next.Root:
		return refuse(RefuseSplit, errs.Conflict, fmt.Sprintf("the ledger of %d entries had another root before: it is shown in two ways", next.Size))
	case (r.Old == 0 || r.Old == next.Size) && len(r.Proof) > 0:
		return refuse(RefuseInconsistent, errs.Invalid, "there is a proof where none belongs")
	}
	if r.Old == 0 {
		return next, nil
	}
	if err := VerifyConsistency(last, next, r.Proof); err != nil {
		return Checkpoint{}, &RefusalError{RefuseInconsistent, last.Size, err}
	}
	return next, nil
}

// Cosign returns the witness's line on a checkpoint that it has judged and kept.
func Cosign(c Checkpoint, witness *keys.Signer, now func() time.Time) ([]byte, error) {
	signer, err := witness.Cosigning(now)
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		return nil, fmt.Errorf("cosign: %w", err)
	}
	_, line, _ := bytes.Cut(signed, []byte("\n\n"))
	return line, nil
}
