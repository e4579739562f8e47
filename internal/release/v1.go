package release

import (
	"strings"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// releaseV1 is the provisional form of release.json. It had one rule, said NOT
// PUBLISHABLE of itself, and knew neither questions nor days, hosts nor history.
type releaseV1 struct {
	Kind          string                   `json:"kind"`
	Status        string                   `json:"status"`
	Marking       string                   `json:"marking,omitempty"`
	Coalition     string                   `json:"coalition"`
	Cycle         string                   `json:"cycle"`
	Cohort        string                   `json:"cohort"`
	Framework     Framework                `json:"framework"`
	CharterDigest string                   `json:"charter_digest"`
	RosterDigest  string                   `json:"roster_digest"`
	Participation disclosure.Participation `json:"participation"`
	Thresholds    struct {
		disclosure.Thresholds
		MinimumBand int `json:"minimum_band"`
	} `json:"thresholds"`
	Rule     string         `json:"rule"`
	Method   framework.Text `json:"method"`
	Scale    Scale          `json:"scale"`
	Areas    []areaV1       `json:"areas"`
	NotShown []notShownV1   `json:"not_shown"`
}

type areaV1 struct {
	ID       string                 `json:"id"`
	Title    framework.Text         `json:"title"`
	Lowest   disclosure.BandedBlock `json:"lowest"`
	Change   disclosure.BandedBlock `json:"change"`
	Outcomes []outcomeV1            `json:"outcomes"`
}

type outcomeV1 struct {
	ID       string                 `json:"id"`
	Title    framework.Text         `json:"title"`
	Level    disclosure.BandedBlock `json:"level"`
	Verified disclosure.BandedBlock `json:"verified"`
	Target   disclosure.BandedBlock `json:"target"`
	Gap      disclosure.BandedBlock `json:"gap"`
	Evidence disclosure.BandedBlock `json:"evidence"`
}

type notShownV1 struct {
	Block  string `json:"block"`
	Reason string `json:"reason"`
}

// parseV1 reads the provisional form. What it returns keeps its kind: it is for
// reading, and [Release.Canonical] refuses it.
func parseV1(b []byte) (*Release, error) {
	var old releaseV1
	if err := keys.DecodeCanonical(b, &old); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the release cannot be read", "")
	}
	switch {
	case !strings.HasPrefix(old.Status, "NOT PUBLISHABLE: "):
		return nil, invalid("does not say that the first rule is not enough to publish by")
	case old.Thresholds.MinimumBand != disclosure.MinimumBand:
		return nil, invalid("has the least band %d; its rule has %d", old.Thresholds.MinimumBand, disclosure.MinimumBand)
	case old.Method["en"] == "" || old.NotShown == nil:
		return nil, invalid("does not say how it was made or what it leaves out")
	}
	r := &Release{
		Kind: KindV1, Marking: old.Marking, Coalition: old.Coalition, Cycle: old.Cycle, Cohort: old.Cohort,
		HostedBy: []coalition.MemberID{}, Calendar: Calendar{Postponed: []Postponement{}},
		Framework: old.Framework, CharterDigest: old.CharterDigest, RosterDigest: old.RosterDigest,
		Participation: old.Participation, Thresholds: old.Thresholds.Thresholds,
		Groups: []Group{{Cohort: old.Cohort, Members: old.Participation.Submissions}},
		Rule:   Rule{ID: old.Rule, MinimumBand: disclosure.MinimumBand}, History: []Earlier{}, Scale: old.Scale,
	}
	for _, a := range old.Areas {
		area := Area{ID: a.ID, Title: a.Title, Lowest: a.Lowest, Change: a.Change}
		for _, o := range a.Outcomes {
			area.Outcomes = append(area.Outcomes, Outcome{
				ID: o.ID, Title: o.Title, Level: o.Level, Verified: o.Verified, Target: o.Target, Gap: o.Gap, Evidence: o.Evidence,
			})
		}
		r.Areas = append(r.Areas, area)
	}
	if err := r.checkFigures(); err != nil {
		return nil, err
	}
	r.Status, r.NotShown, r.Method = r.status(), r.notShown(), r.method()
	r.Reasons = r.reasons()
	if err := r.checkTexts(); err != nil {
		return nil, err
	}
	if len(old.NotShown) != len(r.NotShown) {
		return nil, invalid("does not list the blocks of which it shows nothing")
	}
	for i, n := range old.NotShown {
		if n.Block != r.NotShown[i].Block {
			return nil, invalid("does not list the blocks of which it shows nothing")
		}
	}
	return r, nil
}
