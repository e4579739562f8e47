package cycletest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/keys"
)

// Years fills a world with a coalition of so many invented members and partners and so
// many years of it, the last of which is open: with statuses that moved, questions, and
// a record of it all. It is for measuring, and writes past the guards of a service, in
// one transaction a year.
func (w *World) Years(t testing.TB, members, partners, years int) {
	t.Helper()
	ctx := context.Background()
	var parties []cycle.Party
	for i := range members + partners {
		p := cycle.Party{ID: cycle.PartyID(fmt.Sprintf("party-%02d", i)), Name: coalition.MemberID(fmt.Sprintf("Invented Land %02d", i)), Kind: cycle.Member, Added: w.Clock.Now()}
		if i >= members {
			p.Kind = cycle.Partner
		}
		parties = append(parties, p)
	}
	people := make([]account.Person, 0, len(parties))
	for i, p := range parties {
		people = append(people, account.Person{
			ID: account.PersonID(fmt.Sprintf("%032x", 1000+i)), Name: fmt.Sprintf("Person of %s", p.Name), Added: w.Clock.Now(), Joined: w.Clock.Now(),
			Grants: []account.Grant{{Role: string(cycle.RoleOfficer), Of: []string{string(p.ID)}}},
		})
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.DB.Accounts().InTx(ctx, "people", func(tx account.Tx) error {
		for _, p := range people {
			if err := tx.PutPerson(p); err != nil {
				return err
			}
		}
		return nil
	}))
	now := w.Clock.Now()
	for year := range years {
		must(w.DB.InTx(ctx, "a year", func(tx cycle.Tx) error { return w.year(tx, parties, people, year, year == years-1, now) }))
	}
	w.Clock.Set(now.AddDate(years-1, 3, 0))
}

// year is one of them.
func (w *World) year(tx cycle.Tx, parties []cycle.Party, people []account.Person, year int, last bool, begun time.Time) error {
	at := begun.AddDate(year, 0, 0)
	if year == 0 {
		for i, p := range parties {
			if err := tx.PutParty(p); err != nil {
				return err
			}
			key := keys.Public(fmt.Sprintf("invented+%08x+key", i))
			number, err := tx.AddRequest(cycle.Request{Kind: cycle.Enrolment, Party: p.ID, Subject: string(key), By: "Ada Lindqvist", At: at})
			if err != nil {
				return err
			}
			if err := tx.EndRequest(number, cycle.Approved, "", "Bo Marsh", at); err != nil {
				return err
			}
			if err := tx.AddKey(cycle.Key{Party: p.ID, Number: 1, Public: key, At: at, Request: number}); err != nil {
				return err
			}
		}
	}
	c := cycle.Cycle{
		ID: cycle.ID(fmt.Sprint(at.Year())), Framework: coalition.FrameworkRef{ID: "muster-core", Version: "1.0.0", Digest: keys.Digest([]byte("pack"))}, Hosts: [2]cycle.PartyID{parties[0].ID, parties[1].ID}, Marking: coalition.MarkingSynthetic,
		Phase: coalition.Archived, Made: at, Opens: at.AddDate(0, 2, 0), Deadline: at.AddDate(0, 4, 0), Wipe: at.AddDate(1, 4, 0), Charter: keys.Digest([]byte(fmt.Sprint("charter", year))),
	}
	if last {
		c.Phase = coalition.Open
	}
	if err := tx.PutCycle(c); err != nil {
		return err
	}
	s := cycle.New(cycle.Config{Store: within{tx}, Now: func() time.Time { return at }})
	for i, t := range []coalition.Phase{coalition.Consultation, coalition.Adopted, coalition.Open, coalition.Closing, coalition.Closed, coalition.Aggregated, coalition.Review, coalition.Released, coalition.Conference, coalition.Commitments, coalition.FollowUp, coalition.Archived} {
		if last && i > 2 {
			break
		}
		if err := tx.AddStep(cycle.Step{Cycle: c.ID, Number: i + 1, From: []coalition.Phase{coalition.Draft, coalition.Consultation, coalition.Adopted, coalition.Open, coalition.Closing, coalition.Closed, coalition.Aggregated, coalition.Review, coalition.Released, coalition.Conference, coalition.Commitments, coalition.FollowUp}[i], To: t, By: "Ada Lindqvist", At: at.Add(time.Duration(i) * time.Hour)}); err != nil {
			return err
		}
	}
	for i, p := range parties {
		for n, status := range []cycle.Status{cycle.NotStarted, cycle.UnderWay, cycle.SignedOff, cycle.Delivered} {
			if last && (i+n)%5 == 4 {
				break
			}
			if err := tx.AddParticipation(cycle.Participation{Cycle: c.ID, Party: p.ID, Number: n + 1, Status: status, By: people[i].Name, At: at.Add(time.Duration(n) * time.Hour)}); err != nil {
				return err
			}
			if err := s.Write(tx, cycle.Line{At: at, By: people[i].Name, What: cycle.StatusSet, Cycle: c.ID, Party: p.ID, Detail: string(status)}); err != nil {
				return err
			}
		}
	}
	for i := range 30 {
		q := cycle.Question{Cycle: c.ID, Asker: string(people[i%len(people)].ID), Text: "An invented question, of some length, about something that is not clear in the framework?", Asked: at}
		number, err := tx.AddQuestion(q)
		if err != nil {
			return err
		}
		if last && i > 25 {
			continue
		}
		q.Number, q.Wording, q.Answer, q.By, q.At = number, q.Text, "An invented answer that says what is meant, in a sentence or two.", "Ada Lindqvist", at
		if err := tx.PutAnswer(q); err != nil {
			return err
		}
	}
	return nil
}

// within is a store that is one open transaction.
type within struct{ tx cycle.Tx }

func (w within) InTx(_ context.Context, _ string, fn func(cycle.Tx) error) error { return fn(w.tx) }

func (w within) View(_ context.Context, _ string, fn func(cycle.Reader) error) error { return fn(w.tx) }
