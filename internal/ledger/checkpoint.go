package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// Checkpoint says what a ledger was at a moment: C2SP tlog-checkpoint, without
// extension lines.
type Checkpoint struct {
	Origin string // the ledger's name, that of its key
	Size   uint64
	Root   Hash
}

// MaxCheckpoint bounds a checkpoint with its signatures, in bytes.
const MaxCheckpoint = 16 << 10

// Text returns the text that is signed.
func (c Checkpoint) Text() string { return fmt.Sprintf("%s\n%d\n%v\n", c.Origin, c.Size, c.Root) }

// Sign returns the checkpoint as a note with the signature of the ledger, whose
// key has the name of the origin.
func (c Checkpoint) Sign(log *keys.Signer) ([]byte, error) {
	if got := log.Public().KeyName(); got != c.Origin {
		return nil, fmt.Errorf("ledger: a checkpoint of %s signed by %s", c.Origin, got)
	}
	return note.Sign(&note.Note{Text: c.Text()}, log.NoteSigner())
}

// ReadCheckpoint reads a checkpoint whoever has signed it. Whoever relies on it
// calls [Policy.Verify].
func ReadCheckpoint(b []byte) (Checkpoint, error) {
	text, _, err := splitNote(b)
	if err != nil {
		return Checkpoint{}, err
	}
	refuse := func(cause error) (Checkpoint, error) {
		return Checkpoint{}, errs.Wrap(cause, errs.Invalid, "the checkpoint is not three lines: origin, number of entries, root", "ask for another copy of it")
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] == "" {
		return refuse(nil)
	}
	c := Checkpoint{Origin: lines[0]}
	if c.Size, err = parseDecimal(lines[1]); err != nil {
		return refuse(err)
	}
	if c.Root, err = ParseHash(lines[2]); err != nil {
		return refuse(err)
	}
	if empty, _ := RootAt(nil, 0); c.Size == 0 && c.Root != empty {
		return refuse(nil)
	}
	return c, nil
}

// maxDecimal keeps sizes within the 63 bits that other programs count with.
const maxDecimal = 1<<63 - 1

func parseDecimal(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > maxDecimal || strconv.FormatUint(n, 10) != text {
		return 0, errs.New(errs.Invalid, errs.Quote(text)+" is no number", "")
	}
	return n, nil
}

// A signatureLine is a signature of a note.
type signatureLine struct {
	name, text string // the text in base64: four bytes of the key's hash, and the signature
}

// splitNote returns the text of a note and its signatures, none of them checked.
func splitNote(b []byte) (text string, lines []signatureLine, err error) {
	refuse := errs.New(errs.Invalid, "the checkpoint is no signed note", "ask for another copy of it")
	if len(b) > MaxCheckpoint {
		return "", nil, errs.New(errs.Invalid, fmt.Sprintf("the checkpoint has %d bytes", len(b)), "")
	}
	cut := bytes.LastIndex(b, []byte("\n\n"))
	if cut < 0 || !bytes.HasSuffix(b, []byte("\n")) {
		return "", nil, refuse
	}
	for line := range strings.Lines(string(b[cut+2:])) {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\u2014 ")
		name, signature, found := strings.Cut(rest, " ")
		decoded, err := base64.StdEncoding.Strict().DecodeString(signature)
		if !ok || !found || err != nil || len(decoded) < 5 || base64.StdEncoding.EncodeToString(decoded) != signature {
			return "", nil, refuse
		}
		lines = append(lines, signatureLine{name, signature})
	}
	if len(lines) == 0 {
		return "", nil, refuse
	}
	return string(b[:cut+1]), lines, nil
}

// Policy is whom a reader trusts: the ledger's key, and how many of which
// witnesses must have seen a checkpoint. It comes from the reader, never from what
// is read.
type Policy struct {
	Log       keys.Public   `json:"log"`
	Threshold int           `json:"threshold"`
	Witnesses []keys.Public `json:"witnesses"`
}

// ParsePolicy reads a policy as a file: JSON as people write it, with no other fields
// and nothing behind it. Without a threshold one of its witnesses must have seen a
// checkpoint; that none must is written.
func ParsePolicy(b []byte) (Policy, error) {
	var form struct {
		Log       keys.Public   `json:"log"`
		Threshold *int          `json:"threshold"`
		Witnesses []keys.Public `json:"witnesses"`
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&form)
	if err == nil {
		if _, behind := decoder.Token(); !errors.Is(behind, io.EOF) {
			err = errors.New("there is something behind it")
		}
	}
	if err != nil {
		return Policy{}, errs.Wrap(err, errs.Invalid, "the policy cannot be read", `a policy reads {"log": KEY, "threshold": 1, "witnesses": [KEY, ...]}`)
	}
	if form.Witnesses == nil {
		return Policy{}, errs.New(errs.Invalid, "the policy does not say who its witnesses are", `"witnesses": [] for none`)
	}
	p := Policy{Log: form.Log, Threshold: min(1, len(form.Witnesses)), Witnesses: form.Witnesses}
	if form.Threshold != nil {
		p.Threshold = *form.Threshold
	}
	return p, p.Check()
}

// PolicyOf returns the policy that a charter names, which must name its ledger.
func PolicyOf(c coalition.Charter) (Policy, error) {
	if c.Witnesses.Log == "" {
		return Policy{}, errs.New(errs.NotFound, "the charter names no ledger", "give the policy as a file")
	}
	p := Policy{Log: c.Witnesses.Log, Threshold: c.Witnesses.Threshold, Witnesses: c.Witnesses.Keys}
	return p, p.Check()
}

// Check holds the invariants of a policy.
func (p Policy) Check() error {
	if err := p.Log.Check(); err != nil {
		return err
	}
	if p.Threshold < 0 || p.Threshold > len(p.Witnesses) {
		return errs.New(errs.Invalid, fmt.Sprintf("the policy wants %d of %d witnesses", p.Threshold, len(p.Witnesses)), "")
	}
	log, err := p.Log.Cosigner()
	if err != nil {
		return err
	}
	seen := []keys.Public{log}
	for _, w := range p.Witnesses {
		key, err := w.Cosigner()
		if err != nil {
			return err
		}
		// One key under two names would count twice.
		if slices.ContainsFunc(seen, key.Same) {
			return errs.New(errs.Invalid, fmt.Sprintf("the policy has the key of the witness %s twice", errs.Quote(w.Name())), "a witness is neither the ledger nor another witness")
		}
		seen = append(seen, key)
	}
	return nil
}

// Cosignature is what a checkpoint has of one witness.
type Cosignature struct {
	Witness keys.Public
	Signed  bool      // it has cosigned the checkpoint
	Time    time.Time // when, by its clock
	Fault   string    // why what is there does not count; empty where nothing is there
}

// Witnessed is a checkpoint that the ledger has signed, and who has seen it.
type Witnessed struct {
	Checkpoint
	Threshold int
	Witnesses []Cosignature // in the order of the policy
	Strangers []string      // whose other signatures it has, as NAME+HASH of their keys; nobody has checked them
}

// maxSkew is how far a witness's clock may be ahead of the reader's.
const maxSkew = 5 * time.Minute

// Read checks the signature of the ledger on a checkpoint and looks at every
// witness. now is the reader's clock: what was cosigned later than that, by more
// than five minutes, does not count.
func (p Policy) Read(b []byte, now time.Time) (Witnessed, error) {
	if err := p.Check(); err != nil {
		return Witnessed{}, err
	}
	c, err := ReadCheckpoint(b)
	if err != nil {
		return Witnessed{}, err
	}
	_, lines, err := splitNote(b)
	if err != nil {
		return Witnessed{}, err
	}
	verifier, err := p.Log.NoteVerifier()
	if err != nil {
		return Witnessed{}, err
	}
	if c.Origin != verifier.Name() {
		return Witnessed{}, errs.New(errs.Invalid, fmt.Sprintf("the checkpoint is of the ledger %s, not of %s", errs.Quote(c.Origin), errs.Quote(verifier.Name())), "give the checkpoint of the ledger that the key belongs to")
	}
	known := make(map[signatureLine]bool)
	if _, err := openOne(c, lines, verifier, known); err != nil {
		return Witnessed{}, errs.Wrap(err, errs.Invalid, "the checkpoint is not signed by the ledger "+errs.Quote(c.Origin), "ask for another copy of it; a checkpoint that was changed is worth keeping")
	}
	w := Witnessed{Checkpoint: c, Threshold: p.Threshold}
	for _, key := range p.Witnesses {
		signature := Cosignature{Witness: key}
		verifier, err := key.CosignatureVerifier()
		if err != nil {
			return Witnessed{}, err
		}
		sig, err := openOne(c, lines, verifier, known)
		switch {
		case err != nil:
			signature.Fault = "its signature is not genuine"
		case sig != nil:
			if signature.Time, err = keys.CosignatureTime(*sig); err != nil {
				return Witnessed{}, err
			}
			signature.Signed = !signature.Time.After(now.Add(maxSkew))
			if !signature.Signed {
				signature.Fault = "it cosigned at " + signature.Time.Format(time.RFC3339) + ", which is yet to come"
			}
		}
		w.Witnesses = append(w.Witnesses, signature)
	}
	for _, line := range lines {
		if !known[line] {
			w.Strangers = append(w.Strangers, keyID(line.name, keyHash(line.text)))
		}
	}
	return w, nil
}

// openOne returns the signature of one key on a checkpoint, nil if there is none of
// a cosigner, and marks its lines as known.
func openOne(c Checkpoint, lines []signatureLine, verifier note.Verifier, known map[signatureLine]bool) (*note.Signature, error) {
	var found *note.Signature
	for _, line := range lines {
		if line.name != verifier.Name() || keyHash(line.text) != verifier.KeyHash() {
			continue
		}
		known[line] = true
		b, err := base64.StdEncoding.DecodeString(line.text)
		if err != nil {
			return nil, err
		}
		if !verifier.Verify([]byte(c.Text()), b[4:]) {
			return nil, fmt.Errorf("a signature that is not by %s", verifier.Name())
		}
		if found != nil {
			return nil, fmt.Errorf("two signatures by %s", verifier.Name())
		}
		found = &note.Signature{Name: line.name, Hash: verifier.KeyHash(), Base64: line.text}
	}
	if found == nil && verifier.Name() == c.Origin {
		return nil, fmt.Errorf("no signature by %s", verifier.Name())
	}
	return found, nil
}

// KeyID is a witness's key as [Witnessed.Strangers] has it.
func KeyID(witness keys.Public) (string, error) {
	verifier, err := witness.CosignatureVerifier()
	if err != nil {
		return "", err
	}
	return keyID(verifier.Name(), verifier.KeyHash()), nil
}

func keyID(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

func keyHash(text string) uint32 {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) < 4 {
		return 0
	}
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// Count returns how many witnesses have cosigned.
func (w Witnessed) Count() int {
	n := 0
	for _, c := range w.Witnesses {
		if c.Signed {
			n++
		}
	}
	return n
}

// Enough refuses a checkpoint that too few witnesses have seen, and one with a
// signature of a witness that is not genuine: it was changed on the way. What others
// have signed says nothing to this reader, C2SP signed-note has it ignored.
func (w Witnessed) Enough() error {
	var absent []string
	for _, c := range w.Witnesses {
		if c.Fault != "" {
			return errs.New(errs.Invalid, fmt.Sprintf("the checkpoint does not count as seen by %s: %s", errs.Quote(c.Witness.Name()), c.Fault), "ask for another copy of the checkpoint")
		}
		if !c.Signed {
			absent = append(absent, errs.Quote(c.Witness.Name()))
		}
	}
	if n := w.Count(); n < w.Threshold {
		return errs.New(errs.Unavailable, fmt.Sprintf("%d of %d witnesses have seen the checkpoint, and %d must have; not yet %s", n, len(w.Witnesses), w.Threshold, strings.Join(absent, ", ")), "wait for them, or ask those who run them")
	}
	return nil
}

// Verify is [Policy.Read] and [Witnessed.Enough].
func (p Policy) Verify(b []byte, now time.Time) (Witnessed, error) {
	w, err := p.Read(b, now)
	if err != nil {
		return Witnessed{}, err
	}
	return w, w.Enough()
}

// Join returns the checkpoint with the ledger's signature and the cosignatures that
// are genuine, of those it has and of lines: one of each witness of the policy, in
// its order, the new one where there are two.
func (p Policy) Join(checkpoint, lines []byte, now time.Time) ([]byte, error) {
	w, err := p.Read(checkpoint, now)
	if err != nil {
		return nil, err
	}
	_, before, err := splitNote(checkpoint)
	if err != nil {
		return nil, err
	}
	_, added, err := splitNote(slices.Concat([]byte(w.Text()), []byte("\n"), lines))
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the cosignature cannot be read", "a cosignature is one line, as muster witness gives it")
	}
	log, err := p.Log.NoteVerifier()
	if err != nil {
		return nil, err
	}
	verifiers := []note.Verifier{log}
	for _, key := range p.Witnesses {
		verifier, err := key.CosignatureVerifier()
		if err != nil {
			return nil, err
		}
		verifiers = append(verifiers, verifier)
	}
	joined := []byte(w.Text() + "\n")
	for _, verifier := range verifiers {
		for _, line := range slices.Concat(added, before) {
			if line.by(verifier, w.Checkpoint) {
				joined = fmt.Appendf(joined, "\u2014 %s %s\n", line.name, line.text)
				break
			}
		}
	}
	return joined, nil
}

// by reports whether a line is a genuine signature by a key.
func (l signatureLine) by(verifier note.Verifier, c Checkpoint) bool {
	b, err := base64.StdEncoding.DecodeString(l.text)
	return err == nil && l.name == verifier.Name() && keyHash(l.text) == verifier.KeyHash() && verifier.Verify([]byte(c.Text()), b[4:])
}
