package cli_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/account/accounttest"
	"muster/internal/cli"
	"muster/internal/keys"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// What a passkey signed is checked by whoever has the two files.
func TestSignoffVerify(t *testing.T) {
	t.Parallel()
	statement, err := keys.Canonical(workspace.PasskeyStatement{
		Kind: workspace.PasskeyApprovalKind, Member: "Ostmere", Cycle: "2031", Step: "head", Digest: strings.Repeat("ab", 32), By: "Mira Oduya", Time: 1_930_000_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "step-1.json")
	put := func(name string, body []byte) {
		t.Helper()
		if err := os.WriteFile(name, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(file, statement)
	put(file+".passkey", passkeyOver(t, statement))
	verify := func() (int, string) {
		var out, said bytes.Buffer
		code := cli.Run(t.Context(), []string{"workspace", "signoff", "verify", file}, cli.Env{Out: &out, Err: &said, Rand: rand.Reader, Now: time.Now, Getenv: func(string) string { return "" }})
		return code, out.String() + said.String()
	}
	if code, said := verify(); code != 0 || !strings.Contains(said, "by Mira Oduya") || !strings.Contains(said, strings.Repeat("ab", 32)) || !strings.Contains(said, `passkey "laptop" of answers.example`) {
		t.Errorf("%d %s", code, said)
	}
	put(file, bytes.Replace(statement, []byte("head"), []byte("tail"), 1))
	if code, said := verify(); code != 2 || !strings.Contains(said, "the passkey's signature is not one over this") {
		t.Errorf("another step: %d %s", code, said)
	}
	put(file, statement)
	put(file+".passkey", passkeyOver(t, []byte("something else")))
	if code, said := verify(); code != 2 || strings.Contains(said, "by Mira") {
		t.Errorf("over something else: %d %s", code, said)
	}
	put(file+".passkey", []byte("no JSON"))
	if code, said := verify(); code != 2 || !strings.Contains(said, "is no signature of a passkey") {
		t.Errorf("no signature: %d %s", code, said)
	}
}

// passkeyOver returns what a passkey of somebody signed over a text.
func passkeyOver(t *testing.T, text []byte) []byte {
	t.Helper()
	ctx := t.Context()
	people, err := account.New(account.Config{
		Store: workspacetest.New(t).DB.Accounts(), Now: time.Now, Rand: rand.Reader, Roles: workspace.AccountRoles(),
		Site: account.Site{Name: "Ostmere", Host: "answers.example", Origin: "https://answers.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := people.Invite(ctx, "Ada Lindqvist", account.Invitee{Name: "Mira Oduya", Grants: []account.Grant{{Role: "reader"}}})
	if err != nil {
		t.Fatal(err)
	}
	device := accounttest.New("https://answers.example", rand.Reader)
	c, err := people.BeginJoin(ctx, token, "here")
	if err != nil {
		t.Fatal(err)
	}
	mira, err := people.FinishJoin(ctx, c.Flow, "laptop", device.Create(t, c.Options), "here")
	if err != nil {
		t.Fatal(err)
	}
	if c, err = people.BeginAssertion(ctx, mira.ID, text); err != nil {
		t.Fatal(err)
	}
	_, signed, err := people.FinishAssertion(ctx, mira.ID, c.Flow, device.Get(t, c.Options), "here")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(signed)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
