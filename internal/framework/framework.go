// Package framework holds what a coalition measures itself against: packs.
//
// A [Pack] is one versioned YAML file of areas and outcomes with a scale. Every
// outcome has a question, a measure and five descriptors of its own, in one or
// more languages beside each other. [Read] reads a pack strictly: it reports
// every fault of the file with line, column and what is allowed, and refuses
// hostile files before they cost time or memory. [Find] does the same for a pack
// by its id among the embedded ones. [Check] also says what deserves a second
// look, for those who write packs. [WriteText], [WriteHTML] and [WriteJSON] print
// one.
//
// A pack's identity is its id, its version and its [Pack.Digest]: SHA-256 over a
// canonical form of everything it says, in all languages. Comments, the order of
// keys and the layout of the YAML do not change it; docs/spec/pack.md specifies
// the format and the digest.
//
// [NewLayout] derives from a pack what is sealed: a list of named blocks, each
// with its buckets in order. Its digest is what both hosts agree on, so that two
// layouts of equal sizes cannot be exchanged.
//
// Values of this package are read-only after construction and may be shared
// between goroutines. Nothing here opens a file: callers pass an [io.Reader] or
// an [fs.FS].
package framework

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Format is the only version of the pack format that this package reads.
const Format = "muster-pack/1"

// Descriptors is how many levels the scale has, and so how many descriptors
// every outcome has: levels 0 to 4.
const Descriptors = 5

// Text is one text in each of the pack's languages: language tag to text. A text
// read from a pack is never empty, is in Unicode normalisation form C, and holds
// no control characters but the line feed, which parts its paragraphs.
type Text map[string]string

// In returns the text in language lang, or "" if there is none. [Read] makes sure
// that every text of a pack exists in each of [Pack.Languages].
func (t Text) In(lang string) string { return t[lang] }

// Pack is a versioned framework: what is asked, and how answers are graded.
type Pack struct {
	ID         string               `json:"id"`                    // such as "muster-core"
	Version    string               `json:"version"`               // semantic version 2.0.0, without build metadata
	Marking    string               `json:"marking"`               // a TLP 2.0 label, such as "TLP:CLEAR"
	Licence    string               `json:"licence"`               // an SPDX identifier
	Languages  []string             `json:"languages"`             // the first is the one shown by default
	AnsweredBy string               `json:"answered_by,omitempty"` // [ByCoordinator]; empty if every member answers
	Audience   string               `json:"audience,omitempty"`    // who may read single answers; only beside AnsweredBy
	BeginWith  []string             `json:"begin_with,omitempty"`  // ids of the outcomes that say most, for who begins; may be empty
	Title      Text                 `json:"title"`                 //
	Summary    Text                 `json:"summary"`               //
	Scale      Scale                `json:"scale"`                 //
	RollUp     RollUp               `json:"roll_up"`               //
	Crosswalks map[string]Crosswalk `json:"crosswalks,omitempty"`  // by the key that outcomes use
	Areas      []Area               `json:"areas"`                 //

	// Digest is SHA-256 over the canonical form; see [Pack.Canonical].
	Digest [32]byte `json:"-"`
}

// ByCoordinator is the only value of [Pack.AnsweredBy] so far: the coordinator
// answers once for the coalition. Such answers are nobody's secret, so nothing of
// them is sealed or added up; [Pack.Audience] says who may read them.
const ByCoordinator = "coordinator"

// Audiences returns the audiences that a pack can open single answers to, the
// narrowest first.
func Audiences() []string { return []string{"allied", "partner", "public"} }

// Scale is the meaning of the five levels, whatever the outcome.
type Scale struct {
	HouseRule Text              `json:"house_rule"` // printed with every scale
	Levels    [Descriptors]Text `json:"levels"`     // level 0 first
}

// RollUp says how one level is made of the levels of several bodies.
type RollUp struct {
	Rule    string `json:"rule"`    // "share-of-scope"
	Percent int    `json:"percent"` // of the listed scope that must meet the level, 1 to 100
	Text    Text   `json:"text"`    // the rule in words
}

// ShareOfScope is the only roll-up rule so far: the highest level that at least
// [RollUp.Percent] per cent of the listed scope meets, with the lowest shown.
const ShareOfScope = "share-of-scope"

// Crosswalk names another framework that outcomes refer to by its ids.
type Crosswalk struct {
	Title   string `json:"title"`
	Version string `json:"version"`
}

// Area is a group of outcomes.
type Area struct {
	ID       string    `json:"id"` // such as "A1"
	Title    Text      `json:"title"`
	Summary  Text      `json:"summary"`
	Outcomes []Outcome `json:"outcomes"`
}

// Outcome is one thing that a member assesses about itself.
type Outcome struct {
	ID            string              `json:"id"`                       // such as "A1.3": below its area
	Title         Text                `json:"title"`                    //
	Question      Text                `json:"question"`                 // for someone who is not a specialist
	Measure       Text                `json:"measure"`                  //
	Descriptors   [Descriptors]Text   `json:"descriptors,omitzero"`     // what an outsider could check at level 0 to 4; see [Pack.Levels]
	Evidence      Text                `json:"evidence"`                 // what counts as evidence
	Why           Text                `json:"why"`                      // why it matters
	NotApplicable Text                `json:"not_applicable,omitempty"` // when that may be answered; nil if the pack does not say
	Crosswalk     map[string][]string `json:"crosswalk,omitempty"`      // ids in other frameworks, by key of [Pack.Crosswalks]
}

// AreaID returns the id of the area that the outcome belongs to: "A1" for "A1.3".
func (o *Outcome) AreaID() string {
	area, _, _ := strings.Cut(o.ID, ".")
	return area
}

// HasDescriptors reports whether the outcome has descriptors of its own.
func (o *Outcome) HasDescriptors() bool { return o.Descriptors[0] != nil }

// Levels returns what the five levels mean for outcome o of the pack: its
// descriptors or, where it has none, as in a framework that came from elsewhere,
// the levels of the scale.
func (p *Pack) Levels(o *Outcome) [Descriptors]Text {
	if o.HasDescriptors() {
		return o.Descriptors
	}
	return p.Scale.Levels
}

// Ref names one pack exactly.
type Ref struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Digest  string `json:"digest"` // lower-case hexadecimal SHA-256, 64 characters
}

// Ref returns the pack's name, version and digest.
func (p *Pack) Ref() Ref {
	return Ref{ID: p.ID, Version: p.Version, Digest: hex.EncodeToString(p.Digest[:])}
}

// Outcomes returns the pack's outcomes in the order of the file. They are the
// pack's own: callers do not change them.
func (p *Pack) Outcomes() []*Outcome {
	var all []*Outcome
	for i := range p.Areas {
		for j := range p.Areas[i].Outcomes {
			all = append(all, &p.Areas[i].Outcomes[j])
		}
	}
	return all
}

// Outcome returns the outcome with that id, and whether there is one.
func (p *Pack) Outcome(id string) (*Outcome, bool) {
	for i := range p.Areas {
		for j := range p.Areas[i].Outcomes {
			if o := &p.Areas[i].Outcomes[j]; o.ID == id {
				return o, true
			}
		}
	}
	return nil, false
}

// Area returns the area with that id, and whether there is one.
func (p *Pack) Area(id string) (*Area, bool) {
	for i := range p.Areas {
		if p.Areas[i].ID == id {
			return &p.Areas[i], true
		}
	}
	return nil, false
}

// String returns the pack in one line:
// "muster-core 1.0.0: 8 areas, 36 outcomes, en; digest 1f0c…", digest in full.
func (p *Pack) String() string {
	return fmt.Sprintf("%s %s: %s, %s, %s; digest %x", p.ID, p.Version,
		count(len(p.Areas), "area"), count(len(p.Outcomes()), "outcome"), strings.Join(p.Languages, " "), p.Digest)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
