// Package keys signs and checks muster's files.
//
// A signed file is JSON in the canonical form of RFC 8785, see [Canonical].
// Beside it, as NAME.sig, lies a note in the form of C2SP signed-note whose
// text is three lines:
//
//	muster signed file v1
//	charter
//	Vc7mO2pZ… (SHA-256 of the file, standard base64)
//
// The second line is the [Kind] of file, so that a signature under one kind
// says nothing about bytes of another. Several identities may sign one note:
// a charter carries the signatures of the coordinator and of both hosts.
//
// Everyone who signs is known by a [Public]: a name and an Ed25519 key, pinned
// in the charter. Names are not secret and need not be unique over cycles; the
// key is what counts.
package keys

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"muster/internal/errs"
)

// Kind is the kind of a signed file.
type Kind string

// The kinds of signed files.
const (
	KindCharter    Kind = "charter"
	KindAddendum   Kind = "addendum"
	KindReceipt    Kind = "receipt"
	KindHeld       Kind = "receipt acknowledgement"
	KindRoster     Kind = "roster"
	KindAmendment  Kind = "amendment"
	KindRelease    Kind = "release"
	KindCollective Kind = "collective"
	KindEntry      Kind = "ledger entry"     // a line of a keeper's own record
	KindStatement  Kind = "ledger statement" // an entry of the coalition's ledger
	KindParameters Kind = "cascade parameters"
	KindWipe       Kind = "wipe attestation"
	KindRehearsal  Kind = "rehearsal report"

	// Those of a member's own sign-off: what is asked, and what was decided.
	KindApprovalRequest Kind = "approval request"
	KindApproval        Kind = "approval"
	KindOpinionRequest  Kind = "opinion request"
	KindOpinion         Kind = "opinion"
	// Those of the silence procedure.
	KindSilenceStep     Kind = "silence step"
	KindSilenceComment  Kind = "silence comment"
	KindSilenceBreak    Kind = "silence break"
	KindSilenceReceived Kind = "silence acknowledgement"

	// Those that are exchanged before there is a charter.
	KindHostCard        Kind = "host card"
	KindCoordinatorCard Kind = "coordinator card"
	KindSeedCommitment  Kind = "seed commitment"
	KindSeedReveal      Kind = "seed reveal"
)

const noteHeader = "muster signed file v1\n"

// maxNoteSize bounds what [Verify] reads: a note holds three lines and a few signatures.
const maxNoteSize = 16 << 10

// Public is a pinned identity: the verifier key of a note signer, in the form
// NAME+HASH+KEY of C2SP signed-note.
type Public string

// Signer holds a private key. It never shows it: formatting a Signer prints the
// public key.
type Signer struct {
	signer note.Signer
	public Public
	// Behind a function, so that fmt and reflection stop there even where they
	// cannot call String: in an unexported field of somebody else's structure.
	private func() string
}

// Generate draws a new Ed25519 key from rand for the identity name, which may
// be any text, a member's name for instance.
func Generate(rand io.Reader, name string) (*Signer, error) {
	private, _, err := note.GenerateKey(rand, keyName(name))
	if err != nil {
		return nil, fmt.Errorf("generate a key for %s: %w", name, err)
	}
	return ParseSigner(private)
}

// ParseSigner returns the signer whose [Signer.Private] is given. Its errors
// hold nothing of the text.
func ParseSigner(private string) (*Signer, error) {
	refuse := errs.New(errs.Invalid, "this is not a private signing key", "a private signing key reads PRIVATE+KEY+NAME+HASH+KEY")
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, refuse
	}
	parts := strings.SplitN(private, "+", 5) // PRIVATE+KEY+NAME+HASH+KEY
	key, err := base64.StdEncoding.Strict().DecodeString(strings.Map(noLineEnd, parts[4]))
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return nil, refuse
	}
	public, err := note.NewEd25519VerifierKey(signer.Name(), ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey))
	if err != nil {
		return nil, refuse
	}
	return &Signer{signer: signer, public: Public(public), private: func() string { return private }}, nil
}

// Private returns the private key as text, for the file that keeps it. Whoever
// calls it keeps it secret.
func (s *Signer) Private() string { return s.private() }

// keyName returns name in the alphabet of note key names, which have neither
// spaces nor plus signs.
func keyName(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), "+", "%2B")
}

// Public returns the signer's public identity.
func (s *Signer) Public() Public { return s.public }

// String returns the public key.
func (s *Signer) String() string { return string(s.public) }

// GoString returns the public key.
func (s *Signer) GoString() string { return "keys.Signer(" + string(s.public) + ")" }

// LogValue returns the public key.
func (s *Signer) LogValue() slog.Value { return slog.StringValue(string(s.public)) }

// Check reports whether p is a well-formed public key, in the one form that it
// has.
func (p Public) Check() error {
	verifier, err := note.NewVerifier(string(p))
	if err == nil && string(p) != fmt.Sprintf("%s+%08x+%s", verifier.Name(), verifier.KeyHash(), p.Nameless()) {
		err = ErrNotCanonical
	}
	if err == nil {
		_, err = base64.StdEncoding.Strict().DecodeString(strings.Map(noLineEnd, p.Nameless()))
	}
	if err != nil {
		return errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s is not a public key", errs.Quote(string(p))),
			"a public key reads NAME+HASH+KEY")
	}
	return nil
}

// Name returns the name in the key as a person wrote it. It carries no authority.
func (p Public) Name() string {
	encoded, _, _ := strings.Cut(string(p), "+")
	name, err := url.PathUnescape(encoded)
	if err != nil {
		return encoded
	}
	return name
}

// readable is the name as a message says it: as a person wrote it, or as it is in
// the key if that holds what nobody can see.
func (p Public) readable() string {
	name := p.Name()
	if strings.ContainsFunc(name, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
		name, _, _ = strings.Cut(string(p), "+")
	}
	return name
}

// Same reports whether p and q are one key, whatever their names.
func (p Public) Same(q Public) bool { return p.Nameless() == q.Nameless() }

// Nameless returns what is the same of one key under several names, for a map:
// the KEY of NAME+HASH+KEY, in base64.
func (p Public) Nameless() string {
	_, rest, _ := strings.Cut(string(p), "+")
	_, key, _ := strings.Cut(rest, "+")
	return key
}

// noLineEnd replaces what base64 decoders pass over.
func noLineEnd(r rune) rune {
	if r == '\r' || r == '\n' {
		return utf8.RuneError
	}
	return r
}

func text(kind Kind, body []byte) string { return textOf(kind, sha256.Sum256(body)) }

func textOf(kind Kind, digest [sha256.Size]byte) string {
	return noteHeader + string(kind) + "\n" + base64.StdEncoding.EncodeToString(digest[:]) + "\n"
}

// Sign returns the note over body's digest, signed by every signer in order.
func Sign(kind Kind, body []byte, signers ...*Signer) ([]byte, error) {
	list := make([]note.Signer, len(signers))
	for i, s := range signers {
		list[i] = s.signer
	}
	sig, err := note.Sign(&note.Note{Text: text(kind, body)}, list...)
	if err != nil {
		return nil, fmt.Errorf("sign a %s: %w", kind, err)
	}
	return sig, nil
}

// Cosign returns sig with the signatures of further signers appended. Whoever
// cosigns checks first what is signed; Cosign checks that the note is about body.
func Cosign(kind Kind, body, sig []byte, signers ...*Signer) ([]byte, error) {
	noteText, signatures, ok := strings.Cut(string(sig), "\n\n")
	if !ok || noteText+"\n" != text(kind, body) {
		return nil, fmt.Errorf("cosign a %s: the note is about another file", kind)
	}
	added, err := Sign(kind, body, signers...)
	if err != nil {
		return nil, err
	}
	_, more, _ := strings.Cut(string(added), "\n\n")
	return []byte(noteText + "\n\n" + signatures + more), nil
}

// Verify checks that sig is a note of that kind over body and that everyone in
// required has signed it. Signatures by others are ignored. The error is of
// kind Invalid and says which signature is missing or wrong.
func Verify(kind Kind, body, sig []byte, required ...Public) error {
	return VerifyDigest(kind, sha256.Sum256(body), sig, required...)
}

// VerifyDigest is [Verify] where only the file's SHA-256 is at hand: the note is
// over the digest, so it can be checked by who may not read the file.
func VerifyDigest(kind Kind, digest [sha256.Size]byte, sig []byte, required ...Public) error {
	if len(required) == 0 {
		return fmt.Errorf("verify a %s: nobody is required to have signed", kind)
	}
	if len(sig) > maxNoteSize {
		return errs.New(errs.Invalid, fmt.Sprintf("the signature of the %s has %d bytes", kind, len(sig)), "")
	}
	for _, public := range required {
		verifier, err := note.NewVerifier(string(public))
		if err != nil {
			return errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s is not a public key", errs.Quote(string(public))), "")
		}
		// One verifier at a time: note.Open is content with any known signature.
		n, err := note.Open(sig, note.VerifierList(verifier))
		if err != nil {
			return errs.Wrap(err, errs.Invalid,
				fmt.Sprintf("the %s is not signed by %s", kind, public.readable()), "ask the sender for the file and its .sig again")
		}
		// Package note accepts a last digit with bits that belong to no byte. A
		// signature has one form, or a signed file could be changed unseen.
		if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
			return errs.Wrap(err, errs.Invalid,
				fmt.Sprintf("the signature of the %s by %s is not in canonical form", kind, public.readable()), "ask the sender for the file and its .sig again")
		}
		if n.Text != textOf(kind, digest) {
			return errs.New(errs.Invalid,
				fmt.Sprintf("the signature is not about this %s", kind), "the file was changed after it was signed, or the .sig belongs to another file")
		}
	}
	return nil
}
