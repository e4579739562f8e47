package coalition

import (
	"encoding/base64"
	"fmt"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
)

const heldKind = "muster receipt acknowledgement v1"

// Held is what a host signs when it takes in a member's receipt: that it holds it, and
// with it the digests of the report as it was sent. It has no time. Only what came before
// the deadline is acknowledged, hosts keep no time of a submission, and so the same
// receipt again is acknowledged by the same bytes.
type Held struct {
	Kind     string `json:"kind"`
	Host     string `json:"host"`    // "leader" or "helper"
	Receipt  string `json:"receipt"` // hex SHA-256
	Report   string `json:"report_id"`
	Sequence uint64 `json:"seq"`
	Task     string `json:"task_id"`
}

// Acknowledge returns a host's word on a receipt, signed, for the member that sent it;
// last is the number of the member's receipt that counts there. What was set aside is
// acknowledged without a signature: nobody can hold the host to it.
func (r Receipt) Acknowledge(digest string, last uint64, role dap.Role, host *keys.Signer) (Acknowledgement, error) {
	ack := Acknowledgement{Receipt: digest, Last: last}
	if last < r.Sequence {
		return ack, nil
	}
	body, err := keys.Canonical(Held{Kind: heldKind, Host: role.String(), Receipt: digest, Report: r.Report, Sequence: r.Sequence, Task: r.Task})
	if err != nil {
		return ack, err
	}
	signature, err := keys.Sign(keys.KindHeld, body, host)
	ack.Held, ack.Signature = base64.RawURLEncoding.EncodeToString(body), string(signature)
	return ack, err
}

// maxHeldSize bounds an acknowledgement: six short fields.
const maxHeldSize = 1 << 10

// Signed returns the file that the host signed; ok is false where it signed none.
func (a Acknowledgement) Signed() (file SignedFile, ok bool, err error) {
	if a.Held == "" && a.Signature == "" {
		return SignedFile{}, false, nil
	}
	body, err := base64.RawURLEncoding.Strict().DecodeString(a.Held)
	if err != nil || len(body) > maxHeldSize {
		return SignedFile{}, false, errs.Wrap(err, errs.Invalid, "the acknowledgement of a host cannot be read", "")
	}
	return SignedFile{Body: body, Signature: []byte(a.Signature)}, true, nil
}

// ReadHeld reads what a host signed of a receipt. It does not look at the signature.
func ReadHeld(file SignedFile) (Held, error) {
	var h Held
	if len(file.Body) > maxHeldSize {
		return Held{}, errs.New(errs.Invalid, "the acknowledgement of a host is too long", "")
	}
	if err := keys.DecodeCanonical(file.Body, &h); err != nil {
		return Held{}, errs.Wrap(err, errs.Invalid, "the acknowledgement of a host cannot be read", "")
	}
	if h.Kind != heldKind || h.Host != dap.RoleLeader.String() && h.Host != dap.RoleHelper.String() {
		return Held{}, errs.New(errs.Invalid, fmt.Sprintf("this is no acknowledgement of a host, but of kind %s", errs.Quote(h.Kind)), "")
	}
	return h, nil
}

// OpenHeld reads what a host signed of exactly this receipt, of which the digest is given,
// and checks that the host did.
func (c Charter) OpenHeld(file SignedFile, r Receipt, digest string) (Held, error) {
	h, err := ReadHeld(file)
	if err != nil {
		return Held{}, err
	}
	_, key, _ := c.party(h.Host)
	if err := keys.Verify(keys.KindHeld, file.Body, file.Signature, key); err != nil {
		return Held{}, err
	}
	if h.Receipt != digest || h.Report != r.Report || h.Sequence != r.Sequence || h.Task != r.Task {
		return Held{}, errs.New(errs.Invalid, "the acknowledgement is of another receipt", "")
	}
	return h, nil
}
