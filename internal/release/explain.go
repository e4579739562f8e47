package release

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/disclosure"
	"muster/internal/framework"
)

// Explanation says of one block what is shown together or not at all, and why.
type Explanation struct {
	Block   string                 `json:"block"` // its name in the layout
	Subject string                 `json:"subject"`
	Kind    framework.Kind         `json:"kind"`
	Title   framework.Text         `json:"title"` // of the outcome or area
	Bands   disclosure.BandedBlock `json:"shown"`
	Merged  []disclosure.Band      `json:"merged"`           // the bands of more than one unit; none where nothing is shown
	Reason  Reason                 `json:"reason,omitempty"` // why; empty where every boundary that the rule tries is shown
	Words   framework.Text         `json:"words,omitempty"`  // what is done, as a sentence
	Why     framework.Text         `json:"why,omitempty"`    // the reason, as a sentence
}

// Explain returns an explanation for every block, in the order of the areas: of
// each first its own blocks, then those of its outcomes. What it says follows
// from the release alone. Units that the rule never parts, as those of a gap that
// are not met, are said to be together always, and not for want of members.
func (r *Release) Explain() []Explanation {
	reasons := make(map[string]Reason, len(r.NotShown))
	for _, n := range r.NotShown {
		reasons[n.Block] = n.Reason
	}
	var all []Explanation
	add := func(title framework.Text, blocks []block) {
		for _, b := range blocks {
			e := Explanation{Block: b.name(), Subject: b.subject, Kind: b.kind, Title: title, Bands: *b.at, Merged: []disclosure.Band{}}
			if reason, silent := reasons[e.Block]; silent {
				e.Reason, e.Words = reason, framework.Text{"en": "Not shown.", "fr": "Non montré."}
			} else if e.Merged = slices.DeleteFunc(b.at.Bands(), func(band disclosure.Band) bool { return len(band.Units) == 1 }); len(e.Merged) > 0 {
				e.Words = framework.Text{"en": mergedEN(b.kind, e.Merged), "fr": mergedFR(b.kind, e.Merged)}
				if slices.ContainsFunc(e.Merged, func(band disclosure.Band) bool { return !always(b.kind, band) }) {
					e.Reason = TooFew
				}
			}
			e.Why = e.Reason.Words()
			all = append(all, e)
		}
	}
	for i := range r.Areas {
		area := &r.Areas[i]
		add(area.Title, area.blocks())
		for j := range area.Outcomes {
			add(area.Outcomes[j].Title, area.Outcomes[j].blocks())
		}
	}
	return all
}

// KindWords returns what a block of that kind counts, for the head of a line.
func KindWords(k framework.Kind) framework.Text {
	switch k {
	case framework.KindLevel:
		return framework.Text{"en": "level", "fr": "niveau"}
	case framework.KindVerified:
		return framework.Text{"en": "verified level", "fr": "niveau vérifié"}
	case framework.KindTarget:
		return framework.Text{"en": "target", "fr": "cible"}
	case framework.KindGap:
		return framework.Text{"en": "level against target", "fr": "niveau par rapport à la cible"}
	case framework.KindEvidence:
		return framework.Text{"en": "evidence", "fr": "preuve"}
	case framework.KindLowest:
		return framework.Text{"en": "lowest level", "fr": "niveau le plus bas"}
	case framework.KindChange:
		return framework.Text{"en": "change", "fr": "évolution"}
	}
	return framework.Text{"en": string(k), "fr": string(k)}
}

// UnitWords returns a unit of a chain as a person reads it.
func UnitWords(unit string) framework.Text {
	switch unit {
	case disclosure.NoLevel:
		return framework.Text{"en": "none given", "fr": "non donné"}
	case "unknown":
		return framework.Text{"en": "unknown", "fr": "inconnu"}
	case "below":
		return framework.Text{"en": "below target", "fr": "sous la cible"}
	case "met":
		return framework.Text{"en": "at or above target", "fr": "cible atteinte"}
	case "not_comparable":
		return framework.Text{"en": "not comparable", "fr": "non comparable"}
	case "worse":
		return framework.Text{"en": "worse", "fr": "moins bien"}
	case "mixed":
		return framework.Text{"en": "mixed", "fr": "contrasté"}
	case "same":
		return framework.Text{"en": "the same", "fr": "inchangé"}
	case "better":
		return framework.Text{"en": "better", "fr": "mieux"}
	}
	return framework.Text{"en": unit, "fr": unit} // levels and evidence grades are their own words
}

func unitList(units []string, lang, and string) string {
	words := make([]string, len(units))
	for i, unit := range units {
		words[i] = UnitWords(unit).In(lang)
	}
	return list(words, and)
}

// always reports whether the rule tries no boundary within a band.
func always(k framework.Kind, band disclosure.Band) bool {
	for i := 1; i < len(band.Units); i++ {
		if disclosure.Tried(k, band.Units[i-1], band.Units[i]) {
			return false
		}
	}
	return true
}

func mergedEN(k framework.Kind, bands []disclosure.Band) string {
	var parts []string
	for _, b := range bands {
		members := "no member"
		if b.Count > 0 {
			members = count(int(b.Count), "member")
		}
		shown := "are shown together"
		if always(k, b) {
			shown = "are always shown together"
		}
		parts = append(parts, fmt.Sprintf("%s %s, %s", unitList(b.Units, "en", "and"), shown, members))
	}
	return strings.Join(parts, "; ") + "."
}

func mergedFR(k framework.Kind, bands []disclosure.Band) string {
	var parts []string
	for _, b := range bands {
		members := "aucun membre"
		if b.Count > 0 {
			members = frenchCount(int(b.Count), "membre")
		}
		shown := "sont montrés ensemble"
		if always(k, b) {
			shown = "sont toujours montrés ensemble"
		}
		parts = append(parts, fmt.Sprintf("%s %s, %s", unitList(b.Units, "fr", "et"), shown, members))
	}
	return strings.Join(parts, " ; ") + "."
}
