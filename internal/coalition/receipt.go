package coalition

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
)

// maxSequence is the highest sequence number: JSON's numbers are exact up to it.
const maxSequence = 1 << 53

const receiptKind = "muster receipt v1"

// Receipt is a member's signed word that it sent one submission. Each digest
// covers one host's part of it, as it goes over the wire, so that a host can
// check its own part and learns nothing of the other's.
type Receipt struct {
	Kind     string   `json:"kind"`
	Task     string   `json:"task_id"`   // base64url
	Report   string   `json:"report_id"` // base64url
	Member   MemberID `json:"member"`
	Sequence uint64   `json:"seq"`  // from 1; a higher one replaces
	Time     int64    `json:"time"` // seconds since 1970, by the member's clock
	Leader   string   `json:"leader"`
	Helper   string   `json:"helper"` // hex SHA-256, see [PartDigest]
}

// SignedReceipt is a receipt as it is sent and kept: its canonical bytes and
// the member's note over them.
type SignedReceipt struct {
	Body      []byte
	Signature []byte
}

// NewReceipt returns the receipt for a report.
func NewReceipt(task dap.TaskID, member MemberID, sequence uint64, unixTime int64, report dap.ReportID, leader, helper [32]byte) Receipt {
	return Receipt{
		Kind: receiptKind, Task: task.String(), Report: report.String(), Member: member, Sequence: sequence, Time: unixTime,
		Leader: hex.EncodeToString(leader[:]), Helper: hex.EncodeToString(helper[:]),
	}
}

// PartDigest returns SHA-256(ReportMetadata || public_share || HpkeCiphertext)
// over the wire encodings: what one host receives of a submission.
func PartDigest(metadata dap.ReportMetadata, publicShare []byte, ciphertext dap.HpkeCiphertext) ([32]byte, error) {
	b, err := metadata.AppendBinary(nil)
	if err != nil {
		return [32]byte{}, fmt.Errorf("encode the report metadata: %w", err)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(publicShare))) // opaque public_share<0..2^32-1>
	b = append(b, publicShare...)
	if b, err = ciphertext.AppendBinary(b); err != nil {
		return [32]byte{}, fmt.Errorf("encode the ciphertext: %w", err)
	}
	return sha256.Sum256(b), nil
}

// Sign returns the receipt signed by its member.
func (r Receipt) Sign(member *keys.Signer) (SignedReceipt, error) {
	body, err := keys.Canonical(r)
	if err != nil {
		return SignedReceipt{}, err
	}
	sig, err := keys.Sign(keys.KindReceipt, body, member)
	if err != nil {
		return SignedReceipt{}, err
	}
	return SignedReceipt{Body: body, Signature: sig}, nil
}

// maxReceiptSize bounds a receipt: names of 64 characters and five short fields.
const maxReceiptSize = 4 << 10

// Open checks the receipt's form, that it belongs to task, and that the member
// it names, whose key lookup returns, has signed it.
func (s SignedReceipt) Open(task dap.TaskID, lookup func(MemberID) (keys.Public, bool)) (Receipt, error) {
	if len(s.Body) > maxReceiptSize {
		return Receipt{}, errs.New(errs.Invalid, fmt.Sprintf("the receipt has %d bytes", len(s.Body)), "")
	}
	var r Receipt
	if err := keys.DecodeCanonical(s.Body, &r); err != nil {
		return Receipt{}, errs.Wrap(err, errs.Invalid, "the receipt cannot be read", "")
	}
	if err := r.check(task); err != nil {
		return Receipt{}, err
	}
	public, ok := lookup(r.Member)
	if !ok {
		return Receipt{}, errs.New(errs.Denied, fmt.Sprintf("%s is not in the cohort", errs.Quote(string(r.Member))), "")
	}
	if err := keys.Verify(keys.KindReceipt, s.Body, s.Signature, public); err != nil {
		return Receipt{}, err
	}
	return r, nil
}

func (r Receipt) check(task dap.TaskID) error {
	invalid := func(what string) error { return errs.New(errs.Invalid, "the receipt "+what, "") }
	switch {
	case r.Kind != receiptKind:
		return invalid("is of kind " + errs.Quote(r.Kind))
	case r.Task != task.String():
		return invalid("belongs to another task")
	case r.Sequence == 0 || r.Sequence > maxSequence:
		return invalid(fmt.Sprintf("has the sequence number %d", r.Sequence))
	case r.Time < 0:
		return invalid("has a time before 1970")
	}
	if _, err := dap.ParseReportID(r.Report); err != nil {
		return invalid("has a broken report id")
	}
	if !isDigest(r.Leader) || !isDigest(r.Helper) {
		return invalid("has a broken digest")
	}
	return nil
}

// isDigest reports whether s is a SHA-256 in lower-case hex.
func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == s
}

// ReportID returns the id of the report.
func (r Receipt) ReportID() dap.ReportID {
	id, err := dap.ParseReportID(r.Report)
	if err != nil {
		panic("coalition: a checked receipt has a broken report id")
	}
	return id
}

// Digest returns SHA-256 of the receipt's canonical bytes, in hex.
func (s SignedReceipt) Digest() string { return keys.Digest(s.Body) }

// Standing is a host's word on how far it is with a task. It names nobody.
type Standing struct {
	Phase      string `json:"phase"`      // "open", "closing", "frozen", "collected" or "wiped"
	Collection string `json:"collection"` // "none"; "asked": its sum may have left; "answered": it has
	Roster     string `json:"roster"`     // hex SHA-256 of the roster that both hosts signed; empty before
}

// Acknowledgement is a host's word that it holds a member's receipt.
type Acknowledgement struct {
	Receipt string `json:"receipt"`  // hex SHA-256 of the receipt
	Last    uint64 `json:"last_seq"` // of the member's receipts at this host the one that counts, or 0; those set aside do not count

	Held      string `json:"acknowledgement"` // base64url of a [Held]; empty where this one was set aside
	Signature string `json:"signature"`       // the host's note over it
}
