package workspace_test

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// chartered is a workspace whose survey of two outcomes is answered, under a charter.
func chartered(t testing.TB) (*workspacetest.Workspace, workspace.SurveyID, *framework.Pack, *coalitiontest.Cycle, coalition.SignedCharter) {
	t.Helper()
	w := workspacetest.New(t)
	pack := workspacetest.Pack(t, 2, "there")
	c, signed := workspacetest.Charter(t, pack, "one", "Ostmere", "Calverra", "Norvik")
	id := load(t, w, workspace.LoadConfig{Pack: pack, Charter: &signed}).ID
	save(t, w, id, "A1.1", assess.Entry{Level: framework.Level2})
	save(t, w, id, "A1.2", assess.Entry{Level: framework.Level1})
	return w, id, pack, c, signed
}

// What is approved is approved for one pair of hosts: another charter, and one that
// comes only later, voids it, and what is signed says which it was.
func TestAnotherCharterVoids(t *testing.T) {
	t.Parallel()
	w, id, pack, c, first := chartered(t)
	ctx := t.Context()
	must(t, w.SetChain(ctx, w.Lead, id, []assess.Step{{ID: "head", Name: "The head"}}))
	approve := func() {
		t.Helper()
		_, err := w.Decide(ctx, w.Lead, id, assess.Decision{Step: "head", Digest: digestOf(t, w, id), Approved: true, By: "Hedda"})
		must(t, err)
	}
	waits := func(want bool) {
		t.Helper()
		blockers, err := w.Blockers(ctx, w.Lead, id)
		must(t, err)
		if got := len(blockers) > 0; got != want {
			t.Errorf("waits: %v, want %v", got, want)
		}
	}
	waits(true)
	request, err := w.RequestApproval(ctx, w.Lead, id, "head")
	must(t, err)
	u := request.Statement.Under
	if u == nil || u.Charter != first.Digest() || u.Leader != c.Charter.Leader.Member || u.Helper != c.Charter.Helper.Member || u.Deadline != c.Charter.Deadline ||
		len(u.Tasks) != 1 || u.Tasks[0].Task != c.Charter.Cohorts[0].Task.ID || u.Tasks[0].Cohort != c.Charter.Cohorts[0].ID {
		t.Errorf("what is signed is under %+v", u)
	}
	approve()
	waits(false)
	load(t, w, workspace.LoadConfig{Pack: pack, Charter: &first}) // the same
	waits(false)
	_, second := workspacetest.Charter(t, pack, "two", "Ostmere", "Calverra", "Norvik")
	load(t, w, workspace.LoadConfig{Pack: pack, Charter: &second, InsteadOf: first.Digest()})
	waits(true)
	_, err = w.Decide(ctx, w.Lead, id, assess.Decision{Step: "head", Digest: request.Digest, Approved: true, By: "Hedda"})
	refused(t, err, errs.Conflict)
	load(t, w, workspace.LoadConfig{Pack: pack, Charter: &first, InsteadOf: second.Digest()})
	waits(false) // it is again what was approved

	// Approved without a charter is approved for nobody's hosts.
	w2 := workspacetest.New(t)
	early := load(t, w2, workspace.LoadConfig{Pack: pack, Cycle: c.Charter.Cycle}).ID
	save(t, w2, early, "A1.1", assess.Entry{Level: framework.Level2})
	save(t, w2, early, "A1.2", assess.Entry{Level: framework.Level1})
	w, id = w2, early
	must(t, w.SetChain(ctx, w.Lead, id, []assess.Step{{ID: "head", Name: "The head"}}))
	approve()
	waits(false)
	is, err := w.Sealable(ctx, w.Lead, id)
	must(t, err)
	if is.Under() != nil {
		t.Errorf("under %+v, and no charter is loaded", is.Under())
	}
	adopted, err := is.Adopting(first) // as a dry run says before it is loaded
	must(t, err)
	load(t, w, workspace.LoadConfig{Pack: pack, Charter: &first})
	waits(true)
	if now := digestOf(t, w, id); adopted.Digest != now || len(adopted.Blockers) != 1 || len(is.Blockers) != 0 {
		t.Errorf("a dry run says %s with %v, and it is %s", adopted.Digest, adopted.Blockers, now)
	}
}

// Nobody who has what was signed can try out answers: the same answers have another
// digest in every workspace, and the salt is in no file that goes out signed but the
// request, which holds the answers themselves.
func TestDigestIsSalted(t *testing.T) {
	t.Parallel()
	pack := workspacetest.Pack(t, 2, "there")
	digests, findings := make(map[string]bool), make(map[string]bool)
	for _, source := range []byte{1, 2} {
		w := workspacetest.New(t)
		w.Service = workspace.New(workspace.Config{Store: w.DB, Now: workspacetest.Clock(time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)), Rand: bytes.NewReader(bytes.Repeat([]byte{source}, 32))})
		id := w.Load(t, pack)
		save(t, w, id, "A1.1", assess.Entry{Level: framework.Level2})
		save(t, w, id, "A1.2", assess.Entry{Level: framework.Level1})
		must(t, w.SetChain(t.Context(), w.Lead, id, []assess.Step{{ID: "head", Name: "The head", Signed: true}}))
		hedda, err := keys.Generate(rand.Reader, "Hedda")
		must(t, err)
		_, err = w.PutApprover(t.Context(), w.Lead, 0, workspace.Approver{ID: "hedda", Key: hedda.Public(), Steps: []string{"head"}})
		must(t, err)
		request, err := w.RequestApproval(t.Context(), w.Lead, id, "head")
		must(t, err)
		salt := strings.Repeat(string("0"+string('0'+source)), 32)
		if request.Statement.Salt != salt || request.Statement.Format != workspace.StatementFormat {
			t.Errorf("the statement has the salt %q, want %q", request.Statement.Salt, salt)
		}
		approval, err := request.Approve(hedda.Public(), true, "", time.Unix(1_900_000_000, 0)).Sign(hedda)
		must(t, err)
		if bytes.Contains(approval.Body, []byte(salt)) {
			t.Error("the approval holds the salt")
		}
		_, _, err = w.AcceptApproval(t.Context(), w.Lead, approval)
		must(t, err)
		unsalted := request.Statement
		unsalted.Salt = ""
		guess, err := unsalted.Digest()
		must(t, err)
		if guess == request.Digest {
			t.Error("the salt is not in the digest")
		}
		sum, err := w.FindingsDigest(t.Context(), w.Lead, id)
		must(t, err)
		digests[request.Digest], findings[sum] = true, true
	}
	if len(digests) != 2 || len(findings) != 2 {
		t.Error("the same answers have the same digest in two workspaces")
	}
	w := workspacetest.New(t)
	w.Service = workspace.New(workspace.Config{Store: w.DB, Now: time.Now, Rand: bytes.NewReader(nil)})
	if _, err := w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Cycle: "2031"}); err == nil {
		t.Error("a survey is loaded without randomness")
	}
}

// A request of the first version is read, and its digest checked.
func TestReadEarlierRequest(t *testing.T) {
	t.Parallel()
	st := workspace.Statement{
		Format: workspace.StatementFormatV1, Member: "Ostmere", Cycle: "2031", Framework: framework.Ref{ID: "invented", Version: "1.0.0", Digest: strings.Repeat("ab", 32)},
		Answers: map[string]assess.Answer{"A1.1": {Level: framework.Level3}},
	}
	digest, err := st.Digest()
	must(t, err)
	signer, err := keys.Generate(rand.Reader, "Ostmere")
	must(t, err)
	for _, row := range []struct {
		name, format, digest string
		reads                bool
	}{
		{"as it was written", workspace.StatementFormatV1, digest, true},
		{"another digest", workspace.StatementFormatV1, strings.Repeat("00", 32), false},
		{"a version of later", "muster-statement/3", digest, false},
	} {
		st.Format = row.format
		file, err := workspace.ApprovalRequest{Kind: workspace.ApprovalRequestKind, Step: "head", StepName: "The head", Digest: row.digest, Statement: st}.Sign(signer)
		must(t, err)
		if _, err := workspace.ReadApprovalRequest(file.Body); (err == nil) != row.reads {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// A request is signed by whoever has the member's key, and read on an approver's
// terminal: what a terminal would obey, or show in another order, is not read at all.
func TestRequestsCanBePrinted(t *testing.T) {
	t.Parallel()
	signer, err := keys.Generate(rand.Reader, "Ostmere")
	must(t, err)
	ref := framework.Ref{ID: "invented", Version: "1.0.0", Digest: strings.Repeat("ab", 32)}
	approval := func(change func(r *workspace.ApprovalRequest)) error {
		r := workspace.ApprovalRequest{Kind: workspace.ApprovalRequestKind, Step: "head", StepName: "The head", Statement: workspace.Statement{
			Format: workspace.StatementFormat, Member: "Ostmere", Cycle: "2031", Framework: ref, Answers: map[string]assess.Answer{"A1.1": {Level: framework.Level3}},
			Under: &workspace.Under{Charter: strings.Repeat("cd", 32), Tasks: []workspace.UnderTask{{Cohort: "allies", Task: "x"}}, Leader: "Calverra", Helper: "Westmark"},
		}}
		change(&r)
		r.Digest, err = r.Statement.Digest()
		must(t, err)
		file, err := r.Sign(signer)
		must(t, err)
		_, err = workspace.ReadApprovalRequest(file.Body)
		return err
	}
	opinion := func(change func(f *workspace.FindingsStatement)) error {
		f := workspace.FindingsStatement{Format: "muster-findings/2", Member: "Ostmere", Cycle: "2031", Framework: ref, Findings: map[string]workspace.Claim{
			"A1.1": {Claimed: framework.Level3, Finding: assess.Finding{Outcome: "A1.1", Seen: "the list\nand the paper", Reply: "fair"}},
		}}
		change(&f)
		digest, err := f.Digest()
		must(t, err)
		file, err := workspace.OpinionRequest{Kind: workspace.OpinionRequestKind, Findings: f, Digest: digest}.Sign(signer)
		must(t, err)
		_, err = workspace.ReadOpinionRequest(file.Body)
		return err
	}
	must(t, approval(func(*workspace.ApprovalRequest) {}))
	must(t, opinion(func(*workspace.FindingsStatement) {}))
	for _, bad := range []string{"\x1b[2J", "\x1b]0;title\a", "\r", "a\u202eb", "\u009b31m"} {
		text := "fair" + bad
		errors := map[string]error{
			"step":    approval(func(r *workspace.ApprovalRequest) { r.StepName = text }),
			"member":  approval(func(r *workspace.ApprovalRequest) { r.Statement.Member = coalition.MemberID(text) }),
			"cycle":   approval(func(r *workspace.ApprovalRequest) { r.Statement.Cycle = text }),
			"version": approval(func(r *workspace.ApprovalRequest) { r.Statement.Framework.Version = text }),
			"outcome": approval(func(r *workspace.ApprovalRequest) { r.Statement.Answers[text] = assess.Answer{} }),
			"host":    approval(func(r *workspace.ApprovalRequest) { r.Statement.Under.Helper = coalition.MemberID(text) }),
			"charter": approval(func(r *workspace.ApprovalRequest) { r.Statement.Under.Charter = text }),
			"seen": opinion(func(f *workspace.FindingsStatement) {
				f.Findings["A1.1"] = workspace.Claim{Finding: assess.Finding{Outcome: "A1.1", Seen: text}}
			}),
			"reply": opinion(func(f *workspace.FindingsStatement) {
				f.Findings["A1.1"] = workspace.Claim{Finding: assess.Finding{Outcome: "A1.1", Reply: text}}
			}),
			"found about": opinion(func(f *workspace.FindingsStatement) { f.Findings[text] = workspace.Claim{} }),
		}
		for where, err := range errors {
			if errs.KindOf(err) != errs.Invalid || strings.Contains(err.Error(), bad) {
				t.Errorf("%q as the %s: %v", bad, where, err)
			}
		}
	}
	if err := approval(func(r *workspace.ApprovalRequest) { r.StepName = "The head\n1 answer" }); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a name of two lines: %v", err)
	}
}
