package coordinator

import (
	"strings"

	"muster/internal/cycle"
	"muster/internal/web"
)

// Letter is a reminder as it is written to a person.
type Letter struct {
	Says     string // the task in one line
	Subject  string
	Body     string
	Calendar string // the day on which it is due, as a file; empty for none
}

// Letter writes a reminder in the language of its reader. url is where the pages are.
func (p *Pages) Letter(coalition, url string, r cycle.Reminder) Letter {
	lang := r.Contact.Lang
	v := &visit{Printer: p.kit.Printer(lang), to: places{url, lang}, person: cycle.PersonOf(r.Person), coalition: coalition}
	task := v.task(r.Task)
	l := Letter{Says: task.Text, Subject: v.T("mail.subject", "Coalition", coalition, "Cycle", string(r.Task.Cycle))}
	if r.Task.Cycle == "" {
		l.Subject = coalition
	}
	lines := []string{v.T("mail.hello", "Name", r.Person.Name), "", task.Text}
	if task.By != "" {
		lines = append(lines, task.By+".")
	}
	lines = append(lines, "", v.T("mail.go", "URL", task.Go.Href), "", v.T("mail.foot"), "")
	l.Body = strings.Join(lines, "\n")
	if !r.Task.Due.IsZero() {
		c := web.Calendar{Now: p.cfg.Now(), Product: "coordinator", Scope: coalition}
		c.Day("deadline "+string(r.Task.Cycle), r.Task.Due.UTC(), v.T("day.deadline", "Coalition", coalition, "Cycle", string(r.Task.Cycle)), r.Task.Due.UTC().Format("15:04")+" UTC")
		l.Calendar = c.File()
	}
	return l
}
