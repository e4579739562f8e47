package coalition

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/errs"
	"muster/internal/keys"
)

const attestationKind = "muster wipe attestation v1"

// The endings of a cycle in a [WipeAttestation].
const (
	EndingOver      = "over"
	EndingCancelled = "cancelled"
)

// What a host says in a [WipeAttestation] of its sum of the submissions.
const (
	SumLeft    = "left"    // for the coordinator, or may have, before the wipe
	SumKept    = "kept"    // it never left, and cannot any more
	SumUnknown = "unknown" // the host does not know: its database holds nothing of before the deadline
)

// WipeAttestation is the word of a host, or of the coordinator, that it has
// destroyed what could open the submissions or the totals of a cycle. It is
// stated, not proven.
type WipeAttestation struct {
	Kind      string   `json:"kind"`
	Charter   string   `json:"charter"` // hex SHA-256
	Cycle     string   `json:"cycle"`
	Role      string   `json:"role"`      // "leader", "helper" or "coordinator"
	Name      string   `json:"name"`      // the member that hosts, or the coalition
	Ending    string   `json:"ending"`    // [EndingOver] or [EndingCancelled]
	Sum       string   `json:"sum"`       // of a host: [SumLeft], [SumKept] or [SumUnknown]; empty of the coordinator
	Destroyed []string `json:"destroyed"` // what was, in words
	Time      int64    `json:"time"`      // when, in seconds since 1970
}

// NewWipeAttestation returns the attestation of one of the three roles of a
// charter, "leader", "helper" or "coordinator"; sum is empty of the last.
func NewWipeAttestation(c Charter, role, ending, sum string, destroyed []string, now time.Time) (WipeAttestation, error) {
	digest, err := c.Digest()
	if err != nil {
		return WipeAttestation{}, err
	}
	name, _, ok := c.party(role)
	if !ok {
		return WipeAttestation{}, fmt.Errorf("coalition: %q wipes nothing", role)
	}
	a := WipeAttestation{Kind: attestationKind, Charter: digest, Cycle: c.Cycle, Role: role, Name: name, Ending: ending, Sum: sum, Destroyed: slices.Clone(destroyed), Time: now.Unix()}
	return a, a.check(c)
}

// party returns the name and the key of one of the three roles.
func (c Charter) party(role string) (name string, key keys.Public, ok bool) {
	switch role {
	case "leader":
		return string(c.Leader.Member), c.Leader.Key, true
	case "helper":
		return string(c.Helper.Member), c.Helper.Key, true
	case "coordinator":
		return c.Coalition, c.Coordinator.Key, true
	}
	return "", "", false
}

// Sign returns the attestation signed by the one that it is of.
func (a WipeAttestation) Sign(signer *keys.Signer) (SignedFile, error) {
	body, err := keys.Canonical(a)
	if err != nil {
		return SignedFile{}, err
	}
	sig, err := keys.Sign(keys.KindWipe, body, signer)
	return SignedFile{Body: body, Signature: sig}, err
}

// OpenWipeAttestation reads an attestation to a charter's cycle and checks that
// the one that it names has signed it.
func OpenWipeAttestation(file SignedFile, c Charter) (WipeAttestation, error) {
	var a WipeAttestation
	if err := keys.DecodeCanonical(file.Body, &a); err != nil {
		return WipeAttestation{}, errs.Wrap(err, errs.Invalid, "the wipe attestation cannot be read", "ask the sender for the file and its .sig again, unchanged")
	}
	if err := a.check(c); err != nil {
		return WipeAttestation{}, err
	}
	_, key, _ := c.party(a.Role)
	return a, keys.Verify(keys.KindWipe, file.Body, file.Signature, key)
}

func (a WipeAttestation) check(c Charter) error {
	invalid := func(what string) error { return errs.New(errs.Invalid, "the wipe attestation "+what, "") }
	digest, err := c.Digest()
	if err != nil {
		return err
	}
	name, _, ok := c.party(a.Role)
	switch {
	case a.Kind != attestationKind:
		return invalid("is of kind " + errs.Quote(a.Kind))
	case a.Charter != digest || a.Cycle != c.Cycle:
		return invalid("belongs to another charter")
	case !ok || a.Name != name:
		return invalid(fmt.Sprintf("is of %s as %s, which the charter does not say", errs.Quote(a.Name), errs.Quote(a.Role)))
	case a.Ending != EndingOver && a.Ending != EndingCancelled:
		return invalid("gives " + errs.Quote(a.Ending) + " as the ending")
	case a.Role == "coordinator" && a.Sum != "", a.Role != "coordinator" && a.Sum != SumLeft && a.Sum != SumKept && a.Sum != SumUnknown:
		return invalid("says " + errs.Quote(a.Sum) + " of the sum of the " + a.Role)
	case a.Ending == EndingOver && a.Role != "coordinator" && a.Sum != SumLeft:
		return invalid("is of a cycle that is over, and does not say that the sum has left")
	case len(a.Destroyed) == 0 || slices.ContainsFunc(a.Destroyed, func(s string) bool { return strings.TrimSpace(s) == "" }):
		return invalid("does not say what was destroyed")
	case a.Time < 0:
		return invalid("has a time before 1970")
	}
	return nil
}
