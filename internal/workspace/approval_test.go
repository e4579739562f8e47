package workspace_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

func newSigner(t *testing.T, name string) *keys.Signer {
	t.Helper()
	signer, err := keys.Generate(rand.Reader, name)
	must(t, err)
	return signer
}

// signing is an answered workspace whose chain asks for signatures, with a key that is
// registered for each step and one for the verifier.
type signing struct {
	*workspacetest.Workspace
	id             workspace.SurveyID
	hedda, minna   *keys.Signer
	vera, stranger *keys.Signer
}

func newSigning(t *testing.T) *signing {
	t.Helper()
	w, id := answered(t)
	s := &signing{w, id, newSigner(t, "Hedda Lind"), newSigner(t, "Minna"), newSigner(t, "Vera"), newSigner(t, "Hedda Lind")}
	must(t, w.SetChain(t.Context(), w.Lead, id, []assess.Step{{ID: "head", Name: "The head", Signed: true}, {ID: "minister", Name: "The minister", Signed: true}}))
	s.register(t, "hedda", s.hedda, false, "head")
	s.register(t, "minna", s.minna, false, "minister")
	s.register(t, "vera", s.vera, true)
	return s
}

func (s *signing) register(t *testing.T, id string, signer *keys.Signer, verifier bool, steps ...string) workspace.SavedApprover {
	t.Helper()
	saved, err := s.PutApprover(t.Context(), s.Lead, 0, workspace.Approver{ID: id, Key: signer.Public(), Steps: steps, Verifier: verifier})
	must(t, err)
	return saved
}

// sign asks for a decision at a step and signs it.
func (s *signing) sign(t *testing.T, step string, signer *keys.Signer, approved bool, reason string) coalition.SignedFile {
	t.Helper()
	request, err := s.RequestApproval(t.Context(), s.Lead, s.id, step)
	must(t, err)
	file, err := request.Approve(signer.Public(), approved, reason, time.Unix(1, 0)).Sign(signer)
	must(t, err)
	return file
}

func (s *signing) accept(t *testing.T, file coalition.SignedFile) error {
	t.Helper()
	_, _, err := s.AcceptApproval(t.Context(), s.Lead, file)
	return err
}

func (s *signing) waits(t *testing.T) string {
	t.Helper()
	blockers, err := s.Blockers(t.Context(), s.Lead, s.id)
	must(t, err)
	if len(blockers) == 0 {
		return ""
	}
	return blockers[0].Detail
}

// A chain that asks for signatures is gone through with keys alone; any change of what
// would be sealed voids them, and who is registered no longer counts no longer.
func TestSignedChain(t *testing.T) {
	t.Parallel()
	s := newSigning(t)
	ctx := t.Context()
	_, err := s.Decide(ctx, s.Lead, s.id, assess.Decision{Step: "head", Digest: digestOf(t, s.Workspace, s.id), Approved: true, By: "Asta Lind"})
	refused(t, err, errs.Conflict) // without a signature
	head := s.sign(t, "head", s.hedda, true, "")
	must(t, s.accept(t, head))
	refused(t, s.accept(t, head), errs.Conflict) // twice
	if got := s.waits(t); got != "The minister" {
		t.Errorf("waits for %q", got)
	}
	must(t, s.accept(t, s.sign(t, "minister", s.minna, false, "too rosy")))
	if got := s.waits(t); got != "The head" {
		t.Errorf("after a return it waits for %q", got)
	}
	must(t, s.accept(t, s.sign(t, "head", s.hedda, true, "")))
	late := s.sign(t, "minister", s.minna, true, "")
	must(t, s.accept(t, late))
	if got := s.waits(t); got != "" {
		t.Errorf("waits for %q", got)
	}
	approvals, _, err := s.SignedStatements(ctx, s.Lead, s.id)
	must(t, err)
	if len(approvals) != 2 || string(approvals[1].Body) != string(late.Body) {
		t.Errorf("%d statements", len(approvals))
	}
	for i, signer := range []*keys.Signer{s.hedda, s.minna} {
		must(t, keys.Verify(keys.KindApproval, approvals[i].Body, approvals[i].Signature, signer.Public()))
	}

	was, err := s.Entry(ctx, s.Lead, s.id, "A1.1")
	must(t, err)
	save(t, s.Workspace, s.id, "A1.1", assess.Entry{Level: framework.Level4})
	if got := s.waits(t); got != "The head" {
		t.Errorf("after a change it waits for %q", got)
	}
	refused(t, s.accept(t, late), errs.Conflict)
	save(t, s.Workspace, s.id, "A1.1", was.Entry)
	if got := s.waits(t); got != "" {
		t.Errorf("waits for %q after the change was undone", got)
	}

	registered, err := s.Approvers(ctx, s.Lead)
	must(t, err)
	at := slices.IndexFunc(registered, func(a workspace.SavedApprover) bool { return a.ID == "minna" })
	must(t, s.RemoveApprover(ctx, s.Lead, registered[at].Rev, "minna"))
	if got := s.waits(t); got != "The minister" {
		t.Errorf("what a removed key signed counts: waits for %q", got)
	}
	so, err := s.SignOff(ctx, s.Lead, s.id)
	must(t, err)
	if last := so.Decisions[len(so.Decisions)-1]; !last.Lapsed || last.Signed() {
		t.Errorf("decision %+v", last)
	}
}

// What is not a genuine signature over exactly this, by who is registered, is refused.
func TestForgedApprovals(t *testing.T) {
	t.Parallel()
	s := newSigning(t)
	good := s.sign(t, "head", s.hedda, true, "")
	edit := func(change func(*workspace.ApprovalStatement)) coalition.SignedFile {
		request, err := s.RequestApproval(t.Context(), s.Lead, s.id, "head")
		must(t, err)
		st := request.Approve(s.hedda.Public(), true, "", time.Unix(1, 0))
		change(&st)
		file, err := st.Sign(s.hedda)
		must(t, err)
		return file
	}
	other := s.sign(t, "head", s.stranger, true, "")
	for _, row := range []struct {
		name string
		file coalition.SignedFile
		want errs.Kind
	}{
		{"nobody's key", other, errs.Denied},
		{"registered for another step", s.sign(t, "head", s.minna, true, ""), errs.Denied},
		{"another's note", coalition.SignedFile{Body: good.Body, Signature: other.Signature}, errs.Invalid},
		{"no note", coalition.SignedFile{Body: good.Body}, errs.Invalid},
		{"of another kind", func() coalition.SignedFile {
			note, err := keys.Sign(keys.KindRelease, good.Body, s.hedda)
			must(t, err)
			return coalition.SignedFile{Body: good.Body, Signature: note}
		}(), errs.Invalid},
		{"not in canonical form", coalition.SignedFile{Body: append([]byte(" "), good.Body...), Signature: good.Signature}, errs.Invalid},
		{"a change of what was signed", coalition.SignedFile{Body: []byte(strings.Replace(string(good.Body), `"approved":true`, `"approved":false`, 1)), Signature: good.Signature}, errs.Invalid},
		{"another member", edit(func(st *workspace.ApprovalStatement) { st.Member = "Calverra" }), errs.Invalid},
		{"another cycle", edit(func(st *workspace.ApprovalStatement) { st.Cycle = "2030" }), errs.NotFound},
		{"another pack", edit(func(st *workspace.ApprovalStatement) { st.Framework.Version = "9.0.0" }), errs.Invalid},
		{"another digest", edit(func(st *workspace.ApprovalStatement) { st.Digest = strings.Repeat("0", 64) }), errs.Conflict},
		{"another step", edit(func(st *workspace.ApprovalStatement) { st.Step = "minister" }), errs.Denied},
		{"a step that is none", edit(func(st *workspace.ApprovalStatement) { st.Step = "council" }), errs.Denied},
		{"somebody else's name", edit(func(st *workspace.ApprovalStatement) { st.By = "Minna" }), errs.Invalid},
		{"a return without a reason", edit(func(st *workspace.ApprovalStatement) { st.Approved = false }), errs.Invalid},
		{"another format", edit(func(st *workspace.ApprovalStatement) { st.Kind = workspace.OpinionKind }), errs.Invalid},
		{"too long", edit(func(st *workspace.ApprovalStatement) { st.Reason = strings.Repeat("x", 70_000) }), errs.Invalid},
	} {
		if err := s.accept(t, row.file); errs.KindOf(err) != row.want || err == nil {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	must(t, s.accept(t, good)) // and all that was not for nothing
}

// The verifier's opinion is signed over exactly the findings.
func TestSignedOpinion(t *testing.T) {
	t.Parallel()
	s := newSigning(t)
	ctx := t.Context()
	_, err := s.RequestOpinion(ctx, s.Lead, s.id)
	refused(t, err, errs.Conflict) // no finding yet
	found, err := s.PutFinding(ctx, s.Lead, s.id, 0, assess.Finding{Outcome: "A1.1", Seen: "the list", Verified: framework.Level2, Claimed: framework.Level2})
	must(t, err)
	give := func(signer *keys.Signer) coalition.SignedFile {
		request, err := s.RequestOpinion(ctx, s.Lead, s.id)
		must(t, err)
		signed, err := request.Sign(s.hedda) // as the member would
		must(t, err)
		again, err := workspace.ReadOpinionRequest(signed.Body)
		must(t, err)
		file, err := again.Give(signer.Public(), "fair", time.Unix(1, 0)).Sign(signer)
		must(t, err)
		return file
	}
	for _, signer := range []*keys.Signer{s.stranger, s.hedda} {
		_, err = s.AcceptOpinion(ctx, s.Lead, give(signer))
		refused(t, err, errs.Denied)
	}
	file := give(s.vera)
	id, err := s.AcceptOpinion(ctx, s.Lead, file)
	must(t, err)
	o, holds, err := s.Opinion(ctx, s.Lead, s.id)
	must(t, err)
	if id != s.id || !holds || !o.Signed() || o.By != "Vera" || o.Text != "fair" {
		t.Errorf("%s %v %+v", id, holds, o)
	}
	_, opinion, err := s.SignedStatements(ctx, s.Lead, s.id)
	must(t, err)
	if opinion == nil || string(opinion.Body) != string(file.Body) {
		t.Error("the signed opinion is not given out")
	}
	_, err = s.PutFinding(ctx, s.Lead, s.id, found.Rev, assess.Finding{Outcome: "A1.1", Seen: "the list, again", Verified: framework.Level1, Claimed: framework.Level2})
	must(t, err)
	_, err = s.AcceptOpinion(ctx, s.Lead, file)
	refused(t, err, errs.Conflict)
	if _, holds, err = s.Opinion(ctx, s.Lead, s.id); err != nil || holds {
		t.Errorf("holds %v after a finding changed, %v", holds, err)
	}
}

// A request is read only with the digest of what it holds.
func TestReadRequest(t *testing.T) {
	t.Parallel()
	s := newSigning(t)
	request, err := s.RequestApproval(t.Context(), s.Lead, s.id, "head")
	must(t, err)
	file, err := request.Sign(s.vera)
	must(t, err)
	again, err := workspace.ReadApprovalRequest(file.Body)
	must(t, err)
	if again.Digest != request.Digest || again.Key != s.vera.Public() {
		t.Errorf("read %+v", again)
	}
	for name, change := range map[string]string{"a level": `"level":"2"`, "a cycle": `"cycle":"2031"`} {
		body := strings.Replace(string(file.Body), change, strings.Replace(change, "2", "1", 1), 1)
		if body == string(file.Body) {
			t.Fatalf("%s: nothing was changed", name)
		}
		_, err := workspace.ReadApprovalRequest([]byte(body))
		refused(t, err, errs.Invalid)
	}
	_, err = workspace.ReadApprovalRequest([]byte(`{}`))
	refused(t, err, errs.Invalid)
	_, err = s.RequestApproval(t.Context(), s.Lead, s.id, "minister")
	refused(t, err, errs.Conflict)
}

func TestApprovers(t *testing.T) {
	t.Parallel()
	s := newSigning(t)
	ctx := t.Context()
	for name, a := range map[string]workspace.Approver{
		"no key":          {ID: "x", Steps: []string{"head"}},
		"no id":           {Key: s.stranger.Public(), Steps: []string{"head"}},
		"for nothing":     {ID: "x", Key: s.stranger.Public()},
		"a step's id":     {ID: "x", Key: s.stranger.Public(), Steps: []string{"a b"}},
		"a name in lines": {ID: "x", Key: newSigner(t, "a\nb").Public(), Verifier: true},
	} {
		_, err := s.PutApprover(ctx, s.Lead, 0, a)
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.PutApprover(ctx, s.Lead, 0, workspace.Approver{ID: "again", Key: s.hedda.Public(), Verifier: true})
	refused(t, err, errs.Conflict)
	_, err = s.PutApprover(ctx, s.Lead, 0, workspace.Approver{ID: "hedda", Key: s.stranger.Public(), Verifier: true})
	refused(t, err, errs.Conflict)
	_, err = s.PutApprover(ctx, workspace.Person{Name: "P", Roles: []workspace.Role{workspace.RoleApprover}}, 0, workspace.Approver{ID: "x", Key: s.stranger.Public(), Verifier: true})
	refused(t, err, errs.Denied)
	all, err := s.Approvers(ctx, s.Lead)
	must(t, err)
	if len(all) != 3 || all[0].Name() != "Hedda Lind" {
		t.Errorf("registered %+v", all)
	}
}
