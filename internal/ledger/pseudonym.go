package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// pseudonymSize is the length of a pseudonym in bytes.
const pseudonymSize = 16

// The labels under which everything is derived.
const (
	labelOpener    = "muster ledger opener v1"
	labelPseudonym = "muster ledger pseudonym v1"
	labelSalt      = "muster ledger salt v1"
	labelReceipt   = "muster ledger receipt v1"
)

// Opener opens the entries of receipts of one task: it knows whose they are. It
// follows from the roster as both hosts signed it, which holds a random id of each
// submission. So whoever has the roster opens them, and nobody else can: the
// roster's digest, which is public, does not give it.
type Opener struct{ key []byte }

// NewOpener returns the opener of a roster's bytes.
func NewOpener(roster []byte) Opener { return Opener{derive([]byte(labelOpener), roster)} }

// derive is HMAC-SHA256 over its parts, with a zero byte between them.
func derive(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for i, part := range parts {
		if i > 0 {
			mac.Write([]byte{0})
		}
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// Pseudonym returns the name of a member in the ledger, in this cycle and no other.
func (o Opener) Pseudonym(member coalition.MemberID) string {
	return hex.EncodeToString(derive(o.key, []byte(labelPseudonym), []byte(member))[:pseudonymSize])
}

// Receipt returns the salted hash under which a member's receipt is entered, of the
// receipt's digest in hex.
func (o Opener) Receipt(member coalition.MemberID, digest string) string {
	salt := derive(o.key, []byte(labelSalt), []byte(member))
	return hex.EncodeToString(derive(salt, []byte(labelReceipt), []byte(digest)))
}

// Names returns the members of a roster by pseudonym.
func (o Opener) Names(r coalition.Roster) map[string]coalition.MemberID {
	names := make(map[string]coalition.MemberID, len(r.Entries))
	for _, e := range r.Entries {
		names[o.Pseudonym(e.Member)] = e.Member
	}
	return names
}

// listDigest is the digest of statements of receipts or strikes of one task,
// whatever their order in the ledger: lines of pseudonym, space and value, sorted.
func listDigest(list []Statement, value string) string {
	lines := make([]string, len(list))
	for i, s := range list {
		lines[i] = s.Fields["member"] + " " + s.Fields[value] + "\n"
	}
	slices.Sort(lines)
	return Digest([]byte(strings.Join(lines, "")))
}

// CheckReceipts refuses entries of receipts that are not those of a roster's entry:
// one missing, one too many, or one changed.
func CheckReceipts(roster Statement, receipts []Statement) error {
	if n := roster.Number("submissions"); len(receipts) != n {
		return errs.New(errs.Invalid, fmt.Sprintf("the ledger has %d receipts and the roster counts %d submissions", len(receipts), n), "ask for the whole ledger")
	}
	if listDigest(receipts, "receipt") != roster.Fields["receipts"] {
		return errs.New(errs.Invalid, "the receipts in the ledger are not those that the roster's entry counts", "ask for the whole ledger")
	}
	return nil
}

// CheckStrikes refuses entries of strikes that are not those of an amendment's entry.
func CheckStrikes(amendment Statement, strikes []Statement) error {
	if n := amendment.Number("struck"); len(strikes) != n {
		return errs.New(errs.Invalid, fmt.Sprintf("the ledger has %d strikes and the amendment counts %d", len(strikes), n), "ask for the whole ledger")
	}
	if listDigest(strikes, "reason") != amendment.Fields["strikes"] {
		return errs.New(errs.Invalid, "the strikes in the ledger are not those that the amendment's entry counts", "ask for the whole ledger")
	}
	return nil
}
