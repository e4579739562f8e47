package framework

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/internal/errs"
)

// content is a pack under the keys of its file.
type content struct {
	Format string `json:"format"`
	*Pack
	Digest string `json:"digest,omitempty"`
}

// WriteJSON writes the pack as indented JSON: the keys of its file, and digest.
func WriteJSON(w io.Writer, p *Pack) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(content{Format, p, hex.EncodeToString(p.Digest[:])}); err != nil {
		return fmt.Errorf("write pack %s: %w", p.ID, err)
	}
	return nil
}

// WriteText writes the pack as plain text for a person, in language lang or, if
// that is empty, the pack's first, with lines of at most width characters; less
// than 40 counts as 40, and a word that is longer stands alone. The marking is
// the first and the last line. It refuses a language that the pack does not have
// with kind Invalid.
func WriteText(w io.Writer, p *Pack, lang string, width int) error {
	lang, err := p.language(lang)
	if err != nil {
		return err
	}
	t := &writer{w: bufio.NewWriter(w), lang: lang, width: max(width, 40), labels: labelsIn(lang)}
	t.pack(p)
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("write pack %s: %w", p.ID, err)
	}
	return nil
}

// language returns the language to print in: lang, or the pack's first.
func (p *Pack) language(lang string) (string, error) {
	if lang == "" && len(p.Languages) > 0 {
		return p.Languages[0], nil
	}
	if !slices.Contains(p.Languages, lang) {
		return "", errs.New(errs.Invalid, "pack "+p.ID+" has no text in "+errs.Quote(lang), "allowed: "+strings.Join(p.Languages, ", "))
	}
	return lang, nil
}

// writer writes wrapped text. The bufio.Writer keeps the first error.
type writer struct {
	w      *bufio.Writer
	lang   string
	width  int
	labels labels
}

func (t *writer) line(s string) {
	t.w.WriteString(s)
	t.w.WriteByte('\n')
}

// wrap writes text after first, every further line indented by as much as first
// is wide; so is a new paragraph's.
func (t *writer) wrap(first, text string) {
	indent := utf8.RuneCountInString(first)
	for paragraph := range strings.SplitSeq(text, "\n") {
		column := indent
		t.w.WriteString(first)
		for i, word := range strings.Split(paragraph, " ") {
			size := utf8.RuneCountInString(word)
			switch {
			case i == 0:
			case column+1+size > t.width:
				t.w.WriteByte('\n')
				t.w.WriteString(strings.Repeat(" ", indent))
				column = indent
			default:
				t.w.WriteByte(' ')
				column++
			}
			t.w.WriteString(word)
			column += size
		}
		t.w.WriteByte('\n')
		first = strings.Repeat(" ", indent)
	}
}

func (t *writer) heading(title string, underline string) {
	t.line("")
	t.wrap("", title)
	t.line(strings.Repeat(underline, min(utf8.RuneCountInString(title), t.width)))
}

// labelled writes a label on a line and the text below it.
func (t *writer) labelled(label string, text Text) {
	t.line("")
	t.line("  " + label)
	t.wrap("    ", text.In(t.lang))
}

func (t *writer) levels(texts [Descriptors]Text) {
	for i, text := range texts {
		t.wrap(fmt.Sprintf("    %d  ", i), text.In(t.lang))
	}
}

func (t *writer) pack(p *Pack) {
	t.line(p.Marking)
	t.heading(p.Title.In(t.lang), "=")
	t.wrap("", fmt.Sprintf("%s %s, %s, %s", p.ID, p.Version, p.Licence, strings.Join(p.Languages, " ")))
	t.wrap("", fmt.Sprintf("SHA-256 %x", p.Digest))
	t.line("")
	t.wrap("", p.Summary.In(t.lang))
	if said := t.labels.remark(p); said != "" {
		t.line("")
		t.wrap("", said)
	}

	t.heading(t.labels.scale, "-")
	t.wrap("", p.Scale.HouseRule.In(t.lang))
	t.line("")
	t.levels(p.Scale.Levels)

	t.heading(t.labels.rollUp, "-")
	t.wrap("", p.RollUp.Text.In(t.lang))

	if len(p.Crosswalks) > 0 {
		t.heading(t.labels.crosswalk, "-")
		for key, walk := range sorted(p.Crosswalks) {
			t.wrap("    "+key, walk.Title+", "+walk.Version)
		}
	}
	for i := range p.Areas {
		a := &p.Areas[i]
		t.line("")
		t.heading(a.ID+"  "+a.Title.In(t.lang), "=")
		t.wrap("", a.Summary.In(t.lang))
		for j := range a.Outcomes {
			t.outcome(&a.Outcomes[j])
		}
	}
	t.line("")
	t.line(p.Marking)
}

func (t *writer) outcome(o *Outcome) {
	t.line("")
	t.heading(o.ID+"  "+o.Title.In(t.lang), "-")
	t.wrap("", o.Question.In(t.lang))
	t.labelled(t.labels.measure, o.Measure)
	t.line("")
	t.line("  " + t.labels.levels)
	if o.HasDescriptors() {
		t.levels(o.Descriptors)
	} else {
		t.wrap("    ", t.labels.scaleLevels)
	}
	t.labelled(t.labels.evidence, o.Evidence)
	t.labelled(t.labels.why, o.Why)
	if o.NotApplicable != nil {
		t.labelled(t.labels.notApplicable, o.NotApplicable)
	}
	if len(o.Crosswalk) > 0 {
		t.line("")
		t.line("  " + t.labels.crosswalk)
		for key, ids := range sorted(o.Crosswalk) {
			t.wrap("    "+key, strings.Join(ids, ", "))
		}
	}
}

// sorted yields the entries of m by key, every key followed by spaces to two
// beyond the widest.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	keys := slices.Sorted(maps.Keys(m))
	widest := 0
	for _, key := range keys {
		widest = max(widest, len(key))
	}
	return func(yield func(string, V) bool) {
		for _, key := range keys {
			if !yield(fmt.Sprintf("%-*s  ", widest, key), m[key]) {
				return
			}
		}
	}
}
