package coordinator

import (
	"net/http"
	"strconv"
	"strings"

	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/web"
)

// mostLines is how many lines of the record a page shows.
const mostLines = 100

// recordView is what happened.
type recordView struct {
	web.Page
	Lead   string
	Check  web.Link // reads the whole record; empty for who may not
	State  string   // what that found; empty if it was not read
	Broken bool
	Lines  []lineView
	More   string // where the page has the latest alone
	Doors  []doorView
}

type lineView struct{ Number, At, By, What, About, Detail, Digest string }

type doorView struct{ At, Person, What, By, Detail string }

func (p *Pages) record(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx := r.Context()
	lines, err := p.cfg.Service.Record(ctx, v.person, mostLines)
	if err != nil {
		return err
	}
	view := recordView{Lead: v.T("record.lead")}
	for _, l := range lines {
		about := strings.TrimSpace(string(l.Cycle) + " " + string(l.Party))
		by := l.By
		if by == "" {
			by = v.T("record.somebody")
		}
		view.Lines = append(view.Lines, lineView{strconv.FormatInt(l.Number, 10), v.moment(l.At), by, v.T("what." + whatWord(l.What)), about, l.Detail, l.Digest[:16]})
	}
	if len(lines) == mostLines {
		view.More = v.T("record.latest", "N", mostLines)
	}
	if v.person.SeesAll() {
		view.Lead = v.T("record.leadAll")
		view.Check = web.Link{Text: v.T("record.check"), Href: v.to.home() + "record?check=1"}
		if r.URL.Query().Get("check") == "1" {
			n, last, err := p.cfg.Service.CheckRecord(ctx, v.person)
			if err != nil && errs.KindOf(err) != errs.Conflict {
				return err
			}
			if view.State = v.N("record.whole", int(n), "Digest", last); err != nil {
				view.State, view.Broken = v.T("record.broken", "N", int(n)+1), true
			}
		}
		events, err := p.cfg.People.Events(ctx, mostLines)
		if err != nil {
			return err
		}
		for _, e := range events {
			view.Doors = append(view.Doors, doorView{v.moment(e.At), e.Person, v.T("door." + strings.ReplaceAll(string(e.What), " ", "-")), e.By, strings.Trim(e.Detail+", "+e.Source, ", ")})
		}
	}
	view.Page = p.page(v, v.T("nav.record"), "record")
	p.render(w, http.StatusOK, "record", view)
	return nil
}

// whatWord is what happened as ids of messages have it.
func whatWord(w cycle.What) string { return strings.ReplaceAll(string(w), " ", "-") }
