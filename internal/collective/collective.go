// Package collective is what a coalition says of itself: one answer an outcome,
// given once by the coordinator for the coalition as a whole, open to all members.
//
//	a, err := collective.New(collective.Config{Pack: pack, Coalition: "…", Cycle: "2026", Answers: answers})
//	body, err := a.Canonical() // collective.json, which the coordinator signs
//	a, err = collective.Parse(body)
//
// These are answers and no totals: nobody's are hidden in them, and no disclosure
// rule applies. That is why they have a file of their own, and why no type of it
// holds a member's name. docs/spec/collective.md specifies the file.
package collective

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// Kind is the first field of the file.
const Kind = "muster collective v1"

// MaxSize bounds what [Parse] reads, in bytes.
const MaxSize = 4 << 20

// Answer is what the coalition says of one outcome, as [framework.Level] and
// [framework.Grade] write it. Empty fields say nothing.
type Answer struct {
	Level    string `json:"level"`              // "0" to "4", "na" or "withheld"
	Verified string `json:"verified,omitempty"` // the same, as somebody outside found it
	Target   string `json:"target,omitempty"`   // "0" to "4"
	Evidence string `json:"evidence,omitempty"` // "E0" to "E3"
}

// Assessment is the file.
type Assessment struct {
	Kind      string    `json:"kind"` // [Kind]
	Marking   string    `json:"marking,omitempty"`
	Coalition string    `json:"coalition"`
	Cycle     string    `json:"cycle"`
	Framework Framework `json:"framework"`
	Scale     Scale     `json:"scale"`
	Areas     []Area    `json:"areas"`
}

// Framework is the pack that was answered, with what a reader calls it by.
type Framework struct {
	framework.Ref
	Languages []string       `json:"languages"` // the first is the default
	Title     framework.Text `json:"title"`
}

// Scale is the meaning of the levels.
type Scale struct {
	HouseRule framework.Text                        `json:"house_rule"`
	Levels    [framework.Descriptors]framework.Text `json:"levels"` // level 0 first
}

// Area is the answers of an area.
type Area struct {
	ID       string         `json:"id"`
	Title    framework.Text `json:"title"`
	Outcomes []Outcome      `json:"outcomes"`
}

// Outcome is an outcome and the answer to it.
type Outcome struct {
	ID    string         `json:"id"`
	Title framework.Text `json:"title"`
	Answer
}

// Config is what an assessment is made from.
type Config struct {
	Pack      *framework.Pack
	Marking   string // such as "SYNTHETIC"; may be empty
	Coalition string
	Cycle     string
	Answers   map[string]Answer // by outcome; every outcome of the pack has one
}

// New puts answers and pack together. It refuses, with kind Invalid, what
// [Parse] would refuse, and answers that are missing or to no outcome of the pack.
func New(cfg Config) (*Assessment, error) {
	if cfg.Pack == nil {
		return nil, errs.New(errs.Invalid, "an assessment of the coalition needs a framework", "")
	}
	p := cfg.Pack
	a := &Assessment{
		Kind: Kind, Marking: cfg.Marking, Coalition: cfg.Coalition, Cycle: cfg.Cycle,
		Framework: Framework{Ref: p.Ref(), Languages: slices.Clone(p.Languages), Title: p.Title},
		Scale:     Scale{HouseRule: p.Scale.HouseRule, Levels: p.Scale.Levels},
	}
	var missing []string
	left := len(cfg.Answers)
	for i := range p.Areas {
		area := Area{ID: p.Areas[i].ID, Title: p.Areas[i].Title}
		for j := range p.Areas[i].Outcomes {
			o := &p.Areas[i].Outcomes[j]
			answer, ok := cfg.Answers[o.ID]
			if !ok {
				missing = append(missing, o.ID)
				continue
			}
			left--
			area.Outcomes = append(area.Outcomes, Outcome{ID: o.ID, Title: o.Title, Answer: answer})
		}
		a.Areas = append(a.Areas, area)
	}
	switch {
	case len(missing) > 0:
		return nil, errs.New(errs.Invalid, "the coalition has no answer to "+strings.Join(missing, ", "), "answer every outcome")
	case left > 0:
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%d answers are to no outcome of %s", left, p.ID), "use the framework that the cycle was opened with")
	}
	return a, a.check()
}

// Parse reads collective.json. It accepts the canonical form alone. Whether the
// coordinator signed it is for [keys.Verify]. Its errors are of kind Invalid.
func Parse(body []byte) (*Assessment, error) {
	if len(body) > MaxSize {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the coalition's assessment has %d bytes", len(body)), fmt.Sprintf("at most %d are read", MaxSize))
	}
	var a Assessment
	if err := keys.DecodeCanonical(body, &a); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the coalition's assessment cannot be read", "")
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return &a, nil
}

// Canonical returns the bytes of collective.json: RFC 8785 JSON.
func (a *Assessment) Canonical() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	return keys.Canonical(a)
}

func invalid(format string, args ...any) error {
	return errs.New(errs.Invalid, "the coalition's assessment "+fmt.Sprintf(format, args...), "")
}

var (
	hexDigest  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)
)

// check holds what every assessment keeps to.
func (a *Assessment) check() error {
	switch {
	case a.Kind != Kind:
		return invalid("is of kind %s", errs.Quote(a.Kind))
	case !hexDigest.MatchString(a.Framework.Digest):
		return invalid("has a framework digest that is not 64 lower-case hexadecimal digits")
	case len(a.Framework.Languages) == 0:
		return invalid("names no language")
	case len(a.Areas) == 0:
		return invalid("has no area")
	}
	for _, line := range []struct{ name, text string }{
		{"coalition", a.Coalition}, {"cycle", a.Cycle}, {"framework id", a.Framework.ID}, {"framework version", a.Framework.Version},
	} {
		if line.text == "" || !printable(line.text) || strings.Contains(line.text, "\n") {
			return invalid("has no %s that can be printed", line.name)
		}
	}
	if !printable(a.Marking) || strings.Contains(a.Marking, "\n") {
		return invalid("has a marking that cannot be printed")
	}
	texts := map[string]framework.Text{"framework title": a.Framework.Title, "house rule": a.Scale.HouseRule}
	for i, level := range a.Scale.Levels {
		texts[fmt.Sprintf("name of level %d", i)] = level
	}
	seen := make(map[string]bool)
	add := func(id string, title framework.Text) error {
		if seen[id] || !identifier.MatchString(id) {
			return invalid("has the area or outcome %s twice or by no proper id", errs.Quote(id))
		}
		seen[id] = true
		texts["title of "+id] = title
		return nil
	}
	for i := range a.Areas {
		area := &a.Areas[i]
		if err := add(area.ID, area.Title); err != nil {
			return err
		}
		if len(area.Outcomes) == 0 {
			return invalid("has no outcome in %s", area.ID)
		}
		for _, o := range area.Outcomes {
			if err := add(o.ID, o.Title); err != nil {
				return err
			}
			if err := o.check(); err != nil {
				return invalid("has in %s %v", o.ID, err)
			}
		}
	}
	return a.checkTexts(texts)
}

// checkTexts holds that every text exists in every language and can be printed.
func (a *Assessment) checkTexts(texts map[string]framework.Text) error {
	for name, text := range texts {
		for _, lang := range a.Framework.Languages {
			if text[lang] == "" {
				return invalid("has no %s in %s", name, errs.Quote(lang))
			}
		}
		for lang, s := range text {
			if !printable(s) {
				return invalid("has a %s in %s that cannot be printed", name, errs.Quote(lang))
			}
		}
	}
	return nil
}

// check returns which part of the answer has a value that it may not have.
func (a Answer) check() error {
	scale := []string{"0", "1", "2", "3", "4"}
	given := append(slices.Clone(scale), "na", "withheld")
	switch {
	case !slices.Contains(given, a.Level):
		return fmt.Errorf("%s as a level", errs.Quote(a.Level))
	case a.Verified != "" && !slices.Contains(given, a.Verified):
		return fmt.Errorf("%s as a verified level", errs.Quote(a.Verified))
	case a.Target != "" && !slices.Contains(scale, a.Target):
		return fmt.Errorf("%s as a target", errs.Quote(a.Target))
	case a.Evidence != "" && !slices.Contains([]string{"E0", "E1", "E2", "E3"}, a.Evidence):
		return fmt.Errorf("%s as an evidence grade", errs.Quote(a.Evidence))
	}
	return nil
}

// printable reports whether s is valid UTF-8 without the characters that a
// terminal obeys instead of showing, as in a release.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case r == '\n':
			return false
		case unicode.IsControl(r), r == 0x200B, r == 0x2060, r == 0xFEFF, r == 0x2028, r == 0x2029:
			return true
		}
		return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r >= 0xE0000 && r <= 0xE007F
	})
}
