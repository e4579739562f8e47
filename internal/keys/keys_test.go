package keys_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"muster/internal/errs"
	"muster/internal/keys"
)

func newRand(name string) *rand.ChaCha8 {
	var seed [32]byte
	copy(seed[:], name)
	return rand.NewChaCha8(seed)
}

func newSigner(t *testing.T, name string) *keys.Signer {
	t.Helper()
	s, err := keys.Generate(newRand(name), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerify(t *testing.T) {
	t.Parallel()
	a, b, c := newSigner(t, "Ostmark Bay"), newSigner(t, "A+B"), newSigner(t, "c")
	body := []byte(`{"count":3}`)
	sig, err := keys.Sign(keys.KindRoster, body, a)
	if err != nil {
		t.Fatal(err)
	}
	both, err := keys.Cosign(keys.KindRoster, body, sig, b)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(both)
	flipped[len(flipped)-10] ^= 1
	rows := []struct {
		name     string
		kind     keys.Kind
		body     []byte
		sig      []byte
		required []keys.Public
		wantErr  string
	}{
		{"one signer", keys.KindRoster, body, sig, []keys.Public{a.Public()}, ""},
		{"both signers", keys.KindRoster, body, both, []keys.Public{a.Public(), b.Public()}, ""},
		{"order does not matter", keys.KindRoster, body, both, []keys.Public{b.Public(), a.Public()}, ""},
		{"one of two missing", keys.KindRoster, body, sig, []keys.Public{a.Public(), b.Public()}, "not signed by A+B"},
		{"a stranger whose name turns the line", keys.KindRoster, body, both, []keys.Public{newSigner(t, "x\u202ey").Public()}, "not signed by x%E2%80%AEy"},
		{"a stranger", keys.KindRoster, body, both, []keys.Public{c.Public()}, "not signed by c"},
		{"another kind", keys.KindCharter, body, both, []keys.Public{a.Public()}, "not about this charter"},
		{"another body", keys.KindRoster, []byte(`{"count":4}`), both, []keys.Public{a.Public()}, "not about this roster"},
		{"a flipped bit", keys.KindRoster, body, flipped, []keys.Public{a.Public(), b.Public()}, "not signed by"},
		{"an empty note", keys.KindRoster, body, nil, []keys.Public{a.Public()}, "not signed by"},
		{"a huge note", keys.KindRoster, body, bytes.Repeat([]byte("x"), 1<<20), []keys.Public{a.Public()}, "1048576 bytes"},
		{"nobody required", keys.KindRoster, body, both, nil, "nobody is required"},
		{"a broken key", keys.KindRoster, body, both, []keys.Public{"x+y"}, "not a public key"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			err := keys.Verify(row.kind, row.body, row.sig, row.required...)
			switch {
			case row.wantErr == "" && err != nil:
				t.Fatalf("unexpected: %v", err)
			case row.wantErr != "" && (err == nil || !strings.Contains(err.Error(), row.wantErr)):
				t.Fatalf("got %v, want %q", err, row.wantErr)
			}
		})
	}
}

func TestEveryFlippedByteIsFound(t *testing.T) {
	t.Parallel()
	a := newSigner(t, "a")
	body := []byte(`{"count":3}`)
	sig, err := keys.Sign(keys.KindRoster, body, a)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sig {
		flipped := bytes.Clone(sig)
		flipped[i] ^= 0x01
		if keys.Verify(keys.KindRoster, body, flipped, a.Public()) == nil {
			t.Errorf("byte %d of the note can be changed", i)
		}
	}
}

func TestCosignRefusesAnotherFile(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t, "a"), newSigner(t, "b")
	sig, err := keys.Sign(keys.KindRoster, []byte("1"), a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Cosign(keys.KindRoster, []byte("2"), sig, b); err == nil {
		t.Fatal("cosigned a note about another file")
	}
}

func TestSignerNeverPrintsItsKey(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "a")
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("key", "signer", s)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", s, s, s, s), logged.String()} {
		if strings.Contains(text, "PRIVATE") || !strings.Contains(text, string(s.Public())) {
			t.Errorf("a signer printed as %s", text)
		}
	}
}

func TestPublicCheck(t *testing.T) {
	t.Parallel()
	if err := newSigner(t, "a").Public().Check(); err != nil {
		t.Error(err)
	}
	if err := keys.Public("a+00000000+AAAA").Check(); errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v, want an error of kind invalid", err)
	}
}

func TestDecodeCanonical(t *testing.T) {
	t.Parallel()
	type doc struct {
		A string `json:"a"`
		B int    `json:"b"`
	}
	rows := []struct {
		name, in string
		want     error // nil, ErrNotCanonical, or any other for "some error"
	}{
		{"canonical", `{"a":"é<&>","b":2}`, nil},
		{"white space", `{"a": "x","b":2}`, keys.ErrNotCanonical},
		{"key order", `{"b":2,"a":"x"}`, keys.ErrNotCanonical},
		{"repeated key", `{"a":"y","a":"x","b":2}`, keys.ErrNotCanonical},
		{"needless escape", `{"a":"\u0041","b":2}`, keys.ErrNotCanonical},
		{"number form", `{"a":"x","b":2e0}`, errors.New("")},
		{"unknown key", `{"a":"x","b":2,"c":3}`, errors.New("")},
		{"trailing", `{"a":"x","b":2}{}`, errors.New("")},
		{"trailing newline", "{\"a\":\"x\",\"b\":2}\n", keys.ErrNotCanonical},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var d doc
			err := keys.DecodeCanonical([]byte(row.in), &d)
			if (err == nil) != (row.want == nil) {
				t.Fatalf("got %v", err)
			}
			if errors.Is(row.want, keys.ErrNotCanonical) && !errors.Is(err, keys.ErrNotCanonical) {
				t.Fatalf("got %v, want ErrNotCanonical", err)
			}
		})
	}
}

// A signature and a key have one form each, or a signed file could be changed,
// and one key be listed twice, without anybody seeing it.
func TestOneForm(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	body := []byte("{}")
	sig, err := keys.Sign(keys.KindRoster, body, signer)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(sig, '=') - 1
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for _, digit := range digits {
		changed := bytes.Clone(sig)
		changed[last] = byte(digit)
		err := keys.Verify(keys.KindRoster, body, changed, signer.Public())
		if same := byte(digit) == sig[last]; (err == nil) != same {
			t.Errorf("with %c as the last digit in place of %c: %v", digit, sig[last], err)
		}
	}

	p := signer.Public()
	name, rest, _ := strings.Cut(string(p), "+")
	hash, key, _ := strings.Cut(rest, "+")
	for what, other := range map[string]keys.Public{
		"line end in the key":    keys.Public(name + "+" + hash + "+" + key[:10] + "\n" + key[10:]),
		"line end behind":        p + "\n",
		"carriage return behind": p + "\r",
		"hash in capitals":       keys.Public(name + "+" + strings.ToUpper(hash) + "+" + key),
		"hash with a sign":       keys.Public(name + "+0x" + hash[2:] + "+" + key),
		"another name":           keys.Public("other+" + hash + "+" + key),
	} {
		if other != p && other.Check() == nil {
			t.Errorf("%s: %q is a public key as well as %q", what, other, p)
		}
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t, "a").Public(), newSigner(t, "b").Public()
	renamed, err := keys.Generate(newRand("a"), "another name for a")
	if err != nil {
		t.Fatal(err)
	}
	if !a.Same(renamed.Public()) || a == renamed.Public() {
		t.Errorf("%s and %s are not the same key under two names", a, renamed.Public())
	}
	if a.Same(b) {
		t.Errorf("%s and %s are the same key", a, b)
	}
}

func TestCanonicalRefusesWhatIsNotUTF8(t *testing.T) {
	t.Parallel()
	type document struct{ Text string }
	for _, text := range []string{"\xff", "a\xc3", "\xed\xa0\x80", "\\\xff", "\\\\\xff"} {
		if b, err := keys.Canonical(document{text}); err == nil {
			t.Errorf("%q became %s", text, b)
		}
		if b, err := keys.Canonical(map[string]int{text: 1}); err == nil {
			t.Errorf("the key %q became %s", text, b)
		}
	}
	for _, text := range []string{"\ufffd", `\ufffd`, `\\ufffd`, "\\\ufffd", "ufffd"} {
		b, err := keys.Canonical(document{text})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var back document
		if err := keys.DecodeCanonical(b, &back); err != nil || back.Text != text {
			t.Errorf("%q came back as %q, %v", text, back.Text, err)
		}
	}
}

func TestParseSigner(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "Ostmark Bay")
	again, err := keys.ParseSigner(s.Private())
	if err != nil {
		t.Fatal(err)
	}
	if again.Public() != s.Public() || again.Private() != s.Private() {
		t.Errorf("got %v, want %v", again, s)
	}
	body := []byte("{}")
	sig, err := keys.Sign(keys.KindHostCard, body, again)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Verify(keys.KindHostCard, body, sig, s.Public()); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"nothing": "", "a public key": string(s.Public()), "a line end": s.Private() + "\n", "cut": s.Private()[:len(s.Private())-4],
		"another name": strings.Replace(s.Private(), "Ostmark", "Westmark", 1),
	} {
		_, err := keys.ParseSigner(text)
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if key := s.Private()[len(s.Private())-20:]; strings.Contains(fmt.Sprintf("%+v", err), key) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
	for _, text := range []string{fmt.Sprintf("%+v", struct{ s *keys.Signer }{s}), fmt.Sprintf("%#v", *s)} {
		if strings.Contains(text, "PRIVATE") {
			t.Errorf("a signer printed as %s", text)
		}
	}
}

// The digest is compared with FIPS 180-2, appendix B.1.
func TestDigest(t *testing.T) {
	t.Parallel()
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := keys.Digest([]byte("abc")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
