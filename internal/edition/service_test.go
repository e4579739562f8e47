package edition_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/internal/audience"
	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/edition"
	"muster/internal/edition/editiontest"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/silence"
)

// chair runs a silence procedure over a text with the charter's coordinator as chair.
func chair(t *testing.T, w *editiontest.World, name, digest string, only int, end silence.Act) []coalition.SignedFile {
	t.Helper()
	var parties []silence.Party
	for _, cohort := range w.Made.Charter.Cohorts {
		for _, m := range cohort.Members {
			if only > 0 && len(parties) == only {
				break
			}
			parties = append(parties, silence.Party{Member: m.ID, Key: m.Key})
		}
	}
	clock := &memory{}
	now := w.Clock.At
	c := silence.New(silence.Config{Coalition: w.Made.Charter.Coalition, Signer: w.Made.Coordinator, Store: clock, Now: func() time.Time { return now }, Rand: strings.NewReader(strings.Repeat("x", 64))})
	p, err := c.Propose(t.Context(), silence.Proposal{Subject: silence.Subject{Kind: silence.Edition, Name: name, Digest: digest}, Parties: parties, Comments: now.Add(time.Hour), Period: 24 * time.Hour})
	must(t, err)
	now = now.Add(2 * time.Hour)
	_, err = c.Put(t.Context(), p.ID, "", now.Add(48*time.Hour))
	must(t, err)
	switch end {
	case silence.Adopt:
		now = now.Add(49 * time.Hour)
		_, err = c.Settle(t.Context(), p.ID)
	case silence.Reopen:
		_, err = c.Reopen(t.Context(), p.ID)
	}
	must(t, err)
	return clock.steps
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, kind errs.Kind, words string) {
	t.Helper()
	if err == nil || errs.KindOf(err) != kind || !strings.Contains(errs.Describe(err).Message, words) {
		t.Errorf("%v, want %v with %q", err, kind, words)
	}
}

// An edition for allies is written, proposed by one, approved by another, published, and
// read by whom it is for and nobody else, from the end of its embargo until it is withdrawn.
func TestLife(t *testing.T) {
	t.Parallel()
	w := editiontest.New(t)
	ctx, s := t.Context(), w.Editions
	embargo := w.Clock.At.Add(72 * time.Hour)
	text := editiontest.Text(edition.Allied, w.Shown(t), "embargo: "+embargo.UTC().Format("2006-01-02 15:04"))
	embargo = embargo.Truncate(time.Minute)

	_, err := s.Write(ctx, w.Ola, w.Cycle, edition.Allied, text)
	refused(t, err, errs.Denied, "you may not write")
	_, _, err = s.Propose(ctx, w.Ada, w.Cycle, edition.Allied)
	refused(t, err, errs.NotFound, "no such edition")
	v, err := s.Write(ctx, w.Ada, w.Cycle, edition.Allied, text)
	must(t, err)
	if len(v.Faults) > 0 || len(v.Warnings) > 0 || v.Number != 1 {
		t.Fatalf("version %d: %v %v", v.Number, v.Faults, v.Warnings)
	}
	if again, err := s.Write(ctx, w.Bo, w.Cycle, edition.Allied, text); err != nil || again.Number != 1 || again.By != w.Ada.Name {
		t.Errorf("the same text is version %d by %s, %v", again.Number, again.By, err)
	}
	nobody := func(people ...cycle.Person) {
		t.Helper()
		for _, p := range people {
			_, err := s.Read(ctx, p, w.Cycle, edition.Allied, 0)
			refused(t, err, errs.NotFound, "no such edition")
			_, none := s.Read(ctx, p, w.Cycle, edition.Ports, 0)
			if err.Error() != none.Error() {
				t.Errorf("%s can tell an edition from none: %v, %v", p.Name, err, none)
			}
			if list, err := s.List(ctx, p); err != nil || len(list) > 0 {
				t.Errorf("%s is shown %v, %v", p.Name, list, err)
			}
		}
	}
	reads := func(state edition.State, people ...cycle.Person) {
		t.Helper()
		for _, p := range people {
			if e, err := s.Read(ctx, p, w.Cycle, edition.Allied, 0); err != nil || e.State != state || e.Why != "" {
				t.Errorf("%s: %s %s, %v; want %s", p.Name, e.State, e.Why, err, state)
			}
		}
	}
	nobody(w.Ola, w.Dan, w.Audit, w.Lea)
	reads(edition.IsDraft, w.Ada, w.Bo)

	d, number, err := s.Propose(ctx, w.Ada, w.Cycle, edition.Allied)
	must(t, err)
	if d.Outside() || d.Detail != edition.Full {
		t.Errorf("the allied edition is %s, and outside: %t", d.Detail, d.Outside())
	}
	nobody(w.Ola, w.Dan)
	reads(edition.IsProposed, w.Ada, w.Audit, w.Lea)
	_, _, err = s.Propose(ctx, w.Bo, w.Cycle, edition.Allied)
	refused(t, err, errs.Conflict, "is proposed already")
	_, err = s.Publish(ctx, w.Ada, w.Cycle, edition.Allied)
	refused(t, err, errs.Conflict, "is proposed")
	_, err = w.Service.Approve(ctx, w.Ada, number, "")
	refused(t, err, errs.Denied, "waits for somebody else")
	_, err = w.Service.Approve(ctx, w.Bo, number, "")
	must(t, err)
	reads(edition.IsApproved, w.Bo, w.Audit)
	nobody(w.Ola, w.Dan)
	_, err = s.Publish(ctx, w.Bo, w.Cycle, edition.Allied)
	must(t, err)
	nobody(w.Ola, w.Dan) // the embargo
	reads(edition.IsPublished, w.Audit)

	w.Clock.Set(embargo)
	reads(edition.IsPublished, w.Ola, w.Vera, w.Lea, w.Audit)
	nobody(w.Dan)
	_, body, err := s.File(ctx, w.Ola, w.Cycle, edition.Allied, 0)
	must(t, err)
	if got, err := edition.Parse(body); err != nil || keys.Digest(body) == "" || got.Title["en"] != "What 2027 shows the allied readers" {
		t.Errorf("%v, %v", got.Title, err)
	}

	// Another version does not take the published one away before it is published itself.
	_, err = s.Write(ctx, w.Bo, w.Cycle, edition.Allied, text+"\nOne line more.\n")
	must(t, err)
	reads(edition.IsPublished, w.Ola, w.Ada)
	w.Approve(t, edition.Allied)
	_, err = s.Publish(ctx, w.Ada, w.Cycle, edition.Allied)
	must(t, err)
	if e, err := s.Read(ctx, w.Ola, w.Cycle, edition.Allied, 0); err != nil || e.Number != 2 {
		t.Errorf("version %d, %v", e.Number, err)
	}
	must(t, s.Withdraw(ctx, w.Ada, w.Cycle, edition.Allied, "a word was wrong"))
	e, err := s.Read(ctx, w.Ola, w.Cycle, edition.Allied, 0)
	must(t, err)
	if e.Why != audience.RuleExpiry || e.Document != nil {
		t.Errorf("after it was withdrawn: %+v", e)
	}
	_, _, err = s.File(ctx, w.Ola, w.Cycle, edition.Allied, 0)
	refused(t, err, errs.Denied, "not yours")
	nobody(w.Dan)
	if n, _, err := w.CheckRecord(ctx, w.Audit); err != nil || n == 0 {
		t.Error(err)
	}
}

// What leaves the allied circle is adopted by silence first: of exactly this text, with
// every member asked; allies read it meanwhile, and guests do not.
func TestSilence(t *testing.T) {
	t.Parallel()
	w := editiontest.New(t)
	ctx, s := t.Context(), w.Editions
	_, err := s.Write(ctx, w.Ada, w.Cycle, edition.Partner, editiontest.Text(edition.Partner, w.Shown(t)))
	must(t, err)
	d := w.Approve(t, edition.Partner)
	if !d.Outside() || d.Detail != edition.Coarse {
		t.Errorf("the partner edition is %s, and outside: %t", d.Detail, d.Outside())
	}
	body, err := d.Encode()
	must(t, err)
	digest := keys.Digest(body)
	_, err = s.Publish(ctx, w.Ada, w.Cycle, edition.Partner)
	refused(t, err, errs.Conflict, "is approved")

	hear := func(steps []coalition.SignedFile) error {
		_, err := s.Hear(ctx, w.Ada, w.Cycle, edition.Partner, w.Made.Signed, steps)
		return err
	}
	refused(t, hear(chair(t, w, "partner", strings.Repeat("ab", 32), 0, silence.Adopt)), errs.Conflict, "about another text")
	refused(t, hear(chair(t, w, "partner", digest, 3, silence.Adopt)), errs.Conflict, "was not asked")
	must(t, hear(chair(t, w, "partner", digest, 0, "")))
	e, err := s.Read(ctx, w.Ola, w.Cycle, edition.Partner, 0)
	must(t, err)
	if e.State != edition.IsSilent || e.Until.IsZero() || e.Document == nil {
		t.Errorf("an ally who is asked gets %+v", e)
	}
	_, err = s.Read(ctx, w.Dan, w.Cycle, edition.Partner, 0)
	refused(t, err, errs.NotFound, "no such edition")
	_, err = s.Publish(ctx, w.Ada, w.Cycle, edition.Partner)
	refused(t, err, errs.Conflict, "is under silence")
	must(t, hear(chair(t, w, "partner", digest, 0, silence.Reopen)))
	_, err = s.Publish(ctx, w.Ada, w.Cycle, edition.Partner)
	refused(t, err, errs.Conflict, "is reopened")
	must(t, hear(chair(t, w, "partner", digest, 0, silence.Adopt)))
	_, err = s.Publish(ctx, w.Ada, w.Cycle, edition.Partner)
	must(t, err)
	for _, p := range []cycle.Person{w.Dan, w.Ola} {
		if e, err := s.Read(ctx, p, w.Cycle, edition.Partner, 0); err != nil || e.State != edition.IsPublished {
			t.Errorf("%s: %s, %v", p.Name, e.State, err)
		}
	}
}

// A guest to whom the allied edition is announced learns that there is one and why it is
// not hers; nothing of it is in what she gets.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	w := editiontest.New(t)
	_, err := w.Editions.Write(t.Context(), w.Ada, w.Cycle, edition.Allied, editiontest.Text(edition.Allied, w.Shown(t), "announced: allied, partner"))
	must(t, err)
	w.Approve(t, edition.Allied)
	_, err = w.Editions.Publish(t.Context(), w.Ada, w.Cycle, edition.Allied)
	must(t, err)
	list, err := w.Editions.List(t.Context(), w.Dan)
	must(t, err)
	if len(list) != 1 || list[0] != (edition.Entry{Cycle: w.Cycle, Name: edition.Allied, Why: audience.RuleDefault}) {
		t.Errorf("she gets %+v", list)
	}
}

// The attack finds what releases say together, and then no edition is proposed: of two
// cohorts of which one holds all but one member of the other.
func TestAttackBlocks(t *testing.T) {
	t.Parallel()
	w := editiontest.New(t)
	ctx := t.Context()
	_, body := editiontest.Release(t, editiontest.Config{Coalition: cycletestCoalition, Cycle: string(w.Cycle), Cohort: "coast", Roster: w.Roster[:editiontest.Members-1], Seed: 5})
	must(t, w.DB.Editions().InTx(ctx, "past the guard", func(tx edition.Tx) error {
		return tx.AddRelease(edition.Kept{Digest: keys.Digest(body), Cycle: w.Cycle, Cohort: "coast", Body: body, Members: w.Roster[:editiontest.Members-1], By: "x", At: w.Clock.At})
	}))
	_, err := w.Editions.Write(ctx, w.Ada, w.Cycle, edition.Allied, editiontest.Text(edition.Allied, w.Shown(t)))
	must(t, err)
	_, _, err = w.Editions.Propose(ctx, w.Ada, w.Cycle, edition.Allied)
	if unsafe, ok := errors.AsType[*edition.Unsafe](err); ok {
		refused(t, err, errs.Conflict, "narrows members' answers in")
		for _, name := range w.Roster {
			if strings.Contains(err.Error(), string(name)) {
				t.Errorf("it names %s", name)
			}
		}
		if len(unsafe.Result.Findings) == 0 {
			t.Error("nothing was found")
		}
	} else {
		t.Errorf("%v, and it is to be found unsafe", err)
	}
	if reqs, err := w.Requests(ctx, w.Bo); err != nil || len(reqs) > 0 {
		t.Errorf("it was asked for all the same: %v, %v", reqs, err)
	}
}
