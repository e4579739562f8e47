package coalition

import (
	"muster/internal/collective"
	"muster/internal/framework"
	"muster/internal/web"
)

// Collective is what the coalition says of itself in one cycle: one answer an
// outcome, given by the coordinator and open to the members of a cohort.
type Collective struct {
	Coalition string
	Cycle     string
	Cohort    string // whose members may see it
	Marking   string
	Pack      string
	Version   string
	PackTitle web.Text
	Levels    [5]web.Text
	HouseRule web.Text
	Areas     []CollectiveArea

	body []byte // the file that it was read from
}

// CollectiveArea is the answers of an area.
type CollectiveArea struct {
	ID       string
	Title    web.Text
	Outcomes []CollectiveOutcome
}

// CollectiveOutcome is one answer. Places on the scale are 0 to 4, or -1 for none.
type CollectiveOutcome struct {
	ID                      string
	Title                   web.Text
	Question                web.Text
	Says                    web.Text // what the level means here; empty where none is given
	Asked                   string   // as of a release's outcome
	Level, Verified, Target int
	Evidence                string // "E0" to "E3", or empty
}

// NewCollective returns what the pages show of the coalition's own assessment.
func NewCollective(a *collective.Assessment) (*Collective, error) {
	body, err := a.Canonical()
	if err != nil {
		return nil, err
	}
	text := func(t framework.Text) web.Text { return web.Text{In: t, First: a.Framework.Languages[0]} }
	c := &Collective{
		Coalition: a.Coalition, Cycle: a.Cycle, Cohort: a.Cohort, Marking: a.Marking, Pack: a.Framework.ID, Version: a.Framework.Version,
		PackTitle: text(a.Framework.Title), HouseRule: text(a.Scale.HouseRule), body: body,
	}
	for i, level := range a.Scale.Levels {
		c.Levels[i] = text(level)
	}
	for _, area := range a.Areas {
		view := CollectiveArea{ID: area.ID, Title: text(area.Title)}
		for _, o := range area.Outcomes {
			view.Outcomes = append(view.Outcomes, CollectiveOutcome{
				ID: o.ID, Title: text(o.Title), Question: text(o.Question), Says: text(o.Says), Asked: o.Asked,
				Level: place(o.Level), Verified: place(o.Verified), Target: place(o.Target), Evidence: evidence(o.Evidence),
			})
		}
		c.Areas = append(c.Areas, view)
	}
	return c, nil
}

// ReadCollective reads collective.json.
func ReadCollective(body []byte) (*Collective, error) {
	a, err := collective.Parse(body)
	if err != nil {
		return nil, err
	}
	return NewCollective(a)
}

// place returns a level as a place on the scale; na, withheld and none are no place.
func place(l framework.Level) int {
	if n, given := l.Number(); given {
		return n
	}
	return -1
}

func evidence(g framework.Grade) string {
	if g == framework.NoEvidence {
		return ""
	}
	return g.String()
}
