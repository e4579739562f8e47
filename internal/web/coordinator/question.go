package coordinator

import (
	"net/http"
	"strconv"

	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/web"
)

// questionsView is what was asked about a cycle.
type questionsView struct {
	web.Page
	Kicker, Lead string
	Back         web.Link
	Action       string // where a question is asked; empty for who asks none
	Waiting      []questionView
	Answered     []questionView
}

type questionView struct {
	Anchor, Text, Asked string
	Own                 bool
	Answer, By          string
	Action              string // where it is answered; empty for who does not
}

func (p *Pages) questions(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := cycle.ID(r.PathValue("cycle"))
	list, err := p.cfg.Service.Questions(r.Context(), v.person, id)
	if err != nil {
		return err
	}
	view := questionsView{
		Kicker: v.T("cycle.kicker", "Cycle", string(id)), Lead: v.T("ask.lead"), Action: v.to.cycle(id, "questions"), Back: web.Link{Text: v.T("fail.cycle", "Cycle", string(id)), Href: v.to.cycle(id)},
	}
	if !v.person.Is(cycle.RoleCoordinator) && v.person.Is(cycle.RoleAuditor) {
		view.Action = ""
	}
	for _, q := range list {
		number := strconv.FormatInt(q.Number, 10)
		one := questionView{Anchor: "q" + number, Text: q.Text, Asked: v.T("ask.asked", "At", v.day(q.Asked)), Own: q.Asker != ""}
		if q.Answered() {
			one.Text, one.Answer, one.By = q.Wording, q.Answer, v.T("ask.by", "By", q.By, "At", v.moment(q.At))
			view.Answered = append(view.Answered, one)
			continue
		}
		if v.person.Is(cycle.RoleCoordinator) {
			one.Action = v.to.cycle(id, "questions", number, "answer")
		}
		view.Waiting = append(view.Waiting, one)
	}
	view.Page = p.page(v, v.T("nav.questions"), "cycle/"+string(id)+"/questions")
	p.render(w, http.StatusOK, "questions", view)
	return nil
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := cycle.ID(r.PathValue("cycle"))
	if _, err := p.cfg.Service.Ask(r.Context(), v.person, id, text(r, "text")); err != nil {
		return err
	}
	return back(w, r, v.to.cycle(id, "questions"))
}

func (p *Pages) answer(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := cycle.ID(r.PathValue("cycle"))
	number, err := strconv.ParseInt(r.PathValue("question"), 10, 64)
	if err != nil {
		return errs.New(errs.NotFound, "there is no such question", "")
	}
	if err := p.cfg.Service.Answer(r.Context(), v.person, number, text(r, "wording"), text(r, "answer")); err != nil {
		return err
	}
	return back(w, r, v.to.cycle(id, "questions")+"#q"+strconv.FormatInt(number, 10))
}
