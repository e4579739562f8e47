package web

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A refusal is written once, in English, where something is refused: the commands speak
// English, and a caller that is no page has no language. The sentence is its own id.
// The files refusal/*.LANG.yaml have it in another language, with {} for what differs
// from one refusal to the next. In the translation {1} is the first of these as it is,
// and <1> the same as a word or a sentence of ours, in that language too, or in quotes:
// where it is neither, the sentence is not this one. A test walks the sources of the packages whose
// refusals pages show, and finds no sentence without a translation.

// The longest refusal that is looked up, in bytes, and how often one may stand within
// another: an outcome in a batch, a row of a form, and what is wrong with it.
const (
	maxRefusal = 2_000
	maxWithin  = 4
)

// refusals are the sentences of a language.
type refusals struct {
	ids   []string          // every sentence, in the order in which they are tried
	fixed map[string]string // without anything that differs
	open  []sentence        // with; what says most of itself comes first
}

// sentence is what refusals say in English, around what differs, and in another language.
type sentence struct {
	parts []string // one more than what differs
	said  []piece
}

// piece is a text of a translation and, unless it is the last, what comes after it.
type piece struct {
	text string
	at   int  // which of what differs, from 1; 0 for nothing
	ours bool // it is a word or a sentence of ours
}

// readRefusals reads the sentences of a language; there are none for the first.
func readRefusals(fsys fs.FS, lang string) (*refusals, error) {
	names, err := fs.Glob(fsys, "refusal/*."+lang+".yaml")
	if err != nil {
		return nil, err
	}
	said := make(map[string]string)
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("refusals: %w", err)
		}
		var pairs map[string]string
		if err := yaml.Unmarshal(text, &pairs); err != nil {
			return nil, fmt.Errorf("refusals %s: %w", name, err)
		}
		for english, other := range pairs {
			if said[english] != "" || other == "" {
				return nil, fmt.Errorf("refusals %s: %q appears twice, or says nothing", name, english)
			}
			said[english] = other
		}
	}
	all := &refusals{fixed: make(map[string]string)}
	for english := range said {
		all.ids = append(all.ids, english)
	}
	own := func(english string) int { return len(strings.ReplaceAll(english, "{}", "")) }
	slices.SortFunc(all.ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(own(b), own(a)), strings.Compare(b, a))
	})
	for _, english := range all.ids {
		if err := all.add(english, typeset(lang, said[english])); err != nil {
			return nil, fmt.Errorf("refusals in %s: %q: %w", lang, english, err)
		}
	}
	return all, nil
}

// place is where a translation has what differs.
var place = regexp.MustCompile(`\{[1-9]\}|<[1-9]>`)

func (r *refusals) add(english, said string) error {
	s := sentence{parts: strings.Split(english, "{}")}
	from := 0
	var at []int
	for _, found := range place.FindAllStringIndex(said, -1) {
		n := int(said[found[0]+1] - '0')
		at = append(at, n)
		s.said = append(s.said, piece{text: said[from:found[0]], at: n, ours: said[found[0]] == '<'})
		from = found[1]
	}
	s.said = append(s.said, piece{text: said[from:]})
	slices.Sort(at)
	for i := range max(len(at), len(s.parts)-1) {
		if len(at) != len(s.parts)-1 || at[i] != i+1 {
			return errors.New("the translation does not say each of what differs once")
		}
	}
	if len(at) == 0 {
		r.fixed[english] = said
		return nil
	}
	r.open = append(r.open, s)
	return nil
}

// Refusals returns the English sentences that a printer has in its language.
//
// These are functions and no methods: every view of a page has the methods of its
// printer, and the program would have each of them some hundred times.
func Refusals(p *Printer) []string { return slices.Clone(p.refusals.ids) }

// match returns what differs in an English sentence, and whether it is this one. What is
// in quotes is taken as a whole, so that nothing in it is read as a part of ours.
func (s sentence) match(text string) ([]string, bool) {
	rest, ok := strings.CutPrefix(text, s.parts[0])
	if !ok {
		return nil, false
	}
	last := len(s.parts) - 1
	var found []string
	for _, part := range s.parts[1:last] {
		value := quoted(rest)
		if value != "" {
			rest, ok = strings.CutPrefix(rest[len(value):], part)
		} else {
			value, rest, ok = strings.Cut(rest, part)
		}
		if !ok || value == "" {
			return nil, false
		}
		found = append(found, value)
	}
	value, ok := strings.CutSuffix(rest, s.parts[last])
	return append(found, value), ok && value != ""
}

// quoted returns what text begins with that [errs.Quote] wrote.
func quoted(text string) string {
	value, err := strconv.QuotedPrefix(text)
	if err != nil || value[0] != '"' {
		return ""
	}
	if strings.HasPrefix(text[len(value):], "…") {
		value += "…"
	}
	return value
}

// Refusal returns the message or the hint of a refusal for a page: in its language
// where that has the sentence, else as it is.
func Refusal(p *Printer, text string) Text {
	first := Languages()[0]
	t := Text{In: map[string]string{first: text}, First: first}
	if p.Lang != first {
		if said, ok := p.translate(text, 0); ok {
			t.In[p.Lang] = said
		}
	}
	return t
}

// ShowRefusal returns the message or the hint of a refusal as a sentence of a page that
// says its language where it is another than the page's; nothing for an empty one.
func ShowRefusal(p *Printer, text string) template.HTML {
	if text == "" {
		return ""
	}
	t := Refusal(p, text)
	for lang, said := range t.In {
		t.In[lang] = said + "."
	}
	return p.Show(t)
}

// translate returns an English sentence in the printer's language, and whether it has it.
func (p *Printer) translate(text string, within int) (string, bool) {
	if len(text) > maxRefusal || within > maxWithin {
		return "", false
	}
	if said, ok := p.refusals.fixed[text]; ok {
		return said, true
	}
	for _, s := range p.refusals.open {
		if found, ok := s.match(text); ok {
			if said, ok := p.fill(s, found, within); ok {
				return said, true
			}
		}
	}
	return "", false
}

// fill puts what differs into a translation. A sentence that begins with what is
// neither in quotes nor one word is another sentence, of which this is the end.
func (p *Printer) fill(s sentence, found []string, within int) (string, bool) {
	var b strings.Builder
	for _, piece := range s.said {
		b.WriteString(piece.text)
		if piece.at == 0 {
			continue
		}
		value := found[piece.at-1]
		if piece.ours {
			said, ok := p.translate(value, within+1)
			if !ok && value != "" && quoted(value) == value {
				said, ok = p.value(value), true
			}
			if !ok {
				return "", false
			}
			b.WriteString(said)
			continue
		}
		if piece.at == 1 && s.parts[0] == "" && quoted(value) != value && strings.Contains(value, " ") {
			return "", false
		}
		b.WriteString(p.value(value))
	}
	return b.String(), true
}

// value writes what differs as the language writes it: a number with its separators,
// what is quoted in its own marks.
func (p *Printer) value(text string) string {
	if n, err := strconv.Atoi(text); err == nil && strconv.Itoa(n) == text {
		return p.Number(n)
	}
	if p.Lang == "fr" && quoted(text) == text {
		inner, more := strings.CutSuffix(text, "…")
		inner = inner[1 : len(inner)-1]
		if more {
			inner += "…"
		}
		return "«\u00a0" + inner + "\u00a0»"
	}
	return text
}
