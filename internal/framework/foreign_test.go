package framework_test

import (
	"testing"

	"muster/internal/errs"
	"muster/internal/framework"
)

func TestTextCheck(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text framework.Text
		ok   bool
	}{
		"both languages":        {framework.Text{"en": "Lamps", "fr": "Les phares\nbrûlent"}, true},
		"one more":              {framework.Text{"en": "Lamps", "fr": "Les phares", "de": "Lampen"}, true},
		"one missing":           {framework.Text{"en": "Lamps"}, false},
		"one empty":             {framework.Text{"en": "Lamps", "fr": ""}, false},
		"a terminal's escape":   {framework.Text{"en": "\x1b[2J", "fr": "Les phares"}, false},
		"turned around":         {framework.Text{"en": "\u202eLamps", "fr": "Les phares"}, false},
		"invisible":             {framework.Text{"en": "La\u200bmps", "fr": "Les phares"}, false},
		"not UTF-8":             {framework.Text{"en": "La\xffmps", "fr": "Les phares"}, false},
		"a language that hides": {framework.Text{"en": "Lamps", "fr": "Les phares", "\u202e": "x"}, false},
		"nothing":               {nil, false},
	} {
		err := row.text.Check("the title", "en", "fr")
		if row.ok != (err == nil) || err != nil && errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckLanguages(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		languages []string
		ok        bool
	}{
		"one":          {[]string{"en"}, true},
		"two":          {[]string{"en", "fr"}, true},
		"none":         {nil, false},
		"one twice":    {[]string{"en", "fr", "en"}, false},
		"an empty one": {[]string{""}, false},
		"two lines":    {[]string{"e\nn"}, false},
	} {
		if err := framework.CheckLanguages(row.languages); row.ok != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is pasted from a document or a table is kept as it was meant; what would hide
// something stays, to be refused.
func TestPasted(t *testing.T) {
	t.Parallel()
	rows := []struct{ text, want string }{
		{"plain\nwords", "plain\nwords"},
		{"a\tb\u00a0c", "a b\u00a0c"},
		{"a\r\nb\rc\vd\fe\u2028f\u2029g\u0085h", "a\nb\nc\nd\ne\nf\ng\nh"},
		{"\ufeffno\u200b space\u2060", "no space"},
		{"a\u202eb\x1b", "a\u202eb\x1b"},
		{"\xff\t", "\xff\t"},
	}
	for _, row := range rows {
		if got := framework.Pasted(row.text); got != row.want {
			t.Errorf("%q is kept as %q, want %q", row.text, got, row.want)
		}
	}
}
