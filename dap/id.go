package dap

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
)

// The identifiers. In URLs and in text they are unpadded base64url (section 3).
type (
	// A TaskID names a task. See [DeriveTaskID].
	TaskID [32]byte
	// A ReportID names a report within its task. It is 16 bytes from a
	// cryptographic random source and is the VDAF's nonce.
	ReportID [16]byte
	// An AggregationJobID is chosen by the Helper. See [JobID].
	AggregationJobID [16]byte
	// A CollectionJobID is chosen by the Leader. See [JobID].
	CollectionJobID [16]byte
	// An AggregateShareID is chosen by the Helper. See [JobID].
	AggregateShareID [16]byte
	// A BatchID names a batch in leader-selected mode.
	BatchID [32]byte
	// A VerificationKeyID names one of the verification keys that the
	// aggregators have agreed on.
	VerificationKeyID uint8
)

// JobID derives the id of a resource from the body of the request that creates
// it: the first 16 bytes of its SHA-256. Equal requests name the same resource,
// which makes creation idempotent (section 3.2).
func JobID(body []byte) [16]byte {
	sum := sha256.Sum256(body)
	return [16]byte(sum[:16])
}

// String returns the id in unpadded base64url.
func (id TaskID) String() string { return formatID(id[:]) }

// String returns the id in unpadded base64url.
func (id ReportID) String() string { return formatID(id[:]) }

// String returns the id in unpadded base64url.
func (id AggregationJobID) String() string { return formatID(id[:]) }

// String returns the id in unpadded base64url.
func (id CollectionJobID) String() string { return formatID(id[:]) }

// String returns the id in unpadded base64url.
func (id AggregateShareID) String() string { return formatID(id[:]) }

// String returns the id in unpadded base64url.
func (id BatchID) String() string { return formatID(id[:]) }

// ParseTaskID parses exactly what [TaskID.String] returns.
func ParseTaskID(s string) (id TaskID, err error) { return id, parseID("task id", id[:], s) }

// ParseReportID parses exactly what [ReportID.String] returns.
func ParseReportID(s string) (id ReportID, err error) { return id, parseID("report id", id[:], s) }

// ParseAggregationJobID parses exactly what [AggregationJobID.String] returns.
func ParseAggregationJobID(s string) (id AggregationJobID, err error) {
	return id, parseID("aggregation job id", id[:], s)
}

// ParseCollectionJobID parses exactly what [CollectionJobID.String] returns.
func ParseCollectionJobID(s string) (id CollectionJobID, err error) {
	return id, parseID("collection job id", id[:], s)
}

// ParseAggregateShareID parses exactly what [AggregateShareID.String] returns.
func ParseAggregateShareID(s string) (id AggregateShareID, err error) {
	return id, parseID("aggregate share id", id[:], s)
}

// ParseBatchID parses exactly what [BatchID.String] returns.
func ParseBatchID(s string) (id BatchID, err error) { return id, parseID("batch id", id[:], s) }

// MarshalText returns the id in unpadded base64url.
func (id TaskID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText returns the id in unpadded base64url.
func (id ReportID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText accepts what [ParseTaskID] accepts.
func (id *TaskID) UnmarshalText(text []byte) error { return parseID("task id", id[:], string(text)) }

// UnmarshalText accepts what [ParseReportID] accepts.
func (id *ReportID) UnmarshalText(text []byte) error {
	return parseID("report id", id[:], string(text))
}

func formatID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// parseID fills id from s. It leaves id alone on error.
func parseID(what string, id []byte, s string) error {
	enc := base64.RawURLEncoding.Strict()
	if len(s) != enc.EncodedLen(len(id)) {
		return fmt.Errorf("dap: %s of %d characters; allowed: %d of unpadded base64url", what, len(s), enc.EncodedLen(len(id)))
	}
	// Go's decoder skips line breaks, which show as missing bytes.
	b, err := enc.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return fmt.Errorf("dap: %s is not unpadded base64url", what)
	}
	copy(id, b)
	return nil
}

// A Checksum is the exclusive or of the SHA-256 of the ids of all reports in a
// batch, by which the aggregators notice that they disagree (section 4.5.4.3).
// The zero value is that of the empty batch.
type Checksum [32]byte

// Checksum returns the checksum of the batch that holds this report alone.
func (id ReportID) Checksum() Checksum { return sha256.Sum256(id[:]) }

// Xor returns the checksum of two batches together. It also takes a report
// out again.
func (c Checksum) Xor(other Checksum) Checksum {
	subtle.XORBytes(c[:], c[:], other[:])
	return c
}
