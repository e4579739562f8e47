package framework_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/gowebpki/jcs"

	"muster/internal/errs"
	"muster/internal/framework"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; rewrite with -update):\n%s", file, diff)
	}
}

// TestCanonicalGolden fixes the digest: a change here makes every pack another.
func TestCanonicalGolden(t *testing.T) {
	t.Parallel()
	p := harbour(t)
	golden(t, "harbour.canonical.json", p.Canonical())
	const want = "88fe8834aa1585ff03f070f71b64ba2caaf75a532c865e628de279005ffcb2af"
	if got := hex.EncodeToString(p.Digest[:]); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

// TestCanonicalIsRFC8785 holds our writer of canonical JSON against a library's.
func TestCanonicalIsRFC8785(t *testing.T) {
	t.Parallel()
	awkward := *harbour(t)
	awkward.Title = framework.Text{"en": "\"quoted\\\" \b\t\n\f\r\x00\x1f\x7f é \u2028 <&> \U0001F6A2", "fr": ""}
	awkward.Areas = append([]framework.Area{}, awkward.Areas...)
	awkward.Crosswalks = map[string]framework.Crosswalk{"b": {Title: "B"}, "a-b": {Title: "AB"}, "a": {Title: "A"}, "a1": {}}
	awkward.AnsweredBy, awkward.Audience = framework.ByCoordinator, "public"
	awkward.BeginWith = []string{"B1.1", "A1.2"}
	awkward.Areas[0].Outcomes = slices.Clone(awkward.Areas[0].Outcomes)
	awkward.Areas[0].Outcomes[0].Descriptors = [framework.Descriptors]framework.Text{}
	for name, p := range map[string]*framework.Pack{"harbour": harbour(t), "awkward": &awkward} {
		var plain bytes.Buffer
		if err := framework.WriteJSON(&plain, p); err != nil {
			t.Fatal(err)
		}
		var content map[string]any
		if err := json.Unmarshal(plain.Bytes(), &content); err != nil {
			t.Fatal(err)
		}
		delete(content, "digest")
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		want, err := jcs.Transform(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(p.Canonical())); diff != "" {
			t.Errorf("%s (-library +ours):\n%s", name, diff)
		}
	}
}

func TestNormalisation(t *testing.T) {
	t.Parallel()
	sound, err := os.ReadFile("testdata/harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := harbour(t)
	for name, edit := range map[string][2]string{
		"decomposed letters":   {"Les lampes elles-mêmes.", "Les lampes elles-me\u0302mes."},
		"escaped letters":      {"fr: Les lampes elles-mêmes.", `fr: "Les lampes elles-m\u00eames."`},
		"escaped decomposed":   {"fr: Les lampes elles-mêmes.", `fr: "Les lampes elles-me\u0302mes."`},
		"two spaces":           {"en: The lamps themselves.", "en: \"The  lamps themselves.\""},
		"spaces at the ends":   {"en: The lamps themselves.", "en: ' The lamps themselves. '"},
		"a longer break":       {"Chaque nuit.\n    outcomes", "\n\n\n        Chaque nuit.\n    outcomes"},
		"line breaks at ends":  {"en: The lamps themselves.", `en: "\nThe lamps themselves.\n\n"`},
		"an escaped line feed": {"en: >-\n        Somebody looks,\n        and looks again.\n\n        Every night.", `en: "Somebody looks, and looks again. \n \n Every night."`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(string(sound), edit[0], edit[1], 1)
			if text == string(sound) {
				t.Fatalf("%q is not in the pack", edit[0])
			}
			got, err := framework.Read("p", strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pack (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a no-break space is text", func(t *testing.T) {
		t.Parallel()
		got, err := framework.Read("p", strings.NewReader(strings.Replace(string(sound), "Les lampes elles", "Les\u00a0lampes elles", 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest == want.Digest {
			t.Error("it leaves the digest")
		}
	})
}

func TestWriteTextGolden(t *testing.T) {
	t.Parallel()
	for lang, file := range map[string]string{"": "harbour.en.txt", "fr": "harbour.fr.txt"} {
		var b bytes.Buffer
		if err := framework.WriteText(&b, harbour(t), lang, 60); err != nil {
			t.Fatal(err)
		}
		golden(t, file, b.Bytes())
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 60 && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, "SHA-256") {
				t.Errorf("%d characters in %q", n, line)
			}
		}
	}
}

func TestWriteTextRefusesLanguage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := framework.WriteText(&b, harbour(t), "de", 80)
	if errs.KindOf(err) != errs.Invalid || b.Len() > 0 {
		t.Errorf("err = %v after %d bytes, want a refusal of kind invalid", err, b.Len())
	}
	if hint := errs.Describe(err).Hint; hint != "allowed: en, fr" {
		t.Errorf("hint %q", hint)
	}
}

func TestWriteErrorsAreReported(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	if err := framework.WriteText(fullDisk{full}, harbour(t), "en", 80); !errors.Is(err, full) {
		t.Errorf("WriteText: err = %v, want %v", err, full)
	}
	if err := framework.WriteJSON(fullDisk{full}, harbour(t)); !errors.Is(err, full) {
		t.Errorf("WriteJSON: err = %v, want %v", err, full)
	}
}

type fullDisk struct{ err error }

func (f fullDisk) Write([]byte) (int, error) { return 0, f.err }
