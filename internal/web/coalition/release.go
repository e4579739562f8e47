package coalition

import (
	"strings"

	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/web"
)

// This file alone knows the form of release.json.

// ReadSheet reads release.json, of any version.
func ReadSheet(body []byte) (*Sheet, error) {
	r, err := release.Parse(body)
	if err != nil {
		return nil, err
	}
	return newSheet(r, body), nil
}

// NewSheet returns what the pages show of a release: its bands, its words, and
// nothing that it does not show.
func NewSheet(r *release.Release) (*Sheet, error) {
	body, err := r.Canonical()
	if err != nil {
		return nil, err
	}
	return newSheet(r, body), nil
}

func newSheet(r *release.Release, body []byte) *Sheet {
	text := func(t framework.Text) web.Text { return web.Text{In: t, First: r.Framework.Languages[0]} }
	own := func(t framework.Text) web.Text { return web.Text{In: t, First: "en"} } // what muster itself says
	words := func(code release.Reason) web.Text { return own(r.Reasons[code]) }
	s := &Sheet{
		Coalition: r.Coalition, Cohort: r.Cohort, Cycle: r.Cycle, Marking: r.Marking,
		Opens: r.Calendar.Opens, Deadline: r.Calendar.Deadline,
		Pack: r.Framework.ID, Version: r.Framework.Version, PackDigest: r.Framework.Digest, PackTitle: text(r.Framework.Title),
		HouseRule:  text(r.Scale.HouseRule),
		Thresholds: Thresholds{r.Thresholds.MinimumBatch, r.Thresholds.ReleaseMinimum, r.Rule.MinimumBand},
		Charter:    r.CharterDigest, Roster: r.RosterDigest,
		Members: r.Participation.Members, Submissions: r.Participation.Submissions, Hosts: r.Participation.Hosts, Declined: r.Participation.Declined,
		body: body,
	}
	for _, code := range r.Status.Reasons {
		s.Warnings = append(s.Warnings, words(code))
	}
	for _, host := range r.HostedBy {
		s.HostedBy = append(s.HostedBy, string(host))
	}
	for _, p := range r.Calendar.Postponed {
		s.Postponed = append(s.Postponed, Postponement{p.Deadline, p.Reason})
	}
	if t := r.Turnover; t != nil {
		s.Turnover = &Turnover{t.Since, t.Joined, t.Left}
	}
	for _, g := range r.Groups {
		if g.Dropped != "" {
			s.Dropped = append(s.Dropped, Dropped{g.Cohort, words(g.Dropped)})
		}
	}
	for _, m := range r.Method {
		s.Method = append(s.Method, own(m.Text))
	}
	for i, level := range r.Scale.Levels {
		s.Levels[i] = text(level)
	}
	reasons := make(map[string]NotShown, len(r.NotShown))
	for _, n := range r.NotShown {
		subject, kind, _ := strings.Cut(n.Block, "/")
		reasons[n.Block] = NotShown{Subject: subject, Kind: kind, Reason: words(n.Reason), Instead: n.Reason == release.NotBoth}
		s.NotShown = append(s.NotShown, reasons[n.Block])
	}
	block := func(b disclosure.BandedBlock) Block {
		n := reasons[b.Name()]
		return newBlock(b, n.Reason, n.Instead)
	}
	for i := range r.Areas {
		a := &r.Areas[i]
		area := Area{ID: a.ID, Title: text(a.Title), Lowest: block(a.Lowest), Change: block(a.Change)}
		for j := range a.Outcomes {
			o := &a.Outcomes[j]
			area.Outcomes = append(area.Outcomes, Outcome{
				ID: o.ID, Title: text(o.Title), Question: text(o.Question), Asked: o.Asked,
				Level: block(o.Level), Verified: block(o.Verified), Target: block(o.Target), State: block(o.Gap), Evidence: block(o.Evidence),
			})
		}
		s.Areas = append(s.Areas, area)
	}
	return s
}

func newBlock(b disclosure.BandedBlock, reason web.Text, instead bool) Block {
	chain := chainOf(b.Kind())
	if !b.Shown() {
		return Block{Chain: chain, Reason: reason, Instead: instead}
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
