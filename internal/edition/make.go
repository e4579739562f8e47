package edition

import (
	"errors"
	"fmt"
	"slices"

	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
)

// Config is what a document is made of.
type Config struct {
	Name    Name
	Number  int
	Release *release.Release
	Digest  string // hex SHA-256 of the release's file
	Text    string
	File    string // as whoever wrote the text calls it, for faults; empty: the edition's name
}

// Made is a document with what whoever wrote its text should look at again. Where the
// text has faults the document is as far as it can be made: for a preview, and nothing
// else.
type Made struct {
	Document *Document
	Faults   errs.Faults // why it cannot be proposed
	Warnings errs.Faults
}

// Make makes a document of a text. What is wrong with the text is in the result; an
// error is of anything else.
func Make(cfg Config) (Made, error) {
	if !cfg.Name.Known() {
		return Made{}, errNoEdition
	}
	r := cfg.Release
	if !r.Status.Publishable && r.Marking == "" {
		return Made{}, errs.New(errs.Conflict, "the release may not be shown: no edition is made of it", "")
	}
	file := cfg.File
	if file == "" {
		file = string(cfg.Name)
	}
	text, faults := read(cfg.Name, file, cfg.Text)
	for _, id := range text.areas {
		if !slices.ContainsFunc(r.Areas, func(a release.Area) bool { return a.ID == id }) {
			faults = append(faults, errs.Fault{File: file, Line: text.places["areas"], Field: "areas", Message: errs.Quote(id) + " is no area of the release"})
		}
	}
	detail := detailFor(text.circles)
	d := &Document{
		Kind: Kind, Edition: cfg.Name, Number: cfg.Number, Coalition: r.Coalition, Cycle: r.Cycle, Cohort: r.Cohort, Marking: r.Marking,
		TLP: text.tlp.String(), For: namesOf(text.circles), Announced: namesOf(text.announced), Release: cfg.Digest,
		Framework: r.Framework, Members: r.Participation.Members, TookPart: r.Participation.Submissions, Least: r.Rule.MinimumBand, Detail: detail, Scale: r.Scale,
		Areas: cut(r, detail, text.areas), Text: make(map[string][]Block),
	}
	if !text.embargo.IsZero() {
		d.Embargo = text.embargo.Unix()
	}
	if !text.expires.IsZero() {
		d.Expires = text.expires.Unix()
	}
	fault := func(field string) func(at, column int, message, allowed string) {
		return func(at, column int, message, allowed string) {
			if len(faults) < errs.MaxFaults {
				faults = append(faults, errs.Fault{File: file, Line: at, Column: column, Field: field, Message: message, Allowed: allowed})
			}
		}
	}
	d.Title = framework.Text{}
	if cfg.Name == Public {
		d.Sentence = framework.Text{}
	}
	for _, lang := range languages() {
		for name, texts := range map[string][2]framework.Text{"title": {text.title, d.Title}, "sentence": {text.sentence, d.Sentence}} {
			if value := texts[0][lang]; value != "" {
				field := name + "." + lang
				texts[1][lang] = Block{Spans: d.spans(lang, value, text.places[field], len(field)+3, fault(field))}.String()
			}
		}
		d.Text[lang] = []Block{}
		for _, l := range text.text[lang] {
			d.Text[lang] = append(d.Text[lang], Block{l.sort, d.spans(lang, l.text, l.at, l.sort.column(), fault(""))})
		}
	}
	_ = faults.Err() // in order
	return Made{d, faults, warnings(file, text)}, nil
}

// Encode returns the file: canonical JSON.
func (d *Document) Encode() ([]byte, error) { return keys.Canonical(d) }

func invalid(format string, args ...any) error {
	return errs.New(errs.Invalid, "the edition "+fmt.Sprintf(format, args...), "")
}

// Parse reads an edition's file strictly: the canonical form alone. Whether its figures are
// those of the release is held whenever everything is attacked.
func Parse(body []byte) (*Document, error) {
	if len(body) > release.MaxSize {
		return nil, invalid("has %d bytes", len(body))
	}
	var d Document
	if err := keys.DecodeCanonical(body, &d); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the edition cannot be read", "")
	}
	switch {
	case d.Kind != Kind:
		return nil, invalid("is of no kind that this program reads: %s", errs.Quote(d.Kind))
	case !d.Edition.Known(), d.Number < 1, d.TookPart < 1, d.Members < d.TookPart, d.Least < 1:
		return nil, invalid("does not say what it is of")
	case detailFor(circlesOf(d.For)) != d.Detail:
		return nil, invalid("is finer than it may be for whom it is for")
	}
	for _, f := range d.Figures() {
		if f.Block.Total() != uint64(d.TookPart) {
			return nil, invalid("counts other members in %s%s than took part", f.Area, f.Outcome)
		}
	}
	return &d, nil
}

// errNoEdition is the answer to whoever an edition is not for, and to who asks for one
// that there is not.
var errNoEdition = errs.New(errs.NotFound, "there is no such edition", "")

// asFaults returns faults as an error of kind Invalid that says what they are of.
func asFaults(f errs.Faults) error {
	if err := f.Err(); err != nil {
		return errs.Wrap(err, errs.Invalid, "the text has "+count(len(f), "fault")+": "+f[0].String(), "the page on which it is written names them all, and so does muster coordinator edition show")
	}
	return nil
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// isNotFound reports whether an error says that there is no such thing.
func isNotFound(err error) bool {
	var e *errs.Error
	return errors.As(err, &e) && e.Kind == errs.NotFound
}
