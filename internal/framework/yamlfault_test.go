package framework_test

import "testing"

// TestYAMLFaults does the same for what is wrong with a file as text or as YAML,
// or is YAML that packs do not use.
func TestYAMLFaults(t *testing.T) {
	t.Parallel()
	checkFaults(t, []faultCase{
		{
			"empty file",
			[]edit{{whole, ""}},
			[]string{"1:1: the file is empty; allowed: a pack that begins with format: muster-pack/1"},
		},
		{
			"comments alone",
			[]edit{{whole, "# nothing\n"}},
			[]string{"1:1: the file is empty; allowed: a pack that begins with format: muster-pack/1"},
		},
		{
			"anchor, alias and tag",
			[]edit{{"title: {en: Watch, fr: Veille}", "title: &w {en: Watch, fr: Veille}"}, {"    summary:\n      en: >-\n", "    summary: *w\n    x:\n      en: >-\n"}, {"evidence: {en: Receipts., fr: Les reçus.}", "evidence: {en: !!str 1, fr: Les reçus.}"}},
			[]string{
				"55:24: a tag; allowed: the text without !name",
				"59:12: an anchor; allowed: the text without &name",
				"60:14: an alias; allowed: the text itself, written out",
				`61:5: areas[1]: unknown key "x"; allowed: id, title, summary, outcomes`,
			},
		},
		{
			"alias of nothing",
			[]edit{{"title: {en: Watch, fr: Veille}", "title: *nothing"}},
			[]string{"59:12: an alias; allowed: the text itself, written out"},
		},
		{
			"second document",
			[]edit{{"  - id: L2\n", "---\n  - id: L2\n"}},
			[]string{"58:1: a second document begins; allowed: one document"},
		},
		{
			"end of document",
			[]edit{{"  - id: L2\n", "...\n"}},
			[]string{"58:1: a mark of a document's end; allowed: one document, without the mark"},
		},
		{
			"directive",
			[]edit{{"# A pack of nothing real", "%YAML 1.2\n---\n# A pack of nothing real"}},
			[]string{"1:1: a YAML directive; allowed: a file without one"},
		},
		{
			"tab",
			[]edit{{"  en: Whether", "\u0009en: Whether"}},
			[]string{"10:1: a tab (U+0009); allowed: visible characters, spaces and line breaks"},
		},
		{
			"control character",
			[]edit{{"Nobody counts", "Nobody\u0007 counts"}},
			[]string{"36:24: a control character (U+0007); allowed: visible characters, spaces and line breaks"},
		},
		{
			"direction override",
			[]edit{{"Nobody counts", "Nobody\u202e counts"}},
			[]string{"36:24: a character that changes the direction of text (U+202E); allowed: visible characters, spaces and line breaks"},
		},
		{
			"carriage return alone",
			[]edit{{"title: {en: Watch,", "title: {en: Wat\u000dch,"}},
			[]string{"59:20: a control character (U+000D); allowed: visible characters, spaces and line breaks"},
		},
		{
			"next line character",
			[]edit{{"title: {en: Watch,", "title: {en: Wat\u0085ch,"}},
			[]string{"59:20: a control character (U+0085); allowed: visible characters, spaces and line breaks"},
		},
		{
			"byte order mark",
			[]edit{{"# A pack of", "\ufeff# A pack of"}},
			[]string{"1:1: the file begins with a byte order mark; allowed: UTF-8 without one; save it again in that encoding"},
		},
		{
			"not UTF-8",
			[]edit{{"title: {en: Watch,", "title: {en: Wat\xffch,"}},
			[]string{"59:20: byte 0xff is not UTF-8; allowed: text in UTF-8"},
		},
		{
			"NUL",
			[]edit{{"title: {en: Watch,", "title: {en: Wat\u0000ch,"}},
			[]string{"59:20: a NUL byte; allowed: text in UTF-8"},
		},
		{
			"colon in text",
			[]edit{{"  en: Whether a harbour's lights burn", "  en: Whether: a harbour's lights burn"}},
			[]string{"10:14: a colon inside text without quotes; allowed: the text in quotes; or the key on a line of its own"},
		},
		{
			"colon in text between braces",
			[]edit{{"evidence: {en: Receipts., fr", "evidence: {en: Receipts: all., fr"}},
			[]string{"55:32: a second colon in one element; allowed: the text in quotes, or a comma before the next key"},
		},
		{
			"question mark between braces",
			[]edit{{"evidence: {en: Receipts., fr", "evidence: {en: Receipts? Yes., fr"}},
			[]string{"55:32: '?' in a text without quotes between brackets; allowed: the text in quotes"},
		},
		{
			"comma between braces",
			[]edit{{"evidence: {en: Receipts., fr", "evidence: {en: Receipts, all, fr"}},
			[]string{`55:34: L1.2.evidence: text in "all", which languages does not declare; allowed: en, fr; a text with a comma stands in quotes`},
		},
		{
			"bracket between braces",
			[]edit{{"evidence: {en: Receipts., fr", "evidence: {en: Receipts [all]., fr"}},
			[]string{
				"55:33: '[' in a text without quotes between brackets; allowed: the text in quotes",
				"55:37: ']' closes nothing; allowed: the text in quotes, if it is text",
			},
		},
		{
			"quote within quotes",
			[]edit{{"evidence: {en: Receipts., fr", `evidence: {en: "the "old" receipts", fr`}},
			[]string{"55:30: text after a closing quote or bracket; allowed: a comma or a new line before it; or all of it in one pair of quotes"},
		},
		{
			"quote never closed",
			[]edit{{"evidence: {en: The watch book., fr: Le journal de veille.}", `evidence: {en: "The watch book., fr: Le journal de veille.}`}},
			[]string{"80:24: this quote is never closed; allowed: the same quote at the end of the text"},
		},
		{
			"bracket never closed",
			[]edit{{"evidence: {en: The watch book., fr: Le journal de veille.}", "evidence: {en: The watch book., fr: Le journal de veille."}},
			[]string{
				"80:19: this '{' is never closed; allowed: '}' after the last of its elements",
				"81:12: a second colon in one element; allowed: the text in quotes, or a comma before the next key",
			},
		},
		{
			"bracket that closes nothing",
			[]edit{{"evidence: {en: The watch book., fr: Le journal de veille.}", "evidence: {en: The watch book., fr: Le journal de veille.]"}},
			[]string{"80:66: ']' closes nothing; allowed: the text in quotes, if it is text"},
		},
		{
			"key without colon",
			[]edit{{"licence: Apache-2.0", "licence Apache-2.0"}},
			[]string{`6:1: neither a key with a colon nor the continuation of a text: "licence Apache-2.0"; allowed: a colon after a key; or deeper indentation`},
		},
		{
			"outdented key",
			[]edit{{"  percent: 80", " percent: 80"}},
			[]string{"22:2: indented like nothing above it; allowed: the indentation of a key or dash above it"},
		},
		{
			"overindented key",
			[]edit{{"  percent: 80", "   percent: 80"}},
			[]string{"22:11: a colon inside text without quotes; allowed: the text in quotes; or the key on a line of its own"},
		},
		{
			"text that begins with an at sign",
			[]edit{{"title: {en: Watch, fr: Veille}", "title:\n      en: @watch\n      fr: Veille"}},
			[]string{"60:11: text that begins with '@'; allowed: the text in quotes"},
		},
		{
			"text that begins with a bracket",
			[]edit{{"title: {en: Watch, fr: Veille}", "title:\n      en: [Watch] out\n      fr: Veille"}},
			[]string{"60:19: text after a closing quote or bracket; allowed: a comma or a new line before it; or all of it in one pair of quotes"},
		},
		{
			"dash after a key",
			[]edit{{"languages: [en, fr]", "languages: - en"}},
			[]string{"7:12: a list's dash after other text; allowed: the dash first on its line; or the text in quotes"},
		},
		{
			"explicit key",
			[]edit{{"licence: Apache-2.0", "? licence\n: Apache-2.0"}},
			[]string{"6:1: a question mark that begins an element; allowed: a key and a colon; or the text in quotes"},
		},
		{
			"multi-line key",
			[]edit{{"licence: Apache-2.0", "\"lic\n  ence\": Apache-2.0"}},
			[]string{"7:8: a colon inside text without quotes; allowed: the text in quotes; or the key on a line of its own"},
		},
		{
			"value missing its indentation",
			[]edit{{"        evidence: {en: Receipts., fr: Les reçus.}", "        evidence:\n        Receipts."}},
			[]string{`56:9: neither a key with a colon nor the continuation of a text: "Receipts."; allowed: a colon after a key; or deeper indentation`},
		},
	})
}
