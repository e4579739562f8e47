package framework

import (
	"crypto/sha256"
	"hash"
	"maps"
	"slices"
	"strconv"
)

// Canonical returns everything that a pack of [Read] says, in all its languages,
// as RFC 8785 JSON: an object with the keys of the file, format included.
// Optional keys that the file leaves out are left out. [Pack.Digest] is SHA-256
// over these bytes.
//
// It is written here and not by a JSON canonicaliser because that took two
// thirds as long as parsing the YAML; a test holds the two together.
func (p *Pack) Canonical() []byte {
	w := canonical{languages: slices.Sorted(slices.Values(p.Languages))}
	w.pack(p)
	return w.b
}

func (p *Pack) digest() (sum [32]byte) {
	w := canonical{
		b:         make([]byte, 0, 2*flushAt),
		languages: slices.Sorted(slices.Values(p.Languages)),
		hash:      sha256.New(),
	}
	w.pack(p)
	w.hash.Write(w.b)
	w.hash.Sum(sum[:0])
	return sum
}

// canonical writes canonical JSON. Its callers write keys in the order of RFC
// 8785, which for our keys (ASCII) is the order of their bytes.
type canonical struct {
	b         []byte
	languages []string  // sorted
	hash      hash.Hash // takes b from time to time; may be nil
}

// flushAt is how many bytes are kept before the hash takes them.
const flushAt = 4096

func (w *canonical) raw(s string) { w.b = append(w.b, s...) }

// value writes s as a JSON string (RFC 8785 3.2.2.2).
func (w *canonical) value(s string) {
	w.b = append(w.b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			w.b = append(w.b, s[from:i]...)
			w.escape(c)
			from = i + 1
		}
	}
	w.b = append(w.b, s[from:]...)
	w.b = append(w.b, '"')
	if w.hash != nil && len(w.b) > flushAt {
		w.hash.Write(w.b)
		w.b = w.b[:0]
	}
}

func (w *canonical) escape(c byte) {
	switch c {
	case '"', '\\':
		w.b = append(w.b, '\\', c)
	case '\b':
		w.raw(`\b`)
	case '\t':
		w.raw(`\t`)
	case '\n':
		w.raw(`\n`)
	case '\f':
		w.raw(`\f`)
	case '\r':
		w.raw(`\r`)
	default:
		const digits = "0123456789abcdef"
		w.b = append(w.b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
}

// member writes `prefix"value"`; prefix holds the key and what comes before it.
func (w *canonical) member(prefix, value string) {
	w.raw(prefix)
	w.value(value)
}

func (w *canonical) text(prefix string, t Text) {
	w.raw(prefix)
	open := byte('{')
	for _, language := range w.languages {
		if said, ok := t[language]; ok {
			w.b = append(w.b, open)
			w.value(language)
			w.b = append(w.b, ':')
			w.value(said)
			open = ','
		}
	}
	if open == '{' {
		w.b = append(w.b, open)
	}
	w.b = append(w.b, '}')
}

func (w *canonical) strings(prefix string, list []string) {
	w.raw(prefix)
	w.b = append(w.b, '[')
	for i, s := range list {
		w.comma(i)
		w.value(s)
	}
	w.b = append(w.b, ']')
}

func (w *canonical) texts(prefix string, list [Descriptors]Text) {
	w.raw(prefix)
	w.b = append(w.b, '[')
	for i, t := range list {
		w.comma(i)
		w.text("", t)
	}
	w.b = append(w.b, ']')
}

func (w *canonical) comma(i int) {
	if i > 0 {
		w.b = append(w.b, ',')
	}
}

func (w *canonical) pack(p *Pack) {
	w.raw(`{`)
	if p.AnsweredBy != "" {
		w.member(`"answered_by":`, p.AnsweredBy)
		w.raw(`,`)
	}
	w.raw(`"areas":[`)
	for i := range p.Areas {
		w.comma(i)
		w.area(&p.Areas[i])
	}
	w.raw(`]`)
	if p.Audience != "" {
		w.member(`,"audience":`, p.Audience)
	}
	if len(p.BeginWith) > 0 {
		w.strings(`,"begin_with":`, p.BeginWith)
	}
	if len(p.Crosswalks) > 0 {
		w.raw(`,"crosswalks":{`)
		for i, key := range slices.Sorted(maps.Keys(p.Crosswalks)) {
			w.comma(i)
			w.value(key)
			w.member(`:{"title":`, p.Crosswalks[key].Title)
			w.member(`,"version":`, p.Crosswalks[key].Version)
			w.raw(`}`)
		}
		w.raw(`}`)
	}
	w.member(`,"format":`, Format)
	w.member(`,"id":`, p.ID)
	w.strings(`,"languages":`, p.Languages)
	w.member(`,"licence":`, p.Licence)
	w.member(`,"marking":`, p.Marking)
	w.raw(`,"roll_up":{"percent":`)
	w.b = strconv.AppendInt(w.b, int64(p.RollUp.Percent), 10)
	w.member(`,"rule":`, p.RollUp.Rule)
	w.text(`,"text":`, p.RollUp.Text)
	w.text(`},"scale":{"house_rule":`, p.Scale.HouseRule)
	w.texts(`,"levels":`, p.Scale.Levels)
	w.text(`},"summary":`, p.Summary)
	w.text(`,"title":`, p.Title)
	w.member(`,"version":`, p.Version)
	w.raw(`}`)
}

func (w *canonical) area(a *Area) {
	w.member(`{"id":`, a.ID)
	w.raw(`,"outcomes":[`)
	for i := range a.Outcomes {
		w.comma(i)
		w.outcome(&a.Outcomes[i])
	}
	w.text(`],"summary":`, a.Summary)
	w.text(`,"title":`, a.Title)
	w.raw(`}`)
}

func (w *canonical) outcome(o *Outcome) {
	w.raw(`{`)
	if len(o.Crosswalk) > 0 {
		w.raw(`"crosswalk":{`)
		for i, key := range slices.Sorted(maps.Keys(o.Crosswalk)) {
			w.comma(i)
			w.value(key)
			w.strings(`:`, o.Crosswalk[key])
		}
		w.raw(`},`)
	}
	if o.HasDescriptors() {
		w.texts(`"descriptors":`, o.Descriptors)
		w.raw(`,`)
	}
	w.text(`"evidence":`, o.Evidence)
	w.member(`,"id":`, o.ID)
	w.text(`,"measure":`, o.Measure)
	if len(o.NotApplicable) > 0 {
		w.text(`,"not_applicable":`, o.NotApplicable)
	}
	w.text(`,"question":`, o.Question)
	w.text(`,"title":`, o.Title)
	w.text(`,"why":`, o.Why)
	w.raw(`}`)
}
