package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster/internal/doctest"
)

// The key ceremony works as its document says, typed from top to bottom; the
// test is whoever carries the files. Nothing that is secret shows up anywhere.
func TestCeremonyDocument(t *testing.T) {
	src, err := os.ReadFile("../../docs/ops/ceremony.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	var printed bytes.Buffer
	var digest string
	ran := 0
	for _, b := range doctest.Blocks("ceremony.md", src) {
		for _, c := range b.Commands() {
			ran++
			mail(t, "ostmere")
			mail(t, "calverra")
			args := slices.Clone(c.Args[1:])
			if at := slices.Index(args, "DIGEST"); at >= 0 {
				args[at] = digest
			}
			if slices.Contains(args, "members.csv") {
				enrol(t, &printed)
			}
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
			want := 0
			if slices.Contains(args, "show") && slices.Contains(args, "--members") {
				want = 3 // the charter before all have signed
			}
			if code != want {
				t.Fatalf("%s:%d: %s: exit code %d, want %d\n%s", c.File, c.Line, c.Text, code, want, &stderr)
			}
			if found := hexDigest.FindString(stdout.String()); slices.Contains(args, "finish") {
				if digest != "" && found != digest {
					t.Errorf("%s:%d: the hosts have two seeds", c.File, c.Line)
				}
				digest = found
			}
			for command, file := range map[string]string{"ledger": "ledger.key", "witness": filepath.Join("from-ostmere", "witness.key")} {
				if args[0] == command { // the line that is printed travels
					check(t, os.WriteFile(file, stdout.Bytes(), 0o644))
				}
			}
			printed.Write(stdout.Bytes())
			printed.Write(stderr.Bytes())
		}
	}
	if ran < 16 {
		t.Errorf("%d commands were run", ran)
	}
	// Two hosts with six secrets, the coordinator's three, ten members' keys, two of ledger and witness each.
	if n := noSecretsIn(t, ".", printed.String()); n != 2*6+3+10+2*2 {
		t.Errorf("%d secrets were looked for", n)
	}
}

// mail puts what a host has to send where the others look for it.
func mail(t *testing.T, host string) {
	t.Helper()
	for _, name := range []string{"host-card.json", "commitment.json", "reveal.json"} {
		for _, file := range []string{name, name + ".sig"} {
			body, err := os.ReadFile(filepath.Join(host, file))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll("from-"+host, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join("from-"+host, file), body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// enrol makes the members' keys and the coordinator's file of them.
func enrol(t *testing.T, printed *bytes.Buffer) {
	t.Helper()
	text := "member,key\n"
	for _, name := range []string{"Ostmere", "Calverra", "c", "d", "e", "f", "g", "h", "i", "j"} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{"submit", "init", strings.ToLower(name) + "-member", "--member", name}, strings.NewReader(""), &stdout, &stderr); code != 0 {
			t.Fatal(stderr.String())
		}
		text += stdout.String()
		printed.Write(stderr.Bytes())
	}
	if err := os.WriteFile("members.csv", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// noSecretsIn looks for what is in any folder of keys in everything else: in what
// was printed and in every other file, as it is and in the other encodings in
// which a secret of 32 bytes may appear.
func noSecretsIn(t *testing.T, dir, printed string) (looked int) {
	t.Helper()
	secrets := make(map[string]string)
	public := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if filepath.Base(filepath.Dir(path)) == "keys" && filepath.Base(path) != "tls.crt" {
			secrets[path] = string(body)
		} else {
			public[path] = string(body)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	public["the output"] = printed
	for path, secret := range secrets {
		control := false // the search finds the secret where it is
		for _, form := range secretForms(t, path, secret) {
			control = control || strings.Contains(secret, form)
			for name, text := range public {
				if strings.Contains(text, form) {
					t.Errorf("%s holds the secret of %s", name, path)
				}
			}
		}
		if !control {
			t.Errorf("%s: the search does not find the secret in its own file", path)
		}
	}
	return len(secrets)
}

// secretForms returns the texts that would give a secret away: the bytes of a
// key file's private part in hex, base64 and base64url, without their first and
// last few characters, where encodings of longer texts differ.
func secretForms(t *testing.T, path, text string) []string {
	t.Helper()
	fields := strings.Fields(text)
	encoded := fields[len(fields)-1]
	switch filepath.Base(path) {
	case "signing.key":
		encoded = strings.SplitN(strings.TrimSpace(text), "+", 5)[4] // PRIVATE+KEY+NAME+HASH+KEY
	case "tls.key":
		encoded = strings.Join(fields[3:len(fields)-3], "")
	}
	var secret []byte
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		if b, err := encoding.DecodeString(encoded); err == nil {
			secret = b
		}
	}
	if len(secret) < 32 {
		t.Fatalf("%s: the secret was not found", path)
	}
	secret = secret[len(secret)-32:]
	var forms []string
	for shift := range 3 { // base64 of the same bytes at another place looks different
		padded := append(make([]byte, shift), secret...)
		forms = append(forms, base64.RawStdEncoding.EncodeToString(padded)[4:40], base64.RawURLEncoding.EncodeToString(padded)[4:40])
	}
	return append(forms, hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), string(secret))
}
