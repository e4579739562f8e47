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
