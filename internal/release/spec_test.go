package release_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"muster/internal/disclosure"
	"muster/internal/doctest"
	"muster/internal/framework"
	"muster/internal/release"
)

const (
	spec       = "../../docs/spec/release.md"
	schemaFile = "../../docs/spec/release.schema.json"
)

func specText(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compile returns the schema, or the part of it that a fragment such as
// "#/$defs/status" names.
func compile(t testing.TB, fragment string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile + fragment)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func decode(t testing.TB, b []byte) any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestSpecNamesEveryField holds docs/spec/release.md to the file as it is.
func TestSpecNamesEveryField(t *testing.T) {
	t.Parallel()
	text := specText(t)
	r := second(t)
	var doc any
	if err := json.Unmarshal(canonical(t, r), &doc); err != nil {
		t.Fatal(err)
	}
	fields := make(map[string]bool)
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				fields[key] = true
				walk(value)
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	walk(doc)
	for _, lang := range append(r.Framework.Languages, "en", "fr") {
		delete(fields, lang) // the keys of texts
	}
	for field := range fields {
		if !strings.Contains(text, "`"+field+"`") && !strings.Contains(text, `"`+field+`"`) {
			t.Errorf("%s does not name %s", spec, field)
		}
	}
	for _, fixed := range []string{release.Kind, release.KindV1} {
		if !strings.Contains(text, "`"+fixed+"`") {
			t.Errorf("%s does not say %q", spec, fixed)
		}
	}
	for _, statement := range r.Method {
		if !strings.Contains(text, "| `"+statement.ID+"` |") {
			t.Errorf("%s has no row for the sentence %s", spec, statement.ID)
		}
	}
	for _, kind := range slices.Concat(framework.OutcomeKinds(), framework.AreaKinds()) {
		if chain := "| `" + strings.Join(disclosure.Chain(kind), "`, `") + "` |"; !strings.Contains(text, chain) {
			t.Errorf("%s has no chain %s, of %s", spec, chain, kind)
		}
	}
}

// TestSpecGivesTheWords compares the document's table of reasons with the words
// that a release gives.
func TestSpecGivesTheWords(t *testing.T) {
	t.Parallel()
	got := make(map[release.Reason]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (?:block|status|group) \\| (.*) \\|$").FindAllStringSubmatch(specText(t), -1) {
		got[release.Reason(row[1])] = row[2]
	}
	want := make(map[release.Reason]string)
	for _, reason := range release.Reasons() {
		want[reason] = reason.Words()["en"]
		if fr := reason.Words()["fr"]; fr == "" || fr == want[reason] {
			t.Errorf("%s in French: %q", reason, fr)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestSpecExamples holds each example of the document to the part of the schema
// that its fence names.
func TestSpecExamples(t *testing.T) {
	t.Parallel()
	fences := regexp.MustCompile("(?m)^```json ([a-z]+)$").FindAllStringSubmatch(specText(t), -1)
	blocks := slices.DeleteFunc(doctest.Blocks(spec, []byte(specText(t))), func(b doctest.Block) bool { return b.Lang != "json" })
	if len(fences) < 3 || len(fences) != len(blocks) {
		t.Fatalf("%d examples of json, %d of them named", len(blocks), len(fences))
	}
	for i, b := range blocks {
		if err := compile(t, "#/$defs/"+fences[i][1]).Validate(decode(t, []byte(b.Text))); err != nil {
			t.Errorf("%s:%d: %v", spec, b.Line, err)
		}
	}
}

func TestSchemaAcceptsReleases(t *testing.T) {
	t.Parallel()
	schema := compile(t, "")
	for n := 22; n < 42; n += 4 {
		if err := schema.Validate(decode(t, canonical(t, made(t, n, uint64(n))))); err != nil {
			t.Fatal(err)
		}
	}
	if err := schema.Validate(decode(t, canonical(t, second(t)))); err != nil {
		t.Fatal(err)
	}
}

// TestSchemaRefuses takes one field after another out of a release and puts an
// unknown one in, wherever there is an object that is no text: the schema must
// notice each, and so must Parse.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	schema := compile(t, "")
	whole := canonical(t, second(t))
	optional := map[string]bool{"marking": true, "turnover": true, "dropped": true}
	changed := 0
	var walk func(doc, v any)
	refuse := func(doc any, what string) {
		changed++
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(decode(t, b)) == nil {
			t.Errorf("the schema accepts a release with %s", what)
		}
		if _, err := release.Parse(b); err == nil {
			t.Errorf("Parse accepts a release with %s", what)
		}
	}
	walk = func(doc, v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, isText := v["en"]; isText {
				return
			}
			for _, key := range slices.Sorted(maps.Keys(v)) {
				old := v[key]
				walk(doc, old)
				if !optional[key] && !release.Reason(key).Known() {
					delete(v, key)
					refuse(doc, "no "+key)
					v[key] = old
				}
			}
			v["unknown"] = 1
			refuse(doc, "an unknown field")
			delete(v, "unknown")
		case []any:
			if len(v) > 0 {
				walk(doc, v[0]) // all others are alike
			}
		}
	}
	var doc any
	if err := json.Unmarshal(whole, &doc); err != nil {
		t.Fatal(err)
	}
	walk(doc, doc)
	if changed < 60 {
		t.Errorf("only %d changes were tried", changed)
	}
}
