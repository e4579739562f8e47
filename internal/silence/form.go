package silence

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// The kinds in the files themselves.
const (
	stepKind     = "muster silence step v1"
	commentKind  = "muster silence comment v1"
	breakKind    = "muster silence break v1"
	receivedKind = "muster silence acknowledgement v1"
)

// Step is one step of a procedure, signed by the chair. Which fields it has
// depends on its act.
type Step struct {
	Kind      string   `json:"kind"`
	Coalition string   `json:"coalition"`
	Procedure string   `json:"procedure"` // 32 hex digits, drawn at random
	Number    int      `json:"number"`    // from 0
	Previous  string   `json:"previous"`  // hex SHA-256 of the step before; empty for the first
	Act       Act      `json:"act"`
	At        int64    `json:"at"`                  // seconds since 1970, by the chair's clock
	Subject   *Subject `json:"subject,omitempty"`   // propose, put
	Until     int64    `json:"until,omitempty"`     // propose, put, extend
	Period    int64    `json:"period,omitempty"`    // propose: seconds
	Parties   []Party  `json:"parties,omitempty"`   // propose, admit: by member
	Recipient string   `json:"recipient,omitempty"` // propose: the age recipient to which breaks are sealed
	Reason    string   `json:"reason,omitempty"`    // extend, withdraw
}

// Comment is what a party says of a proposed text, for all parties to read. It is
// signed by the party.
type Comment struct {
	Kind      string             `json:"kind"`
	Coalition string             `json:"coalition"`
	Procedure string             `json:"procedure"`
	Subject   string             `json:"subject"` // hex SHA-256 of the text that it is about
	Member    coalition.MemberID `json:"member"`
	Text      string             `json:"text"`
}

// Break is the word of a party that it does not agree, in one round. It is signed
// by the party and goes to the chair alone.
type Break struct {
	Kind      string             `json:"kind"`
	Coalition string             `json:"coalition"`
	Procedure string             `json:"procedure"`
	Round     string             `json:"round"`   // hex SHA-256 of the step that put the text under silence
	Subject   string             `json:"subject"` // hex SHA-256 of the text
	Member    coalition.MemberID `json:"member"`
	Reason    string             `json:"reason"` // for the chair; may be empty
	Nonce     string             `json:"nonce"`  // 32 hex digits, at random: nobody finds the member from the file's digest
}

// What the chair says of a break that it received.
const (
	InTime = "in time"
	Late   = "after the silence had ended"
)

// Acknowledgement is the chair's word to whoever broke the silence. It carries no
// name: the digest of the break is enough for the one who has it.
type Acknowledgement struct {
	Kind      string `json:"kind"`
	Coalition string `json:"coalition"`
	Procedure string `json:"procedure"`
	Round     string `json:"round"`
	Break     string `json:"break"`    // hex SHA-256 of the break
	Received  int64  `json:"received"` // seconds since 1970, by the chair's clock
	Counts    string `json:"counts"`   // [InTime] or [Late]
}

// ReadStep returns a step after checking its form and the chair's signature.
func ReadStep(file coalition.SignedFile, chair keys.Public) (Step, error) {
	var s Step
	if err := open(keys.KindSilenceStep, file, chair, &s); err != nil {
		return Step{}, err
	}
	return s, s.check()
}

// check holds a step to its form.
func (s Step) check() error {
	bad := func(what string) error {
		return errs.New(errs.Invalid, fmt.Sprintf("step %d of the silence procedure %s", s.Number, what), "ask the chair for the file again, unchanged")
	}
	subject, until, parties := false, false, false
	switch s.Act {
	case Propose:
		subject, until, parties = true, true, true
	case Put:
		subject, until = true, true
	case Extend:
		until = true
	case Admit:
		parties = true
	case Adopt, Reopen, Withdraw:
	default:
		return bad("is of no known act")
	}
	switch {
	case s.Kind != stepKind:
		return bad("is no such step")
	case s.Number < 0, s.Number >= MaxSteps, (s.Number == 0) != (s.Previous == ""), s.Previous != "" && !isHex(s.Previous, 64):
		return bad("does not say which step it follows")
	case (s.Number == 0) != (s.Act == Propose):
		return bad("is first without proposing, or proposes without being first")
	case !isHex(s.Procedure, 32), nameFault(s.Coalition):
		return bad("does not say which procedure it is of")
	case s.At <= 0, s.At > maxTime, (s.Until != 0) != until, s.Until < 0, s.Until > maxTime:
		return bad("has no sound time")
	case (s.Period != 0) != (s.Act == Propose), s.Period < 0, s.Period > maxTime:
		return bad("has no sound period")
	case (s.Subject != nil) != subject, subject && s.Subject.fault():
		return bad("does not say which text it is about")
	case (len(s.Parties) > 0) != parties, len(s.Parties) > MaxParties:
		return bad("names nobody who is entitled, or too many")
	case s.Recipient != "" && (s.Act != Propose || !isRecipient(s.Recipient)):
		return bad("names no sound recipient of breaks")
	case textFault(s.Reason):
		return bad("has a reason that is too long or cannot be shown")
	}
	for i, party := range s.Parties {
		if id, err := coalition.ParseMemberID(string(party.Member)); err != nil || id != party.Member {
			return bad("has a party without a sound name")
		}
		if i > 0 && s.Parties[i-1].Member >= party.Member {
			return bad("does not list its parties in order, each once")
		}
		if err := party.Key.Check(); err != nil {
			return bad("has a party without a sound key")
		}
	}
	return nil
}

func (s *Subject) fault() bool {
	kinds := []SubjectKind{Charter, Edition, Statement}
	return !slices.Contains(kinds, s.Kind) || nameFault(s.Name) || !isHex(s.Digest, 64)
}

// NewComment returns a party's signed comment on the text of a procedure.
func NewComment(p *Procedure, member coalition.MemberID, text string, signer *keys.Signer) (coalition.SignedFile, error) {
	c := Comment{commentKind, p.Coalition, p.ID, p.Subject.Digest, member, text}
	if err := c.check(p); err != nil {
		return coalition.SignedFile{}, err
	}
	return sign(keys.KindSilenceComment, c, signer)
}

func (c Comment) check(p *Procedure) error {
	switch {
	case c.Kind != commentKind || c.Procedure != p.ID || c.Coalition != p.Coalition:
		return errs.New(errs.Invalid, "the comment is not about this procedure", "")
	case strings.TrimSpace(c.Text) == "":
		return errs.New(errs.Invalid, "the comment says nothing", "")
	case textFault(c.Text):
		return errs.New(errs.Invalid, fmt.Sprintf("the comment is longer than %d bytes or holds characters that cannot be shown", MaxText), "")
	}
	return nil
}

// ReadComment returns a comment after checking that a party of the procedure has
// signed it.
func ReadComment(file coalition.SignedFile, p *Procedure) (Comment, error) {
	var c Comment
	if err := decode(keys.KindSilenceComment, file, &c); err != nil {
		return Comment{}, err
	}
	if err := c.check(p); err != nil {
		return Comment{}, err
	}
	return c, p.verify(keys.KindSilenceComment, file, c.Member)
}

// NewBreak returns a party's signed break of the round under way. nonce is drawn
// at random by the caller.
func NewBreak(p *Procedure, member coalition.MemberID, reason string, nonce [16]byte, signer *keys.Signer) (coalition.SignedFile, error) {
	round := p.Round()
	if round == nil {
		return coalition.SignedFile{}, errs.New(errs.Conflict, fmt.Sprintf("the text is %s, not under silence", p.State), "")
	}
	b := Break{breakKind, p.Coalition, p.ID, round.Step, round.Subject.Digest, member, reason, hex.EncodeToString(nonce[:])}
	if err := b.check(p); err != nil {
		return coalition.SignedFile{}, err
	}
	return sign(keys.KindSilenceBreak, b, signer)
}

func (b Break) check(p *Procedure) error {
	i := slices.IndexFunc(p.Rounds, func(r Round) bool { return r.Step == b.Round })
	switch {
	case b.Kind != breakKind || b.Procedure != p.ID || b.Coalition != p.Coalition:
		return errs.New(errs.Invalid, "the break is not of this procedure", "")
	case i < 0 || p.Rounds[i].Subject.Digest != b.Subject:
		return errs.New(errs.Invalid, "the break is of no round of this procedure", "read the steps again; an amended text has a round of its own")
	case textFault(b.Reason):
		return errs.New(errs.Invalid, fmt.Sprintf("the reason is longer than %d bytes or holds characters that cannot be shown", MaxText), "")
	case !isHex(b.Nonce, 32):
		return errs.New(errs.Invalid, "the break has no nonce", "")
	}
	return nil
}

// ReadBreak returns a break after checking that a party of the procedure has
// signed it. Its errors do not say who.
func ReadBreak(file coalition.SignedFile, p *Procedure) (Break, error) {
	var b Break
	if err := decode(keys.KindSilenceBreak, file, &b); err != nil {
		return Break{}, err
	}
	if err := b.check(p); err != nil {
		return Break{}, err
	}
	return b, p.verify(keys.KindSilenceBreak, file, b.Member)
}

// ReadAcknowledgement returns an acknowledgement after checking the chair's
// signature.
func ReadAcknowledgement(file coalition.SignedFile, chair keys.Public) (Acknowledgement, error) {
	var a Acknowledgement
	if err := open(keys.KindSilenceReceived, file, chair, &a); err != nil {
		return Acknowledgement{}, err
	}
	if a.Kind != receivedKind || !isHex(a.Procedure, 32) || !isHex(a.Round, 64) || !isHex(a.Break, 64) || a.Received <= 0 || a.Counts != InTime && a.Counts != Late {
		return Acknowledgement{}, errs.New(errs.Invalid, "the acknowledgement cannot be read", "ask the chair for it again")
	}
	return a, nil
}

// verify checks that a member that is entitled has signed a file.
func (p *Procedure) verify(kind keys.Kind, file coalition.SignedFile, member coalition.MemberID) error {
	key, entitled := p.Party(member)
	if !entitled {
		return errs.New(errs.Denied, "the file is signed in the name of one who is not a party of this procedure", "the chair admits whom it left out")
	}
	return keys.Verify(kind, file.Body, file.Signature, key)
}

func sign(kind keys.Kind, v any, signer *keys.Signer) (coalition.SignedFile, error) {
	body, err := keys.Canonical(v)
	if err != nil {
		return coalition.SignedFile{}, err
	}
	note, err := keys.Sign(kind, body, signer)
	return coalition.SignedFile{Body: body, Signature: note}, err
}

// maxFile bounds a file of this package: the step that proposes to the most parties.
const maxFile = 4 << 20

func decode(kind keys.Kind, file coalition.SignedFile, v any) error {
	if len(file.Body) > maxFile {
		return errs.New(errs.Invalid, fmt.Sprintf("the %s is too large", kind), "")
	}
	if err := keys.DecodeCanonical(file.Body, v); err != nil {
		return errs.Wrap(err, errs.Invalid, fmt.Sprintf("the %s cannot be read", kind), "ask the sender for the file and its .sig again, unchanged")
	}
	return nil
}

func open(kind keys.Kind, file coalition.SignedFile, signer keys.Public, v any) error {
	if err := decode(kind, file, v); err != nil {
		return err
	}
	return keys.Verify(kind, file.Body, file.Signature, signer)
}

func isHex(s string, n int) bool {
	return len(s) == n && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
}

// isRecipient reports whether s has the form of an age recipient. Whether it is
// one, those find out who seal to it: this package seals nothing.
func isRecipient(s string) bool {
	return strings.HasPrefix(s, "age1") && len(s) <= maxRecipient &&
		!strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

func nameFault(s string) bool { return len(s) > maxName || coalition.NameFault(s) != "" }

// textFault reports a text that is too long, or that a page or a terminal could
// not show as it stands, or would show as another one.
func textFault(s string) bool {
	return len(s) > MaxText || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsGraphic(r) && r != '\n' && r != '\t'
	})
}

// sealedBreak is a break as it is sealed, body and note in one.
type sealedBreak struct {
	Body string `json:"body"`
	Note string `json:"note"`
}

// EncodeBreak returns a break as one file, to be sealed to its reader.
func EncodeBreak(file coalition.SignedFile) ([]byte, error) {
	return keys.Canonical(sealedBreak{string(file.Body), string(file.Signature)})
}

// DecodeBreak returns the break in what [EncodeBreak] gave. Whoever uses it checks
// it with [ReadBreak].
func DecodeBreak(plain []byte) (coalition.SignedFile, error) {
	var s sealedBreak
	if len(plain) > maxFile {
		return coalition.SignedFile{}, errs.New(errs.Invalid, "the break is too large", "")
	}
	if err := keys.DecodeCanonical(plain, &s); err != nil {
		return coalition.SignedFile{}, errs.Wrap(err, errs.Invalid, "the break cannot be read", "ask the party for the file again, unchanged")
	}
	return coalition.SignedFile{Body: []byte(s.Body), Signature: []byte(s.Note)}, nil
}

// Number returns which step a file is, or that it is none but another file of a
// procedure that travels, a comment. What else is in it is not looked at.
func Number(body []byte) (number int, isStep bool, err error) {
	var head struct {
		Kind   string `json:"kind"`
		Number int    `json:"number"`
	}
	if len(body) > maxFile || json.Unmarshal(body, &head) != nil || head.Kind != stepKind && head.Kind != commentKind {
		return 0, false, errs.New(errs.Invalid, "this is neither a step of a silence procedure nor a comment on one", "ask the chair for the files again, unchanged")
	}
	if head.Kind == stepKind && (head.Number < 0 || head.Number >= MaxSteps) {
		return 0, false, errs.New(errs.Invalid, fmt.Sprintf("a procedure has no step %d", head.Number), "ask the chair for the files again, unchanged")
	}
	return head.Number, head.Kind == stepKind, nil
}
