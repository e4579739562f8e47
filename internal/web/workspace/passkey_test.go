package workspace_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/account/accounttest"
	"muster/internal/assess"
	"muster/internal/framework"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// signer is one person with her passkey, who has signed in.
type signer struct {
	*account.Service
	person account.Person
	device *accounttest.Authenticator
}

const teamOrigin = "https://answers.example"

// newSigner lets somebody join the people of a workspace.
func newSigner(t testing.TB, s *site, name string, grants ...account.Grant) *signer {
	t.Helper()
	people, err := account.New(account.Config{
		Store: s.DB.Accounts(), Now: time.Now, Rand: rand.Reader, Roles: workspace.AccountRoles(),
		Site: account.Site{Name: "Ostmere", Host: "answers.example", Origin: teamOrigin},
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := people.Invite(t.Context(), s.Lead.Name, account.Invitee{Name: name, Grants: grants})
	if err != nil {
		t.Fatal(err)
	}
	one := &signer{Service: people, device: accounttest.New(teamOrigin, rand.Reader)}
	c, err := people.BeginJoin(t.Context(), token, "here")
	if err != nil {
		t.Fatal(err)
	}
	if one.person, err = people.FinishJoin(t.Context(), c.Flow, "laptop", one.device.Create(t, c.Options), "here"); err != nil {
		t.Fatal(err)
	}
	return one
}

// BeginAssertion implements [page.Passkeys].
func (s *signer) BeginAssertion(r *http.Request, text []byte) (account.Ceremony, error) {
	return s.Service.BeginAssertion(r.Context(), s.person.ID, text)
}

// FinishAssertion implements [page.Passkeys].
func (s *signer) FinishAssertion(r *http.Request, flow string, response []byte) ([]byte, account.Assertion, error) {
	return s.Service.FinishAssertion(r.Context(), s.person.ID, flow, response, "here")
}

// pages returns the pages as the person sees them who has signed in.
func (s *signer) pages(t testing.TB, of *site) *site {
	t.Helper()
	pages, err := page.New(page.Config{
		Service: of.Service, Person: func(*http.Request) workspace.Person { return workspace.PersonOf(s.person) }, Now: today, Rand: &counting{}, Team: s,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &site{Workspace: of.Workspace, handler: pages.Handler(), survey: of.survey, pack: of.pack, log: of.log}
}

// ask posts a form as the script does.
func (s *site) ask(t testing.TB, path string, form url.Values, status int) (reply struct {
	Flow, Next, Message, Detail string
	Options                     json.RawMessage
},
) {
	t.Helper()
	r := post(path, form)
	r.Header.Set("Accept", "application/json")
	rec := s.do(r)
	if err := json.Unmarshal(rec.Body.Bytes(), &reply); err != nil || rec.Code != status {
		t.Fatalf("POST %s: %d, want %d: %v\n%s", path, rec.Code, status, err, rec.Body)
	}
	return reply
}

// complete answers what keeps a survey from being approved.
func complete(t testing.TB, s *site) {
	t.Helper()
	for _, o := range s.pack.Outcomes() {
		saved, err := s.Entry(t.Context(), s.Lead, s.survey, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		saved.Entry.Reason = "decided so"
		if _, _, err := s.Save(t.Context(), s.Lead, s.survey, o.ID, saved.Rev, saved.Entry); err != nil {
			t.Fatal(err)
		}
	}
}

// Where several share a workspace, an approval is a passkey's signature over exactly
// what will be sealed; it is kept with what verifies it, and a change voids it.
func TestPasskeyApproval(t *testing.T) {
	t.Parallel()
	s := shared(t)
	complete(t, s)
	ada := newSigner(t, s, "Ada Approver", account.Grant{Role: "approver", Of: []string{"head"}})
	pages := ada.pages(t, s)
	digest, _ := digests(t, s)
	body := pages.get(t, base+"signoff", http.StatusOK)
	for _, want := range []string{"<muster-passkey", digest, "Approve with a passkey", "Signed in as", "Ada Approver"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of the sign-off does not have %q", want)
		}
	}
	if strings.Contains(body, `name="decision" value="approve"`) || strings.Contains(body, "signoff/chain") {
		t.Error("the page offers what is refused")
	}
	form := url.Values{"step": {"head"}, "digest": {digest}}
	if rec := pages.do(post(base+"signoff/decision", url.Values{"step": {"head"}, "digest": {digest}, "decision": {"approve"}})); rec.Code != http.StatusConflict {
		t.Errorf("an approval without a passkey: %d", rec.Code)
	}
	pages.ask(t, base+"signoff/passkey/begin", url.Values{"step": {"head"}, "digest": {strings.Repeat("0", 64)}}, http.StatusConflict)
	c := pages.ask(t, base+"signoff/passkey/begin", form, http.StatusOK)
	if done := pages.ask(t, base+"signoff/passkey/finish", url.Values{"flow": {c.Flow}, "response": {string(ada.device.Get(t, c.Options))}}, http.StatusOK); done.Next != base+"signoff" {
		t.Errorf("led to %q", done.Next)
	}
	so, err := s.SignOff(t.Context(), s.Lead, s.survey)
	if err != nil {
		t.Fatal(err)
	}
	d := so.Decisions[len(so.Decisions)-1]
	if _, waiting := so.Next(digest); waiting || !d.Signed() || d.By != "Ada Approver" || d.Approval.Kind != assess.ApprovalPasskey {
		t.Fatalf("kept %+v", d)
	}
	// What is kept says by itself what was signed: the digest, the step, and by whom.
	signed, err := workspace.VerifyPasskey(d.Approval)
	if err != nil || signed.Site != "answers.example" || signed.Name != "laptop" {
		t.Fatalf("what is kept does not verify: %+v, %v", signed, err)
	}
	var st workspace.PasskeyStatement
	if err := json.Unmarshal(d.Approval.Statement, &st); err != nil || st.Digest != digest || st.Step != "head" || st.By != "Ada Approver" || st.Kind != workspace.PasskeyApprovalKind {
		t.Errorf("signed %+v: %v", st, err)
	}
	for _, path := range []string{"signoff", "signoff/sheet"} {
		if body := pages.get(t, base+path, http.StatusOK); !strings.Contains(body, "with the passkey “laptop” of answers.example") {
			t.Errorf("%s does not say whose passkey signed", path)
		}
	}
	// It is given out as two files, to be checked elsewhere.
	for name, want := range map[string][]byte{"step-1.json": d.Approval.Statement, "step-1.json.passkey": d.Approval.Passkey} {
		if body := pages.get(t, base+"signoff/statement/"+name, http.StatusOK); body != string(want) {
			t.Errorf("%s is given out as %q", name, body)
		}
	}
	// Any change voids it.
	saved, err := s.Entry(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	saved.Entry.Level = framework.Level2
	if _, _, err := s.Save(t.Context(), s.Lead, s.survey, "A1.1", saved.Rev, saved.Entry); err != nil {
		t.Fatal(err)
	}
	changed, _ := digests(t, s)
	if _, waiting := so.Next(changed); !waiting {
		t.Error("the approval counts for something else")
	}
}

// What a passkey signed is not taken for anything else.
func TestPasskeyApprovalRefuses(t *testing.T) {
	t.Parallel()
	s := shared(t)
	complete(t, s)
	ada := newSigner(t, s, "Ada Approver", account.Grant{Role: "approver", Of: []string{"head"}})
	rita := newSigner(t, s, "Rita Reader", account.Grant{Role: "reader"})
	pages, others := ada.pages(t, s), rita.pages(t, s)
	digest, findings := digests(t, s)
	form := url.Values{"step": {"head"}, "digest": {digest}}
	others.ask(t, base+"signoff/passkey/begin", form, http.StatusForbidden)
	others.ask(t, base+"verification/passkey/begin", url.Values{"text": {"fair"}, "digest": {findings}}, http.StatusForbidden)
	c := pages.ask(t, base+"signoff/passkey/begin", form, http.StatusOK)
	answer := url.Values{"flow": {c.Flow}, "response": {string(ada.device.Get(t, c.Options))}}
	others.ask(t, base+"signoff/passkey/finish", answer, http.StatusConflict) // of her own people's service: nothing was begun
	// The answers change while the browser asks for a finger: the approval is of what they were.
	saved, err := s.Entry(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	saved.Entry.Level = framework.Level1
	if _, _, err := s.Save(t.Context(), s.Lead, s.survey, "A1.1", saved.Rev, saved.Entry); err != nil {
		t.Fatal(err)
	}
	if told := pages.ask(t, base+"signoff/passkey/finish", answer, http.StatusConflict); !strings.Contains(told.Detail, "have changed") {
		t.Errorf("told %+v", told)
	}
	// An opinion's signature is no approval, and one of a page that says approval is none either.
	digest, _ = digests(t, s)
	c = pages.ask(t, base+"signoff/passkey/begin", url.Values{"step": {"head"}, "digest": {digest}}, http.StatusOK)
	pages.ask(t, base+"verification/passkey/finish", url.Values{"flow": {c.Flow}, "response": {string(ada.device.Get(t, c.Options))}}, http.StatusUnprocessableEntity)
	text, err := s.PasskeyApproval(t.Context(), workspace.PersonOf(ada.person), s.survey, "head", digest)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	ceremony, err := ada.BeginAssertion(r, text)
	if err != nil {
		t.Fatal(err)
	}
	_, signed, err := ada.FinishAssertion(r, ceremony.Flow, ada.device.Get(t, ceremony.Options))
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(string(text), `"step":"head"`, `"step":"tail"`, 1)
	for name, statement := range map[string]string{"another step": forged, "another kind": strings.Replace(string(text), "approval", "opinion", 1), "not as it was signed": string(text) + "\n"} {
		if _, err := s.AcceptPasskeyApproval(t.Context(), workspace.PersonOf(ada.person), []byte(statement), signed); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := s.AcceptPasskeyApproval(t.Context(), workspace.PersonOf(rita.person), text, signed); err == nil {
		t.Error("somebody else gave it")
	}
	if _, err := s.AcceptPasskeyApproval(t.Context(), workspace.PersonOf(ada.person), text, signed); err != nil {
		t.Errorf("the genuine one: %v", err)
	}
}

// A verifier signs the opinion with her passkey.
func TestPasskeyOpinion(t *testing.T) {
	t.Parallel()
	s := shared(t)
	vera := newSigner(t, s, "Vera Verifier", account.Grant{Role: "verifier"})
	pages := vera.pages(t, s)
	pages.send(t, base+"verification/finding", url.Values{"rev": {"0"}, "outcome": {"A1.1"}, "claimed": {"3"}, "seen": {"the list"}, "verified": {"3"}})
	_, findings := digests(t, s)
	form := url.Values{"text": {"fair"}, "digest": {findings}}
	if rec := pages.do(post(base+"verification/opinion", form)); rec.Code != http.StatusConflict {
		t.Errorf("an opinion without a passkey: %d", rec.Code)
	}
	c := pages.ask(t, base+"verification/passkey/begin", form, http.StatusOK)
	pages.ask(t, base+"verification/passkey/finish", url.Values{"flow": {c.Flow}, "response": {string(vera.device.Get(t, c.Options))}}, http.StatusOK)
	o, holds, err := s.Opinion(t.Context(), s.Lead, s.survey)
	if err != nil || !holds || o.Text != "fair" || o.By != "Vera Verifier" || o.Approval == nil {
		t.Fatalf("kept %+v, %v: %v", o, holds, err)
	}
	if _, err := workspace.VerifyPasskey(o.Approval); err != nil {
		t.Error(err)
	}
	if body := pages.get(t, base+"verification", http.StatusOK); !strings.Contains(body, "with the passkey “laptop”") {
		t.Error("the page does not say whose passkey signed")
	}
}

// A lead who shares the workspace approves at no step that she was not given, however
// many passkeys she has, and verifies nothing; the page offers her neither.
func TestPasskeysOfALead(t *testing.T) {
	t.Parallel()
	s := shared(t)
	complete(t, s)
	lena := newSigner(t, s, "Lena Lead", account.Grant{Role: "lead"})
	pages := lena.pages(t, s)
	digest, findings := digests(t, s)
	if body := pages.get(t, base+"signoff", http.StatusOK); strings.Contains(body, "<muster-passkey") || !strings.Contains(body, "Somebody else decides at this step") {
		t.Error("the page of the sign-off offers the lead to decide")
	}
	if body := pages.get(t, base+"verification", http.StatusOK); strings.Contains(body, "<muster-passkey") || strings.Contains(body, `name="seen"`) || !strings.Contains(body, "You reply to findings") {
		t.Error("the page of the verification offers the lead to verify")
	}
	pages.ask(t, base+"signoff/passkey/begin", url.Values{"step": {"head"}, "digest": {digest}}, http.StatusForbidden)
	pages.ask(t, base+"verification/passkey/begin", url.Values{"text": {"fair"}, "digest": {findings}}, http.StatusForbidden)
	pages.ask(t, base+"verification/finding", url.Values{"rev": {"0"}, "outcome": {"A1.1"}, "claimed": {"3"}, "seen": {"x"}, "verified": {"3"}}, http.StatusForbidden)

	// The same person at both steps, and as finder of her own answer: the one is refused,
	// the other is said.
	both := newSigner(t, s, "Ada Both", account.Grant{Role: "lead"}, account.Grant{Role: "verifier"}, account.Grant{Role: "approver", Of: []string{"head", "minister"}})
	if err := s.SetChain(t.Context(), s.Lead, s.survey, []assess.Step{{ID: "head", Name: "The head", Signed: true}, {ID: "minister", Name: "The minister", Signed: true}}); err != nil {
		t.Fatal(err)
	}
	pages = both.pages(t, s)
	c := pages.ask(t, base+"signoff/passkey/begin", url.Values{"step": {"head"}, "digest": {digest}}, http.StatusOK)
	pages.ask(t, base+"signoff/passkey/finish", url.Values{"flow": {c.Flow}, "response": {string(both.device.Get(t, c.Options))}}, http.StatusOK)
	if told := pages.ask(t, base+"signoff/passkey/begin", url.Values{"step": {"minister"}, "digest": {digest}}, http.StatusConflict); !strings.Contains(told.Detail, "has approved already") {
		t.Errorf("told %+v", told)
	}
	if body := pages.get(t, base+"signoff", http.StatusOK); strings.Contains(body, "<muster-passkey") || !strings.Contains(body, "You have approved already, as The head") {
		t.Error("the page does not say that she has approved already")
	}
	saved, err := s.Entry(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range []framework.Level{framework.Level2, saved.Entry.Level} { // a level is an answer, a note is none
		saved.Entry.Level = level
		if saved, _, err = s.Save(t.Context(), workspace.PersonOf(both.person), s.survey, "A1.1", saved.Rev, saved.Entry); err != nil {
			t.Fatal(err)
		}
	}
	pages.send(t, base+"verification/finding", url.Values{"rev": {"0"}, "outcome": {"A1.1"}, "claimed": {"3"}, "seen": {"my own list"}, "verified": {"3"}})
	_, findings = digests(t, s)
	c = pages.ask(t, base+"verification/passkey/begin", url.Values{"text": {"fair"}, "digest": {findings}}, http.StatusOK)
	pages.ask(t, base+"verification/passkey/finish", url.Values{"flow": {c.Flow}, "response": {string(both.device.Get(t, c.Options))}}, http.StatusOK)
	for path, want := range map[string]string{"verification": "found by the person who answered", "signoff/sheet": "by a person who gave answers of this survey herself"} {
		if body := pages.get(t, base+path, http.StatusOK); !strings.Contains(body, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
}

// The decision sheet names both hosts, or says that nobody knows them yet.
func TestSheetNamesTheHosts(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	pack := workspacetest.Pack(t, 2, "kept")
	c, signed := workspacetest.Charter(t, pack, "", "Calverra", "Westmark", "Ostmere")
	survey, err := w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Cycle: c.Charter.Cycle})
	if err != nil {
		t.Fatal(err)
	}
	s := (&site{Workspace: w, survey: survey.ID, pack: pack}).as(t, w.Lead)
	below := "/en/survey/" + string(survey.ID) + "/signoff"
	for _, place := range []string{below, below + "/sheet"} {
		if body := s.get(t, place, http.StatusOK); !strings.Contains(body, "no charter is loaded") {
			t.Errorf("%s does not say that there is no charter", place)
		}
	}
	if _, err := w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Charter: &signed}); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{below, below + "/sheet"} {
		if body := s.get(t, place, http.StatusOK); !strings.Contains(body, "One locked half goes to Calverra, one to Westmark") || !strings.Contains(body, signed.Digest()[:12]) {
			t.Errorf("%s does not name the hosts and the charter", place)
		}
	}
}
