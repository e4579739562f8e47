package packs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"muster/internal/framework"
)

// texts yields every text of a pack with the path of its keys.
func texts(p *framework.Pack) map[string]framework.Text {
	all := map[string]framework.Text{
		"title": p.Title, "summary": p.Summary, "scale.house_rule": p.Scale.HouseRule, "roll_up.text": p.RollUp.Text,
	}
	for i, level := range p.Scale.Levels {
		all[fmt.Sprintf("scale.levels[%d]", i)] = level
	}
	for _, a := range p.Areas {
		all[a.ID+".title"], all[a.ID+".summary"] = a.Title, a.Summary
		for _, o := range a.Outcomes {
			for key, text := range map[string]framework.Text{
				"title": o.Title, "question": o.Question, "measure": o.Measure, "evidence": o.Evidence, "why": o.Why, "not_applicable": o.NotApplicable,
			} {
				if text != nil {
					all[o.ID+"."+key] = text
				}
			}
			for i, text := range o.Descriptors {
				all[fmt.Sprintf("%s.descriptors[%d]", o.ID, i)] = text
			}
		}
	}
	return all
}

// TestDescriptors holds every outcome to five descriptors of its own and to the
// house rule: 3 has figures for 80 %, 4 was seen within 24 months.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *framework.Pack) {
		seen := map[string]string{}
		for _, o := range p.Outcomes() {
			for _, lang := range p.Languages {
				for i, text := range o.Descriptors {
					said := text.In(lang)
					where := fmt.Sprintf("%s.descriptors[%d] in %s", o.ID, i, lang)
					if before, ok := seen[lang+said]; ok || said == "" {
						t.Errorf("%s is empty, or says what %s says", where, before)
					}
					seen[lang+said] = where
					if n := utf8.RuneCountInString(said); n > 600 {
						t.Errorf("%s has %d characters: nobody reads so much for one level", where, n)
					}
				}
				rule := map[string][2]string{"en": {"80 %", "24 months"}, "fr": {"80\u00a0%", "24 derniers mois"}}[lang]
				if !strings.Contains(o.Descriptors[3].In(lang), rule[0]) {
					t.Errorf("level 3 of %s in %s does not say %q", o.ID, lang, rule[0])
				}
				if !strings.Contains(o.Descriptors[4].In(lang), rule[1]) {
					t.Errorf("level 4 of %s in %s does not say %q", o.ID, lang, rule[1])
				}
			}
		}
	})
}

// The words for numbers from two on; "one" is too often an article. Both
// languages have "million".
var (
	english = map[string]int{
		"two": 2, "twice": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
		"eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "hundred": 100, "thousand": 1000, "million": 1_000_000,
		"eighth": 8, "tenth": 10,
	}
	french = map[string]int{
		"deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9, "dix": 10,
		"onze": 11, "douze": 12, "quinze": 15, "vingt": 20, "trente": 30, "cent": 100, "mille": 1000, "million": 1_000_000,
		"huitième": 8, "dixième": 10,
	}
	numberOrWord = regexp.MustCompile(`[0-9]+|\pL+`)
)

// numbers returns the numbers that text states, in digits or in words, sorted.
func numbers(text string, words map[string]int) []int {
	var all []int
	for _, s := range numberOrWord.FindAllString(text, -1) {
		if n, err := strconv.Atoi(s); err == nil {
			all = append(all, n)
		} else if n, ok := words[strings.ToLower(s)]; ok {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// TestNumbersAgree: a threshold that differs between languages makes one outcome
// two.
func TestNumbersAgree(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *framework.Pack) {
		stated := 0
		for where, text := range texts(p) {
			en, fr := numbers(text.In("en"), english), numbers(text.In("fr"), french)
			if diff := cmp.Diff(en, fr); diff != "" {
				t.Errorf("%s: numbers (-en +fr):\n%s", where, diff)
			}
			stated += len(en)
		}
		if least := 8 * len(p.Outcomes()); stated < least {
			t.Errorf("%d numbers in all, fewer than %d: the test does not test", stated, least)
		}
	})
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		words map[string]int
		want  []int
	}{
		{"Twice within 24 months, both of the ten listed", english, []int{2, 2, 10, 24}},
		{"Deux fois en 24 mois, les deux des dix de la liste", french, []int{2, 2, 10, 24}},
		{"At least 80 % of one in five; A1.3 (E2)", english, []int{1, 2, 3, 5, 80}},
		{"Someone often listens", english, nil},
		{"Un neuvième, une dixième", french, []int{10}},
	} {
		if diff := cmp.Diff(test.want, numbers(test.text, test.words)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.text, diff)
		}
	}
}

// badFrench is what French typography refuses: a high or double sign without a
// no-break space before it, an opening quotation mark without one after it,
// straight apostrophes and quotation marks, capitals without their accent, and
// spaces that are missing or too many around a stop.
var badFrench = []*regexp.Regexp{
	regexp.MustCompile(`[^\x{00a0}\x{202f}][;?!»%]`),
	regexp.MustCompile(`[^\x{00a0}\x{202f}0-9]:`),
	regexp.MustCompile(`«[^\x{00a0}\x{202f}]`),
	regexp.MustCompile(`['"]`),
	regexp.MustCompile(`\b(E(tat|cole|valu|l[eé]ment)|A (quoi|qui|partir))`),
	regexp.MustCompile(` \.|,[^ 0-9]|\.\pL`),
}

// outcomeID is what looks like a stop without a space after it and is none.
var outcomeID = regexp.MustCompile(`\b[A-Z][0-9]\.[0-9]\b`)

func TestFrenchTypography(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *framework.Pack) {
		for where, text := range texts(p) {
			text := outcomeID.ReplaceAllString(text.In("fr"), "it")
			for _, bad := range badFrench {
				if found := bad.FindString(text); found != "" {
					t.Errorf("%s: %q in %q", where, found, text)
				}
			}
		}
	})
	for _, wrong := range []string{"quoi ?", "quoi?", "« ici »", "l'autre", "80 %", "ceci : cela", "ceci: cela", "Etat", "A quoi", "fin .Et"} {
		if !slices.ContainsFunc(badFrench, func(bad *regexp.Regexp) bool { return bad.MatchString(wrong) }) {
			t.Errorf("%q passes: the test does not test", wrong)
		}
	}
}

// TestEnglishTypography keeps the English as plain as the keyboard that it was
// written on, so that searching for a word finds it.
func TestEnglishTypography(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *framework.Pack) {
		for where, text := range texts(p) {
			for _, r := range text.In("en") {
				if r >= 0x7F {
					t.Errorf("%s holds %q", where, r)
				}
			}
		}
	})
}
