package framework_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
	"muster/internal/framework"
)

// edited returns testdata/harbour.yaml with each edit's only occurrence replaced.
func edited(t testing.TB, edits ...edit) string {
	t.Helper()
	sound, err := os.ReadFile("testdata/harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(sound)
	for _, e := range edits {
		if n := strings.Count(text, e.old); n != 1 {
			t.Fatalf("%q is %d times in the pack", e.old, n)
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	return text
}

// lampDescriptors is what the first outcome says of its levels.
const lampDescriptors = `        descriptors:
          - {en: Nobody counts the lamps., fr: Personne ne compte les lampes.}
          - {en: A keeper looks now and then., fr: Un gardien regarde parfois.}
          - {en: An approved list names every lamp., fr: Une liste approuvée nomme chaque lampe.}
          - {en: Four lamps in five are counted nightly., fr: Quatre lampes sur cinq sont comptées chaque nuit.}
          - {en: A pilot from elsewhere saw them burn., fr: Un pilote d'ailleurs les a vues brûler.}
`

func TestCheckWarns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		edits []edit
		want  []string
	}{
		{"a sound pack", nil, nil},
		{
			"a text that nobody translated",
			[]edit{{"measure: {en: The share of lamps that burned last night., fr: La part des lampes allumées la nuit dernière.}", "measure: {en: The share of lamps that burned last night., fr: The share of lamps that burned last night.}"}},
			[]string{`34:71: L1.1.measure.fr: the text is the same as in "en"; allowed: a translation`},
		},
		{
			"a name is the same in every language",
			[]edit{{"title: {en: Watch, fr: Veille}", "title: {en: Watch, fr: Watch}"}, {"evidence: {en: Receipts., fr: Les reçus.}", "evidence: {en: port-community-system, fr: port-community-system}"}},
			nil,
		},
		{
			"figures of a translation",
			[]edit{{"house_rule: {en: Each level includes the one below., fr: Chaque niveau comprend le précédent.}", "house_rule: {en: 80 % within 24 months., fr: 90 % en 24 mois.}"}},
			[]string{`13:48: scale.house_rule.fr: the figures are "24 90", and in "en" "24 80"; allowed: the same figures in every language`},
		},
		{
			"a figure that the translation spells out",
			[]edit{{"measure: {en: Nights of oil., fr: Nuits d'huile.}", "measure: {en: 12 nights., fr: Douze nuits.}"}},
			[]string{`48:39: L1.2.measure.fr: the figures are none, and in "en" "12"; allowed: the same figures in every language`},
		},
		{
			"figures in another order and with other marks",
			[]edit{{"measure: {en: Nights of oil., fr: Nuits d'huile.}", `measure: {en: "1,000 litres in 12 nights, 2.5 a lamp", fr: "12 nuits, 2,5 par lampe, 1 000 litres"}`}},
			nil,
		},
		{
			"a descriptor but for its full stop",
			[]edit{{"{en: Nobody would., fr: Personne.}", "{en: unknown, fr: Personne.}"}},
			[]string{`75:18: L2.1.descriptors[0].en: but for capitals, spaces or punctuation the text repeats that of L1.2.descriptors[0] on line 50; allowed: a text of its own`},
		},
		{
			"a descriptor like a level",
			[]edit{{"{en: Nobody would., fr: Personne.}", "{en: Nobody would., fr: « Aucun » ou inconnu !}"}},
			[]string{`75:37: L2.1.descriptors[0].fr: but for capitals, spaces or punctuation the text repeats that of scale.levels[0] on line 15; allowed: a text of its own`},
		},
		{
			"no descriptors",
			[]edit{{lampDescriptors, ""}},
			[]string{`31:9: L1.1: no descriptors of its own, so the levels of the scale stand in for them; allowed: descriptors, five texts for levels 0 to 4`},
		},
		{
			"in the order of the file",
			[]edit{
				{"title: {en: Harbour lights, fr: Feux du port}", "title: {en: Harbour lights of 1, fr: Feux du port}"},
				{lampDescriptors, ""},
				{"{en: Nobody would., fr: Personne.}", "{en: UNKNOWN, fr: Personne.}"},
			},
			[]string{
				`8:38: title.fr: the figures are none, and in "en" "1"; allowed: the same figures in every language`,
				`31:9: L1.1: no descriptors of its own, so the levels of the scale stand in for them; allowed: descriptors, five texts for levels 0 to 4`,
				`69:18: L2.1.descriptors[0].en: but for capitals, spaces or punctuation the text repeats that of L1.2.descriptors[0] on line 44; allowed: a text of its own`,
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := edited(t, test.edits...)
			p, warnings, err := framework.Check("p", strings.NewReader(text))
			if err != nil || p == nil {
				t.Fatalf("Check = %v, %v", p, err)
			}
			var got []string
			for _, w := range warnings {
				got = append(got, strings.TrimPrefix(w.String(), "p:"))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			same, err := framework.Read("p", strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(same, p); diff != "" {
				t.Errorf("Check reads another pack than Read (-Read +Check):\n%s", diff)
			}
		})
	}
}

// inOneMore returns the harbour pack with one more language, in which every text
// is what it is in French.
func inOneMore(t *testing.T, language string) string {
	t.Helper()
	var pack map[string]any
	if err := json.Unmarshal(harbour(t).Canonical(), &pack); err != nil {
		t.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, child := range v {
				walk(child)
			}
		case map[string]any:
			for _, child := range v {
				walk(child)
			}
			if french, ok := v["fr"]; ok {
				v[language] = french
			}
		}
	}
	walk(pack)
	pack["languages"] = append(pack["languages"].([]any), language)
	text, err := json.MarshalIndent(pack, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCheckComparesEveryTwoLanguages(t *testing.T) {
	t.Parallel()
	_, warnings, err := framework.Check("p", strings.NewReader(inOneMore(t, "de")))
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) < 20 {
		t.Errorf("%d warnings of a pack that nobody translated", len(warnings))
	}
	for _, w := range warnings {
		if w.Message != `the text is the same as in "de"` || !strings.HasSuffix(w.Field, ".fr") {
			t.Errorf("warning %v", w)
		}
	}
	_, warnings, err = framework.Check("p", strings.NewReader(inOneMore(t, "fr-CA")))
	if err != nil || warnings != nil {
		t.Errorf("French in France and in Canada: %v, %v", warnings, err)
	}
}

func TestCheckGivesFaultsAndWarnings(t *testing.T) {
	t.Parallel()
	text := edited(t, edit{"version: 0.1.0", "version: one"}, edit{lampDescriptors, ""})
	p, warnings, err := framework.Check("p", strings.NewReader(text))
	if faults, ok := errors.AsType[errs.Faults](err); !ok || len(faults) != 1 || p != nil {
		t.Errorf("Check = %v, %v", p, err)
	}
	if len(warnings) != 1 || warnings[0].Line != 31 {
		t.Errorf("warnings %v", warnings)
	}
	_, _, want := framework.Check("p", strings.NewReader("- a\n"))
	if _, got := framework.Read("p", strings.NewReader("- a\n")); want == nil || got.Error() != want.Error() {
		t.Errorf("Read says %v, Check %v", got, want)
	}
}

// TestCheckBoundsWarnings makes a pack with more oversights than anybody reads.
func TestCheckBoundsWarnings(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(string(invented(60, "en", "fr")), "fr: >-\n", "fr: 1 >-\n")
	text = strings.ReplaceAll(text, "In fr, ", "In fr, 1 ")
	text = strings.ReplaceAll(text, "fr: 1 >-", "fr: >-")
	_, warnings, err := framework.Check("p", strings.NewReader(text))
	if err != nil || len(warnings) != errs.MaxFaults {
		t.Errorf("%d warnings, %v", len(warnings), err)
	}
}

// TestNoDescriptors reads a framework that came from elsewhere: its outcomes have
// no descriptors, and the scale's levels stand in for them.
func TestNoDescriptors(t *testing.T) {
	t.Parallel()
	p, err := framework.Read("p", strings.NewReader(edited(t, edit{lampDescriptors, ""})))
	if err != nil {
		t.Fatal(err)
	}
	lamps, _ := p.Outcome("L1.1")
	oil, _ := p.Outcome("L1.2")
	if lamps.HasDescriptors() || !oil.HasDescriptors() {
		t.Error("L1.1 has descriptors, or L1.2 has none")
	}
	if diff := cmp.Diff(p.Scale.Levels, p.Levels(lamps)); diff != "" {
		t.Errorf("levels of L1.1 (-scale +got):\n%s", diff)
	}
	if diff := cmp.Diff(oil.Descriptors, p.Levels(oil)); diff != "" {
		t.Errorf("levels of L1.2 (-descriptors +got):\n%s", diff)
	}
	again, err := framework.Read("p", bytes.NewReader(p.Canonical()))
	if err != nil || again.Digest != p.Digest || p.Digest == harbour(t).Digest {
		t.Errorf("the canonical form is another pack: %v", err)
	}
	var text, page bytes.Buffer
	if err := errors.Join(framework.WriteText(&text, p, "fr", 100), framework.WriteHTML(&page, p, "fr")); err != nil {
		t.Fatal(err)
	}
	const said = "Ce référentiel ne décrit pas les niveaux de ce résultat : ceux de l’échelle s’appliquent."
	if !strings.Contains(text.String(), said) || !strings.Contains(page.String(), said) {
		t.Error("nobody is told")
	}
}

func TestAnsweredByCoordinator(t *testing.T) {
	t.Parallel()
	const languages = "languages: [en, fr]\n"
	checkFaults(t, []faultCase{
		{
			"somebody else",
			[]edit{{languages, languages + "answered_by: members\naudience: allied\n"}},
			[]string{`8:14: answered_by: "members" is not allowed here; allowed: coordinator; or leave the key out, if every member answers`},
		},
		{
			"an audience that is none",
			[]edit{{languages, languages + "answered_by: coordinator\naudience: allies\n"}},
			[]string{`9:11: audience: "allies" is not allowed here; allowed: allied, partner, public`},
		},
		{
			"no audience",
			[]edit{{languages, languages + "answered_by: coordinator\n"}},
			[]string{`2:1: key "audience" is missing, which goes with "answered_by"; allowed: allied, partner, public`},
		},
		{
			"an audience alone",
			[]edit{{languages, languages + "audience: allied\n"}},
			[]string{`8:11: "audience" without "answered_by"; allowed: both keys, or neither`},
		},
	})
	for _, audience := range framework.Audiences() {
		t.Run(audience, func(t *testing.T) {
			t.Parallel()
			p, err := framework.Read("p", strings.NewReader(edited(t, edit{languages, languages + "answered_by: coordinator\naudience: " + audience + "\n"})))
			if err != nil {
				t.Fatal(err)
			}
			if p.AnsweredBy != framework.ByCoordinator || p.Audience != audience {
				t.Errorf("answered by %q, for %q", p.AnsweredBy, p.Audience)
			}
			again, err := framework.Read("p", bytes.NewReader(p.Canonical()))
			if err != nil || again.Digest != p.Digest || p.Digest == harbour(t).Digest {
				t.Errorf("the canonical form is another pack: %v", err)
			}
			if _, err := framework.NewLayout(p); errs.KindOf(err) != errs.Invalid {
				t.Errorf("NewLayout: err = %v, want a refusal", err)
			}
			for _, lang := range p.Languages {
				var text, page bytes.Buffer
				if err := errors.Join(framework.WriteText(&text, p, lang, 100), framework.WriteHTML(&page, p, lang)); err != nil {
					t.Fatal(err)
				}
				who := map[string]string{"en": "The coordinator answers, once for the coalition. Its answers are ", "fr": "Le coordonnateur répond, une seule fois pour la coalition. Ses réponses sont "}[lang]
				if !strings.Contains(text.String(), who) || !strings.Contains(page.String(), who) {
					t.Errorf("in %s nobody is told who answers", lang)
				}
			}
		})
	}
}

func TestBeginWith(t *testing.T) {
	t.Parallel()
	const languages = "languages: [en, fr]\n"
	checkFaults(t, []faultCase{
		{
			"an outcome that is none",
			[]edit{{languages, languages + "begin_with: [L1.1, Z9.9]\n"}},
			[]string{`8:20: begin_with[1]: there is no outcome "Z9.9"; allowed: the id of an outcome of this pack`},
		},
		{
			"one twice",
			[]edit{{languages, languages + "begin_with: [L1.1, L1.1]\n"}},
			[]string{`8:20: begin_with[1]: outcome "L1.1" appears twice; allowed: each outcome once`},
		},
		{
			"one alone",
			[]edit{{languages, languages + "begin_with: L1.1\n"}},
			[]string{`8:13: begin_with: text where a list is wanted; allowed: a list of ids of outcomes`},
		},
	})
	p, err := framework.Read("p", strings.NewReader(edited(t, edit{languages, languages + "begin_with: [L1.2, L1.1]\n"})))
	if err != nil {
		t.Fatal(err)
	}
	again, err := framework.Read("p", bytes.NewReader(p.Canonical()))
	if err != nil || again.Digest != p.Digest || p.Digest == harbour(t).Digest || len(again.BeginWith) != 2 || again.BeginWith[0] != "L1.2" {
		t.Errorf("the canonical form is another pack: %v", err)
	}
	var text bytes.Buffer
	if err := framework.WriteText(&text, p, "en", 100); err != nil || !strings.Contains(text.String(), "Who has little time begins with L1.2, L1.1.") {
		t.Errorf("%v\n%s", err, &text)
	}
}
