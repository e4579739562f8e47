package cycle

import (
	"context"
	"fmt"
	"strings"
	"time"

	"muster/internal/account"
	"muster/internal/errs"
)

// stages are how long before a deadline somebody is reminded, the nearest first.
var stages = [...]time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour}

// Reminder is what a person is to be reminded of, and was not yet.
type Reminder struct {
	Person  account.Person
	Contact Contact
	Task    Task
	Sending Sending
}

// topic names what a reminder is of, so that nobody gets the same one twice; it is
// empty where nobody is reminded of such a task, or not yet. A deadline that was moved
// is another topic.
func (t Task) topic(now time.Time) string {
	switch t.Code {
	case TaskApprove:
		return fmt.Sprintf("approve %d", t.Request.Number)
	case TaskSendKey:
		return "key " + string(t.Party.ID)
	case TaskComment:
		return "comment " + string(t.Party.ID)
	case TaskFreeze:
		return "freeze " + string(t.Party.ID)
	case TaskDeliver:
		for _, stage := range stages {
			if left := t.Due.Sub(now); left > 0 && left <= stage {
				return fmt.Sprintf("deliver %s %s before %s", t.Party.ID, days(stage), t.Due.UTC().Format(time.RFC3339))
			}
		}
	}
	return ""
}

func days(d time.Duration) string { return fmt.Sprintf("%dd", int(d/(24*time.Hour))) }

// Reminders returns whom to remind of what now: of people who belong to the pages and
// whose address is kept, and of nothing twice.
func (s *Service) Reminders(ctx context.Context, who Person, people []account.Person) ([]Reminder, error) {
	if err := who.staff("remind people"); err != nil {
		return nil, err
	}
	var list []Reminder
	err := s.view(ctx, "list the reminders", func(r Reader) error {
		contacts, err := r.Contacts()
		if err != nil {
			return err
		}
		at := make(map[string]Contact, len(contacts))
		for _, c := range contacts {
			at[c.Person] = c
		}
		list = nil
		now := s.moment()
		for _, p := range people {
			contact, ok := at[string(p.ID)]
			if !ok || !p.Active() {
				continue
			}
			todo, err := tasks(r, PersonOf(p), now)
			if err != nil {
				return err
			}
			for _, t := range todo {
				topic := t.topic(now)
				if topic == "" {
					continue
				}
				sending := Sending{Person: string(p.ID), Cycle: t.Cycle, Topic: topic, At: now}
				sent, err := r.Sent(sending)
				if err != nil {
					return err
				}
				if !sent {
					list = append(list, Reminder{p, contact, t, sending})
				}
			}
		}
		return nil
	})
	return list, err
}

// Reminded says that a reminder was sent.
func (s *Service) Reminded(ctx context.Context, who Person, reminder Reminder) error {
	if err := who.staff("remind people"); err != nil {
		return err
	}
	return s.change(ctx, "note a reminder", func(tx Tx) error {
		if sent, err := tx.Sent(reminder.Sending); err != nil || sent {
			return err
		}
		sending := reminder.Sending
		sending.At = s.moment()
		if err := tx.AddSending(sending); err != nil {
			return err
		}
		return s.write(tx, Line{At: sending.At, By: who.Name, What: ReminderSent, Cycle: sending.Cycle, Party: reminder.Task.Party.ID, Detail: reminder.Person.Name + ": " + sending.Topic})
	})
}

// SetContact keeps where a person is written to; an empty address forgets it.
func (s *Service) SetContact(ctx context.Context, who Person, c Contact, name string) error {
	if err := who.staff("keep addresses"); err != nil {
		return err
	}
	if c.Address != "" {
		local, host, ok := strings.Cut(c.Address, "@")
		if !ok || local == "" || host == "" || len(c.Address) > 254 || strings.ContainsFunc(c.Address, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>()[]\,;:"`, r) }) || strings.Contains(host, "@") {
			return errs.New(errs.Invalid, errs.Quote(c.Address)+" is no address of mail", "name@host, in plain letters")
		}
	}
	if c.Lang != "en" && c.Lang != "fr" {
		return errs.New(errs.Invalid, errs.Quote(c.Lang)+" is no language of these pages", "en or fr")
	}
	return s.change(ctx, "keep an address", func(tx Tx) error {
		if err := tx.PutContact(c); err != nil {
			return err
		}
		detail := name + ": kept"
		if c.Address == "" {
			detail = name + ": forgotten"
		}
		return s.write(tx, Line{By: who.Name, What: ContactSet, Detail: detail})
	})
}

// Contacts returns where people are written to, for the staff.
func (s *Service) Contacts(ctx context.Context, who Person) ([]Contact, error) {
	if err := who.staff("see addresses"); err != nil {
		return nil, err
	}
	var list []Contact
	err := s.view(ctx, "list the addresses", func(r Reader) (err error) {
		list, err = r.Contacts()
		return err
	})
	return list, err
}
