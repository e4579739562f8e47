package account_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/errs"
)

// A signature can be checked by whoever has the text, and is over nothing else.
func TestAssertion(t *testing.T) {
	t.Parallel()
	p := newPeople(t, nil)
	ines, device := p.join(t, "Ines Calloway")
	mira, other := p.join(t, "Mira Oduya")
	text := []byte("exactly what is sealed")
	c, err := p.BeginAssertion(t.Context(), ines.ID, text)
	if err != nil {
		t.Fatal(err)
	}
	got, signed, err := p.FinishAssertion(t.Context(), ines.ID, c.Flow, device.Get(t, c.Options), "s")
	if err != nil || !bytes.Equal(got, text) {
		t.Fatalf("%q, %v", got, err)
	}
	body, err := json.Marshal(signed)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := account.ParseAssertion(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Verify(text); err != nil {
		t.Errorf("what is kept does not verify: %v", err)
	}
	for name, change := range map[string]func(*account.Assertion){
		"signature": func(a *account.Assertion) { a.Signature[9] ^= 1 },
		"client data": func(a *account.Assertion) {
			a.ClientData = bytes.Replace(a.ClientData, []byte("get"), []byte("set"), 1)
		},
		"authenticator": func(a *account.Assertion) { a.AuthenticatorData[36] ^= 1 },
		"not verified":  func(a *account.Assertion) { a.AuthenticatorData[32] &^= 4 },
		"site":          func(a *account.Assertion) { a.Site = "other.example" },
		"origin":        func(a *account.Assertion) { a.Origin = "https://other.example" },
	} {
		changed, err := account.ParseAssertion(body)
		if err != nil {
			t.Fatal(err)
		}
		change(&changed)
		if changed.Verify(text) == nil {
			t.Errorf("it verifies with another %s", name)
		}
	}
	if kept.Verify([]byte("something else")) == nil {
		t.Error("it verifies over another text")
	}
	// Nobody signs for another.
	c, err = p.BeginAssertion(t.Context(), ines.ID, text)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = p.FinishAssertion(t.Context(), mira.ID, c.Flow, device.Get(t, c.Options), "s")
	wantKind(t, "begun by somebody else", err, errs.Denied)
	mine, err := p.BeginAssertion(t.Context(), ines.ID, text)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := p.BeginAssertion(t.Context(), mira.ID, text)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = p.FinishAssertion(t.Context(), ines.ID, mine.Flow, other.Get(t, theirs.Options), "s")
	wantKind(t, "with somebody else's passkey", err, errs.Denied)
}

// Who tries tokens has to wait; who signs in of a morning has not.
func TestLimits(t *testing.T) {
	t.Parallel()
	p := newPeople(t, nil)
	_, device := p.join(t, "Ines Calloway")
	var err error
	tries := 0
	for ; tries < 1000 && err == nil; tries++ {
		if _, _, err = p.Invited(t.Context(), "guess", "198.51.100.7"); errs.KindOf(err) == errs.Denied {
			err = nil
		}
	}
	tooMany, ok := errors.AsType[*account.TooMany](err)
	if !ok || tries != account.DefaultLimits().Tries+1 {
		t.Fatalf("after %d tries: %v", tries, err)
	}
	if _, err := p.signIn(t, device); err != nil {
		t.Errorf("somebody elsewhere has to wait, too: %v", err)
	}
	p.forward(tooMany.Wait + time.Second)
	_, _, err = p.Invited(t.Context(), "guess", "198.51.100.7")
	wantKind(t, "after waiting", err, errs.Denied)
}

// Sessions end, however much they are used, and are not brought back.
func TestSessions(t *testing.T) {
	t.Parallel()
	p := newPeople(t, nil)
	ines, _ := p.join(t, "Ines Calloway")
	lengths := account.Lengths{Idle: 30 * time.Minute, Longest: 2 * time.Hour}
	begin := func(digest string) {
		t.Helper()
		if err := p.Begin(t.Context(), account.Session{Digest: digest, Person: ines.ID, Value: []byte("{}")}, lengths); err != nil {
			t.Fatal(err)
		}
	}
	there := func(digest string) bool {
		t.Helper()
		_, ok, err := p.Session(t.Context(), digest, lengths)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	begin("idle")
	p.forward(29 * time.Minute)
	if !there("idle") {
		t.Error("it ended before it was idle")
	}
	p.forward(29 * time.Minute)
	if !there("idle") {
		t.Error("that it was used was not kept")
	}
	p.forward(30 * time.Minute)
	if there("idle") {
		t.Error("it goes on although it was idle")
	}
	p.forward(-time.Minute)
	if there("idle") {
		t.Error("one that has ended is there again")
	}
	begin("long")
	for range 11 {
		p.forward(10 * time.Minute)
		if !there("long") {
			t.Fatal("it ended while it was used")
		}
	}
	p.forward(10 * time.Minute)
	if there("long") {
		t.Error("it goes on for ever")
	}
	begin("a")
	begin("b")
	if n, err := p.SignOutEverywhere(t.Context(), ines.Name, ines.ID); err != nil || n != 2 {
		t.Errorf("%d sessions ended: %v", n, err)
	}
	if there("a") || there("b") {
		t.Error("one goes on after everywhere")
	}
	if err := p.store.InTx(t.Context(), "late", func(tx account.Tx) error { return tx.TouchSession("a", p.now()) }); err != nil || there("a") {
		t.Errorf("a request that was under way brings it back: %v", err)
	}
}

// fakeProvider vouches for whoever a test says.
type fakeProvider struct {
	identity            account.Identity
	state, nonce, check string
}

func (f *fakeProvider) Address(_ context.Context, state, nonce, verifier string) (string, error) {
	f.state, f.nonce, f.check = state, nonce, verifier
	return "https://id.example/", nil
}

func (f *fakeProvider) Redeem(_ context.Context, code, nonce, verifier string) (account.Identity, error) {
	if code != "code" || nonce != f.nonce || verifier != f.check {
		return account.Identity{}, errs.New(errs.Denied, "no", "")
	}
	return f.identity, nil
}

// An identity is bound to one person, by an invitation, and nobody else enters by the
// provider.
func TestProvider(t *testing.T) {
	t.Parallel()
	f := &fakeProvider{identity: account.Identity{Issuer: "https://id.example", Subject: "17"}}
	p := newPeople(t, f)
	enter := func(token string) (account.Person, bool, error) {
		t.Helper()
		flow, _, err := p.BeginProvider(t.Context(), token, "s")
		if err != nil {
			return account.Person{}, false, err
		}
		return p.FinishProvider(t.Context(), flow, f.state, "code", "s")
	}
	_, _, err := enter("")
	wantKind(t, "somebody whom nobody invited", err, errs.Denied)
	ines, joined, err := enter(p.invite(t, "Ines Calloway"))
	if err != nil || !joined {
		t.Fatalf("joining: %v", err)
	}
	if again, joined, err := enter(""); err != nil || joined || again.ID != ines.ID {
		t.Errorf("signed in as %+v: %v", again, err)
	}
	_, _, err = enter(p.invite(t, "Mira Oduya"))
	wantKind(t, "another person with the same identity", err, errs.Conflict)
	f.identity.Issuer = "https://id.example/" // not exactly the same
	_, _, err = enter("")
	wantKind(t, "another issuer", err, errs.Denied)
	f.identity.Issuer = "https://id.example"
	flow, _, err := p.BeginProvider(t.Context(), "", "s")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = p.FinishProvider(t.Context(), flow, "another state", "code", "s")
	wantKind(t, "another state", err, errs.Denied)
	_, _, err = p.FinishProvider(t.Context(), flow, f.state, "code", "s")
	wantKind(t, "a flow that was used", err, errs.Conflict)
	if _, err := p.Recover(t.Context(), lead, "Ines Calloway", 0); err != nil {
		t.Fatal(err)
	}
	_, _, err = enter("")
	wantKind(t, "after recovery", err, errs.Denied)
	token, err := p.Recover(t.Context(), lead, "Ines Calloway", 0)
	if err != nil {
		t.Fatal(err)
	}
	if again, _, err := enter(token); err != nil || again.ID != ines.ID {
		t.Errorf("the same identity of the same person is not bound again: %v", err)
	}
}
