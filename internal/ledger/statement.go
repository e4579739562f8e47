package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// Statement is an entry of the coalition's ledger: one thing that coordinator and
// hosts say of a cycle. It names no member and no time of a submission. The
// coordinator signs it whole; Note proves what others signed.
type Statement struct {
	Version   int               `json:"version"`
	Kind      Kind              `json:"kind"`
	Cycle     string            `json:"cycle"`   // its name
	Charter   string            `json:"charter"` // hex SHA-256 of the charter that it belongs to; empty before there is one
	Fields    map[string]string `json:"fields"`
	Note      string            `json:"note"`      // see [Row.Cover]; empty where there is none
	Signature string            `json:"signature"` // the coordinator's, over the statement with this field empty
}

// Parties are the keys of those who speak in a cycle: its charter names them, and it.
type Parties struct {
	Coordinator, Leader, Helper keys.Public

	Cycle string // its name; empty: it is not looked at
}

// PartiesOf returns the keys that a charter names.
func PartiesOf(c coalition.Charter) Parties {
	return Parties{c.Coordinator.Key, c.Leader.Key, c.Helper.Key, c.Cycle}
}

func (p Parties) key(role string) (keys.Public, bool) {
	switch role {
	case "coordinator":
		return p.Coordinator, true
	case "leader":
		return p.Leader, true
	case "helper":
		return p.Helper, true
	}
	return "", false
}

// ID names what a statement is about. A ledger has one statement of an id.
func (s Statement) ID() string {
	parts := []string{string(s.Kind), s.Cycle, s.Charter}
	if row, ok := s.Kind.row(); ok {
		for _, name := range row.ID {
			parts = append(parts, s.Fields[name])
		}
	}
	return strings.Join(parts, "\n")
}

// Sign returns the statement signed by the coordinator.
func (s Statement) Sign(coordinator *keys.Signer) (Statement, error) {
	s.Signature = ""
	if err := s.check(); err != nil {
		return Statement{}, err
	}
	body, err := keys.Canonical(s)
	if err != nil {
		return Statement{}, err
	}
	sig, err := keys.Sign(keys.KindStatement, body, coordinator)
	s.Signature = string(sig)
	return s, err
}

// Encode returns the statement as a leaf of the ledger.
func (s Statement) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	b, err := keys.Canonical(s)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxLeaf {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("an entry of the ledger has %d bytes", len(b)), "")
	}
	return b, nil
}

// ParseStatement reads a leaf of the ledger and checks its form. Whoever relies on
// it calls [Statement.Verify].
func ParseStatement(leaf []byte) (Statement, error) {
	if len(leaf) > MaxLeaf {
		return Statement{}, errs.New(errs.Invalid, fmt.Sprintf("an entry of the ledger has %d bytes", len(leaf)), "")
	}
	var s Statement
	if err := keys.DecodeCanonical(leaf, &s); err != nil {
		return Statement{}, errs.Wrap(err, errs.Invalid, "an entry of the ledger cannot be read", "a later muster may know it")
	}
	return s, s.check()
}

func (s Statement) invalid(format string, args ...any) error {
	return errs.New(errs.Invalid, fmt.Sprintf("the entry %s of the ledger ", errs.Quote(string(s.Kind)))+fmt.Sprintf(format, args...), "")
}

// check holds the form of a statement.
func (s Statement) check() error {
	row, ok := s.Kind.row()
	switch {
	case !ok:
		return s.invalid("is of a kind that this muster does not know")
	case s.Version < 1 || s.Version > row.Version():
		return s.invalid("is of version %d", s.Version)
	case coalition.NameFault(s.Cycle) != "":
		return s.invalid("has a cycle whose name %s", coalition.NameFault(s.Cycle))
	case s.Charter == "" && row.Charter:
		return s.invalid("names no charter")
	case s.Charter != "" && !isDigest(s.Charter):
		return s.invalid("names its charter without a digest")
	case (row.Cover == CoverNothing) != (s.Note == ""):
		return s.invalid("has a note where none belongs, or none where one does")
	case len(s.Fields) != len(row.fields(s.Version)):
		return s.invalid("has %d fields, not %d", len(s.Fields), len(row.fields(s.Version)))
	case s.Kind == KindCharter && s.Charter != s.Fields["digest"]:
		return s.invalid("is about another charter than it belongs to")
	}
	for _, f := range row.fields(s.Version) {
		value, ok := s.Fields[f.Name]
		if !ok {
			return s.invalid("has no field %s", f.Name)
		}
		if fault := f.fault(value); fault != "" {
			return s.invalid("has a field %s that %s", f.Name, fault)
		}
	}
	if s.Kind == KindPhase {
		return coalition.Step(coalition.Phase(s.Fields["from"]), coalition.Phase(s.Fields["to"]), s.Fields["reason"])
	}
	return nil
}

func isDigest(text string) bool { return isHex(text, 32) }

func isHex(text string, size int) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == size && hex.EncodeToString(b) == text
}

// maxText is the longest text of a field, in bytes.
const maxText = 2000

// fault says what is wrong with the text of a field, or "".
func (f Field) fault(value string) string {
	if value == "" {
		if f.Empty {
			return ""
		}
		return "is empty"
	}
	switch f.Form {
	case FormDigest:
		if !isDigest(value) {
			return "is no SHA-256 in hex"
		}
	case FormPseudonym:
		if !isHex(value, pseudonymSize) {
			return "is no pseudonym"
		}
	case FormNumber:
		if _, err := parseDecimal(value); err != nil {
			return "is no number"
		}
	case FormTask:
		if _, err := dap.ParseTaskID(value); err != nil {
			return "is no task"
		}
	case FormName:
		return coalition.NameFault(value)
	case FormText:
		if len(value) > maxText || !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }) {
			return fmt.Sprintf("is longer than %d bytes, or holds what cannot be seen", maxText)
		}
	case FormWord:
		if !slices.Contains(f.Words, value) {
			return "is none of " + strings.Join(f.Words, ", ")
		}
	default:
		return "has no form"
	}
	return ""
}

// Verify checks the coordinator's signature over the statement, that the note is by
// those who are said to have signed, and that what names a charter is of its cycle.
func (s Statement) Verify(p Parties) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Charter != "" && p.Cycle != "" && s.Cycle != p.Cycle {
		return s.invalid("is of the cycle %s, and its charter of %s", errs.Quote(s.Cycle), errs.Quote(p.Cycle))
	}
	unsigned := s
	unsigned.Signature = ""
	body, err := keys.Canonical(unsigned)
	if err != nil {
		return err
	}
	want, err := keys.Reduce(keys.KindStatement, sha256.Sum256(body), []byte(s.Signature), p.Coordinator)
	if err != nil {
		return errs.Wrap(err, errs.Invalid, fmt.Sprintf("the entry %s of the ledger is not signed by the coordinator", errs.Quote(string(s.Kind))), "ask the coordinator")
	}
	if string(want) != s.Signature {
		return s.invalid("has more signatures than the coordinator's")
	}
	row, _ := s.Kind.row()
	switch row.Cover {
	case CoverFile:
		return s.verifyFile(row, p)
	case CoverLine:
		return s.verifyLine(row, p)
	}
	return nil
}

func (s Statement) verifyFile(row Row, p Parties) error {
	var signers []keys.Public
	for _, role := range row.By {
		if field, ok := s.Fields[role]; ok { // "host" and "role": as the field says
			role = field
		}
		key, ok := p.key(role)
		if !ok {
			return s.invalid("is signed by %s, who has no part in a cycle", errs.Quote(role))
		}
		signers = append(signers, key)
	}
	digest, err := hex.DecodeString(s.Fields["digest"])
	if err != nil {
		return err
	}
	want, err := keys.Reduce(row.File, [32]byte(digest), []byte(s.Note), signers...)
	if err != nil {
		return err
	}
	if string(want) != s.Note {
		return s.invalid("has other signatures than it needs, or in another order")
	}
	return nil
}

// verifyLine checks that the note is a line of a host's record that says what the
// fields say.
func (s Statement) verifyLine(row Row, p Parties) error {
	role := cmp.Or(s.Fields["host"], "helper") // who enters a disagreement
	key, _ := p.key(role)
	line, err := ReadLine([]byte(s.Note), key)
	if err != nil {
		return err
	}
	if line.Entry.Kind != row.Line || !maps.Equal(line.Entry.Data, s.Fields) {
		return s.invalid("does not say what the line of the host's record says")
	}
	return nil
}

// Number returns a field of [FormNumber] of a statement that was checked.
func (s Statement) Number(name string) int {
	n, err := strconv.Atoi(s.Fields[name])
	if err != nil {
		return 0
	}
	return n
}
