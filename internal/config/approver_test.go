package config_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
)

// An approver's key opens with its lock alone, holds nothing in clear, and no error
// quotes it.
func TestApproverKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lockOf := func(name string) config.Lock {
		t.Helper()
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(identity.String()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		lock, err := config.IdentityFileLock(path)
		if err != nil {
			t.Fatal(err)
		}
		return lock
	}
	lock, other := lockOf("own"), lockOf("other")
	signer, err := keys.Generate(rand.Reader, "Hedda Lind")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "hedda.key")
	if err := config.CreateApproverKey(path, lock, signer); err != nil {
		t.Fatal(err)
	}
	if err := config.CreateApproverKey(path, lock, signer); errs.KindOf(err) != errs.Conflict {
		t.Errorf("replaced: %v", err)
	}
	again, err := config.ApproverKey(path, lock)
	if err != nil {
		t.Fatal(err)
	}
	if again.Public() != signer.Public() {
		t.Errorf("opened %s, want %s", again.Public(), signer.Public())
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(body, []byte("PRIVATE")) || bytes.Contains(body, []byte("Hedda")) {
		t.Error("the file holds the key in clear")
	}
	secret := strings.Split(signer.Private(), "+")[4]
	sealed := func(name, text string) string {
		t.Helper()
		var b bytes.Buffer
		w, err := lock.Encrypt(&b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		place := filepath.Join(dir, name)
		if err := os.WriteFile(place, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return place
	}
	changed := bytes.Clone(body)
	changed[len(changed)-1] ^= 1
	if err := os.WriteFile(filepath.Join(dir, "changed"), changed, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, path string
		lock       config.Lock
		want       errs.Kind
	}{
		{"another lock", path, other, errs.Denied},
		{"none", filepath.Join(dir, "none"), lock, errs.NotFound},
		{"changed", filepath.Join(dir, "changed"), lock, errs.Invalid},
		{"another format", sealed("format", "muster something v1\n"+signer.Private()+"\n"), lock, errs.Invalid},
		{"no key", sealed("nokey", "muster approver key v1\n"+secret+"\n"), lock, errs.Invalid},
		{"not locked", filepath.Join(dir, "own"), lock, errs.Denied},
	} {
		_, err := config.ApproverKey(row.path, row.lock)
		if errs.KindOf(err) != row.want {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds the key", row.name)
		}
	}
}
