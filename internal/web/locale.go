package web

import (
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
)

// Printer writes the texts of pages in one language.
type Printer struct {
	Lang      string
	localizer *i18n.Localizer
	fixed     map[string]string // messages without a parameter, by id
	ids       []string
	refusals  *refusals
}

// newPrinters reads LANG.yaml of every file system for every language of the
// pages, and of the first the refusals. Every language has to have every message.
func newPrinters(locales []fs.FS) (map[string]*Printer, error) {
	bundle := i18n.NewBundle(language.Make(Languages()[0]))
	printers := make(map[string]*Printer)
	for _, lang := range Languages() {
		p := &Printer{Lang: lang, fixed: make(map[string]string)}
		for _, fsys := range locales {
			if err := p.read(bundle, fsys); err != nil {
				return nil, err
			}
		}
		slices.Sort(p.ids)
		var err error
		if p.refusals, err = readRefusals(locales[0], lang); err != nil {
			return nil, err
		}
		p.localizer = i18n.NewLocalizer(bundle, lang)
		printers[lang] = p
		if first := printers[Languages()[0]]; !slices.Equal(p.ids, first.ids) {
			return nil, fmt.Errorf("messages differ between %s and %s: %s", first.Lang, lang, strings.Join(difference(first.ids, p.ids), ", "))
		}
	}
	return printers, nil
}

func (p *Printer) read(bundle *i18n.Bundle, fsys fs.FS) error {
	name := p.Lang + ".yaml"
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("messages: %w", err)
	}
	file, err := i18n.ParseMessageFileBytes(text, name, map[string]i18n.UnmarshalFunc{"yaml": yaml.Unmarshal})
	if err != nil {
		return fmt.Errorf("messages %s: %w", name, err)
	}
	for _, m := range file.Messages {
		if slices.Contains(p.ids, m.ID) {
			return fmt.Errorf("messages %s: %s appears twice", name, m.ID)
		}
		p.ids = append(p.ids, m.ID)
		for _, form := range []*string{&m.One, &m.Many, &m.Other} {
			*form = typeset(p.Lang, *form)
		}
		if m.Many == "" { // the form of round millions in French
			m.Many = m.Other
		}
		if !strings.Contains(m.Other, "{{") && m.One == "" {
			p.fixed[m.ID] = m.Other
		}
	}
	return bundle.AddMessages(file.Tag, file.Messages...)
}

// typeset puts the no-break spaces that French typography asks for before its
// tall punctuation marks, and its apostrophe, so that message files need nothing
// that a keyboard does not have.
func typeset(lang, text string) string {
	if lang != "fr" {
		return text
	}
	return strings.NewReplacer("'", "’", " :", "\u00a0:", " ;", "\u202f;", " ?", "\u202f?", " !", "\u202f!", "« ", "«\u00a0", " »", "\u00a0»", " %", "\u202f%").Replace(text)
}

func difference(a, b []string) []string {
	var d []string
	for _, id := range a {
		if !slices.Contains(b, id) {
			d = append(d, id)
		}
	}
	for _, id := range b {
		if !slices.Contains(a, id) {
			d = append(d, id)
		}
	}
	return d
}

// Messages returns the ids of all messages, sorted.
func (p *Printer) Messages() []string { return slices.Clone(p.ids) }

// T returns the message with its parameters: name, value and so on. Numbers are
// written as the language writes them. An id that no file has is a fault of the
// program and panics; tests render every page in every language.
func (p *Printer) T(id string, pairs ...any) string {
	if text, ok := p.fixed[id]; ok {
		return text
	}
	return p.localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: p.data(pairs)})
}

// N returns the message in the plural form of n, which it may name as {{.N}}.
func (p *Printer) N(id string, n int, pairs ...any) string {
	data := p.data(pairs)
	data["N"] = p.Number(n)
	return p.localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: n, TemplateData: data})
}

func (p *Printer) localize(cfg *i18n.LocalizeConfig) string {
	text, err := p.localizer.Localize(cfg)
	if err != nil {
		panic(fmt.Sprintf("web: message %s in %s: %v", cfg.MessageID, p.Lang, err))
	}
	return text
}

func (p *Printer) data(pairs []any) map[string]any {
	data := make(map[string]any, len(pairs)/2+1)
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i+1]
		if n, ok := value.(int); ok {
			value = p.Number(n)
		}
		data[pairs[i].(string)] = value
	}
	return data
}

// Number writes a whole number with the language's separator of thousands.
func (p *Printer) Number(n int) string {
	digits := strconv.Itoa(n)
	if len(digits) <= 4 { // a year, and what needs no help
		return digits
	}
	separator := ","
	if p.Lang == "fr" {
		separator = "\u202f"
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteString(separator)
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Figure writes a number with two significant digits, three decimals at most: more
// would claim more than a simulation knows.
func (p *Printer) Figure(x float64) string {
	if x == 0 {
		return "0"
	}
	text := strconv.FormatFloat(x, 'f', min(max(0, 1-int(math.Floor(math.Log10(math.Abs(x))))), 3), 64)
	if p.Lang == "fr" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return strings.Replace(text, "-", "\u2212", 1)
}

// Percent writes a share as [Printer.Figure] writes numbers.
func (p *Printer) Percent(share float64) string {
	if p.Lang == "fr" {
		return p.Figure(100*share) + "\u202f%"
	}
	return p.Figure(100*share) + "\u00a0%"
}

// Date writes the day, in UTC, of a time in seconds since 1970.
func (p *Printer) Date(seconds int64) string {
	at := time.Unix(seconds, 0).UTC()
	day := strconv.Itoa(at.Day())
	if p.Lang == "fr" && at.Day() == 1 {
		day = "1er"
	}
	return p.T("date.day", "Day", day, "Month", p.T("month.m"+strconv.Itoa(int(at.Month()))), "Year", strconv.Itoa(at.Year()))
}

// List joins words: "a, b and c".
func (p *Printer) List(words []string) string { return p.join(words, "list.and") }

// Either joins words: "a, b or c".
func (p *Printer) Either(words []string) string { return p.join(words, "list.or") }

func (p *Printer) join(words []string, id string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return p.T(id, "Head", strings.Join(words[:last], ", "), "Last", words[last])
}

// Text is one text in several languages, from a file and not from the kit's
// messages; the language of First is used where the page's is missing.
type Text struct {
	In    map[string]string
	First string
}

// Pick returns the text in the page's language, or what there is, and the
// language that it is in.
func (p *Printer) Pick(t Text) (text, lang string) {
	if s := t.In[p.Lang]; s != "" {
		return s, p.Lang
	}
	return t.In[t.First], t.First
}

// Plain returns the text for an attribute, a title or a file.
func (p *Printer) Plain(t Text) string {
	text, _ := p.Pick(t)
	return text
}

// Show returns the text as HTML that says its language where it is another than
// the page's.
func (p *Printer) Show(t Text) template.HTML {
	text, lang := p.Pick(t)
	escaped := template.HTMLEscapeString(text)
	if lang != p.Lang {
		escaped = `<span lang="` + template.HTMLEscapeString(lang) + `">` + escaped + `</span>`
	}
	return template.HTML(escaped)
}
