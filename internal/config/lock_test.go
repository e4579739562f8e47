package config_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"muster/internal/config"
	"muster/internal/errs"
)

// keyFile writes an age key file for a test.
func keyFile(t *testing.T, identities ...any) string {
	t.Helper()
	var text strings.Builder
	for _, identity := range identities {
		switch i := identity.(type) {
		case *age.X25519Identity:
			text.WriteString(i.String() + "\n")
		case *age.HybridIdentity:
			text.WriteString(i.String() + "\n")
		}
	}
	path := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWorkspaceKey(t *testing.T) {
	t.Parallel()
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	lockOf := func(path string) config.Lock {
		lock, err := config.IdentityFileLock(path)
		if err != nil {
			t.Fatal(err)
		}
		return lock
	}
	passphrase, err := config.PassphraseLock("six words by chance, for instance")
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := config.PassphraseLock("six other words, and as long")
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ lock, other config.Lock }{
		"a passphrase":   {passphrase, wrong},
		"a key file":     {lockOf(keyFile(t, classic)), lockOf(keyFile(t, other))},
		"a hybrid one":   {lockOf(keyFile(t, hybrid)), lockOf(keyFile(t, other))},
		"a key, in vain": {lockOf(keyFile(t, classic)), passphrase},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := config.Workspace{Dir: filepath.Join(t.TempDir(), "new")}
			_, err := w.Key(row.lock)
			if errs.KindOf(err) != errs.NotFound {
				t.Errorf("there is no key yet: %v", err)
			}
			key, err := w.MakeKey(rand.Reader, row.lock)
			if err != nil {
				t.Fatal(err)
			}
			if key == [config.WorkspaceKeySize]byte{} {
				t.Error("the key is nothing")
			}
			again, err := w.MakeKey(strings.NewReader(""), row.lock)
			if err != nil || again != key {
				t.Errorf("made again: %v, same: %v", err, again == key)
			}
			if _, err := w.Key(row.other); errs.KindOf(err) != errs.Denied {
				t.Errorf("another lock: %v", err)
			}
			if _, err := w.MakeKey(rand.Reader, row.other); errs.KindOf(err) != errs.Denied {
				t.Errorf("made with another lock: %v", err)
			}
			path := filepath.Join(w.Dir, config.WorkspaceKey)
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(body, []byte("age-encryption.org/v1\n")) || bytes.Contains(body, key[:8]) || bytes.Contains(body, []byte("muster workspace key")) {
				t.Error("the file is not what age makes, or holds the key in clear")
			}
			// A changed file is no key, and nothing is made in its place.
			body[len(body)-1]++
			if err := os.WriteFile(path, body, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := w.MakeKey(rand.Reader, row.lock); err == nil {
				t.Error("a changed file gives a key")
			}
		})
	}
}

func TestWorkspaceKeyMissing(t *testing.T) {
	t.Parallel()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := config.IdentityFileLock(keyFile(t, identity))
	if err != nil {
		t.Fatal(err)
	}
	w := config.Workspace{Dir: t.TempDir()}
	if err := os.WriteFile(w.Database(), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.MakeKey(rand.Reader, lock); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a key for a database that it cannot open: %v", err)
	}
	// What is locked is no key.
	var locked bytes.Buffer
	out, err := lock.Encrypt(&locked)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(out, "muster workspace key v1\nAAAA\n")
	if err := errors.Join(err, out.Close(), os.WriteFile(filepath.Join(w.Dir, config.WorkspaceKey), locked.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Key(lock); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a key of three bytes: %v", err)
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	secret := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, row := range map[string]struct {
		make func() (config.Lock, error)
		kind errs.Kind
	}{
		"a short passphrase":      {func() (config.Lock, error) { return config.PassphraseLock("short-and-easy") }, errs.Invalid},
		"one in a file":           {func() (config.Lock, error) { return config.PassphraseFileLock(secret("short-and-easy\n")) }, errs.Invalid},
		"no file":                 {func() (config.Lock, error) { return config.PassphraseFileLock(filepath.Join(t.TempDir(), "none")) }, errs.NotFound},
		"no key file":             {func() (config.Lock, error) { return config.IdentityFileLock(filepath.Join(t.TempDir(), "none")) }, errs.NotFound},
		"a key file without one":  {func() (config.Lock, error) { return config.IdentityFileLock(secret("# short-and-easy\n")) }, errs.Invalid},
		"a key file of something": {func() (config.Lock, error) { return config.IdentityFileLock(secret("short-and-easy\n")) }, errs.Invalid},
	} {
		_, err := row.make()
		if errs.KindOf(err) != row.kind || strings.Contains(err.Error(), "short-and-easy") {
			t.Errorf("%s: %v, want kind %v", name, err, row.kind)
		}
	}
}
