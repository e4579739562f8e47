package framework_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
	"muster/internal/framework"
)

// edit replaces the only occurrence of old in testdata/harbour.yaml, or the
// whole file.
type edit struct{ old, new string }

const whole = ""

type faultCase struct {
	name  string
	edits []edit
	want  []string // "line:column: field: message; allowed: …"
}

// checkFaults reads the edited pack of every case and compares all its faults.
func checkFaults(t *testing.T, cases []faultCase) {
	t.Helper()
	sound, err := os.ReadFile("testdata/harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := string(sound)
			for _, e := range test.edits {
				if e.old == whole {
					text = e.new
					continue
				}
				if n := strings.Count(text, e.old); n != 1 {
					t.Fatalf("%q is %d times in the pack", e.old, n)
				}
				text = strings.Replace(text, e.old, e.new, 1)
			}
			_, err := framework.Read("p", strings.NewReader(text))
			faults, ok := errors.AsType[errs.Faults](err)
			if !ok {
				t.Fatalf("err = %v, want faults", err)
			}
			var got []string
			for _, fault := range faults {
				got = append(got, strings.TrimPrefix(fault.String(), "p:"))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFaults changes one thing, or a few, of a sound pack and expects every
// fault of it and no other.
func TestFaults(t *testing.T) {
	t.Parallel()
	checkFaults(t, []faultCase{
		{
			"format of the future",
			[]edit{{"format: muster-pack/1\n", "format: muster-pack/2\n"}},
			[]string{`2:9: format: pack format "muster-pack/2" is newer than this version of muster reads; allowed: muster-pack/1; or upgrade muster`},
		},
		{
			"format of something else",
			[]edit{{"format: muster-pack/1\n", "format: catalogue/1\n"}},
			[]string{`2:9: format: pack format "catalogue/1" is unknown; allowed: muster-pack/1`},
		},
		{
			"format missing",
			[]edit{{"format: muster-pack/1\n", ""}},
			[]string{`2:1: key "format" is missing, so this is not a pack; allowed: format: muster-pack/1`},
		},
		{
			"no mapping",
			[]edit{{whole, "- a\n- b\n"}},
			[]string{"1:1: a list where a pack is wanted; allowed: a mapping that begins with format: muster-pack/1"},
		},
		{
			"only text",
			[]edit{{whole, "hello\n"}},
			[]string{"1:1: text where a pack is wanted; allowed: a mapping that begins with format: muster-pack/1"},
		},
		{
			"unknown key",
			[]edit{{"marking: TLP:CLEAR\n", "markings: TLP:CLEAR\n"}},
			[]string{
				`2:1: key "marking" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`5:1: unknown key "markings"; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
			},
		},
		{
			"unknown key in an outcome",
			[]edit{{"        measure: {en: Nights of oil., fr: Nuits d'huile.}\n", "        metric: {en: Nights of oil., fr: Nuits d'huile.}\n"}},
			[]string{
				`45:9: L1.outcomes[1]: key "measure" is missing; allowed: id, title, question, measure, descriptors, evidence, why, not_applicable, crosswalk`,
				`48:9: L1.outcomes[1]: unknown key "metric"; allowed: id, title, question, measure, descriptors, evidence, why, not_applicable, crosswalk`,
			},
		},
		{
			"repeated key",
			[]edit{{"licence: Apache-2.0\n", "licence: Apache-2.0\nlicence: MIT\n"}},
			[]string{`7:1: key "licence" appears again; it is on line 6 already; allowed: each key once`},
		},
		{
			"missing keys in an area",
			[]edit{{"    title: {en: Lights, fr: Feux}\n    summary: {en: The lamps themselves., fr: Les lampes elles-mêmes.}\n", ""}},
			[]string{
				`27:5: areas[0]: key "title" is missing; allowed: id, title, summary, outcomes`,
				`27:5: areas[0]: key "summary" is missing; allowed: id, title, summary, outcomes`,
			},
		},
		{
			"merge key",
			[]edit{{"id: harbour-lights\n", "id: harbour-lights\n<<: {}\n"}},
			[]string{"4:1: a merge key; allowed: the keys themselves, written out"},
		},
		{
			"list as a key",
			[]edit{{"id: harbour-lights\n", "id: harbour-lights\n[a]: b\n"}},
			[]string{"4:1: a list as a key; allowed: a word"},
		},
		{
			"list for text",
			[]edit{{"id: harbour-lights", "id: [harbour-lights]"}},
			[]string{"3:5: id: a list where text is wanted; allowed: text"},
		},
		{
			"text for a mapping",
			[]edit{{"scale:\n  house_rule: {en: Each level includes the one below., fr: Chaque niveau comprend le précédent.}\n", "scale: five\nlevels:\n  house_rule: {en: Each level includes the one below., fr: Chaque niveau comprend le précédent.}\n"}},
			[]string{
				"12:8: scale: text where a mapping is wanted; allowed: the keys house_rule, levels",
				`13:1: unknown key "levels"; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
			},
		},
		{
			"text for languages",
			[]edit{{"title: {en: Harbour lights, fr: Feux du port}", "title: Harbour lights"}},
			[]string{"8:8: title: text where a text by language is wanted; allowed: such as {en: text}"},
		},
		{
			"mapping for a list",
			[]edit{{"          iala: [1.a, 1.b]", "          iala: {a: b}"}},
			[]string{"44:17: L1.1.crosswalk.iala: a mapping where a list is wanted; allowed: a list of ids"},
		},
		{
			"nothing for a list",
			[]edit{{"          iala: [1.a, 1.b]", "          iala:"}},
			[]string{"44:16: L1.1.crosswalk.iala: nothing where a list is wanted; allowed: a list of ids"},
		},
		{
			"empty list",
			[]edit{{"          iala: [1.a, 1.b]", "          iala: []"}},
			[]string{"44:17: L1.1.crosswalk.iala: an empty list; allowed: a list of ids"},
		},
		{
			"empty areas",
			[]edit{{whole, "format: muster-pack/1\nid: a\nversion: 1.0.0\nmarking: TLP:RED\nlicence: MIT\nlanguages: [en]\ntitle: {en: T}\nsummary: {en: S}\nscale: {house_rule: {en: H}, levels: [{en: a}, {en: b}, {en: c}, {en: d}, {en: e}]}\nroll_up: {rule: share-of-scope, percent: 80, text: {en: R}}\nareas: []\n"}},
			[]string{"11:8: areas: an empty list; allowed: a list of areas"},
		},
		{
			"bad pack id",
			[]edit{{"id: harbour-lights", "id: Harbour_Lights"}},
			[]string{`3:5: id: "Harbour_Lights" is not allowed here; allowed: lower-case letters and digits in words joined by hyphens, at most 64, such as muster-core`},
		},
		{
			"bad version",
			[]edit{{"version: 0.1.0", "version: 1.0"}},
			[]string{`4:10: version: "1.0" is not allowed here; allowed: a semantic version without build metadata, such as 1.0.0 or 2.0.0-rc.1`},
		},
		{
			"version with build metadata",
			[]edit{{"version: 0.1.0", "version: 1.0.0+today"}},
			[]string{`4:10: version: "1.0.0+today" is not allowed here; allowed: a semantic version without build metadata, such as 1.0.0 or 2.0.0-rc.1`},
		},
		{
			"version with a leading zero",
			[]edit{{"version: 0.1.0", "version: 1.02.0"}},
			[]string{`4:10: version: "1.02.0" is not allowed here; allowed: a semantic version without build metadata, such as 1.0.0 or 2.0.0-rc.1`},
		},
		{
			"old marking",
			[]edit{{"marking: TLP:CLEAR", "marking: TLP:WHITE"}},
			[]string{`5:10: marking: "TLP:WHITE" is not allowed here; allowed: TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT, TLP:RED`},
		},
		{
			"bad licence",
			[]edit{{"licence: Apache-2.0", "licence: ask the author, please!"}},
			[]string{`6:10: licence: "ask the author, please!" is not allowed here; allowed: an SPDX licence expression, such as Apache-2.0`},
		},
		{
			"percent in quotes",
			[]edit{{"percent: 80", `percent: "80"`}},
			[]string{`22:12: roll_up.percent: "80" is not a percentage; allowed: a whole number from 1 to 100, without quotes`},
		},
		{
			"percent of 101",
			[]edit{{"percent: 80", "percent: 101"}},
			[]string{`22:12: roll_up.percent: "101" is not a percentage; allowed: a whole number from 1 to 100, without quotes`},
		},
		{
			"percent in octal",
			[]edit{{"percent: 80", "percent: 0o120"}},
			[]string{`22:12: roll_up.percent: "0o120" is not a percentage; allowed: a whole number from 1 to 100, without quotes`},
		},
		{
			"unknown roll-up rule",
			[]edit{{"rule: share-of-scope", "rule: mean"}},
			[]string{`21:9: roll_up.rule: "mean" is not allowed here; allowed: share-of-scope`},
		},
		{
			"bad language tag",
			[]edit{{"languages: [en, fr]", "languages: [en, french]"}},
			[]string{`7:17: languages[1]: "french" is not a language tag; allowed: such as en, fr, pt-BR, sr-Latn`},
		},
		{
			"language twice",
			[]edit{{"languages: [en, fr]", "languages: [en, fr, en]"}},
			[]string{`7:21: languages[2]: language "en" appears twice; allowed: each language once`},
		},
		{
			"unquoted Norwegian",
			[]edit{{"languages: [en, fr]", "languages: [en, no]"}},
			[]string{`7:17: languages[1]: "no" without quotes is a truth value; allowed: text; write "no"`},
		},
		{
			"unquoted Norwegian text",
			[]edit{{"title: {en: Harbour lights, fr: Feux du port}", "title: {en: Harbour lights, no: Havnelys}"}},
			[]string{
				`8:8: title: the text in "fr" is missing; allowed: en, fr`,
				`8:29: title: "no" without quotes is a truth value; allowed: a language; write "no"`,
				`8:29: title: text in "no", which languages does not declare; allowed: en, fr; a text with a comma stands in quotes`,
			},
		},
		{
			"missing translation",
			[]edit{{`        why: {en: Lamps need oil., fr: "Sans huile, pas de lampe."}`, "        why: {en: Lamps need oil.}"}},
			[]string{`56:14: L1.2.why: the text in "fr" is missing; allowed: en, fr`},
		},
		{
			"missing translation of a descriptor",
			[]edit{{"          - {en: Unknown., fr: Inconnu.}\n", "          - {fr: Inconnu.}\n"}},
			[]string{`50:13: L1.2.descriptors[0]: the text in "en" is missing; allowed: en, fr`},
		},
		{
			"undeclared language",
			[]edit{{"title: {en: Watch, fr: Veille}", "title: {en: Watch, fr: Veille, de: Wache}"}},
			[]string{`59:36: L2.title: text in "de", which languages does not declare; allowed: en, fr; a text with a comma stands in quotes`},
		},
		{
			"language of a text twice",
			[]edit{{"title: {en: Watch, fr: Veille}", "title: {en: Watch, fr: Veille, en: Guard}"}},
			[]string{`59:36: L2.title: a second text in "en"; allowed: one text for each language`},
		},
		{
			"empty text",
			[]edit{{"evidence: {en: Receipts., fr: Les reçus.}", `evidence: {en: "", fr: Les reçus.}`}},
			[]string{"55:24: L1.2.evidence.en: the text is empty; allowed: text"},
		},
		{
			"blank text",
			[]edit{{"evidence: {en: Receipts., fr: Les reçus.}", "evidence: {en: \" \\n \", fr: Les reçus.}"}},
			[]string{"55:24: L1.2.evidence.en: the text is empty; allowed: text"},
		},
		{
			"no text",
			[]edit{{"evidence: {en: Receipts., fr: Les reçus.}", "evidence: {en: , fr: Les reçus.}"}},
			[]string{"55:24: L1.2.evidence.en: the text is empty; allowed: text"},
		},
		{
			"tilde for text",
			[]edit{{"evidence: {en: Receipts., fr: Les reçus.}", "evidence: {en: ~, fr: Les reçus.}"}},
			[]string{`55:24: L1.2.evidence.en: "~" without quotes is nothing; allowed: text; write "~"`},
		},
		{
			"number for text",
			[]edit{{"evidence: {en: Receipts., fr: Les reçus.}", "evidence: {en: 1.10, fr: Les reçus.}"}},
			[]string{`55:24: L1.2.evidence.en: "1.10" without quotes is a number; allowed: text; write "1.10"`},
		},
		{
			"truth value for text",
			[]edit{{"evidence: {en: Receipts., fr: Les reçus.}", "evidence: {en: no, fr: true}"}},
			[]string{
				`55:24: L1.2.evidence.en: "no" without quotes is a truth value; allowed: text; write "no"`,
				`55:32: L1.2.evidence.fr: "true" without quotes is a truth value; allowed: text; write "true"`,
			},
		},
		{
			"date for text",
			[]edit{{"evidence: {en: Receipts., fr: Les reçus.}", "evidence: {en: 2026-11-23, fr: Les reçus.}"}},
			[]string{`55:24: L1.2.evidence.en: "2026-11-23" without quotes is a date; allowed: text; write "2026-11-23"`},
		},
		{
			"version of a crosswalk unquoted",
			[]edit{{`version: "2.0"`, "version: 2.0"}},
			[]string{`25:50: crosswalks.iala.version: "2.0" without quotes is a number; allowed: text; write "2.0"`},
		},
		{
			"crosswalk id unquoted",
			[]edit{{"iala: [1.a, 1.b]", "iala: [1.a, 1.10]"}},
			[]string{`44:23: L1.1.crosswalk.iala[1]: "1.10" without quotes is a number; allowed: text; write "1.10"`},
		},
		{
			"crosswalk id twice",
			[]edit{{"iala: [1.a, 1.b]", "iala: [1.a, 1.b, 1.a]"}},
			[]string{`44:28: L1.1.crosswalk.iala[2]: id "1.a" appears twice; allowed: each id once`},
		},
		{
			"unknown crosswalk",
			[]edit{{"iala: [1.a, 1.b]", "colreg: [1.a]"}},
			[]string{`44:11: L1.1.crosswalk: unknown crosswalk "colreg"; allowed: ids by key of crosswalks: iala`},
		},
		{
			"crosswalk declared twice",
			[]edit{{`  iala: {title: Invented marking rules, version: "2.0"}`, "  iala: {title: Invented marking rules, version: \"2.0\"}\n  iala: {title: Other, version: \"1\"}"}},
			[]string{`26:3: crosswalks: crosswalk "iala" appears twice; allowed: each key once`},
		},
		{
			"no crosswalks declared",
			[]edit{{"crosswalks:\n  iala: {title: Invented marking rules, version: \"2.0\"}\n", ""}},
			[]string{`42:11: L1.1.crosswalk: unknown crosswalk "iala"; allowed: nothing, because the pack declares no crosswalks`},
		},
		{
			"bad crosswalk key",
			[]edit{{"  iala: {title: Invented", "  IALA: {title: Invented"}},
			[]string{
				`25:3: crosswalks: crosswalk key "IALA" is not allowed; allowed: lower-case letters and digits in words joined by hyphens, at most 64, such as muster-core`,
				`44:11: L1.1.crosswalk: unknown crosswalk "iala"; allowed: ids by key of crosswalks: IALA`,
			},
		},
		{
			"area id twice",
			[]edit{{"- id: L2\n", "- id: L1\n"}, {"- id: L2.1", "- id: L1.3"}},
			[]string{`58:9: areas[1].id: id "L1" is taken on line 27; allowed: each id once`},
		},
		{
			"bad area id",
			[]edit{{"- id: L2\n", "- id: l2\n"}, {"- id: L2.1", "- id: L2.1"}},
			[]string{`58:9: areas[1].id: "l2" is not allowed here; allowed: a capital letter, then capital letters and digits, at most 8 in all, such as A1`},
		},
		{
			"outcome id twice",
			[]edit{{"- id: L1.2", "- id: L1.1"}},
			[]string{`45:13: L1.outcomes[1].id: id "L1.1" is taken on line 31; allowed: each id once`},
		},
		{
			"outcome below another area",
			[]edit{{"- id: L2.1", "- id: L1.3"}},
			[]string{`70:13: L2.outcomes[0].id: "L1.3" is not allowed here; allowed: L2.1 to L2.999`},
		},
		{
			"outcome numbered from 0",
			[]edit{{"- id: L2.1", "- id: L2.0"}},
			[]string{`70:13: L2.outcomes[0].id: "L2.0" is not allowed here; allowed: L2.1 to L2.999`},
		},
		{
			"outcome id a number",
			[]edit{{"- id: L2.1", "- id: 2.1"}},
			[]string{`70:13: L2.outcomes[0].id: "2.1" is not allowed here; allowed: L2.1 to L2.999`},
		},
		{
			"four descriptors",
			[]edit{{"          - {en: Unknown., fr: Inconnu.}\n", ""}},
			[]string{"50:11: L1.2.descriptors: 4 texts where five are wanted; allowed: one for each of levels 0, 1, 2, 3, 4"},
		},
		{
			"six descriptors",
			[]edit{{"          - {en: Unknown., fr: Inconnu.}\n", "          - {en: Unknown., fr: Inconnu.}\n          - {en: Unsure., fr: Incertain.}\n"}},
			[]string{"50:11: L1.2.descriptors: 6 texts where five are wanted; allowed: one for each of levels 0, 1, 2, 3, 4"},
		},
		{
			"descriptor repeated within",
			[]edit{{"{en: The store is measured weekly., fr: La réserve est mesurée chaque semaine.}", "{en: Unknown., fr: La réserve est mesurée chaque semaine.}"}},
			[]string{"53:18: L1.2.descriptors[3].en: the text repeats that of L1.2.descriptors[0] on line 50; allowed: a text of its own"},
		},
		{
			"descriptor repeated across",
			[]edit{{"{en: Nobody would., fr: Personne.}", "{en: Nobody would., fr: Inconnu.}"}},
			[]string{"75:37: L2.1.descriptors[0].fr: the text repeats that of L1.2.descriptors[0] on line 50; allowed: a text of its own"},
		},
		{
			"descriptor repeats the scale",
			[]edit{{"{en: Nobody would., fr: Personne.}", "{en: ad hoc, fr: Personne.}"}},
			[]string{"75:18: L2.1.descriptors[0].en: the text repeats that of scale.levels[1] on line 16; allowed: a text of its own"},
		},
		{
			"escaped control character",
			[]edit{{"{en: Nobody counts the lamps.", "{en: \"Nobody \\u001b[2J counts the lamps.\""}},
			[]string{"36:18: L1.1.descriptors[0].en: a control character (U+001B) in the text; allowed: visible characters, spaces and line breaks"},
		},
		{
			"escaped direction override",
			[]edit{{"{en: Nobody counts the lamps.", "{en: \"Nobody \\u202e counts the lamps.\""}},
			[]string{"36:18: L1.1.descriptors[0].en: a character that changes the direction of text (U+202E) in the text; allowed: visible characters, spaces and line breaks"},
		},
		{
			"long text",
			[]edit{{"Nobody counts the lamps.", strings.Repeat("x", 4001)}},
			[]string{"36:18: L1.1.descriptors[0].en: the text has 4001 characters; allowed: at most 4000"},
		},
		{
			"long title",
			[]edit{{"title: {en: Watch,", "title: {en: " + strings.Repeat("y", 201) + ","}},
			[]string{"59:17: L2.title.en: the text has 201 characters; allowed: at most 200"},
		},
		{
			"lines in a title",
			[]edit{{"title: {en: Harbour lights, fr: Feux du port}", "title: {en: \"Harbour\\nlights\", fr: Feux du port}"}, {"version: 0.1.0", "version: \"0.1.0\\n1\""}},
			[]string{
				"4:10: version: several lines of text; allowed: one line",
				"8:13: title.en: several lines of text; allowed: one line",
			},
		},
		{
			"several at once",
			[]edit{{"version: 0.1.0", "version: one"}, {"marking: TLP:CLEAR", "marking: secret"}, {"- id: L1.2", "- id: L1.1"}, {"why: {en: Ships steer by them., fr: Les navires s'y fient.}", "why: {en: Ships steer by them.}\n        colour: red"}},
			[]string{
				`4:10: version: "one" is not allowed here; allowed: a semantic version without build metadata, such as 1.0.0 or 2.0.0-rc.1`,
				`5:10: marking: "secret" is not allowed here; allowed: TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT, TLP:RED`,
				`42:14: L1.1.why: the text in "fr" is missing; allowed: en, fr`,
				`43:9: L1.outcomes[0]: unknown key "colour"; allowed: id, title, question, measure, descriptors, evidence, why, not_applicable, crosswalk`,
				`46:13: L1.outcomes[1].id: id "L1.1" is taken on line 31; allowed: each id once`,
			},
		},
		{
			"empty crosswalk",
			[]edit{{"        crosswalk:\n          iala: [1.a, 1.b]\n", "        crosswalk: {}\n"}},
			[]string{"43:20: L1.1.crosswalk: an empty mapping where a crosswalk is wanted; allowed: ids by key of crosswalks: iala; or leave the key out"},
		},
		{
			"descriptor that is text alone",
			[]edit{{"          - {en: Unknown., fr: Inconnu.}\n", "          - Unknown.\n"}},
			[]string{"50:13: L1.2.descriptors[0]: text where a text by language is wanted; allowed: such as {en: text}"},
		},
		{
			"area that is text",
			[]edit{{"  - id: L2\n", "  - Watch\n  - id: L2\n"}},
			[]string{"58:5: areas[1]: text where a mapping is wanted; allowed: the keys id, title, summary, outcomes"},
		},
		{
			"text in an outer language after a comment",
			[]edit{{"  fr: Si les feux", "  de: Ob die Lichter # sic\n  fr: Si les feux"}},
			[]string{`11:3: summary: text in "de", which languages does not declare; allowed: en, fr`},
		},
		{
			"CRLF with a fault",
			[]edit{{whole, "format: muster-pack/1\u000d\nid: A\u000d\n"}},
			[]string{
				`1:1: key "version" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`1:1: key "marking" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`1:1: key "licence" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`1:1: key "languages" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`1:1: key "title" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`1:1: key "summary" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`1:1: key "scale" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`1:1: key "roll_up" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`1:1: key "areas" is missing; allowed: format, id, version, marking, licence, languages, answered_by, audience, begin_with, title, summary, scale, roll_up, crosswalks, areas`,
				`2:5: id: "A" is not allowed here; allowed: lower-case letters and digits in words joined by hyphens, at most 64, such as muster-core`,
			},
		},
		{
			"escaped NUL",
			[]edit{{"{en: Nobody counts the lamps.", "{en: \"Nobody\\0 counts the lamps.\""}},
			[]string{"36:18: L1.1.descriptors[0].en: a control character (U+0000) in the text; allowed: visible characters, spaces and line breaks"},
		},
	})
}
