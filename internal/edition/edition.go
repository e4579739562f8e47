// Package edition makes of a release what one audience reads: figures that were
// coarsened for it, with commentary in English and French in which every figure is a
// reference, a label, and a time from which it is read.
//
//	service := edition.New(edition.ServiceConfig{Store: db.Editions(), Year: year, Now: time.Now})
//	version, err := service.Write(ctx, ada, "2031", edition.Partner, text)
//	proposal, err := service.Propose(ctx, ada, "2031", edition.Partner)
//
// It promises that an edition says nothing that its release does not: figures are the
// release's bands with boundaries taken away, by a table that asks no count, and a
// reference comes to what these figures say or to a fault. That a version never changes;
// that what is published was approved by a second person and, where it is for anybody
// outside the allied circle, adopted by silence, to the byte; that before both everything
// that was ever released and published was attacked together. And that whoever an
// edition is not for is answered as if there were none, unless it was announced to her.
//
// docs/design/editions.md has the whole of it.
package edition

import (
	"slices"
	"time"

	"muster/internal/audience"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
)

// Name says which edition of a cycle.
type Name string

// The editions.
const (
	Allied  Name = "allied"
	Partner Name = "partner"
	Public  Name = "public"
	Ports   Name = "ports"
	AI      Name = "ai"
)

// Names returns all of them, in the order in which they are listed.
func Names() []Name { return []Name{Allied, Partner, Public, Ports, AI} }

// Known reports whether there is such an edition.
func (n Name) Known() bool { return slices.Contains(Names(), n) }

// circles returns whom the edition is for where its head does not say, and whether its
// head may.
func (n Name) circles() (circles audience.Circle, choice bool) {
	switch n {
	case Partner:
		return audience.Allied | audience.Partner, false
	case Public:
		return audience.Public, false
	case Ports, AI:
		return audience.Allied, true
	}
	return audience.Allied, false
}

// Detail is how fine an edition is.
type Detail string

// The details, from the finest.
const (
	Full   Detail = "full"   // the release's bands
	Coarse Detail = "coarse" // one boundary for each block
	Plain  Detail = "plain"  // level and change alone, with one boundary
)

// detailFor returns how fine what is for these circles may be. It follows from the
// widest of them alone.
func detailFor(circles audience.Circle) Detail {
	switch {
	case circles&audience.Public != 0:
		return Plain
	case circles&audience.Partner != 0:
		return Coarse
	}
	return Full
}

// Limits of what is kept.
const (
	MaxText     = 64 << 10 // bytes of a draft
	MaxVersions = 500      // of one edition
	maxTitle    = 200      // characters
	maxSentence = 400      // of the sentence for a communiqué
	maxPublic   = 2_500    // characters of commentary of a public edition in one language: with its figures, one page
	maxReason   = 1_000
)

// Kind is what an edition's file says of itself.
const Kind = "muster edition v1"

// Document is an edition as it is approved, put under silence, logged and read: as a
// file, canonical JSON. It holds no member's name and nothing of whoever reads it.
type Document struct {
	Kind      string   `json:"kind"`
	Edition   Name     `json:"edition"`
	Number    int      `json:"number"` // of the version
	Coalition string   `json:"coalition"`
	Cycle     string   `json:"cycle"`
	Cohort    string   `json:"cohort"`
	Marking   string   `json:"marking,omitempty"` // "SYNTHETIC" or "REHEARSAL"
	TLP       string   `json:"tlp"`
	For       []string `json:"for"`               // circles
	Announced []string `json:"announced"`         // to these circles it is said that there is one
	Embargo   int64    `json:"embargo,omitempty"` // seconds since 1970; none: from when it is published
	Expires   int64    `json:"expires,omitempty"`
	Release   string   `json:"release"` // hex SHA-256 of the release that it was drawn from

	Framework release.Framework `json:"framework"`
	Members   int               `json:"members"`   // of the cohort
	TookPart  int               `json:"took_part"` // of these
	Least     int               `json:"least"`     // members that a band holds which is not empty
	Detail    Detail            `json:"detail"`
	Scale     release.Scale     `json:"scale"`

	Title    framework.Text     `json:"title"`
	Sentence framework.Text     `json:"sentence,omitempty"` // for a communiqué
	Text     map[string][]Block `json:"text"`               // by language
	Areas    []Area             `json:"areas"`
}

// Area is the figures of an area and its outcomes.
type Area struct {
	ID       string                 `json:"id"`
	Title    framework.Text         `json:"title"`
	Lowest   disclosure.BandedBlock `json:"lowest"`
	Change   disclosure.BandedBlock `json:"change"`
	Outcomes []Outcome              `json:"outcomes"`
}

// Outcome is the figures of an outcome.
type Outcome struct {
	ID       string                 `json:"id"`
	Title    framework.Text         `json:"title"`
	Level    disclosure.BandedBlock `json:"level"`
	Verified disclosure.BandedBlock `json:"verified"`
	Target   disclosure.BandedBlock `json:"target"`
	Gap      disclosure.BandedBlock `json:"gap"`
	Evidence disclosure.BandedBlock `json:"evidence"`
}

// Sort is what a block of commentary is.
type Sort string

// The sorts.
const (
	Paragraph Sort = "paragraph"
	Heading   Sort = "heading"
	Item      Sort = "item" // of a list
)

// Block is a paragraph, a heading or an item of commentary.
type Block struct {
	Sort  Sort   `json:"sort"`
	Spans []Span `json:"spans"`
}

// Span is text in a row: as it was written, or what a reference came to.
type Span struct {
	Text string `json:"text"`
	From string `json:"from,omitempty"` // the reference; none where somebody wrote the text
}

// String returns the text of the block.
func (b Block) String() string {
	text := ""
	for _, s := range b.Spans {
		text += s.Text
	}
	return text
}

// subject is the edition once it is published: for its circles, and seen by staff and
// auditors and by the engineers of both hosts for their work. withdrawn is zero while it
// is not.
func (d *Document) subject(hosts []string, withdrawn time.Time) audience.Subject {
	s := atWork(hosts)
	s.TLP, _ = audience.ParseTLP(d.TLP) // what is not known is in quarantine
	s.Circles, s.Announced = circlesOf(d.For), circlesOf(d.Announced)
	s.Embargo, s.Expires = unix(d.Embargo), unix(d.Expires)
	if !withdrawn.IsZero() && (s.Expires.IsZero() || withdrawn.Before(s.Expires)) {
		s.Expires = withdrawn
	}
	return s
}

func unix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// Outside reports whether the edition leaves the allied circle: then silence has to
// adopt it.
func (d *Document) Outside() bool { return circlesOf(d.For)&^audience.Allied != 0 }

// circleNames are the circles as files name them.
func circleNames() []struct {
	circle audience.Circle
	name   string
} {
	return []struct {
		circle audience.Circle
		name   string
	}{{audience.Allied, "allied"}, {audience.Partner, "partner"}, {audience.Public, "public"}}
}

func circlesOf(names []string) audience.Circle {
	var all audience.Circle
	for _, c := range circleNames() {
		if slices.Contains(names, c.name) {
			all |= c.circle
		}
	}
	return all
}

func namesOf(circles audience.Circle) []string {
	all := []string{}
	for _, c := range circleNames() {
		if circles&c.circle != 0 {
			all = append(all, c.name)
		}
	}
	return all
}
