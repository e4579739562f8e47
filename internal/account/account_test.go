package account_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/account"
	"muster/internal/account/accounttest"
	"muster/internal/errs"
	"muster/internal/workspace/workspacetest"
)

const (
	host   = "answers.example"
	origin = "https://answers.example"
	lead   = "Ada Lindqvist"
)

// clock is a clock that a test sets.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()) }
func (c *clock) forward(d time.Duration) { c.micros.Add(d.Microseconds()) }

// people is a service on a real database with its clock.
type people struct {
	*account.Service
	*clock
	store account.Store
}

func newPeople(t testing.TB, provider account.Provider) *people {
	t.Helper()
	return openPeople(t, workspacetest.New(t).DB.Accounts(), provider)
}

func openPeople(t testing.TB, store account.Store, provider account.Provider) *people {
	t.Helper()
	p := &people{clock: new(clock), store: store}
	p.micros.Store(time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC).UnixMicro())
	var err error
	p.Service, err = account.New(account.Config{
		Store: store, Now: p.now, Rand: rand.Reader, Provider: provider,
		Roles: []account.Role{{Name: "chief"}, {Name: "clerk", Of: "desk"}},
		Site:  account.Site{Name: "Answers", Host: host, Origin: origin},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func clerk(desks ...string) []account.Grant { return []account.Grant{{Role: "clerk", Of: desks}} }

// invite invites somebody and returns the token.
func (p *people) invite(t testing.TB, name string) string {
	t.Helper()
	token, err := p.Invite(t.Context(), lead, account.Invitee{Name: name, Grants: clerk("north")})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// join lets somebody in with a new device.
func (p *people) join(t testing.TB, name string) (account.Person, *accounttest.Authenticator) {
	t.Helper()
	device := accounttest.New(origin, rand.Reader)
	person, err := p.tryJoin(t, p.invite(t, name), device)
	if err != nil {
		t.Fatal(err)
	}
	return person, device
}

func (p *people) tryJoin(t testing.TB, token string, device *accounttest.Authenticator) (account.Person, error) {
	t.Helper()
	c, err := p.BeginJoin(t.Context(), token, "192.0.2.1")
	if err != nil {
		return account.Person{}, err
	}
	return p.FinishJoin(t.Context(), c.Flow, "laptop", device.Create(t, c.Options), "192.0.2.1")
}

func (p *people) signIn(t testing.TB, device *accounttest.Authenticator) (account.Person, error) {
	t.Helper()
	c, err := p.BeginSignIn(t.Context(), "192.0.2.1")
	if err != nil {
		return account.Person{}, err
	}
	return p.FinishSignIn(t.Context(), c.Flow, device.Get(t, c.Options), "192.0.2.1")
}

func (p *people) events(t testing.TB) []string {
	t.Helper()
	all, err := p.Events(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i := len(all) - 1; i >= 0; i-- {
		lines = append(lines, fmt.Sprintf("%s %s by %s", all[i].Person, all[i].What, all[i].By))
	}
	return lines
}

func wantKind(t testing.TB, what string, err error, kind errs.Kind) {
	t.Helper()
	if err == nil || errs.KindOf(err) != kind {
		t.Errorf("%s: %v, want kind %v", what, err, kind)
	}
}

// Who was invited joins once, and signs in from then on.
func TestJoinAndSignIn(t *testing.T) {
	t.Parallel()
	p := newPeople(t, nil)
	ines, device := p.join(t, "Ines Calloway")
	if diff := cmp.Diff(clerk("north"), ines.Grants); diff != "" || !ines.Joined.Equal(p.now()) {
		t.Errorf("joined as %+v\n%s", ines, diff)
	}
	p.forward(time.Hour)
	again, err := p.signIn(t, device)
	if err != nil || again.ID != ines.ID || again.Name != "Ines Calloway" {
		t.Fatalf("signed in as %+v: %v", again, err)
	}
	// A second passkey, and then the first is removed.
	second := accounttest.New(origin, rand.Reader)
	c, err := p.BeginAdd(t.Context(), ines.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.FinishAdd(t.Context(), ines.ID, c.Flow, "key", second.Create(t, c.Options)); err != nil {
		t.Fatal(err)
	}
	all, err := p.Credentials(t.Context(), ines.ID)
	if err != nil || len(all) != 2 || all[0].Name != "laptop" || all[1].Name != "key" {
		t.Fatalf("credentials %+v: %v", all, err)
	}
	if err := p.RemoveCredential(t.Context(), ines.ID, all[0].CredentialKey); err != nil {
		t.Fatal(err)
	}
	_, err = p.signIn(t, device)
	wantKind(t, "with a passkey that was removed", err, errs.Denied)
	if _, err = p.signIn(t, second); err != nil {
		t.Errorf("with the second one: %v", err)
	}
	wantKind(t, "removing the last one", p.RemoveCredential(t.Context(), ines.ID, all[1].CredentialKey), errs.Conflict)
	want := []string{
		"Ines Calloway invited by Ada Lindqvist", "Ines Calloway joined by Ines Calloway", "Ines Calloway signed in by Ines Calloway",
		"Ines Calloway credential added by Ines Calloway", "Ines Calloway credential removed by Ines Calloway", "Ines Calloway signed in by Ines Calloway",
	}
	if diff := cmp.Diff(want, p.events(t)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// An invitation is used once, whoever is faster, ends, and is replaced.
func TestInvitations(t *testing.T) {
	t.Parallel()
	device := func() *accounttest.Authenticator { return accounttest.New(origin, rand.Reader) }
	t.Run("used twice", func(t *testing.T) {
		t.Parallel()
		p := newPeople(t, nil)
		token := p.invite(t, "Ines Calloway")
		if _, err := p.tryJoin(t, token, device()); err != nil {
			t.Fatal(err)
		}
		_, err := p.tryJoin(t, token, device())
		wantKind(t, "the second time", err, errs.Denied)
	})
	t.Run("by ten at once", func(t *testing.T) {
		t.Parallel()
		p := newPeople(t, nil)
		token := p.invite(t, "Ines Calloway")
		var in atomic.Int64
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				c, err := p.BeginJoin(t.Context(), token, "192.0.2.1")
				if err != nil {
					return
				}
				if _, err := p.FinishJoin(t.Context(), c.Flow, "", device().Create(t, c.Options), "192.0.2.1"); err == nil {
					in.Add(1)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 {
			t.Errorf("%d of ten joined with one invitation", in.Load())
		}
	})
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		p := newPeople(t, nil)
		token := p.invite(t, "Ines Calloway")
		p.forward(account.DefaultValid - time.Second)
		c, err := p.BeginJoin(t.Context(), token, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		p.forward(time.Second) // it ends while the browser asks for a finger
		_, err = p.FinishJoin(t.Context(), c.Flow, "", device().Create(t, c.Options), "192.0.2.1")
		wantKind(t, "after it has expired", err, errs.Denied)
		_, _, err = p.Invited(t.Context(), token, "192.0.2.1")
		wantKind(t, "looking at it", err, errs.Denied)
	})
	t.Run("replaced", func(t *testing.T) {
		t.Parallel()
		p := newPeople(t, nil)
		first := p.invite(t, "Ines Calloway")
		second, err := p.Recover(t.Context(), lead, "ines calloway", 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.tryJoin(t, first, device())
		wantKind(t, "the one that was replaced", err, errs.Denied)
		if _, err := p.tryJoin(t, second, device()); err != nil {
			t.Error(err)
		}
	})
	t.Run("guessed", func(t *testing.T) {
		t.Parallel()
		p := newPeople(t, nil)
		token := p.invite(t, "Ines Calloway")
		for _, other := range []string{"", "x", token + "x", token[1:], strings.ToUpper(token)} {
			_, _, err := p.Invited(t.Context(), other, "192.0.2.1")
			wantKind(t, "a token that is none", err, errs.Denied)
		}
	})
	t.Run("of who was removed", func(t *testing.T) {
		t.Parallel()
		p := newPeople(t, nil)
		token := p.invite(t, "Ines Calloway")
		if err := p.Remove(t.Context(), lead, "Ines Calloway"); err != nil {
			t.Fatal(err)
		}
		_, err := p.tryJoin(t, token, device())
		wantKind(t, "joining", err, errs.Denied)
	})
}

// Recovery takes everything away that there was.
func TestRecover(t *testing.T) {
	t.Parallel()
	p := newPeople(t, nil)
	ines, lost := p.join(t, "Ines Calloway")
	lengths := account.Lengths{Idle: time.Hour, Longest: 8 * time.Hour}
	if err := p.Begin(t.Context(), account.Session{Digest: "d1", Person: ines.ID, Value: []byte("{}")}, lengths); err != nil {
		t.Fatal(err)
	}
	token, err := p.Recover(t.Context(), lead, "Ines Calloway", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := p.Session(t.Context(), "d1", lengths); ok || err != nil {
		t.Errorf("her session goes on: %v", err)
	}
	_, err = p.signIn(t, lost)
	wantKind(t, "with what was lost", err, errs.Denied)
	found := accounttest.New(origin, rand.Reader)
	again, err := p.tryJoin(t, token, found)
	if err != nil || again.ID != ines.ID {
		t.Fatalf("joined again as %+v: %v", again, err)
	}
	if _, err := p.signIn(t, found); err != nil {
		t.Error(err)
	}
	if got := p.events(t); got[2] != "Ines Calloway recovered by Ada Lindqvist" {
		t.Errorf("events %q", got)
	}
}

// What proves nothing lets nobody in.
func TestSignInRefuses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		do   func(*testing.T, *people, *accounttest.Authenticator) error
	}{
		{"another origin", func(t *testing.T, p *people, d *accounttest.Authenticator) error {
			d.Origin = "https://answers.example.evil"
			_, err := p.signIn(t, d)
			return err
		}},
		{"a person who was not verified", func(t *testing.T, p *people, d *accounttest.Authenticator) error {
			d.Unverified = true
			_, err := p.signIn(t, d)
			return err
		}},
		{"another ceremony", func(t *testing.T, p *people, d *accounttest.Authenticator) error {
			d.Type = "webauthn.create"
			_, err := p.signIn(t, d)
			return err
		}},
		{"a copy", func(t *testing.T, p *people, d *accounttest.Authenticator) error {
			copied := d.Copy()
			if _, err := p.signIn(t, d); err != nil {
				t.Fatal(err)
			}
			if _, err := p.signIn(t, d); err != nil {
				t.Fatal(err)
			}
			_, err := p.signIn(t, copied)
			return err
		}},
		{"the answer to another challenge", func(t *testing.T, p *people, d *accounttest.Authenticator) error {
			one, err := p.BeginSignIn(t.Context(), "s")
			if err != nil {
				t.Fatal(err)
			}
			other, err := p.BeginSignIn(t.Context(), "s")
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.FinishSignIn(t.Context(), one.Flow, d.Get(t, other.Options), "s")
			return err
		}},
		{"a changed signature", func(t *testing.T, p *people, d *accounttest.Authenticator) error {
			c, err := p.BeginSignIn(t.Context(), "s")
			if err != nil {
				t.Fatal(err)
			}
			var body map[string]any
			if err := json.Unmarshal(d.Get(t, c.Options), &body); err != nil {
				t.Fatal(err)
			}
			response := body["response"].(map[string]any)
			signature := []byte(response["signature"].(string))
			signature[20] ^= 1
			response["signature"] = string(signature)
			changed, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.FinishSignIn(t.Context(), c.Flow, changed, "s")
			return err
		}},
		{"no JSON", func(t *testing.T, p *people, _ *accounttest.Authenticator) error {
			c, err := p.BeginSignIn(t.Context(), "s")
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.FinishSignIn(t.Context(), c.Flow, []byte("{"), "s")
			return err
		}},
		{"who was removed", func(t *testing.T, p *people, d *accounttest.Authenticator) error {
			if err := p.Remove(t.Context(), lead, "Ines Calloway"); err != nil {
				t.Fatal(err)
			}
			_, err := p.signIn(t, d)
			return err
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPeople(t, nil)
			_, device := p.join(t, "Ines Calloway")
			before := len(p.events(t))
			wantKind(t, row.name, row.do(t, p, device), errs.Denied)
			for _, line := range p.events(t)[before:] {
				if row.name != "a copy" && strings.Contains(line, "signed in") {
					t.Errorf("kept as %q", line)
				}
			}
			if events := p.events(t); row.name == "a copy" && events[len(events)-1] != "Ines Calloway copied passkey refused by Ines Calloway" {
				t.Errorf("a copy leaves no trace: %q", events)
			}
		})
	}
}

// A ceremony is answered once, in time, and for what it was begun for.
func TestCeremonies(t *testing.T) {
	t.Parallel()
	p := newPeople(t, nil)
	ines, device := p.join(t, "Ines Calloway")
	begin := func() account.Ceremony {
		t.Helper()
		c, err := p.BeginSignIn(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := begin()
	answer := device.Get(t, c.Options)
	if _, err := p.FinishSignIn(t.Context(), c.Flow, answer, "s"); err != nil {
		t.Fatal(err)
	}
	_, err := p.FinishSignIn(t.Context(), c.Flow, answer, "s")
	wantKind(t, "the same answer again", err, errs.Conflict)
	c = begin()
	answer = device.Get(t, c.Options)
	p.forward(5 * time.Minute)
	_, err = p.FinishSignIn(t.Context(), c.Flow, answer, "s")
	wantKind(t, "too late", err, errs.Conflict)
	c = begin()
	_, _, err = p.FinishAssertion(t.Context(), ines.ID, c.Flow, device.Get(t, c.Options), "s")
	wantKind(t, "for something else", err, errs.Conflict)
	_, err = p.FinishSignIn(t.Context(), "never begun", answer, "s")
	wantKind(t, "never begun", err, errs.Conflict)
}

// Roles and names are checked before anybody is kept.
func TestInviteRefuses(t *testing.T) {
	t.Parallel()
	p := newPeople(t, nil)
	p.invite(t, "Ines Calloway")
	rows := []struct {
		name string
		who  account.Invitee
		kind errs.Kind
	}{
		{"no name", account.Invitee{Grants: clerk("north")}, errs.Invalid},
		{"a name that hides something", account.Invitee{Name: "Ines\u202e", Grants: clerk("north")}, errs.Invalid},
		{"the same name", account.Invitee{Name: "INES CALLOWAY", Grants: clerk("north")}, errs.Conflict},
		{"no role", account.Invitee{Name: "Bo"}, errs.Invalid},
		{"an unknown role", account.Invitee{Name: "Bo", Grants: []account.Grant{{Role: "king"}}}, errs.Invalid},
		{"a role without its limit", account.Invitee{Name: "Bo", Grants: clerk()}, errs.Invalid},
		{"a limit of no role", account.Invitee{Name: "Bo", Grants: []account.Grant{{Role: "chief", Of: []string{"north"}}}}, errs.Invalid},
		{"a role twice", account.Invitee{Name: "Bo", Grants: append(clerk("a"), clerk("b")...)}, errs.Invalid},
		{"an id that is none", account.Invitee{Name: "Bo", Grants: clerk("a b")}, errs.Invalid},
		{"for ever", account.Invitee{Name: "Bo", Grants: clerk("a"), Valid: account.MaxValid + 1}, errs.Invalid},
	}
	for _, row := range rows {
		_, err := p.Invite(t.Context(), lead, row.who)
		wantKind(t, row.name, err, row.kind)
	}
	if err := p.Remove(t.Context(), lead, "Ines Calloway"); err != nil {
		t.Fatal(err)
	}
	_, err := p.Invite(t.Context(), lead, account.Invitee{Name: "Ines Calloway", Grants: clerk("north")})
	wantKind(t, "the name of somebody who was here", err, errs.Conflict)
	wantKind(t, "removing twice", p.Remove(t.Context(), lead, "Ines Calloway"), errs.NotFound)
	all, err := p.People(t.Context())
	if err != nil || len(all) != 1 {
		t.Errorf("%d people are kept: %v", len(all), err)
	}
}
