package workspace

import (
	"context"
	"fmt"
	"time"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// The kinds of files of a sign-off.
const (
	ApprovalRequestKind = "muster approval request v1"
	ApprovalKind        = "muster approval v1"
	OpinionRequestKind  = "muster opinion request v1"
	OpinionKind         = "muster opinion v1"
)

// ApprovalRequest asks somebody on another machine to decide at a step. It holds
// exactly what would be sealed, so that whoever signs has seen what the digest is of:
// it holds answers.
type ApprovalRequest struct {
	Kind      string      `json:"kind"`
	Step      string      `json:"step"`      // its id
	StepName  string      `json:"step_name"` //
	Digest    string      `json:"digest"`    // of Statement
	Statement Statement   `json:"statement"`
	Key       keys.Public `json:"key"`  // of the member, which signs the request
	Time      int64       `json:"time"` // when it was made, seconds since 1970
}

// Sign returns the request as a file with its note. The signer is the member's.
func (r ApprovalRequest) Sign(signer *keys.Signer) (coalition.SignedFile, error) {
	r.Key = signer.Public()
	return signed(keys.KindApprovalRequest, r, signer)
}

// ReadApprovalRequest reads a request and checks that its digest is that of what it
// holds.
func ReadApprovalRequest(body []byte) (ApprovalRequest, error) {
	var r ApprovalRequest
	if err := readStatement(body, &r, &r.Kind, ApprovalRequestKind, "request"); err != nil {
		return r, err
	}
	if err := printable(body); err != nil {
		return r, err
	}
	sum, err := r.Statement.Digest()
	if err != nil {
		return r, err
	}
	if sum != r.Digest || r.Statement.Format != StatementFormat && r.Statement.Format != StatementFormatV1 {
		return r, errs.New(errs.Invalid, "the digest of the request is not that of what it holds", "ask the lead for the file again; do not sign it")
	}
	return r, nil
}

// Approve returns what is signed by who approves, or returns with a reason, what the
// request holds.
func (r ApprovalRequest) Approve(by keys.Public, approved bool, reason string, now time.Time) ApprovalStatement {
	return ApprovalStatement{
		Kind: ApprovalKind, Member: r.Statement.Member, Cycle: r.Statement.Cycle, Framework: r.Statement.Framework,
		Step: r.Step, Digest: r.Digest, Approved: approved, Reason: reason, By: by.Name(), Key: by, Time: now.Unix(),
	}
}

// ApprovalStatement is what is signed at a step of the chain.
type ApprovalStatement struct {
	Kind      string             `json:"kind"`
	Member    coalition.MemberID `json:"member"`
	Cycle     string             `json:"cycle"`
	Framework framework.Ref      `json:"framework"`
	Step      string             `json:"step"`   // its id
	Digest    string             `json:"digest"` // of exactly what will be sealed
	Approved  bool               `json:"approved"`
	Reason    string             `json:"reason,omitempty"` // why it was returned
	By        string             `json:"by"`
	Key       keys.Public        `json:"key"`
	Time      int64              `json:"time"` // when it was signed, seconds since 1970
}

// Sign returns the statement as a file with its note.
func (s ApprovalStatement) Sign(signer *keys.Signer) (coalition.SignedFile, error) {
	return signed(keys.KindApproval, s, signer)
}

// survey returns the id of the survey that a statement is of.
func (s ApprovalStatement) survey() SurveyID { return NewSurveyID(s.Cycle, s.Framework.ID) }

// OpinionRequest asks a verifier on another machine for an opinion. It holds the
// findings: it holds answers.
type OpinionRequest struct {
	Kind     string            `json:"kind"`
	Digest   string            `json:"digest"` // of Findings
	Findings FindingsStatement `json:"findings"`
	Key      keys.Public       `json:"key"` // of the member, which signs the request
	Time     int64             `json:"time"`
}

// Sign returns the request as a file with its note. The signer is the member's.
func (r OpinionRequest) Sign(signer *keys.Signer) (coalition.SignedFile, error) {
	r.Key = signer.Public()
	return signed(keys.KindOpinionRequest, r, signer)
}

// ReadOpinionRequest reads a request and checks that its digest is that of what it
// holds.
func ReadOpinionRequest(body []byte) (OpinionRequest, error) {
	var r OpinionRequest
	if err := readStatement(body, &r, &r.Kind, OpinionRequestKind, "request"); err != nil {
		return r, err
	}
	if err := printable(body); err != nil {
		return r, err
	}
	sum, err := r.Findings.Digest()
	if err != nil {
		return r, err
	}
	if sum != r.Digest || r.Findings.Format != opinionFormat && r.Findings.Format != opinionFormatV1 {
		return r, errs.New(errs.Invalid, "the digest of the request is not that of what it holds", "ask the lead for the file again; do not sign it")
	}
	return r, nil
}

// Give returns what the verifier signs.
func (r OpinionRequest) Give(by keys.Public, text string, now time.Time) OpinionStatement {
	f := r.Findings
	return OpinionStatement{
		Kind: OpinionKind, Member: f.Member, Cycle: f.Cycle, Framework: f.Framework, Digest: r.Digest, Text: text, By: by.Name(), Key: by, Time: now.Unix(),
	}
}

// OpinionStatement is what a verifier signs.
type OpinionStatement struct {
	Kind      string             `json:"kind"`
	Member    coalition.MemberID `json:"member"`
	Cycle     string             `json:"cycle"`
	Framework framework.Ref      `json:"framework"`
	Digest    string             `json:"digest"` // of the findings
	Text      string             `json:"text"`
	By        string             `json:"by"`
	Key       keys.Public        `json:"key"`
	Time      int64              `json:"time"`
}

// Sign returns the statement as a file with its note.
func (s OpinionStatement) Sign(signer *keys.Signer) (coalition.SignedFile, error) {
	return signed(keys.KindOpinion, s, signer)
}

func signed(kind keys.Kind, statement any, signer *keys.Signer) (coalition.SignedFile, error) {
	body, err := keys.Canonical(statement)
	if err != nil {
		return coalition.SignedFile{}, err
	}
	note, err := keys.Sign(kind, body, signer)
	return coalition.SignedFile{Body: body, Signature: note}, err
}

// readStatement reads a file of the sign-off strictly. Its error quotes nothing of it.
func readStatement(body []byte, into any, kind *string, want, what string) error {
	err := keys.DecodeCanonical(body, into)
	if err == nil && *kind == want {
		return nil
	}
	return errs.New(errs.Invalid, fmt.Sprintf("the file is no %s that this muster can read", what), "give the file as it was written, unchanged")
}

// RequestApproval returns a request to decide at a step about what would be sealed
// now. It is a Conflict if it is another step's turn, or if something but the sign-off
// still keeps it from being sealed.
func (s *Service) RequestApproval(ctx context.Context, person Person, id SurveyID, step string) (ApprovalRequest, error) {
	var request ApprovalRequest
	err := s.view(ctx, "ask for an approval", person, organise, func(r Reader) error {
		is, err := s.writable(r, id)
		if err != nil {
			return err
		}
		request, err = s.requestApproval(r, is, step)
		return err
	})
	request.Time = s.now().Unix()
	return request, err
}

func (s *Service) requestApproval(r Reader, is survey, step string) (ApprovalRequest, error) {
	now, err := s.sealable(r, is)
	if err != nil {
		return ApprovalRequest{}, err
	}
	if len(now.missing()) > 0 {
		return ApprovalRequest{}, errIncomplete()
	}
	so, err := signOffOf(r, is.id)
	if err != nil {
		return ApprovalRequest{}, err
	}
	turn, waiting := so.Next(now.Digest)
	switch {
	case !waiting:
		return ApprovalRequest{}, errs.New(errs.Conflict, "no step of the chain waits for a decision", "the sign-off is through, or there is no chain")
	case turn.ID != step:
		return ApprovalRequest{}, errs.New(errs.Conflict, fmt.Sprintf("it is %s's turn", errs.Quote(turn.Name)), "the chain goes in its order; its step is "+turn.ID)
	}
	return ApprovalRequest{Kind: ApprovalRequestKind, Step: turn.ID, StepName: turn.Name, Digest: now.Digest, Statement: now.statement}, nil
}

// AcceptApproval keeps a decision that somebody signed with a registered key, here or
// on another machine. See [Service.Decide].
func (s *Service) AcceptApproval(ctx context.Context, person Person, file coalition.SignedFile) (SurveyID, assess.SignOff, error) {
	var st ApprovalStatement
	if err := readStatement(file.Body, &st, &st.Kind, ApprovalKind, "signed approval"); err != nil {
		return "", assess.SignOff{}, err
	}
	so, err := s.Decide(ctx, person, st.survey(), assess.Decision{
		Step: st.Step, Digest: st.Digest, Approved: st.Approved, Reason: st.Reason, By: st.By,
		Approval: &assess.Approval{Kind: assess.ApprovalKey, Statement: file.Body, Key: st.Key, Note: file.Signature},
	})
	return st.survey(), so, err
}

// checkApproval refuses an approval that is not a genuine signature over exactly what
// is decided, by somebody who is registered for the step.
func (s *Service) checkApproval(r Reader, is survey, d assess.Decision) error {
	a := d.Approval
	if err := checkSize(a); err != nil {
		return err
	}
	switch a.Kind {
	case assess.ApprovalPasskey:
		return checkPasskeyApproval(r, is, d)
	case assess.ApprovalKey:
	default:
		return errs.New(errs.Invalid, "the approval is of a kind that this muster does not know", "")
	}
	var st ApprovalStatement
	if err := readStatement(a.Statement, &st, &st.Kind, ApprovalKind, "signed approval"); err != nil {
		return err
	}
	member, err := memberOf(r)
	if err != nil {
		return err
	}
	want := ApprovalStatement{
		Kind: ApprovalKind, Member: member, Cycle: is.Cycle, Framework: is.Pack, Step: d.Step, Digest: d.Digest,
		Approved: d.Approved, Reason: d.Reason, By: a.Key.Name(), Key: a.Key, Time: st.Time,
	}
	if st != want || d.By != st.By {
		return errs.New(errs.Invalid, "what was signed is not what is decided", "it is of another member, survey, step or decision; ask for it again")
	}
	approver, err := approverOf(r, a.Key)
	if err != nil {
		return err
	}
	if approver.Key != a.Key {
		return errs.New(errs.Denied, "the key is registered under another name", "register it as it is now, or sign with the key that is registered")
	}
	if !approver.signsAt(d.Step) {
		return errNoApprover(approver, "the step "+errs.Quote(d.Step))
	}
	return keys.Verify(keys.KindApproval, a.Statement, a.Note, approver.Key)
}

func checkSize(a *assess.Approval) error {
	if len(a.Statement) > maxStatement || len(a.Note) > maxSignature || len(a.Passkey) > maxSignature {
		return errs.New(errs.Invalid, "the signed file is too long to be one", "")
	}
	return nil
}

// lapse marks the decisions whose key is registered for its step no longer.
func lapse(r Reader, decisions []assess.Decision) error {
	var registered []SavedApprover
	read := false
	for i := range decisions {
		a := decisions[i].Approval
		if a == nil || a.Kind != assess.ApprovalKey {
			continue
		}
		if !read {
			var err error
			if registered, err = approversOf(r); err != nil {
				return err
			}
			read = true
		}
		decisions[i].Lapsed = true
		for _, approver := range registered {
			if approver.Key == a.Key && approver.signsAt(decisions[i].Step) {
				decisions[i].Lapsed = false
			}
		}
	}
	return nil
}

// RequestOpinion returns a request for the verifier's opinion about the findings as
// they are now.
func (s *Service) RequestOpinion(ctx context.Context, person Person, id SurveyID) (OpinionRequest, error) {
	var request OpinionRequest
	err := s.view(ctx, "ask for an opinion", person, verify, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		findings, err := findingsStatement(r, is)
		if err != nil {
			return err
		}
		if len(findings.Findings) == 0 {
			return errs.New(errs.Conflict, "there is no finding to have an opinion about", "the verifier keeps findings on the page of the verification")
		}
		sum, err := findings.Digest()
		request = OpinionRequest{Kind: OpinionRequestKind, Digest: sum, Findings: findings}
		return err
	})
	request.Time = s.now().Unix()
	return request, err
}

// AcceptOpinion keeps an opinion that the verifier signed with a registered key, see
// [Service.PutOpinion].
func (s *Service) AcceptOpinion(ctx context.Context, person Person, file coalition.SignedFile) (SurveyID, error) {
	var st OpinionStatement
	if err := readStatement(file.Body, &st, &st.Kind, OpinionKind, "signed opinion"); err != nil {
		return "", err
	}
	id := NewSurveyID(st.Cycle, st.Framework.ID)
	return id, s.PutOpinion(ctx, person, id, Opinion{
		Text: st.Text, Digest: st.Digest, By: st.By,
		Approval: &assess.Approval{Kind: assess.ApprovalKey, Statement: file.Body, Key: st.Key, Note: file.Signature},
	})
}

// checkOpinion is checkApproval for an opinion.
func checkOpinion(r Reader, is survey, o Opinion) error {
	a := o.Approval
	if err := checkSize(a); err != nil {
		return err
	}
	switch a.Kind {
	case assess.ApprovalPasskey:
		return checkPasskeyOpinion(r, is, o)
	case assess.ApprovalKey:
	default:
		return errs.New(errs.Invalid, "the signature is of a kind that this muster does not know", "")
	}
	var st OpinionStatement
	if err := readStatement(a.Statement, &st, &st.Kind, OpinionKind, "signed opinion"); err != nil {
		return err
	}
	member, err := memberOf(r)
	if err != nil {
		return err
	}
	want := OpinionStatement{
		Kind: OpinionKind, Member: member, Cycle: is.Cycle, Framework: is.Pack, Digest: o.Digest, Text: o.Text, By: a.Key.Name(), Key: a.Key, Time: st.Time,
	}
	if st != want || o.By != st.By {
		return errs.New(errs.Invalid, "what was signed is not this opinion", "it is of another member, survey or text; ask for it again")
	}
	approver, err := approverOf(r, a.Key)
	if err != nil {
		return err
	}
	if approver.Key != a.Key || !approver.Verifier {
		return errNoApprover(approver, "the verifier's opinion")
	}
	return keys.Verify(keys.KindOpinion, a.Statement, a.Note, approver.Key)
}

// ReadDecisionFile says whether a signed file is an approval or an opinion.
func ReadDecisionFile(body []byte) (kind string, err error) {
	var a ApprovalStatement
	if readStatement(body, &a, &a.Kind, ApprovalKind, "") == nil {
		return ApprovalKind, nil
	}
	var o OpinionStatement
	if readStatement(body, &o, &o.Kind, OpinionKind, "") == nil {
		return OpinionKind, nil
	}
	return "", errs.New(errs.Invalid, "the file is neither a signed approval nor a signed opinion", "give the file that muster workspace approve wrote, unchanged, with its .sig beside it")
}

// SignedStatements returns what was signed of a survey and still counts: the
// approvals of what would be sealed now, in the chain's order, and the opinion.
func (s *Service) SignedStatements(ctx context.Context, person Person, id SurveyID) (approvals []coalition.SignedFile, opinion *coalition.SignedFile, err error) {
	so, err := s.SignOff(ctx, person, id)
	if err != nil {
		return nil, nil, err
	}
	now, err := s.Sealable(ctx, person, id)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range so.Standing(now.Digest) {
		if d.Approval != nil && d.Approval.Kind == assess.ApprovalKey {
			approvals = append(approvals, coalition.SignedFile{Body: d.Approval.Statement, Signature: d.Approval.Note})
		}
	}
	o, holds, err := s.Opinion(ctx, person, id)
	switch {
	case errs.KindOf(err) == errs.NotFound:
		return approvals, nil, nil
	case err != nil:
		return nil, nil, err
	case holds && o.Signed() && o.Approval.Kind == assess.ApprovalKey:
		opinion = &coalition.SignedFile{Body: o.Approval.Statement, Signature: o.Approval.Note}
	}
	return approvals, opinion, nil
}

// errIncomplete refuses to approve what cannot be sealed.
func errIncomplete() error {
	return errs.New(errs.Conflict, "the answers are not complete: an approval would be of something that cannot be sealed", "the completeness check lists what is missing")
}
