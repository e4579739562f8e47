package framework_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
	"muster/internal/framework"
)

func htmlOf(t *testing.T, p *framework.Pack, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := framework.WriteHTML(&b, p, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// htmlPage is what a parser makes of a page.
type htmlPage struct {
	elements map[string]int
	attrs    map[string][]string // name to values
	text     string              // of all elements but style
	style    string
}

// parseHTML reads a page with a parser that knows nothing of who wrote it, and
// fails if an element is not closed where it should be.
func parseHTML(t *testing.T, page string) htmlPage {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.AutoClose, d.Entity = xml.HTMLAutoClose, xml.HTMLEntity
	d.Strict = false
	got := htmlPage{elements: map[string]int{}, attrs: map[string][]string{}}
	var open []string
	var text, style strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page does not parse: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			got.elements[token.Name.Local]++
			for _, a := range token.Attr {
				got.attrs[a.Name.Local] = append(got.attrs[a.Name.Local], a.Value)
			}
			open = append(open, token.Name.Local)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != token.Name.Local {
				t.Fatalf("</%s> closes %q", token.Name.Local, open)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 && open[len(open)-1] == "style" {
				style.Write(token)
			} else {
				text.Write(token)
			}
		case xml.Comment, xml.ProcInst:
			t.Errorf("the page holds %T", token)
		}
	}
	if len(open) > 0 {
		t.Errorf("%q are never closed", open)
	}
	got.text, got.style = text.String(), style.String()
	return got
}

func TestWriteHTMLGolden(t *testing.T) {
	t.Parallel()
	golden(t, "harbour.fr.html", []byte(htmlOf(t, harbour(t), "fr")))
}

// textsOf returns every text of p in one language, without those that the scale
// and its rule repeat.
func textsOf(p *framework.Pack, lang string) []string {
	var all []string
	add := func(texts ...framework.Text) {
		for _, text := range texts {
			if text != nil {
				all = append(all, strings.Split(text.In(lang), "\n")...)
			}
		}
	}
	add(p.Title, p.Summary, p.Scale.HouseRule, p.RollUp.Text)
	add(p.Scale.Levels[:]...)
	for _, a := range p.Areas {
		add(a.Title, a.Summary)
		for _, o := range a.Outcomes {
			add(o.Title, o.Question, o.Measure, o.Evidence, o.Why, o.NotApplicable)
			add(o.Descriptors[:]...)
		}
	}
	return all
}

func TestWriteHTMLSaysEverythingInOneLanguage(t *testing.T) {
	t.Parallel()
	p := harbour(t)
	for lang, other := range map[string]string{"en": "fr", "fr": "en"} {
		got := parseHTML(t, htmlOf(t, p, lang))
		for _, text := range textsOf(p, lang) {
			if !strings.Contains(got.text, text) {
				t.Errorf("the page in %q does not say %q", lang, text)
			}
		}
		for _, text := range textsOf(p, other) {
			if len(text) > 20 && strings.Contains(got.text, text) {
				t.Errorf("the page in %q says %q", lang, text)
			}
		}
		if want := map[string]string{"en": `content: "Harbour\20 lights"`, "fr": `content: "Feux\20 du\20 port"`}[lang]; !strings.Contains(got.style, want) {
			t.Errorf("the style has no %s", want)
		}
		if want := `content: "TLP\3a CLEAR"`; !strings.Contains(got.style, want) {
			t.Errorf("the style has no %s", want)
		}
		if !slices.Equal(got.attrs["lang"], []string{lang}) {
			t.Errorf("lang = %q", got.attrs["lang"])
		}
		// The scale's house rule: once for itself and once at every area.
		if n := strings.Count(got.text, p.Scale.HouseRule.In(lang)); n != 1+len(p.Areas) {
			t.Errorf("the house rule is %d times on the page", n)
		}
		// A level: at the scale, at every area and at every outcome.
		if n := strings.Count(got.text, p.Scale.Levels[4].In(lang)); n != 1+len(p.Areas)+len(p.Outcomes()) {
			t.Errorf("level 4 is %d times on the page", n)
		}
		for _, word := range []string{p.Marking, p.Version, p.ID, p.Licence, "1.a, 1.b"} {
			if !strings.Contains(got.text, word) {
				t.Errorf("the page in %q does not say %q", lang, word)
			}
		}
	}
	if def := htmlOf(t, p, ""); def != htmlOf(t, p, "en") {
		t.Error("without a language the page is not in the pack's first")
	}
}

// TestWriteHTMLNeedsNothing looks for whatever a browser would fetch or run.
func TestWriteHTMLNeedsNothing(t *testing.T) {
	t.Parallel()
	page := htmlOf(t, harbour(t), "en")
	got := parseHTML(t, page)
	for _, element := range []string{"script", "link", "img", "iframe", "object", "embed", "base", "form"} {
		if got.elements[element] > 0 {
			t.Errorf("the page has <%s>", element)
		}
	}
	for _, word := range []string{"ZgotmplZ", "http:", "https:", "url(", "@import", "javascript:"} {
		if strings.Contains(page, word) {
			t.Errorf("the page has %q", word)
		}
	}
	ids := got.attrs["id"]
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("an id is there twice: %q", ids)
	}
	for _, href := range got.attrs["href"] {
		if id, ok := strings.CutPrefix(href, "#"); !ok || !slices.Contains(ids, id) {
			t.Errorf("a link leads to %q", href)
		}
	}
	for _, id := range got.attrs["aria-labelledby"] {
		if !slices.Contains(ids, id) {
			t.Errorf("something is named by %q", id)
		}
	}
	for _, o := range harbour(t).Outcomes() {
		if !slices.Contains(got.attrs["href"], "#"+o.ID) {
			t.Errorf("no link to %s", o.ID)
		}
	}
}

// TestWriteHTMLEscapes puts what would be markup, style or template into every
// text of a pack, and expects to read it as text.
func TestWriteHTMLEscapes(t *testing.T) {
	t.Parallel()
	sound := parseHTML(t, htmlOf(t, harbour(t), "en"))
	for name, hostile := range map[string]string{
		"script":   `</style></title><script>alert(1)</script>`,
		"handler":  `"><img src=x onerror=alert(1)>`,
		"single":   `' onmouseover='alert(1)`,
		"style":    `"; } body { background: url(//example.org/x) } @import "x`,
		"comment":  `--><!-- <![CDATA[ x ]]>`,
		"template": `{{.Marking}} {{template "text"}} ${x} <%= x %>`,
		"entity":   `&lt;b&gt; &amp; &#x3c;script&#x3e; \3c script\3e`,
		"link":     `javascript:alert(1) data:text/html,<b>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var pack any
			if err := json.Unmarshal(harbour(t).Canonical(), &pack); err != nil {
				t.Fatal(err)
			}
			n := 0
			poison(pack, func() string { n++; return hostile + strings.Repeat(" ", 1) + strings.Repeat("i", n) })
			text, err := json.Marshal(pack)
			if err != nil {
				t.Fatal(err)
			}
			p, err := framework.Read("p", bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			page := htmlOf(t, p, "en")
			got := parseHTML(t, page)
			if diff := cmp.Diff(sound.elements, got.elements, cmp.Transformer("sansP", withoutParagraphs)); diff != "" {
				t.Errorf("elements (-sound +hostile):\n%s", diff)
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(sound.attrs)), slices.Sorted(maps.Keys(got.attrs))); diff != "" {
				t.Errorf("attributes (-sound +hostile):\n%s", diff)
			}
			for _, text := range textsOf(p, "en") {
				if !strings.Contains(got.text, text) {
					t.Errorf("the page does not say %q", text)
				}
			}
			if strings.Contains(page, "ZgotmplZ") {
				t.Error("a text was left out")
			}
			if strings.Contains(got.style, "url(") || strings.Contains(got.style, "@import") || strings.Contains(got.style, "<") {
				t.Error("a text became style")
			}
			if strings.Count(got.style, "{") != strings.Count(sound.style, "{") || strings.Count(got.style, `"`) != strings.Count(sound.style, `"`) {
				t.Error("a text closed a string or a rule of the style")
			}
		})
	}
}

// withoutParagraphs leaves out what the texts themselves have more or less of.
func withoutParagraphs(elements map[string]int) map[string]int {
	rest := maps.Clone(elements)
	delete(rest, "p")
	return rest
}

// poison replaces the English of every text below v.
func poison(v any, text func() string) {
	switch v := v.(type) {
	case []any:
		for _, child := range v {
			poison(child, text)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if _, ok := v[key].(string); ok && key == "en" {
				v[key] = text()
			}
			poison(v[key], text)
		}
	}
}

func TestWriteHTMLRefusesLanguage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := framework.WriteHTML(&b, harbour(t), "de")
	if errs.KindOf(err) != errs.Invalid || b.Len() > 0 {
		t.Errorf("err = %v after %d bytes, want a refusal of kind invalid", err, b.Len())
	}
	full := errors.New("no space left")
	if err := framework.WriteHTML(fullDisk{full}, harbour(t), "en"); !errors.Is(err, full) {
		t.Errorf("err = %v, want %v", err, full)
	}
}
