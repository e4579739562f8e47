package workspace

import (
	"context"
	"encoding/json"
	"fmt"

	"muster/internal/account"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// The kinds of what is signed with a passkey.
const (
	PasskeyApprovalKind = "muster passkey approval v1"
	PasskeyOpinionKind  = "muster passkey opinion v1"
)

// PasskeyStatement is what is signed with a passkey: the challenge of the assertion is
// the SHA-256 of its canonical JSON. It has the digest of exactly what will be sealed,
// or of the findings, and says for which decision, by whom and when, so that one
// signature is none of another step, another year or another time.
type PasskeyStatement struct {
	Kind      string             `json:"kind"`
	Member    coalition.MemberID `json:"member"`
	Cycle     string             `json:"cycle"`
	Framework framework.Ref      `json:"framework"`
	Step      string             `json:"step,omitempty"` // its id; of an approval
	Digest    string             `json:"digest"`
	Text      string             `json:"text,omitempty"` // of an opinion
	By        string             `json:"by"`
	Time      int64              `json:"time"` // when it was asked for, seconds since 1970
}

// survey returns the id of the survey that a statement is of.
func (s PasskeyStatement) survey() SurveyID { return NewSurveyID(s.Cycle, s.Framework.ID) }

// PasskeyApproval returns what the person signs with her passkey to approve, at a
// step of the chain, what has the digest. It is a Conflict, as [Service.Decide] is,
// before anybody is asked for a passkey.
func (s *Service) PasskeyApproval(ctx context.Context, person Person, id SurveyID, step, digest string) ([]byte, error) {
	st := PasskeyStatement{Kind: PasskeyApprovalKind, Step: step, Digest: digest, By: person.Name, Time: s.now().Unix()}
	err := s.view(ctx, "ask for a passkey", person, decide, func(r Reader) error {
		if !person.decidesAt(step) {
			return errNotHers()
		}
		is, err := s.writable(r, id)
		if err != nil {
			return err
		}
		request, err := s.requestApproval(r, is, step)
		if err != nil {
			return err
		}
		if request.Digest != digest {
			return errs.New(errs.Conflict, "the answers have changed since this was shown", "look at them again, and decide about what they are now")
		}
		st.Member, st.Cycle, st.Framework = request.Statement.Member, is.Cycle, is.Pack
		so, err := signOffOf(r, id)
		if err != nil {
			return err
		}
		_, err = so.Decide(assess.Decision{ // before she is asked for it
			Step: step, Digest: digest, Approved: true, By: person.Name, Approval: &assess.Approval{Kind: assess.ApprovalPasskey},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return keys.Canonical(st)
}

// AcceptPasskeyApproval keeps an approval that the person signed with her passkey. Who
// calls it has established that the passkey is hers; that it signed exactly this is
// checked here. See [Service.Decide].
func (s *Service) AcceptPasskeyApproval(ctx context.Context, person Person, statement []byte, signed account.Assertion) (SurveyID, error) {
	var st PasskeyStatement
	if err := readStatement(statement, &st, &st.Kind, PasskeyApprovalKind, "approval by a passkey"); err != nil {
		return "", err
	}
	if st.By != person.Name {
		return "", errs.New(errs.Denied, "somebody else began this approval", "begin again")
	}
	approval, err := passkeyApproval(statement, signed)
	if err != nil {
		return "", err
	}
	_, err = s.Decide(ctx, person, st.survey(), assess.Decision{Step: st.Step, Digest: st.Digest, Approved: true, By: st.By, Approval: approval})
	return st.survey(), err
}

// PasskeyOpinion returns what the person signs with her passkey as the verifier's
// opinion about the findings that have the digest.
func (s *Service) PasskeyOpinion(ctx context.Context, person Person, id SurveyID, digest, words string) ([]byte, error) {
	if words == "" {
		return nil, errs.New(errs.Invalid, "the opinion is empty", "")
	}
	if err := text("the opinion", words, maxText); err != nil {
		return nil, err
	}
	st := PasskeyStatement{Kind: PasskeyOpinionKind, Digest: digest, Text: words, By: person.Name, Time: s.now().Unix()}
	err := s.view(ctx, "ask for a passkey", person, verify, func(r Reader) error {
		is, err := s.writable(r, id)
		if err != nil {
			return err
		}
		now, err := findingsDigest(r, is)
		if err != nil {
			return err
		}
		if now != digest {
			return errs.New(errs.Conflict, "the findings have changed since the opinion was written", "read them again, and sign again")
		}
		st.Member, err = memberOf(r)
		st.Cycle, st.Framework = is.Cycle, is.Pack
		return err
	})
	if err != nil {
		return nil, err
	}
	return keys.Canonical(st)
}

// AcceptPasskeyOpinion is [Service.AcceptPasskeyApproval] for an opinion.
func (s *Service) AcceptPasskeyOpinion(ctx context.Context, person Person, statement []byte, signed account.Assertion) (SurveyID, error) {
	var st PasskeyStatement
	if err := readStatement(statement, &st, &st.Kind, PasskeyOpinionKind, "opinion by a passkey"); err != nil {
		return "", err
	}
	if st.By != person.Name {
		return "", errs.New(errs.Denied, "somebody else began this opinion", "begin again")
	}
	approval, err := passkeyApproval(statement, signed)
	if err != nil {
		return "", err
	}
	return st.survey(), s.PutOpinion(ctx, person, st.survey(), Opinion{Text: st.Text, Digest: st.Digest, By: st.By, Approval: approval})
}

func passkeyApproval(statement []byte, signed account.Assertion) (*assess.Approval, error) {
	body, err := json.Marshal(signed)
	return &assess.Approval{Kind: assess.ApprovalPasskey, Statement: statement, Passkey: body}, err
}

// checkPasskeyApproval refuses an approval whose passkey did not sign exactly what is
// decided.
func checkPasskeyApproval(r Reader, is survey, d assess.Decision) error {
	want := PasskeyStatement{Kind: PasskeyApprovalKind, Step: d.Step, Digest: d.Digest, By: d.By}
	if !d.Approved {
		return errs.New(errs.Invalid, "a passkey signs approvals alone", "return it with a reason, without a signature")
	}
	return checkPasskey(r, is, d.Approval, want)
}

func checkPasskeyOpinion(r Reader, is survey, o Opinion) error {
	return checkPasskey(r, is, o.Approval, PasskeyStatement{Kind: PasskeyOpinionKind, Digest: o.Digest, Text: o.Text, By: o.By})
}

func checkPasskey(r Reader, is survey, a *assess.Approval, want PasskeyStatement) error {
	var st PasskeyStatement
	if err := readStatement(a.Statement, &st, &st.Kind, want.Kind, "statement that a passkey signed"); err != nil {
		return err
	}
	member, err := memberOf(r)
	if err != nil {
		return err
	}
	want.Member, want.Cycle, want.Framework, want.Time = member, is.Cycle, is.Pack, st.Time
	if st != want {
		return errs.New(errs.Invalid, "what was signed is not what is decided", "it is of another member, survey, step or decision; begin again")
	}
	_, err = VerifyPasskey(a)
	return err
}

// VerifyPasskey checks the signature of a passkey that is kept, as whoever has the
// approval can at any time and without a network, and returns what signed.
func VerifyPasskey(a *assess.Approval) (account.Assertion, error) {
	if a.Kind != assess.ApprovalPasskey {
		return account.Assertion{}, errs.New(errs.Invalid, fmt.Sprintf("a signature of the kind %s is none of a passkey", errs.Quote(string(a.Kind))), "")
	}
	signed, err := account.ParseAssertion(a.Passkey)
	if err != nil {
		return signed, err
	}
	return signed, signed.Verify(a.Statement)
}

// PasskeyFile is what was signed with a passkey, to be checked elsewhere.
type PasskeyFile struct {
	Name      string // of the file, such as step-1.json
	Statement []byte // canonical JSON, see [PasskeyStatement]
	Passkey   []byte // JSON, see [account.Assertion]
}

// PasskeyFiles returns what was signed of a survey with passkeys and still counts, in
// the chain's order, the opinion last.
func (s *Service) PasskeyFiles(ctx context.Context, person Person, id SurveyID) ([]PasskeyFile, error) {
	so, err := s.SignOff(ctx, person, id)
	if err != nil {
		return nil, err
	}
	now, err := s.Sealable(ctx, person, id)
	if err != nil {
		return nil, err
	}
	var all []PasskeyFile
	add := func(name string, a *assess.Approval) {
		if a != nil && a.Kind == assess.ApprovalPasskey {
			all = append(all, PasskeyFile{Name: name, Statement: a.Statement, Passkey: a.Passkey})
		}
	}
	for i, d := range so.Standing(now.Digest) {
		add(fmt.Sprintf("step-%d.json", i+1), d.Approval)
	}
	o, holds, err := s.Opinion(ctx, person, id)
	switch {
	case errs.KindOf(err) == errs.NotFound:
		return all, nil
	case err != nil:
		return nil, err
	case holds:
		add("opinion-by-passkey.json", o.Approval)
	}
	return all, nil
}

// ReadPasskeyStatement reads what a passkey signed.
func ReadPasskeyStatement(body []byte) (PasskeyStatement, error) {
	var st PasskeyStatement
	if readStatement(body, &st, &st.Kind, PasskeyApprovalKind, "") == nil {
		return st, nil
	}
	return st, readStatement(body, &st, &st.Kind, PasskeyOpinionKind, "statement that a passkey signed")
}
