package keys

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"muster/internal/errs"
)

// The kinds of key in a note: C2SP signed-note and tlog-cosignature.
const (
	algEd25519     = 0x01
	algCosignature = 0x04
)

// cosignatureHeader separates what a witness signs from every other note.
const cosignatureHeader = "cosignature/v1\n"

// timestampSize is the length of the time before a cosignature's signature.
const timestampSize = 8

// GenerateNamed draws a new Ed25519 key from rand for a log or a witness: its name
// stands in checkpoints as it is, so it is refused with a space or a plus sign.
func GenerateNamed(rand io.Reader, name string) (*Signer, error) {
	if fault := logNameFault(name); fault != "" {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the name %s %s", errs.Quote(name), fault), "a name such as ledger.example.org, with neither spaces nor plus signs")
	}
	private, _, err := note.GenerateKey(rand, name)
	if err != nil {
		return nil, fmt.Errorf("generate a key for %s: %w", name, err)
	}
	return ParseSigner(private)
}

// maxLogName is the longest name of a log or a witness, in bytes.
const maxLogName = 128

func logNameFault(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxLogName:
		return fmt.Sprintf("is longer than %d bytes", maxLogName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) }):
		return "holds what cannot be seen"
	case strings.ContainsFunc(name, unicode.IsSpace) || strings.Contains(name, "+"):
		return "holds a space or a plus sign"
	}
	return ""
}

// KeyName returns the name as it stands in the key and in note signatures.
func (p Public) KeyName() string {
	name, _, _ := strings.Cut(string(p), "+")
	return name
}

// NoteSigner returns the signer of notes that are no signed files: checkpoints.
func (s *Signer) NoteSigner() note.Signer { return s.signer }

// NoteVerifier returns the verifier of notes that are no signed files.
func (p Public) NoteVerifier() (note.Verifier, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	return note.NewVerifier(string(p))
}

// Cosigner returns the form in which a witness's key is published, of type 0x04:
// its signatures hold a time. It is p itself if p has that form.
func (p Public) Cosigner() (Public, error) {
	name, key, err := p.cosigning()
	if err != nil {
		return "", err
	}
	full := append([]byte{algCosignature}, key...)
	return Public(fmt.Sprintf("%s+%08x+%s", name, keyID(name, full), base64.StdEncoding.EncodeToString(full))), nil
}

// Plain returns the form of a witness's key in which it signs notes, of type 0x01. It
// is p itself if p has that form.
func (p Public) Plain() (Public, error) {
	name, key, err := p.cosigning()
	if err != nil {
		return "", err
	}
	full := append([]byte{algEd25519}, key...)
	return Public(fmt.Sprintf("%s+%08x+%s", name, keyID(name, full), base64.StdEncoding.EncodeToString(full))), nil
}

// cosigning returns name and Ed25519 key of a witness's key in either form.
func (p Public) cosigning() (name string, key ed25519.PublicKey, err error) {
	refuse := errs.New(errs.Invalid, fmt.Sprintf("%s is not the public key of a witness", errs.Quote(string(p))), "a public key reads NAME+HASH+KEY, as muster witness init prints it")
	name, rest, _ := strings.Cut(string(p), "+")
	hash, text, _ := strings.Cut(rest, "+")
	full, err := base64.StdEncoding.Strict().DecodeString(strings.Map(noLineEnd, text))
	if err != nil || len(full) != 1+ed25519.PublicKeySize || (full[0] != algEd25519 && full[0] != algCosignature) ||
		logNameFault(name) != "" || hash != fmt.Sprintf("%08x", keyID(name, full)) {
		return "", nil, refuse
	}
	return name, full[1:], nil
}

func keyID(name string, full []byte) uint32 {
	digest := sha256.Sum256([]byte(name + "\n" + string(full)))
	return binary.BigEndian.Uint32(digest[:])
}

// Cosigning returns the signer of timestamped cosignatures (C2SP tlog-cosignature)
// with this key; now is asked at each signature.
func (s *Signer) Cosigning(now func() time.Time) (note.Signer, error) {
	name, key, err := s.public.cosigning()
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(s.private(), "+", 5) // PRIVATE+KEY+NAME+HASH+KEY
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return nil, errs.New(errs.Invalid, "this is not a private signing key", "")
	}
	return cosigner{
		name: name, hash: keyID(name, append([]byte{algCosignature}, key...)), now: now,
		sign: func(message []byte) []byte { return ed25519.Sign(ed25519.NewKeyFromSeed(seed[1:]), message) },
	}, nil
}

type cosigner struct {
	name string
	hash uint32
	now  func() time.Time
	sign func([]byte) []byte
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Sign(text []byte) ([]byte, error) {
	at := c.now().Unix()
	if at < 0 {
		return nil, errs.New(errs.Invalid, "the clock stands before 1970", "set the clock")
	}
	signature := binary.BigEndian.AppendUint64(nil, uint64(at))
	return append(signature, c.sign(cosigned(uint64(at), text))...), nil
}

func cosigned(at uint64, text []byte) []byte {
	return fmt.Appendf(nil, "%stime %d\n%s", cosignatureHeader, at, text)
}

// CosignatureVerifier returns the verifier of timestamped cosignatures by a
// witness, whose key has either form.
func (p Public) CosignatureVerifier() (note.Verifier, error) {
	name, key, err := p.cosigning()
	if err != nil {
		return nil, err
	}
	return cosignatureVerifier{name: name, hash: keyID(name, append([]byte{algCosignature}, key...)), key: key}, nil
}

type cosignatureVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (v cosignatureVerifier) Name() string    { return v.name }
func (v cosignatureVerifier) KeyHash() uint32 { return v.hash }

func (v cosignatureVerifier) Verify(text, sig []byte) bool {
	if len(sig) != timestampSize+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at < 1<<63 && ed25519.Verify(v.key, cosigned(at, text), sig[timestampSize:])
}

// CosignatureTime returns the time in a cosignature that was verified.
func CosignatureTime(sig note.Signature) (time.Time, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(strings.Map(noLineEnd, sig.Base64))
	if err != nil || len(b) != 4+timestampSize+ed25519.SignatureSize {
		return time.Time{}, errs.New(errs.Invalid, "the cosignature of "+errs.Quote(sig.Name)+" cannot be read", "")
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC(), nil
}
