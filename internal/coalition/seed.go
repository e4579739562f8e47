package coalition

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"muster/internal/errs"
)

// The hosts draw the seed of a task by commit and reveal, so that neither
// chooses it: each draws a [SeedPart], sends its commitment, and reveals the
// part only when it holds the other's commitment.

// SeedPart is one host's secret contribution to the seed.
type SeedPart [32]byte

// Seed is the secret of both hosts from which the verification key is derived.
// Charters carry its digest only.
type Seed [32]byte

// NewSeedPart draws a part from rand.
func NewSeedPart(rand io.Reader) (SeedPart, error) {
	var p SeedPart
	if _, err := io.ReadFull(rand, p[:]); err != nil {
		return SeedPart{}, fmt.Errorf("draw a seed part: %w", err)
	}
	return p, nil
}

// Commitment returns what a host sends first: SHA-256("muster seed part v1" || part).
func (p SeedPart) Commitment() [32]byte {
	return sha256.Sum256(append([]byte("muster seed part v1"), p[:]...))
}

// CombineSeed returns SHA-256("muster seed v1" || leader || helper) after
// checking both reveals against their commitments.
func CombineSeed(leader, helper SeedPart, leaderCommitment, helperCommitment [32]byte) (Seed, error) {
	for _, c := range []struct {
		host       string
		part       SeedPart
		commitment [32]byte
	}{{"Leader", leader, leaderCommitment}, {"Helper", helper, helperCommitment}} {
		got := c.part.Commitment()
		if subtle.ConstantTimeCompare(got[:], c.commitment[:]) != 1 {
			return Seed{}, errs.New(errs.Denied, fmt.Sprintf("the %s revealed another seed part than it committed to", c.host),
				"repeat the ceremony with new parts")
		}
	}
	// Whoever repeats the other's commitment, and then what the other revealed,
	// has drawn nothing.
	if leader == helper {
		return Seed{}, errs.New(errs.Denied, "both hosts revealed the same seed part", "repeat the ceremony with new parts")
	}
	return sha256.Sum256(append(append([]byte("muster seed v1"), leader[:]...), helper[:]...)), nil
}

// Digest returns SHA-256(seed), which the charter carries.
func (s Seed) Digest() [32]byte { return sha256.Sum256(s[:]) }

// The texts in place of the secrets.
const (
	hiddenSeed     = "coalition.Seed(hidden)"
	hiddenSeedPart = "coalition.SeedPart(hidden)"
)

// errSecret is why a secret has no text: a file with a placeholder in place of
// the seed would look like a seed that was kept.
var errSecret = errors.New("coalition: a seed is secret and has no text form")

// String hides the seed.
func (s Seed) String() string { return hiddenSeed }

// Format hides the seed, whatever the verb.
func (s Seed) Format(f fmt.State, _ rune) { io.WriteString(f, hiddenSeed) }

// LogValue hides the seed.
func (s Seed) LogValue() slog.Value { return slog.StringValue(hiddenSeed) }

// MarshalText refuses: a seed does not go into JSON or any other text.
func (s Seed) MarshalText() ([]byte, error) { return nil, errSecret }

// String hides the part.
func (p SeedPart) String() string { return hiddenSeedPart }

// Format hides the part, whatever the verb.
func (p SeedPart) Format(f fmt.State, _ rune) { io.WriteString(f, hiddenSeedPart) }

// LogValue hides the part.
func (p SeedPart) LogValue() slog.Value { return slog.StringValue(hiddenSeedPart) }

// MarshalText refuses: a part does not go into JSON or any other text.
func (p SeedPart) MarshalText() ([]byte, error) { return nil, errSecret }
