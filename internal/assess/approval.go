package assess

import (
	"encoding/json"

	"muster/internal/keys"
)

// ApprovalKind says what an approval was signed with.
type ApprovalKind string

// The kinds of approvals.
const (
	ApprovalKey     ApprovalKind = "key"     // the key file of somebody whom the lead has registered
	ApprovalPasskey ApprovalKind = "passkey" // the passkey with which somebody signs in
)

// Approval is the signature under a decision of the chain, or under an opinion: what
// was signed, byte for byte, and what shows who signed it, so that it can be checked
// later and elsewhere. The fields below Statement are those of its kind; the others
// are empty.
type Approval struct {
	Kind      ApprovalKind `json:"kind"`
	Statement []byte       `json:"statement"` // canonical JSON

	// Of the kind "key": the key, and the note that it signed over the statement.
	Key  keys.Public `json:"key,omitempty"`
	Note []byte      `json:"note,omitempty"`

	// Of the kind "passkey": what the passkey signed over the statement's SHA-256, with
	// its public key, as package account has it.
	Passkey json.RawMessage `json:"passkey,omitempty"`
}
