package config_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/errs"
)

func newCertificate() (tls.Certificate, error) {
	return daphttp.NewCertificate(daphttp.CertificateConfig{Endpoint: "https://a.example/", Name: "a", Now: time.Now()})
}

// fill makes every file of a key folder.
func fill(t testing.TB, k config.KeyFolder) {
	t.Helper()
	_, err := k.MakeSigner(rand.Reader, "host Ostmere")
	must(t, err)
	_, err = k.MakeHPKE(dap.SuiteMLKEM768X25519, dap.SuiteX25519)
	must(t, err)
	_, err = k.MakeCertificate(newCertificate)
	must(t, err)
	_, err = k.MakeCycleKey(rand.Reader)
	must(t, err)
	_, err = k.MakeSeedPart(rand.Reader)
	must(t, err)
	must(t, k.PutSeed(coalition.Seed{1}))
}

func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	files := make(map[string]string)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		files[e.Name()] = string(b)
	}
	return files
}

func TestKeyFolder(t *testing.T) {
	t.Parallel()
	k := config.KeyFolder{Dir: filepath.Join(t.TempDir(), "keys")}
	fill(t, k)
	before := snapshot(t, k.Dir)
	names := []string{"cycle.key", "hpke.key", "seed", "seed-part", "signing.key", "tls.crt", "tls.key"}
	for name := range before {
		if !slices.Contains(names, name) {
			t.Errorf("%s is left over", name)
		}
		info, err := os.Stat(filepath.Join(k.Dir, name))
		must(t, err)
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if len(before) != len(names) {
		t.Errorf("got %d files", len(before))
	}
	// Made again, nothing changes, and what is read is what was made.
	fill(t, k)
	for name, body := range snapshot(t, k.Dir) {
		if before[name] != body {
			t.Errorf("%s was replaced", name)
		}
	}
	signer, err := k.Signer()
	must(t, err)
	if !strings.HasPrefix(string(signer.Public()), "host%20Ostmere+") {
		t.Errorf("got %s", signer)
	}
	pairs, err := k.HPKE()
	must(t, err)
	if suite, ok := pairs[0].Config().Suite(); len(pairs) != 2 || !ok || suite != dap.SuiteMLKEM768X25519 || pairs[0].Config().ID == pairs[1].Config().ID {
		t.Errorf("got %v", pairs)
	}
	cert, err := k.Certificate()
	must(t, err)
	if cert.Leaf == nil || coalition.Pin(cert.Leaf.RawSubjectPublicKeyInfo) != daphttp.PinOf(cert.Leaf).String() {
		t.Error("the certificate has no pin")
	}
	seed, err := k.Seed()
	must(t, err)
	if seed != (coalition.Seed{1}) {
		t.Error("another seed came back")
	}
	if err := k.PutSeed(coalition.Seed{2}); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a second seed: %v", err)
	}
	cycle, err := k.CycleKey()
	must(t, err)
	part, err := k.SeedPart()
	must(t, err)
	if cycle == ([32]byte{}) || part == (coalition.SeedPart{}) || cycle == [32]byte(part) {
		t.Error("a secret was not drawn")
	}
}

// readers are what a program calls to have a secret, by file.
func readers(k config.KeyFolder) map[string]func() error {
	return map[string]func() error{
		"signing.key": func() error { _, err := k.Signer(); return err },
		"hpke.key":    func() error { _, err := k.HPKE(); return err },
		"tls.key":     func() error { _, err := k.Certificate(); return err },
		"tls.crt":     func() error { _, err := k.Certificate(); return err },
		"cycle.key":   func() error { _, err := k.CycleKey(); return err },
		"seed-part":   func() error { _, err := k.SeedPart(); return err },
		"seed":        func() error { _, err := k.Seed(); return err },
	}
}

// Every file that is missing, cut, changed or another's is refused by name, is
// not made anew, and is not shown.
func TestBrokenSecrets(t *testing.T) {
	t.Parallel()
	k := config.KeyFolder{Dir: filepath.Join(t.TempDir(), "keys")}
	fill(t, k)
	whole := snapshot(t, k.Dir)
	for name, read := range readers(k) {
		path := filepath.Join(k.Dir, name)
		for what, body := range map[string]string{
			"empty": "", "cut": whole[name][:len(whole[name])/2], "with another's text": "canary-9731\n" + whole[name], "longer": whole[name] + "canary-9731",
			"large": strings.Repeat("canary-9731", 10_000),
		} {
			if (name == "tls.crt" || name == "tls.key") && (what == "longer" || what == "with another's text") {
				continue // PEM has text around its blocks
			}
			must(t, os.WriteFile(path, []byte(body), 0o600))
			err := read()
			if errs.KindOf(err) != errs.Invalid {
				t.Errorf("%s %s: got %v", name, what, err)
			}
			shown := fmt.Sprintf("%v %+v", err, errs.Describe(err))
			if strings.Contains(shown, "canary-9731") || (what == "cut" && name != "tls.crt" && leaks(shown, whole[name])) {
				t.Errorf("%s %s: the error shows the file: %s", name, what, shown)
			}
		}
		must(t, os.WriteFile(path, []byte(whole[name]), 0o600))
		must(t, os.Remove(path))
		if err := read(); errs.KindOf(err) != errs.NotFound || !strings.Contains(err.Error(), name) {
			t.Errorf("no %s: got %v", name, err)
		}
		must(t, os.WriteFile(path, []byte(whole[name]), 0o600))
	}
	must(t, os.WriteFile(filepath.Join(k.Dir, "cycle.key"), []byte("x"), 0o600))
	if _, err := k.MakeCycleKey(rand.Reader); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a broken key was passed over: %v", err)
	}
}

// leaks reports whether text holds twelve characters in a row of what follows
// the first line of a secret.
func leaks(text, secret string) bool {
	_, secret, _ = strings.Cut(secret, "\n")
	for i := 0; i+12 <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+12]) {
			return true
		}
	}
	return false
}

func TestOpenSecretsAreRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are as POSIX has them")
	}
	k := config.KeyFolder{Dir: filepath.Join(t.TempDir(), "keys")}
	fill(t, k)
	for name, read := range readers(k) {
		if name == "tls.crt" {
			continue // public
		}
		path := filepath.Join(k.Dir, name)
		for _, mode := range []os.FileMode{0o604, 0o640, 0o620, 0o644} {
			must(t, os.Chmod(path, mode))
			err := read()
			if d := errs.Describe(err); d.Kind != errs.Invalid || !strings.Contains(d.Message, name) || !strings.Contains(d.Hint, "chmod 600 "+path) {
				t.Errorf("%s with mode %o: %v", name, mode, err)
			}
		}
		must(t, os.Chmod(path, 0o400))
		must(t, read())
		must(t, os.Chmod(path, 0o600))
	}
}

// A command that dies between the two files of a TLS key is repeated.
func TestInterruptedCertificate(t *testing.T) {
	t.Parallel()
	k := config.KeyFolder{Dir: filepath.Join(t.TempDir(), "keys")}
	first, err := k.MakeCertificate(newCertificate)
	must(t, err)
	must(t, os.Remove(filepath.Join(k.Dir, "tls.key")))
	second, err := k.MakeCertificate(newCertificate)
	must(t, err)
	if bytes.Equal(first.Certificate[0], second.Certificate[0]) {
		t.Error("a key without its file lives on")
	}
	// A key without its certificate is not thrown away.
	must(t, os.Remove(filepath.Join(k.Dir, "tls.crt")))
	if _, err := k.MakeCertificate(newCertificate); errs.KindOf(err) != errs.Conflict {
		t.Errorf("got %v", err)
	}
	other := config.KeyFolder{Dir: filepath.Join(t.TempDir(), "keys")}
	_, err = other.MakeCertificate(newCertificate)
	must(t, err)
	public, err := os.ReadFile(filepath.Join(other.Dir, "tls.crt"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(k.Dir, "tls.crt"), public, 0o600))
	if _, err := k.Certificate(); errs.KindOf(err) != errs.Invalid {
		t.Errorf("another's certificate: %v", err)
	}
}

func TestNothingIsLeftWhenDrawingFails(t *testing.T) {
	t.Parallel()
	k := config.KeyFolder{Dir: filepath.Join(t.TempDir(), "keys")}
	broken := errors.New("no randomness")
	if _, err := k.MakeCycleKey(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := k.MakeSeedPart(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := k.MakeSigner(failing{broken}, "x"); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(k.Dir); err == nil && len(entries) > 0 {
		t.Errorf("left %v", entries)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

var _ io.Reader = failing{}

// Of two who make a key at the same time, both have the one that is kept.
func TestMadeAtTheSameTime(t *testing.T) {
	t.Parallel()
	k := config.KeyFolder{Dir: filepath.Join(t.TempDir(), "keys")}
	keys := make(chan [32]byte, 8)
	for range cap(keys) {
		go func() {
			key, err := k.MakeCycleKey(rand.Reader)
			if err != nil {
				t.Error(err)
			}
			keys <- key
		}()
	}
	first := <-keys
	for range cap(keys) - 1 {
		if key := <-keys; key != first {
			t.Fatal("two keys were made")
		}
	}
}

// TestDestroyCycle: what opens submissions is gone, in the file's own place too,
// and what a host is known by stays. It may be called again.
func TestDestroyCycle(t *testing.T) {
	t.Parallel()
	k := config.KeyFolder{Dir: filepath.Join(t.TempDir(), "keys")}
	fill(t, k)
	before := snapshot(t, k.Dir)
	// A second name of a file shows what stands where it stood.
	for name := range before {
		must(t, os.Link(filepath.Join(k.Dir, name), filepath.Join(k.Dir, "..", name)))
	}
	destroyed, err := k.DestroyCycle()
	must(t, err)
	if want := []string{"hpke.key", "cycle.key", "seed", "seed-part"}; !slices.Equal(destroyed, want) {
		t.Errorf("destroyed %v, want %v", destroyed, want)
	}
	left := snapshot(t, k.Dir)
	for name, body := range before {
		where, err := os.ReadFile(filepath.Join(k.Dir, "..", name))
		must(t, err)
		kept, ok := left[name]
		switch {
		case slices.Contains(destroyed, name):
			if ok || len(where) != len(body) || strings.Trim(string(where), "\x00") != "" {
				t.Errorf("%s: there %t, and where it stood %q", name, ok, where)
			}
		case kept != body || string(where) != body:
			t.Errorf("%s was changed", name)
		}
	}
	if destroyed, err := k.DestroyCycle(); err != nil || len(destroyed) != 0 {
		t.Errorf("again: %v, %v", destroyed, err)
	}
	if _, err := (config.KeyFolder{Dir: filepath.Join(t.TempDir(), "nothing")}).DestroyCycle(); err != nil {
		t.Errorf("of no folder: %v", err)
	}
}
