package coalition

import (
	"strings"

	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/web"
)

// This file alone knows the form of release.json.

// NewSheet returns what the pages show of a release: its bands, its words, and
// nothing that it does not show.
func NewSheet(r *disclosure.Release) (*Sheet, error) {
	body, err := r.Canonical()
	if err != nil {
		return nil, err
	}
	text := func(t framework.Text) web.Text { return web.Text{In: t, First: r.Framework.Languages[0]} }
	s := &Sheet{
		Coalition: r.Coalition, Cohort: r.Cohort, Cycle: r.Cycle, Marking: r.Marking, Status: r.Status,
		Pack: r.Framework.ID, Version: r.Framework.Version, PackDigest: r.Framework.Digest, PackTitle: text(r.Framework.Title),
		HouseRule:  text(r.Scale.HouseRule),
		Method:     web.Text{In: r.Method, First: "en"},
		Thresholds: Thresholds{r.Thresholds.MinimumBatch, r.Thresholds.ReleaseMinimum, r.Thresholds.MinimumBand},
		Charter:    r.CharterDigest, Roster: r.RosterDigest,
		Members: r.Participation.Members, Submissions: r.Participation.Submissions, Hosts: r.Participation.Hosts, Declined: r.Participation.Declined,
		body: body,
	}
	for i, level := range r.Scale.Levels {
		s.Levels[i] = text(level)
	}
	reasons := make(map[string]web.Text, len(r.NotShown))
	for _, n := range r.NotShown {
		subject, kind, _ := strings.Cut(n.Block, "/")
		reasons[n.Block] = reason(n.Reason)
		s.NotShown = append(s.NotShown, NotShown{Subject: subject, Kind: kind, Reason: reasons[n.Block]})
	}
	block := func(b disclosure.BandedBlock) Block { return newBlock(b, reasons[b.Name()]) }
	for i := range r.Areas {
		a := &r.Areas[i]
		area := Area{ID: a.ID, Title: text(a.Title), Lowest: block(a.Lowest), Change: block(a.Change)}
		for j := range a.Outcomes {
			o := &a.Outcomes[j]
			area.Outcomes = append(area.Outcomes, Outcome{
				ID: o.ID, Title: text(o.Title),
				Level: block(o.Level), Verified: block(o.Verified), Target: block(o.Target), State: block(o.Gap), Evidence: block(o.Evidence),
			})
		}
		s.Areas = append(s.Areas, area)
	}
	return s, nil
}

// ReadSheet reads release.json.
func ReadSheet(body []byte) (*Sheet, error) {
	r, err := disclosure.ParseRelease(body)
	if err != nil {
		return nil, err
	}
	return NewSheet(r)
}

func newBlock(b disclosure.BandedBlock, reason web.Text) Block {
	chain := chainOf(b.Kind())
	if !b.Shown() {
		return Block{Chain: chain, Reason: reason}
	}
	block := Block{Chain: chain}
	at := 0
	for _, band := range b.Bands() {
		block.Bands = append(block.Bands, Band{First: at, Last: at + len(band.Units) - 1, Count: int(band.Count)})
		at += len(band.Units)
	}
	return block
}

func chainOf(k framework.Kind) *Chain {
	switch k {
	case framework.KindGap:
		return states
	case framework.KindEvidence:
		return grades
	case framework.KindChange:
		return moves
	}
	return levels
}

// reason returns the reasons that a release gives in the languages of the pages.
func reason(text string) web.Text {
	t := web.Text{In: map[string]string{"en": text}, First: "en"}
	if text == disclosure.TooFew {
		t.In["fr"] = "trop peu pour être montré sans désigner quelqu'un"
	}
	return t
}
