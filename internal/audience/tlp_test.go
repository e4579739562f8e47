package audience_test

import (
	"strings"
	"testing"

	"muster/internal/audience"
	"muster/internal/errs"
)

// The labels of TLP 2.0, as FIRST writes them.
var written = []string{"TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"}

func TestTLP(t *testing.T) {
	t.Parallel()
	var got []string
	for _, m := range audience.TLPs() {
		got = append(got, m.String())
		if !m.Known() {
			t.Errorf("%s is not known", m)
		}
	}
	if strings.Join(got, " ") != strings.Join(written, " ") {
		t.Errorf("the labels are %q", got)
	}
	for _, m := range []audience.TLP{audience.Unmarked, audience.Red + 1, 255} {
		if m.Known() {
			t.Errorf("%s is known", m)
		}
		if _, err := audience.ParseTLP(m.String()); err == nil {
			t.Errorf("%s is read", m)
		}
	}
}

func TestParseTLPRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "", "version 1.0": "TLP:WHITE", "small letters": "tlp:amber", "a space": "TLP: AMBER", "a space after it": "TLP:RED ",
		"no TLP": "AMBER", "a hyphen": "TLP:AMBER-STRICT", "strict red": "TLP:RED+STRICT", "like an A": "TLP:\u0410MBER", "another colour": "TLP:BLUE", "no label": "unmarked",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := audience.ParseTLP(text)
			d := errs.Describe(err)
			if m != audience.Unmarked || d.Kind != errs.Invalid || !strings.Contains(d.Message, strings.TrimSpace(text)) && name != "like an A" || !strings.Contains(d.Hint, "TLP:CLEAR") {
				t.Errorf("%s, %v, %q", m, err, d.Hint)
			}
		})
	}
}

// FuzzParseTLP: what is accepted is one of the five labels and encodes to the same bytes.
func FuzzParseTLP(f *testing.F) {
	accepted := 0
	for _, text := range written {
		if _, err := audience.ParseTLP(text); err == nil {
			accepted++
		}
		f.Add(text)
		f.Add(strings.ToLower(text))
		f.Add(text + "\n")
		f.Add(text + "+STRICT")
	}
	if accepted != len(written) {
		f.Fatalf("%d of %d labels are accepted", accepted, len(written))
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := audience.ParseTLP(text)
		if err != nil {
			if m != audience.Unmarked || errs.KindOf(err) != errs.Invalid {
				t.Errorf("%q is refused as %s: %v", text, m, err)
			}
			return
		}
		if m.String() != text || !m.Known() {
			t.Errorf("%q is read as %s", text, m)
		}
	})
}
